"""This module reads another hub: the referrals that a client of it may see, with its token and a proof for each request."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from joserfc.errors import JoseError
from yarl import URL

from auth.client import Answer, Credentials, HubClient, Send, TokenRefusedError
from connectors.credentials import private_key
from connectors.graphql import connection
from connectors.http import Limits, Upstream, patiently
from connectors.paged import PagedConnector
from connectors.paging import Position, Turn, object_of
from connectors.problem import FeedProblem, ProblemCode
from connectors.settings import HttpSettings, HubAuth
from connectors.surroundings import endpoint

PARTS: Final = {
    "profile": "biography languages works { title year kind } website",
    "identity": "givenName familyName pseudonyms bornOn gender nationalities",
    "contact": "channels { kind address safe } instructions mayContactDirectly",
    "whereabouts": "country city address asOf inHiding",
    "threat": "summary sources incidents { happenedOn kind description }",
    "health": "needs disability",
    "family": "members { relation name bornOn relocating }",
}
_REFUSALS: Final = (400, 401)
"""Statuses with a word on how to ask better: a proof without a nonce that is wanted is refused like this."""


class HubSettings(HttpSettings, frozen=True, kw_only=True):
    """Another hub: `url` is its issuer; `parts` are those that the client's scopes open there."""

    auth: HubAuth
    parts: tuple[Literal["profile", "identity", "contact", "whereabouts", "threat", "health", "family"], ...] = ()
    purpose: Literal["REFERRAL", "PROTECTION", "RELOCATION"] = "REFERRAL"
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class HubConnector(PagedConnector[HubSettings, HubClient]):
    """One client of another hub. It cannot be asked for changes only, so each pull reads everything, oldest first."""

    def open(self) -> AbstractAsyncContextManager[HubClient]:
        """Find the token endpoint by discovery (RFC 8414), on the origin that was configured and nowhere else."""
        return self._client()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[HubClient]:
        auth, issuer = self.settings.auth, self.settings.url.rstrip("/")
        jwk = private_key(self.surroundings.secrets(auth.secret)).as_dict(private=True)
        where = endpoint(self.settings, self.surroundings)
        # A proof is good once: whoever asks again has to make another.
        async with Upstream(replace(where, limits=replace(where.limits, retries=0))) as upstream:
            told = object_of(await upstream.get_json(URL(f"{issuer}/.well-known/oauth-authorization-server")))
            if told.get("issuer") != issuer:
                raise FeedProblem(ProblemCode.FOREIGN_LINK)
            token_url = str(upstream.join(str(told.get("token_endpoint"))))
            credentials = Credentials(auth.client_id, jwk, issuer, token_url, f"{issuer}/graphql")
            yield HubClient(credentials, _over(upstream))

    async def turn(self, session: HubClient, since: datetime | None, position: Position) -> Turn:  # noqa: ARG002
        """Fetch a page of referrals."""
        asked = self.settings
        variables = {"first": asked.page_size, "after": position.at}
        try:
            answer = await patiently(
                lambda: session.graphql(query(asked.parts), variables, purpose=asked.purpose), Limits()
            )
        except TokenRefusedError:
            problem = FeedProblem(ProblemCode.AUTH_REFUSED)
        except (JoseError, KeyError, TypeError, AttributeError):
            problem = FeedProblem(ProblemCode.BAD_SHAPE)
        else:
            return connection(_told(answer), "referrals")
        raise problem


def query(parts: tuple[str, ...]) -> str:
    """Write the operation that asks for these parts of a person."""
    person = " ".join(f"{part} {{ {PARTS[part]} }}" for part in parts)
    return (
        "query Feed($first: Int!, $after: String) {"
        " referrals(first: $first, after: $after, orderBy: [{field: SUBMITTED_AT, direction: ASC}]) {"
        " edges { node { id reference discipline origin urgency status submittedAt updatedAt"
        f"{f' person {{ {person} }}' if person else ''} }} }}"
        " pageInfo { hasNextPage endCursor } } }"
    )


def _over(upstream: Upstream) -> Send:
    async def send(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        reply = await upstream.send("POST", upstream.join(url), body, headers, taken=_REFUSALS)
        return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)

    return send


def _told(answer: Answer) -> object:
    if answer.status in _REFUSALS:
        raise FeedProblem(ProblemCode.AUTH_REFUSED if answer.status == _REFUSALS[1] else ProblemCode.UNEXPECTED_STATUS)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        pass
    raise FeedProblem(ProblemCode.NOT_JSON)
