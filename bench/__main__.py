"""`python -m bench`: the combined view of a partner, by the hub with everything on, beside the bare limit, in one run.

`python -m bench profile` takes one request apart instead; `python -m bench timing` asks whether time tells what is hidden.
`python -m bench tokens` measures the authorization server, and what verifying token and proof adds to a query.
`python -m bench events` measures how soon a webhook's receiver has what was committed.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table

from auth.client import Answer, Credentials, HubClient, proof
from auth.keyring import Keyring
from bench.events import events
from bench.load import Round, once, request, run
from bench.operations import Q1, Q1_IDENTITY, Q4
from bench.parts import take_apart
from bench.timing import tell_apart
from bench.tokens import tokens
from bench.world import DATABASE, SETTINGS, Partner, fill
from hub.embedded import ADMIN, dsns, embedded_server
from hub.postgres import connect

CONNECTIONS = 8
SECONDS = 4.0
ROUNDS = 5
WIDTH = 120
console = Console(width=max(WIDTH, Console().width))


@dataclass
class Contender:
    """What is measured: its address, what is asked of it, and what came of it."""

    name: str
    port: int
    process: psutil.Process
    query: str
    rounds: list[Round] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(what: str, given: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start a server in a process of its own."""
    return subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-m", "bench.servers", what], env={**os.environ, "BENCH": json.dumps(given)}
    )


class Asker:
    """The partner: one token, and a fresh proof for every request, signed before the round begins."""

    def __init__(self, partner: Partner, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.port = port
        self.key = ECKey.generate_key("P-256")
        credentials = Credentials(
            partner.client_id, partner.private_jwk, self.issuer, f"{self.issuer}/oauth/token", f"{self.issuer}/graphql"
        )
        self.client = HubClient(credentials, self.post, proof_key=self.key)
        self.token = ""

    async def post(self, url: str, headers: object, body: bytes) -> Answer:
        """Send a token request."""
        lines = "".join(f"{k}: {v}\r\n" for k, v in dict(headers).items())  # type: ignore[call-overload]
        path = url.removeprefix(self.issuer)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.encode() + body)
        told = await reader.read()
        writer.close()
        status, _, rest = told.partition(b"\r\n\r\n")
        return Answer(int(status.split()[1]), {}, rest)

    def messages(self, query: str, count: int) -> Iterator[bytes]:
        """Sign the proofs of a round."""
        body = json.dumps({"query": query}).encode()
        url = f"{self.issuer}/graphql"
        made = []
        for _ in range(count):
            signed = proof(self.key, url, time.time(), access_token=self.token)
            made.append(request(self.port, {"Authorization": f"DPoP {self.token}", "DPoP": signed}, body))
        return iter(made)


async def until_up(port: int) -> None:
    """Wait until a server listens."""
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("A server did not start.")


def cpu(process: psutil.Process, postgres: psutil.Process) -> float:
    """Give the CPU seconds that a server and Postgres have used so far."""
    used = 0.0
    for one in (process, *postgres.children(recursive=True)):
        times = one.cpu_times()
        used += times.user + times.system
    return used


def report(contenders: list[Contender]) -> None:
    """Print one table: medians over the rounds, and the spread of the ratio to the bare limit, round by round."""
    table = Table(title=f"{CONNECTIONS} connections, {ROUNDS} interleaved rounds of {SECONDS:.0f} s, medians")
    for heading in (
        "contender",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "RSS MB",
        "of bare (min to max)",
    ):
        table.add_column(heading, justify="left" if heading == "contender" else "right", no_wrap=True)
    limit = contenders[0]
    for one in contenders:
        ratios = [a.rate / b.rate for a, b in zip(one.rounds, limit.rounds, strict=True)]
        comparable = one.query == limit.query
        table.add_row(
            one.name,
            f"{statistics.median(r.rate for r in one.rounds):.0f}",
            f"{statistics.median(r.percentile(0.5) for r in one.rounds) * 1e3:.1f}",
            f"{statistics.median(r.percentile(0.99) for r in one.rounds) * 1e3:.1f}",
            f"{statistics.median(one.cpu) * 1e3:.2f}",
            f"{one.process.memory_info().rss / 2**20:.0f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            if comparable
            else "another answer",
        )
    console.print(table)


