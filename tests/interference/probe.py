"""This module lets random operations at two hubs, until the two worlds are told apart or there are enough of them."""

import asyncio
import os

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from tests.interference.operations import Operations
from tests.interference.twins import SOUND, Leak, Twins, cursors

TIMES = int(os.environ.get("HUB_INTERFERENCE", "1"))
"""How much more to draw than in a run of all tests."""
WALLS = (SOUND, Leak("the first wall alone", walls=frozenset({1})), Leak("the second wall alone", walls=frozenset({2})))


def probe(runner: asyncio.Runner, twins: Twins, number: int, sequences: int) -> None:
    """Draw sequences of up to three operations, and raise Told when the two worlds can be told apart."""
    operations = Operations(twins.pair)
    phases = [Phase.generate] if twins.leak not in WALLS else [Phase.generate, Phase.shrink]

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
        known: list[str] = []
        earlier = None
        for _ in range(data.draw(st.integers(1, 3))):
            kind = data.draw(st.sampled_from(operations.kinds))
            if kind == "mutation":
                asked = operations.mutation(data.draw)
            elif kind == "on" and earlier is not None and known:
                asked = operations.going_on(data.draw, earlier, known)
            else:
                asked = earlier = operations.query(data.draw)
            known = sorted({*known, *cursors(runner.run(twins.ask(asked)))})

    try:
        sequence()
    except Flaky:
        # It takes what was changed before to tell them apart again; the first time says enough.
        assert twins.told is not None
        raise twins.told from None
    finally:
        runner.run(twins.aclose())
