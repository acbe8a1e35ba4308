"""This module serves the authorization server over HTTP: the token endpoint, its keys and its metadata."""

from http import HTTPStatus
from urllib.parse import parse_qsl

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth import metadata
from auth.server import AuthorizationServer, Reply
from auth.strangers import Strangers

log = structlog.get_logger(__name__)
_LARGEST_FORM = 32_768
_FORM = "application/x-www-form-urlencoded"
_UNPROVEN = frozenset({"invalid_request", "invalid_client", "invalid_dpop_proof", "unsupported_grant_type"})
"""Refusals of whoever has not shown to be a client; they count against where it calls from."""
_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def routes(server: AuthorizationServer, strangers: Strangers) -> list[Route]:
    """Return the server's routes, all of them relative to the issuer."""

    async def token(request: Request) -> Response:
        address = strangers.caller(
            request.client.host if request.client else None, request.headers.getlist("x-forwarded-for")
        )
        try:
            if wait := strangers.wait(address):
                reply = server.refusal("temporarily_unavailable", {"Retry-After": str(wait)}, 429)
            else:
                reply = await _token(server, request)
        except _UNREACHABLE as error:
            log.error("oauth.database_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
            return _unavailable()
        if reply.body.get("error") in _UNPROVEN:
            strangers.failed(address)
        elif reply.status == HTTPStatus.OK:
            strangers.proved(address)
        return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))

    async def jwks(_: Request) -> Response:
        try:
            keys = await server.keys.public()
        except _UNREACHABLE as error:
            log.error("oauth.database_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
            return _unavailable()
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=60"})

    async def about(_: Request) -> Response:
        return JSONResponse(metadata.document(server.issuer), headers={"Cache-Control": "public, max-age=300"})

    return [
        Route(metadata.TOKEN_PATH, token, methods=["POST"]),
        Route(metadata.JWKS_PATH, jwks, methods=["GET"]),
        Route(metadata.METADATA_PATH, about, methods=["GET"]),
    ]


async def _token(server: AuthorizationServer, request: Request) -> Reply:
    # RFC 6749, 3.2 and 2.3: parameters come in the body, and a client uses one way to authenticate.
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    if request.url.query or content_type != _FORM or "authorization" in request.headers or body is None:
        return server.refusal("invalid_request")
    try:
        parameters = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        return server.refusal("invalid_request")
    return await server.token(parameters, request.headers.getlist("dpop"))


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return None
    return body


def _unavailable() -> JSONResponse:
    body = {"error": "temporarily_unavailable", "error_description": "The server cannot answer now. Try again later."}
    return JSONResponse(body, 503, {"Cache-Control": "no-store", "Retry-After": "5"})
