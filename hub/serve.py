"""This module serves the hub over HTTP, and on its way out finishes what is in flight."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from auth.limits import CEILINGS
from hub.app import check_keys, create_app, feed_connectors, opened, surroundings
from hub.connections import Frames, Requests, end_when_unread, raise_file_limit
from hub.settings import Settings, SettingsError
from hub.stopping import stopping

GRACE: Final = 20
"""Seconds that requests in flight have to finish; shorter than the time a container is given to stop."""
BACKLOG: Final = 1024
log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError, KeyringError, NotSafeError, and what the database raises."""
    keyring = settings.keyring()
    raise_file_limit()
    with stopping() as stop, listener(settings.host, settings.port) as listening:
        async with opened(settings, "hub serve") as pools:
            await check_keys(pools, keyring)
            app = create_app(
                settings.issuer,
                keyring,
                pools,
                feed_connectors(settings),
                proxies=settings.trusted_proxies,
                dpop_nonces=settings.dpop_nonces,
                around=surroundings(settings),
            )
            async with serving(app, listening):
                log.info("hub.serving", port=settings.port)
                await stop.wait()
                log.info("hub.stopping")
            await app.state.refresher.close()


@contextmanager
def listener(host: str, port: int, setting: str = "HUB_HOST, HUB_PORT") -> Iterator[socket.socket]:
    """Take the port, before anything else is started; raise SettingsError, naming `setting`, when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"{setting}: cannot listen on {host}:{port} ({reason}). Name another.") from None
    with taken:
        end_when_unread(taken)
        yield taken


@asynccontextmanager
async def serving(app: Starlette, listening: socket.socket) -> AsyncIterator[None]:
    """Serve `app` as long as the block lasts. Signals are left to the caller; whoever is in front logs and knows no caller."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=Requests,
        ws=Frames,
        # What is compressed tells by its length what stands in it.
        ws_per_message_deflate=False,
        ws_max_size=CEILINGS.body_bytes,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]), name="serve")
    try:
        await server.ready.wait()
        yield
    finally:
        await app.state.exchange.close()
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """A server that says when it listens, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to whoever runs the loop."""
        yield
