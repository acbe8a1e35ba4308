"""What destroys is behind the second wall too: by raw SQL nobody but ICORN, with the scope, erases or holds a case; and nothing of a case outlives it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from hub.embedded import Server
from tests.conftest import NUMBERS, new_database
from tests.population import named
from tests.walls.raw import DESK, NOBODY, PEN, READER, STRANGER, Bound, Raw, peopled
from tests.world import EVERY_SCOPE

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = Bound("icorn", "desk", [scope for scope in EVERY_SCOPE if scope != "cases:read"])
CALLS = ("erase_case($1)", "set_legal_hold($1, true, '\\x01')", "set_legal_hold($1, false, '\\x01')")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def raw(server: Server, template: str) -> AsyncIterator[Raw]:
    """One peopled database; every test undoes what it does."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, peopled(database) as made:
        yield made


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "who", [NOBODY, STRANGER, PEN, READER, HALF], ids=["nobody", "stranger", "pen", "reader", "half"]
)
async def test_nobody_else_erases_or_holds(raw: Raw, who: Bound, call: str) -> None:
    """Whatever a partner's token says, whatever case it names, and whoever's statement it gets into."""
    for case in (named("plain"), named("sealed"), named("nothing")):
        async with raw.bound(who):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await raw.app.execute(f"select {call}", case)


async def test_the_desk_erases_what_is_not_held(raw: Raw) -> None:
    """And of a case that is held hears that."""
    async with raw.bound(DESK):
        assert await raw.app.fetchval("select erase_case($1)", named("plain")) is True
        assert await raw.app.fetchval("select count(*) from case_file where id = $1", named("plain")) == 0
        assert await raw.app.fetchval("select erase_case($1)", named("sealed")) is False
        assert await raw.app.fetchval("select count(*) from case_file where id = $1", named("sealed")) == 1


@pytest.mark.parametrize(
    "call", ["destroy($1, null, true)", "alone_with(array[$1])", "erase_overdue(1)", "count_overdue()"]
)
async def test_what_erases_is_called_by_nobody_itself(raw: Raw, call: str) -> None:
    """The function that destroys belongs to a role that no one logs in as; the sweep is the worker's."""
    async with raw.bound(DESK):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.app.execute(f"select {call.replace('$1', repr(str(named('plain'))) + '::uuid')}")


async def test_what_hangs_on_a_case_goes_with_it(raw: Raw) -> None:
    """Every table that refers to a case, a referral or a record lets go of its rows, or of the reference, when that is destroyed: a new one must, too."""
    kept = await raw.world.admin.fetch(
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f' and confdeltype not in ('c', 'n')"
        " and confrelid in ('case_file'::regclass, 'referral'::regclass, 'feed_record'::regclass, 'consent'::regclass, 'residency'::regclass, 'presentation'::regclass)"
    )

    assert kept == []
