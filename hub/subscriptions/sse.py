"""This module answers a subscription as server-sent events (graphql-sse, distinct connections mode): one POST, one stream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.engine.execute import Operation, enter
from hub.graphql import Told, admitted, refusal
from hub.request import NEW, complete, media_type, posted
from hub.subscriptions.beginning import begun, payload
from hub.subscriptions.line import FAREWELL, Line

EVENTS: Final = "text/event-stream"
QUIET: Final = b":\n\n"
"""A comment: it says that the connection is there."""
Answer = Callable[[Request], Awaitable[Response]]


def or_else(answer: Answer) -> Answer:
    """Answer those who accept nothing but a stream of events with one, all others with `answer`."""

    async def chosen(request: Request) -> Response:
        accepted = request.headers.get("accept", "").lower()
        return await (stream if EVENTS in accepted and media_type(accepted) is None else answer)(request)

    return chosen


async def stream(request: Request) -> Response:
    """Begin a subscription, or answer why not as any request is answered."""
    request.state.told = Told(kind=NEW)
    async with AsyncExitStack() as stack:
        try:
            principal = await admitted(request, request.method)
            stack.enter_context(request.app.state.under_way.one_more(principal))
            asked = await begun(request, principal, complete(await posted(request, principal)))
            line = Line(request.app.state.exchange, principal)
            await stack.enter_async_context(line.watched())
            await enter(request.app.state.engine, principal)
            line.follow(asked, lambda data: b"event: next\ndata: " + payload(asked, data) + b"\n\n")
        except Exception as error:  # noqa: BLE001 every one has its answer
            return refusal(request, error)
        return Stream(request, line, asked, stack.pop_all())


class Stream(Response):
    """An answer that goes on until its line ends or the client has gone."""

    def __init__(self, request: Request, line: Line, asked: Operation, stack: AsyncExitStack) -> None:
        nonce = request.app.state.resource.next_nonce()
        sent = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **({"DPoP-Nonce": nonce} if nonce else {})}
        super().__init__(None, 200, {**sent, **request.state.told.headers()}, f"{EVENTS}; charset=utf-8")
        del self.headers["content-length"]
        self._line, self._asked, self._stack = line, asked, stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what happens, and at the end why it ended."""
        del scope
        async with self._stack:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            tasks = [asyncio.create_task(work) for work in (self._tell(send), _gone(receive), self._line.ended.wait())]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._line.end is not None:
                error = msgspec.json.encode({"errors": [self._line.end.error]})
                last = b"event: next\ndata: " + error + b"\n\nevent: complete\ndata:\n\n"
                with suppress(TimeoutError):
                    async with asyncio.timeout(FAREWELL):
                        await send({"type": "http.response.body", "body": last})

    async def _tell(self, send: Send) -> None:
        message: bytes | None = QUIET
        while True:
            await send({"type": "http.response.body", "body": message or QUIET, "more_body": True})
            message = await self._line.next()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
