"""`make bench-connections`: thousands of idle subscriptions on one hub process, what they take, and how long an event is on its way to those who see it.

The hub, PostgreSQL, and whoever follows are each a process of their own. A few of the organisations are told of events; the rest are idle.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
import uvloop
import websockets
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table

from auth.client import Credentials, HubClient, over_httpx, proof
from auth.clients import register_client
from auth.keyring import Keyring
from bench.world import DATABASE
from hub.connections import raise_file_limit
from hub.embedded import ADMIN, Server, dsns, embedded_server
from hub.migrate import ensure_roles, migrate
from hub.postgres import connect

QUERY: Final = "subscription { referralEvents { id kind status by { code } } }"
FOLLOWERS: Final = {"one": 1, "ten": 10, "crowd": 250}
"""Organisations that are told of events, and their connections."""
EACH: Final = 500
"""Connections of an organisation that is idle."""
EVENTS: Final = 40
AT_ONCE: Final = 32
IDLE: Final = 30.0
"""Seconds for which the hub is watched with nothing to do."""
SERVE: Final = [sys.executable, "-c", "from hub.cli import main; main()", "serve"]
console = Console(width=max(120, Console().width))


@dataclass(frozen=True)
class Member:
    """An organisation: its client, how many connections it holds, and its referral."""

    code: str
    connections: int
    private_jwk: dict[str, Any]
    referral: str


async def fill(server: Server, wanted: int) -> list[Member]:
    """Migrate, and put organisations there, each with a client and a referral to ICORN."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute(f"create database {DATABASE}")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, DATABASE))
    await migrate(server.dsn("hub_migrate", DATABASE))
    admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
    add = "insert into organisation (code, name, kind) values ($1, $1, $2::text::organisation_kind) returning id"
    refer = (
        "insert into referral (id, sender, recipient, status, urgency, discipline, origin, submitted_at, updated_at, client, shared_categories)"
        " values (gen_random_uuid(), $1, $2, 'SUBMITTED', 'ROUTINE', 'WRITER', 'XA', now(), now(), $3, '{OVERVIEW}') returning id::text"
    )
    icorn = await admin.fetchval(add, "icorn", "ICORN")
    left, counts = wanted - sum(FOLLOWERS.values()), dict(FOLLOWERS)
    for number in range(-(-left // EACH)):
        counts[f"idle-{number}"] = min(EACH, left - number * EACH)
    members = []
    for code, count in counts.items():
        organisation, key = await admin.fetchval(add, code, "SISTER"), ECKey.generate_key("P-256")
        await register_client(
            admin, organisation=organisation, client_id=code, name=code, scopes=["referrals:read"], purpose="PROTECTION",
            jwks={"keys": [key.as_dict(private=False, kid="1")]}, limits={"concurrency": 1000, "cost_per_minute": 10**9},
        )  # fmt: skip
        referral = await admin.fetchval(refer, organisation, icorn, code)
        members.append(Member(code, count, dict(key.as_dict(private=True, kid="1")), referral))
    await admin.close()
    return members


async def happen(admin: Any, member: Member, ordinal: int) -> float:
    """Commit a step of a member's referral; give the time at which that was done."""
    async with admin.transaction():
        await admin.execute(
            "insert into referral_event (referral_id, ordinal, kind, status, organisation, at)"
            " select $1::text::uuid, $2, 'IN_REVIEW', 'IN_REVIEW', id, now() from organisation where kind = 'ICORN'",
            member.referral,
            ordinal,
        )
        await admin.execute(
            "insert into event (kind, organisation, referral_id, at) select 'referral.moved', id, $1::text::uuid, now() from organisation where kind = 'ICORN'",
            member.referral,
        )
    return time.monotonic()


class Crowd:
    """All that follow, in a process of their own: it says what it has to say in lines of JSON."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.port, self.way, self.members = given["port"], given["way"], given["members"]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.heard: list[tuple[str, int, float]] = []
        self.begun = 0
        self.room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Connect everyone, wait until there is nothing more to hear, and tell when who heard what."""
        key, tasks = ECKey.generate_key("P-256"), []
        async with httpx2.AsyncClient() as http:
            for code, count, private in self.members:
                credentials = Credentials(
                    code, private, self.issuer, f"{self.issuer}/oauth/token", f"{self.issuer}/graphql"
                )
                token = (await HubClient(credentials, over_httpx(http), proof_key=key).token()).value
                tasks += [asyncio.create_task(self.follow(code, key, token)) for _ in range(count)]
        while self.begun < len(tasks):
            await asyncio.wait(tasks, timeout=0.2)
            for task in tasks:
                if task.done():
                    task.result()
        _say("begun")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        _say(self.heard)
        os._exit(0)

    async def follow(self, code: str, key: ECKey, token: str) -> None:
        """Hold one connection."""
        async with self.room:
            method = "GET" if self.way == "websocket" else "POST"
            signed = proof(key, f"{self.issuer}/graphql", time.time(), method=method, access_token=token)
            headers = {"Authorization": f"DPoP {token}", "DPoP": signed}
            messages = self.socket(headers) if self.way == "websocket" else self.stream(headers)
            await anext(messages)
            self.begun += 1
        async for message in messages:
            at, told = time.monotonic(), json.loads(message)
            ordinal = told.get("payload", told)["data"]["referralEvents"]["id"].rpartition("_")[2]
            self.heard.append((code, int(ordinal), at))

    async def stream(self, headers: dict[str, str]) -> Any:
        """Give what is told by server-sent events; first that it has begun."""
        body = json.dumps({"query": QUERY}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = ["POST /graphql HTTP/1.1", "Host: hub", "Content-Type: application/json", "Accept: text/event-stream", f"Content-Length: {len(body)}"]  # fmt: skip
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        while (line := await reader.readline()) != b":\n":
            if not line:
                raise RuntimeError("The hub refused a connection.")
        yield b""
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                yield line.removeprefix(b"data: ")

    async def socket(self, headers: dict[str, str]) -> Any:
        """Give what is told on a WebSocket; first that it has begun."""
        async with websockets.connect(
            self.issuer.replace("http", "ws", 1) + "/graphql", subprotocols=["graphql-transport-ws"], additional_headers=headers, compression=None  # type: ignore[list-item] # a str of a kind of its own
        ) as raw:  # fmt: skip
            for message in ({"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": {"query": QUERY}}, {"type": "ping"}):  # fmt: skip
                await raw.send(json.dumps(message))
            while (await raw.recv(decode=False)) != b'{"type":"pong"}':
                pass
            yield b""
            async for told in raw:
                text = told.encode() if isinstance(told, str) else told
                if b'"next"' in text:
                    yield text


def _say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


async def measure(count: int, way: str) -> None:
    """Set up everything, connect, wait, let things happen, and print the table."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        keys = Path(name) / "keys.json"
        Keyring.create(keys)
        with embedded_server(Path(name) / "postgres", {"shared_buffers": "256MB"}) as server:
            members = await fill(server, count)
            port = 8987
            urls = {f"HUB_{setting}_URL": dsns(server, DATABASE)[role] for setting, role in (("DATABASE", "hub_app"), ("AUTH_DATABASE", "hub_auth"), ("WORKER_DATABASE", "hub_worker"))}  # fmt: skip
            given = {"HUB_ISSUER": f"http://127.0.0.1:{port}", "HUB_PORT": str(port), "HUB_KEYS_FILE": str(keys), **urls}  # fmt: skip
            hub = await asyncio.create_subprocess_exec(
                *SERVE, env={**os.environ, **given}, stderr=asyncio.subprocess.PIPE
            )
            try:
                assert hub.stderr is not None  # noqa: S101 it is piped
                while b"hub.serving" not in await hub.stderr.readline():
                    pass
                await watched(server, psutil.Process(hub.pid), members, port, way)
            finally:
                hub.terminate()
                await hub.communicate()


async def watched(server: Server, hub: psutil.Process, members: list[Member], port: int, way: str) -> None:
    """Watch the hub before, while and after everyone is there."""
    empty, started = hub.memory_info().rss, time.monotonic()
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.connections", "crowd", stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**26,
        env={**os.environ, "BENCH": json.dumps({"port": port, "way": way, "members": [(m.code, m.connections, m.private_jwk) for m in members]})},
    )  # fmt: skip
    assert crowd.stdin is not None  # noqa: S101 both are piped
    assert crowd.stdout is not None  # noqa: S101 as above
    assert json.loads(await crowd.stdout.readline() or b"null") == "begun"  # noqa: S101 or it says why
    took, full, used = time.monotonic() - started, hub.memory_info().rss, sum(hub.cpu_times()[:2])
    await asyncio.sleep(IDLE)
    idle = (sum(hub.cpu_times()[:2]) - used) / IDLE
    admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
    committed = {}
    for ordinal in range(1, EVENTS + 1):
        for member in members[: len(FOLLOWERS)]:
            committed[member.code, ordinal] = await happen(admin, member, ordinal)
            # Not in step with the clock that events are told by.
            await asyncio.sleep(0.37)
    await asyncio.sleep(3)
    await admin.close()
    crowd.stdin.write(b"\n")
    delays = defaultdict(list)
    for code, ordinal, at in json.loads(await crowd.stdout.readline()):
        delays[code].append((at - committed[code, ordinal]) * 1e3)
    report(members, way, {"took": took, "each": (full - empty) / sum(m.connections for m in members), "idle": idle, "full": full}, delays)  # fmt: skip


def report(members: list[Member], way: str, found: dict[str, float], delays: dict[str, list[float]]) -> None:
    """Print what was measured."""
    total = sum(member.connections for member in members)
    console.print(f"{total} subscriptions by {way}, one hub process: connected in {found['took']:.0f} s ({total / found['took']:.0f} a second)")  # fmt: skip
    console.print(f"memory: {found['full'] / 2**20:.0f} MB, {found['each'] / 1024:.1f} KB for each connection; idle, {found['idle'] * 100:.1f} % of a processor")  # fmt: skip
    table = Table(title=f"from commit to the follower, {EVENTS} events each, told at ticks of 250 ms")
    for heading in ("followers", "told", "of", "median ms", "p99 ms", "most ms"):
        table.add_column(heading, justify="right")
    for code, count in FOLLOWERS.items():
        each = sorted(delays[code]) or [float("nan")]
        table.add_row(
            str(count), str(len(delays[code])), str(count * EVENTS), f"{statistics.median(each):.0f}", f"{each[int(len(each) * 0.99) - 1]:.0f}", f"{each[-1]:.0f}"
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    raise_file_limit()
    if sys.argv[1:] == ["crowd"]:
        uvloop.run(Crowd(json.loads(os.environ["BENCH"])).run())
    else:
        parser = argparse.ArgumentParser(prog="python -m bench.connections", description=__doc__)
        parser.add_argument("count", nargs="?", type=int, default=5000, help="subscriptions to hold (at least 261)")
        parser.add_argument("--by", choices=["events", "websocket"], default="events", help="the protocol")
        wanted = parser.parse_args()
        uvloop.run(measure(wanted.count, wanted.by))
