"""This module serves the authorization server over HTTP: the endpoints that clients call, its keys and its metadata."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth import authorize, metadata
from auth.requests import Reply
from auth.server import AuthorizationServer
from auth.strangers import Strangers

log = structlog.get_logger(__name__)
_LARGEST_FORM = 32_768
_FORM = "application/x-www-form-urlencoded"
_UNPROVEN = frozenset({"invalid_request", "invalid_client", "invalid_dpop_proof", "unsupported_grant_type"})
"""Refusals of whoever has not shown to be a client; they count against where it calls from."""
_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

Answering = Callable[[list[tuple[str, str]], list[str]], Awaitable[Reply]]
"""What answers a form's parameters and the DPoP headers beside them."""


def routes(server: AuthorizationServer, strangers: Strangers) -> list[Route]:
    """Return the server's routes, all of them relative to the issuer."""

    def endpoint(answer: Answering) -> Callable[[Request], Awaitable[Response]]:
        """Make what clients call, with a form and their assertion in it."""

        async def called(request: Request) -> Response:
            address = strangers.caller(
                request.client.host if request.client else None, request.headers.getlist("x-forwarded-for")
            )
            try:
                if wait := strangers.wait(address):
                    reply = server.refusal("temporarily_unavailable", {"Retry-After": str(wait)}, 429)
                else:
                    reply = await _read(server, request, answer)
            except _UNREACHABLE as error:
                log.error("oauth.database_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
                return _unavailable()
            except Exception as error:  # noqa: BLE001 whatever it was, the caller is answered in OAuth's own words
                return _failed(server, error)
            if reply.proven or reply.status < HTTPStatus.BAD_REQUEST:
                strangers.proved(address)
            elif reply.body.get("error") in _UNPROVEN:
                strangers.failed(address)
            return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))

        return called

    async def jwks(_: Request) -> Response:
        try:
            keys = await server.keys.public()
        except _UNREACHABLE as error:
            log.error("oauth.database_unavailable", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
            return _unavailable()
        except Exception as error:  # noqa: BLE001 as above
            return _failed(server, error)
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=60"})

    async def about(_: Request) -> Response:
        return JSONResponse(metadata.document(server.issuer), headers={"Cache-Control": "public, max-age=300"})

    return [
        Route(metadata.TOKEN_PATH, endpoint(server.token), methods=["POST"]),
        Route(metadata.PAR_PATH, endpoint(server.push), methods=["POST"]),
        *(Route(path, endpoint(server.about(name)), methods=["POST"]) for name, path in metadata.PATHS.items()),
        *authorize.routes(server.issuer, server.grants),
        Route(metadata.JWKS_PATH, jwks, methods=["GET"]),
        Route(metadata.METADATA_PATH, about, methods=["GET"]),
    ]


async def _read(server: AuthorizationServer, request: Request, answer: Answering) -> Reply:
    # RFC 6749, 3.2 and 2.3: parameters come in the body, and a client uses one way to authenticate.
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    if fault := _fault(request, content_type, body):
        return server.refusal("invalid_request", description=fault)
    try:
        parameters = parse_qsl(
            (body or b"").decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError:
        return server.refusal("invalid_request")
    return await answer(parameters, request.headers.getlist("dpop"))


def _fault(request: Request, content_type: str, body: bytes | None) -> str | None:
    if request.url.query:
        return "Parameters go in the body, never in the URL."
    if content_type != _FORM:
        return f"Send the parameters with Content-Type: {_FORM}."
    if "authorization" in request.headers:
        return "Authenticate by client_assertion alone, without an Authorization header."
    return f"The form is longer than {_LARGEST_FORM} bytes." if body is None else None


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


def _failed(server: AuthorizationServer, error: Exception) -> JSONResponse:
    """Answer for a fault of our own (RFC 6749, 4.1.2.1 has the code); the log has its kind and place, never its text."""
    log.error("oauth.fault", exc_info=error)
    reply = server.refusal("server_error", status=500)
    return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))
