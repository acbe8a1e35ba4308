"""This module runs two hubs over two worlds side by side, and tells whether their answers are alike to the byte."""

import itertools
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from graphql import DocumentNode

from auth.client import Answer, Credentials, HubClient, Send, Token, over_httpx
from hub.embedded import Server
from hub.engine.compiled import WALLS
from tests.conftest import Database, new_database
from tests.interference.facts import World as Facts
from tests.interference.pairs import Pair
from tests.interference.put import Putter
from tests.interference.writing import text
from tests.world import ISSUER, World, build, key_of

NUMBERS = itertools.count(1)
CHANGES = 20
"""How many commands are run before both worlds are put back as they were."""


@dataclass(frozen=True)
class Leak:
    """A hole made on purpose: SQL run by the administrator, or a change to every plan; `walls` are those left standing."""

    name: str
    sql: str = ""
    plant: Callable[[World], None] = lambda _: None
    walls: frozenset[int] = WALLS


SOUND: Final = Leak("none")
STANDING: Final = (
    SOUND, Leak("the first wall alone", walls=frozenset({1})), Leak("the second wall alone", walls=frozenset({2})),
)  # fmt: skip
"""Both walls, and each of them alone."""
TIMES: Final = int(os.environ.get("HUB_INTERFERENCE", "1"))
"""How much more to ask than in a run of all tests."""


class Told(Exception):  # noqa: N818 it is not an error until a test says so
    """Two worlds that should look alike were answered differently, or not answered at all."""


class Narrowed(HubClient):
    """A client that was granted every scope, and asks for tokens with some."""

    def __init__(
        self, scopes: frozenset[str], credentials: Credentials, send: Send, clock: Callable[[], float]
    ) -> None:
        super().__init__(credentials, send, clock=clock)
        self._scopes = " ".join(sorted(scopes))

    async def token(self, scope: str | None = None) -> Token:
        """Get a token for these scopes."""
        return await super().token(scope or self._scopes)


class Filled:
    """Databases of worlds, each filled once and copied as often as needed."""

    def __init__(self, server: Server, template: str) -> None:
        self.server, self._template = server, template
        self._databases = AsyncExitStack()
        self._names: dict[Pair, list[str]] = {}

    async def names(self, pair: Pair) -> list[str]:
        """Give the databases of a pair's two worlds, to be copied."""
        if pair not in self._names:
            self._names[pair] = [await self._fill(pair, world) for world in (pair.left, pair.right)]
        return self._names[pair]

    async def _fill(self, pair: Pair, world: Facts) -> str:
        name = f"interference_{next(NUMBERS)}"
        database = await self._databases.enter_async_context(new_database(self.server, name, self._template))
        async with build(database) as hub:
            await Putter(hub).put(pair.principal, world)
        for connection in database.opened:
            await connection.close()
        return name

    async def aclose(self) -> None:
        """Drop them."""
        await self._databases.aclose()


class Twins:
    """Two hubs, each over its own world. Once they were told apart, `fresh` undoes every change, so that a failure can be repeated."""

    def __init__(self, filled: Filled, pair: Pair, leak: Leak) -> None:
        self.pair = pair
        self._filled, self._leak = filled, leak
        self._copies = AsyncExitStack()
        self._hubs: list[World] = []
        self.told: Told | None = None
        self._changes = CHANGES

    async def fresh(self) -> None:
        """Give both hubs their world as it was, unless little was changed."""
        if self._changes < (1 if self.told else CHANGES):
            return
        await self.aclose()
        for name in await self._filled.names(self.pair):
            copy = await self._copies.enter_async_context(
                new_database(self._filled.server, f"copy_{next(NUMBERS)}", name)
            )
            if self._leak.sql:
                await copy.admin(self._leak.sql)
            self._hubs.append(await self._copies.enter_async_context(self._hub(copy)))
            self._leak.plant(self._hubs[-1])

    async def aclose(self) -> None:
        """Drop the copies."""
        await self._copies.aclose()
        self._copies, self._hubs, self._changes = AsyncExitStack(), [], 0

    def _hub(self, database: Database) -> AbstractAsyncContextManager[World]:
        walls = self._leak.walls
        return build(database, walls=walls, app_role="hub_app" if 2 in walls else "postgres")

    async def ask(self, document: DocumentNode) -> Answer:
        """Send an operation to both hubs; raise Told unless they answer, and alike."""
        sent = text(document)
        self._changes += sent.startswith("mutation")
        left, right = [await self._client(hub).graphql(sent, extensions={"cost": True}) for hub in self._hubs]
        if _seen(left) != _seen(right) or left.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            told = Told(f"{sent}\n{_shown(left)}\n{_shown(right)}")
            self.told = self.told or told
            raise told
        return left

    def _client(self, hub: World) -> HubClient:
        name = self.pair.principal.client
        if name not in hub.clients:
            key = key_of(name).as_dict(private=True, kid="1")
            credentials = Credentials(name, key, ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql")
            hub.clients[name] = Narrowed(self.pair.principal.scopes, credentials, over_httpx(hub.http), lambda: hub.now)
        return hub.clients[name]


def _seen(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status, sorted((n, v) for n, v in answer.headers.items() if n != "date"), answer.body


def _shown(answer: Answer) -> str:
    return f"{answer.status} {answer.body.decode().strip()}"


def cursors(answer: Any) -> list[str]:
    """Find every cursor in the JSON of an answer."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key in ("cursor", "startCursor", "endCursor") and isinstance(item, str):
                    found.append(item)
                walk(item)

    walk(answer)
    return sorted(set(found))
