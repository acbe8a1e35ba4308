"""This module keeps sessions: a cookie of 256 random bits, known to Postgres by its digest alone."""

from hashlib import sha256
from typing import Any, Final

from auth.clock import Clock
from auth.database import Database
from auth.people import cookies
from auth.people.person import Person
from auth.people.refusals import Refusal, RefusedError
from auth.people.seal import UserSeal

IDLE: Final = 60 * 60
"""Seconds after which a session that nobody uses ends."""
LONGEST: Final = 12 * 60 * 60
"""Seconds after which any session ends: a working day."""
_TOUCH: Final = 60
# Who the cookie stands for: only if the session, the user and the organisation are all live now. A user who was disabled in the
# meantime has another standing, also when active again. That they were here is noted to the hour.
_PERSON: Final = """
with live as materialized (
    select s.digest, s.seen_at, s.means, extract(epoch from s.authenticated_at)::float8 as authenticated_at,
        u.id, u.organisation, u.scopes, u.roles, u.kek, u.wrapped, u.sealed,
        o.name as organisation_name
    from auth.session s join hub.usr u on u.id = s.usr join hub.organisation o on o.id = u.organisation
    where s.digest = $1 and s.ended_at is null and s.standing = u.standing and u.status = 'ACTIVE' and o.suspended_at is null
      and s.until > to_timestamp($2) and s.seen_at > to_timestamp($2) - make_interval(secs => $3)
), touched as (
    update auth.session s set seen_at = to_timestamp($2) from live where s.digest = live.digest
      and live.seen_at < to_timestamp($2) - make_interval(secs => $4)
), noted as (
    update hub.usr u set last_seen_at = date_trunc('hour', to_timestamp($2), 'UTC') from live
    where u.id = live.id and u.last_seen_at is distinct from date_trunc('hour', to_timestamp($2), 'UTC')
)
select * from live
"""
_BEGIN: Final = """
with pruned as (delete from auth.session where until < to_timestamp($3)),
replaced as (update auth.session set ended_at = to_timestamp($3) where digest = $4 and ended_at is null)
insert into auth.session (digest, usr, standing, created_at, authenticated_at, means, seen_at, until)
select $1, u.id, u.standing, to_timestamp($3), to_timestamp($6), $7, to_timestamp($3), to_timestamp($3) + make_interval(secs => $5)
from hub.usr u join hub.organisation o on o.id = u.organisation
where u.id = $2 and u.status = 'ACTIVE' and o.suspended_at is null
returning true
"""
_END: Final = "update auth.session set ended_at = to_timestamp($2) where digest = $1 and ended_at is null"
_END_OTHERS: Final = """
update auth.session set ended_at = to_timestamp($3) where usr = $1 and digest <> $2 and ended_at is null
"""


class Sessions:
    """The sessions of people. What ends one: signing out, an hour without use, twelve hours, or losing one's standing."""

    def __init__(self, database: Database, seal: UserSeal, clock: Clock) -> None:
        self._database = database
        self._seal = seal
        self._clock = clock

    async def begin(self, user: str, replacing: str | None = None, through: float | None = None) -> str:
        """Begin a session of an active user who has just shown a passkey; return its cookie, always a new one.

        `replacing` is the cookie that the browser has had until now, whoever set it: that session ends. `through` is when the
        organisation's provider asked them, for somebody who came by that. Raises RefusedError.
        """
        cookie = cookies.new()
        now, means = self._clock(), "PASSKEY" if through is None else "PROVIDER"
        given = digest(cookie), user, now, digest(replacing or ""), float(LONGEST), now if through is None else through
        if not await self._database.fetchval(_BEGIN, *given, means):
            raise RefusedError(Refusal.NOT_ACTIVE)
        return cookie

    async def person(self, cookie: str) -> Person | None:
        """Return whose session this is, if it is live."""
        known = digest(cookie)
        row = await self._database.fetchrow(_PERSON, known, self._clock(), float(IDLE), float(_TOUCH))
        return None if row is None else self._person(known, row)

    async def end(self, cookie: str) -> None:
        """End the session of a cookie, at once and for all processes."""
        await self._database.execute(_END, digest(cookie), self._clock())

    async def end_others(self, person: Person) -> None:
        """End every other session of a person."""
        await self._database.execute(_END_OTHERS, person.user, person.session, self._clock())

    def _person(self, known: bytes, row: Any) -> Person:
        user = str(row["id"])
        return Person(
            user=user,
            organisation=row["organisation"],
            scopes=frozenset(row["scopes"]),
            roles=frozenset(row["roles"]),
            name=self._seal.card(user, row["kek"], row["wrapped"], row["sealed"]).name,
            authenticated_at=int(row["authenticated_at"]),
            session=known,
            organisation_name=row["organisation_name"],
            means=row["means"],
        )


def digest(cookie: str) -> bytes:
    """Return what Postgres knows a cookie by."""
    return sha256(cookie.encode()).digest()
