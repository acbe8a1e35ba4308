"""This module asks whether time tells what answers do not: a case that is there and hidden, beside one that never was, by Welch's t.

The whole application is asked in this process, without a server: there is no network's noise to hide behind.
"""

import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from auth.keyring import Keyring
from bench.parts import ISSUER, Inside
from bench.servers import application
from bench.world import Partner

SUSPECT = 4.5
"""Of t, in either direction: beyond it the two are told apart for certain, as such tests usually have it (ISO/IEC 17825)."""
KEPT = 0.5
"""The share of the fastest that the second t is of: what a scheduler or a checkpoint held up tells nothing of the hub."""
WARM = 200
AT_ONCE = 200
"""Requests signed in advance, between which none is."""
CASES = 500
HIDDEN = """
select 'case_' || n.id as id, hub.spoken('C-', n.id) as reference from (
  select hub.pairwise($1, 'case', f.id) as id from hub.case_file f
  where not exists (select from hub.case_access a where a.organisation = $1 and a.case_id = f.id) order by f.id limit $2) n
"""
SEEN = (
    "select 'case_' || pairwise as id, reference from hub.case_access where organisation = $1 order by case_id limit $2"
)
CONTROL = "case(by: id), seen and not hidden"
DENIED = (
    'decision: DENY, recipients: {everyPartner: true}, categories: [PROFILE], givenOn: "2026-01-01", evidence: "Call"'
)
Make = Callable[[str, str, int], dict[str, Any]]
ASKED: dict[str, Make] = {
    "case(by: id)": lambda named, _, __: {
        "query": "query ($v: ID!) { case(by: {id: $v}) { id status identity { familyName } } }",
        "variables": {"v": named},
    },
    "case(by: reference)": lambda _, spoken, __: {
        "query": "query ($v: String!) { case(by: {reference: $v}) { id status identity { familyName } } }",
        "variables": {"v": spoken},
    },
    "recordConsent, NOT_FOUND": lambda named, _, number: {
        "query": f"mutation ($k: String!, $v: ID!) {{ recordConsent(input: {{idempotencyKey: $k, case: $v, consent: {{{DENIED}}}}}) {{ problems {{ code }} }} }}",
        "variables": {"k": f"time-{number}", "v": named},
    },
    "_entities": lambda named, _, __: {
        "query": "query ($v: [_Any!]!) { _entities(representations: $v) { ... on Case { id status } } }",
        "variables": {"v": [{"__typename": "Case", "id": named}]},
    },
}  # fmt: skip
"""What is asked, by an id, a reference and a number never used before."""


@dataclass
class Times:
    """How long the requests of one kind took, in microseconds: those for what is hidden, and those for what is absent."""

    hidden: list[float] = field(default_factory=list)
    absent: list[float] = field(default_factory=list)


def welch(left: Sequence[float], right: Sequence[float]) -> float:
    """Give Welch's t of two samples.

    >>> welch([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    0.0
    >>> round(welch([11.0, 12.0, 13.0], [1.0, 2.0, 3.0]), 2)
    12.25
    """
    spread = sqrt(statistics.variance(left) / len(left) + statistics.variance(right) / len(right))
    return (statistics.mean(left) - statistics.mean(right)) / spread


def fastest(times: Times) -> tuple[list[float], list[float]]:
    """Keep of both what lies below one bound: that of the fastest of all together."""
    bound = sorted(times.hidden + times.absent)[int(KEPT * (len(times.hidden) + len(times.absent))) - 1]
    return [t for t in times.hidden if t <= bound], [t for t in times.absent if t <= bound]


def _unknown(chance: random.Random) -> tuple[str, str]:
    name = uuid.UUID(int=chance.getrandbits(128))
    digits = name.hex[:16].upper()
    return f"case_{name}", "C-" + "-".join(digits[i : i + 4] for i in range(0, 16, 4))


async def measured(inside: Inside, make: Make, hidden: Sequence[tuple[str, str]], requests: int) -> Times:
    """Ask for hidden and absent ones in a random order, and take every time."""
    found, chance, number = Times(), random.Random(1), 0  # noqa: S311 an order, not a secret
    absent = [_unknown(chance) for _ in hidden]
    inside.token = (await inside.client.token()).value
    for round_number in range(-(-(requests + WARM) // AT_ONCE)):
        waiting = []
        for _ in range(AT_ONCE):
            there = chance.random() < 0.5
            one = chance.choice(hidden if there else absent)
            number += 1
            waiting.append((there, msgspec.json.encode(make(*one, number)), inside.headers()))
        for there, body, headers in waiting:
            begun = time.perf_counter()
            answer = await inside.post(f"{ISSUER}/graphql", headers, body)
            took = (time.perf_counter() - begun) * 1e6
            if answer.status != 200 or b"errors" in answer.body:
                raise RuntimeError("The hub refused what it should answer.")
            if round_number >= WARM // AT_ONCE:
                (found.hidden if there else found.absent).append(took)
    return found


async def tell_apart(
    dsns: dict[str, str], keyring: Path, partner: Partner, requests: int, admin: Any, console: Console
) -> None:
    """Print, for each way of asking, what the two take and Welch's t."""
    app, pools = await application(dsns, Keyring.load(keyring), ISSUER)
    inside = Inside(app, partner)
    hidden, seen = [
        [(row["id"], row["reference"]) for row in await admin.fetch(sql, partner.organisation, CASES)]
        for sql in (HIDDEN, SEEN)
    ]
    table = Table(title=f"{requests} requests, the hidden among the absent, one at a time, microseconds")
    for heading in ("asked", "hidden: median (quartiles)", "absent: median (quartiles)", "t", f"t of {KEPT:.0%}"):
        table.add_column(heading, justify="left" if heading == "asked" else "right", no_wrap=True)
    # What there is a difference in, to show that it would be seen.
    for name, make in {**ASKED, CONTROL: ASKED["case(by: id)"]}.items():
        times = await measured(inside, make, seen if name == CONTROL else hidden, requests)
        told = [welch(times.hidden, times.absent), welch(*fastest(times))]
        shown = [f"[bold red]{t:+.2f}[/]" if abs(t) > SUSPECT else f"{t:+.2f}" for t in told]
        table.add_row(name, spoken_spread(times.hidden), spoken_spread(times.absent), *shown)
    console.print(table)
    console.print(
        f"Beyond {SUSPECT} either way, time tells the hidden from the absent with near certainty: look for work that is done for one only."
        f" The last row is there to be told apart: where it is not, the machine was too busy for {requests} requests to say anything."
        " And below, they did not tell; that is no proof that more would not."
    )
    for pool in (pools.app, pools.auth, pools.worker):
        await pool.close()


def spoken_spread(times: Sequence[float]) -> str:
    """Write a median and the quartiles around it."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"
