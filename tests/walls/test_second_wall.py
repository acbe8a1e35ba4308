"""The second wall alone, by raw SQL as the role of requests: nobody sees anything, and nothing is written that is not one's own."""

import json
from typing import Any

import asyncpg
import pytest

from tests.population import named
from tests.walls.raw import DESK, NOBODY, PEN, PROOF, READER, STRANGER, Bound, Raw
from tests.world import EVERY_SCOPE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = {"city", "organisation"}
CATEGORIES = ("profile", "identity", "contact", "whereabouts", "threat", "health", "family", "assessment")
ONE_SCOPE = {
    "case_file": "cases:read",
    "case_key": "cases:read",
    "case_access": "cases:read",
    "legal_hold": "cases:erase",
    "change": "changes:read",
    "case_name_digest": "cases:identity",
    "residency": "residencies:read",
    "presentation": "presentations:read",
    "case_alias": "cases:read",
    "referral_access": "referrals:read",
    "referral_key": "referrals:read",
    "referral_event": "referrals:read",
    "referral_person": "referrals:read",
    "message": "referrals:read",
    "emergency": "cases:emergency",
    "webhook": "access:manage",
    "feed": "feeds:read",
    "feed_record": "feeds:read",
    "feed_record_key": "feeds:read",
    "feed_record_person": "feeds:read",
    "feed_record_link": "feeds:read",
    "statistics_release": "statistics:read",
    "statistics_cell": "statistics:read",
    **{f"case_{noun}": f"cases:{noun}" for noun in CATEGORIES},
    **dict.fromkeys(("audit_leaf", "audit_event", "audit_head", "audit_pseudonym"), "audit:read"),
}
"""For each table, a scope without which it is empty."""
CHANGED = ("case_file", "case_name_digest", *(f"case_{noun}" for noun in CATEGORIES))
DESK_WRITES = (
    "case_file",
    "case_key",
    "case_name_digest",
    "residency",
    "share",
    "hold",
    *(f"case_{noun}" for noun in CATEGORIES),
)
OWN = {(table, "insert") for table in ("referral", "referral_key", "referral_person", "referral_event", "consent")}
OWED = {("retraction", "update"), ("retraction_key", "insert")}
HOOKS = {("webhook", "insert"), ("webhook", "delete"), ("webhook_secret", "insert")}
ACCESS = {("client", "insert"), ("client", "update")}
SPENT = {("budget", "insert"), ("budget", "update")}
MAY: dict[str, tuple[Bound, set[tuple[str, str]]]] = {
    "nobody": (NOBODY, set()),
    "an organisation without any part in it": (STRANGER, ACCESS),
    "a desk that only reads": (READER, SPENT | {("outcome", "insert"), ("outcome", "update")}),
    "a partner": (PEN, SPENT | OWN | OWED | HOOKS | ACCESS | {("agreement", "insert"), ("referral", "update"), ("consent", "update"), ("emergency", "insert")}),
    "the desk": (
        DESK,
        {(table, "insert") for table in DESK_WRITES}
        | {(table, "update") for table in ("hold", "share", "residency", "city", *CHANGED)}
        | {(table, "delete") for table in CHANGED if table != "case_file"}
        | {("case_decision", "insert")}
        | SPENT
        | ACCESS
        | {("usr", "update"), ("organisation", "insert"), ("city", "insert")}
        | HOOKS
        | OWN - {("referral", "insert")}
        | {("referral", "update"), ("consent", "update")}
        | {("feed_record_link", "insert"), ("feed_record_link", "delete"), ("feed", "insert"), ("feed_version", "insert")}
        | {("outcome", "insert"), ("outcome", "update"), ("event", "insert"), ("agreement", "insert")},
    ),
}  # fmt: skip
"""Who may write what of the rows that are there. What is left behind by a request (proof, audit) is tried below."""


async def test_every_table_has_something_to_hide(raw: Raw) -> None:
    """A new table needs a row here, or what follows would say nothing of it."""
    counts = {table: await raw.world.admin.fetchval(f"select count(*) from {table}") for table in raw.tables}  # noqa: S608 a table's name

    assert {table for table, count in counts.items() if not count} == set()


async def test_nobody_sees_nothing(raw: Raw) -> None:
    """Without a principal every table is empty but the public ones, and most may not even be asked."""
    assert set(await raw.seen(NOBODY)) == PUBLIC


async def test_what_was_bound_to_a_statement_is_gone_after_it(raw: Raw) -> None:
    """A setting that ended with its transaction is an empty text, and that is nobody, not everybody."""
    async with raw.bound(DESK):
        assert await raw.app.fetchval("select count(*) from case_file") > 0
    assert await raw.app.fetchval("select current_setting('hub.organisation', true)") == ""
    for table in raw.tables:
        if await raw.app.fetchval("select has_any_column_privilege($1::text, 'SELECT')", f"hub.{table}"):
            count = await raw.app.fetchval(f"select count(*) from {table}")  # noqa: S608 a table's name
            assert bool(count) == (table in PUBLIC), table


