"""The whole hub, as a client meets it, with the means to forge what `tests.auth` has; and the example client's code."""

import importlib.util
from collections.abc import AsyncIterator
from dataclasses import replace
from types import ModuleType

import httpx2
import pytest

from hub.app import Pools, create_app
from hub.postgres import open_pool
from tests.auth.app import App, make_app
from tests.auth.kit import ISSUER, World, build
from tests.clients.conftest import EXAMPLES
from tests.conftest import Database
from tests.world import KEYRING, _no_feed


@pytest.fixture
async def hub(database: Database, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A hub with one sister organisation and its client `pen-centre`; with nonces, if the test's parameter says so."""
    rows = await database.admin(
        "insert into hub.organisation (code, name, kind) values ($1, 'Northlight PEN Centre', 'SISTER') returning id",
        "pen-centre",
    )
    async with (
        await open_pool(database.dsn("hub_app"), name="test", role="hub_app", size=2) as app,
        await open_pool(database.dsn("hub_auth"), name="test", role="hub_auth", size=2) as auth,
        await open_pool(database.dsn("hub_worker"), name="test", role="hub_worker", size=2) as worker,
    ):
        bare = build(auth, KEYRING, rows[0]["id"])
        await bare.http.aclose()
        whole = create_app(
            ISSUER,
            KEYRING,
            Pools(app, auth, worker),
            _no_feed,
            clock=bare.clock,
            dpop_nonces=getattr(request, "param", False),
        )
        # The Host header is wrong on purpose: nothing may be derived from it.
        headers = {"host": "attacker.example"}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=whole), headers=headers) as http:
            world = replace(bare, http=http, app=whole)
            await world.register("pen-centre", world.key)
            yield world
        await whole.state.refresher.close()


@pytest.fixture
async def app(hub: World, database: Database) -> App:
    """The app `pen-app`, and Sara of the same organisation, who is signed in."""
    return await make_app(hub, database, hub.app.state.people)


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The Python example, as a module."""
    spec = importlib.util.spec_from_file_location("example_client", EXAMPLES / "client.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
