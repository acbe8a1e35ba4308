"""This module runs two hubs over two worlds side by side, and tells whether their answers are alike to the byte."""

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

from graphql import DocumentNode

from auth.client import Answer, Credentials, HubClient, over_httpx
from hub.embedded import Server
from hub.engine.compiled import WALLS
from tests.conftest import Database, new_database
from tests.interference.operations import text
from tests.interference.pairs import Pair
from tests.interference.put import Putter
from tests.world import ISSUER, World, build, key_of

NUMBERS = itertools.count(1)
CHANGES = 10
"""How many commands are run before both worlds are put back as they were."""
Planted = Callable[[World], None]


class Told(Exception):
    """Two worlds that should look alike were answered differently, or not answered at all."""


class Twins:
    """Two hubs, each over its own world. Once they were told apart, `fresh` undoes every change, so that a failure can be repeated."""

    def __init__(self, server: Server, template: str, pair: Pair, *, walls: frozenset[int] = WALLS, sql: str = "", plant: Planted | None = None) -> None:
        self.pair = pair
        self._server, self._template, self._walls, self._sql, self._plant = server, template, walls, sql, plant
        self._lasting, self._passing = AsyncExitStack(), AsyncExitStack()
        self._filled: list[str] = []
        self._hubs: list[World] = []
        self._told = False
        self._changes = CHANGES

    async def __aenter__(self) -> "Twins":
        for world in (self.pair.left, self.pair.right):
            name = f"interference_{next(NUMBERS)}"
            database = await self._lasting.enter_async_context(new_database(self._server, name, self._template))
            async with build(database) as hub:
                await Putter(hub).put(self.pair.principal, world)
            for connection in database.opened:
                await connection.close()
            if self._sql:
                await database.admin(self._sql)
            self._filled.append(name)
        await self.fresh()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._passing.aclose()
        await self._lasting.aclose()

    async def fresh(self) -> None:
        """Give both hubs their world as it was, unless little was changed."""
        if self._changes < (1 if self._told else CHANGES):
            return
        await self._passing.aclose()
        self._passing, self._hubs, self._changes = AsyncExitStack(), [], 0
        for name in self._filled:
            copy = await self._passing.enter_async_context(new_database(self._server, f"copy_{next(NUMBERS)}", name))
            self._hubs.append(await self._passing.enter_async_context(self._hub(copy)))

    def _hub(self, database: Database) -> Any:
        role = "hub_app" if 2 in self._walls else "postgres"  # noqa: PLR2004 the second wall
        return build(database, walls=self._walls - {2} if 1 in self._walls else self._walls, app_role=role)

    async def ask(self, document: DocumentNode) -> Answer:
        """Send an operation to both hubs; raise Told unless they answer, and alike."""
        sent = text(document)
        self._changes += sent.startswith("mutation")
        left, right = [await self._client(hub).graphql(sent) for hub in self._hubs]
        if _seen(left) != _seen(right) or left.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._told = True
            raise Told(f"{sent}\n{_shown(left)}\n{_shown(right)}")
        return left

    def _client(self, hub: World) -> HubClient:
        name = self.pair.principal.client
        if name not in hub.clients:
            if self._plant:
                self._plant(hub)
            key = key_of(name).as_dict(private=True, kid="1")
            credentials = Credentials(name, key, ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql")
            hub.clients[name] = HubClient(credentials, over_httpx(hub.http), clock=lambda: hub.now)
        return hub.clients[name]


def _seen(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status, sorted((n, v) for n, v in answer.headers.items() if n != "date"), answer.body


def _shown(answer: Answer) -> str:
    return f"{answer.status} {answer.body.decode().strip()}"


def cursors(answer: Answer) -> list[str]:
    """Find every cursor of an answer."""
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

    walk(json.loads(answer.body))
    return sorted(set(found))
