"""This module runs the hub beside its limits and its peers: the same questions, round by round, once their answers are seen to agree."""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench import peers
from bench.askers import Partners
from bench.load import Round, once, run
from bench.operations import QUESTIONS

CONNECTIONS = 8
SCHEDULED = Path("/proc/self/schedstat")
HUB, OPEN, FED, BARE = "hub", "hub without its proofs", "its statement, by hand", "bare SQL, by hand"


@dataclass
class Line:
    """One contender at one question, and what came of it."""

    name: str
    asked: str
    text: str
    port: int
    process: psutil.Process
    rounds: list[Round] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def rate(self) -> float:
        """Give requests a second, the median of the rounds."""
        return statistics.median(r.rate for r in self.rounds)

    @property
    def cpu(self) -> float:
        """Give the microseconds of CPU that a request takes, server and database together."""
        return statistics.median(map(sum, zip(self.server, self.database, strict=True)))

    def messages(self, partners: Partners, count: int) -> Iterator[bytes]:
        """Write a round's requests."""
        if self.name == HUB:
            return partners.to_hub(self.asked, QUESTIONS[self.asked], count)
        return partners.to_peer(self.asked, self.text, self.port, count)


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(what: str, given: dict[str, object]) -> "subprocess.Popen[bytes]":
    """Start a server of our own in a process of its own."""
    return subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-m", "bench.servers", what], env={**os.environ, "BENCH": json.dumps(given)}
    )


async def until_up(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until a server listens; tell whether it does."""
    for _ in range(3600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.poll() is not None:
                return False
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return True
    return False


def plain(answer: bytes) -> Any:
    """Give an answer as every contender should have it: lists without their connections, ids and times in one form."""

    def seen(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            if "edges" in value:
                return [seen(edge["node"]) for edge in value["edges"]]
            if "nodes" in value:
                return [seen(node) for node in value["nodes"]]
            inside = {**value, **value.get("file", {})}
            return {key: seen(inner, key) for key, inner in sorted(inside.items()) if key != "file"}
        if isinstance(value, list):
            return [seen(one) for one in value]
        if name.endswith("At") and isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
        return value.removeprefix("case_") if name == "id" and isinstance(value, str) else value

    told = json.loads(answer)
    if "errors" in told:
        raise RuntimeError(f"Not answered: {told['errors']}")
    return seen(told["data"])


def difference(one: Any, other: Any) -> list[str]:
    """Say where two answers first differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(([key, *difference(one[key], other[key])] for key in one if one[key] != other[key]), [])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next(([str(place), *difference(a, b)] for place, (a, b) in pairs if a != b), [])
    return [f"{str(one)[:120]} and not {str(other)[:120]}"]


async def agree(lines: Sequence[Line], partners: Partners, console: Console) -> None:
    """Ask everybody the same once, and raise RuntimeError where an answer is not the hub's."""
    for name in ("Q1", "Q2", "Q4"):
        answers = {
            line.name: plain(await once(line.port, next(line.messages(partners, 1))))
            for line in lines
            if line.asked == name
        }
        for who, answer in answers.items():
            if answer != answers[HUB]:
                where = " ".join(difference(answer, answers[HUB]))
                raise RuntimeError(f"{who} does not answer {name} as the hub does: {where}")
        console.print(f"{name}: the answers of {len(answers)} contenders agree", style="dim")


def spent(process: psutil.Process) -> dict[int, float]:
    """Give the CPU seconds that a process, and each of those it started, has used so far."""
    used = {}
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            used[one.pid] = _precisely(one.pid) if SCHEDULED.exists() else sum(one.cpu_times()[:2])
    return used


def since(before: dict[int, float], after: dict[int, float]) -> float:
    """Give the CPU seconds used between two moments, but for what has ended meanwhile."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def _precisely(pid: int) -> float:
    """Add up what the scheduler gave to each thread, in nanoseconds there; times elsewhere are hundredths of a second."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def measure(
    lines: Sequence[Line], partners: Partners, postgres: psutil.Process, rounds: int, seconds: float, console: Console
) -> None:
    """Run the rounds, the contenders in turn within each; the first warms."""
    for number in range(rounds + 1):
        await partners.sign_in()
        # Turned round each time, so that nobody always comes after the same.
        for line in lines if number % 2 else reversed(lines):
            lasting = seconds if number else 1.0
            count = int(max((r.rate for r in line.rounds), default=2500) * lasting * 1.5) + 200
            messages = line.messages(partners, count)
            before = spent(line.process), spent(postgres)
            result = await run(line.port, messages, CONNECTIONS, lasting)
            if number:
                line.rounds.append(result)
                line.server.append(since(before[0], spent(line.process)) / len(result.latencies) * 1e6)
                line.database.append(since(before[1], spent(postgres)) / len(result.latencies) * 1e6)
                line.memory = max(line.memory, line.process.memory_info().rss)
        console.print(f"round {number} of {rounds}" if number else "warm", style="dim")


