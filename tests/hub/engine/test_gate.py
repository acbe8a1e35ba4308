"""One statement reads everything behind the gate: it is one, whatever the depth, and a shut gate reads nothing."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.client import proof
from hub.postgres import INDEX_DRIVEN
from tests.world import ISSUER, World

DEEP = """{ viewer { clientId } cities(first: 3) { edges { node { code } } }
  cases(first: 5) { totalCount edges { cursor node { id withheld identity { familyName } residencies { city { name } }
    consents { id } disclosure { category missing }
    referrals(first: 5) { edges { node { id person { identity { givenName } } case { id referrals(first: 1) { edges { node { id } } } } } } } } } } }"""
FEEDS = "{ cases { edges { node { feedRecords { state records { id } } } } } feedRecords { feed { code } } }"
COMBINED = "{ cases { edges { node { reference identity { familyName } referrals { edges { node { from { name } } } } residencies { status } } } } }"
SWITCHES = (
    "nestloop",
    "hashjoin",
    "mergejoin",
    "indexscan",
    "indexonlyscan",
    "seqscan",
    "bitmapscan",
    "material",
    "memoize",
    "sort",
)


@pytest.fixture
async def peopled(world: World) -> World:
    """A case that the PEN Centre referred and may see, and one that it may not."""
    seen = await world.case()
    await world.consent(seen)
    await world.agreement("pen-centre")
    await world.referral("pen-centre", case=seen)
    await world.case(origin="BY")
    return world


def counted(world: World) -> list[str]:
    """Note every statement that the role of requests runs from now on, but for what a pool does to a returned connection."""
    seen: list[str] = []
    for holder in world.app.state.pools.app._holders:  # noqa: SLF001 asyncpg offers no way to log a whole pool
        if holder._con is not None:  # noqa: SLF001 as above
            holder._con.add_query_logger(lambda record: seen.append(record.query))  # noqa: SLF001 as above
    return seen


def own(statements: list[str]) -> list[str]:
    """Leave out the pool's own reset."""
    return [text for text in statements if "RESET" not in text]


@pytest.mark.parametrize("query", [DEEP, COMBINED, "{ __typename }", "{ viewer { scopes } }"])
async def test_own_data_of_any_depth_is_one_statement(peopled: World, query: str) -> None:
    """However deep and however many roots: one statement, gate and audit record included."""
    await peopled.data("pen", query)
    statements = counted(peopled)

    await peopled.data("pen", query)

    assert len(own(statements)) == 1


async def test_feeds_are_one_statement_more(peopled: World) -> None:
    """All fields that ask what feeds say share one further statement."""
    await peopled.data("desk", FEEDS)
    statements = counted(peopled)

    await peopled.data("desk", FEEDS)

    assert len(own(statements)) == 2


async def test_what_a_scope_denies_is_not_in_the_statement(peopled: World) -> None:
    """A token without cases:identity never makes Postgres look at a name."""
    await peopled.client("overview", "pen-centre", ["cases:read"])
    await peopled.ask("overview", COMBINED)
    statements = counted(peopled)

    answer = await peopled.ask("overview", COMBINED)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"] * 3
    assert not any(
        word in text for text in own(statements) for word in ("case_identity", "from residency", "referral_access")
    )


@pytest.mark.parametrize("switch", SWITCHES)
async def test_no_plan_reads_before_the_gate_or_beyond_it(peopled: World, switch: str) -> None:
    """Whatever way the planner goes, the answer is the same, and afterwards the connection is nobody's."""
    expected = await peopled.data("pen", DEEP)
    turned = "on" if f"enable_{switch}" in INDEX_DRIVEN else "off"
    pool = peopled.app.state.pools.app
    pool._connect_kwargs["server_settings"][f"enable_{switch}"] = turned  # noqa: SLF001 asyncpg would have all of them again
    await pool.expire_connections()

    assert await peopled.data("pen", DEEP) == expected
    async with pool.acquire() as connection:
        assert await connection.fetchval("select current_setting($1)", f"enable_{switch}") == turned
        assert await connection.fetchval("select count(*) from case_access") == 0


