"""This module runs what is measured, each in a process of its own: the hub, the hub without its proofs, and the bare limits."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.keyring import Keyring
from auth.limits import CEILINGS
from auth.principal import Principal
from auth.scopes import Scope as Right
from bench.operations import BARE, Q1
from connectors.problem import ConfigurationError
from connectors.protocol import Connector
from hub.app import Pools, create_app
from hub.engine.compiled import WALLS, Compiled, Plans
from hub.engine.execute import Engine, operation
from hub.engine.execute import _base as base  # the engine's own way to say who asks
from hub.engine.plan import Plan
from hub.engine.statement import Writer, assembled, roots
from hub.feeds.feed import Feed
from hub.postgres import INDEX_DRIVEN, HubConnection, connect, open_pool

POOL = 8
Fetch = Callable[[HubConnection, int], Awaitable[bytes]]


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


def partner(organisation: int) -> Principal:
    """Give a partner as its token would, with a proof never seen."""
    return Principal(
        organisation=organisation,
        client=f"bench-{organisation}",
        user=None,
        scopes=frozenset(map(str, Right)),
        purpose="PROTECTION",
        token_id="bench",  # noqa: S106 the name of one, for revocation
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
        proof=secrets.token_bytes(32),
        proof_until=datetime.now(UTC) + timedelta(minutes=5),
        # What its client has: the budget is one for all processes.
        limits=msgspec.structs.replace(CEILINGS, cost_per_minute=10**12),
    )


class Believing:
    """In place of the resource: who asks is who the request says, without token or proof."""

    async def principal(self, headers: Any, *_: object) -> Principal:
        """Read the organisation off a header."""
        return partner(int(dict(headers)[b"x-organisation"]))

    def next_nonce(self) -> None:
        """Need none."""


class Unguarded(Plans):
    """Plans whose statements remember no proof and leave no record."""

    def _written(self, made: Plan) -> Compiled:
        writer = Writer(WALLS)
        body, _ = roots(writer, made.roots, " and gate.ok")
        return Compiled(made, (assembled(writer, body, "live", audited=False),))


async def hub(dsns: dict[str, str], port: int, keys: Path, *, guarded: bool) -> None:
    """Serve the hub; not `guarded`, without token, proof, second wall and audit, to see what they cost."""
    app, _ = await application(dsns, Keyring.load(keys), f"http://127.0.0.1:{port}")
    if not guarded:
        engine: Engine = app.state.engine
        # The same session, of a role that no row policy binds.
        pool = await open_pool(dsns["postgres"], name="bench", role="hub_app", size=POOL)
        app.state.engine = replace(engine, pool=pool, plans=Unguarded(engine.schema))
        app.state.resource = Believing()
    await serve(app, port)


async def limit(dsns: dict[str, str], keys: Path, port: int, what: str) -> None:
    """Serve the combined view through bare ASGI: "bare", the plain SQL as nobody; "fed", the hub's own statement with all that is in it.

    Nobody is asked who they are; the organisation stands in a header.
    """
    who = "postgres" if what == "bare" else "hub_app"
    connections: asyncio.Queue[HubConnection] = asyncio.Queue()
    for _ in range(POOL):
        connection = await connect(dsns[who], name="bench", role="hub_app")
        for setting in INDEX_DRIVEN:
            await connection.execute(f"set {setting} = off")
        connections.put_nowait(connection)
    fetch = bare if what == "bare" else fed((await application(dsns, Keyring.load(keys), "http://127.0.0.1"))[0])

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        connection = await connections.get()
        try:
            body = await fetch(connection, int(dict(scope["headers"])[b"x-organisation"]))
        finally:
            connections.put_nowait(connection)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    await serve(asgi, port)


async def bare(connection: HubConnection, organisation: int) -> bytes:
    """Answer by the plain SQL."""
    body: bytes = await connection.fetchval(BARE, organisation)
    return body


def fed(app: Starlette) -> Fetch:
    """Give what answers by the hub's own statement, its values put in place by hand."""
    engine: Engine = app.state.engine
    known: dict[int, tuple[str, list[Any], int]] = {}

    def prepared(organisation: int) -> tuple[str, list[Any], int]:
        asked = operation(engine, partner(organisation), engine.documents.get(Q1), None, {})
        (own,) = asked.compiled.own
        values = asked.binding.values(own.parameters, {**base(asked), "subject": None, "outcome": "DONE"}, {})
        return own.sql, values, values.index(asked.principal.proof)

    async def fetch(connection: HubConnection, organisation: int) -> bytes:
        if organisation not in known:
            known[organisation] = prepared(organisation)
        sql, values, proof = known[organisation]
        row = await connection.fetchrow(sql, *values[:proof], secrets.token_bytes(32), *values[proof + 1 :])
        assert row is not None  # noqa: S101 a statement of the engine has one
        body: bytes = row["body"]
        return b'{"data":' + body + b"}"

    return fetch


async def serve(app: ASGIApp, port: int) -> None:
    """Serve on loopback as `hub serve` does."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    what, given = sys.argv[1], json.loads(os.environ["BENCH"])
    dsns, keys, port = given["dsns"], Path(given["keys"]), given["port"]
    if what in ("bare", "fed"):
        uvloop.run(limit(dsns, keys, port, what))
    else:
        uvloop.run(hub(dsns, port, keys, guarded=what == "hub"))
