"""This module turns how a feed is signed in to into what shows it who asks: headers, or tokens fetched and kept a while."""

import json
import secrets as random
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import Any, Final
from urllib.parse import urlencode

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from yarl import URL

from connectors.http import Credential, Endpoint, Reply, Static, Upstream
from connectors.problem import FeedProblem, ProblemCode
from connectors.secrets import Secrets
from connectors.settings import Auth, BasicAuth, BearerAuth, HeaderAuth, OAuth, SmartAuth, TokenAuth

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_EARLY: Final = 30
_SHORTEST: Final = 60
#: SMART App Launch 2.2, "Client authentication: asymmetric", asks for both; ES256 is for keys on the other curve.
_ALGORITHMS: Final = {"RSA": "RS384", "P-384": "ES384", "P-256": "ES256"}

#: Fetches a token: its text, and for how many seconds it is good.
Fetch = Callable[[Upstream], Awaitable[tuple[str, float]]]


class Tokens:
    """A bearer token, fetched when it is first needed, when it has aged, and once more when it is refused."""

    def __init__(self, where: Endpoint, fetch: Fetch) -> None:
        self._where = where
        self._fetch = fetch
        self._token: str | None = None
        self._until = 0.0
        self._fresh = False

    async def headers(self) -> Mapping[str, str]:
        """Show a token that still lives."""
        self._fresh = self._token is None or time() > self._until
        if self._fresh:
            async with Upstream(self._where) as upstream:
                self._token, seconds = await self._fetch(upstream)
            self._until = time() + max(seconds - _EARLY, _SHORTEST)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Drop a token that had been good before; one just fetched will not get better."""
        self._token = None
        return not self._fresh


def credential(auth: Auth, secrets: Secrets, elsewhere: Callable[[str], Endpoint]) -> Credential:
    """Make a credential, reading its secret now; `elsewhere` makes the endpoint of a token's URL.

    Raise FeedProblem(SECRET_MISSING), also for a secret that is not of its kind.
    """
    match auth:
        case BearerAuth():
            return Static({"Authorization": f"Bearer {secrets(auth.secret)}"})
        case TokenAuth():
            return Static({"Authorization": f"Token {secrets(auth.secret)}"})
        case HeaderAuth():
            return Static({auth.name: secrets(auth.secret)})
        case BasicAuth():
            return Static({"Authorization": _basic(auth.user, secrets(auth.secret))})
        case OAuth():
            return Tokens(elsewhere(auth.token_url), _by_secret(auth, secrets(auth.secret)))
        case SmartAuth():
            return Tokens(elsewhere(auth.token_url), _by_assertion(auth, private_key(secrets(auth.secret))))
    return Static()  # the other ways are a kind's own


def private_key(secret: str) -> Key:
    """Read a private JWK; raise FeedProblem(SECRET_MISSING) when it is none."""
    try:
        key = JWKRegistry.import_key(json.loads(secret))
        if key.is_private:
            return key
    except (JoseError, ValueError, TypeError, KeyError):
        pass
    raise FeedProblem(ProblemCode.SECRET_MISSING)


def _by_secret(auth: OAuth, secret: str) -> Fetch:
    form = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
    shown = {**FORM, "Authorization": _basic(auth.client_id, secret)}

    async def fetch(upstream: Upstream) -> tuple[str, float]:
        return _granted(await upstream.send("POST", URL(auth.token_url), urlencode(form).encode(), shown))

    return fetch


def _by_assertion(auth: SmartAuth, key: Key) -> Fetch:
    async def fetch(upstream: Upstream) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "scope": auth.scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(auth, key),
        }
        return _granted(await upstream.send("POST", URL(auth.token_url), urlencode(form).encode(), FORM))

    return fetch


def _assertion(auth: SmartAuth, key: Key) -> str:
    """Sign who asks, for one use within five minutes (SMART Backend Services: aud is the token's URL)."""
    claims = {
        "iss": auth.client_id,
        "sub": auth.client_id,
        "aud": auth.token_url,
        "exp": int(time()) + 300,
        "jti": random.token_urlsafe(16),
    }
    algorithm = _ALGORITHMS["RSA" if key.key_type == "RSA" else str(key.as_dict()["crv"])]
    header = {"alg": algorithm, "typ": "JWT", **({"kid": key.kid} if key.kid else {})}
    return jws.serialize_compact(header, json.dumps(claims), key, registry=jws.JWSRegistry(algorithms=[algorithm]))


def _granted(reply: Reply) -> tuple[str, float]:
    return taken(reply.json(), "access_token", "expires_in")


def taken(answer: Any, name: str, lifetime: str | None = None) -> tuple[str, float]:
    """Take a token out of an answer, and for how long it is good; raise FeedProblem(BAD_SHAPE)."""
    token = answer.get(name) if isinstance(answer, dict) else None
    seconds = answer.get(lifetime) if isinstance(answer, dict) and lifetime else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return token, float(seconds) if known and seconds is not None else 300.0


def _basic(user: str, secret: str) -> str:
    return f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"
