"""This module holds what a connector is given by where it runs: secrets, allowed private hosts, trust."""

import ssl
from dataclasses import dataclass, field

from yarl import URL

from connectors.addresses import AllowedHosts, may_connect
from connectors.http import Endpoint, Limits
from connectors.problem import Flaw
from connectors.secrets import Secrets
from connectors.settings import HttpSettings, auth_headers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`private_hosts` are "host:port" that feeds may use although private; `tls` None trusts the usual authorities."""

    secrets: Secrets = field(repr=False)
    private_hosts: AllowedHosts = frozenset()
    tls: ssl.SSLContext | None = None


def endpoint(settings: HttpSettings, surroundings: Surroundings) -> Endpoint:
    """Make the endpoint of a pull, fetching its secret now; raise FeedProblem(SECRET_MISSING)."""
    return Endpoint(
        url=URL(settings.url),
        headers=auth_headers(settings.auth, surroundings.secrets),
        private_hosts=surroundings.private_hosts,
        limits=Limits(seconds=settings.timeout_seconds, body_bytes=settings.max_megabytes * 1024 * 1024),
        tls=surroundings.tls,
    )


def url_flaws(settings: HttpSettings, surroundings: Surroundings) -> list[Flaw]:
    """Say what can be told to be wrong with a feed's URL before it is opened."""
    if may_connect(URL(settings.url), surroundings.private_hosts):
        return []
    advice = "must be https and public; a private or plain one needs its host:port in HUB_FEED_PRIVATE_HOSTS"
    return [Flaw(("url",), advice)]
