"""The channels beside the data are closed: length, caches, compression, what is said of the schema, and uniqueness across organisations."""

import gzip
import json
from typing import Any

import pytest

from tests.conftest import Database
from tests.hub.test_http import post
from tests.world import ISSUER, World

CASES = '{"query": "{ cases { totalCount edges { node { id identity { familyName } } } } }"}'
ABSENT = "case_00000000-0000-0000-0000-000000000000"
DENY = (
    'decision: DENY, recipients: {everyPartner: true}, categories: [PROFILE], givenOn: "2026-05-01", evidence: "Call"'
)
RECORD = f'mutation {{ recordConsent(input: {{idempotencyKey: "k", case: "{ABSENT}", consent: {{{DENY}}}}}) {{ problems {{ code }} }} }}'
SHAPES: dict[str, tuple[str, str, int]] = {
    "cases": ("desk", CASES, 200),
    "a case that is not there": ("pen", json.dumps({"query": f'{{ case(by: {{id: "{ABSENT}"}}) {{ id }} }}'}), 200),
    "a change with problems": ("pen", json.dumps({"query": RECORD}), 200),
    "a scope that is missing": ("narrow", CASES, 200),
    "no purpose": ("aimless", CASES, 400),
    "what is no query": ("pen", '{"query": "{ cases "}', 400),
    "what fits no type": ("pen", '{"query": "{ cases(first: []) { totalCount } }"}', 400),
    "what costs too much": ("poor", '{"query": "{ cases(first: 500) { edges { node { id } } } }"}', 400),
    "a budget that is used up": ("spent", '{"query": "{ cases(first: 500) { edges { node { id } } } }"}', 429),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_whatever_is_answered_fills_kilobytes_and_is_kept_by_nobody(world: World, shape: str) -> None:
    """Lists, single cases, changes and refusals alike: the length is a multiple of 1,024 bytes, and no cache keeps it."""
    await world.case()
    await world.client("narrow", "pen-centre", ["feeds:read"])
    await world.client("aimless", "pen-centre", purpose=None)
    await world.client("poor", "pen-centre", limits={"cost": 200})
    await world.client("spent", "pen-centre", limits={"cost_per_minute": 200})
    client, body, status = SHAPES[shape]

    answer = await post(world, body, client=client)

    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert len(answer.content) % 1024 == 0
    assert len(answer.content) > 0


@pytest.mark.parametrize("path", ["/graphql", "/oauth/token", "/health/live", "/health/ready", "/elsewhere"])
async def test_nothing_is_kept_by_a_cache(world: World, path: str) -> None:
    """Not even a refusal, whatever the method."""
    for method in ("GET", "POST"):
        answer = await world.http.request(method, f"{ISSUER}{path}")

        assert answer.headers["cache-control"] == "no-store"


async def test_nothing_is_compressed(world: World) -> None:
    """How well an answer packs would tell what is in it beside what was sent (BREACH)."""
    await world.case()
    answer = await post(world, CASES, {"Accept-Encoding": "gzip, deflate, br, zstd"}, "desk")

    assert "content-encoding" not in answer.headers
    assert len(gzip.compress(answer.content)) < len(answer.content) == int(answer.headers["content-length"])


@pytest.mark.parametrize(
    "query",
    ["{ __schema { types { name } } }", '{ __type(name: "Case") { name } }', "{ _service { sdl } }", "{ __typename }"],
)
async def test_the_schema_is_told_to_those_who_show_a_token(world: World, query: str) -> None:
    """Without one there is no answer, by whatever method; with one it is told whole, whatever the scopes."""
    await world.client("narrow", "pen-centre", ["feeds:read"])
    body = json.dumps({"query": query})
    asked = [
        await world.http.post(f"{ISSUER}/graphql", content=body, headers={"Content-Type": "application/json"}),
        await world.http.get(f"{ISSUER}/graphql", params={"query": query}),
        await post(world, body, {"Authorization": ""}),
    ]
    narrow, wide = [(await post(world, body, client=client)).json() for client in ("narrow", "pen")]

    assert [answer.status_code for answer in asked] == [401, 401, 401]
    assert not [answer for answer in asked if "data" in answer.json()]
    assert narrow == wide
    assert "errors" not in narrow


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ case { id } }", None),
        ("{ casess { totalCount } }", None),
        ("{ cases { totalCounts } }", None),
        ("{ cases(frist: 1) { totalCount } }", None),
        ("{ cases(filter: {statu: []}) { totalCount } }", None),
        ("{ cases(filter: {status: [CANDIDATES]}) { totalCount } }", None),
        ('{ node(id: "x") { ... on Cas { id } } }', None),
        ("query ($f: CaseFiltr) { cases(filter: $f) { totalCount } }", None),
        ("{ cases { totalCount @skipp(if: true) } }", None),
        ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"statu": []}}),
        ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"status": ["CANDIDATES"]}}),
    ],
)
async def test_nothing_is_suggested_for_what_is_nearly_right(world: World, query: str, variables: Any) -> None:
    """A name that nearly fits is refused like any other: nobody is led on, letter by letter."""
    answer = await post(world, json.dumps({"query": query, "variables": variables}))

    assert answer.status_code == 400
    assert "did you mean" not in answer.text.lower()


async def test_nothing_that_a_partner_names_is_unique_across_organisations(database: Database) -> None:
    """Whatever a unique key of a table that requests write holds of texts, it holds beside whose they are.

    All else in such keys is a name that the hub makes, a number within one of them, or a digest.
    """
    keys = await database.admin(
        """
        select c.relname, array_agg(a.attname::text) as columns,
            bool_or(a.atttypid in ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype) or a.atttypid = any (
                select t.oid from pg_type t where t.typtype = 'd')) as named
        from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
        where i.indisunique and has_any_column_privilege('hub_app', c.oid, 'insert') and c.relnamespace = $1::text::regnamespace
        group by c.relname, i.indexrelid""",
        "hub",
    )
    named = [(row["relname"], set(row["columns"])) for row in keys if row["named"]]

    assert ("referral", {"sender", "client", "usr", "client_reference"}) in named
    assert ("outcome", {"organisation", "client", "usr", "key"}) in named
    for table, columns in named:
        # A budget is a client's own row, of which row policies let nobody else write one. What ICORN alone names is
        # public (cities, organisations, feeds), and a client's id is the hub's to make.
        assert columns & {"organisation", "sender"} or table in ("budget", "city", "organisation", "feed", "client"), (
            table
        )


FAULT = "create function hub.fails() returns trigger language plpgsql as $$ begin raise exception 'Farahani'; end $$; create trigger fails before insert on hub.audit for each row execute function hub.fails()"


@pytest.mark.parametrize(
    "fault", [FAULT, "update hub.case_identity set sealed = '\\x00'"], ids=["in Postgres", "in a seal"]
)
async def test_a_fault_says_nothing_of_what_it_was(world: World, fault: str) -> None:
    """Whatever failed, and whatever its text held: one answer for all, the same to the byte."""
    await world.case()
    await world.admin.execute(fault)

    answer = await post(world, CASES, client="desk")

    said = (
        '{"errors":[{"message":"The hub failed; nothing was answered.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'
    )
    assert (answer.status_code, answer.text) == (500, said.ljust(1024))
