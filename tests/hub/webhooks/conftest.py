"""A world with a referral, and receivers of the sister organisation that sent it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.hub.subscriptions.kit import SENT
from tests.hub.webhooks.kit import Post, Receiver, post, receiving
from tests.world import World


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A partner's server."""
    async with receiving() as listening:
        yield listening


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    """Another one."""
    async with receiving() as listening:
        yield listening


@pytest.fixture
async def worker(world: World, receiver: Receiver, other: Receiver) -> AsyncIterator[Post]:
    """A worker that reaches both."""
    async with post(world, receiver, other) as made:
        yield made


@pytest.fixture
async def referral(world: World) -> Any:
    """What the PEN Centre referred to ICORN; Arts Haven has no part in it."""
    sent = await world.referral("pen-centre", **SENT)
    await world.consent(None, "icorn", referral_id=sent)
    return sent