@pytest.mark.parametrize(
    "settings",
    [
        {"hub.scopes": " ".join(EVERY_SCOPE)},
        {"hub.client": "desk", "hub.scopes": " ".join(EVERY_SCOPE)},
        {"hub.organisation": "", "hub.client": "desk", "hub.scopes": " ".join(EVERY_SCOPE), "hub.proof": PROOF.hex()},
        {"hub.organisation": "2147483647", "hub.client": "desk", "hub.scopes": ""},
    ],
)
async def test_a_binding_by_halves_is_nobody(raw: Raw, settings: dict[str, str]) -> None:
    """Scopes without an organisation, or an organisation that does not exist, open nothing."""
    transaction = raw.app.transaction()
    await transaction.start()
    for name, value in settings.items():
        await raw.app.execute("select set_config($1, $2, true)", name, value)
    for table in set(raw.tables) - PUBLIC:
        if await raw.app.fetchval("select has_any_column_privilege($1::text, 'SELECT')", f"hub.{table}"):
            assert await raw.app.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608 a table's name
    await transaction.rollback()


async def test_an_organisation_without_any_part_sees_what_is_public(raw: Raw) -> None:
    """Every scope there is opens nothing but names, the state of feeds, released statistics, and who one is oneself."""
    released = {"statistics_release", "statistics_cell"}
    assert set(await raw.seen(STRANGER)) == PUBLIC | released | {"client", "feed"}


async def test_a_token_without_scopes_sees_its_own_standing(raw: Raw) -> None:
    """Its client, what that may ask, and its organisation's agreements: what it agreed to is no secret to it."""
    assert set(await raw.seen(Bound("pen-centre", "pen", ()))) == PUBLIC | {
        "budget",
        "client",
        "trusted_document",
        "agreement",
        "agreement_approval",
        "agreement_end",
    }


@pytest.mark.parametrize("table", ONE_SCOPE)
async def test_a_table_is_empty_without_its_scope(raw: Raw, table: str) -> None:
    """Also for ICORN's desk, who sees all of it with the scope."""
    scope = ONE_SCOPE[table]

    assert table in await raw.seen(DESK)
    assert table not in await raw.seen(Bound("icorn", "desk", [s for s in EVERY_SCOPE if s != scope]))


async def test_personal_rows_of_a_category_need_its_scope(raw: Raw) -> None:
    """What is said in referrals and feeds is kept in one table for all categories: each row asks for its own scope."""
    for table in ("referral_person", "feed_record_person"):
        for noun in CATEGORIES[:-1]:
            async with raw.bound(Bound("icorn", "desk", [s for s in EVERY_SCOPE if s != f"cases:{noun}"])):
                seen = {row[0] for row in await raw.app.fetch(f"select distinct category::text from {table}")}  # noqa: S608 a table's name
            assert noun.upper() not in seen
            assert seen


COLUMNS = {
    "organisation": "suspended_at",
    "feed": "settings, mapping, cursor, watermark, rules",
    "statistics_release": "xid",
    "audit": "id, organisation, client, usr, at, action, operation, purpose, outcome, subjects, categories, xid",
}


@pytest.mark.parametrize("table", COLUMNS)
async def test_some_columns_are_not_there_to_be_read(raw: Raw, table: str) -> None:
    """An organisation's standing, how a feed is reached, and audit records: not even by the desk."""
    for column in COLUMNS[table].split(", "):
        async with raw.bound(DESK):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await raw.app.fetch(f"select {column} from {table}")  # noqa: S608 our own names


async def test_the_role_of_requests_never_enters_the_schema_of_keys(raw: Raw) -> None:
    """Client keys, signing keys and used assertions are the authorization server's."""
    tables = [r[0] for r in await raw.world.admin.fetch("select relname from pg_class where relnamespace = 'auth'::regnamespace and relkind = 'r'")]  # fmt: skip
    assert tables
    for table in tables:
        for role in (raw.app, await raw.database.connect("hub_worker")):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.fetch(f"select from auth.{table}")


@pytest.mark.parametrize("who", MAY)
async def test_nothing_is_written_by_whom_it_is_not_meant_for(raw: Raw, who: str) -> None:
    """Every insert, update and delete, on every table, of the rows that are there: these pass, and no other."""
    principal, allowed = MAY[who]

    assert await raw.may(principal) == allowed


async def _row(raw: Raw, table: str, where: str, **changed: Any) -> dict[str, Any]:
    found = await raw.world.admin.fetchval(f"select to_jsonb(t)::text from {table} t where {where} limit 1")  # noqa: S608 our own words
    return {**json.loads(found), **changed}


