"""This module decides which public keys are good enough: for a client's registration and inside a DPoP proof."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

PublicKey = ECKey | OKPKey | RSAKey
Jwk = Mapping[str, Any]

ALGORITHMS = ("ES256", "PS256", "Ed25519", "EdDSA")
"""What clients may sign with (FAPI 2.0, 5.4.1). `Ed25519` is RFC 9864's name for what older clients call `EdDSA`."""

_FITTING = {"EC": ("ES256",), "RSA": ("PS256",), "OKP": ("Ed25519", "EdDSA")}
_CURVE = {"EC": "P-256", "OKP": "Ed25519"}
_MATERIAL = {"EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e"), "OKP": ("kty", "crv", "x")}
_TYPES: dict[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_DESCRIPTIVE = frozenset(("kid", "use", "alg", "key_ops"))
_RSA_BITS = range(2048, 4097)
_RSA_EXPONENTS = range(65537, 2**32)
_KID_LENGTH = range(1, 129)
_MOST_KEYS = 10


class WeakKeyError(ValueError):
    """The key is private, symmetric, too small, too slow, on another curve, or not a key; the text says which."""


def fits(jwk: Jwk, algorithm: str) -> bool:
    """Tell whether a signature by `algorithm` may be checked with this key (`EdDSA` and `Ed25519` are one)."""
    fitting = _FITTING.get(str(jwk.get("kty")), ())
    return algorithm in fitting and jwk.get("alg", algorithm) in fitting


def check_public(jwk: Jwk) -> None:
    """Raise WeakKeyError if the key shows anything private."""
    if not _PRIVATE.isdisjoint(jwk):
        raise WeakKeyError("holds private members: register the public part only, and replace this key")


def public_key(jwk: Jwk) -> PublicKey:
    """Import a public key from its material alone; raise WeakKeyError if it must not be used."""
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _MATERIAL:
        raise WeakKeyError("kty must be EC, OKP or RSA")
    check_public(jwk)
    material = {name: jwk.get(name) for name in _MATERIAL[kty]}
    if not all(isinstance(value, str) and value for value in material.values()):
        raise WeakKeyError(f"needs {', '.join(_MATERIAL[kty])}, each a text")
    if material.get("crv") != _CURVE.get(kty):
        raise WeakKeyError(f"crv must be {_CURVE[kty]}")
    if kty == "RSA":
        _check_rsa(str(material["n"]), str(material["e"]))
    try:
        key = _TYPES[kty].import_key(material)
        _ = key.public_key
    except (JoseError, ValueError, TypeError):
        raise WeakKeyError("is not a valid public key") from None
    return key  # type: ignore[no-any-return]


def _check_rsa(n: str, e: str) -> None:
    try:
        modulus, exponent = (int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4))) for text in (n, e))
    except ValueError:
        raise WeakKeyError("is not a valid public key") from None
    if modulus.bit_length() not in _RSA_BITS:
        raise WeakKeyError("an RSA key needs 2048 to 4096 bits")
    # A huge exponent makes every verification slow; a tiny one makes forgery easier.
    if exponent not in _RSA_EXPONENTS or exponent % 2 == 0:
        raise WeakKeyError("e must be 65537 (AQAB)")


def problems(jwks: object) -> list[str]:
    """List everything that speaks against registering this JWK Set (RFC 7517), all at once; empty if nothing does."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        return [f'jwks: must be {{"keys": [...]}} with 1 to {_MOST_KEYS} public keys']
    found = [f"jwks: key {place}: {text}" for place, key in enumerate(keys, start=1) for text in _key_problems(key)]
    whole = [key for key in keys if isinstance(key, Mapping)]
    if _repeats(key.get("kid") for key in whole):
        found.append("jwks: every kid must be unique")
    if _repeats(tuple(key.get(name) for name in ("n", "x", "y")) for key in whole):
        found.append("jwks: the same key appears twice")
    return found


def _key_problems(jwk: object) -> Iterable[str]:
    if not isinstance(jwk, Mapping):
        yield "must be an object"
        return
    try:
        public_key(jwk)
    except WeakKeyError as weak:
        yield str(weak)
        return
    kid = jwk.get("kid")
    if not isinstance(kid, str) or len(kid) not in _KID_LENGTH:
        yield "kid must be a text of 1 to 128 characters"
    if jwk.get("use", "sig") != "sig":
        yield "use must be sig"
    if jwk.get("key_ops", ["verify"]) != ["verify"]:
        yield 'key_ops must be ["verify"]'
    alg = jwk.get("alg")
    if alg is not None and alg not in _FITTING[jwk["kty"]]:
        yield f"alg must be {' or '.join(_FITTING[jwk['kty']])}"
    # jku and x5u would make the server fetch what a client names; certificates are not looked at, so none are taken.
    unknown = jwk.keys() - _DESCRIPTIVE - set(_MATERIAL[jwk["kty"]])
    if unknown:
        yield "holds members other than its public key, kid, use, alg, key_ops (jku, x5u and certificates are refused)"


def _repeats(values: Iterable[object]) -> bool:
    seen = [repr(value) for value in values]
    return len(set(seen)) < len(seen)
