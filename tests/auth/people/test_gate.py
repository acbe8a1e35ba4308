"""The gate that every statement of the hub passes: for a person's token it asks whether the person is still there."""

import pytest

from auth.people.person import Person
from tests.auth.people.kit import ADMIN_SCOPES, House

LIVE = """
select case when set_config('hub.organisation', $1, true) is not null and set_config('hub.client', 'console', true) is not null
  and set_config('hub.user', $2, true) is not null and set_config('hub.scopes', $3, true) is not null
  then hub.viewer_standing('a token', '\\x00', false) is not null end
"""


@pytest.fixture
async def console(house: House) -> House:
    """A client of the PEN Centre that people use, with every scope that any of them has, and more."""
    await house.database.admin(
        "insert into hub.client (client_id, organisation, name, scopes) values ('console', $1, 'Console', $2)",
        house.organisations["pen-centre"],
        [*ADMIN_SCOPES, "cases:identity"],
    )
    return house


async def is_live(house: House, user: str, scopes: str = "cases:read", organisation: str = "pen-centre") -> bool:
    """Ask the gate, as the role that answers requests."""
    connection = await house.database.connect("hub_app")
    return bool(await connection.fetchval(LIVE, str(house.organisations[organisation]), user, scopes))


async def test_a_token_of_an_active_user_is_live(console: House) -> None:
    """And so is a machine's, which has none."""
    assert await is_live(console, await console.user("Sara"))
    assert await is_live(console, "")


@pytest.mark.parametrize("status", ["INVITED", "DISABLED"])
async def test_a_token_of_a_user_who_is_not_active_is_dead_at_once(console: House, status: str) -> None:
    """With the next statement of any process."""
    user = await console.user("Sara")
    await console.database.admin("update hub.usr set status = $1::text::hub.access_status", status)

    assert not await is_live(console, user)


async def test_a_user_of_another_organisation_opens_nothing(console: House) -> None:
    """Whatever a token says."""
    assert not await is_live(console, await console.user("Mallory", "arts-haven"))


@pytest.mark.parametrize("user", ["00000000-0000-4000-8000-000000000000", "Sara", "' or true --"])
async def test_a_user_whom_nobody_knows_opens_nothing(console: House, user: str) -> None:
    """Also what is no id at all: it is refused, and is no fault."""
    await console.user("Sara")

    assert not await is_live(console, user)


async def test_a_token_has_no_scope_beyond_its_users(console: House) -> None:
    """Though the client has it; and one that was taken from the user is gone from tokens that are out."""
    user = await console.user("Sara")
    before = await is_live(console, user, "cases:read access:manage")
    await console.pool.execute("update hub.usr set scopes = '{access:manage}'")

    assert before
    assert not await is_live(console, user, "cases:read access:manage")
    assert not await is_live(console, user, "cases:identity")
    assert await is_live(console, user, "access:manage")


async def test_the_role_of_requests_sees_no_user_unless_its_asker_manages_them(console: House) -> None:
    """Nor passkeys, sessions and invitations at all: those have a schema that it cannot enter."""
    await console.user("Sara")
    connection = await console.database.connect("hub_app")
    rights = await connection.fetchval(
        "select array_agg(c.oid::regclass::text) from pg_class c where relname in ('passkey', 'session', 'invitation', 'recovery')"
        " and has_any_column_privilege('hub_app', c.oid, 'SELECT, INSERT, UPDATE')"
    )

    assert rights is None
    assert await connection.fetchval("select count(*) from hub.usr") == 0


def test_a_person_is_not_told_in_logs() -> None:
    """Neither name nor session stand in what is printed of one."""
    person = Person("id", 1, frozenset(), frozenset(), "Quetzal", 0, b"secret")

    assert "Quetzal" not in repr(person)
    assert "secret" not in repr(person)