async def test_a_partner_cannot_write_in_another_name(raw: Raw) -> None:
    """Referrals and what belongs to them, consents, outcomes, events, proofs and audit records: one's own, or not at all."""
    pen, icorn = raw.world.organisations["pen-centre"], raw.world.organisations["icorn"]
    arts, mine, theirs = raw.world.organisations["arts-haven"], str(named("r between")), str(named("r arts"))
    seen, unseen = str(named("plain")), str(named("sealed"))
    fresh = {"id": str(named("fresh"))}
    own = await _row(raw, "referral", f"id = '{mine}'", **fresh, client_reference=None)
    consent = await _row(raw, "consent", f"id = '{named('c own')}'", **fresh)
    given = await _row(raw, "consent", f"id = '{named('a between')}'", **fresh)
    outcome = await _row(raw, "outcome", "true", key="new")
    event, audit = {"kind": "x", "organisation": pen, "at": "2026-06-01"}, await _row(raw, "audit", "true")
    noted = {k: audit[k] for k in ("client", "action", "operation", "subjects", "categories")}
    proof = {"until": "2026-07-01", "proof": f"\\x{PROOF.hex()}"}
    key, person = (
        await _row(raw, "referral_key", f"referral_id = '{theirs}'"),
        await _row(raw, "referral_person", f"referral_id = '{theirs}'"),
    )
    step = await _row(raw, "referral_event", f"referral_id = '{mine}'")
    attempts: list[tuple[str, dict[str, Any], bool]] = [
        ("referral", own, True),
        ("referral", {**own, "sender": arts}, False),
        ("referral", {**own, "client": "other"}, False),
        ("referral", {**own, "usr": "somebody"}, False),
        ("referral", {**own, "status": "ACCEPTED"}, False),
        ("referral", {**own, "case_id": seen}, False),
        ("referral_key", {**key, "referral_id": mine}, True),
        ("referral_key", key, False),
        ("referral_person", {**person, "referral_id": mine}, True),
        ("referral_person", person, False),
        ("referral_event", step, True),
        ("referral_event", {**step, "organisation": icorn}, False),
        ("referral_event", {**step, "kind": "ACCEPTED", "status": "ACCEPTED"}, False),
        ("referral_event", {**step, "referral_id": theirs}, False),
        ("consent", consent, True),
        ("consent", {**consent, "recorded_by": icorn}, False),
        ("consent", {**consent, "case_id": unseen}, False),
        ("consent", given, True),
        ("consent", {**given, "case_id": seen}, False),
        ("consent", {**given, "case_id": unseen}, False),
        ("consent", {**given, "referral_id": theirs}, False),
        ("outcome", {**outcome, "organisation": pen, "client": "pen"}, True),
        ("outcome", {**outcome, "organisation": pen, "client": "other"}, False),
        ("outcome", {**outcome, "organisation": pen, "client": "pen", "usr": "somebody"}, False),
        ("event", event, True),
        ("event", {**event, "organisation": icorn}, False),
        ("audit", {**noted, "organisation": pen, "proof": f"\\x{PROOF.hex()}"}, True),
        ("audit", {**noted, "organisation": icorn, "proof": f"\\x{PROOF.hex()}"}, False),
        ("audit", {**noted, "organisation": pen, "proof": "\\x01"}, False),
        ("seen_proof", {**proof, "organisation": pen}, True),
        ("seen_proof", {**proof, "organisation": icorn}, False),
        ("seen_proof", {**proof, "organisation": pen, "proof": "\\x02"}, False),
    ]

    async with raw.bound(PEN):
        wrong = [(table, row) for table, row, passes in attempts if await raw.inserts(table, row) != passes]
    assert wrong == []


async def test_a_partner_takes_back_what_it_recorded_and_changes_nothing_else(raw: Raw) -> None:
    """A withdrawal of one's own passes; another's consent, or another case or recorder for one's own, does not."""
    mine, given, theirs = named("c own"), named("a between"), named("c plain")
    async with raw.bound(PEN):
        assert await raw.passes("update consent set withdrawn_at = hub_now() where id = $1", mine)
        assert not await raw.passes("update consent set withdrawn_at = hub_now() where id = $1", theirs)
        assert not await raw.passes(
            "update consent set withdrawn_at = hub_now() - interval '1 day' where id = $1", mine
        )
        assert not await raw.passes("update consent set accepted = true where id = $1", mine)
        assert not await raw.passes("update consent set case_id = $2 where id = $1", mine, named("sealed"))
        assert not await raw.passes("update consent set case_id = $2 where id = $1", given, named("plain"))
        assert not await raw.passes("update consent set case_id = $2 where id = $1", given, named("sealed"))
        for column in ("decision", "categories", "recorded_by", "organisation", "valid_until", "evidence"):
            assert not await raw.passes(f"update consent set {column} = {column} where id = $1", mine)  # noqa: S608 our own names
