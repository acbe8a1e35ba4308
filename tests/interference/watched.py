"""This module watches what two hubs do to answer, beside what they answer: statements, documents opened, feeds asked, rows touched."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import DocumentNode

from auth.client import Answer
from connectors.problem import ConfigurationError
from connectors.protocol import Connector
from hub.feeds.feed import Feed
from hub.sealing import Sealing
from tests.conftest import Database
from tests.interference.following import rest
from tests.interference.pairs import Pair
from tests.interference.twins import Filled, Leak, Twins
from tests.world import ISSUER, KEYRING, World, build

# Of every database, for those that were dropped long ago still take up room, and a full table forgets what was counted just now.
FORGET: Final = "select public.pg_stat_statements_reset()"
TOUCHED: Final = """
select s.toplevel, s.query, s.calls, s.rows from public.pg_stat_statements s join pg_database d on d.oid = s.dbid
where d.datname = current_database() and s.query !~ 'pg_stat_statements' order by 1, 2, 3, 4
"""

NUMBERED: Final = re.compile(r"__asyncpg_\w+__")
"""Names that a driver counts through for all connections of a process."""


@dataclass
class Effort:
    """What one hub did for one request, each kind in an order that does not depend on who was faster."""

    statements: list[str] = field(default_factory=list)
    opened: list[tuple[str, ...]] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)
    touched: list[tuple[Any, ...]] = field(default_factory=list)

    def apart(self, other: "Effort") -> list[str]:
        """Say in what another hub's effort differs."""
        found = []
        for name in ("statements", "opened", "pulled", "touched"):
            mine, theirs = sorted(getattr(self, name)), sorted(getattr(other, name))
            if mine != theirs:
                only = [one for one in mine if one not in theirs], [one for one in theirs if one not in mine]
                found.append(f"{name}: {len(mine)} and {len(theirs)}; {only}")
        return found


class Watching(Sealing):
    """Sealing that notes what it is used for."""

    def __init__(self, effort: Effort) -> None:
        super().__init__(KEYRING)
        self._effort = effort

    def new_key(self) -> Any:
        """Make a data key."""
        self._effort.opened.append(("new key",))
        return super().new_key()

    def key(self, kek: str, wrapped: bytes) -> bytes:
        """Unwrap a data key."""
        self._effort.opened.append(("key", kek))
        return super().key(kek, wrapped)

    def seal(self, plain_key: bytes, subject: str, category: str, version: int, document: bytes) -> bytes:
        """Seal a document."""
        self._effort.opened.append(("seal", category, str(len(document))))
        return super().seal(plain_key, subject, category, version, document)

    def open(self, plain_key: bytes, subject: str, category: str, version: int, sealed: bytes) -> bytes:
        """Open a document."""
        self._effort.opened.append(("open", subject, category, str(len(sealed))))
        return super().open(plain_key, subject, category, version, sealed)


class Watched(Twins):
    """Twins that are told apart by what they do, too."""

    def __init__(self, filled: Filled, pair: Pair, leak: Leak) -> None:
        super().__init__(filled, pair, leak)
        self.efforts: dict[str, Effort] = {}
        self.answered: dict[str, list[Effort]] = {}
        self.worked: set[str] = set()
        """The kinds of work there was so far: that nothing differed says little where nothing was done."""

    @asynccontextmanager
    async def hub(self, database: Database) -> AsyncIterator[World]:
        """Put a hub together with somebody at every door."""
        effort = Effort()

        def connector_of(feed: Feed) -> Connector:
            effort.pulled.append(feed.code)
            raise ConfigurationError(())

        walls = self.leak.walls
        role = "hub_app" if 2 in walls else "postgres"
        async with build(database, walls=walls, app_role=role, connector_of=connector_of) as hub:
            state = hub.app.state
            state.engine = replace(state.engine, sealing=Watching(effort))
            for pool in (state.pools.app, state.pools.auth, state.pools.worker):
                lent = [await pool.acquire() for _ in range(pool.get_max_size())]
                for connection in lent:
                    connection.add_query_logger(lambda record: effort.statements.append(NUMBERED.sub("", record.query)))
                    await pool.release(connection)
            # Only one of the two gives tokens, so the other has not read the keys that verify them.
            await hub.http.get(f"{ISSUER}/oauth/jwks")
            self.efforts[database.name] = effort
            yield hub

    async def answer(self, hub: World, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Let one hub answer, and take down what it did."""
        # What goes on while something is followed goes by a clock; that it is the same is shown in test_following.py.
        if self.following or not url.endswith("/graphql"):
            answer = await super().answer(hub, url, headers, body)
            await rest(hub)
            return answer
        effort = self.efforts[hub.database.name]
        for done in (effort.statements, effort.opened, effort.pulled):
            done.clear()
        await hub.admin.execute(FORGET)
        answer = await super().answer(hub, url, headers, body)
        # Loggers are called when the loop comes round.
        await asyncio.sleep(0)
        touched = [tuple(row) for row in await hub.admin.fetch(TOUCHED)]
        if b"mutation" in body:
            # A change makes every organisation's access be worked out anew, within its statement: that goes by who has any.
            touched = [row for row in touched if row[0]]
        self.answered.setdefault(hub.database.name, []).append(
            Effort([*effort.statements], [*effort.opened], [*effort.pulled], touched)
        )
        return answer

    async def ask(self, asked: DocumentNode | str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Send an operation to both hubs; raise Told unless they answer alike and do alike."""
        self.answered = {}
        answer = await super().ask(asked, variables)
        left, right = self.answered.values() or ((), ())
        for mine, theirs in zip(left, right, strict=True):
            self.worked |= {name for name, done in vars(mine).items() if done}
            if apart := mine.apart(theirs):
                self.tell("\n".join([str(self._asked[-1]), *apart]), apart=True)
        return answer
