"""A retry changes nothing and is answered as the first time; keys are each asker's own."""

import asyncio
import json

import pytest

from schema.query import SCHEMA
from tests.hub.commands.kit import case_id, counts, operation, referral, run
from tests.hub.commands.once import EXAMPLES, example
from tests.world import EVERY_SCOPE, World

AT_ONCE = 50
PASSING = ("audit", "seen_proof", "budget")
"""What every request leaves behind, a replay too."""


async def everything(world: World) -> dict[str, int]:
    """Count the rows of every table, but for those that count requests."""
    tables = await world.admin.fetch("select relname from pg_class where relnamespace = 'hub'::regnamespace and relkind = 'r'")  # fmt: skip
    names = [row["relname"] for row in tables if row["relname"] not in PASSING]
    counted = " union all ".join(f"select '{name}' as name, count(*) from {name}" for name in names)  # noqa: S608 tables' names
    return {row["name"]: row["count"] for row in await world.admin.fetch(counted)}


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Give by how many rows each table has grown, where it has."""
    return {table: after[table] - n for table, n in before.items() if after[table] != n}


async def test_of_every_mutation_fifty_at_once_are_one(world: World) -> None:
    """The effect of one alone, and fifty answers that are the same to the byte; so is one that comes later, after all answers were lost."""
    assert set(EXAMPLES) == set(SCHEMA._schema.mutation_type.fields)  # type: ignore[union-attr] # noqa: SLF001 there is no other way to it
    for name in EXAMPLES:
        client, input_ = await example(world, name)
        before = await everything(world)
        assert (await run(world, client, name, input_))["problems"] == [], name
        alone = grown(before, await everything(world))

        client, input_ = await example(world, name)
        before = await everything(world)
        sent = (world.send(client, operation(name), {"input": input_}) for _ in range(AT_ONCE))
        answers = {(answer.status, answer.body) for answer in await asyncio.gather(*sent)}
        together = grown(before, await everything(world))
        later = await world.send(client, operation(name), {"input": input_})

        assert answers == {(later.status, later.body)}, name
        assert json.loads(later.body)["data"][name]["problems"] == [], name
        assert together == alone, name
        assert grown(before, await everything(world)) == alone, name
        assert alone["outcome"] == 1, name


async def test_whoever_hangs_up_and_sends_it_again_has_done_it_once(world: World) -> None:
    """Wherever the first request was when nobody listened any more: undone, or done, and then found again."""
    client, input_ = await example(world, "submitReferral")
    before = await everything(world)
    await run(world, client, "submitReferral", input_)
    alone = grown(before, await everything(world))
    for turns in (1, 10, 40, 80, 120, 160, 240, 400):
        client, input_ = await example(world, "submitReferral")
        before = await everything(world)
        first = asyncio.create_task(world.send(client, operation("submitReferral"), {"input": input_}))
        for _ in range(turns):
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        payload = await run(world, client, "submitReferral", input_)

        assert payload["problems"] == []
        assert grown(before, await everything(world)) == alone, turns


async def test_a_problem_is_answered_again_as_it_was(world: World) -> None:
    """Also when the input would be well by now: a new try needs a new key."""
    case = await case_id(world, await world.case())
    input_ = {"idempotencyKey": "k", "case": case, "organisation": "organisation_late", "held": True, "reason": "r"}
    first = await run(world, "desk", "holdCase", input_)
    await world.organisation("late")

    assert first["problems"][0]["code"] == "NOT_FOUND"
    assert await run(world, "desk", "holdCase", input_) == first
    assert (await run(world, "desk", "holdCase", {**input_, "idempotencyKey": "new"}))["problems"] == []


async def test_a_key_belongs_to_one_input_and_one_mutation(world: World) -> None:
    """Another input, or another mutation, under a used key is a problem, and does nothing."""
    client, input_ = await example(world, "openCase")
    input_ = {**input_, "idempotencyKey": "once"}
    await world.case()
    await run(world, client, "openCase", input_)
    before = await counts(world)
    reused = [{"code": "IDEMPOTENCY_KEY_REUSED", "path": ["input", "idempotencyKey"]}]
    case = await case_id(world, await world.admin.fetchval("select id from case_file limit 1"))
    hold = {"idempotencyKey": "once", "case": case, "organisation": "organisation_pen-centre", "held": True, "reason": "r"}  # fmt: skip
    for name, other in (("openCase", {**input_, "riskLevel": "HIGH"}), ("openCase", {**input_, "origin": None}), ("holdCase", hold)):  # fmt: skip
        payload = await run(world, client, name, other)
        assert [{k: v for k, v in p.items() if k != "message"} for p in payload["problems"]] == reused, name
        assert payload["case"] is None
    assert await counts(world) == before


async def test_the_same_key_of_another_client_is_another_key(world: World) -> None:
    """Of another organisation, and of the same one: neither learns that the key was used."""
    await world.client("pen-two", "pen-centre")
    ids = set()
    for client in ("pen", "pen-two", "arts"):
        payload = await run(world, client, "submitReferral", {"idempotencyKey": "k", **referral()})
        assert payload["problems"] == []
        ids.add(payload["referral"]["id"])
    assert len(ids) == 3


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_has_a_length(world: World, key: str) -> None:
    """None, or too long, is a problem beside it, and nothing is kept of it."""
    payload = await run(world, "pen", "submitReferral", {"idempotencyKey": key, **referral()})

    assert [(p["code"], p["path"]) for p in payload["problems"]] == [("BAD_KEY", ["input", "idempotencyKey"])]
    assert await world.admin.fetchval("select count(*) from outcome") == 0
    payload = await run(
        world, "pen", "submitReferral", {"idempotencyKey": key, **referral(reason="", clientReference="")}
    )
    assert [p["code"] for p in payload["problems"]] == ["BAD_KEY", "REQUIRED", "BAD_REFERENCE"]


async def test_a_retry_is_read_back_under_todays_rights(world: World) -> None:
    """What the first answer showed is not stored: who may no longer see it is not shown it again."""
    input_ = {"idempotencyKey": "k", **referral(to="organisation_arts-haven")}
    first = await run(world, "pen", "submitReferral", input_)
    await world.admin.execute("update consent set withdrawn_at = hub_now()")
    again = await run(world, "pen", "submitReferral", input_)

    assert first["referral"]["person"]["identity"] == {"familyName": "Mulberryson"}
    assert again["referral"]["id"] == first["referral"]["id"]
    assert again["referral"]["person"]["identity"] is None


async def test_several_mutations_of_one_request_each_stand_alone(world: World) -> None:
    """In the order written; one with a problem takes nothing from the others, and two with one key and input are one."""
    await world.client("clerk", "icorn", [s for s in EVERY_SCOPE if s != "cases:read"])
    asked = """mutation { a: openCase(input: {idempotencyKey: "1", discipline: WRITER, riskLevel: LOW}) { __typename problems { code } }
      b: openCase(input: {idempotencyKey: "2", riskLevel: LOW}) { problems { code path } } __typename
      c: openCase(input: {idempotencyKey: "1", discipline: WRITER, riskLevel: LOW}) { problems { code } } }"""

    assert await world.data("clerk", asked) == {
        "a": {"__typename": "CasePayload", "problems": []},
        "b": {"problems": [{"code": "REQUIRED", "path": ["input", "discipline"]}]},
        "__typename": "Mutation",
        "c": {"problems": []},
    }
    assert await world.admin.fetchval("select count(*) from case_file") == 1
