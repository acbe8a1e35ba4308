"""This module lets random operations at two hubs, until the two worlds are told apart or there are enough of them."""

import asyncio
import json

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from tests.interference.operations import Operations
from tests.interference.twins import STANDING, Twins


def probe(runner: asyncio.Runner, twins: Twins, number: int, sequences: int) -> None:
    """Draw sequences of up to five operations, and raise Told when the two worlds can be told apart."""
    operations = Operations(twins.pair)
    phases = [Phase.generate] if twins.leak not in STANDING else [Phase.generate, Phase.shrink]

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