@pytest.mark.parametrize("query", [DEEP, FEEDS])
async def test_an_answer_leaves_nothing_on_its_connection(peopled: World, query: str) -> None:
    """No session setting and no lock: which is why nothing is sent to undo any."""
    left = "select jsonb_object_agg(name, setting order by name)::text from pg_settings"
    locks = "select count(*) from pg_locks where locktype = 'advisory'"
    pool = peopled.app.state.pools.app
    before = await pool.fetchval(left)
    await peopled.data("pen", query)

    holders = [holder._con for holder in pool._holders if holder._con is not None]  # noqa: SLF001 as they were given back
    assert {await connection.fetchval(left) for connection in holders} == {before}
    assert {await connection.fetchval(locks) for connection in holders} == {0}
    for name in ("organisation", "client", "user", "scopes", "proof"):
        found = {await c.fetchval("select coalesce(current_setting($1, true), '')", f"hub.{name}") for c in holders}
        assert found == {""}


async def audited(world: World) -> int:
    """Count the audit records."""
    count: int = await world.admin.fetchval("select count(*) from audit")
    return count


async def test_a_replayed_proof_reads_nothing(peopled: World) -> None:
    """The very same request sent twice is answered once; the second leaves no record, for nothing was read."""
    client = peopled.clients["pen"]
    token = (await client.token()).value
    url = f"{ISSUER}/graphql"
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": proof(client._proof_key, url, peopled.now, access_token=token),  # noqa: SLF001 the token is bound to it
        "Content-Type": "application/json",
    }
    body = json.dumps({"query": COMBINED})
    first = await peopled.http.post(url, headers=headers, content=body)
    records = await audited(peopled)

    second = await peopled.http.post(url, headers=headers, content=body)

    assert (first.status_code, second.status_code) == (200, 401)
    assert 'error="invalid_dpop_proof"' in second.headers["www-authenticate"]
    assert "data" not in second.json()
    assert await audited(peopled) == records


@pytest.mark.parametrize(
    "end",
    [
        "update client set status = 'DISABLED' where client_id = 'pen'",
        "update organisation set suspended_at = hub_now() where code = 'pen-centre'",
        "insert into revoked_token (token_id, until) select $1, hub_now() + interval '1 hour'",
        "delete from client where client_id = 'pen'",
    ],
)
async def test_who_is_ended_reads_nothing_with_the_very_next_statement(peopled: World, end: str) -> None:
    """A token that was good a moment ago is refused once its client, organisation or it itself has ended; so are mutations."""
    await peopled.data("pen", COMBINED)
    token = peopled.clients["pen"]._token  # noqa: SLF001 to revoke this very one
    assert token is not None
    payload = json.loads(urlsafe_b64decode(token.value.split(".")[1] + "=="))
    await peopled.admin.execute(end, *([payload["jti"]] if "$1" in end else []))
    records = await audited(peopled)

    for operation in (
        COMBINED,
        'mutation { withdrawConsent(input: {idempotencyKey: "k", consent: "consent_x"}) { problems { code } } }',
    ):
        answer = await peopled.send("pen", operation)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert b'"data"' not in answer.body
    assert await audited(peopled) == records


async def test_no_audit_record_no_answer(peopled: World) -> None:
    """Where the record cannot be written, nothing is told."""
    await peopled.admin.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin return null; end $$"
    )
    await peopled.admin.execute("create trigger refuse before insert on audit for each row execute function refuse()")

    answer = await peopled.ask("pen", COMBINED)

    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "data" not in answer


async def test_the_record_names_people_from_every_depth(peopled: World) -> None:
    """A case reached through a referral is in the audit record like one asked for by name, by its pseudonym."""
    await peopled.data("pen", "{ referrals { edges { node { case { id } } } } }")

    row: Any = await peopled.admin.fetchrow("select * from audit order by id desc limit 1")

    pseudonym = await peopled.admin.fetchval(
        "select a.pseudonym from case_access a join case_file f on f.id = a.case_id where f.origin = 'IR' and a.organisation = $1",
        peopled.organisations["pen-centre"],
    )
    assert pseudonym in {seen["subject"] for seen in row["subjects"]}
    assert (row["client"], row["action"], row["purpose"]) == ("pen", "query referrals", "PROTECTION")


