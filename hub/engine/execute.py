"""This module runs a compiled query: one statement for own data, feed calls beside it, and the answer put together as bytes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import asyncpg
import msgspec
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode, execute_sync

from auth.people import People
from auth.principal import Principal
from auth.resource import refused
from connectors.addresses import AllowedHosts
from hub.engine.bind import Binding
from hub.engine.compiled import Compiled, Plans, entrance
from hub.engine.cursors import Cursors
from hub.engine.documents import Document, Documents, RequestRefusedError, variable_values
from hub.engine.limits import PLANNED, beyond, problem
from hub.engine.parameters import Base, asker
from hub.engine.plan import Arguments
from hub.engine.selection import Variables, arguments
from hub.engine.splice import MARK, Fill, cursors, opened, splice
from hub.engine.statement import Statement
from hub.engine.trusted import DocumentUnknownError, Trusted
from hub.feeds.refresh import Refresher
from hub.sealing import Sealing

DEADLINE: Final = timedelta(seconds=2)
"""How long an answer waits for feeds when nothing is said."""
LONGEST: Final = timedelta(seconds=10)
USED: Final = "The DPoP proof was used before: make a new one for every request."
ANY_STANDING: Final = "viewer_standing({token}, '', false) is not null or null"
"""True for whoever is live, null for others: no document is asked for yet."""


class FaultError(Exception):
    """The database answered as somebody else than it was asked as: nothing it said may be used."""


@dataclass(frozen=True)
class Engine:
    """What answering needs. `pool` is of the role hub_app; `people` knows how to invite somebody."""

    schema: GraphQLSchema
    pool: "asyncpg.Pool[asyncpg.Record]"
    sealing: Sealing
    refresher: Refresher
    cursor_key: bytes = field(repr=False)
    index_key: bytes = field(repr=False)
    documents: Documents
    plans: Plans
    trusted: Trusted
    people: People
    private_hosts: AllowedHosts = frozenset()
    """"host:port" inside that webhooks may be of."""


@dataclass(frozen=True)
class Operation:
    """One request to run: who asks, what, with what, and how it was compiled."""

    principal: Principal
    document: Document
    node: OperationDefinitionNode
    variables: Variables
    given: Mapping[str, Any]
    compiled: Compiled
    binding: Binding
    cost: int
    """By the schema's @cost and @listSize: of the document and the variables, never of what there is to find."""
    by_id: bool = False
    """Whether the document was asked for by its id, so that it must be one of the client's published ones still."""


def operation(
    engine: Engine,
    principal: Principal,
    document: Document,
    name: str | None,
    given: dict[str, Any],
    *,
    by_id: bool = False,
) -> Operation:
    """Coerce, compile and judge a request, before anything is asked of the database; raise RequestRefusedError."""
    node, limits = document.operation(name), principal.limits
    sizes = document.sizes[node.name.value if node.name else None]
    if any(sizes[name] > getattr(limits, name) for name in PLANNED):
        raise RequestRefusedError(*beyond(sizes, limits))
    variables = variable_values(engine.schema, node, given)
    compiled = engine.plans.get(document, node, variables, principal.scopes, principal.organisation)
    asker = (str(principal.organisation), principal.client, principal.user or "")
    binding = Binding(engine.schema, variables, Cursors(engine.cursor_key, asker), engine.index_key)
    cost = compiled.plan.price.of(lambda parent, field: arguments(parent, field, variables))
    if wrong := beyond({**sizes, "cost": cost}, limits) + binding.judge(compiled.plan, limits):
        refusal = RequestRefusedError(*wrong)
        refusal.cost = cost
        raise refusal
    if compiled.plan.audited and principal.purpose is None:
        raise RequestRefusedError(
            problem("PURPOSE_REQUIRED", "Reading or changing cases needs a purpose: send the header Hub-Purpose.")
        )
    return Operation(principal, document, node, variables, given, compiled, binding, cost, by_id)


@asynccontextmanager
async def asking(engine: Engine) -> AsyncIterator[Any]:
    """Borrow a connection for statements that this module writes: who asks is bound for each of them alone."""
    connection: Any
    async with engine.pool.acquire() as connection:
        yield connection
        connection.leaves_nothing()


async def query(engine: Engine, asked: Operation) -> bytes:
    """Answer a query: {"data"} as JSON bytes. Own data and feeds are asked side by side."""
    compiled = asked.compiled
    (own,) = compiled.own
    waiting = _refreshes(engine, asked)
    refreshing = asyncio.gather(*waiting) if waiting else None
    try:
        async with asking(engine) as connection:
            body = await fetch(connection, own, asked, {})
        if refreshing is not None:
            await refreshing
    finally:
        if refreshing is not None:
            refreshing.cancel()
    return await _whole(engine, asked, own, body)


async def occurrence(engine: Engine, asked: Operation, subject: object, ordinal: int | None) -> bytes | None:
    """Answer a subscription for one event: {"data"} as JSON bytes, None where the asker, as it stands now, may not see it."""
    (own,) = asked.compiled.own
    async with asking(engine) as connection:
        row = await _row(connection, own, asked, {}, {"subject": subject, "ordinal": ordinal, "outcome": "DONE"})
    if row["body"] is None:
        return None
    await asyncio.gather(*_refreshes(engine, asked))
    return await _whole(engine, asked, own, row["body"])


