"""`python -m bench`: the hub with everything on, beside its limits and its peers, on the same questions in one run.

`python -m bench profile` takes one request apart instead; `timing` asks whether time tells what is hidden; `tokens` measures the
authorization server, and what verifying token and proof adds to a query; `events` how soon a webhook's receiver has what was
committed; `scale` measures cost against size and writes the plans, `plans` writes these alone.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console

from auth.keyring import Keyring
from bench.askers import Partners
from bench.compare import agree, begin, free_port, lines_of, measure, report
from bench.events import events
from bench.figures import figures, judged
from bench.moments import agreement, ready, withdrawal
from bench.parts import take_apart
from bench.scale import postmaster, scale
from bench.timing import tell_apart
from bench.tokens import tokens
from bench.world import DATABASE, SETTINGS, Partner, fill
from hub.embedded import ADMIN, Server, dsns, embedded_server
from hub.postgres import connect

WIDTH = 132
console = Console(width=max(WIDTH, Console().width))
SEEN = "select pairwise::text from hub.case_access where organisation = $1 order by opened_on desc limit 200"


def asked() -> argparse.Namespace:
    """Read what is to be measured."""
    reader = argparse.ArgumentParser("python -m bench")
    reader.add_argument(
        "what", nargs="?", choices=["all", "profile", "timing", "tokens", "scale", "plans", "events"], default="all"
    )
    reader.add_argument("--requests", type=int, default=10_000, help="of each way of asking, for timing")
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--seconds", type=float, default=2.0, help="that a round of one contender lasts")
    return reader.parse_args()


async def beside(
    wanted: argparse.Namespace,
    server: Server,
    keys: Path,
    partners: list[Partner],
    admin: Any,
    postgres: psutil.Process,
) -> None:
    """Run hub, limits and peers side by side, and judge the figures."""
    sets = (Path(__file__).parent / "peers" / "peers.sql").read_text()
    await admin.execute(sets)
    cases = [[row["pairwise"] for row in await admin.fetch(SEEN, partner.organisation)] for partner in partners]
    given = {"dsns": dsns(server, DATABASE), "keys": str(keys), "port": free_port(), "database": DATABASE}
    with console.status("starting hubs, withdrawing consents"):
        # Before there are records that no worker has sequenced: here is none.
        moments = {"ready": await ready(dsns(server, DATABASE), keys), "withdrawal": await withdrawal(admin)}
    with ExitStack() as stack:
        running = begin(given, str(server.sockets), stack, console)
        lines = await lines_of(running, console)
        asking = Partners(partners, cases, int(str(given["port"])))
        await asking.sign_in()
        await agree(lines, asking, console)
        await measure(lines, asking, postgres, wanted.rounds, wanted.seconds, console)
    console.print(report(lines, wanted.rounds, wanted.seconds))
    with console.status("opening 100,000 cases"):
        moments["agreement"] = await agreement(admin)
    console.print(judged(figures(lines, moments)))
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    console.print(
        f"load of this machine: {busy:.1f} a core (what else ran beside this is in every number but the ratios)"
    )


async def main(wanted: argparse.Namespace) -> None:
    """Set up, and do what is wanted."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-bench-")))
        keys = folder / "keys.json"
        keyring = Keyring.create(keys)
        server = stack.enter_context(embedded_server(folder / "postgres", SETTINGS))
        with console.status("loading 20,000 cases, 60,000 referrals, 6,000 residencies, 40 organisations"):
            partners = await fill(server, keyring)
        admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
        try:
            if wanted.what == "profile":
                await take_apart(dsns(server, DATABASE), keys, partners[0], console)
            elif wanted.what == "timing":
                await tell_apart(dsns(server, DATABASE), keys, partners[0], wanted.requests, admin, console)
            else:
                await beside(wanted, server, keys, partners, admin, postmaster(folder))
        finally:
            await admin.close()


if __name__ == "__main__":
    wanted = asked()
    apart: dict[str, Callable[[Console], Coroutine[Any, Any, None]]]
    apart = {"tokens": tokens, "events": events, "scale": scale, "plans": partial(scale, plans_alone=True)}
    uvloop.run(apart[wanted.what](console) if wanted.what in apart else main(wanted))
