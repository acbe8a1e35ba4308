"""This module keeps which organisations have an OpenID provider, and which user somebody there is."""

import hmac
from typing import Final

import asyncpg

from auth.clock import Clock
from auth.database import Database
from auth.people.invitations import token_digest
from auth.people.provider import Provider, Subject
from auth.people.refusals import Refusal, RefusedError

SUBJECTS: Final = "index/openid subject"
"""The label of the key under which subjects are digested."""
_FIND: Final = """
select p.organisation, o.code, p.issuer, p.client_id, p.secret
from auth.provider p join hub.organisation o on o.id = p.organisation
where (o.code = $1 or o.id = $2) and o.suspended_at is null
"""
_USER: Final = """
select u.id from auth.identity i join hub.usr u on u.id = i.usr where i.digest = $1 and u.organisation = $2
"""
# As joining by a passkey: one statement, an invitation of the provider's own organisation, and what was before is gone.
_LINK: Final = """
with used as (
    update auth.invitation i set used_at = to_timestamp($4) from hub.usr u
    where i.digest = $1 and i.used_at is null and i.until > to_timestamp($4) and u.id = i.usr and u.organisation = $3
      and u.status = 'INVITED' returning i.usr
), begun as (
    update hub.usr u set status = 'ACTIVE' from used where u.id = used.usr and u.status = 'INVITED' returning u.id
), former as (
    delete from auth.passkey p using begun where p.usr = begun.id
)
insert into auth.identity (digest, usr) select $2, id from begun returning usr
"""
# Whoever the former one vouched for is not vouched for any more.
_SET: Final = """
with ended as (
    update auth.session set ended_at = to_timestamp($5)
    where means = 'PROVIDER' and ended_at is null and usr in (select id from hub.usr where organisation = $1)
      and exists (select from auth.provider p where p.organisation = $1 and p.issuer <> $2)
)
insert into auth.provider (organisation, issuer, client_id, secret) values ($1, $2, $3, $4)
on conflict (organisation) do update set issuer = $2, client_id = $3, secret = $4
"""
_HAS: Final = "select exists (select from auth.identity where usr = $1)"


class Identities:
    """Providers and the people they vouch for. A `sub` is known by a keyed digest alone."""

    def __init__(self, database: Database, key: bytes, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock

    async def provider(self, code: str = "", organisation: int = 0) -> Provider:
        """Return an organisation's provider, by its code or id; raise RefusedError."""
        row = await self._database.fetchrow(_FIND, code, organisation)
        if row is None:
            raise RefusedError(Refusal.PROVIDER_UNKNOWN)
        return Provider(**row)

    async def set_provider(self, provider: Provider) -> None:
        """Enter an organisation's provider, in place of the one there was: whoever was linked to that is no longer anybody here.

        Where it is another one, who came in by the former is signed out.
        """
        told = provider.organisation, provider.issuer, provider.client_id, provider.secret
        await self._database.execute(_SET, *told, self._clock())

    async def user(self, provider: Provider, subject: Subject) -> str:
        """Return which user of the provider's organisation this is; raise RefusedError."""
        found = await self._database.fetchval(_USER, self._digest(provider, subject), provider.organisation)
        if found is None:
            raise RefusedError(Refusal.PROVIDER_UNKNOWN)
        return str(found)

    async def link(self, provider: Provider, subject: Subject, invitation: str) -> str:
        """Make the invited person an active user who signs in through the provider; raise RefusedError."""
        given = token_digest(invitation), self._digest(provider, subject), provider.organisation, self._clock()
        try:
            user = await self._database.fetchval(_LINK, *given)
        except asyncpg.UniqueViolationError:
            raise RefusedError(Refusal.PROVIDER_REFUSED) from None
        if user is None:
            raise RefusedError(Refusal.INVITATION_UNUSABLE)
        return str(user)

    async def has(self, user: str) -> bool:
        """Tell whether a user signs in through a provider."""
        return bool(await self._database.fetchval(_HAS, user))

    def _digest(self, provider: Provider, subject: Subject) -> bytes:
        return hmac.digest(self._key, f"{provider.issuer}\n{subject.id}".encode(), "sha256")
