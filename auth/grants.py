"""This module keeps what people let apps do: pushed requests, approvals with their codes and refresh tokens, and how all of it ends.

Whatever is good once is used up by the statement that finds it, so that of two who come at once, in any process, one gets it.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from auth.access_token import LIFETIME
from auth.clock import Clock
from auth.database import Database
from auth.people import Person

REQUEST_LIFETIME: Final = 90
"""Seconds in which a pushed request must be approved."""
CODE_LIFETIME: Final = 60
REFRESH_LIFETIME: Final = 12 * 3600
"""The longest that a refresh token is good, in seconds; it ends with the session in which it was approved, if that is sooner."""
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
_MARGIN: Final = 120  # clocks of processes differ, and a token may be issued while its approval ends
_PRUNE_EVERY: Final = 60

# Of what was asked for, what client, user and organisation may do now.
_GRANTED: Final = "array(select unnest({asked}) intersect select unnest(hub.scope_ceiling(c.organisation, c.scopes)) intersect select unnest(u.scopes) order by 1)"
# An app is for the people of its own organisation.
_LIVE: Final = """
    c.organisation = u.organisation and c.status = 'ACTIVE' and u.status = 'ACTIVE'
    and exists (select from hub.organisation o where o.id = c.organisation and o.suspended_at is null)
"""
_STANDING: Final = (
    "array[u.standing, c.standing, (select o.standing from hub.organisation o where o.id = c.organisation)]"
)
_SIGNED_IN: Final = "exists (select from auth.session s where s.digest = a.session and s.ended_at is null and s.until > to_timestamp($3))"
_PUSH: Final = """
insert into auth.pushed_request (digest, client_id, redirect_uri, scopes, state, challenge, jkt, signed_in_since, until, by_passkey)
values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8), to_timestamp($9), $10)
"""
_WAITING: Final = """
select extract(epoch from p.signed_in_since)::float8 as signed_in_since, p.by_passkey from auth.pushed_request p where p.digest = $1 and p.client_id = $2 and p.until > to_timestamp($3)
"""
_OPEN: Final = f"""
update auth.pushed_request p set usr = u.id from hub.client c, hub.usr u
where p.digest = $1 and p.client_id = $2 and p.until > to_timestamp($3)
  and u.id = $4 and (p.usr is null or p.usr = u.id) and c.client_id = p.client_id and {_LIVE}
returning c.name as client, p.redirect_uri, {_GRANTED.format(asked="p.scopes")} as scopes,
  (select o.name from hub.organisation o where o.id = c.organisation) as organisation
"""  # noqa: S608 parts of our own
_APPROVE: Final = f"""
with used as (
  delete from auth.pushed_request p
  where p.digest = $1 and p.client_id = $2 and p.until > to_timestamp($3) and p.usr = $4
    and (p.signed_in_since is null or p.signed_in_since <= to_timestamp($5))
    and (not p.by_passkey or $11 = 'PASSKEY')
  returning p.*
), approved as (
  insert into auth.approval (id, client_id, organisation, usr, session, standing, scopes, authenticated_at, means, redirect_uri, challenge, jkt, code, code_until, until)
  select $6, c.client_id, c.organisation, u.id, $10, {_STANDING}, g.scopes, to_timestamp($5), $11, p.redirect_uri, p.challenge, p.jkt, $7, to_timestamp($8), to_timestamp($8)
  from used p join hub.client c on c.client_id = p.client_id join hub.usr u on u.id = p.usr
  cross join lateral (select {_GRANTED.format(asked="array(select unnest(p.scopes) intersect select unnest($9::text[]))")} as scopes) g
  where {_LIVE} and cardinality(g.scopes) > 0
  returning id
)
select p.redirect_uri, p.state from used p, approved
"""  # noqa: S608 parts of our own
_REFUSE: Final = """
delete from auth.pushed_request p
where p.digest = $1 and p.client_id = $2 and p.until > to_timestamp($3) and p.usr = $4
returning p.redirect_uri, p.state
"""
_REDEEM: Final = f"""
update auth.approval a set redeemed_at = to_timestamp($3), refresh = $4, until = to_timestamp($5) from hub.client c, hub.usr u
where a.code = $1 and a.client_id = $2 and a.redeemed_at is null and a.ended_at is null and a.code_until > to_timestamp($3)
  and c.client_id = a.client_id and u.id = a.usr and a.organisation = c.organisation and a.standing = {_STANDING} and {_LIVE}
  and {_SIGNED_IN}
