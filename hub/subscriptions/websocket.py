"""This module speaks graphql-transport-ws over a WebSocket that was opened with a token and a proof, like any request."""

import asyncio
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Final

import msgspec
import structlog
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from auth.principal import Principal
from auth.resource import AuthError
from hub.engine.documents import UNFIT, RequestRefusedError, TooManyRequestsError
from hub.engine.execute import enter
from hub.engine.limits import problem
from hub.graphql import Told, admitted, refusal, spend
from hub.postgres import UNREACHABLE
from hub.request import NEW, Asked, NotWellFormedError, complete
from hub.subscriptions import ends
from hub.subscriptions.beginning import begun, payload
from hub.subscriptions.line import FAREWELL, Line
from schema.directives import OPERATION

PROTOCOL: Final = "graphql-transport-ws"
PATIENCE: Final = 3.0
"""Seconds within which a client says connection_init."""
LONGEST_ID: Final = 200
QUIET: Final = b'{"type":"ping"}'


log = structlog.get_logger(__name__)


class Message(msgspec.Struct):
    """What a client sends."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


_DECODER: Final = msgspec.json.Decoder(Message)
_ASKED: Final = msgspec.json.Decoder(Asked)


async def converse(websocket: WebSocket) -> None:
    """Open a connection, and hold it until one side ends it."""
    websocket.state.told = Told(kind=NEW)
    async with AsyncExitStack() as stack:
        try:
            same_language(websocket)
            principal = await admitted(websocket, "GET")
            stack.enter_context(websocket.app.state.under_way.one_more(principal))
            line = Line(websocket.app.state.exchange, principal)
            await stack.enter_async_context(line.watched())
            await enter(websocket.app.state.engine, principal)
        except Exception as error:  # noqa: BLE001 every one has its answer
            await websocket.send_denial_response(refusal(websocket, error))
            return
        nonce = websocket.app.state.resource.next_nonce()
        await websocket.accept(PROTOCOL, [(b"dpop-nonce", nonce.encode())] if nonce else [])
        await _Conversation(websocket, principal, line).run()


def same_language(websocket: WebSocket) -> None:
    """Raise NotWellFormedError where the client does not offer the one subprotocol."""
    if PROTOCOL not in websocket.scope["subprotocols"]:
        raise NotWellFormedError(f"The subprotocol spoken here is {PROTOCOL}.")


class _Conversation:
    def __init__(self, websocket: WebSocket, principal: Principal, line: Line) -> None:
        self.websocket, self.principal, self.line = websocket, principal, line
        self.begun = False
        self.followed: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Hear and tell until the line ends; then say why."""
        tasks = [asyncio.create_task(work) for work in (self._hear(), self._tell(), self._wait())]
        await self.line.ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        why = self.line.end
        if why is not None and why is not ends.GONE and self.websocket.application_state is WebSocketState.CONNECTED:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(FAREWELL):
                    for name in self.followed:
                        await self._send(_message(name, "error", msgspec.json.encode([why.error])))
                    await self.websocket.close(why.close, why.words)

    async def _wait(self) -> None:
        await asyncio.sleep(PATIENCE)
        if not self.begun:
            self.line.finish(ends.LATE)

    async def _tell(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._send(await self.line.next() or QUIET)
        self.line.finish(ends.GONE)

    async def _send(self, message: bytes) -> None:
        await self.websocket.send_text(message.decode())

    async def _hear(self) -> None:
        while self.line.end is None:
            heard = await self.websocket.receive()
            if heard["type"] == "websocket.disconnect":
                self.line.finish(ends.GONE)
                return
            text = heard.get("text") or ""
            # Many messages can lie ready at once: others have their turn in between.
            await asyncio.sleep(0)
            try:
                # Whatever is said costs what any operation costs, whatever it asks.
                await spend(self.websocket.state.told, self.principal, OPERATION.weight)
                await self._answer(_DECODER.decode(text if len(text) <= self.principal.limits.body_bytes else ""))
            except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError):
                self.line.finish(ends.BAD_MESSAGE)
            except TooManyRequestsError:
                self.line.finish(ends.SPENT)
            except AuthError:
                self.line.finish(ends.REVOKED)
            except (*UNREACHABLE, TimeoutError):
                self.line.finish(ends.UNREACHED)
            except Exception as error:  # noqa: BLE001 whatever went wrong, its text may hold what no one may read
                log.error("subscription.fault", error=type(error).__name__)  # noqa: TRY400 as above
                self.line.finish(ends.FAULT)

    async def _answer(self, message: Message) -> None:
        match message:
            case Message("connection_init"):
                if self.begun:
                    self.line.finish(ends.BEGUN_TWICE)
                self.begun = True
                self.line.put(b'{"type":"connection_ack"}')
            case Message("ping"):
                self.line.put(b'{"type":"pong"}')
            case Message("pong"):
                pass
            case Message("subscribe", str(name)) if not self.begun or name in self.followed:
                self.line.finish(ends.SUBSCRIBED if self.begun else ends.NOT_BEGUN)
            case Message("subscribe", str(name), given) if 0 < len(name) <= LONGEST_ID:
                await self._follow(name, _ASKED.decode(given))
            case Message("complete", str(name)):
                if (task := self.followed.pop(name, None)) is not None:
                    task.cancel()
                    # Its place is free when this has been heard.
                    await asyncio.gather(task, return_exceptions=True)
            case _:
                raise msgspec.DecodeError

    async def _follow(self, name: str, asked: Asked) -> None:
        with ExitStack() as held:
            try:
                held.enter_context(self.websocket.app.state.under_way.one_more(self.principal))
                run = await begun(self.websocket, self.principal, complete(asked))
            except (RequestRefusedError, GraphQLError) as error:
                unfit = (problem("BAD_USER_INPUT", UNFIT),)
                told = error.errors if isinstance(error, RequestRefusedError) else unfit
                self.line.put(_message(name, "error", msgspec.json.encode(told)))
                return
            task = self.line.follow(run, lambda data: _message(name, "next", payload(run, data)))
            done = held.pop_all()
            task.add_done_callback(lambda _: done.close())
            self.followed[name] = task


def _message(name: str, kind: str, content: bytes) -> bytes:
    return b'{"id":' + msgspec.json.encode(name) + b',"type":"' + kind.encode() + b'","payload":' + content + b"}"
