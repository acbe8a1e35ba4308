"""This module makes holes where things are written: constraints, keys, replays, errors, the log, and row policies. No hub is built so."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from hub.commands.asker import CASE, CASE_KEY
from hub.engine.documents import RequestRefusedError
from hub.engine.limits import problem
from tests.interference.leaks_in_plans import ONLY_THE_FIRST
from tests.interference.twins import Leak
from tests.world import World


class Pool:
    """A pool whose connections send other statements than they are given, and tell what Postgres says of them."""

    def __init__(self, pool: Any, rewritten: Mapping[str, str]) -> None:
        self._pool, self._rewritten = pool, rewritten

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Lend a connection."""
        async with self._pool.acquire() as connection:
            yield Connection(connection, self._rewritten)


class Connection:
    """A connection of such a pool."""

    def __init__(self, connection: Any, rewritten: Mapping[str, str]) -> None:
        self._connection, self._rewritten = connection, rewritten

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            return found

        async def send(sql: str, *arguments: Any, **more: Any) -> Any:
            try:
                return await found(self._rewritten.get(sql, sql), *arguments, **more)
            except asyncpg.PostgresError as error:
                raise RequestRefusedError(problem("FAILED", str(error))) from None

        return send


def _rewritten(name: str, statements: Mapping[str, str], sql: str = "") -> Leak:
    def plant(hub: World) -> None:
        engine = hub.app.state.engine
        hub.app.state.engine = replace(engine, pool=Pool(engine.pool, statements))

    return Leak(name, sql, plant, ONLY_THE_FIRST)


TRUSTED = _rewritten(
    "an id is believed, and a foreign key judges it",
    {
        CASE: "select $2::text::uuid where $1::int is not null",
        # Whatever key is at hand.
        CASE_KEY: "select kek, wrapped from case_key where $1::uuid is not null order by case_id limit 1",
    },
)


def _policy(table: str, condition: str) -> str:
    return f"drop policy visible on hub.{table}; create policy visible on hub.{table} for select to hub_app using ({condition})"


def _trigger(table: str, body: str, declared: str = "") -> str:
    return (
        f"create function hub.leak() returns trigger language plpgsql security definer set search_path = hub as"
        f" $$ {declared} begin {body} return new; end $$;"
        f" create trigger a_leak before insert on hub.{table} for each row execute function hub.leak();"
    )


def _if_there(table: str, condition: str, otherwise: str) -> str:
    return f"if exists (select from {table} t where {condition}) then {otherwise}; end if;"


SAME_REFERENCE = "t.client_reference = new.client_reference"
UNIQUE = Leak(
    "a reference is unique among all organisations",
    _trigger("referral", _if_there("referral", SAME_REFERENCE, "raise unique_violation")),
)
ON_CONFLICT = Leak(
    "a reference that anybody used is left as it is",
    _trigger("referral", _if_there("referral", SAME_REFERENCE, "return null")),
)
REPLAY = Leak(
    "an idempotency key is everyone's", _trigger("outcome", _if_there("outcome", "t.key = new.key", "return null"))
)
ERROR_TEXT = _rewritten(
    "what Postgres says of a failure is told",
    {},
    _trigger(
        "referral",
        "raise unique_violation using message = format('Key (number)=(%s) already exists.', (select count(*) from referral));",
    ),
)
LOG = Leak(
    "the log tells of how many somebody was picked",
    _trigger("audit_event", "new.action := new.action || ' of ' || (select count(*) from case_file);"),
)
FEEDS = Leak("everyone reads every feed", _policy("feed_record", "present"), walls=frozenset({2}))
REDIRECTS = Leak(
    "whoever passes a person on is told of any no about the case",
    "do $$ begin execute replace(replace(pg_get_functiondef('hub.not_agreed'::regproc), 'viewer_is_icorn() and c.case_id', 'c.case_id'),"
    " 'c.organisation = whom', 'c.organisation = whom or c.case_id = r.case_id'); end $$",
)
