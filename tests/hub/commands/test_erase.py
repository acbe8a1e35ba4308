"""Erasing a case: everything of the person goes, at once and for everybody, and what remains tells nobody that it was there."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from hub.audit.head import HeadKeys
from hub.audit.sequence import Sequencer
from hub.audit.verify import verify
from hub.postgres import open_pool
from tests.hub.commands.kit import (
    case_id,
    city_office,
    consent,
    consent_id,
    counts,
    done,
    found,
    operation,
    reference,
    referral_id,
)
from tests.hub.commands.whole_case import KEPT, erase, erasing, left_of, whole_case
from tests.world import EVERY_SCOPE, KEYRING, World

READS = {
    "node": "query ($id: ID!) { node(id: $id) { id __typename } }",
    "nodes": "query ($id: ID!) { nodes(ids: [$id]) { id } }",
    "case": "query ($id: ID!) { case(by: {id: $id}) { id reference status } }",
    "reference": "query ($reference: String!) { case(by: {reference: $reference}) { id } }",
    "referral": "query ($referral: ID!) { referral(by: {id: $referral}) { id case { id } } }",
    "record": "query ($record: ID!) { node(id: $record) { id } }",
    "consent": "query ($consent: ID!) { node(id: $consent) { id } }",
    "entity": 'query ($id: ID!) { _entities(representations: [{__typename: "Case", id: $id}]) { __typename } }',
}  # fmt: skip


async def names(world: World, organisation: str, case: Any, referral: Any, made: Any, record: Any) -> dict[str, str]:
    """Say how an organisation would name these."""
    return {
        "id": await case_id(world, case, organisation),
        "reference": await reference(world, case, organisation),
        "referral": await referral_id(world, referral, organisation),
        "consent": await consent_id(world, case, made, organisation),
        "record": f"record_{record}",
    }


def changes(named: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Give an input of every command that can name a case or what belongs to one."""
    case = {"case": named["id"], "reason": "r"}
    partner = {"organisation": "organisation_arts-haven"}
    return {
        "openCase": {"referral": named["referral"], "feedRecord": named["record"], "riskLevel": "LOW"},
        "shareCase": {**case, **partner, "categories": ["OVERVIEW"]},
        "holdCase": {**case, **partner, "held": True},
        "linkRecords": {**case, "records": [named["record"]]},
        "recordConsent": {"referral": named["referral"], "consent": consent()},
        "withdrawConsent": {"consent": named["consent"]},
        "setLegalHold": {**case, "held": True},
        "eraseCase": {**case, "confirmReference": named["reference"]},
    }


async def answers(world: World, client: str, named: dict[str, str]) -> dict[str, tuple[int, bytes]]:
    """Ask and change everything by these names: the bytes of every answer."""
    heard = {}
    for name, query in READS.items():
        answer = await world.send(client, query, {word: text for word, text in named.items() if f"${word}:" in query})
        heard[name] = answer.status, answer.body
    for name, given in changes(named).items():
        answer = await world.send(client, operation(name), {"input": {"idempotencyKey": str(uuid4()), **given}})
        heard[name] = answer.status, answer.body
    return heard


async def test_nothing_of_the_person_is_left_but_in_the_log(world: World) -> None:
    """No id, name, key, digest, secret or document of it stands in any row of any table, and another case is as it was."""
    whole, other = await whole_case(world), await world.case(documents={})
    before = await left_of(world, whole)

    assert await erase(world, whole)

    assert {what for _, what in before} == set(whole.traces)
    assert await left_of(world, whole) == set()
    assert [row["id"] for row in await world.admin.fetch("select id from case_file")] == [other]
    assert await world.admin.fetchval("select count(*) from case_key") == 1