async def enter(engine: Engine, principal: Principal) -> None:
    """Spend a proof on a connection on which nothing is asked yet; raise AuthError."""
    wanted, given = entrance("proof", ANY_STANDING), {**asker(principal), "commit": "off"}
    values = [given[parameter.name] for parameter in wanted.parameters if isinstance(parameter, Base)]
    async with asking(engine) as connection:
        _passed(await connection.fetchrow(wanted.sql, *values), principal)


async def _whole(engine: Engine, asked: Operation, own: Statement, body: bytes) -> bytes:
    filled = fills(engine, asked, own)
    if asked.compiled.feeds is not None:
        filled[b"remote"] = await feed_results(engine, asked, asked.compiled.feeds, body)
    return splice(body, filled)


async def fetch(
    connection: Any,
    wanted: Statement,
    asked: Operation,
    parts: Mapping[int, list[str]],
    **about: object,
) -> bytes:
    """Run a statement behind its gate; raise AuthError when the gate is shut, FaultError when it ran as anybody else."""
    row = await _row(connection, wanted, asked, parts, {"subject": None, "named": None, "outcome": "DONE", **about})
    body: bytes | None = row["body"]
    if body is None and "null::text as body" not in wanted.sql:
        raise FaultError
    return body or b"null"


async def _row(
    connection: Any, wanted: Statement, asked: Operation, parts: Mapping[int, list[str]], about: Mapping[str, object]
) -> Any:
    values = asked.binding.values(wanted.parameters, {**_base(asked), **about}, parts)
    row = await connection.fetchrow(wanted.sql, *values, timeout=asked.principal.limits.statement_seconds)
    return _passed(row, asked.principal)


def _passed(row: Any, principal: Principal) -> Any:
    if row is None or row["ran_as"] != principal.organisation:
        raise FaultError
    if row["trusted"] is None:
        raise refused("invalid_token", "The access token, its client or its organisation is no longer valid.")
    if not row["trusted"]:
        raise DocumentUnknownError
    if not row["fresh"]:
        raise refused("invalid_dpop_proof", USED)
    return row


def _base(asked: Operation) -> dict[str, Any]:
    principal, plan = asked.principal, asked.compiled.plan
    return {
        **asker(principal),
        "purpose": principal.purpose,
        "operation": asked.document.digest,
        "by_id": asked.by_id,
        "action": f"{plan.kind} {' '.join(sorted(set(plan.actions)))}",
        "categories": sorted(plan.categories),
        "commit": "on" if plan.durable else "off",
    }


def _refreshes(engine: Engine, asked: Operation) -> list[Any]:
    """Give a refresh for every field that asks for fresher feeds: of whole feeds, never of one person."""
    waiting = []
    for part in asked.compiled.remote:
        assert part.arguments is not None  # noqa: S101 the planner gives them
        values = asked.binding.arguments(part.arguments)
        if (max_age := values.get("maxAge")) is not None:
            feeds = (values.get("filter") or {}).get("feeds")
            feeds = None if feeds is None else [code for code in feeds if "\0" not in code]
            waiting.append(_refresh(engine, asked, part.arguments, feeds, max_age, values.get("deadline")))
    return waiting


async def _refresh(
    engine: Engine,
    asked: Operation,
    field: Arguments,
    feeds: list[str] | None,
    max_age: timedelta,
    deadline: timedelta | None,
) -> None:
    found = await engine.refresher.refresh(feeds, max_age, min(DEADLINE if deadline is None else deadline, LONGEST))
    asked.binding.refreshed(field, found)


async def feed_results(engine: Engine, asked: Operation, wanted: Statement, body: bytes) -> Fill:
    """Read what feeds say for every mark in an answer, in one statement; and in one more for each depth of feeds within feeds."""
    parts: dict[int, list[str]] = {i: [] for i in range(len(asked.compiled.plan.parts))}
    for mark in MARK.finditer(body):
        if mark[1] == b"remote":
            part, _, case = mark[2].decode().partition("|")
            parts[int(part)].append(case)
    if not any(parts.values()):
        return lambda _: b"[]"
    async with asking(engine) as connection:
        told = await fetch(connection, wanted, asked, parts)
    filled = fills(engine, asked, wanted)
    told = splice(told, {**filled, b"remote": await feed_results(engine, asked, wanted, told)})
    answers = msgspec.json.decode(told, type=dict[str, dict[str, msgspec.Raw]])

    def fill(mark: str) -> bytes:
        part, _, case = mark.partition("|")
        return bytes(answers[part].get(case, b"[]"))

    return fill


def fills(engine: Engine, asked: Operation, wanted: Statement) -> dict[bytes, Fill]:
    """Give what fills the marks of an answer."""
    sealed = Cursors(
        engine.cursor_key, (str(asked.principal.organisation), asked.principal.client, asked.principal.user or "")
    )
    return {
        b"sealed": opened(asked.compiled.plan, engine.sealing),
        b"cursor": cursors(sealed, wanted.cursors, asked.binding.arguments),
        b"introspection": _introspection(engine, asked),
    }


def _introspection(engine: Engine, asked: Operation) -> Fill:
    """Answer questions about the schema, which is public, by graphql-core's own executor."""
    if not asked.compiled.plan.introspection:
        return lambda _: b"null"
    only = OperationDefinitionNode(
        operation=asked.node.operation,
        variable_definitions=asked.node.variable_definitions,
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(asked.compiled.plan.introspection)),
    )
    document = DocumentNode(definitions=(only, *asked.document.fragments.values()))
    answer = execute_sync(engine.schema, document, variable_values=dict(asked.given)).data or {}
    return lambda key: msgspec.json.encode(answer.get(key))
