"""This module keeps the server's signing keys in Postgres, so that every process signs and verifies with the same."""

import asyncio

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from auth.access_token import LIFETIME
from auth.clock import Clock
from auth.database import Database
from auth.keyring import Keyring, KeyringError

REFRESH = 30
"""Seconds after which a process looks for new and retired keys."""
AHEAD = 300
"""Seconds for which a new key is published before it signs, so that whoever caches the JWKS has it by then."""
_MARGIN = 60  # clocks of processes differ
_UNKNOWN_RETRY = 1  # an unknown kid makes a process look at once, but no more often than this
_LIVE = """
select kid, private, kek_id, extract(epoch from created_at)::float8 as created_at
from auth.signing_key
where retires_at is null or retires_at > to_timestamp($1)
order by created_at desc, kid
"""
_ADD = """
insert into auth.signing_key (kid, alg, public, private, kek_id, created_at)
select $1, 'ES256', $2::text::jsonb, $3, $4, to_timestamp($5)
where not $6 or not exists (select from auth.signing_key where retires_at is null or retires_at > to_timestamp($5))
"""
_ROTATE = """
with under_way as (
    select from auth.signing_key where retires_at > to_timestamp($5)
), retired as (
    update auth.signing_key set retires_at = to_timestamp($6)
    where (retires_at is null or retires_at > to_timestamp($6)) and ($7 or not exists (select from under_way))
)
insert into auth.signing_key (kid, alg, public, private, kek_id, created_at)
select $1, 'ES256', $2::text::jsonb, $3, $4, to_timestamp($5) where $7 or not exists (select from under_way)
returning kid
"""
_RETIRE = "update auth.signing_key set retires_at = to_timestamp($2) where kid = $1"


class SigningKeys:
    """The live signing keys (ES256), cached; private parts are wrapped by the keyring, in Postgres and never in clear.

    A key is believed because its private part opens under the keyring: whoever can write the table but does not hold
    the keyring cannot add a key.
    """

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._keys: dict[str, ECKey] = {}
        self._created: dict[str, float] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def signing(self) -> ECKey:
        """Return the private key to sign with: the newest that was published long enough; make one if there is none."""
        await self._refresh(REFRESH)
        if not self._keys:
            await self.add(only_first=True)
        long_known = [kid for kid, at in self._created.items() if at <= self._clock() - AHEAD]
        return self._keys[long_known[0] if long_known else list(self._keys)[-1]]

    async def verifying(self, kid: str) -> ECKey | None:
        """Return the live key of this kid; a kid not seen before is looked for in Postgres."""
        await self._refresh(REFRESH if self._keys else 0)
        if kid not in self._keys:
            await self._refresh(_UNKNOWN_RETRY)
        return self._keys.get(kid)

    async def public(self) -> list[dict[str, object]]:
        """Return the JWKS entries of all live keys (RFC 7517), newest first."""
        await self.signing()
        return [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"} for key in self._keys.values()]

    async def check(self) -> int:
        """Open every live key and say how many there are; raise KeyringError when one does not open."""
        await self._refresh(0)
        return len(self._keys)

    async def add(self, *, only_first: bool = False) -> None:
        """Add a key; with `only_first`, only if no other process has yet. It signs once `AHEAD` has passed."""
        await self._database.execute(_ADD, *self._new(), self._clock(), only_first)
        await self._refresh(0)

    async def rotate(self, *, at_once: bool = False) -> str | None:
        """Add a key and let the others retire when the last token signed with them has ended; return the new kid.

        None while an earlier rotation is under way. With `at_once` nothing signed with an older key is believed any more.
        """
        now = self._clock()
        retires = now if at_once else now + AHEAD + REFRESH + LIFETIME + _MARGIN
        kid = await self._database.fetchval(_ROTATE, *self._new(), now, retires, at_once)
        await self._refresh(0)
        return None if kid is None else str(kid)

    def _new(self) -> tuple[str, str, bytes, str]:
        secret = ec.generate_private_key(ec.SECP256R1())
        key = ECKey.import_key(secret)
        key.ensure_kid()
        kek_id, wrapped = self._keyring.wrap(secret.private_numbers().private_value.to_bytes(32))
        public = msgspec.json.encode(key.as_dict(private=False)).decode()
        return str(key.kid), public, wrapped, kek_id

    async def retire(self, kid: str, *, at: float) -> None:
        """Stop trusting a key from `at` on (Unix seconds): now, if others may know it; else when its tokens end."""
        await self._database.execute(_RETIRE, kid, at)
        await self._refresh(0)

    async def _refresh(self, age: float) -> None:
        if self._clock() - self._read_at < age:
            return
        async with self._reading:
            if self._clock() - self._read_at < age:
                return
            rows = await self._database.fetch(_LIVE, self._clock())
            self._keys = {row["kid"]: self._open(row["kid"], row["kek_id"], row["private"]) for row in rows}
            self._created = {row["kid"]: row["created_at"] for row in rows}
            self._read_at = self._clock()

    def _open(self, kid: str, kek_id: str, wrapped: bytes) -> ECKey:
        known = self._keys.get(kid)
        if known:
            return known
        secret = int.from_bytes(self._keyring.unwrap(kek_id, wrapped))
        key = ECKey.import_key(ec.derive_private_key(secret, ec.SECP256R1()), {"kid": kid})
        # kid is the thumbprint: a wrapped key moved to another row is not believed.
        if key.thumbprint() != kid:
            raise KeyringError("HUB_KEYS_FILE: a stored signing key is not the one its row names.")
        return key
