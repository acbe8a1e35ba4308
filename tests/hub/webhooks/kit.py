"""What tests of webhooks share: receivers that listen on loopback and can be made to fail, and a worker's rounds to tell them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from standardwebhooks import Webhook as Verifier

from auth.clock import Clock
from hub.engine.execute import Engine
from hub.webhooks.courier import Courier
from hub.webhooks.rounds import Rounds
from hub.worker import make_rounds
from tests.hub.subscriptions.kit import step
from tests.world import KEYRING, World

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
CREATE = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret problems { code } } }"
KINDS = ["IN_REVIEW", "ACCEPTED"]


@dataclass
class Receiver:
    """A partner's server: what was sent to it, and how it answers; the last of `answers` is given again and again."""

    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where messages go."""
        return f"http://{self.host}/events"

    @property
    def bodies(self) -> list[bytes]:
        """What it was told."""
        return [body for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        """The names of its messages."""
        return [headers["webhook-id"] for headers, _ in self.got]

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a message, or fail as it was told to."""
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.came.set()
        answer = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]) if self.answers else status(204)
        return await answer(request)


def status(code: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    """Hang up without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def endless(request: web.Request) -> web.StreamResponse:
    """Say that it is well, and go on talking."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"secret of the receiver " * 1000)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Let a receiver listen."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Post:
    """A world whose worker tells webhooks when a test says so."""

    world: World
    courier: Courier
    rounds: Rounds

    async def webhook(self, client: str, receiver: Receiver, kinds: list[str] | None = None) -> str:
        """Create one; give its secret."""
        made = (await self.world.data(client, CREATE, {"input": given(self.world, client, receiver.url, kinds)}))[
            "createWebhook"
        ]
        assert made["problems"] == []
        secret: str = made["secret"]
        return secret

    async def tell(self) -> None:
        """Tell every webhook what is due, as a worker does at one tick."""
        await self.rounds.look()
        await self.rounds.settle()

    async def happens(self, referral: UUID, ordinal: int, by: str = "icorn") -> None:
        """Let a referral take a step."""
        async with self.world.admin.transaction():
            await step(self.world, self.world.admin, referral, ordinal, by)

    async def later(self, **more: float) -> None:
        """Move the clock."""
        await later(self.world, **more)

    async def state(self, url: str) -> dict[str, Any]:
        """Look at a webhook's row."""
        return dict(await self.world.admin.fetchrow("select * from webhook where url = $1", url))


async def later(world: World, **more: float) -> None:
    """Move the clock of a world."""
    await world.set_now(datetime.fromtimestamp(world.now, UTC) + timedelta(**more))


def given(world: World, client: str, url: str, kinds: list[str] | None = None) -> dict[str, Any]:
    """Give the input of a webhook of a client's own organisation."""
    own = {"pen": "pen-centre", "arts": "arts-haven", "desk": "icorn"}[client]
    assert own in world.organisations
    return {
        "idempotencyKey": str(uuid4()),
        "organisation": f"organisation_{own}",
        "url": url,
        "events": KINDS if kinds is None else kinds,
    }


def reachable(world: World, *hosts: str) -> None:
    """Let private hosts be named as webhooks."""
    engine: Engine = world.app.state.engine
    world.app.state.engine = replace(engine, private_hosts=engine.private_hosts | frozenset(hosts))


@asynccontextmanager
async def post(world: World, *receivers: Receiver, seconds: float = 5) -> AsyncIterator[Post]:
    """Let a world's worker reach receivers."""
    hosts = [receiver.host for receiver in receivers]
    reachable(world, *hosts)
    async with Courier(frozenset(hosts), seconds=seconds) as courier:
        made = rounds(world, courier)
        try:
            yield Post(world, courier, made)
        finally:
            await made.close()


def rounds(world: World, courier: Courier, clock: Clock = time) -> Rounds:
    """Make a worker's rounds, without chance."""
    return make_rounds(world.app.state.pools.worker, KEYRING, courier, clock=clock, chance=lambda: 0.5, tick=0)


def verified(secret: str, message: tuple[dict[str, str], bytes]) -> Any:
    """Read a message as a partner does, by the published package; raises what it raises."""
    headers, body = message
    return Verifier(secret).verify(body, headers)
