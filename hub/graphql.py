"""This module answers GraphQL over HTTP: `answer` is a whole request, top to bottom.

HTTP -> token and DPoP proof -> Principal -> document -> plan and its cost -> one statement beside the feed calls -> bytes out,
the audit record written by the statement itself.
"""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from auth.budgets import Spending
from auth.principal import Principal
from auth.recent import Recent
from auth.resource import AuthError, Resource, refused
from auth.strangers import Address, Strangers
from hub.commands.execute import mutate
from hub.engine.documents import UNFIT, RequestRefusedError, TooManyRequestsError
from hub.engine.execute import USED, Engine, operation, query
from hub.engine.limits import exceeded, problem
from schema.directives import OPERATION

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


@dataclass
class Told:
    """What an answer says beside its data and errors: how the client's budget stands, and the cost where that was asked for."""

    spending: Spending | None = None
    limit: int = 0
    cost: int | None = None
    wants_cost: bool = False
    wait: int = 0

    def headers(self) -> dict[str, str]:
        """Give the headers, all of them functions of the client's own requests."""
        balance = self.spending.balance if self.spending else None
        found = balance.headers() if balance else {}
        return {**found, "Retry-After": str(self.wait)} if self.wait else found

    def extensions(self) -> dict[str, Any] | None:
        """Give the answer's extensions, if there are any."""
        return {"cost": {"operation": self.cost, "limit": self.limit}} if self.wants_cost and self.cost else None


async def answer(request: Request) -> Response:
    """Answer one GraphQL request."""
    engine: Engine = request.app.state.engine
    resource: Resource = request.app.state.resource
    told = request.state.told = Told()
    try:
        refuse_strangers(request)
        principal = await resource.principal(
            request.scope["headers"], request.method, request.url.path, request.scope["query_string"]
        )
        use_once(request, principal)
        told.spending, told.limit = Spending(request.app.state.budgets, principal), principal.limits.cost
        await spend(told.spending, principal, OPERATION.weight)
        asked = await read(request, principal.limits.body_bytes)
        told.wants_cost = (asked.extensions or {}).get("cost") is True
        document = await engine.documents.read(asked.query, principal.limits, principal.organisation)
        run = operation(engine, principal, document, asked.operationName, asked.variables or {})
        told.cost = run.cost
        await spend(told.spending, principal, run.cost - OPERATION.weight)
        with request.app.state.under_way.one_more(principal):
            data = await (mutate(engine, run) if run.compiled.plan.kind == "mutation" else query(engine, run))
        return respond(request, resource, 200, data, run.compiled.plan.errors)
    except AuthError as error:
        log.info("request.refused", code=error.error or "no_token")
        request.app.state.strangers.failed(caller(request))
        if told.spending is not None:
            # Whoever sends again what a client once sent uses up nothing of what is the client's.
            told.spending.undo()
        body = {"errors": [problem("UNAUTHENTICATED" if error.status == 401 else "BAD_REQUEST", error.description)]}  # noqa: PLR2004 HTTP
        return _json(request, error.status, msgspec.json.encode(body), error.headers)
    except TooManyRequestsError as refusal:
        told.wait = refusal.wait
        return respond(request, resource, 429, None, refusal.errors)
    except RequestRefusedError as refusal:
        told.cost = refusal.cost
        return respond(request, resource, 400, None, refusal.errors)
    except GraphQLError:
        return respond(request, resource, 400, None, [problem("BAD_USER_INPUT", UNFIT)])
    except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
        text = "A text holds a character that cannot be stored, such as NUL: leave it out."
        return respond(request, resource, 400, None, [problem("BAD_USER_INPUT", text)])
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


def caller(request: Request) -> Address | None:
    """Give the address that a request comes from, as far as it is known."""
    strangers: Strangers = request.app.state.strangers
    peer = request.client.host if request.client else None
    return strangers.caller(peer, request.headers.getlist("x-forwarded-for"))


def refuse_strangers(request: Request) -> None:
    """Raise TooManyRequestsError where too many failed to prove who they are, unless the token was seen to be good before."""
    strangers: Strangers = request.app.state.strangers
    if not strangers.watching or not (wait := strangers.wait(caller(request))):
        return
    if not request.app.state.resource.knows(request.headers.get("authorization", "")):
        text = "Too many requests from here did not show who sent them: try again later."
        raise TooManyRequestsError(wait, problem("LIMIT_EXCEEDED", text))


def use_once(request: Request, principal: Principal) -> None:
    """Raise AuthError for a proof that this process has seen before, so that who sends it again spends nothing of the client's.

    What other processes have seen is for the answering statement to know.
    """
    seen: Recent[bytes, bool] = request.app.state.seen_proofs
    if seen.get(principal.proof):
        raise refused("invalid_dpop_proof", USED)
    seen.put(principal.proof, True)  # noqa: FBT003 a set, that forgets


async def spend(spending: Spending, principal: Principal, amount: int) -> None:
    """Take an amount off the client's budget; raise TooManyRequestsError when it is not there."""
    if not await spending.take(amount):
        assert spending.balance is not None  # noqa: S101 there is one after `take`
        most = principal.limits.cost_per_minute
        raise TooManyRequestsError(spending.balance.resets, exceeded("cost_per_minute", most, amount))


async def read(request: Request, most: int) -> Asked:
    """Read the body of a request, of at most so many bytes; raise RequestRefusedError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/json":
        raise RequestRefusedError(
            problem("BAD_REQUEST", "Send the operation as POST with Content-Type: application/json.")
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise RequestRefusedError(exceeded("body_bytes", most, len(body)))
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
    if extensions := request.state.told.extensions():
        parts.append(b',"extensions":' + msgspec.json.encode(extensions))
    body = b"".join([*parts, b"}"])
    nonce = resource.next_nonce()
    return _json(request, status, body + b" " * (-len(body) % PADDING), {"DPoP-Nonce": nonce} if nonce else {})


def _json(request: Request, status: int, body: bytes, headers: Any) -> Response:
    """Answer in the media type asked for; in the old one a well-formed request has status 200 (GraphQL over HTTP, 6.4)."""
    new = NEW in request.headers.get("accept", "")
    plain = 200 if not new and status == 400 and b'"code":"BAD_REQUEST"' not in body else status  # noqa: PLR2004 HTTP
    return Response(
        body,
        plain,
        {"Cache-Control": "no-store", **request.state.told.headers(), **headers},
        f"{NEW if new else 'application/json'}; charset=utf-8",
    )
