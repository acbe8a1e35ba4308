"""This module fetches what organisations' own OpenID providers publish: from public addresses, over TLS, small, and without detours."""

from collections.abc import Callable
from typing import Final

import aiohttp
from yarl import URL

from auth.people.provider import Fetch
from connectors.addresses import AllowedHosts, GuardedResolver, may_connect
from connectors.problem import FeedProblem
from connectors.secrets import Secrets

LARGEST: Final = 256 * 1024
SECONDS: Final = 10


def fetch_from(private_hosts: AllowedHosts) -> Fetch:
    """Make what fetches; `private_hosts` are "host:port" that may be asked although private."""

    async def fetch(url: str, form: dict[str, str] | None = None, authorization: str | None = None) -> bytes:
        if not may_connect(URL(url), private_hosts):
            raise OSError("Not a public address with TLS.")
        headers = {"Accept": "application/json", **({"Authorization": authorization} if authorization else {})}
        patience = aiohttp.ClientTimeout(total=SECONDS)
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(private_hosts))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=patience, trust_env=False) as session,
                session.request(
                    "GET" if form is None else "POST", url, data=form, headers=headers, allow_redirects=False
                ) as answer,
            ):
                body = await answer.content.read(LARGEST + 1)
                while not answer.content.at_eof() and len(body) <= LARGEST:
                    body += await answer.content.read(LARGEST + 1 - len(body))
                status = answer.status
        except aiohttp.ClientError:
            raise OSError("The provider cannot be reached.") from None
        if status != 200 or len(body) > LARGEST:  # noqa: PLR2004 HTTP
            raise OSError("Not the small document that was asked for.")
        return body

    return fetch


def named(secrets: Secrets) -> Callable[[str], str]:
    """Look secrets up where feeds' secrets stand; raise LookupError for one that is missing."""

    def secret(name: str) -> str:
        try:
            return secrets(name)
        except FeedProblem:
            raise LookupError from None

    return secret
