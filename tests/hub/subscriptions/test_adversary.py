"""A client with a good token and bad intentions takes nothing from others: neither their events nor the process's memory."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import pytest
import websockets
from websockets.frames import Frame, Opcode

from hub import connections
from hub.subscriptions import line, outbox, standing
from tests.hub.subscriptions.kit import EVENTS, Hub, Socket, listening
from tests.world import World

UPGRADE = "GET /graphql HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


async def goes_on(hub: Hub, referral: Any, other: Socket, ordinal: int) -> None:
    """See that another client is told of an event."""
    await hub.happens(referral, ordinal)
    assert (await other.hear())["payload"]["data"]["referralEvents"]["id"].endswith(f"_{ordinal}")


@asynccontextmanager
async def deaf(hub: Hub, client: str, query: str = EVENTS) -> AsyncIterator[sockets.socket]:
    """Follow by server-sent events, and read nothing of them."""
    headers = {**await hub.headers(client, "POST"), "Accept": "text/event-stream", "Content-Type": "application/json"}
    body = json.dumps({"query": query}).encode()
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.setblocking(False)  # noqa: FBT003 as it is called
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(raw, ("127.0.0.1", int(hub.issuer.rpartition(":")[2])))
        lines = ["POST /graphql HTTP/1.1", "Host: hub", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in headers.items())]  # fmt: skip
        await loop.sock_sendall(raw, "\r\n".join([*lines, "", ""]).encode() + body)
        while not (await loop.sock_recv(raw, 1)).startswith(b":"):
            pass
        yield raw
    finally:
        raw.close()


async def gone(held: set[Any], left: int) -> None:
    """Wait until so many connections are left."""
    while len(held) > left:  # noqa: ASYNC110 nobody is told when a connection ends
        await asyncio.sleep(0.01)


HEAVY = f"subscription {{ referralEvents {{ {' '.join(f'a{n}: id' for n in range(2000))} }} }}"


async def test_who_does_not_read_ends_alone_and_holds_little(
    hub: Hub, referral: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is bounded in bytes, and let go of when it ends; others are told all the while."""
    monkeypatch.setattr(line, "ROOM", 64 * 1024)
    monkeypatch.setattr(line, "PATIENCE", 0.2)
    monkeypatch.setattr(line, "FAREWELL", 0.1)
    held = hub.app.state.exchange.standing._held  # noqa: SLF001 nobody else asks who is there
    async with hub.socket("desk") as other, deaf(hub, "pen", HEAVY):
        await other.follow("1", EVENTS)
        (slow,) = [one for one in held if one.principal.client == "pen"]
        ordinal = 2
        while slow.end is None:
            await goes_on(hub, referral, other, ordinal)
            ordinal += 1
            assert slow._bytes < 64 * 1024 + 256 * 1024  # noqa: SLF001 what is promised is what it holds
        assert slow.end.code == "TOO_SLOW"
        await gone(held, 1)
        assert not slow._waiting  # noqa: SLF001 as above
        await goes_on(hub, referral, other, ordinal)


