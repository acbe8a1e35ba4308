"""This module speaks to an organisation's own OpenID provider (OpenID Connect Core 1.0): code flow, PKCE, state and nonce.

The provider is the one that the operator named: its issuer is pinned, what it publishes is believed for that issuer alone, and an
ID token is believed by an explicit algorithm and key. Authlib writes the request, joserfc verifies the answer.
"""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol, TypeVar
from urllib.parse import quote_plus, urlsplit

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from auth import jwk as keys
from auth.clock import Clock
from auth.jwk import PublicKey
from auth.people.refusals import Refusal, RefusedError
from auth.signed import BadJwtError, NumericDate, Profile

ALGORITHMS: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
"""What an ID token may be signed with, and the kind of key for it. RS256 is what OpenID providers must be able to do."""
SKEW: Final = 60
LONGEST: Final = 900
"""Seconds after which an ID token is not taken whatever it says: it comes straight from the provider."""
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


Document = TypeVar("Document", bound=msgspec.Struct)


class Fetch(Protocol):
    """Fetches one document: GET, or POST of a form. Raises OSError for anything but a small answer with status 200."""

    async def __call__(self, url: str, form: dict[str, str] | None = None, authorization: str | None = None) -> bytes:
        """Return the body."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An organisation's provider, as the operator entered it; `secret` is the name of our secret there."""

    organisation: int
    code: str
    issuer: str
    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the provider vouches for: `id` within its issuer, and when it last asked them who they are."""

    id: str = field(repr=False)
    authenticated_at: float


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way: what the browser keeps, sealed, until it comes back from the provider."""

    code: str
    state: str
    nonce: str
    verifier: str
    then: str
    until: float
    user: str = ""
    """Who has to come back, when somebody signed in shows again that it is them."""
    invitation: str = ""
    since: float = 0
    """When they must have been asked at the earliest."""


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class _IdToken(msgspec.Struct, frozen=True):
    iss: str
    sub: _Text
    aud: str | tuple[str, ...]
    exp: NumericDate
    iat: NumericDate
    nonce: str
    auth_time: NumericDate
    azp: str | None = None


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, object], ...]


_PROFILE = Profile(_IdToken, types=("jwt",), algorithms=tuple(ALGORITHMS), type_required=False)


class OpenId:
    """Our side of the flow, for any provider: we are reached at `base`, and know our secrets by `secret_of`."""

    def __init__(self, base: str, fetch: Fetch, secret_of: Callable[[str], str], clock: Clock) -> None:
        self._base = base
        self._fetch = fetch
        self._secret_of = secret_of
        self._clock = clock

    async def begin(self, provider: Provider, begun: Begun, max_age: int) -> str:
        """Return where to send the browser; who was asked longer than `max_age` seconds ago is asked again there."""
        known = await self._metadata(provider)
        url: str = prepare_grant_uri(
            known.authorization_endpoint,
            provider.client_id,
            "code",
            redirect_uri=redirect_uri(self._base, provider.code),
            scope="openid",
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
            # With it, the provider has to say when it asked (Core, 3.1.2.1).
            max_age=str(max_age),
            prompt="login" if max_age == 0 else None,
        )
        return url

    async def subject(self, provider: Provider, begun: Begun, answer: dict[str, str]) -> Subject:
        """Return whom the provider vouches for, by its answer in the address; raise RefusedError."""
        if not answer.get("code") or not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise RefusedError(Refusal.PROVIDER_REFUSED)
        known = await self._metadata(provider)
        # RFC 9207: an answer of another provider is not taken to this one.
        if answer.get("iss", provider.issuer) != provider.issuer or (
            known.authorization_response_iss_parameter_supported and "iss" not in answer
        ):
            raise RefusedError(Refusal.PROVIDER_REFUSED)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": redirect_uri(self._base, provider.code),
            "code_verifier": begun.verifier,
            "client_id": provider.client_id,
        }
        try:
            secret, authorization = self._secret_of(provider.secret), None
        except LookupError:
            raise RefusedError(Refusal.PROVIDER_FAILED) from None
        if "client_secret_post" in known.token_endpoint_auth_methods_supported:
            form["client_secret"] = secret
        else:
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
            authorization = f"Basic {b64encode(pair.encode()).decode()}"
        tokens = await self._get(known.token_endpoint, _Tokens, form, authorization)
        claims = await self._verified(known, tokens.id_token)
        return self._checked(provider, begun, claims)

    async def _verified(self, known: _Metadata, text: str) -> _IdToken:
        published = await self._get(known.jwks_uri, _Keys)
        try:
            unopened = _PROFILE.read(text)
            return unopened.open(_key(published.keys, unopened.header))
        except (BadJwtError, keys.WeakKeyError):
            raise RefusedError(Refusal.PROVIDER_REFUSED) from None

    def _checked(self, provider: Provider, begun: Begun, claims: _IdToken) -> Subject:
        now = self._clock()
        audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        good = (
            claims.iss == provider.issuer
            and audience == (provider.client_id,)
            and claims.azp in (None, provider.client_id)
            and hmac.compare_digest(claims.nonce.encode(), begun.nonce.encode())
            and now - LONGEST <= claims.iat <= now + SKEW
            and now - SKEW < claims.exp
            and begun.since - SKEW <= claims.auth_time <= now + SKEW
        )
        if not good:
            raise RefusedError(Refusal.PROVIDER_REFUSED)
        return Subject(claims.sub, min(claims.auth_time, now))

    async def _metadata(self, provider: Provider) -> _Metadata:
        known = await self._get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration", _Metadata)
        scheme = urlsplit(provider.issuer).scheme
        addresses = known.authorization_endpoint, known.token_endpoint, known.jwks_uri
        if known.issuer != provider.issuer or any(urlsplit(url).scheme != scheme for url in addresses):
            raise RefusedError(Refusal.PROVIDER_FAILED)
        return known

    async def _get(
        self, url: str, kind: type[Document], form: dict[str, str] | None = None, authorization: str | None = None
    ) -> Document:
        try:
            return msgspec.json.decode(await self._fetch(url, form, authorization), type=kind)
        except (OSError, TimeoutError, ValueError):
            raise RefusedError(Refusal.PROVIDER_FAILED) from None


def redirect_uri(base: str, code: str) -> str:
    """Return where a provider sends people back to: an address of its own, so that no provider can pass for another."""
    return f"{base}/sign-in/through/{code}"


def _key(published: tuple[dict[str, object], ...], header: dict[str, object]) -> PublicKey:
    """Return the one key that a token names, of the kind that its algorithm needs."""
    kind = ALGORITHMS[str(header["alg"])]
    fitting = [
        key
        for key in published
        if key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and header.get("kid", key.get("kid")) == key.get("kid")
    ]
    if len(fitting) != 1:
        raise BadJwtError
    return keys.public_key(fitting[0])


def begun(code: str, then: str, now: float, **more: str | float) -> Begun:
    """Begin a sign-in: with a state, a nonce and a verifier that nobody can guess, good for ten minutes."""
    fresh = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    return msgspec.convert({"code": code, "then": then, "until": now + 600, **fresh, **more}, Begun)
