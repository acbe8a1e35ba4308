"""This module keeps a peer from holding a connection, or a process's memory, for nothing: by pausing, dribbling, pinging or not reading."""

import asyncio
import resource
import socket
from contextlib import suppress
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

WHOLE: Final = 30.0
"""Seconds within which a request has come, from its first byte to its last; and within which a new connection asks for something."""
UNREAD: Final = 30_000
"""Milliseconds after which a connection ends whose peer takes nothing of what was sent to it."""
PIECES: Final = 1000
"""In how many frames a message of a WebSocket may come."""
PINGS: Final = 100
"""How many pings a WebSocket may send between two of ours, twenty seconds apart."""


def raise_file_limit() -> None:
    """Let this process have as many connections open as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where the limit is said to be none, as on macOS, it is not to be had.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_when_unread(listening: socket.socket) -> None:
    """Have the system end connections whose peer reads nothing, also those that the hub has ended: where it can (Linux, RFC 5482)."""
    if (option := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, UNREAD)


class Requests(HttpToolsProtocol):
    """Uvicorn's HTTP, that does not wait for ever for a request that has begun."""

    _coming: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for the first request, for some time."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._come()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of a request, for some time."""
        super().on_message_begin()
        self._wait()

    def on_message_complete(self) -> None:
        """Wait for nothing: it is there."""
        self._come()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Wait for nothing: this goes on as a WebSocket."""
        self._come()
        super().handle_websocket_upgrade()

    def _wait(self) -> None:
        self._come()
        self._coming = self.loop.call_later(WHOLE, self.transport.abort)

    def _come(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None


class Frames(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket, that holds nothing for a peer beyond one message each way."""

    _pings = 0

    def handle_ping(self) -> None:
        """Answer, unless what was said before lies unread; end it when there is no end to them."""
        self._pings += 1
        if self._pings > PINGS:
            self._refuse("Too many pings.")
        elif self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def send_keepalive_ping(self) -> None:
        """Begin to count anew."""
        self._pings = 0
        super().send_keepalive_ping()

    def handle_cont(self, event: Frame) -> None:
        """Take another piece, unless there is no end to them."""
        if len(self.frames) < PIECES:
            super().handle_cont(event)
        else:
            self._refuse("Too many pieces.")

    def _refuse(self, why: str) -> None:
        self.frames = []
        if not self.close_sent and not self.transport.is_closing():
            self.conn.fail(CloseCode.POLICY_VIOLATION, why)
            self.handle_parser_exception()
