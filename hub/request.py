"""This module reads a GraphQL request off HTTP (GraphQL over HTTP, September 2025 draft), and says which media type its answer has.

POST takes JSON, and nothing that a browser would send of itself for another site: forms, multipart and plain text are refused.
GET is for queries. A URL is written down on its way, so it names a published document and repeats nothing of what is asked about:
text and variables may stand in one only where the client was set so.
"""

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from graphql import OperationDefinitionNode, OperationType
from starlette.requests import Request

from auth.principal import Principal
from hub.engine.documents import RequestRefusedError
from hub.engine.limits import exceeded, problem

NEW: Final = "application/graphql-response+json"
OLD: Final = "application/json"
SAID_IN_TEXT: Final = ("query", "variables", "extensions")
"""What of a GET may hold a literal."""
_PARAMETERS: Final = ("query", "documentId", "operationName", "variables", "extensions")
_RANGE: Final = re.compile(r"\s*([^;,\s]+)\s*((?:;[^,]*)?)(?:,|$)")
_QUALITY: Final = re.compile(r";\s*q=([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_CHARSET: Final = re.compile(r';\s*charset="?([^";\s]+)"?', re.IGNORECASE)


class Asked(msgspec.Struct):
    """What a request asks for (GraphQL over HTTP, section 5.1 and appendix A): a document, by its text or by its id, and how to run it."""

    query: str | None = None
    documentId: str | None = None  # noqa: N815 the specification's name
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 as above
    extensions: dict[str, Any] | None = None


class NotWellFormedError(RequestRefusedError):
    """A request that is none: in either media type it is answered with a status that says so."""

    well_formed = False

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(problem("BAD_REQUEST", message))
        self.status = status


_DECODER: Final = msgspec.json.Decoder(Asked)
_UNREADABLE: Final = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError)


@lru_cache(maxsize=64)
def media_type(accept: str) -> str | None:
    """Choose the answer's media type by an Accept header (RFC 9110, section 12.5.1): None if it takes neither.

    >>> [media_type(accept) for accept in ("", "*/*", "application/graphql-response+json, application/json;q=0.9", "text/html")]
    ['application/json', 'application/json', 'application/graphql-response+json', None]
    """
    if not accept.strip():
        return OLD
    ranges = {kind.lower(): _quality(parameters) for kind, parameters in _RANGE.findall(accept)}
    found = []
    for kind in (OLD, NEW):
        named = next((name for name in (kind, "application/*", "*/*") if name in ranges), None)
        if named is not None and ranges[named] > 0:
            # Of two that are named and liked alike the newer is chosen; whoever names neither gets what everybody can read.
            found.append((ranges[named], named == kind, kind == NEW if named == kind else kind == OLD, kind))
    return max(found)[-1] if found else None


def _quality(parameters: str) -> float:
    given = _QUALITY.search(parameters)
    return float(given[1]) if given else 1.0


async def read(request: Request, principal: Principal) -> Asked:
    """Read what a request asks for; raise RequestRefusedError."""
    if media_type(request.headers.get("accept", "")) is None:
        raise NotWellFormedError(f"Answers are {NEW} or {OLD}, whole: Accept one of them.", 406)
    if request.method not in ("GET", "POST"):
        raise NotWellFormedError("Send the operation as POST, or a query as GET.", 405)
    return complete(_of_url(request, principal) if request.method == "GET" else await posted(request, principal))


def complete(asked: Asked) -> Asked:
    """Raise RequestRefusedError where a request does not say by one means what it asks."""
    if asked.query is None and asked.documentId is None and "persistedQuery" in (asked.extensions or {}):
        text = "PersistedQueryNotSupported: documents are published beforehand, and asked for by documentId."
        raise RequestRefusedError(problem("PERSISTED_QUERY_NOT_SUPPORTED", text))
    if (asked.query is None) == (asked.documentId is None):
        raise NotWellFormedError('Ask by "query", a text, or by "documentId", a published document\'s: by one of them.')
    return asked


def _of_url(request: Request, principal: Principal) -> Asked:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = {name: value for name, value in pairs if name in _PARAMETERS and (value or name != "operationName")}
    if len([name for name, _ in pairs if name in _PARAMETERS]) > len(
        {name for name, _ in pairs if name in _PARAMETERS}
    ):
        raise NotWellFormedError("Each parameter of the URL may come once.")
    if not principal.text_in_urls and not given.keys().isdisjoint(SAID_IN_TEXT):
        text = (
            "A URL is written down on its way: send text and variables as POST. GET takes documentId and operationName."
        )
        raise NotWellFormedError(text)
    try:
        opened = {name: msgspec.json.decode(given[name]) for name in ("variables", "extensions") if name in given}
        return msgspec.convert({**given, **opened}, Asked)
    except _UNREADABLE:
        raise NotWellFormedError("variables and extensions are JSON objects.") from None


async def posted(request: Request, principal: Principal) -> Asked:
    """Read what a POST asks for; raise RequestRefusedError."""
    if request.method != "POST":
        raise NotWellFormedError("Send a subscription as POST.", 405)
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = _CHARSET.search(f";{parameters}")
    if kind.strip().lower() != OLD or (charset and charset[1].lower() not in ("utf-8", "utf8")):
        raise NotWellFormedError("Send the operation as POST with Content-Type: application/json, in UTF-8.", 415)
    most = principal.limits.body_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise RequestRefusedError(exceeded("body_bytes", most, len(body)))
    try:
        return _DECODER.decode(bytes(body))
    except _UNREADABLE:
        text = 'The body must be JSON: {"query": "...", "variables": {...}, "operationName": "..."}, or documentId for query.'
        raise NotWellFormedError(text) from None


def queries_only(request: Request, operation: OperationDefinitionNode) -> None:
    """Raise NotWellFormedError where GET asks for a change (GraphQL over HTTP, section 5.3), RequestRefusedError where a stream is asked for."""
    if request.method == "GET" and operation.operation is not OperationType.QUERY:
        raise NotWellFormedError("GET is for queries: send a mutation as POST.", 405)
    if operation.operation is OperationType.SUBSCRIPTION:
        text = "A subscription is answered as a stream: POST it with Accept: text/event-stream, or use a WebSocket."
        raise RequestRefusedError(problem("BAD_REQUEST", text))
