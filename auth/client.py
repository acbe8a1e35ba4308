"""This module is the other side: a client that gets a token and sends GraphQL, as a partner's program would."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from time import time
from typing import Any
from urllib.parse import urlencode

from joserfc import jws
from joserfc.jwk import ECKey, JWKRegistry, Key

from auth.clock import Clock

Send = Callable[[str, Mapping[str, str], bytes], Awaitable["Answer"]]
"""POSTs a body to a URL with headers; see `over_httpx` and `over_aiohttp`."""

_DESCRIPTIVE = frozenset(("alg", "use", "key_ops"))
_ALGORITHM = {"EC": "ES256", "RSA": "PS256", "OKP": "Ed25519"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class TokenRefusedError(Exception):
    """The token endpoint refused; `error` and `description` say what it told."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{error}: {description} (HTTP {status})")
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client must know to use the hub: an entry of the demo's credentials file has these names."""

    client_id: str
    private_jwk: Mapping[str, Any] = field(repr=False)
    issuer: str
    token_url: str
    graphql_url: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Credentials":
        """Read an entry of a credentials file; what else it says is left aside."""
        return cls(*(entry[name] for name in ("client_id", "private_jwk", "issuer", "token_url", "graphql_url")))


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and what was granted with it."""

    value: str = field(repr=False)
    scopes: frozenset[str]
    expires_at: float


class HubClient:
    """One client of the hub, with a DPoP key of its own unless given one; a nonce asked for is used at once."""

    def __init__(
        self, credentials: Credentials, send: Send, *, proof_key: Key | None = None, clock: Clock = time
    ) -> None:
        self.credentials = credentials
        self._send = send
        self._clock = clock
        self._key = signing_key(credentials.private_jwk)
        self._proof_key = proof_key or ECKey.generate_key("P-256")
        self._nonces: dict[str, str] = {}
        self._token: Token | None = None

    async def token(self, scope: str | None = None) -> Token:
        """Get an access token for `scope` (space-separated), else for all of the client's; raise TokenRefusedError."""
        url = self.credentials.token_url
        for last_try in (False, True):
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion(self.credentials, self._key, self._clock()),
                **({"scope": scope} if scope is not None else {}),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded", "DPoP": self._proof(url, None)}
            answer = await self._post(url, headers, urlencode(form).encode())
            told = _object(answer.body)
            if answer.status == HTTPStatus.OK:
                expires_at = self._clock() + told["expires_in"]
                return Token(told["access_token"], frozenset(told["scope"].split()), expires_at)
            if last_try or told.get("error") != "use_dpop_nonce":
                break
        raise TokenRefusedError(answer.status, told.get("error", "unknown"), told.get("error_description", ""))

    async def graphql(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation: str | None = None,
        purpose: str | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send an operation with a live token and a fresh proof; the answer is returned as it came."""
        if self._token is None or self._token.expires_at - 10 < self._clock():
            self._token = await self.token()
        body = {"query": query, "variables": variables or {}, **({"operationName": operation} if operation else {})}
        body |= {"extensions": extensions} if extensions else {}
        url, token = self.credentials.graphql_url, self._token.value
        for last_try in (False, True):
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/graphql-response+json, application/json;q=0.9",
                "Authorization": f"DPoP {token}",
                "DPoP": self._proof(url, token),
                **({"Hub-Purpose": purpose} if purpose else {}),
            }
            answer = await self._post(url, headers, json.dumps(body).encode())
            if last_try or "use_dpop_nonce" not in answer.headers.get("www-authenticate", ""):
                break
        return answer

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = await self._send(url, headers, body)
        if nonce := answer.headers.get("dpop-nonce"):
            self._nonces[url] = nonce
        return answer

    def _proof(self, url: str, token: str | None) -> str:
        return proof(self._proof_key, url, self._clock(), access_token=token, nonce=self._nonces.get(url))


def signing_key(jwk: Mapping[str, Any]) -> Key:
    """Import a client's key; raise JoseError, ValueError or TypeError when it is none."""
    # What the key is for is known; one that calls its algorithm by the older name signs just as well.
    return JWKRegistry.import_key({k: v for k, v in jwk.items() if k not in _DESCRIPTIVE})


def assertion(credentials: Credentials, key: Key, now: float) -> str:
    """Return a client assertion good for one minute (RFC 7523; its audience is the issuer: FAPI 2.0, 5.3.3.1)."""
    client_id = credentials.client_id
    claims = {"iss": client_id, "sub": client_id, "aud": credentials.issuer, "iat": int(now), "exp": int(now) + 60}
    return sign({"typ": "client-authentication+jwt", **({"kid": key.kid} if key.kid else {})}, _unique(claims), key)


def proof(
    key: Key, url: str, now: float, *, method: str = "POST", access_token: str | None = None, nonce: str | None = None
) -> str:
    """Return a DPoP proof for one request (RFC 9449, section 4.2)."""
    claims: dict[str, Any] = {"htm": method, "htu": url.partition("?")[0], "iat": int(now)}
    if access_token is not None:
        claims["ath"] = urlsafe_b64encode(sha256(access_token.encode()).digest()).rstrip(b"=").decode()
    if nonce is not None:
        claims["nonce"] = nonce
    return sign({"typ": "dpop+jwt", "jwk": _public(key)}, _unique(claims), key)


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    """Sign claims with the algorithm that goes with the key."""
    algorithm = _ALGORITHM[key.key_type]
    registry = jws.JWSRegistry(algorithms=[algorithm])
    registry.max_header_length = 2048
    return jws.serialize_compact({"alg": algorithm, **header}, json.dumps(claims), key, registry=registry)


def over_httpx(client: Any) -> Send:
    """Send by an httpx2 (or httpx) AsyncClient."""

    async def send(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = await client.post(url, headers=headers, content=body)
        return Answer(answer.status_code, _lower(answer.headers), answer.content)

    return send


def over_aiohttp(session: Any) -> Send:
    """Send by an aiohttp ClientSession."""

    async def send(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        async with session.post(url, headers=headers, data=body, allow_redirects=False) as answer:
            return Answer(answer.status, _lower(answer.headers), await answer.read())

    return send


def _public(key: Key) -> dict[str, Any]:
    shown = ("kty", "crv", "x", "y", "n", "e")
    return {name: value for name, value in key.as_dict(private=False).items() if name in shown}


def _unique(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {**claims, "jti": secrets.token_urlsafe(16)}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
