"""A hub to follow: ICORN's desk, two sister organisations, and a referral of one of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.hub.subscriptions.kit import SENT, Hub, listening
from tests.world import World


@pytest.fixture
async def hub(world: World) -> AsyncIterator[Hub]:
    """A hub that listens."""
    await world.database.set_now(datetime.now(UTC))
    async with listening(world) as hub:
        yield hub


@pytest.fixture
async def referral(world: World) -> Any:
    """What the PEN Centre referred to ICORN; Arts Haven has no part in it."""
    sent = await world.referral("pen-centre", **SENT)
    await world.consent(None, "icorn", referral_id=sent)
    return sent
