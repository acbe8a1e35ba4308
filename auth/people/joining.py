"""This module lets an invited person begin: an invitation and a new passkey together make an active user, once."""

from dataclasses import dataclass, field
from typing import Final

import asyncpg

from auth.clock import Clock
from auth.database import Database
from auth.people import challenges
from auth.people.invitations import token_digest
from auth.people.passkeys import NewPasskey, Passkeys
from auth.people.person import account
from auth.people.refusals import Refusal, RefusedError
from auth.people.seal import UserSeal

_GUEST: Final = """
select u.id, u.kek, u.wrapped, u.sealed, o.name as organisation, o.id as organisation_id,
    exists (select from auth.provider p where p.organisation = o.id) as has_provider
from auth.invitation i join hub.usr u on u.id = i.usr join hub.organisation o on o.id = u.organisation
where i.digest = $1 and i.used_at is null and i.until > to_timestamp($2) and u.status = 'INVITED' and o.suspended_at is null
"""
# One statement, so that of two who come at once with one invitation the second finds it used, and so that a challenge or a
# passkey that was seen before uses up nothing. Whatever passkeys the user had are gone: an invitation is a new beginning.
_ACCEPT: Final = """
with fresh as (
    insert into auth.used_challenge (digest, until)
    select $7, to_timestamp($9) + make_interval(secs => $10) from auth.invitation
    where digest = $1 and usr = $2 and used_at is null and until > to_timestamp($9)
    on conflict do nothing returning true as yes
), used as (
    update auth.invitation i set used_at = to_timestamp($9) from fresh
    where i.digest = $1 and i.usr = $2 and i.used_at is null and i.until > to_timestamp($9) returning i.usr
), begun as (
    update hub.usr u set status = 'ACTIVE' from used, hub.organisation o
    where u.id = used.usr and u.status = 'INVITED' and o.id = u.organisation and o.suspended_at is null returning u.id
), former as (
    delete from auth.passkey p using begun where p.usr = begun.id and p.credential_id <> $3
), former_identity as (
    delete from auth.identity i using begun where i.usr = begun.id
)
insert into auth.passkey (credential_id, usr, public_key, sign_count, transports, label, created_at)
select $3, id, $4, $5, $6, $8, to_timestamp($9) from begun returning true
"""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who an invitation is for."""

    user: str
    name: str = field(repr=False)
    organisation: str
    organisation_id: int
    has_provider: bool

    @property
    def account(self) -> str:
        """Return what a device shows, to tell this account from others of the same person."""
        return account(self.name, self.organisation)


class Joining:
    """Takes invitations."""

    def __init__(self, database: Database, seal: UserSeal, passkeys: Passkeys, clock: Clock) -> None:
        self._database = database
        self._seal = seal
        self._passkeys = passkeys
        self._clock = clock

    async def guest(self, token: str) -> Guest:
        """Return who an invitation is for; raise RefusedError, the same whatever is wrong with it."""
        row = await self._database.fetchrow(_GUEST, token_digest(token), self._clock())
        if row is None:
            raise RefusedError(Refusal.INVITATION_UNUSABLE)
        user = str(row["id"])
        name = self._seal.card(user, row["kek"], row["wrapped"], row["sealed"]).name
        return Guest(user, name, row["organisation"], row["organisation_id"], row["has_provider"])

    async def accept(self, token: str, guest: Guest, new: NewPasskey, label: str) -> None:
        """Make the guest an active user with this passkey and no other; raise RefusedError."""
        try:
            accepted = await self._database.fetchval(
                _ACCEPT,
                token_digest(token),
                guest.user,
                new.credential_id,
                new.public_key,
                new.sign_count,
                list(new.transports),
                challenges.digest(new.challenge),
                await self._passkeys.label(guest.user, label),
                self._clock(),
                float(challenges.LIFETIME),
            )
        except asyncpg.UniqueViolationError:
            raise RefusedError(Refusal.BAD_CEREMONY) from None
        if not accepted:
            raise RefusedError(Refusal.INVITATION_UNUSABLE)
