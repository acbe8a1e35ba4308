"""This module begins a subscription: what is asked is judged like any operation, before anything is promised."""

from typing import Any, Final

import msgspec
from graphql import OperationType
from starlette.requests import HTTPConnection

from auth.principal import Principal
from auth.resource import refused
from hub.engine.documents import RequestRefusedError
from hub.engine.execute import Engine, Operation, operation
from hub.engine.limits import problem
from hub.engine.trusted import DocumentUnknownError
from hub.graphql import PADDING, spend
from hub.request import Asked
from hub.subscriptions import ends
from schema.directives import OPERATION

ONLY: Final = "Only subscriptions are answered here: send queries and mutations by POST."


async def begun(connection: HTTPConnection, principal: Principal, asked: Asked) -> Operation:
    """Judge and compile a subscription, and take what it costs; raise RequestRefusedError."""
    engine: Engine = connection.app.state.engine
    document = await engine.trusted.read(principal, asked.query, asked.documentId)
    if document.operation(asked.operationName).operation is not OperationType.SUBSCRIPTION:
        raise RequestRefusedError(problem("BAD_REQUEST", ONLY))
    run = operation(engine, principal, document, asked.operationName, asked.variables or {}, by_id=asked.query is None)
    # What a fragment's condition leaves out, or the scopes deny, cannot be followed.
    if not run.compiled.plan.roots or run.compiled.plan.roots[0].constant:
        raise RequestRefusedError(*(run.compiled.plan.errors or [problem("BAD_REQUEST", "Nothing is selected.")]))
    await spend(connection.state.told, principal, run.cost - OPERATION.weight)
    match await connection.app.state.exchange.standing.lost(principal, run):
        case None:
            return run
        case ends.UNFIT:
            raise DocumentUnknownError
    raise refused("invalid_token", ends.REVOKED.words)


def payload(asked: Operation, data: bytes) -> bytes:
    """Make the answer of one event, filled up like any answer; on one line."""
    errors: list[dict[str, Any]] = asked.compiled.plan.errors
    body = b'{"data":' + data + (b',"errors":' + msgspec.json.encode(errors) if errors else b"") + b"}"
    return body.replace(b"\n", b" ").replace(b"\r", b" ") + b" " * (-len(body) % PADDING)
