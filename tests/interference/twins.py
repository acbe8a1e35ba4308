"""This module runs two hubs over two worlds side by side, and tells whether their answers are alike to the byte."""

import itertools
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from graphql import DocumentNode

from auth.client import Answer, Credentials, HubClient, Send, Token, over_httpx
from auth.signing_keys import SigningKeys
from hub.embedded import Server
from hub.engine.compiled import WALLS
from tests.conftest import Database, new_database
from tests.hub.audit.logs import settle
from tests.interference.facts import World as Facts
from tests.interference.following import followed, let_everyone_look
from tests.interference.hooked import HEAR, heard
from tests.interference.pairs import Pair
from tests.interference.put import Putter
from tests.interference.writing import text
from tests.world import ISSUER, KEYRING, World, build, key_of

NUMBERS = itertools.count(1)
CHANGES = 20
"""How many commands are run before both worlds are put back as they were."""
OF_THE_LOG = re.compile("audit|accessLog")
"""What only reads what a worker has sequenced."""
Asked = tuple[str, Mapping[str, Any] | None]
"""An operation as it is sent, and its variables."""


@dataclass(frozen=True)
class Leak:
    """A hole made on purpose: SQL run by the administrator, or a change to the hub; `walls` are those left standing."""

    name: str
    sql: str = ""
    plant: Callable[[World], Awaitable[None] | None] = lambda _: None
    walls: frozenset[int] = WALLS


SOUND: Final = Leak("none")
STANDING: Final = (
    SOUND, Leak("the first wall alone", walls=frozenset({1})), Leak("the second wall alone", walls=frozenset({2})),
)  # fmt: skip
"""Both walls, and each of them alone."""
TIMES: Final = int(os.environ.get("HUB_INTERFERENCE", "1"))
"""How much more to ask than in a run of all tests."""


class Told(Exception):  # noqa: N818 it is not an error until a test says so
    """Two worlds that should look alike were answered differently, or not answered at all. `asked` is all that led there."""

    def __init__(self, text: str, asked: tuple[Asked, ...], *, apart: bool) -> None:
        super().__init__(text)
        self.asked, self.apart = asked, apart


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
        self._keyed = ""

    async def names(self, pair: Pair) -> list[str]:
        """Give the databases of a pair's two worlds, to be copied."""
        if pair not in self._names:
            self._names[pair] = [await self._fill(pair, world) for world in (pair.left, pair.right)]
        return self._names[pair]

    async def _fill(self, pair: Pair, world: Facts) -> str:
        if not self._keyed:
            self._keyed = await self._made(self._template, _with_keys)
        return await self._made(self._keyed, lambda hub: Putter(hub).put(pair.principal, world))

    async def _made(self, template: str, fill: Callable[[World], Awaitable[None]]) -> str:
        name = f"interference_{next(NUMBERS)}"
        database = await self._databases.enter_async_context(new_database(self.server, name, template))
        async with build(database) as hub:
            await fill(hub)
        for connection in database.opened:
            await connection.close()
        return name

    async def aclose(self) -> None:
        """Drop them."""
        await self._databases.aclose()


async def _with_keys(hub: World) -> None:
    """Make the keys that sign tokens and heads: chance is the same in all worlds."""
    await SigningKeys(hub.app.state.pools.auth, KEYRING, lambda: hub.now).signing()
    await hub.app.state.head_keys.signing()


class Twins:
    """Two hubs, each over its own world, asked by one client: the same bytes, token and proof go to both.

    Once they were told apart, `fresh` undoes every change, so that a failure can be repeated.
    """

    def __init__(self, filled: Filled, pair: Pair, leak: Leak) -> None:
        self.pair = pair
        self._filled, self.leak = filled, leak
        self._copies = AsyncExitStack()
        self._hubs: list[World] = []
        self._client: HubClient
        self._answers: list[Answer] = []
        self._asked: list[Asked] = []
        self.told: Told | None = None
        self.following = False
        self._changes = CHANGES

    async def fresh(self) -> None:
        """Give both hubs their world as it was, unless little was changed."""
        if self._changes < (1 if self.told else CHANGES):
            return
        await self.aclose()
        self._changes = 0
        for name in await self._filled.names(self.pair):
            copy = await self._copies.enter_async_context(
                new_database(self._filled.server, f"copy_{next(NUMBERS)}", name)
            )
            if self.leak.sql:
                await copy.admin(self.leak.sql)
            self._hubs.append(await self._copies.enter_async_context(self.hub(copy)))
            if self.leak.walls != WALLS:
                let_everyone_look(self._hubs[-1])
            if (planting := self.leak.plant(self._hubs[-1])) is not None:
                await planting
        name = self.pair.principal.client
        key = key_of(name).as_dict(private=True, kid="1")
        credentials = Credentials(name, key, ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql")
        self._client = Narrowed(self.pair.principal.scopes, credentials, self._send, lambda: self._hubs[0].now)

    async def aclose(self) -> None:
        """Drop the copies."""
        await self._copies.aclose()
        self._copies, self._hubs, self._asked, self._changes = AsyncExitStack(), [], [], CHANGES

    def hub(self, database: Database) -> AbstractAsyncContextManager[World]:
        """Put a hub together over one of the copies."""
        walls = self.leak.walls
        return build(database, walls=walls, app_role="hub_app" if 2 in walls else "postgres")

    async def ask(self, asked: DocumentNode | str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Send an operation to both hubs; raise Told unless they answer, and alike."""
        if (asked, variables) == HEAR:
            return await self.hear()
        sent = asked if isinstance(asked, str) else text(asked)
        self.following = sent.startswith("subscription")
        self._changes += self.following or sent.startswith("mutation")
        self._asked.append((sent, variables))
        if OF_THE_LOG.search(sent):
            for hub in self._hubs:
                await settle(hub)
        await self._client.graphql(sent, variables, extensions={"cost": True})
        left, right = self._answers
        apart = _seen(left) != _seen(right)
        if apart or left.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.tell(f"{sent}\n{_shown(left)}\n{_shown(right)}", apart=apart)
        return left

    async def hear(self) -> Answer:
        """Let much happen in both worlds, and compare what the asker's webhook is sent; raise Told unless it is alike."""
        self._changes += 1
        self._asked.append(HEAR)
        left, right = [await heard(hub, self.pair.principal.organisation, self.leak.walls) for hub in self._hubs]
        if left != right:
            self.tell(f"{left}\n{right}", apart=True)
        return Answer(200, {}, "\n".join(body for _, body in left).encode())

    def tell(self, what: str, *, apart: bool) -> None:
        """Raise Told, and keep the first."""
        told = Told(what, tuple(self._asked), apart=apart)
        self.told = self.told or told
        raise told

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        # A token that one of them gave is good for both, for they sign with the same key; that the client was there, both know.
        self._answers = [await self.answer(hub, url, headers, body) for hub in self._hubs]
        return self._answers[0]

    async def answer(self, hub: World, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Let one hub answer a request; while something is followed there, everything happens that can."""
        if self.following and url.endswith("/graphql"):
            return await followed(hub, url, headers, body)
        return await over_httpx(hub.http)(url, headers, body)


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
