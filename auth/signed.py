"""This module opens signed JWTs (RFC 7519, RFC 8725): by an explicit algorithm, of an explicit type, or not at all."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

NumericDate = Annotated[float, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, up to the year 9999: nothing infinite, nothing that overflows."""

Claims = TypeVar("Claims", bound=msgspec.Struct)

# Headers by which a sender could choose key, encoding or extensions (RFC 8725, 3.10); `jwk` is for proofs alone.
_REFUSED = frozenset(("jku", "x5u", "x5c", "crit", "b64"))


class BadJwtError(Exception):
    """The text is not a JWT of this kind, signed as it must be. It says nothing more, so that nothing can leak."""


class _Registry(JWSRegistry):
    max_header_length = 2048  # an RSA key of 4096 bits in a proof's header fits
    max_payload_length = 8192

    def get_alg(self, name: str) -> Any:
        """Return an algorithm of the explicit list only; the stock method warns about EdDSA, which FAPI 2.0 allows."""
        if not self.allowed or name not in self.allowed:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class Unopened(Generic[Claims]):
    """A JWT that was read but not verified."""

    header: dict[str, Any] = field(repr=False)
    unverified: Claims = field(repr=False)
    _signature: jws.CompactSignature = field(repr=False)
    _registry: JWSRegistry = field(repr=False)

    def open(self, key: Key) -> Claims:
        """Return the claims once the signature is verified with `key`; raise BadJwtError otherwise."""
        try:
            good = jws.validate_compact(self._signature, key, registry=self._registry)
        except (JoseError, ValueError, TypeError, OverflowError):
            raise BadJwtError from None
        if not good:
            raise BadJwtError
        return self.unverified


class Profile(Generic[Claims]):
    """What one kind of JWT must look like: its `typ`, its algorithms, its claims."""

    def __init__(
        self,
        claims: type[Claims],
        *,
        types: Collection[str],
        algorithms: Collection[str],
        type_required: bool = True,
        embeds_key: bool = False,
    ) -> None:
        self._types = frozenset(types)
        self._type_required = type_required
        self._embeds_key = embeds_key
        self._decoder = msgspec.json.Decoder(claims)
        self._registry = _Registry(algorithms=frozenset(algorithms), strict_check_header=False)

    def read(self, text: str) -> Unopened[Claims]:
        """Parse without verifying; raise BadJwtError unless header and claims have the shape of this kind."""
        try:
            signature = jws.extract_compact(text.encode("ascii"), registry=self._registry)
            header = signature.headers()
            self._registry.check_header(header)
            self._registry.get_alg(header["alg"])
            self._check(header)
            claims = self._decoder.decode(signature.payload)
        except (JoseError, msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
            raise BadJwtError from None
        return Unopened(header, claims, signature, self._registry)

    def _check(self, header: dict[str, Any]) -> None:
        if not _REFUSED.isdisjoint(header) or ("jwk" in header) != self._embeds_key:
            raise BadJwtError
        typ = header.get("typ")
        # RFC 7515, 4.1.9: media types compare without case, and "application/" may be left out.
        if self._type_required if typ is None else _media_type(typ) not in self._types:
            raise BadJwtError


def _media_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")
