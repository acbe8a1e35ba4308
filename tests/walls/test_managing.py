"""Who acts for an organisation is changed within one's own rights, at the second wall alone: by raw SQL as the role of requests."""

import uuid
from typing import Any

import asyncpg
import pytest

from tests.walls.raw import DESK, PEN, Bound, Raw
from tests.world import EVERY_SCOPE

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEEPER = Bound("pen-centre", "pen", ("access:manage", "cases:read"))
ADDER = Bound("icorn", "desk", ("organisations:manage",))
INVITED = "($1, $2, $3, $4, decode(repeat('cd', 32), 'hex'), '1', '1', '1', decode(repeat('ef', 32), 'hex'), hub_now() + interval '1 day')"


async def invites(raw: Raw, by: str, organisation: str, role: str, scopes: list[str]) -> Any:
    """Invite somebody by one of the functions that do."""
    number = raw.world.organisations[organisation]
    return await raw.app.fetchval(f"select {by} {INVITED}", uuid.uuid4(), number, [role], scopes)


async def test_a_client_is_added_and_changed_in_ones_own_organisation_and_within_what_one_holds(raw: Raw) -> None:
    """No scope more, nobody else's, and none that was disabled comes back; ICORN's reach goes everywhere."""
    pen, arts = raw.world.organisations["pen-centre"], raw.world.organisations["arts-haven"]
    row = {"client_id": "new-one", "name": "New", "scopes": ["cases:read"]}
    attempts: list[tuple[Bound, str, tuple[Any, ...], bool]] = [
        (KEEPER, "update client set name = 'x' where client_id = $1", ("reader",), True),
        (KEEPER, "update client set name = 'x' where client_id = $1", ("arts",), False),
        (KEEPER, "update client set scopes = '{cases:read,cases:health}' where client_id = $1", ("reader",), False),
        (KEEPER, "update client set scopes = '{access:manage}' where client_id = $1", ("reader",), True),
        (KEEPER, "update client set status = 'DISABLED' where client_id = $1", ("reader",), True),
        (KEEPER, "update client set status = 'INVITED' where client_id = $1", ("reader",), False),
        (KEEPER, "update client set organisation = $2 where client_id = $1", ("reader", arts), False),
        (KEEPER, "delete from client where client_id = $1", ("reader",), False),
        (DESK, "update client set name = 'x' where client_id = $1", ("arts",), True),
    ]
    wrong = []
    for who, sql, given, passes in attempts:
        async with raw.bound(who):
            wrong += [sql] if await raw.passes(sql, *given) != passes else []
    async with raw.bound(KEEPER):
        assert await raw.inserts("client", {**row, "organisation": pen})
        assert not await raw.inserts("client", {**row, "organisation": arts})
        assert not await raw.inserts("client", {**row, "organisation": pen, "scopes": ["cases:health"]})
        assert not await raw.inserts("client", {**row, "organisation": pen, "documents_only": True})
    assert wrong == []


async def test_keys_are_read_and_set_by_whoever_manages_the_client_and_holds_all_it_has(raw: Raw) -> None:
    """Of another's there is nothing; a client with more than the asker has keeps its keys."""
    sets, reads = "select viewer_sets_keys($1, '{\"keys\": []}')", "select viewer_reads_keys($1)"
    for who, client, may_set in (
        (KEEPER, "reader", True),
        (KEEPER, "pen", False),
        (KEEPER, "arts", False),
        (DESK, "arts", True),
    ):
        async with raw.bound(who):
            assert await raw.app.fetchval(sets, client) is may_set, (who, client)
            assert (await raw.app.fetchval(reads, client) is not None) == (client != "arts" or who is DESK)
    async with raw.bound(Bound("pen-centre", "pen", ("cases:read",))):
        assert await raw.app.fetchval(reads, "reader") is None
        assert await raw.app.fetchval(sets, "reader") is False


async def test_somebody_is_invited_where_the_asker_manages_and_with_what_it_may_give(raw: Raw) -> None:
    """A machine makes no admin; an organisation's first admin is ICORN's to invite, once; and the function that asks nothing is not to be called."""
    user, first = "viewer_invites_user", "viewer_invites_first_admin"
    attempts = [
        (KEEPER, user, "pen-centre", "PARTNER_STAFF", ["cases:read"], True),
        (KEEPER, user, "pen-centre", "PARTNER_STAFF", ["cases:health"], False),
        (KEEPER, user, "pen-centre", "PARTNER_ADMIN", ["cases:read"], False),
        (KEEPER, user, "pen-centre", "ICORN_STAFF", ["cases:read"], False),
        (KEEPER, user, "arts-haven", "PARTNER_STAFF", ["cases:read"], False),
        (DESK, user, "arts-haven", "PARTNER_STAFF", ["cases:read"], True),
        (PEN, first, "pen-centre", "PARTNER_ADMIN", EVERY_SCOPE, False),
        (ADDER, user, "arts-haven", "PARTNER_STAFF", ["organisations:manage"], False),
        (ADDER, first, "arts-haven", "PARTNER_ADMIN", ["cases:read"], True),
        (ADDER, first, "arts-haven", "PARTNER_STAFF", ["cases:read"], False),
        (ADDER, first, "icorn", "PARTNER_ADMIN", ["cases:read"], False),
    ]  # fmt: skip
    wrong = []
    for who, by, organisation, role, scopes, passes in attempts:
        async with raw.bound(who):
            wrong += (
                [(by, organisation, role)] if await invites(raw, by, organisation, role, scopes) is not passes else []
            )
    async with raw.bound(ADDER):
        assert await invites(raw, first, "arts-haven", "PARTNER_ADMIN", ["cases:read"])
        assert not await invites(raw, first, "arts-haven", "PARTNER_ADMIN", ["cases:read"])
    async with raw.bound(DESK):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await invites(raw, "invite_user", "pen-centre", "PARTNER_STAFF", ["cases:read"])
    assert wrong == []


async def test_a_person_manages_as_an_admin_and_not_otherwise(raw: Raw) -> None:
    """The scope alone makes a machine's client a manager, and no member of staff; a name that is none is nobody."""
    staff = await raw.world.admin.fetchval("select id::text from usr")
    for user, manages in (("", True), (staff, False), ("nobody", False), (str(uuid.uuid4()), False)):
        async with raw.bound(DESK):
            await raw.app.execute("select set_config('hub.user', $1, true)", user)
            assert await raw.app.fetchval("select viewer_administers()") is manages
            assert (await raw.app.fetchval("select count(*) from usr") > 0) is manages


async def test_organisations_are_icorns_to_change_and_icorn_is_never_stopped(raw: Raw) -> None:
    """Neither by a partner, whatever its scopes, nor by the desk without the scope."""
    stop = "update organisation set suspended_at = hub_now() where code = $1"
    for who, code, passes in (
        (ADDER, "pen-centre", True),
        (ADDER, "icorn", False),
        (PEN, "pen-centre", False),
        (PEN, "arts-haven", False),
    ):
        async with raw.bound(who):
            assert await raw.passes(stop, code) is passes, (who, code)
    async with raw.bound(Bound("icorn", "desk", [scope for scope in EVERY_SCOPE if scope != "organisations:manage"])):
        assert not await raw.passes(stop, "pen-centre")
        assert not await raw.inserts("organisation", {"code": "new", "name": "New", "kind": "SISTER"})
    async with raw.bound(ADDER):
        assert await raw.inserts("organisation", {"code": "new", "name": "New", "kind": "SISTER"})
        assert not await raw.inserts("organisation", {"code": "new", "name": "New", "kind": "ICORN"})
