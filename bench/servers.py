"""This module runs what is measured, each in a process of its own: the hub, and the bare limit."""

import asyncio
import json
import os
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.keyring import Keyring
from bench.operations import BARE
from connectors.problem import ConfigurationError
from connectors.protocol import Connector
from hub.app import Pools, create_app
from hub.feeds.feed import Feed
from hub.postgres import HubConnection, connect, open_pool

POOL = 8


def no_feed(_: Feed) -> Connector:
    """Refuse: no feed is measured here."""
    raise ConfigurationError(())


async def application(dsns: dict[str, str], keyring: Keyring, issuer: str) -> tuple[Starlette, Pools]:
    """Put the hub together as it is deployed: both walls, gate and audit, token and proof verified on every request."""
    pools = Pools(
        await open_pool(dsns["hub_app"], name="bench", role="hub_app", size=POOL),
        await open_pool(dsns["hub_auth"], name="bench", role="hub_auth", size=2),
        await open_pool(dsns["hub_worker"], name="bench", role="hub_worker", size=2),
    )
    return create_app(issuer, keyring, pools, no_feed), pools


async def hub(dsns: dict[str, str], port: int, keys: Path) -> None:
    """Serve the hub."""
    app, _ = await application(dsns, Keyring.load(keys), f"http://127.0.0.1:{port}")
    await serve(app, port)


async def bare(dsns: dict[str, str], port: int, organisation: int, *, framework: bool) -> None:
    """Serve the same JSON from one statement: nobody is asked who they are, and nothing is written down."""
    connections: asyncio.Queue[HubConnection] = asyncio.Queue()
    for _ in range(POOL):
        connections.put_nowait(await connect(dsns["postgres"], name="bench", role="postgres"))

    async def fetch() -> bytes:
        connection = await connections.get()
        try:
            body: bytes = await connection.fetchval(BARE, organisation)
        finally:
            connections.put_nowait(connection)
        return body

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(await fetch(), media_type="application/json")

    async def asgi(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        body = await fetch()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    await serve(Starlette(routes=[Route("/graphql", answer, methods=["POST"])]) if framework else asgi, port)


async def serve(app: ASGIApp, port: int) -> None:
    """Serve on loopback as `hub serve` does."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    what, given = sys.argv[1], json.loads(os.environ["BENCH"])
    served = (
        hub(given["dsns"], given["port"], Path(given["keys"]))
        if what == "hub"
        else bare(given["dsns"], given["port"], given["organisation"], framework=what == "bare")
    )
    uvloop.run(served)
