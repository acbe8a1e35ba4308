"""This module lets what may be used once be used once, across all processes, by a unique row in Postgres."""

from hashlib import sha256

from auth.clock import Clock
from auth.database import Database

_PRUNE_EVERY = 60
_ASSERTION = """
with new as (
    insert into auth.assertion_jti (digest, until) values ($1, to_timestamp($2)) on conflict do nothing returning true as yes
), used as (
    update hub.client c set last_used_at = date_trunc('hour', to_timestamp($4), 'UTC') from new
    where c.client_id = $3 and c.last_used_at is distinct from date_trunc('hour', to_timestamp($4), 'UTC')
)
select yes from new
"""
_PROOF = """
insert into auth.token_proof (digest, until) values ($1, to_timestamp($2)) on conflict do nothing returning true
"""
_PRUNE = """
with assertions as (delete from auth.assertion_jti where until < to_timestamp($1))
delete from auth.token_proof where until < to_timestamp($1)
"""


class Replay:
    """Remembers the assertions and proofs seen at the token endpoint until nobody would accept them any more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pruned_at = clock()

    async def first_assertion(self, client_id: str, jti: str, until: float) -> bool:
        """Tell whether this client's assertion is seen for the first time, and remember it, and that the client was here (RFC 7523, section 3, 7)."""
        digest = sha256(f"{client_id}\n{jti}".encode()).digest()
        return bool(await self._database.fetchval(_ASSERTION, digest, until, client_id, self._clock()))

    async def first_proof(self, digest: bytes, until: float) -> bool:
        """Tell whether this DPoP proof is seen for the first time, and remember it (RFC 9449, section 11.1)."""
        return bool(await self._database.fetchval(_PROOF, digest, until))

    async def prune(self) -> None:
        """Forget, at most once a minute, what no process would accept any more."""
        if self._clock() - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = self._clock()
            await self._database.execute(_PRUNE, self._clock())
