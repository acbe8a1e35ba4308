"""The property's own check: where a hole is made on purpose, whatever the channel, the very same property finds it."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.interference.leaks import CHANNELS, LEAKS, Planted
from tests.interference.pairs import pair
from tests.interference.principals import PRINCIPALS
from tests.interference.probe import probe
from tests.interference.twins import SOUND, Asked, Filled, Told, Twins

PAIRS = range(2, 10)
"""The pairs of worlds in one of which a leak must show."""


async def ask(twins: Twins, asked: Sequence[Asked]) -> None:
    """Ask these operations, one after the other."""
    await twins.fresh()
    try:
        for query, variables in asked:
            await twins.ask(query, variables)
    finally:
        await twins.aclose()


def found(runner: asyncio.Runner, filled: Filled, planted: Planted) -> tuple[Twins, Told]:
    """Find a leak, in one pair of worlds after the other."""
    for number in PAIRS:
        twins = Twins(filled, pair(PRINCIPALS[planted.finder], number), planted.leak)
        try:
            if planted.asks:
                runner.run(ask(twins, planted.asks))
            else:
                probe(runner, twins, number, 60)
        except Told as told:
            if told.apart:
                return twins, told
    raise AssertionError(planted.leak.name)


@pytest.mark.parametrize("planted", LEAKS, ids=lambda planted: f"{planted.channel}: {planted.leak.name}")
def test_a_planted_leak_is_found(runner: asyncio.Runner, filled: Filled, planted: Planted) -> None:
    """Two worlds are told apart; and without the hole, the same operations tell them apart no more."""
    twins, told = found(runner, filled, planted)

    runner.run(ask(Twins(filled, twins.pair, SOUND), told.asked))


def test_every_channel_has_its_leak() -> None:
    """Whoever opens a new one plants a leak in it, so that it is known to be looked into."""
    assert set(CHANNELS) <= {planted.channel for planted in LEAKS}
