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
from starlette.requests import HTTPConnection, Request
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
from hub.postgres import UNREACHABLE
from hub.request import OLD, media_type, queries_only, read
from schema.directives import OPERATION

PADDING: Final = 1024
"""Answers are filled up to a multiple of this, so that their length tells little (security, response size)."""
log = structlog.get_logger(__name__)


@dataclass
class Told:
    """What an answer says beside its data and errors: how the client's budget stands, and the cost where that was asked for."""

    spending: Spending | None = None
    limit: int = 0
    cost: int | None = None
    wants_cost: bool = False
    wait: int = 0
    kind: str = OLD
    """The media type."""

    def status(self, refusal: RequestRefusedError) -> int:
        """Give a refusal's HTTP status: in the old media type, a well-formed request has 200 whatever comes of it (GraphQL over HTTP, 6.4.1)."""
        return 200 if self.kind == OLD and refusal.well_formed else refusal.status

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
    told = request.state.told = Told(kind=media_type(request.headers.get("accept", "")) or OLD)
    try:
        principal = await admitted(request, request.method)
        asked = await read(request, principal)
        told.wants_cost = (asked.extensions or {}).get("cost") is True
        document = await engine.trusted.read(principal, asked.query, asked.documentId)
        queries_only(request, document.operation(asked.operationName))
        run = operation(
            engine, principal, document, asked.operationName, asked.variables or {}, by_id=asked.query is None
        )
        told.cost = run.cost
        if run.compiled.plan.fresh:
            resource.need_fresh_sign_in(principal)
        await spend(told, principal, run.cost - OPERATION.weight)
        with request.app.state.under_way.one_more(principal):
            data = await (mutate(engine, run) if run.compiled.plan.kind == "mutation" else query(engine, run))
        return respond(request, resource, 200, data, run.compiled.plan.errors)
    except Exception as error:  # noqa: BLE001 every one has its answer
        return refusal(request, error)


async def admitted(request: HTTPConnection, method: str) -> Principal:
    """Find out who asks, and take off its budget what any operation costs; raise AuthError or TooManyRequestsError."""
    told: Told = request.state.told
    refuse_strangers(request)
    principal: Principal = await request.app.state.resource.principal(
        request.scope["headers"], method, request.url.path, request.scope["query_string"]
    )
    use_once(request, principal)
    told.spending, told.limit = Spending(request.app.state.budgets, principal), principal.limits.cost
    await spend(told, principal, OPERATION.weight)
    return principal


def refusal(request: HTTPConnection, error: Exception) -> Response:
    """Answer a request that was not answered otherwise: whatever went wrong, and nothing of what it was about."""
    if isinstance(error, AuthError):
        return _unproven(request, error)
    resource: Resource = request.app.state.resource
    told: Told = request.state.told
    if refused := error if isinstance(error, RequestRefusedError) else _unfit(error):
        told.cost, told.wait = told.cost or refused.cost, refused.wait
        return respond(request, resource, told.status(refused), None, refused.errors)
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        found = problem("TIMEOUT", "This took too long and was given up: ask for less at once.")
        return respond(request, resource, 503, None, [found])
    if isinstance(error, UNREACHABLE):
        log.error("database.unavailable", error=type(error).__name__)
        found = problem("SERVICE_UNAVAILABLE", "The hub cannot reach its database; try again.")
        return respond(request, resource, 503, None, [found])
    # A traceback, or the error's own text, may hold what no one may read.
    log.error("request.fault", error=type(error).__name__, sqlstate=getattr(error, "sqlstate", None))
    found = problem("INTERNAL_SERVER_ERROR", "The hub failed; nothing was answered.")
    return respond(request, resource, 500, None, [found])


def _unproven(request: HTTPConnection, error: AuthError) -> Response:
    told: Told = request.state.told
    log.info("request.refused", code=error.error or "no_token")
    if error.error != "insufficient_user_authentication":
        request.app.state.strangers.failed(caller(request))
    if told.spending is not None:
        # Whoever sends again what a client once sent uses up nothing of what is the client's.
        told.spending.undo()
    body = {"errors": [problem("UNAUTHENTICATED" if error.status == 401 else "BAD_REQUEST", error.description)]}  # noqa: PLR2004 HTTP
    return _json(request, error.status, msgspec.json.encode(body), error.headers)


def _unfit(error: Exception) -> RequestRefusedError | None:
    if isinstance(error, GraphQLError):
        return RequestRefusedError(problem("BAD_USER_INPUT", UNFIT))
    if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        text = "A text holds a character that cannot be stored, such as NUL: leave it out."
        return RequestRefusedError(problem("BAD_USER_INPUT", text))
    return None


def caller(request: HTTPConnection) -> Address | None:
    """Give the address that a request comes from, as far as it is known."""
    strangers: Strangers = request.app.state.strangers
    peer = request.client.host if request.client else None
    return strangers.caller(peer, request.headers.getlist("x-forwarded-for"))


def refuse_strangers(request: HTTPConnection) -> None:
    """Raise TooManyRequestsError where too many failed to prove who they are, unless the token was seen to be good before."""
    strangers: Strangers = request.app.state.strangers
    if not strangers.watching or not (wait := strangers.wait(caller(request))):
        return
    if not request.app.state.resource.knows(request.headers.get("authorization", "")):
        text = "Too many requests from here did not show who sent them: try again later."
        raise TooManyRequestsError(wait, problem("LIMIT_EXCEEDED", text))


def use_once(request: HTTPConnection, principal: Principal) -> None:
    """Raise AuthError for a proof that this process has seen before, so that who sends it again spends nothing of the client's.

    What other processes have seen is for the answering statement to know.
    """
    seen: Recent[bytes, bool] = request.app.state.seen_proofs
    if seen.get(principal.proof):
        raise refused("invalid_dpop_proof", USED)
    seen.put(principal.proof, True)  # noqa: FBT003 a set, that forgets


async def spend(told: Told, principal: Principal, amount: int) -> None:
    """Take an amount off the client's budget; raise TooManyRequestsError when it is not there."""
    spending = told.spending
    assert spending is not None  # noqa: S101 whoever was admitted has a budget
    if not await spending.take(amount):
        assert spending.balance is not None  # noqa: S101 there is one after `take`
        most = principal.limits.cost_per_minute
        raise TooManyRequestsError(spending.balance.resets, exceeded("cost_per_minute", most, amount))


def respond(request: HTTPConnection, resource: Resource, status: int, data: bytes | None, errors: Any) -> Response:
    """Put data and errors together as one answer, filled up to a length that tells little."""
    parts = [b'{"data":' + data if data is not None else b"{"]
    if errors:
        parts.append((b"," if data is not None else b"") + b'"errors":' + msgspec.json.encode(errors))
    if extensions := request.state.told.extensions():
        parts.append(b',"extensions":' + msgspec.json.encode(extensions))
    body = b"".join([*parts, b"}"])
    nonce = resource.next_nonce()
    return _json(request, status, body + b" " * (-len(body) % PADDING), {"DPoP-Nonce": nonce} if nonce else {})


def _json(request: HTTPConnection, status: int, body: bytes, headers: Any) -> Response:
    """Answer in the media type asked for."""
    told: Told = request.state.told
    allowed = {"Allow": "POST" if request.scope.get("method") == "GET" else "GET, POST"} if status == 405 else {}  # noqa: PLR2004 HTTP
    sent = {"Cache-Control": "no-store", **told.headers(), **allowed, **headers}
    return Response(body, status, sent, f"{told.kind}; charset=utf-8")
