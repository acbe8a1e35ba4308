"""This module puts the hub together: the authorization server, the resource, the engine, and the routes between them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time
from typing import Any, Final

import asyncpg
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from auth.budgets import Budgets, Kind
from auth.clock import Clock
from auth.keyring import Keyring
from auth.nonce import Nonces
from auth.people import People
from auth.people.provider import OpenId
from auth.people.routes import routes as people_routes
from auth.recent import Recent
from auth.resource import Resource
from auth.routes import routes as auth_routes
from auth.server import AuthorizationServer
from auth.signing_keys import SigningKeys
from auth.strangers import Networks, Strangers
from connectors.kinds import connect as connect_feed
from connectors.protocol import Connector
from connectors.secrets import either, from_directory, from_environment
from connectors.surroundings import Surroundings
from hub import graphql
from hub.audit.head import HeadKeys
from hub.definers import DEFINERS
from hub.engine.compiled import WALLS, Plans
from hub.engine.documents import Documents
from hub.engine.execute import Engine
from hub.engine.trusted import Trusted
from hub.feeds.doorbell import ring
from hub.feeds.feed import Feed
from hub.feeds.refresh import Refresher
from hub.feeds.seal import Seal
from hub.key_check import check_data_keys, check_signing_keys
from hub.outside import fetch_from, named
from hub.postgres import UNREACHABLE, open_pool
from hub.sealing import Sealing
from hub.self_check import self_check
from hub.settings import Settings
from hub.subscriptions import sse, websocket
from hub.subscriptions.line import Exchange
from hub.subscriptions.outbox import Outbox
from hub.subscriptions.standing import Standing
from hub.under_way import UnderWay
from schema.query import SCHEMA

PROOFS: Final = 50_000
"""How many proofs a process remembers having seen; Postgres remembers all."""
Pool = asyncpg.Pool
ConnectorOf = Callable[[Feed], Connector]
log = structlog.get_logger(__name__)


class NotSafeError(RuntimeError):
    """The database's second wall has a hole; the text has one line for each. The hub does not serve from it."""


@dataclass(frozen=True)
class Pools:
    """One pool for each role that a hub process logs in as."""

    app: "Pool[Any]" = field(repr=False)
    auth: "Pool[Any]" = field(repr=False)
    worker: "Pool[Any]" = field(repr=False)


def create_app(  # noqa: PLR0913 what an application is put together from
    issuer: str,
    keyring: Keyring,
    pools: Pools,
    connector_of: ConnectorOf,
    *,
    clock: Clock = time,
    walls: frozenset[int] = WALLS,
    proxies: Networks = (),
    dpop_nonces: bool = False,
    around: Surroundings | None = None,
) -> Starlette:
    """Make the ASGI application. `proxies` are the networks of those in front of it that say who calls. With `dpop_nonces`, every proof needs a fresh nonce of the hub. `around` has the secrets and private hosts of organisations' own OpenID providers, without which nobody signs in there. `walls` without 1 leaves the first wall out of every statement, for tests of the second."""
    keys = SigningKeys(pools.auth, keyring, clock)
    strangers = Strangers(clock, proxies)
    # One kind for both sides: to a client they are one server, and it keeps one nonce (RFC 9449, section 8.2).
    nonces = Nonces(keyring.subkey("nonce"), clock) if dpop_nonces else None
    server = AuthorizationServer(issuer, pools.auth, keys, clock=clock, nonces=nonces)
    app = Starlette(
        routes=[
            Route("/graphql", sse.or_else(graphql.answer), methods=["GET", "POST"]),
            WebSocketRoute("/graphql", websocket.converse),
            *auth_routes(server, strangers),
            *people_routes(),
            Route("/audit/jwks", audit_keys),
            Route("/feeds/{code}/doorbell", ring, methods=["POST"]),
            Route("/health/live", live),
            Route("/health/ready", ready),
        ],
        exception_handlers={HTTPException: nothing},
    )
    # A redirect would be made of the Host header, which anybody may set; and RFC 9700 has no place for 307.
    app.router.redirect_slashes = False
    sealing = Sealing(keyring)
    core = SCHEMA._schema  # noqa: SLF001 strawberry keeps graphql-core's schema there, and offers it nowhere else
    documents = Documents(core)
    app.state.pools = pools
    app.state.strangers = strangers
    app.state.around = around
    openid = None
    if around is not None:
        openid = OpenId(issuer, fetch_from(around.private_hosts), named(around.secrets), clock)
    app.state.people = People(issuer, pools.auth, keyring, clock=clock, strangers=strangers, openid=openid)
    app.state.budgets = Budgets(Kind.COST, pools.app, clock)
    app.state.under_way = UnderWay()
    app.state.seen_proofs = Recent(PROOFS)
    app.state.head_keys = HeadKeys(pools.worker, keyring)
    app.state.resource = Resource(issuer, keys, clock=clock, nonces=nonces)
    app.state.refresher = Refresher(pools.worker, connector_of, Seal(sealing, keyring.subkey("index/feed mark")))
    app.state.engine = Engine(
        schema=core,
        pool=pools.app,
        sealing=sealing,
        refresher=app.state.refresher,
        cursor_key=keyring.subkey("cursor/1") + keyring.subkey("cursor/2"),
        index_key=keyring.subkey("index"),
        documents=documents,
        plans=Plans(core, walls),
        trusted=Trusted(pools.app, documents),
        people=app.state.people,
        private_hosts=around.private_hosts if around is not None else frozenset(),
    )
    outbox = Outbox(pools.worker)
    standing = Standing(pools.auth, outbox)
    app.state.exchange = Exchange(app.state.engine, outbox, standing, app.state.budgets, clock)
    return app