returning a.*, {_GRANTED.format(asked="a.scopes")} as granted
"""  # noqa: S608 parts of our own
_REFRESH: Final = f"""
select a.*, {_GRANTED.format(asked="a.scopes")} as granted from auth.approval a, hub.client c, hub.usr u
where a.refresh = $1 and a.client_id = $2 and a.ended_at is null and a.until > to_timestamp($3)
  and c.client_id = a.client_id and u.id = a.usr and a.organisation = c.organisation and a.standing = {_STANDING} and {_LIVE}
  and {_SIGNED_IN}
"""  # noqa: S608 parts of our own
_END: Final = """
with ended as (
  update auth.approval a set ended_at = to_timestamp($1) where a.ended_at is null and {which} returning a.id
), denied as (
  insert into hub.revoked_token (token_id, until) select id, to_timestamp($2) from ended on conflict do nothing
)
select count(*) from ended
"""
_DENY: Final = """
insert into hub.revoked_token (token_id, until) values ($1, to_timestamp($2)) on conflict do nothing
"""
_IS_LIVE: Final = "select hub.token_is_live($1, $2, $3, $4, $5)"
_PRUNE: Final = """
with requests as (delete from auth.pushed_request where until < to_timestamp($1))
delete from auth.approval where until < to_timestamp($1)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app asks for, as it pushed it."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    thumbprint: str
    """Of the key that the code, and every token after it, is bound to."""
    state: str | None = field(default=None, repr=False)
    max_age: int | None = None
    """How long before this moment the person may have signed in."""
    by_passkey: bool = False
    """Whether it must have been by a passkey, and not through the organisation's own provider."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pushed request that waits for a person who signed in no earlier than `signed_in_since`, in Unix seconds, and as it asks."""

    signed_in_since: float | None
    by_passkey: bool

    def suits(self, person: Person) -> bool:
        """Tell whether a person has signed in late enough, and in the right way."""
        since = self.signed_in_since
        return (since is None or person.authenticated_at >= since) and (
            not self.by_passkey or person.means == "PASSKEY"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is asked: by which app, of which organisation, for what."""

    client: str
    organisation: str
    redirect_uri: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person approved, as Authlib's grants read it. `scopes` are those that are left of it now."""

    id: str
    user: str
    scopes: frozenset[str]
    authenticated_at: datetime
    means: str
    thumbprint: str
    redirect_uri: str = field(repr=False)
    code_challenge: str = field(repr=False)
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Tell Authlib where the code was sent."""
        return self.redirect_uri


class Grants:
    """The requests and approvals of all apps, in Postgres."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._pruned_at = clock()

    async def push(self, wish: Wish) -> str:
        """Keep a request; return its request_uri."""
        reference, now = secrets.token_urlsafe(32), self._clock()
        since = None if wish.max_age is None else int(now) - wish.max_age  # sign-ins are known to the second
        row = wish.client_id, wish.redirect_uri, sorted(wish.scopes), wish.state, wish.challenge, wish.thumbprint
        await self._database.execute(_PUSH, digest(reference), *row, since, now + REQUEST_LIFETIME, wish.by_passkey)
        return REQUEST_URI + reference

    async def waiting(self, client_id: str, request_uri: str) -> Waiting | None:
        """Return a request that nobody has used up, as far as it matters before anybody is known to have signed in."""
        row = await self._database.fetchrow(_WAITING, _reference(request_uri), client_id, self._clock())
        return row and Waiting(row["signed_in_since"], row["by_passkey"])

    async def opened(self, client_id: str, request_uri: str, person: Person) -> Asked | None:
        """Return what a person is asked, who is the only one to be asked from now on; None if it is not theirs to approve."""
        row = await self._database.fetchrow(_OPEN, _reference(request_uri), client_id, self._clock(), person.user)
        return row and Asked(row["client"], row["organisation"], row["redirect_uri"], frozenset(row["scopes"]))

    async def approve(
        self, client_id: str, request_uri: str, person: Person, scopes: Collection[str]
    ) -> tuple[str, str | None, str] | None:
        """Use a request up and approve of these scopes; return redirect_uri, state and code, or None."""
        code, now = secrets.token_urlsafe(32), self._clock()
        asker = _reference(request_uri), client_id, now, person.user, person.authenticated_at
        new = secrets.token_urlsafe(16), digest(code), now + CODE_LIFETIME, sorted(scopes)
        row = await self._database.fetchrow(_APPROVE, *asker, *new, person.session, person.means)
        return row and (row["redirect_uri"], row["state"], code)

    async def refuse(self, client_id: str, request_uri: str, person: Person) -> tuple[str, str | None] | None:
        """Use a request up for nothing; return redirect_uri and state, or None."""
        row = await self._database.fetchrow(_REFUSE, _reference(request_uri), client_id, self._clock(), person.user)
        return row and (row["redirect_uri"], row["state"])

    async def redeem(self, code: str, client_id: str) -> tuple[Approval, str] | None:
        """Use a code up; return what it stands for and a refresh token, or None."""
        refresh, now = secrets.token_urlsafe(32), self._clock()
        row = await self._database.fetchrow(
            _REDEEM, digest(code), client_id, now, digest(refresh), now + REFRESH_LIFETIME
        )
        return row and (_approval(row), refresh)

    async def refreshed(self, refresh: str, client_id: str) -> Approval | None:
        """Return what a refresh token stands for; None if it is not good, or not good any more."""
        row = await self._database.fetchrow(_REFRESH, digest(refresh), client_id, self._clock())
        return row and _approval(row)

    async def end(self, approval: str) -> int:
        """End an approval and every token issued from it."""
        return await self._end("a.id = $3", approval)

    async def end_replayed(self, code: str, client_id: str) -> int:
        """End what was made of a code that this client redeemed before."""
        return await self._end(
            "a.code = $3 and a.client_id = $4 and a.redeemed_at is not null", digest(code), client_id
        )

    async def end_refresh(self, refresh: str, client_id: str) -> int:
        """End the approval of a client's refresh token, if it is one."""
        return await self._end("a.refresh = $3 and a.client_id = $4", digest(refresh), client_id)

    async def deny(self, token_id: str, expires_at: float) -> None:
        """Put an access token on the list of those that ended before their time, until that time."""
        await self._database.execute(_DENY, token_id, expires_at + _MARGIN)

    async def is_live(self, token_id: str, client: str, organisation: int, user: str | None, scopes: list[str]) -> bool:
        """Tell whether a token still opens anything, as the gate before every statement would."""
        return bool(await self._database.fetchval(_IS_LIVE, token_id, client, organisation, user, scopes))

    async def prune(self) -> None:
        """Forget, at most once a minute, requests that ran out and approvals of which nothing is left."""
        if self._clock() - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = self._clock()
            await self._database.execute(_PRUNE, self._clock() - LIFETIME - _MARGIN)

    async def _end(self, which: str, *values: object) -> int:
        now = self._clock()
        ended = await self._database.fetchval(_END.format(which=which), now, now + LIFETIME + _MARGIN, *values)
        return int(ended)


def digest(secret: str) -> bytes:
    """Return what is kept of a secret that was given away."""
    return sha256(secret.encode()).digest()


def _reference(request_uri: str) -> bytes:
    return digest(request_uri.removeprefix(REQUEST_URI) if request_uri.startswith(REQUEST_URI) else "")


def _approval(row: Any) -> Approval:
    granted, told = frozenset(row["granted"]), (row["redirect_uri"], row["challenge"])
    return Approval(row["id"], str(row["usr"]), granted, row["authenticated_at"], row["means"], row["jkt"], *told)
