"""What tests of subscriptions share: a hub that listens, and clients that follow it by either protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time
from typing import Any

import httpx2
import websockets

from auth.client import Credentials, HubClient, over_httpx, proof
from hub.app import create_app
from hub.serve import listener, serving
from tests.world import KEYRING, World, _no_feed, key_of

EVENTS = "subscription { referralEvents { id kind status by { code } referral { reference } } }"
RETRACTIONS = "subscription { retractions { subject categories } }"
SENT: dict[str, Any] = {"shared_categories": ["OVERVIEW", "PROFILE", "IDENTITY"]}


@dataclass
class Hub:
    """A hub that listens at `issuer`, and the world behind it."""

    world: World
    issuer: str
    app: Any = None
    ahead: float = 0
    """How far its clock is ahead of ours, in seconds."""
    address: str = ""
    """Where another process of it listens, if that is the one to follow."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self) -> None:
        """Stop as a process does that is told to."""
        self.stopping.set()
        await asyncio.wait_for(self.stopped.wait(), 15)

    async def headers(self, client: str, method: str, token: str | None = None) -> dict[str, str]:
        """Sign a request of a client's, with a new token unless one is given."""
        token = token or await self.token(client)
        signed = proof(
            key_of(f"{client}'s proofs"), f"{self.issuer}/graphql", time(), method=method, access_token=token
        )
        return {"Authorization": f"DPoP {token}", "DPoP": signed}

    async def token(self, client: str) -> str:
        """Get a client a new token."""
        async with httpx2.AsyncClient() as http:
            return (await self.client(client, http).token()).value

    def client(self, name: str, http: httpx2.AsyncClient) -> HubClient:
        """Give a registered client as it speaks to this address."""
        url = self.issuer
        keys = key_of(name).as_dict(private=True, kid="1")
        credentials = Credentials(name, keys, url, f"{url}/oauth/token", f"{url}/graphql")
        return HubClient(credentials, over_httpx(http), proof_key=key_of(f"{name}'s proofs"))

    @asynccontextmanager
    async def stream(self, client: str, query: str, token: str | None = None, **body: Any) -> AsyncIterator["Stream"]:
        """Follow by server-sent events; it has begun when this returns."""
        headers = {**await self.headers(client, "POST", token), "Accept": "text/event-stream"}
        async with (
            httpx2.AsyncClient(timeout=60) as http,
            http.stream(
                "POST", f"{self.address or self.issuer}/graphql", json={"query": query, **body}, headers=headers
            ) as answer,
        ):
            made = Stream(answer)
            if answer.status_code == 200:
                assert await made.line() == ":"
            yield made

    @asynccontextmanager
    async def socket(self, client: str, token: str | None = None) -> AsyncIterator["Socket"]:
        """Open a WebSocket, and say connection_init."""
        headers = await self.headers(client, "GET", token)
        url = f"{(self.address or self.issuer).replace('http', 'ws', 1)}/graphql"
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"], additional_headers=headers) as raw:  # type: ignore[list-item] # a str of a kind of its own
            made = Socket(raw)
            await made.say(type="connection_init")
            assert await made.hear() == {"type": "connection_ack"}
            yield made

    async def happens(self, referral: Any, ordinal: int, by: str = "icorn") -> None:
        """Let a referral take a step, with its event, in one transaction."""
        async with self.world.admin.transaction():
            await step(self.world, self.world.admin, referral, ordinal, by)


async def step(world: World, connection: Any, referral: Any, ordinal: int, by: str = "icorn") -> None:
    """Write a step and its event."""
    organisation = world.organisations[by]
    await connection.execute(
        "insert into hub.referral_event (referral_id, ordinal, kind, status, organisation, at) values ($1, $2, 'IN_REVIEW', 'IN_REVIEW', $3, hub.hub_now())",
        referral, ordinal, organisation,
    )  # fmt: skip
    await connection.execute(
        "insert into hub.event (kind, organisation, referral_id, at) values ('referral.moved', $1, $2, hub.hub_now())",
        organisation, referral,
    )  # fmt: skip


class Stream:
    """A stream of events as it is read."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self.lines = answer.aiter_lines()

    async def line(self) -> str:
        """Read the next line that says something."""
        while True:
            line = await asyncio.wait_for(anext(self.lines), 30)
            if line:
                return line

    async def next(self) -> Any:
        """Read what the next event holds; None is `complete`."""
        while (line := await self.line()) == ":":
            pass
        data = (await self.line()).removeprefix("data:")
        return json.loads(data) if line == "event: next" else None


class Socket:
    """A WebSocket that speaks graphql-transport-ws."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.raw.send(json.dumps(message))

    async def hear(self) -> Any:
        """Read the next message that is no ping."""
        while (heard := json.loads(await asyncio.wait_for(self.raw.recv(), 30))) == {"type": "ping"}:
            pass
        return heard

    async def follow(self, name: str, query: str, **payload: Any) -> None:
        """Subscribe, and wait until it has begun."""
        await self.say(type="subscribe", id=name, payload={"query": query, **payload})
        await self.say(type="ping")
        assert await self.hear() == {"type": "pong"}

    async def closed(self) -> tuple[int, str]:
        """Wait for the end, and say how it was."""
        await asyncio.wait_for(self.raw.wait_closed(), 30)
        return self.raw.close_code, self.raw.close_reason


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[Hub]:
    """Let a world's hub listen on a port of loopback, by the real clock."""
    with listener("127.0.0.1", 0) as taken:
        issuer = f"http://127.0.0.1:{taken.getsockname()[1]}"
        hub = Hub(world, issuer)
        hub.app = create_app(issuer, KEYRING, world.app.state.pools, _no_feed, clock=lambda: time() + hub.ahead)
        begun = asyncio.Event()

        async def serve() -> None:
            async with serving(hub.app, taken):
                begun.set()
                await hub.stopping.wait()
            hub.stopped.set()

        task = asyncio.create_task(serve())
        await begun.wait()
        try:
            yield hub
        finally:
            hub.stopping.set()
            await task
            await hub.app.state.refresher.close()