async def measure(contenders: list[Contender], asker: Asker, postgres: psutil.Process) -> None:
    """Run the rounds, the contenders in turn within each."""
    for number in range(ROUNDS + 1):
        for one in contenders:
            count = int(max((r.rate for r in one.rounds), default=1500) * SECONDS * 1.5) + 500
            messages = (
                asker.messages(one.query, count)
                if one.port == asker.port
                else iter([request(one.port, {}, b"{}")] * count)
            )
            before = cpu(one.process, postgres)
            result = await run(one.port, messages, CONNECTIONS, SECONDS if number else 1.0)
            if number:
                one.rounds.append(result)
                one.cpu.append((cpu(one.process, postgres) - before) / len(result.latencies))
        console.print(f"round {number} of {ROUNDS}" if number else "warm", style="dim")


def asked() -> argparse.Namespace:
    """Read what is to be measured."""
    reader = argparse.ArgumentParser("python -m bench")
    reader.add_argument("what", nargs="?", choices=["all", "profile", "timing", "tokens", "events"], default="all")
    reader.add_argument("--requests", type=int, default=10_000, help="of each way of asking, for timing")
    return reader.parse_args()


async def main(wanted: argparse.Namespace) -> None:
    """Set up, check that the answers agree, measure, report."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-bench-")))
        keyring = Keyring.create(folder / "keys.json")
        server = stack.enter_context(embedded_server(folder / "postgres", SETTINGS))
        hub_port, bare_port, asgi_port = free_port(), free_port(), free_port()
        with console.status("loading 20,000 cases, 60,000 referrals, 6,000 residencies, 40 organisations"):
            partner = await fill(server, keyring)
        if wanted.what == "profile":
            await take_apart(dsns(server, DATABASE), folder / "keys.json", partner, console)
            return
        if wanted.what == "timing":
            admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
            await tell_apart(dsns(server, DATABASE), folder / "keys.json", partner, wanted.requests, admin, console)
            await admin.close()
            return
        given = {
            "dsns": dsns(server, DATABASE),
            "keys": str(folder / "keys.json"),
            "organisation": partner.organisation,
        }
        started = [
            start("hub", {**given, "port": hub_port}),
            start("bare", {**given, "port": bare_port}),
            start("asgi", {**given, "port": asgi_port}),
        ]
        try:
            for port in (hub_port, bare_port, asgi_port):
                await until_up(port)
            asker = Asker(partner, hub_port)
            asker.token = (await asker.client.token()).value
            ours = json.loads(await once(hub_port, next(asker.messages(Q1, 1))))
            limit = json.loads(await once(bare_port, request(bare_port, {}, b"{}")))
            if ours != limit:
                raise RuntimeError(
                    "The hub and the bare limit do not give the same answer: there is nothing to compare."
                )
            console.print(
                f"answers agree: {len(ours['data']['cases']['edges'])} cases, {sum(len(e['node']['referrals']['edges']) for e in ours['data']['cases']['edges'])} referrals"
            )
            hub_process, bare_process, asgi_process = (psutil.Process(p.pid) for p in started)
            contenders = [
                Contender("bare Starlette, one statement", bare_port, bare_process, Q1),
                Contender("bare ASGI, the same statement", asgi_port, asgi_process, Q1),
                Contender("hub: walls, gate, audit, token, proof", hub_port, hub_process, Q1),
                Contender("hub: and 50 identities opened", hub_port, hub_process, Q1_IDENTITY),
                Contender("hub: 500 flat rows", hub_port, hub_process, Q4),
            ]
            postmaster = next(
                p
                for p in psutil.process_iter(["cmdline"])
                if str(folder) in " ".join(p.info["cmdline"] or []) and "postgres" in (p.info["cmdline"] or [""])[0]
            )
            await measure(contenders, asker, postmaster)
            report(contenders)
        finally:
            for process in started:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    wanted = asked()
    apart = {"tokens": tokens, "events": events}
    uvloop.run(apart[wanted.what](console) if wanted.what in apart else main(wanted))
