"""This module signs the heads of audit logs and believes those that were signed here (RFC 9162, section 4.10, as JWS).

A head says how many leaves a log had and what their root was. Whoever keeps one can tell later that nothing before it changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from auth.keyring import Keyring, KeyringError
from hub.audit.base64 import decoded, encoded

Pool = asyncpg.Pool
ALGORITHM: Final = "Ed25519"
TYPE: Final = "audit-head"
_REGISTRY: Final = jws.JWSRegistry(algorithms=[ALGORITHM])
_KEYS: Final = "select kid, kek, wrapped from audit_key order by created_at desc, kid"
_FIRST: Final = """
insert into audit_key (kid, kek, wrapped, created_at) select $1, $2, $3, hub_now() where not exists (select from audit_key)
"""


@dataclass(frozen=True, slots=True)
class Head:
    """A log at one time: its organisation's code, the number of its leaves, their root, and when it was signed."""

    log: str
    size: int
    root: bytes
    at: datetime


class BadHeadError(ValueError):
    """It is not a head that one of these keys signed."""


def payload(head: Head) -> bytes:
    """Write what is signed."""
    at = head.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"log": head.log, "size": head.size, "root": encoded(head.root), "time": at}).encode()


def believed(signature: str, keys: Mapping[str, OKPKey]) -> Head:
    """Read a signed head; raise BadHeadError unless one of `keys` (by kid) signed it."""
    try:
        header = json.loads(decoded(signature.split(".", maxsplit=1)[0], url=True))
        jws.deserialize_compact(signature, keys[header["kid"]], registry=_REGISTRY)
        if header["typ"] != TYPE:
            raise BadHeadError
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise BadHeadError("no key of this hub signed it") from None
    return written(signature)


def written(signature: str) -> Head:
    """Read a head without asking who signed it, as one's own file holds it; raise BadHeadError when it is none."""
    try:
        told = json.loads(decoded(signature.split(".")[1], url=True))
        return Head(str(told["log"]), int(told["size"]), decoded(told["root"]), datetime.fromisoformat(told["time"]))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise BadHeadError("it is not a signed head") from None


class HeadKeys:
    """The keys that sign heads: in Postgres, wrapped by the keyring. A key is believed because it opens under the keyring."""

    def __init__(self, database: "Pool[Any] | Any", keyring: Keyring) -> None:
        self._database: Any = database
        self._keyring = keyring

    async def all(self) -> dict[str, OKPKey]:
        """Give every key there is by its kid, the newest first; one that does not open under the keyring is none."""
        found = {}
        for row in await self._database.fetch(_KEYS):
            try:
                key = _key(self._keyring.unwrap(row["kek"], row["wrapped"]))
            except KeyringError:
                continue
            if key.kid == row["kid"]:
                found[row["kid"]] = key
        return found

    async def signing(self) -> OKPKey:
        """Give the newest key; make the first."""
        if not (found := await self.all()):
            secret = Ed25519PrivateKey.generate().private_bytes_raw()
            await self._database.execute(_FIRST, _key(secret).kid, *self._keyring.wrap(secret))
            found = await self.all()
        if not found:
            raise KeyringError("HUB_KEYS_FILE: no key that signs audit heads opens under it.")
        return next(iter(found.values()))

    async def jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK Set (RFC 7517)."""
        keys = (await self.all()).values()
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in keys]}


def signed(head: Head, key: OKPKey) -> str:
    """Sign a head: a compact JWS that says all of it."""
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
    return jws.serialize_compact(header, payload(head), key, registry=_REGISTRY)


def public_keys(jwks: Mapping[str, Any]) -> dict[str, OKPKey]:
    """Read a published JWK Set; raise BadHeadError when it is none of these keys."""
    try:
        keys = [OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}) for key in jwks["keys"]]
        return {key.thumbprint(): key for key in keys}
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise BadHeadError("it is no JWK Set of Ed25519 keys") from None


def _key(secret: bytes) -> OKPKey:
    key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(secret))
    key.ensure_kid()
    return key
