"""Whatever a partner's admin names that is another organisation's is not there: every mutation, every id in its input, by the printed schema.

A mutation joins by itself: its inputs are those of tests/interference/commands.py, and an id for which there is nothing of another's
here, or no input, fails the test.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_named_type

from auth.scopes import ICORNS, NAMES
from hub.embedded import Server
from schema.persons import PERSONAL
from tests.conftest import NUMBERS, new_database
from tests.hub.commands.kit import case_id, consent_id, feed_record, referral_id
from tests.hub.person import person
from tests.hub.test_ceiling import restored
from tests.interference.commands import COMMANDS, command
from tests.interference.recipes import outcome
from tests.interference.writing import printed
from tests.world import World, build

PARTNERS: Final = {"SubmitReferralInput.to", "RecipientsInput.organisations"}
"""Where another organisation is meant to be named: to whom a person is referred, and whom they allow something."""
PUBLIC: Final = {"city"}
"""What is nobody's: an id of these is everyone's to name."""
PLAIN: Final = {"reference": '"R-1"', "caseReference": '"C-0000-0000-0000-0000"', "category": "HEALTH"}
LEAVINGS: Final = (
    "hub.outcome",
    "hub.audit",
    "hub.seen_proof",
    "hub.budget",
    "hub.client",
    "auth.assertion_jti",
    "auth.token_proof",
)
"""What a request leaves behind whatever comes of it; of clients, that they were there."""
NOT_THERE: Final = {"NOT_FOUND", "NOT_ALLOWED"}
CEILING: Final = NAMES - ICORNS - {f"cases:{category.lower()}" for category in PERSONAL} | {"cases:profile"}
"""What a token of the partner has, by its agreement."""


def inputs(kind: Any, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, str, Any]]:
    """Give every field of an input, and of the inputs within it: (input, field, its type's name)."""
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        yield kind.name, name, below.name
        if isinstance(below, GraphQLInputObjectType) and below.name not in seen:
            yield from inputs(below, seen | {below.name})


def mutations() -> dict[str, Any]:
    """Give every mutation that is printed."""
    mutation = printed().mutation_type
    assert mutation is not None
    return dict(mutation.fields)


def named(mutation: str, wanted: str) -> list[tuple[str, str]]:
    """Give each place of a mutation's input whose type is this: (input.field, field)."""
    kind = get_named_type(mutations()[mutation].args["input"].type)
    return [(f"{owner}.{field}", field) for owner, field, below in inputs(kind) if below == wanted]


def places() -> list[tuple[str, str, str]]:
    """Give every id that can be named in a mutation: (mutation, input.field, field)."""
    return [
        (mutation, place, field)
        for mutation in mutations()
        for place, field in named(mutation, "ID")
        if place not in PARTNERS
    ]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(server: Server, template: str) -> AsyncIterator[World]:
    """Give a partner's admin, in person and by a machine, what is its own; and another organisation what is not."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, build(database) as made:
        for code, kind in (("icorn", "ICORN"), ("pen-centre", "SISTER"), ("arts-haven", "SISTER")):
            await made.organisation(code, kind)
            # Each is the office of a city.
            await made.admin.execute(
                "update organisation set city = $2 where code = $1", code, await made.city(f"{code}-city")
            )
        await restored(made)
        await made.agreement("pen-centre", ["OVERVIEW", "PROFILE"], origins="{XX}")
        await made.client("pen", "pen-centre")
        await made.client("arts", "arts-haven")
        await made.client("own", "pen-centre", ["cases:read"])
        await made.client("theirs", "arts-haven", ["cases:read"])
        for code in ("pen-centre", "arts-haven"):
            for name, role, scopes in (
                ("admin", "ADMIN", NAMES),
                ("keeper", "ADMIN", CEILING),
                ("staff", "STAFF", {"cases:read"}),
            ):
                client = "pen" if code == "pen-centre" else "arts"
                made.clients[f"{code} {name}"] = await person(made, name, client, code, sorted(scopes), role=role)
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ids(world: World) -> dict[str, dict[str, list[str]]]:
    """Give one of everything to each: by the words of commands, the names under which it could be asked for."""
    found: dict[str, dict[str, list[str]]] = {}
    for code in ("pen-centre", "arts-haven"):
        number = world.organisations[code]
        case, referral = await world.case(), await world.referral(code)
        await world.insert("share", id=uuid4(), case_id=case, organisation=number, categories=["OVERVIEW", "WHEREABOUTS"], starts="2026-05-01T00:00:00Z")  # fmt: skip
        agreed, retraction = await world.consent(case, code, recorded_by=number), uuid4()
        await world.consent(case, code, ["OVERVIEW", "WHEREABOUTS"])
        shown, stay = uuid4(), uuid4()
        city = await world.admin.fetchval("select city from organisation where id = $1", number)
        await world.insert("presentation", id=shown, case_id=case, organisation=number, categories=["OVERVIEW"], status="OPEN", presented_at="2026-05-01T00:00:00Z", until="2026-07-01T00:00:00Z")  # fmt: skip
        await world.insert("residency", id=stay, case_id=case, city=city, status="OFFERED")
        await world.insert("retraction", id=retraction, organisation=number, kind="case", subject=uuid4(), categories=["OVERVIEW"], at="2026-05-01T00:00:00Z")  # fmt: skip
        user = await world.admin.fetchval(
            "select id from usr where organisation = $1 and 'PARTNER_STAFF' = any (roles)", number
        )
        proposed, webhook = uuid4(), uuid4()
        await world.agreement(code, id=proposed, approved_at=None)
        await world.insert("webhook", id=webhook, organisation=number, url="https://a.example/", events=[], purpose="AUDIT", created_at="2026-05-01T00:00:00Z")  # fmt: skip
        record = await feed_record(world, code, code)
        feed = await world.admin.fetchval("select f.code from feed f join feed_record r on r.feed = f.id where r.id = $1", record)  # fmt: skip
        everyone = [code, *{"pen-centre", "arts-haven", "icorn"} - {code}]  # its own name first
        found[code] = {
            "case": [await case_id(world, case, each) for each in everyone] + [f"case_{case}"],
            "referral": [await referral_id(world, referral, each) for each in everyone] + [f"referral_{referral}"],
            "consent": [await consent_id(world, case, agreed, each) for each in everyone],
            "presentation": [f"presentation_{shown}"],
            "residency": [(await consent_id(world, case, stay, each)).replace("consent", "residency") for each in everyone],
            "record": [f"record_{record}"],
            "feed": [f"feed_{feed}"],
            "agreement": [f"agreement_{proposed}"],
            "webhook": [f"webhook_{webhook}"],
            "retraction": [f"retraction_{retraction}"],
            "organisation": [f"organisation_{code}"],
            "client": ["client_own" if code == "pen-centre" else "client_theirs"],
            "user": [f"user_{user}"],
        }  # fmt: skip
    return found


async def everything(world: World) -> str:
    """Give a digest of all rows of all tables."""
    tables = await world.admin.fetch(
        "select relnamespace::regnamespace || '.' || relname as name from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('hub', 'auth')"
    )
    names = sorted({row["name"] for row in tables} - set(LEAVINGS))
    rows = [f"select '{name}' as noun, t::text as row from {name} t" for name in names]  # noqa: S608 tables' names
    rows.append("select 'hub.client', (to_jsonb(c) - 'last_used_at')::text from hub.client c")
    digest = f"select md5(string_agg(noun || row, '|' order by noun, row)) from ({' union all '.join(rows)}) r"  # noqa: S608 as above
    found: str = await world.admin.fetchval(digest)
    return found


async def run(
    world: World, who: str, mutation: str, template: str, words: dict[str, str]
) -> tuple[dict[str, Any], Any]:
    """Run a command; give its payload's problems by path, and the payload."""
    given = command(template, uuid4().hex, lambda word: words[word])
    payload = get_named_type(mutations()[mutation].type)
    told = await world.ask(who, f"mutation {{ it: {mutation}(input: {given}) {{ {outcome(payload)} }} }}")
    assert {error["extensions"]["code"] for error in told.get("errors", ())} <= {"UNAUTHORIZED_FIELD_OR_TYPE"}, told
    made = told["data"]["it"]
    return {each["path"][-1]: each["code"] for each in (made or {}).get("problems", ())}, made


def first(of: dict[str, list[str]]) -> dict[str, str]:
    """Give what stands for each word where nothing is tried: of one's own, the first name."""
    return (
        PLAIN
        | {"city": '"city_pen-centre-city"', "own": f'"{of["organisation"][0]}"'}
        | {word: f'"{names[0]}"' for word, names in of.items()}
    )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("mutation", "place", "field"), places(), ids=[f"{m}, {p}" for m, p, _ in places()])
