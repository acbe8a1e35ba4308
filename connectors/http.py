"""This module talks to one sister system over HTTP: within its origin, within bounds, and forgetful of what it said."""

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

import aiohttp
import msgspec
from multidict import CIMultiDictProxy
from yarl import URL

from connectors.addresses import AllowedHosts, GuardedResolver, PrivateAddressError, may_connect
from connectors.problem import FeedProblem, ProblemCode

T = TypeVar("T")
_OK: Final = 200
_JSON: Final = "application/json"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_METHOD_KEPT: Final = frozenset({307, 308})
_CHUNK: Final = 64 * 1024
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take: seconds, bytes (decompressed), hops, retries, and the longest Retry-After sat out."""

    seconds: float = 30
    connect_seconds: float = 5
    body_bytes: int = 16 * 1024 * 1024
    redirects: int = 3
    retries: int = 2
    patience_seconds: float = 5


class Credential(Protocol):
    """What shows a sister system who asks."""

    async def headers(self) -> Mapping[str, str]:
        """Give the headers of a request; raise FeedProblem."""
        ...

    def renew(self) -> bool:
        """Say after a refusal whether another try with other headers is worth while."""
        ...


@dataclass(frozen=True, slots=True)
class Static:
    """Headers that are the same with each request."""

    shown: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def headers(self) -> Mapping[str, str]:
        """Give them."""
        return self.shown

    def renew(self) -> bool:
        """Have no others."""
        return False


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered. Its content is not shown by accident."""

    status: int
    headers: CIMultiDictProxy[str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Read the body as JSON; raise FeedProblem(NOT_JSON), which carries no trace of what could not be read."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = FeedProblem(ProblemCode.NOT_JSON)
        raise problem


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a feed is, what shows it who asks, and which private hosts are allowed by name.

    `tls` None verifies against the system's authorities; give a context for a private one.
    """

    url: URL
    credential: Credential = field(default_factory=Static, repr=False)
    private_hosts: AllowedHosts = frozenset()
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None


class Upstream:
    """An HTTP session with one sister system; every failure is a FeedProblem that holds a code and nothing else."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._limits = endpoint.limits
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=GuardedResolver(self._endpoint.private_hosts),
                ssl=self._endpoint.tls or True,
                use_dns_cache=False,
                limit=1,
            ),
            headers={"Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(total=self._limits.seconds, connect=self._limits.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # done below, within bounds
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def join(self, link: str) -> URL:
        """Resolve a link the upstream gave; raise FeedProblem(FOREIGN_LINK) when it leaves the configured origin."""
        url = _joined(self._endpoint.url, link)
        if url is None:
            raise FeedProblem(ProblemCode.FOREIGN_LINK)
        return url

    async def get_json(self, url: URL) -> Any:
        """Fetch a JSON document."""
        return (await self.send("GET", url)).json()

    async def post_json(self, url: URL, document: object) -> Any:
        """Send a JSON document, and fetch the one it is answered with."""
        return (await self.send("POST", url, msgspec.json.encode(document), {"Content-Type": _JSON})).json()

    async def send(
        self,
        method: str,
        url: URL,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        taken: Collection[int] = (),
    ) -> Reply:
        """Send a request, again after a short pause that was asked for, or with a credential made anew.

        Raise FeedProblem unless the answer's status is 200 or one of `taken`.
        """
        request = _Request(method, url, data, {"Accept": _JSON, **(headers or {})}, taken)
        return await patiently(lambda: self._sent(request), self._limits)

    async def _sent(self, request: "_Request") -> Reply:
        outcome = await self._attempt(request)
        if isinstance(outcome, FeedProblem) and outcome.code is ProblemCode.AUTH_REFUSED:
            outcome = await self._attempt(request) if self._endpoint.credential.renew() else outcome
        if isinstance(outcome, FeedProblem):
            raise outcome
        return outcome

    async def _attempt(self, request: "_Request") -> Reply | FeedProblem:
        shown = await self._endpoint.credential.headers()
        try:
            return await self._follow(request, {**shown, **request.headers})
        except (aiohttp.ClientError, OSError, zlib.error) as error:
            return FeedProblem(code_of(error))

    async def _follow(self, request: "_Request", headers: Mapping[str, str]) -> Reply | FeedProblem:
        url = request.url
        for _ in range(self._limits.redirects + 1):
            if not may_connect(url, self._endpoint.private_hosts):
                return FeedProblem(ProblemCode.PRIVATE_ADDRESS)
            async with self._session.request(
                request.method, url, data=request.data, headers=headers, allow_redirects=False
            ) as response:
                if response.status not in _REDIRECTS:
                    refusal = None if response.status in request.taken else _refusal(response)
                    return refusal or await self._reply(response)
                if request.data is not None and response.status not in _METHOD_KEPT:
                    return FeedProblem(ProblemCode.UNEXPECTED_STATUS)
                target = _joined(self._endpoint.url, str(url.join(URL(response.headers.get("Location", "")))))
                if target is None:
                    return FeedProblem(ProblemCode.FOREIGN_LINK)
                url = target
        return FeedProblem(ProblemCode.UNEXPECTED_STATUS)

    async def _reply(self, response: aiohttp.ClientResponse) -> Reply | FeedProblem:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            return FeedProblem(ProblemCode.BAD_ENCODING)
        gunzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            room = self._limits.body_bytes - len(body)
            body += gunzip.decompress(chunk, room + 1) if gunzip else chunk
            if len(body) > self._limits.body_bytes:
                return FeedProblem(ProblemCode.TOO_LARGE)
        if gunzip is not None and not gunzip.eof:
            return FeedProblem(ProblemCode.TRUNCATED)
        return Reply(response.status, response.headers, bytes(body))


async def patiently(ask: Callable[[], Awaitable[T]], limits: Limits) -> T:
    """Ask, and again after the short pause that was asked for; raise FeedProblem."""
    for _ in range(limits.retries):
        try:
            return await ask()
        except FeedProblem as problem:
            pause = problem.retry_after
            if pause is None or pause > limits.patience_seconds:
                raise
        await asyncio.sleep(pause)
    return await ask()


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: URL
    data: bytes | None
    headers: Mapping[str, str]
    taken: Collection[int]


def _joined(base: URL, link: str) -> URL | None:
    """Resolve `link` against `base`; None when it is no link, carries credentials or leaves the origin."""
    try:
        url = base.join(URL(link)).with_fragment(None)
        same = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
    except (ValueError, TypeError):
        return None
    return url if same and url.user is None and url.password is None else None


def code_of(error: Exception) -> ProblemCode:
    """Say what kept a request from being answered, without a word of what was said."""
    match error:
        case TimeoutError():
            return ProblemCode.TIMEOUT
        case aiohttp.ClientPayloadError():
            return ProblemCode.TRUNCATED
        case aiohttp.ClientSSLError():
            return ProblemCode.TLS_REFUSED
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, PrivateAddressError):
            return ProblemCode.PRIVATE_ADDRESS
        case zlib.error():
            return ProblemCode.BAD_ENCODING
    return ProblemCode.UNREACHABLE


def _refusal(response: aiohttp.ClientResponse) -> FeedProblem | None:
    status = response.status
    if status == _OK:
        return None
    if status in (401, 403):
        return FeedProblem(ProblemCode.AUTH_REFUSED)
    pause = _retry_after(response.headers.get("Retry-After", ""))
    if status == 429:  # noqa: PLR2004 (RFC 6585 section 4)
        return FeedProblem(ProblemCode.RATE_LIMITED, pause)
    if 500 <= status <= 599:  # noqa: PLR2004 (RFC 9110 section 15.6)
        return FeedProblem(ProblemCode.UPSTREAM_FAILED, pause)
    return FeedProblem(ProblemCode.UNEXPECTED_STATUS)


def _retry_after(value: str) -> float | None:
    """Read seconds or a date (RFC 9110 section 10.2.3), at most a day."""
    if value.strip().isdecimal():
        return min(float(value), _DAY)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _DAY)