async def test_of_a_case_made_of_two_nothing_is_left_either(world: World) -> None:
    """By the names and keys of both, and by what replays of its life's steps would answer: shown to a city, answered, offered a stay."""
    kept, former = await whole_case(world), await whole_case(world, "n2")
    await world.admin.execute("delete from legal_hold; update case_file set status = 'CANDIDATE'")
    ours, city, office = await case_id(world, kept.case), await city_office(world), "bergen"
    await done(
        world, "desk", "mergeCases", {"keep": ours, "merge": await case_id(world, former.case), "reason": "Hazelreason"}
    )
    shown = {"cities": [city], "categories": ["OVERVIEW"], "until": "2026-07-01T00:00:00Z"}
    await done(world, "desk", "presentCase", {"case": ours, **shown})
    await world.consent(kept.case)
    presentation = await world.admin.fetchval(
        "select id from presentation where organisation = $1", world.organisations[f"{office}-office"]
    )
    await world.admin.execute("update consent set decision = 'ALLOW', withdrawn_at = null, silent_on = '{}'")
    await done(
        world, office, "answerPresentation", {"presentation": f"presentation_{presentation}", "answer": "INVITE"}
    )
    stay = await done(world, "desk", "offerResidency", {"case": ours, "city": city, "startsOn": "2026-08-01"})
    await done(world, "desk", "updateResidency", {"residency": stay["id"], "status": "ACCEPTED"})
    made = {"presentation of a city": presentation, "stay": await world.admin.fetchval("select id from residency where status = 'ACCEPTED'")}  # fmt: skip
    traces = {f"{what} of the former": trace for what, trace in former.traces.items()}
    whole = replace(kept, traces={**kept.traces, **traces, **{what: str(each) for what, each in made.items()}})
    assert {table for table, _ in await left_of(world, whole)} >= {
        "merged_case",
        "case_alias",
        "case_decision",
        "outcome",
        "presentation",
    }

    assert await erase(world, whole)
    assert await left_of(world, whole) == set()


@pytest.mark.parametrize("client", ["desk", "pen", "arts"])
async def test_an_erased_case_is_to_everybody_as_one_that_never_was(world: World, client: str) -> None:
    """Byte for byte, whatever is asked or tried by its names, and in every list."""
    listed = "{ cases { totalCount edges { node { id } } } referrals { totalCount } auditEvents { totalCount } }"
    organisation = {"desk": "icorn", "pen": "pen-centre", "arts": "arts-haven"}[client]
    whole = await whole_case(world)
    known = await names(world, organisation, whole.case, whole.referral, whole.consent, whole.record)
    seen = await answers(world, client, {**known, "reference": "C-0"}) if client != "desk" else {}
    assert await erase(world, whole)
    never = await names(world, organisation, uuid4(), uuid4(), uuid4(), uuid4())

    told = await answers(world, client, known)

    assert told == await answers(world, client, never)
    assert client != "pen" or seen["case"] != told["case"]
    assert (await world.data(client, listed))["cases"] == {"totalCount": 0, "edges": []}
    assert (await world.data(client, listed))["referrals"] == {"totalCount": 0}


async def test_the_log_stays_whole_and_is_nobodys(world: World) -> None:
    """Every leaf is as it was; the erasure stands in it under the name that was the case's, which leads nowhere any more."""
    whole = await whole_case(world)
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        keys = HeadKeys(pool, KEYRING)
        sequencer = Sequencer(pool, keys)
        await sequencer.run()
        before = await world.admin.fetch("select * from audit_leaf order by organisation, leaf_index")
        name = await world.admin.fetchval("select pseudonym from case_access where case_id = $1 and organisation = $2", whole.case, world.organisations["icorn"])  # fmt: skip
        assert await erase(world, whole)
        await sequencer.run()
        verdicts = await verify(await world.database.connect("hub_worker"), None, await keys.all(), [])
    after = await world.admin.fetch("select * from audit_leaf order by organisation, leaf_index")
    entries = [json.loads(row["entry"]) for row in after]

    assert [verdict.fault for verdict in verdicts] == [None] * len(verdicts)
    assert [row for row in before if row not in after] == []
    (erasure,) = [entry for entry in entries if "eraseCase" in json.dumps(entry)]
    assert str(name) in json.dumps(erasure)
    assert await world.admin.fetchval("select count(*) from audit_pseudonym") == 0
    told = await world.data("desk", "{ auditEvents { edges { node { action case { id } } } } }")
    assert {str(edge["node"]["case"]) for edge in told["auditEvents"]["edges"]} == {"None"}
    for table in KEPT:
        text = await world.admin.fetchval(f"select string_agg(t::text, ' ') from {table} t")  # noqa: S608 a table's name
        assert not [what for what, trace in whole.traces.items() if trace in text]


async def test_a_replay_hears_that_it_was_erased_and_no_other_replay_hears_anything(world: World) -> None:
    """The erasure's own outcome is kept; a command about the case, sent again, is a new one about nothing."""
    whole = await whole_case(world)
    held = {"idempotencyKey": "h", "case": await case_id(world, whole.case), "organisation": "organisation_pen-centre", "held": True, "reason": "r"}  # fmt: skip
    given = {"idempotencyKey": "k", **await erasing(world, whole)}
    await world.data("desk", operation("holdCase"), {"input": held})
    said = [await world.data("desk", operation("eraseCase"), {"input": given}) for _ in range(3)]
    again = await world.data("desk", operation("holdCase"), {"input": held})

    assert said == [{"eraseCase": {"erased": True, "problems": []}}] * 3
    assert [p["code"] for p in again["holdCase"]["problems"]] == ["NOT_FOUND"]
    reused = await world.data("desk", operation("eraseCase"), {"input": {**given, "reason": "another"}})
    assert (reused["eraseCase"]["erased"], reused["eraseCase"]["problems"][0]["code"]) == (False, "IDEMPOTENCY_KEY_REUSED")  # fmt: skip


