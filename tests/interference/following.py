"""This module follows subscriptions at a hub without a network between, and lets things happen meanwhile."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from auth.client import Answer
from hub.subscriptions.outbox import Happened, Outbox
from hub.subscriptions.standing import Standing
from tests.world import World

NEXT: Final = "event: next\ndata: "
STEP: Final = (
    "insert into referral_event (referral_id, ordinal, kind, status, organisation, at) select r.id,"
    " (select coalesce(max(e.ordinal), 0) + 1 from referral_event e where e.referral_id = r.id), 'IN_REVIEW', 'IN_REVIEW', r.recipient, hub_now()"
    " from referral r where {which}"
)
MOVED: Final = "insert into event (kind, organisation, referral_id, at) select 'referral.moved', r.recipient, r.id, hub_now() from referral r where {which} order by r.id"
RETRACTED: Final = (
    "insert into event (kind, organisation, audience, retraction_id, at)"
    " select 'retraction.made', r.organisation, r.organisation, r.id, hub_now() from retraction r where {which} order by r.id"
)
Message = dict[str, Any]


class Everyone(Outbox):
    """An outbox that has everyone look at everything: what is told is left to the walls. No hub is built so."""

    def _deliver(self, event: Happened, organisations: list[int]) -> None:
        del organisations
        super()._deliver(event, [organisation for _, organisation in tuple(self._inboxes)])


def let_everyone_look(hub: World) -> None:
    """Have a hub's followers look at every event."""
    exchange, pools = hub.app.state.exchange, hub.app.state.pools
    outbox = Everyone(pools.worker)
    hub.app.state.exchange = replace(exchange, outbox=outbox, standing=Standing(pools.auth, outbox))


class Ear:
    """One connection to a hub, and what was told on it, message by message."""

    def __init__(self, hub: World, scope: Mapping[str, Any], *said: Message) -> None:
        self.told: list[Message] = []
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._more = asyncio.Event()
        for message in said:
            self._said.put_nowait(message)
        whole = {"asgi": {"version": "3.0"}, "http_version": "1.1", "server": None, "client": None, "root_path": "", "query_string": b"", **scope}  # fmt: skip
        self._talk = asyncio.ensure_future(hub.app(whole, self._said.get, self._tell))
        self._talk.add_done_callback(lambda _: self._more.set())

    @property
    def open(self) -> bool:
        """Tell whether it goes on."""
        return not self._talk.done()

    async def _tell(self, message: Any) -> None:
        self.told.append(dict(message))
        self._more.set()

    async def hear(self, kind: str, times: int = 1) -> None:
        """Wait until so many messages of a kind have been told, or it has ended."""
        while self.open and sum(message["type"] == kind for message in self.told) < times:
            self._more.clear()
            await self._more.wait()

    def say(self, **message: Any) -> None:
        """Say something on a WebSocket."""
        self._said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def close(self, how: str) -> None:
        """Go away."""
        self._said.put_nowait({"type": how, "code": 1000})
        with suppress(asyncio.CancelledError):
            await self._talk


def _scope(kind: str, url: str, headers: Mapping[str, str]) -> Message:
    path = urlsplit(url).path
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "path": path, "raw_path": path.encode(), "headers": raw}


async def streamed(hub: World, url: str, headers: Mapping[str, str], body: bytes) -> Ear:
    """Follow by server-sent events; it has begun, or was refused, when this returns."""
    scope = _scope("http", url, {**headers, "Accept": "text/event-stream"}) | {"method": "POST", "scheme": "https"}
    ear = Ear(hub, scope, {"type": "http.request", "body": body, "more_body": False})
    await ear.hear("http.response.body")
    return ear


async def spoken_to(hub: World, url: str, headers: Mapping[str, str], queries: Mapping[str, str]) -> Ear:
    """Follow by a WebSocket; all of it has begun when this returns."""
    more = {"scheme": "wss", "subprotocols": ["graphql-transport-ws"], "extensions": {"websocket.http.response": {}}}
    ear = Ear(hub, _scope("websocket", url, headers) | more, {"type": "websocket.connect"})
    ear.say(type="connection_init")
    for name, query in queries.items():
        ear.say(type="subscribe", id=name, payload={"query": query})
    ear.say(type="ping")
    await ear.hear("websocket.send", 2)
    return ear


async def happens(hub: World, steps: str = "true", retractions: str = "true") -> None:
    """Let something happen to referrals, and then to retractions: to all, unless SQL says which."""
    async with hub.admin.transaction():
        for statement in (STEP, MOVED):
            await hub.admin.execute(statement.format(which=steps))
    await hub.admin.execute(RETRACTED.format(which=retractions))


async def caught_up(hub: World) -> None:
    """Wait until all that is committed by now has been read, and what came of it has gone out."""
    outbox = hub.app.state.exchange.outbox
    until = int(await hub.admin.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))
    while outbox._running is not None and outbox._since < until:  # noqa: SLF001 a test alone needs to know
        outbox._called = True  # noqa: SLF001 as above
        await outbox.tick()
    while any(inbox._unfinished_tasks for place in outbox._inboxes.values() for inbox in place):  # noqa: SLF001 as above
        await outbox.tick()
    for _ in range(5):
        await asyncio.sleep(0)


async def rest(hub: World) -> None:
    """Have nobody read the outbox until somebody follows again: while it is read, that goes by a clock, whoever asks for what."""
    outbox = hub.app.state.exchange.outbox
    running, outbox._running = outbox._running, None  # noqa: SLF001 as above
    if running is not None:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def followed(hub: World, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Follow while everything happens once; give all that was told, piece by piece."""
    ear = await streamed(hub, url, headers, body)
    if ear.open:
        await happens(hub)
        await caught_up(hub)
        await ear.close("http.disconnect")
    start, *pieces = ear.told
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    if not told["content-type"].startswith("text/event-stream"):
        return Answer(start["status"], told, b"".join(piece["body"] for piece in pieces))
    return Answer(start["status"], told, json.dumps([piece["body"].decode() for piece in pieces]).encode())


def answers(told: Any) -> list[Any]:
    """Find the events in what was told piece by piece."""
    return [json.loads(piece.removeprefix(NEXT))["data"] for piece in told if piece.startswith(NEXT + '{"data"')]
