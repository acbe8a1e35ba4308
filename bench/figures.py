"""This module says of each figure that the hub is to reach whether this run reached it."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from bench.compare import BARE, FED, HUB, OPEN, Line
from bench.peers import ON_NODE, STRAWBERRY

SCALE: Final = Path(__file__).parent / "results" / "scale.json"


@dataclass(frozen=True)
class Figure:
    """What is to be reached: at least this, and better that. Where less is better, `most` is true."""

    name: str
    least: float
    aim: float
    found: float | None
    unit: str = "x"
    most: bool = False

    def verdict(self) -> str:
        """Say whether it is reached."""
        if self.found is None:
            return "not measured"
        reached = [(self.found <= bar) if self.most else (self.found >= bar) for bar in (self.aim, self.least)]
        return "reached, and the aim" if reached[0] else "reached" if reached[1] else "[bold]not reached[/]"

    def said(self, value: float | None) -> str:
        """Write a value with its unit."""
        return "-" if value is None else f"{value:.3g}{'' if self.unit == 'x' else ' '}{self.unit}"


def compared(lines: Sequence[Line], asked: str, other: str) -> float | None:
    """Give the hub's requests a second over another's at one question: the median of the rounds' ratios."""
    pair = [next((line for line in lines if line.asked == asked and line.name == name), None) for name in (HUB, other)]
    hub, peer = pair
    if hub is None or peer is None or not peer.rounds:
        return None
    return statistics.median(a.rate / b.rate for a, b in zip(hub.rounds, peer.rounds, strict=True))


def cpu(lines: Sequence[Line], asked: str, name: str = HUB) -> float | None:
    """Give the CPU of one request, in microseconds."""
    return next((line.cpu for line in lines if line.asked == asked and line.name == name), None)


def less(one: float | None, other: float | None) -> float | None:
    """Give a difference, where there are both."""
    return None if one is None or other is None else one - other


def at_scale() -> float | None:
    """Give Q1's time at a million cases over that at ten thousand, as `make bench-scale` last found it."""
    if not SCALE.exists():
        return None
    found = {point["cases"]: point["q1_us"] for point in json.loads(SCALE.read_text())["cases"]}
    return found[10**6] / found[10**4] if {10**4, 10**6} <= found.keys() else None


def figures(lines: Sequence[Line], moments: dict[str, float]) -> list[Figure]:
    """Give every figure, from what was measured."""
    postgraphile = ON_NODE["postgraphile"]
    both = (cpu(lines, "Q1", postgraphile), cpu(lines, "Q1"))
    saved = both[0] / both[1] if both[0] and both[1] else None
    opened = less(cpu(lines, "Q1 identity"), cpu(lines, "Q1"))
    memory = max((line.memory for line in lines if line.name == HUB), default=0) / 2**20
    return [
        Figure("Q1 against PostGraphile 5", 4, 6, compared(lines, "Q1", postgraphile)),
        Figure("Q1 against PostGraphile 5: less CPU a request", 3, 4.5, saved),
        Figure("Q2 against PostGraphile 5", 2.5, 5, compared(lines, "Q2", postgraphile)),
        Figure("Q4 against PostGraphile 5", 2.2, 4, compared(lines, "Q4", postgraphile)),
        Figure("Q3 against PostGraphile's bare insert", 0.7, 1.5, compared(lines, "Q3", postgraphile)),
        Figure("Q1 against its own statement fed by hand", 0.85, 0.97, compared(lines, "Q1", FED)),
        Figure("Q1 against plain SQL by hand, neither walls nor audit", 0.85, 0.97, compared(lines, "Q1", BARE)),
        Figure("Q1 against Strawberry with DataLoaders", 25, 40, compared(lines, "Q1", STRAWBERRY)),
        Figure("Q1 against Mercurius with jit", 3, 5, compared(lines, "Q1", ON_NODE["mercurius"])),
        Figure("Q1 against Apollo Server", 5, 8, compared(lines, "Q1", ON_NODE["apollo"])),
        Figure(
            "token, proof, second wall and audit: CPU they add to Q1",
            300,
            150,
            less(cpu(lines, "Q1"), cpu(lines, "Q1", OPEN)),
            "µs",
            most=True,
        ),
        Figure("50 identities opened: CPU they add to Q1", 1, 0.4, opened and opened / 1e3, "ms", most=True),
        Figure("Q1 at 10^6 cases against 10^4 (make bench-scale)", 1.5, 1.1, at_scale(), "x", most=True),
        Figure("an agreement that opens 100,000 cases", 3, 1, moments["agreement"], "s", most=True),
        Figure("a consent withdrawn", 20, 5, moments["withdrawal"] * 1e3, "ms", most=True),
        Figure("memory of a hub process under load", 120, 80, memory, "MB", most=True),
        Figure("hub serve to ready", 2, 1, moments["ready"], "s", most=True),
    ]


def judged(found: Sequence[Figure]) -> Table:
    """Draw the table of figures."""
    table = Table(title="the figures to reach, in this run")
    for heading in ("figure", "at least", "aim", "found", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "") else "right")
    for figure in found:
        table.add_row(
            figure.name,
            figure.said(figure.least),
            figure.said(figure.aim),
            figure.said(figure.found),
            figure.verdict(),
        )
    return table