async def test_the_reference_is_asked_for_and_may_be_typed_by_hand(world: World) -> None:
    """Another case's, or none, erases nothing; blanks and small letters do not matter."""
    whole, other = await whole_case(world), await world.case()
    partners = await reference(world, whole.case, "pen-centre")
    for wrong in (await reference(world, other), partners, "", "C-"):
        given = await erasing(world, whole, confirmReference=wrong)
        assert await found(world, "desk", "eraseCase", given) == [("NOT_CONFIRMED", "input.confirmReference")]
    blank = await erasing(world, whole, reason=" ", confirmReference="?")
    assert await found(world, "desk", "eraseCase", blank) == [("REQUIRED", "input.reason"), ("NOT_CONFIRMED", "input.confirmReference")]  # fmt: skip
    nothing = {**blank, "case": "case_x", "reason": "r"}
    assert await found(world, "desk", "eraseCase", nothing) == [("NOT_FOUND", "input.case")]

    typed = f" {(await reference(world, whole.case)).lower()}\n"
    assert await erase(world, whole, confirmReference=typed)


@pytest.mark.parametrize("name", ["eraseCase", "setLegalHold"])
async def test_a_partner_with_every_scope_is_told_no_and_the_same_of_any_id(world: World, name: str) -> None:
    """It may see the case and know its own name for it: the answer is the one it has for nothing at all."""
    whole = await whole_case(world)
    theirs = changes(await names(world, "pen-centre", whole.case, whole.referral, whole.consent, whole.record))[name]
    ours = changes(await names(world, "icorn", whole.case, whole.referral, whole.consent, whole.record))[name]
    none = changes(await names(world, "icorn", uuid4(), uuid4(), uuid4(), uuid4()))[name]
    before = await counts(world)
    bodies = {(await world.send("pen", operation(name), {"input": {"idempotencyKey": str(uuid4()), **given}})).body for given in (theirs, ours, none)}  # fmt: skip

    assert len(bodies) == 1
    assert b'"NOT_ALLOWED"' in bodies.pop()
    assert await counts(world) == before


@pytest.mark.parametrize("name", ["eraseCase", "setLegalHold"])
async def test_without_the_scope_nobody_erases_or_holds(world: World, name: str) -> None:
    """Not even ICORN's desk that may do everything else; and a hold it does not see."""
    whole = await whole_case(world)
    await world.client("writer", "icorn", [scope for scope in EVERY_SCOPE if scope != "cases:erase"])
    given = changes(await names(world, "icorn", whole.case, whole.referral, whole.consent, whole.record))[name]
    before = await counts(world)
    answer = await world.ask("writer", operation(name).replace("legalHold { held proposed since }", ""), {"input": {"idempotencyKey": "k", **given}})  # fmt: skip

    assert answer["data"] == {name: None}
    assert answer["errors"][0]["extensions"]["requiredScopes"] == [["cases:erase"]]
    assert await counts(world) == before


@pytest.mark.parametrize("table", ["feed_record", "referral", "case_file", "erasure", "audit"])
async def test_an_erasure_that_fails_midway_erases_nothing(world: World, table: str) -> None:
    """Whole or not at all, wherever it stops; sent again, it is done."""
    whole = await whole_case(world)
    given = {"input": {"idempotencyKey": "k", **await erasing(world, whole)}}
    before, traces = await counts(world), await left_of(world, whole)
    event = "insert" if table in ("erasure", "audit") else "delete"
    await world.database.admin(
        "create or replace function hub.fails() returns trigger language plpgsql as $$ begin raise exception 'Farahani broke it'; end $$;"
        f"create trigger fails before {event} on hub.{table} for each statement execute function hub.fails()"
    )
    failed = await world.send("desk", operation("eraseCase"), given)

    assert (failed.status, b"Farahani" in failed.body) == (500, False)
    assert await counts(world) == before
    assert await left_of(world, whole) == traces
    await world.database.admin(f"drop trigger fails on hub.{table}")
    assert (await world.data("desk", operation("eraseCase"), given))["eraseCase"]["erased"] is True
    assert await left_of(world, whole) == set()
