"""Feed records said to be of a case's person: a decision of ICORN's staff, made once for each record."""

import asyncio

from tests.hub.commands.kit import case_id, done, events, feed_record, found, run
from tests.world import World


async def test_linked_records_are_what_feeds_say_of_the_case(world: World) -> None:
    """Feed by feed; linking again, or one record twice, changes nothing."""
    case = await case_id(world, await world.case())
    records = [f"record_{await feed_record(world, name)}" for name in ("n1", "n2")]
    given = {"case": case, "records": [*records, records[0]], "reason": "Hazelreason"}
    linked = await done(world, "desk", "linkRecords", given)
    again = await done(world, "desk", "linkRecords", given)

    assert linked["feedRecords"] == [
        {"feed": {"code": f"feed-n{number}"}, "records": [{"id": record}]} for number, record in enumerate(records, 1)
    ]
    assert again == linked
    assert await world.admin.fetchval("select count(*) from feed_record_link") == 2
    assert await events(world) == ["case.linked", "case.linked"]


async def test_a_record_of_another_case_stays_there(world: World) -> None:
    """It is a problem beside that record, and the others are not linked either."""
    one, two = await case_id(world, await world.case()), await case_id(world, await world.case())
    first, second = [f"record_{await feed_record(world, name)}" for name in ("n1", "n2")]
    await done(world, "desk", "linkRecords", {"case": one, "records": [second], "reason": "r"})

    given = {"case": two, "records": [first, second], "reason": "r"}
    assert await found(world, "desk", "linkRecords", given) == [("LINKED_ELSEWHERE", "input.records.1")]


async def test_two_desks_that_link_one_record_at_once(world: World) -> None:
    """One of the two cases has it; the other desk is told so. Asking for feeds in the answer keeps nobody waiting for ever."""
    record = f"record_{await feed_record(world, 'n1')}"
    cases = [await case_id(world, await world.case()) for _ in range(12)]
    payloads = await asyncio.gather(
        *(run(world, "desk", "linkRecords", {"case": case, "records": [record], "reason": "r"}) for case in cases)
    )

    codes = sorted([problem["code"] for problem in payload["problems"]] for payload in payloads)
    assert codes == [[]] + 11 * [["LINKED_ELSEWHERE"]]
    assert await world.admin.fetchval("select count(*) from feed_record_link") == 1


async def test_a_record_that_is_gone_cannot_be_linked(world: World) -> None:
    """What a sister no longer has is not there."""
    record = await feed_record(world, "n1", present=False)
    case = await case_id(world, await world.case())

    given = {"case": case, "records": [f"record_{record}"], "reason": "r"}
    assert await found(world, "desk", "linkRecords", given) == [("NOT_FOUND", "input.records.0")]
