"""What is followed is told to those who may see it when it is told, and to nobody else is there any sign of it."""

import asyncio
from typing import Any

from tests.hub.subscriptions.kit import EVENTS, RETRACTIONS, Hub


def step(answer: Any) -> tuple[str, str]:
    """Give the kind and the author of a step."""
    told = answer["data"]["referralEvents"]
    return told["kind"], told["by"]["code"]


async def test_those_who_take_part_are_told_by_either_protocol(hub: Hub, referral: Any) -> None:
    """Sender and recipient, each by the ids that are its own."""
    async with hub.stream("pen", EVENTS) as stream, hub.socket("desk") as socket:
        await socket.follow("1", EVENTS)
        await hub.happens(referral, 2)
        by_stream, by_socket = await stream.next(), await socket.hear()

    assert step(by_stream) == ("IN_REVIEW", "icorn")
    assert (by_socket["id"], by_socket["type"], step(by_socket["payload"])) == ("1", "next", ("IN_REVIEW", "icorn"))
    assert by_stream["data"]["referralEvents"]["id"] != by_socket["payload"]["data"]["referralEvents"]["id"]


async def test_of_what_is_hidden_there_is_no_sign(hub: Hub, referral: Any) -> None:
    """Between two events of its own an organisation hears nothing of another's, and no record says that it was looked at."""
    world = hub.world
    own = await world.referral("arts-haven")
    async with hub.stream("arts", EVENTS) as stream, hub.stream("pen", EVENTS) as other:
        await hub.happens(own, 2, by="arts-haven")
        first = await stream.next()
        for ordinal in (2, 3):
            await hub.happens(referral, ordinal)
            await other.next()
        records = await world.admin.fetch(
            "select action, cardinality(subjects) as people from audit where client = 'arts'"
        )
        await hub.happens(own, 3, by="arts-haven")
        second = await stream.next()

    ids = [answer["data"]["referralEvents"]["id"][-2:] for answer in (first, second)]
    assert ids == ["_2", "_3"]
    # The stream of a partner without any part in it is byte for byte the same: its keep-alives come by the clock alone.
    assert [dict(row) for row in records] == [{"action": "subscription referralEvents", "people": 2}]


async def test_who_lost_access_before_the_delivery_is_not_told(hub: Hub, referral: Any) -> None:
    """Rights are those of the moment of reading, not of subscribing."""
    world = hub.world
    own = await world.referral("pen-centre")
    async with hub.stream("pen", EVENTS) as stream:
        async with world.admin.transaction():
            await world.admin.execute("insert into frozen (country, starts) values ('IR', hub_now())")
            await world.admin.execute("update referral set origin = 'TR' where id = $1", own)
        await hub.happens(referral, 2)
        await hub.happens(own, 2)
        told = await stream.next()

    seen = await world.admin.fetchval(
        "select pairwise from referral_access where referral_id = $1 and organisation = $2",
        own,
        world.organisations["pen-centre"],
    )
    assert told["data"]["referralEvents"]["id"] == f"event_{seen}_2"


async def test_one_referral_can_be_followed_alone(hub: Hub, referral: Any) -> None:
    """By the id that its reader knows it by."""
    world = hub.world
    other = await world.referral("pen-centre")
    data = await world.admin.fetchval(
        "select pairwise from referral_access where referral_id = $1 and organisation = $2",
        referral,
        world.organisations["pen-centre"],
    )
    query = "subscription ($of: ID) { referralEvents(referral: $of) { id } }"
    async with hub.stream("pen", query, variables={"of": f"referral_{data}"}) as stream:
        await hub.happens(other, 2)
        await hub.happens(referral, 2)
        told = await stream.next()

    assert told["data"]["referralEvents"]["id"] == f"event_{data}_2"


async def test_a_retraction_reaches_whom_it_concerns(hub: Hub) -> None:
    """The organisation that must delete, and ICORN; not another partner."""
    world = hub.world
    case = await world.case()
    await world.agreement("pen-centre")
    consent = await world.consent(case)
    async with hub.stream("pen", RETRACTIONS) as stream, hub.stream("arts", RETRACTIONS) as other:
        await hub.app.state.exchange.outbox.tick()
        assert await world.data("pen", "{ cases { edges { node { reference identity { familyName } } } } }")
        await world.admin.execute("update consent set withdrawn_at = hub_now() where id = $1", consent)
        told = await stream.next()
        nothing = asyncio.ensure_future(other.next())
        await hub.app.state.exchange.outbox.tick()
        waiting = not nothing.done()
        nothing.cancel()

    assert told["data"]["retractions"]["categories"] == ["OVERVIEW", "IDENTITY"]
    assert waiting


async def test_each_delivery_is_a_read_on_record(hub: Hub, referral: Any) -> None:
    """By whom, why, and of whom."""
    async with hub.stream("pen", EVENTS) as stream:
        await hub.happens(referral, 2)
        await stream.next()
    rows = await hub.world.admin.fetch(
        "select client, action, purpose, categories::text[], cardinality(subjects) > 0 as people from audit where client = 'pen'"
    )

    assert [tuple(row) for row in rows] == [("pen", "subscription referralEvents", "PROTECTION", ["OVERVIEW"], True)]