def begin(given: dict[str, Any], sockets: str, stack: Any, console: Console) -> dict[str, tuple[int, Any]]:
    """Start everyone who takes part; name whoever cannot."""
    running: dict[str, tuple[int, Any]] = {}
    for name, what in ((HUB, "hub"), (OPEN, "open"), (FED, "fed"), (BARE, "bare")):
        port = given["port"] if name == HUB else free_port()
        running[name] = port, start(what, {**given, "port": port})
    for name in peers.PEERS:
        port = free_port()
        try:
            process = peers.start(name, {"port": port, "sockets": sockets, "database": given["database"], "pool": 8})
        except peers.PeerMissingError as missing:
            console.print(f"[bold]not measured: {name}[/]: {missing}")
            continue
        running[name] = port, process
    for _, process in running.values():
        stack.callback(process.wait)
        stack.callback(process.terminate)
    return running


async def lines_of(running: dict[str, tuple[int, Any]], console: Console) -> list[Line]:
    """Give who is asked what."""
    found: list[Line] = []
    for name, (port, process) in running.items():
        if not await until_up(port, process):
            console.print(f"[bold]not measured: {name}[/]: it did not start")
            continue
        for asked, question in QUESTIONS.items():
            text = question.tables if name == peers.ON_NODE["postgraphile"] else question.plain
            if name in (HUB, OPEN):
                text = question.hub if name == HUB or asked == "Q1" else ""
            elif name in (FED, BARE):
                text = "{ __typename }" if asked == "Q1" else ""
            if text:
                found.append(Line(name, asked, text, port, psutil.Process(process.pid)))
    return sorted(found, key=lambda line: list(QUESTIONS).index(line.asked))


def report(lines: Sequence[Line], rounds: int, seconds: float) -> Table:
    """Draw one table: medians over the rounds, and how the hub stands to each, round by round."""
    title = f"{CONNECTIONS} connections, 20 partners in turn, {rounds} interleaved rounds of {seconds:.0f} s, medians"
    table = Table(title=title)
    headings = (
        "question",
        "contender",
        "req/s",
        "p50 ms",
        "p99 ms",
        "server µs",
        "database µs",
        "RSS MB",
        "hub over it",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading in headings[:2] else "right", no_wrap=True)
    hubs = {line.asked: line for line in lines if line.name == HUB}
    for line in lines:
        ratios = [a.rate / b.rate for a, b in zip(hubs[line.asked].rounds, line.rounds, strict=True)]
        p50, p99 = (statistics.median(r.percentile(share) for r in line.rounds) * 1e3 for share in (0.5, 0.99))
        table.add_row(
            line.asked,
            line.name,
            f"{line.rate:.0f}",
            f"{p50:.1f}",
            f"{p99:.1f}",
            f"{statistics.median(line.server):.0f}",
            f"{statistics.median(line.database):.0f}",
            f"{line.memory / 2**20:.0f}",
            "" if line.name == HUB else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        )
    return table
