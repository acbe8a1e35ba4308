"""This module answers GraphQL over HTTP: `answer` is a whole request, top to bottom.

HTTP -> token and DPoP proof -> Principal -> document -> plan -> one statement beside the feed calls -> bytes out, the audit
record written by the statement itself.
"""

from typing import Any, Final

import asyncpg
import msgspec
import structlog
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from auth.resource import AuthError, Resource
from hub.commands.execute import mutate
from hub.engine.documents import UNFIT, RequestRefusedError, problem
from hub.engine.execute import Engine, operation, query

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a request body."""
PADDING: Final = 1024
"""Answers are filled up to a multiple of this, so that their length tells little (security, response size)."""
NEW: Final = "application/graphql-response+json"
UNREACHABLE: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    # The pool's own, when a request and its upkeep reconnect at the same moment.
    asyncpg.InternalClientError,
)
"""What a database says that is not there, not yet, or not any more."""
log = structlog.get_logger(__name__)


class Asked(msgspec.Struct):
    """The body of a request (GraphQL over HTTP, section 5.4)."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 the specification's name
    extensions: dict[str, Any] | None = None


_DECODER: Final = msgspec.json.Decoder(Asked)


async def answer(request: Request) -> Response:
    """Answer one GraphQL request."""
    engine: Engine = request.app.state.engine
    resource: Resource = request.app.state.resource
    try:
        principal = await resource.principal(
            request.scope["headers"], request.method, request.url.path, request.scope["query_string"]
        )
        asked = await read(request)
        document = engine.documents.get(asked.query)
        run = operation(engine, principal, document, asked.operationName, asked.variables or {})
        data = await (mutate(engine, run) if run.compiled.plan.kind == "mutation" else query(engine, run))
        return respond(request, resource, 200, data, run.compiled.plan.errors)
    except AuthError as error:
        log.info("request.refused", code=error.error or "no_token")
        body = {"errors": [problem("UNAUTHENTICATED" if error.status == 401 else "BAD_REQUEST", error.description)]}  # noqa: PLR2004 HTTP
        return _json(request, error.status, msgspec.json.encode(body), error.headers)
    except RequestRefusedError as refused:
        return respond(request, resource, 400, None, refused.errors)
    except GraphQLError:
        return respond(request, resource, 400, None, [problem("BAD_USER_INPUT", UNFIT)])
    except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
        refusal = problem(
            "BAD_USER_INPUT", "A text holds a character that cannot be stored, such as NUL: leave it out."
        )
        return respond(request, resource, 400, None, [refusal])
    except (asyncpg.QueryCanceledError, TimeoutError):
        return respond(
            request,
            resource,
            503,
            None,
            [problem("TIMEOUT", "This took too long and was given up: ask for less at once.")],
        )
    except UNREACHABLE as error:
        log.error("database.unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
        return respond(
            request,
            resource,
            503,
            None,
            [problem("SERVICE_UNAVAILABLE", "The hub cannot reach its database; try again.")],
        )
    except Exception as error:  # noqa: BLE001 whatever went wrong, its text may hold what no one may read
        log.error("request.fault", error=type(error).__name__, sqlstate=getattr(error, "sqlstate", None))  # noqa: TRY400 as above
        return respond(
            request, resource, 500, None, [problem("INTERNAL_SERVER_ERROR", "The hub failed; nothing was answered.")]
        )


async def read(request: Request) -> Asked:
    """Read the body of a request; raise RequestRefusedError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/json":
        raise RequestRefusedError(
            problem("BAD_REQUEST", "Send the operation as POST with Content-Type: application/json.")
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise RequestRefusedError(problem("LIMIT_EXCEEDED", f"A request may have at most {BODY_LIMIT} bytes."))
    try:
        return _DECODER.decode(bytes(body))
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        raise RequestRefusedError(
            problem(
                "BAD_REQUEST", 'The body must be JSON: {"query": "...", "variables": {...}, "operationName": "..."}.'
            )
        ) from None


def respond(request: Request, resource: Resource, status: int, data: bytes | None, errors: Any) -> Response:
    """Put data and errors together as one answer, filled up to a length that tells little."""
    parts = [b'{"data":' + data if data is not None else b"{"]
    if errors:
        parts.append((b"," if data is not None else b"") + b'"errors":' + msgspec.json.encode(errors))
    body = b"".join([*parts, b"}"])
    nonce = resource.next_nonce()
    return _json(request, status, body + b" " * (-len(body) % PADDING), {"DPoP-Nonce": nonce} if nonce else {})


def _json(request: Request, status: int, body: bytes, headers: Any) -> Response:
    """Answer in the media type asked for; in the old one a well-formed request has status 200 (GraphQL over HTTP, 6.4)."""
    new = NEW in request.headers.get("accept", "")
    plain = 200 if not new and status == 400 and b'"code":"BAD_REQUEST"' not in body else status  # noqa: PLR2004 HTTP
    return Response(
        body, plain, {"Cache-Control": "no-store", **headers}, f"{NEW if new else 'application/json'}; charset=utf-8"
    )