async def test_what_is_anothers_is_not_there_to_be_changed(
    world: World, ids: dict[str, dict[str, list[str]]], mutation: str, place: str, field: str
) -> None:
    """Not for an admin who signed in just now, nor for a machine with every scope; and its owner finds it by the same words."""
    template = next((each for each in COMMANDS[mutation] if re.search(rf"\b{field}: \[?\$\w+", each)), None)
    assert template, f"commands.py has no input of {mutation} that gives {place}"
    found = re.search(rf"\b{field}: \[?\$(\w+)", template)
    word = {"own": "organisation"}.get(found[1], found[1]) if found else ""
    if word in PUBLIC:
        return
    pen, arts = first(ids["pen-centre"]), first(ids["arts-haven"])
    assert word in ids["arts-haven"], f"there is nothing of another organisation here that ${word} could stand for"
    for who in ("pen-centre admin", "pen"):
        await world.send(who, "{ viewer { clientId } }")
        before = await everything(world)
        for name in ids["arts-haven"][word]:
            foreign = pen | {word: f'"{name}"'} | ({"own": f'"{name}"'} if word == "organisation" else {})
            problems, made = await run(world, who, mutation, template, foreign)
            # A machine's token is within the ceiling: it lacks what is ICORN's own.
            assert made is not None or who == "pen", name
            assert made is None or set(problems.values()) & NOT_THERE, (name, made)
            assert made is None or not any(value for key, value in made.items() if key != "problems"), (name, made)
        assert await everything(world) == before, who
    problems, _ = await run(world, "arts-haven admin", mutation, template, arts)
    assert problems.get(field) != "NOT_FOUND"