@pytest.mark.usefixtures("hub")
async def test_who_reads_nothing_at_all_is_cut_off_by_the_system(
    world: World, referral: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little was sent to it; so that what the hub has ended holds no socket either."""
    monkeypatch.setattr(connections, "UNREAD", 300)
    async with listening(world) as hub, hub.socket("desk") as other, deaf(hub, "pen", HEAVY):
        held = hub.app.state.exchange.standing._held  # noqa: SLF001 nobody else asks who is there
        await other.follow("1", EVENTS)
        for ordinal in count(2):
            await goes_on(hub, referral, other, ordinal)
            if len(held) == 1:
                break


async def test_a_crowd_of_one_organisation_holds_up_nobody_else(hub: Hub, referral: Any) -> None:
    """While all that it may read at once is being read, and more waits, another organisation is told."""
    mine = await hub.world.referral("arts-haven")
    async with hub.socket("pen") as other, hub.socket("arts") as crowd, AsyncExitStack() as reading:
        await other.follow("1", EVENTS)
        for number in range(line.READERS + 1):
            await crowd.follow(str(number), EVENTS)
        for _ in range(line.OWN_READERS):
            await reading.enter_async_context(hub.app.state.exchange.own_readers[hub.world.organisations["arts-haven"]])
        await hub.happens(mine, 2, by="arts-haven")
        await goes_on(hub, referral, other, 2)


async def test_more_than_can_be_read_ends_who_follows_it_alone(
    hub: Hub, referral: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inbox has a bound: whoever has too many events before it ends, and whoever has fewer goes on."""
    monkeypatch.setattr(outbox, "UNREAD", 3)
    mine = await hub.world.referral("arts-haven")
    async with hub.socket("pen") as few, hub.socket("arts") as many:
        await few.follow("1", EVENTS)
        await many.follow("1", EVENTS)
        async with AsyncExitStack() as nobody_reads:
            for _ in range(line.READERS):
                await nobody_reads.enter_async_context(hub.app.state.exchange.readers)
            for ordinal in range(2, 8):
                await hub.happens(mine, ordinal, by="arts-haven")
            await hub.happens(referral, 2)
            error, closed = await many.hear(), await many.closed()
        told = await few.hear()

    assert (error["payload"][0]["extensions"]["code"], closed[0]) == ("TOO_SLOW", 1013)
    assert told["payload"]["data"]["referralEvents"]["id"].endswith("_2")


async def test_what_is_malformed_ends_the_connection_that_said_it(hub: Hub, referral: Any) -> None:
    """Broken UTF-8, a frame too large, no end of pieces or pings, binary, and what is no message: each by its code, and none reaches others."""
    async with hub.socket("desk") as other:
        await other.follow("1", EVENTS)
        said: dict[str, list[Any]] = {
            "broken UTF-8": [Frame(Opcode.TEXT, b'{"type":"\xff\xfe"}')],
            "too large a frame": [Frame(Opcode.TEXT, b" " * (5 * 1024 * 1024))],
            "too large a message": [Frame(Opcode.TEXT, b" " * (4 * 1024 * 1024))],
            "no end of pieces": [Frame(Opcode.TEXT, b" ", fin=False)] + [Frame(Opcode.CONT, b"", fin=False)] * 2000,
            "no end of pings": [Frame(Opcode.PING, b"x" * 125)] * (connections.PINGS + 1),
            "binary": [Frame(Opcode.BINARY, b"{}")],
            "no message": [Frame(Opcode.TEXT, b'["type"]')],
            "too deep": [Frame(Opcode.TEXT, b'{"type":"ping","payload":' + b"[" * 200_000)],
        }
        found = {}
        for what, frames in said.items():
            async with hub.socket("pen") as bad:
                bad.raw.transport.write(b"".join(frame.serialize(mask=True) for frame in frames))
                found[what] = (await bad.closed())[0]
        await goes_on(hub, referral, other, 2)

    assert found == {
        "broken UTF-8": 1007, "too large a frame": 1009, "too large a message": 4400, "no end of pieces": 1008, "no end of pings": 1008,
        "binary": 4400, "no message": 4400, "too deep": 4400,
    }  # fmt: skip


async def test_thousands_of_subscriptions_on_one_connection_are_refused_and_cost(hub: Hub, referral: Any) -> None:
    """All but as many as a client may have get an error; each costs, so that in the end the budget ends the connection. Others go on."""
    await hub.world.client("flood", "arts-haven", limits={"concurrency": 3, "cost_per_minute": 50_000})
    async with hub.socket("pen") as other, hub.socket("flood") as flood:
        await other.follow("1", EVENTS)
        for number in range(1000):
            await flood.say(type="subscribe", id=str(number), payload={"query": EVENTS})
        codes: list[Any] = []
        try:
            while True:
                heard = await flood.hear()
                codes.append(heard["payload"][0]["extensions"].get("limit"))
        except websockets.ConnectionClosed:
            closed = await flood.closed()
        await goes_on(hub, referral, other, 2)
        under_way = hub.app.state.under_way.count("flood")

    assert closed == (1013, "The client's budget of this minute is spent: connect again after it.")
    assert codes.count("concurrency") > 100
    assert under_way == 0


async def test_what_is_asked_wrongly_is_told_and_ends_nothing(hub: Hub) -> None:
    """A subscription that is none, or names its document by no means or by two, is answered under its id; its place is free again."""
    await hub.world.client("few", "pen-centre", limits={"concurrency": 2})
    async with hub.socket("few") as socket:
        for number, payload in enumerate(({}, {"query": EVENTS, "documentId": "sha256:x"}, {"query": "{ viewer { clientId } }"}, {"query": "subscription {"}, {"documentId": "x"})):  # fmt: skip
            await socket.say(type="subscribe", id=str(number), payload=payload)
            heard = await socket.hear()
            assert (heard["id"], heard["type"]) == (str(number), "error"), heard
        await socket.follow("last", EVENTS)


async def test_a_process_holds_as_many_connections_as_it_can_and_says_so(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By either protocol, before anything is promised; whoever is there stays."""
    async with hub.socket("pen") as first:
        monkeypatch.setattr(standing, "MOST", 1)
        async with hub.stream("pen", EVENTS) as stream:
            told = json.loads(await stream.answer.aread())
            status, wait = stream.answer.status_code, stream.answer.headers["retry-after"]
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with hub.socket("desk"):
                pass
        await first.follow("1", EVENTS)

    assert (status, wait, told["errors"][0]["extensions"]["code"]) == (503, "1", "SERVICE_UNAVAILABLE")
    assert refused.value.response.status_code == 503


async def test_who_goes_away_by_half_or_comes_by_and_by_is_let_go(
    hub: Hub, referral: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is shut for writing, and an upgrade that never ends, hold nothing; who had one goes on."""
    held = hub.app.state.exchange.standing._held  # noqa: SLF001 nobody else asks who is there
    async with hub.socket("desk") as other:
        await other.follow("1", EVENTS)
        async with deaf(hub, "pen") as half:
            half.shutdown(sockets.SHUT_WR)
            await gone(held, 1)
        monkeypatch.setattr(connections, "WHOLE", 0.2)
        port = int(hub.issuer.rpartition(":")[2])
        for begun in ("", "G", UPGRADE, f"{UPGRADE}Authorization: DPoP "):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun.encode())
            assert await asyncio.wait_for(_rest(reader), 20) == b""
            writer.close()
        await goes_on(hub, referral, other, 2)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_a_token_in_the_url_or_of_another_kind_opens_nothing(hub: Hub) -> None:
    """The upgrade is judged like any request: no token, no proof, a proof for POST, a proof twice, a token in the URL, another subprotocol."""
    url = f"{hub.issuer.replace('http', 'ws', 1)}/graphql"
    good, used = await hub.headers("pen", "GET"), await hub.headers("pen", "GET")
    token = good["Authorization"].removeprefix("DPoP ")
    async with websockets.connect(url, subprotocols=["graphql-transport-ws"], additional_headers=used):  # type: ignore[list-item] # a str of a kind of its own
        pass
    tries: tuple[tuple[str, dict[str, str], str], ...] = (
        (url, {}, "graphql-transport-ws"),
        (url, {"Authorization": good["Authorization"]}, "graphql-transport-ws"),
        (url, await hub.headers("pen", "POST"), "graphql-transport-ws"),
        (url, used, "graphql-transport-ws"),
        (f"{url}?access_token={token}", {}, "graphql-transport-ws"),
        (url, {**good, "Authorization": f"Bearer {token}"}, "graphql-transport-ws"),
        (url, good, "graphql-ws"),
    )
    found = []
    for where, headers, spoken in tries:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(where, subprotocols=[spoken], additional_headers=headers).__aenter__()  # type: ignore[list-item] # as above
        found.append(refused.value.response.status_code)

    assert found == [401, 401, 401, 401, 400, 401, 400]