async def test_reading_cases_without_a_purpose_is_refused(peopled: World) -> None:
    """Why one asks must be said, by the client's default or with the request."""
    await peopled.client("silent", "pen-centre", purpose=None)

    refused = await peopled.ask("silent", COMBINED)

    assert refused["errors"][0]["extensions"]["code"] == "PURPOSE_REQUIRED"
    assert "errors" not in await peopled.ask("silent", COMBINED, purpose="REFERRAL")
    assert "errors" not in await peopled.ask("silent", "{ viewer { purpose } }")


async def test_wrong_pages_are_named_all_at_once(peopled: World) -> None:
    """Every argument that cannot be is named with what it should be, and nothing is read."""
    answer = await peopled.ask(
        "pen",
        '{ cases(first: 501, last: -1) { totalCount } cities(first: -2) { totalCount } referrals(after: "x") { totalCount } }',
    )

    told = " ".join(error["message"] for error in answer["errors"])
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}
    for name in (
        "at most 500 at once; this one asks for 501",
        '"last" of Query.cases',
        '"first" of Query.cities',
        '"after" of Query.referrals',
    ):
        assert name in told


async def test_a_cursor_is_good_for_its_asker_and_its_list_alone(peopled: World) -> None:
    """Another partner, another filter or another list gets the same refusal as a cursor that was made up."""
    cursor = (await peopled.data("desk", "{ cases(first: 1) { pageInfo { endCursor } } }"))["cases"]["pageInfo"][
        "endCursor"
    ]
    ask = "query ($after: String) { %s { totalCount } }"

    assert "errors" not in await peopled.ask("desk", ask % "cases(after: $after)", {"after": cursor})
    for client, field in (
        ("pen", "cases(after: $after)"),
        ("desk", 'cases(after: $after, filter: {origin: ["IR"]})'),
        ("desk", "cases(after: $after, orderBy: [{field: RISK_LEVEL, direction: ASC}])"),
        ("desk", "referrals(after: $after)"),
    ):
        answer = await peopled.ask(client, ask % field, {"after": cursor})
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_token_past_its_time_is_refused(peopled: World) -> None:
    """Ten minutes, and no longer."""
    client = peopled.clients["pen"]
    await peopled.data("pen", "{ __typename }")
    token = client._token  # noqa: SLF001 to keep using it
    await peopled.set_now(datetime.fromtimestamp(peopled.now, UTC) + timedelta(minutes=11))
    assert token is not None
    client._token = type(token)(token.value, token.scopes, peopled.now + 600)  # noqa: SLF001 as above

    assert (await peopled.send("pen", "{ __typename }")).status == 401


WITNESS = """
create table public.witness (at_commit text);
create function public.attest() returns trigger language plpgsql security definer as
    $$ begin insert into public.witness values (current_setting('synchronous_commit')); return null; end $$;
create constraint trigger attest after insert on hub.outcome deferrable initially deferred
    for each row execute function public.attest();
"""
SUBMIT = """mutation { submitReferral(input: {idempotencyKey: "one", discipline: WRITER, urgency: URGENT, reason: "Asked",
  person: {identity: {familyName: "Petrova"}}, consents: [{decision: ALLOW, recipients: {everyPartner: true},
  categories: [OVERVIEW, IDENTITY], givenOn: "2026-05-01", evidence: "Form"}]}) { __typename } }"""


async def test_a_change_is_on_the_disk_before_it_is_answered(peopled: World) -> None:
    """At its commit a mutation waits for the disk: what was confirmed is not lost with the power."""
    await peopled.admin.execute(WITNESS)

    await peopled.data("pen", SUBMIT)

    assert [row["at_commit"] for row in await peopled.admin.fetch("select * from public.witness")] == ["on"]
