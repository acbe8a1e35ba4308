"""This module reads the cases of a Primero v2, each with its referrals if that is wanted.

Cases are read oldest first: the time a case was made does not change, so pages move only when a case goes out of sight.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from yarl import URL

from connectors.credentials import Tokens, taken
from connectors.http import Reply, Upstream
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of, object_of
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.settings import BasicAuth, HttpSettings, LoginAuth, ParameterName
from connectors.surroundings import endpoint

_LARGEST = 1000
_LIVES = 3600.0
_IDENT = re.compile(r"[A-Za-z0-9-]{1,64}")
_OWN = frozenset({"page", "per", "order", "order_by", "remote"})


class PrimeroSettings(HttpSettings, frozen=True, kw_only=True):
    """Cases: `url` is https://HOST/api/v2; `since` names a date filter that the role may use, as `last_updated_at`."""

    auth: LoginAuth | BasicAuth
    parameters: Annotated[dict[ParameterName, str], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=dict)
    since: ParameterName | None = None
    referrals: bool = False
    page_size: Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)] = 100


class PrimeroConnector(HttpConnector[PrimeroSettings]):
    """One Primero."""

    def __init__(self, settings: PrimeroSettings, *given: Any) -> None:
        super().__init__(settings, *given)
        self.incremental = settings.since is not None

    def open(self) -> Upstream:
        """Log in as a user would: a token comes in the answer's Authorization header, and lives an hour."""
        auth, where = self.settings.auth, endpoint(self.settings, self.surroundings)
        if isinstance(auth, BasicAuth):
            return Upstream(where)
        user = {"user": {"user_name": auth.user, "password": self.surroundings.secrets(auth.secret)}}

        async def fetch(upstream: Upstream) -> tuple[str, float]:
            body = msgspec.json.encode(user)
            return _token(await upstream.send("POST", self._path("tokens"), body, {"Content-Type": "application/json"}))

        return Upstream(endpoint(self.settings, self.surroundings, Tokens(where, fetch)))

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch a page of cases, and make sure that the pages have not moved."""
        number, size = int(position.at or 1), self.settings.page_size
        found, total = await self._cases(upstream, since, number, size)
        if number > 1:
            before, _ = await self._cases(upstream, since, (number - 1) * size, 1)
            self.stay(before, position)
        if self.settings.referrals:
            found = [{**case, "referrals": await self._referrals(upstream, case)} for case in found]
        return Turn(tuple(found), position.read + len(found) < total, number + 1, total)

    async def _cases(self, upstream: Upstream, since: datetime | None, page: int, per: int) -> tuple[list[Any], int]:
        own = {"remote": "true", "order_by": "created_at", "order": "asc", "page": str(page), "per": str(per)}
        if since is not None and self.settings.since:
            own[self.settings.since] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}..2200-01-01T00:00:00Z"
        url = self._path("cases").with_query({**self.settings.parameters, **own})
        body = object_of(await upstream.get_json(url))
        return list_of(body.get("data")), count_of(object_of(body.get("metadata")).get("total"))

    async def _referrals(self, upstream: Upstream, case: Any) -> list[Any]:
        ident = case.get("id") if isinstance(case, dict) else None
        if not isinstance(ident, str) or not _IDENT.fullmatch(ident):
            raise FeedProblem(ProblemCode.BAD_SHAPE)
        return list_of(object_of(await upstream.get_json(self._path(f"cases/{ident}/referrals"))).get("data"))

    def _path(self, rest: str) -> URL:
        return URL(f"{str(self.url).rstrip('/')}/{rest}")


def primero_flaws(settings: PrimeroSettings) -> list[Flaw]:
    """Say which parameters are not for a feed to set."""
    taken_names = sorted(_OWN & set(settings.parameters))
    return [Flaw(("parameters", name), "is set by the hub") for name in taken_names]


def _token(reply: Reply) -> tuple[str, float]:
    scheme, _, token = reply.headers.get("Authorization", "").partition(" ")
    return (token, _LIVES) if scheme == "Bearer" and token else taken(reply.json(), "token")
