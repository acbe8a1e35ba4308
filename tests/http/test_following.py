"""Subscriptions by the programs of others: graphql-sse and graphql-ws, as they are published."""

import asyncio
from itertools import count

from tests.http.conftest import Node
from tests.hub.subscriptions.kit import EVENTS, SENT, step
from tests.world import World

TOLD = 8
"""Steps after which the client is disabled; each protocol has heard two by then."""


async def test_published_clients_follow_by_either_protocol_and_are_told_why_it_ends(
    served: tuple[World, str], node: Node
) -> None:
    """Each is told of steps that follow each other, as its organisation may see them; then of the end of its right, in the protocol's words."""
    world, _ = served
    referral = await world.referral("pen-centre", **SENT)
    following = asyncio.ensure_future(node("follow.mjs", "pen", query=EVENTS))
    for ordinal in count(2):
        async with world.admin.transaction():
            await step(world, world.admin, referral, ordinal)
        await asyncio.sleep(0.3)
        told = await world.admin.fetchval("select count(*) from audit where client = 'pen'")
        if following.done() or told >= TOLD:
            break
    await world.admin.execute("update client set status = 'DISABLED' where client_id = 'pen'")
    heard = await following

    for way in ("socket", "events"):
        first, second, *_ = (answer["data"]["referralEvents"] for answer in heard[way][:2])
        assert first["by"] == {"code": "icorn"}
        assert int(second["id"].rpartition("_")[2]) == int(first["id"].rpartition("_")[2]) + 1
    assert heard["closed"]["code"] == 4401
    codes = [error["extensions"]["code"] for way in ("socket", "events") for error in heard[way][-1]["errors"]]
    assert codes == ["UNAUTHENTICATED", "UNAUTHENTICATED"]
