"""This module holds what a connector is given by where it runs: secrets, allowed private hosts, trust."""

import ssl
from dataclasses import dataclass, field, replace

from yarl import URL

from connectors.addresses import AllowedHosts, may_connect
from connectors.credentials import credential
from connectors.http import Credential, Endpoint, Limits
from connectors.problem import Flaw
from connectors.secrets import Secrets
from connectors.settings import FeedUrl, HttpSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`private_hosts` are "host:port" that feeds may use although private; `tls` None trusts the usual authorities."""

    secrets: Secrets = field(repr=False)
    private_hosts: AllowedHosts = frozenset()
    tls: ssl.SSLContext | None = None


def endpoint(settings: HttpSettings, surroundings: Surroundings, shown: Credential | None = None) -> Endpoint:
    """Make the endpoint of a pull, fetching its secret now; raise FeedProblem(SECRET_MISSING)."""

    def elsewhere(url: FeedUrl) -> Endpoint:
        return replace(where, url=URL(url))

    where = Endpoint(
        url=URL(settings.url),
        private_hosts=surroundings.private_hosts,
        limits=Limits(seconds=settings.timeout_seconds, body_bytes=settings.max_megabytes * 1024 * 1024),
        tls=surroundings.tls,
    )
    return replace(where, credential=shown or credential(settings.auth, surroundings.secrets, elsewhere))


def url_flaws(settings: HttpSettings, surroundings: Surroundings) -> list[Flaw]:
    """Say what can be told to be wrong with a feed's URLs before they are opened."""
    urls = {("url",): settings.url, ("auth", "tokenUrl"): getattr(settings.auth, "token_url", None)}
    advice = "must be https and public; a private or plain one needs its host:port in HUB_FEED_PRIVATE_HOSTS"
    return [
        Flaw(path, advice)
        for path, url in urls.items()
        if url is not None and not may_connect(URL(url), surroundings.private_hosts)
    ]
