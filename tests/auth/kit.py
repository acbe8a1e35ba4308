"""What the tests of `auth` work with: a small world around a real database, and the means to forge."""

import hmac
import json
import secrets
import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx2
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.client import Credentials, HubClient, over_httpx
from auth.clients import register_client
from auth.keyring import Keyring
from auth.nonce import Nonces
from auth.people import People
from auth.people.routes import routes as people_routes
from auth.resource import AuthError, Resource
from auth.routes import routes
from auth.server import AuthorizationServer
from auth.signing_keys import SigningKeys
from auth.strangers import Strangers

ISSUER = "https://hub.example"
TOKEN_URL = f"{ISSUER}/oauth/token"
GRAPHQL_URL = f"{ISSUER}/graphql"
NOON = 1_780_315_200.0  # 2026-06-01T12:00Z
SCOPES = ["cases:read", "referrals:read", "referrals:submit"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class PinnedClock:
    """A clock that stands still until moved."""

    def __init__(self) -> None:
        """Start at noon."""
        self.now = NOON

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self.now


@dataclass
class World:
    """An authorization server and a resource over one database, and one registered client, `pen-centre`."""

    pool: asyncpg.Pool
    keyring: Keyring
    clock: PinnedClock
    keys: SigningKeys
    server: AuthorizationServer
    resource: Resource
    http: httpx2.AsyncClient
    organisation: int
    key: Key
    app: Starlette

    async def register(self, client_id: str, key: Key, **changes: Any) -> None:
        """Register one more client of the same organisation."""
        wanted = {"name": client_id, "scopes": SCOPES, "purpose": "REFERRAL", "jwks": jwks(key), **changes}
        await register_client(self.pool, organisation=self.organisation, client_id=client_id, **wanted)

    def client(self, client_id: str = "pen-centre", key: Key | None = None) -> HubClient:
        """Return the client kit for a client."""
        jwk = (key or self.key).as_dict(private=True)
        return HubClient(
            Credentials(client_id, jwk, ISSUER, TOKEN_URL, GRAPHQL_URL), over_httpx(self.http), clock=self.clock
        )

    def assertion(self, *, key: Key | None = None, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Return a good client assertion, changed as told; a claim of None is left out."""
        key = key or self.key
        good = {"iss": "pen-centre", "sub": "pen-centre", "aud": ISSUER, "jti": secrets.token_urlsafe(), **self.times()}
        return signed({"kid": key.kid, **(header or {})}, {**good, **claims}, key)

    def proof(self, key: Key, *, header: Mapping[str, Any] | None = None, token: str = "", **claims: Any) -> str:
        """Return a good DPoP proof, for the token endpoint or, with a token, for /graphql; changed as told."""
        good: dict[str, Any] = {
            "jti": secrets.token_urlsafe(),
            "htm": "POST",
            "htu": TOKEN_URL,
            "iat": int(self.clock()),
        }
        if token:
            good |= {"htu": GRAPHQL_URL, "ath": b64(sha256(token.encode()).digest())}
        shown = {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}
        return signed({"typ": "dpop+jwt", "jwk": shown, **(header or {})}, {**good, **claims}, key)

    def times(self) -> dict[str, int]:
        """Return iat and exp of something good for a minute."""
        return {"iat": int(self.clock()), "exp": int(self.clock()) + 60}

    async def ask_token(
        self, assertion: str | None = None, proof: str | None = None, url: str = TOKEN_URL, **form: str
    ) -> httpx2.Response:
        """Ask for a token, with a good assertion and proof unless others are given."""
        body = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if assertion is None else assertion,
            **form,
        }
        return await self.send(url, urlencode(body), proof)

    async def send(self, url: str, body: str, proof: str | None = None, **headers: str) -> httpx2.Response:
        """Send a form to the token endpoint, with a good proof unless another is given."""
        sent = {
            "content-type": "application/x-www-form-urlencoded",
            "dpop": self.proof(ec_key()) if proof is None else proof,
            **headers,
        }
        return await self.http.post(url, content=body, headers=sent)

    async def token(self, proof_key: Key) -> str:
        """Return an access token bound to `proof_key`."""
        answer = await self.ask_token(proof=self.proof(proof_key))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def ask(self, *headers: tuple[str, str], url: str = GRAPHQL_URL) -> httpx2.Response:
        """Send a request to the resource with exactly these headers."""
        return await self.http.post(url, headers=list(headers), content=b"{}")

    async def ask_with(self, token: str, proof: str, scheme: str = "DPoP") -> httpx2.Response:
        """Send a request to the resource with a token and a proof."""
        return await self.ask(("Authorization", f"{scheme} {token}"), ("DPoP", proof))


def build(
    pool: asyncpg.Pool, keyring: Keyring, organisation: int, *, nonces: bool = False, clock: PinnedClock | None = None
) -> World:
    """Put a world together; with `nonces`, both sides ask for one."""
    clock = clock or PinnedClock()
    keys = SigningKeys(pool, keyring, clock)
    asked = Nonces(keyring.subkey("nonce"), clock) if nonces else None
    server = AuthorizationServer(ISSUER, pool, keys, clock=clock, nonces=asked)
    resource = Resource(ISSUER, keys, clock=clock, nonces=asked)
    strangers = Strangers(clock)
    asking = Route("/graphql", echo(resource), methods=["GET", "POST"])
    app = Starlette(routes=[*routes(server, strangers), *people_routes(), asking])
    app.state.people = People(ISSUER, pool, keyring, clock=clock, strangers=strangers)
    # The Host header is wrong on purpose: nothing may be derived from it.
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), headers={"host": "attacker.example"})
    return World(pool, keyring, clock, keys, server, resource, http, organisation, ec_key("key-1"), app)


def echo(resource: Resource) -> Any:
    """Return an endpoint that answers with the principal, as the hub's own would use it."""

    async def endpoint(request: Request) -> Response:
        scope = request.scope
        try:
            who = await resource.principal(scope["headers"], scope["method"], scope["path"], scope["query_string"])
        except AuthError as refused:
            body = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(body, refused.status, dict(refused.headers))
        told = {
            "organisation": who.organisation,
            "client": who.client,
            "user": who.user,
            "scopes": sorted(who.scopes),
            "purpose": who.purpose,
            "proof": who.proof.hex(),
            "expires_at": who.expires_at.timestamp(),
            "proof_until": who.proof_until.timestamp(),
        }
        return JSONResponse(told)

    return endpoint


def ec_key(kid: str = "proof") -> ECKey:
    """Return a new P-256 key."""
    return ECKey.generate_key("P-256", {"kid": kid})


def rsa_key(kid: str = "rsa", bits: int = 2048) -> RSAKey:
    """Return a new RSA key, of any size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return RSAKey.generate_key(bits, {"kid": kid})


def ed_key(kid: str = "ed") -> OKPKey:
    """Return a new Ed25519 key."""
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def jwks(*keys: Key) -> dict[str, Any]:
    """Return the public JWK Set of keys."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


class _AnyAlgorithm(jws.JWSRegistry):
    max_header_length = 4096

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    """Sign anything with any algorithm; a header or claim of None is left out."""
    alg = {"EC": "ES256", "RSA": "PS256", "OKP": "Ed25519"}[key.key_type]
    whole = {name: value for name, value in {"alg": alg, **header}.items() if value is not None}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    # Parameters of the key such as kid and use must not stop a forger.
    bare = type(key).import_key(key.private_key)  # type: ignore[arg-type]
    return jws.serialize_compact(whole, payload, bare, registry=_AnyAlgorithm(strict_check_header=False))


def resigned(token: str, secret: bytes, **header: Any) -> str:
    """Return the token with another header, signed by HMAC with `secret`, or not at all if alg is none."""
    old, payload, _ = token.split(".")
    whole = {**json.loads(unb64(old)), **header}
    signing_input = f"{b64(json.dumps(whole).encode())}.{payload}"
    signature = b"" if header["alg"] == "none" else hmac.digest(secret, signing_input.encode(), "sha256")
    return f"{signing_input}.{b64(signature)}"


def opened(token: str) -> dict[str, Any]:
    """Return a token's claims, unverified."""
    return dict(json.loads(unb64(token.split(".")[1])))


def b64(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