def test_every_mutation_is_tried_with_every_id() -> None:
    """There is none without an input to try, and each id has a place in one: else the test above would say nothing of it."""
    assert set(mutations()) == set(COMMANDS)
    assert {place.partition(".")[0] for _, place, _ in places()} >= {
        "UpdateClientInput",
        "UpdateUserInput",
        "InviteUserInput",
        "DisableUserInput",
    }
    assert all(isinstance(mutations()[mutation].args["input"].type, GraphQLNonNull) for mutation in mutations())


def widening() -> list[tuple[str, str]]:
    """Give every mutation whose input says scopes or roles."""
    return [
        (mutation, field)
        for mutation in mutations()
        for owner, field, _ in inputs(get_named_type(mutations()[mutation].args["input"].type))
        if field in ("scopes", "roles") and owner
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("mutation", "field"), widening())
async def test_nobody_is_given_more_than_the_admin_and_the_ceiling_have(
    world: World, ids: dict[str, dict[str, list[str]]], mutation: str, field: str
) -> None:
    """Each scope that the admin or the organisation lacks, and each role of ICORN's, by each mutation that gives any: nothing changes."""
    given = next((each for each in COMMANDS[mutation] if re.search(rf"\b{field}: \[", each)), None)
    assert given, f"commands.py has no input of {mutation} that gives {field}"
    values = (
        [f'"{scope}"' for scope in sorted(NAMES - CEILING)] if field == "scopes" else ["ICORN_STAFF", "ICORN_ADMIN"]
    )
    for who in ("pen-centre keeper", "pen"):
        await world.send(who, "{ viewer { clientId } }")
        before = await everything(world)
        for value in values:
            wider = re.sub(rf"\b{field}: \[[^\]]*\]", f"{field}: [{value}]", given).replace("$organisation", "$own")
            problems, made = await run(world, who, mutation, wider, first(ids["pen-centre"]))
            assert made is None or problems, (value, made)
        assert await everything(world) == before, who
