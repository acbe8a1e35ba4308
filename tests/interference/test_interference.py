"""The promise: what a principal may not see changes no byte of any answer it can get, in whatever order it asks."""

import asyncio
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hub.embedded import Server
from hub.engine.compiled import WALLS
from tests.interference.operations import Operations
from tests.interference.pairs import PRINCIPALS, pair
from tests.interference.twins import Told, Twins, cursors

TIMES = int(os.environ.get("HUB_INTERFERENCE", "1"))
"""How much more to draw than a run of all tests does."""
OPERATIONS = 40
"""Sequences for each pair of worlds."""


def probe(runner: asyncio.Runner, twins: Twins, number: int, sequences: int, count: Callable[[str], None] = lambda _: None) -> None:
    """Draw sequences of up to three operations, and raise Told when the two worlds can be told apart."""
    operations = Operations(twins.pair)

    @seed(number)
    @settings(
        max_examples=sequences, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
    )
    @given(st.data())
    def sequence(data: st.DataObject) -> None:
        runner.run(twins.fresh())
        known: list[str] = []
        document = None
        for _ in range(data.draw(st.integers(1, 3))):
            kind = data.draw(st.sampled_from(["query", "query", "on", "mutation"]))
            if kind == "mutation":
                asked = operations.mutation(data.draw)
            elif kind == "on" and document is not None and known:
                asked = operations.going_on(data.draw, document, known)
            else:
                asked = document = operations.query(data.draw)
            answer = runner.run(twins.ask(asked))
            count(answer.body.decode())
            known = sorted({*known, *cursors(answer)})

    sequence()


@pytest.mark.parametrize("number", range(TIMES))
@pytest.mark.parametrize("name", PRINCIPALS)
def test_two_worlds_that_differ_in_what_is_hidden_are_answered_alike(server: Server, template: str, name: str, number: int) -> None:
    """Status, headers and body are the same to the byte, for queries, mutations and sequences of them."""
    with asyncio.Runner() as runner:
        twins = runner.run(Twins(server, template, pair(PRINCIPALS[name], number)).__aenter__())
        try:
            probe(runner, twins, number, OPERATIONS)
        finally:
            runner.run(twins.__aexit__())
