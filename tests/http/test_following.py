"""Subscriptions by the programs of others: graphql-sse and graphql-ws, as they are published."""

import asyncio
from itertools import count

from tests.http.conftest import Node
from tests.hub.subscriptions.kit import EVENTS, SENT, step
from tests.world import World


async def test_published_clients_follow_by_either_protocol(served: tuple[World, str], node: Node) -> None:
    """Each is told of steps that follow each other, as its organisation may see them."""
    world, _ = served
    referral = await world.referral("pen-centre", **SENT)
    following = asyncio.ensure_future(node("follow.mjs", "pen", query=EVENTS))
    for ordinal in count(2):
        async with world.admin.transaction():
            await step(world, world.admin, referral, ordinal)
        await asyncio.sleep(0.3)
        if following.done():
            break
    told = following.result()

    for way in ("socket", "events"):
        first, second = (answer["data"]["referralEvents"] for answer in told[way])
        assert first["by"] == {"code": "icorn"}
        assert int(second["id"].rpartition("_")[2]) == int(first["id"].rpartition("_")[2]) + 1
