"""The promise: what a principal may not see changes no byte of any answer it can get, in whatever order it asks."""

import asyncio
import json
import zlib

import pytest
from graphql import parse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from tests.interference.leaks import LEAKS
from tests.interference.names import pairwise
from tests.interference.operations import Operations
from tests.interference.pairs import Pair, pair
from tests.interference.principals import PRINCIPALS
from tests.interference.twins import SOUND, STANDING, TIMES, Filled, Leak, Told, Twins

SEQUENCES = 30
"""Sequences of operations for each pair of worlds."""


def probe(runner: asyncio.Runner, filled: Filled, worlds: Pair, leak: Leak, number: int, sequences: int) -> None:
    """Draw sequences of up to five operations, and raise Told when the two worlds can be told apart."""
    operations, twins = Operations(worlds), Twins(filled, worlds, leak)
    phases = [Phase.generate] if leak not in STANDING else [Phase.generate, Phase.shrink]

    @seed(number)
    @settings(
        max_examples=sequences,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(st.data())
    def sequence(data: st.DataObject) -> None:
        runner.run(twins.fresh())
        operations.afresh()
        for _ in range(data.draw(st.integers(1, 5))):
            answer = runner.run(twins.ask(operations.step(data.draw)))
            operations.known.learn(json.loads(answer.body))

    try:
        sequence()
    except Flaky:
        # It takes what was changed before to tell them apart again; the first time says enough.
        if twins.told is None:
            raise
        raise twins.told from None
    finally:
        runner.run(twins.aclose())


@pytest.mark.parametrize("number", range(1, TIMES + 1))
@pytest.mark.parametrize("walls", STANDING, ids=lambda walls: walls.name)
@pytest.mark.parametrize("name", PRINCIPALS)
def test_worlds_that_differ_in_what_is_hidden_are_answered_alike(
    runner: asyncio.Runner, filled: Filled, name: str, walls: Leak, number: int
) -> None:
    """Status, headers and body are the same to the byte, for queries, mutations and sequences of them, with either wall down too."""
    share = SEQUENCES if walls is SOUND else SEQUENCES // 4
    probe(
        runner,
        filled,
        pair(PRINCIPALS[name], number),
        walls,
        zlib.crc32(f"{name} {walls.name} {number}".encode()),
        share,
    )


def test_whoever_may_not_open_cases_is_not_told_that_there_is_one(runner: asyncio.Runner, filled: Filled) -> None:
    """Only the desk opens cases; anybody else hears that, and not that the person it referred has a case already."""
    worlds = pair(PRINCIPALS["a sender of referrals"], 0)
    twins = Twins(filled, worlds, SOUND)
    referral = pairwise(worlds.principal.organisation, "referral", 102)
    asked = parse(
        f'mutation {{ openCase(input: {{idempotencyKey: "k", referral: "referral_{referral}", riskLevel: LOW}}) {{ problems {{ code }} }} }}'
    )
    runner.run(twins.fresh())
    try:
        answer = runner.run(twins.ask(asked))
    finally:
        runner.run(twins.aclose())
    assert json.loads(answer.body)["data"] == {"openCase": {"problems": [{"code": "NOT_ALLOWED"}]}}


@pytest.mark.parametrize(("name", "leak"), LEAKS, ids=[leak.name for _, leak in LEAKS])
def test_a_planted_leak_is_found(runner: asyncio.Runner, filled: Filled, name: str, leak: Leak) -> None:
    """The very same property fails where a hole was made on purpose."""
    with pytest.raises(Told):  # noqa: PT012 one of these draws finds it
        for number in range(1, 13):
            probe(runner, filled, pair(PRINCIPALS[name], number), leak, number, 60)