def feed_connectors(settings: Settings) -> ConnectorOf:
    """Give what makes the connector of a feed, with the secrets and private hosts that are set."""
    around = surroundings(settings)

    def connector_of(feed: Feed) -> Connector:
        return connect_feed(feed.kind, feed.settings, feed.mapping, around)

    return connector_of


def surroundings(settings: Settings) -> Surroundings:
    """Give what connectors find where they run."""
    sources = (
        [from_environment()]
        if settings.secrets_dir is None
        else [from_directory(settings.secrets_dir), from_environment()]
    )
    return Surroundings(either(*sources), settings.feed_private_hosts)


@asynccontextmanager
async def opened(settings: Settings, name: str) -> AsyncIterator[Pools]:
    """Open the pools of a hub process, and refuse a database whose second wall has a hole."""
    limits = {
        "statement_timeout": str(int(settings.statement_timeout * 1000)),
        "idle_in_transaction_session_timeout": "30000",
    }
    async with (
        await open_pool(
            settings.dsn("database_url"), name=name, role="hub_app", size=settings.pool_size, settings=limits
        ) as app,
        await open_pool(
            settings.dsn("auth_database_url"),
            name=name,
            role="hub_auth",
            size=max(2, settings.pool_size // 2),
            settings=limits,
        ) as auth,
        await open_pool(
            settings.dsn("worker_database_url"), name=name, role="hub_worker", size=max(4, settings.pool_size // 2)
        ) as worker,
    ):
        async with app.acquire() as connection:
            if holes := await self_check(connection, DEFINERS):
                raise NotSafeError("\n".join(holes))
        yield Pools(app, auth, worker)


async def check_keys(pools: Pools, keyring: Keyring, setting: str = "HUB_KEYS_FILE") -> None:
    """Refuse keys that are not those the database was sealed with: raise KeyringError, naming `setting`."""
    async with pools.auth.acquire() as connection:
        await check_signing_keys(connection, keyring, setting)
    for pool in (pools.app, pools.auth, pools.worker):
        async with pool.acquire() as connection:
            await check_data_keys(connection, keyring, setting)


async def nothing(_: Request, error: Exception) -> Response:
    """Say that there is nothing here, or not by this method; nobody keeps it."""
    assert isinstance(error, HTTPException)  # noqa: S101 it is registered for no other
    headers = {**(error.headers or {}), "Cache-Control": "no-store"}
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers)


async def audit_keys(request: Request) -> Response:
    """Publish the keys that sign heads of audit logs, for whoever checks a proof."""
    try:
        keys = await request.app.state.head_keys.jwks()
    except UNREACHABLE as error:
        log.error("audit.keys_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
        return PlainTextResponse("the database cannot be reached\n", 503, {"Cache-Control": "no-store"})
    return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"})


async def live(_: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("live\n", headers={"Cache-Control": "no-store"})


async def ready(request: Request) -> Response:
    """Say whether requests can be answered now: every pool reaches its database."""
    pools: Pools = request.app.state.pools
    try:
        for pool in (pools.app, pools.auth, pools.worker):
            await pool.fetchval("select 1", timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        log.error("health.not_ready", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
        return PlainTextResponse("not ready: the database cannot be reached\n", 503, {"Cache-Control": "no-store"})
    return PlainTextResponse("ready\n", headers={"Cache-Control": "no-store"})
