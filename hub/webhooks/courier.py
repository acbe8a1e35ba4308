"""This module carries one message to one address: over TLS, to the internet alone, straight there, within bounds; what is answered is not read."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from connectors.addresses import AllowedHosts, GuardedResolver, may_connect
from connectors.http import code_of
from connectors.problem import ProblemCode

SECONDS: Final = 10.0
"""How long it may take until the status is there."""
CONNECT_SECONDS: Final = 5.0
AGENT: Final = "icorn-hub"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How it went: `problem` is None for a message that was taken, else a code or the HTTP status; `gone` asks for nothing more, ever."""

    problem: str | None = None
    gone: bool = False


TAKEN: Final = Receipt()


class Courier:
    """Carries messages, as many at once as there are addresses. `private_hosts` are "host:port" that may be spoken to although private, and without TLS."""

    def __init__(
        self, private_hosts: AllowedHosts = frozenset(), *, tls: ssl.SSLContext | None = None, seconds: float = SECONDS
    ) -> None:
        self._private_hosts, self._tls, self._seconds = private_hosts, tls, seconds
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=GuardedResolver(self._private_hosts), ssl=self._tls or True, use_dns_cache=False, limit=0
            ),
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=self._seconds, connect=min(CONNECT_SECONDS, self._seconds)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def carry(self, address: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Send a message, and wait for the status. No redirect is followed: that would be another address than the one that was judged."""
        url = URL(address)
        if not may_connect(url, self._private_hosts):
            return Receipt(str(ProblemCode.UNREACHABLE))
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
                # Of a body that was not read the connection is not used again.
                answer.close()
        except (aiohttp.ClientError, OSError) as error:
            code = code_of(error)
            # What an address inside would tell, had it a name, is for nobody outside.
            return Receipt(str(ProblemCode.UNREACHABLE if code is ProblemCode.PRIVATE_ADDRESS else code))
        if 200 <= status < 300:  # noqa: PLR2004 HTTP
            return TAKEN
        return Receipt(f"HTTP_{status}", gone=status == 410)  # noqa: PLR2004 HTTP
