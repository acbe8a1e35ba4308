"""This module is another hub, as far as signing in as a client and reading referrals go."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from graphql import GraphQLResolveInfo, build_schema, graphql
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, form_of
from connectors.fakes.walk import BadCursorError, Layout, Raw, page

LAYOUT = Layout(("id",), ("updatedAt",))
CLIENT = "icorn-elsewhere"
_NONCE = "invented-nonce"
_TOKEN = "invented-token-bound-to-a-key"  # noqa: S105 (nothing opens with it)
SETTINGS: dict[str, Any] = {
    "url": "https://hub.example",
    "auth": {"scheme": "hub", "clientId": CLIENT, "secret": "hub-key"},
    "parts": ["profile", "identity"],
}
MAPPING: dict[str, Any] = {
    "sourceId": "id",
    "discipline": "discipline",
    "origin": "origin",
    "urgency": "urgency",
    "submittedAt": "submittedAt",
    "updatedAt": "updatedAt",
    "person": {
        "profile": {"biography": "person.profile.biography", "languages": "person.profile.languages"},
        "identity": {"givenName": "person.identity.givenName", "familyName": "person.identity.familyName"},
    },
}
SCHEMA = build_schema("""
type Query { referrals(first: Int, after: String, orderBy: [ReferralOrder!]): ReferralConnection }
input ReferralOrder { field: ReferralOrderField! direction: Direction! }
enum ReferralOrderField { SUBMITTED_AT UPDATED_AT URGENCY }
enum Direction { ASC DESC }
type ReferralConnection { edges: [ReferralEdge!]! pageInfo: PageInfo! }
type ReferralEdge { cursor: String! node: Referral! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Referral {
  id: ID! reference: String! discipline: String! origin: String urgency: String! status: String!
  submittedAt: String! updatedAt: String! person: ReferredPerson
}
type ReferredPerson { profile: Profile identity: Identity }
type Profile { biography: String languages: [String!]! works: [Work!]! website: String }
type Work { title: String! year: Int kind: String }
type Identity {
  givenName: String familyName: String pseudonyms: [String!]! bornOn: String gender: String nationalities: [String!]!
}
""")


def app(records: Sequence[Raw], key: str, faults: Faults | None = None) -> Starlette:
    """Serve referrals to the client whose private key this is, with a nonce in every proof."""
    switches = faults or Faults()
    door = _Door(key)

    async def discovery(request: Request) -> Response:
        origin = str(request.base_url).rstrip("/")
        return JSONResponse({"issuer": origin, "token_endpoint": f"{origin}/oauth/token"})

    async def token(request: Request) -> Response:
        form = await form_of(request)
        return door.stopped(request, None) or door.granted(str(form.get("client_assertion")), str(request.base_url))

    async def endpoint(request: Request) -> Response:
        document = await request.json()

        async def body(active: Faults) -> Response:
            return await _execute(records, document, active)

        positioned = bool(document["variables"].get("after"))
        return door.stopped(request, _TOKEN) or await answer(switches, body, positioned=positioned)

    return Starlette(
        routes=[
            Route("/.well-known/oauth-authorization-server", discovery),
            Route("/oauth/token", token, methods=["POST"]),
            Route("/graphql", endpoint, methods=["POST"]),
        ]
    )


class _Door:
    """Knows one client, and each proof once."""

    def __init__(self, key: str) -> None:
        self._key = JWKRegistry.import_key(json.loads(key))
        self._seen: set[str] = set()

    def granted(self, assertion: str, issuer: str) -> Response:
        try:
            claims = jwt.decode(assertion, self._key, algorithms=["ES256"]).claims
        except JoseError:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        if (claims["iss"], claims["aud"]) != (CLIENT, issuer.rstrip("/")) or self._again(claims["jti"]):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return JSONResponse(
            {"access_token": _TOKEN, "token_type": "DPoP", "expires_in": 600, "scope": "referrals:read"}
        )

    def stopped(self, request: Request, token: str | None) -> Response | None:
        """Refuse a request whose proof does not fit it (RFC 9449, section 4.3)."""
        text = request.headers.get("DPoP", "")
        try:
            public = JWKRegistry.import_key(jws.extract_compact(text.encode()).headers()["jwk"])
            claims = jwt.decode(text, public, algorithms=["ES256"]).claims
        except (JoseError, ValueError, KeyError):
            return JSONResponse({"error": "invalid_dpop_proof"}, status_code=400 if token is None else 401)
        bound = urlsafe_b64encode(sha256((token or "").encode()).digest()).rstrip(b"=").decode() if token else None
        fits = (claims["htm"], claims["htu"], claims.get("ath")) == ("POST", str(request.url), bound)
        if (
            not fits
            or self._again(claims["jti"])
            or (token and request.headers.get("Authorization") != f"DPoP {token}")
        ):
            return JSONResponse({"error": "invalid_dpop_proof"}, status_code=400 if token is None else 401)
        if claims.get("nonce") == _NONCE:
            return None
        shown = {"DPoP-Nonce": _NONCE, "WWW-Authenticate": 'DPoP error="use_dpop_nonce"'}
        return JSONResponse({"error": "use_dpop_nonce"}, status_code=400 if token is None else 401, headers=shown)

    def _again(self, ident: str) -> bool:
        seen = ident in self._seen
        self._seen.add(ident)
        return seen


async def _execute(records: Sequence[Raw], document: dict[str, Any], faults: Faults) -> Response:
    def referrals(
        _: GraphQLResolveInfo[Any],
        first: int,
        after: str | None = None,
        orderBy: object = None,  # noqa: ARG001, N803
    ) -> dict[str, Any] | None:
        if faults.null_root:
            return None
        first = max(1, first // 2) if faults.short else first
        try:
            taken, end, more = page(
                LAYOUT.seen(records, faults), LAYOUT, first, None if faults.repeat_cursor else after
            )
        except BadCursorError:
            raise ValueError("bad cursor") from None
        if faults.repeat_cursor:
            end, more = "again", True
        if faults.no_cursor:
            end, more = None, True
        edges = [{"cursor": "x", "node": raw} for raw in taken]
        return {"edges": edges, "pageInfo": {"hasNextPage": more, "endCursor": end}}

    result = await graphql(SCHEMA, document["query"], {"referrals": referrals}, None, document.get("variables"))
    answered: dict[str, Any] = {"data": result.data}
    if result.errors or faults.errors_with_data:
        answered["errors"] = [{"message": "SECRET resolver trace"}]
    return JSONResponse(answered, media_type="application/graphql-response+json")


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a referral."""
    return {
        "id": ident,
        "reference": f"R-{ident}",
        "discipline": "WRITER",
        "origin": "ER",
        "urgency": "URGENT",
        "status": "SUBMITTED",
        "submittedAt": changed.isoformat(),
        "updatedAt": changed.isoformat(),
        "person": {
            "profile": {"biography": None, "languages": ["en"], "works": [], "website": None},
            "identity": {"givenName": name, "familyName": None, "pseudonyms": [], "nationalities": []},
        },
    }
