"""This module says who asks: the one thing about a request that the rest of the hub may know of its sender."""

from dataclasses import dataclass
from datetime import datetime

from auth.limits import DEFAULTS, Limits


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as proven by an access token and a proof of possession.

    Replay of `proof`, and whether token, client and organisation are still live, are settled by the statement that
    answers the request, in Postgres: nothing may be read for a principal before that.
    """

    organisation: int
    """The organisation it acts for."""
    client: str
    """OAuth client id."""
    user: str | None
    """The person signed in, or None for a machine."""
    scopes: frozenset[str]
    """What the token allows, as `resource:action`."""
    purpose: str | None
    """Why it asks: a `Purpose`."""
    token_id: str
    """The access token's jti, for revocation."""
    expires_at: datetime
    """When the access token ends, UTC."""
    proof: bytes
    """SHA-256 over key thumbprint and proof jti: 32 bytes that may be seen once."""
    proof_until: datetime
    """Until when `proof` must be remembered, UTC."""
    limits: Limits = DEFAULTS
    """How much it may ask for."""
    authenticated_at: datetime | None = None
    """When the person signed in, UTC; None for a machine."""
