"""A world for the tests of `auth`: one database for all of them, emptied before each; an organisation, a client."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from auth.keyring import Keyring
from hub.embedded import ADMIN, Server
from hub.postgres import connect
from tests.auth.app import App, make_app
from tests.auth.kit import World, build
from tests.conftest import Database

EMPTY = """
delete from auth.signing_key;
delete from auth.assertion_jti;
delete from auth.token_proof;
delete from auth.session;
delete from hub.usr;
delete from auth.used_challenge;
delete from hub.client;
delete from hub.organisation;
"""


@pytest.fixture(scope="session")
def shared_database(server: Server, template: str) -> Database:
    """One copy of the template for all tests here: there are hundreds, and they write to five tables only."""

    async def copy() -> None:
        admin = await connect(server.dsn(ADMIN, "postgres"), name="test", role=ADMIN)
        try:
            await admin.execute(f'create database auth template "{template}"')
        finally:
            await admin.close()

    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, copy()).result()
    return Database(server, "auth")


@pytest.fixture
async def database(shared_database: Database) -> AsyncIterator[Database]:
    """The shared database, with nothing in the tables that matter here."""
    await shared_database.admin(EMPTY)
    yield shared_database
    while shared_database.opened:
        await shared_database.opened.pop().close()


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """Connections of the authorization server."""
    async with asyncpg.create_pool(database.dsn("hub_auth"), min_size=0, max_size=8) as pool:
        yield pool


@pytest.fixture
async def organisation(database: Database) -> int:
    """A sister organisation."""
    rows = await database.admin(
        "insert into hub.organisation (code, name, kind) values ($1, $2, 'SISTER') returning id",
        "pen-centre",
        "Northlight PEN Centre",
    )
    return int(rows[0]["id"])


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """A fresh keyring."""
    return Keyring.create(tmp_path / "keys.json")


@pytest.fixture
async def world(pool: asyncpg.Pool, keyring: Keyring, organisation: int) -> AsyncIterator[World]:
    """The server, the resource and the client `pen-centre`."""
    world = build(pool, keyring, organisation)
    await world.register("pen-centre", world.key)
    async with world.http:
        yield world


@pytest.fixture
async def nonce_world(pool: asyncpg.Pool, keyring: Keyring, organisation: int) -> AsyncIterator[World]:
    """The same, where both sides ask for nonces."""
    world = build(pool, keyring, organisation, nonces=True)
    await world.register("pen-centre", world.key)
    async with world.http:
        yield world


@pytest.fixture
async def app(world: World, database: Database) -> App:
    """The app `pen-app`, and Sara of the same organisation, who is signed in."""
    return await make_app(world, database, world.app.state.people)
