"""This module helps somebody who lost every passkey: one admin asks, a second confirms, the first gets the new invitation.

Who may ask and confirm: admins of the person's own organisation, never the person. Where there is no such admin, one of ICORN's may
ask; where there are fewer than two, one of ICORN's may confirm. Whoever confirms never holds the invitation.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from auth.clock import Clock
from auth.database import Database
from auth.people.invitations import LIFETIME, Invitation, new_token, token_digest
from auth.people.person import ADMINS, CALLED
from auth.people.seal import UserSeal

PATIENCE: Final = 3 * 24 * 60 * 60
"""Seconds within which a request has to be confirmed and its invitation fetched."""
_ADMIN: Final = "'{" + ",".join(sorted(ADMINS)) + "}'"
# In every statement $1 acts, at the time $2; `u` is the person it is about. Admins are counted as they are now, without the person.
_HELPER: Final = f"""helper as (
    select h.id, h.organisation, 'ICORN_ADMIN' = any(h.roles) as icorn from hub.usr h join hub.organisation o on o.id = h.organisation
    where h.id = $1 and h.status = 'ACTIVE' and o.suspended_at is null and h.roles && {_ADMIN}
)"""  # noqa: S608 constants of our own
_OTHERS: Final = f"""(
    select count(*) from hub.usr a where a.organisation = u.organisation and a.id <> u.id and a.status = 'ACTIVE' and a.roles && {_ADMIN}
)"""  # noqa: S608 as above
_LAPSE: Final = "update auth.recovery set ended_at = until where ended_at is null and until <= to_timestamp($1)"
_ASK: Final = f"""
with {_HELPER}
insert into auth.recovery (usr, asked_by, asked_at, until)
select u.id, helper.id, to_timestamp($2), to_timestamp($2) + make_interval(secs => $4) from hub.usr u, helper
where u.id = $3 and u.status = 'ACTIVE' and u.id <> helper.id
  and (u.organisation = helper.organisation or helper.icorn and {_OTHERS} = 0)
on conflict do nothing returning true
"""  # noqa: S608 as above
_CONFIRM: Final = f"""
with {_HELPER}, confirmed as (
    update auth.recovery r set confirmed_by = helper.id, confirmed_at = to_timestamp($2) from helper, hub.usr u
    where r.id = $3 and u.id = r.usr and r.ended_at is null and r.confirmed_at is null and r.until > to_timestamp($2)
      and u.status = 'ACTIVE' and helper.id not in (r.asked_by, r.usr)
      and (u.organisation = helper.organisation or helper.icorn and {_OTHERS} < 2)
    returning r.usr
), out as (
    update hub.usr u set status = 'INVITED' from confirmed where u.id = confirmed.usr
), keys as (
    delete from auth.passkey p using confirmed where p.usr = confirmed.usr
), identities as (
    delete from auth.identity i using confirmed where i.usr = confirmed.usr
), invitations as (
    delete from auth.invitation i using confirmed where i.usr = confirmed.usr
)
select true from confirmed
"""  # noqa: S608 as above
_FETCH: Final = f"""
with {_HELPER}, done as (
    update auth.recovery r set ended_at = to_timestamp($2) from helper, hub.usr u
    where r.id = $3 and r.asked_by = helper.id and r.confirmed_at is not null and r.ended_at is null
      and r.until > to_timestamp($2) and u.id = r.usr and u.status = 'INVITED' returning r.usr
)
insert into auth.invitation (digest, usr, until) select $4, usr, to_timestamp($2) + make_interval(secs => $5) from done
returning usr
"""  # noqa: S608 as above
_STOP: Final = f"""
with {_HELPER}
update auth.recovery r set ended_at = to_timestamp($2) from hub.usr u
where r.id = $3 and u.id = r.usr and r.ended_at is null and r.confirmed_at is null
  and (r.usr = $1 or r.asked_by = $1 or exists (select from helper where helper.organisation = u.organisation))
returning true
"""  # noqa: S608 as above
_SEEN: Final = f"""
with {_HELPER}
select u.id, u.kek, u.wrapped, u.sealed, u.roles, u.status::text as status, u.last_seen_at, o.name as organisation,
    r.id as recovery, r.asked_by = helper.id as mine, r.confirmed_at is not null as confirmed,
    u.status = 'ACTIVE' and r.id is null and u.id <> helper.id as may_ask,
    r.id is not null and r.confirmed_at is null and helper.id not in (r.asked_by, u.id) as may_confirm
from helper cross join hub.usr u join hub.organisation o on o.id = u.organisation
left join auth.recovery r on r.usr = u.id and r.ended_at is null and r.until > to_timestamp($2)
where u.organisation = helper.organisation
  or helper.icorn and (u.roles && {_ADMIN} and {_OTHERS} = 0 or r.id is not null and {_OTHERS} < 2)
order by u.organisation <> helper.organisation, u.organisation, u.id
"""  # noqa: S608 as above
_OWN: Final = """
select id from auth.recovery where usr = $1 and ended_at is null and confirmed_at is null and until > to_timestamp($2)
"""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user as an admin sees them, and what the admin may do about lost passkeys."""

    user: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    organisation: str
    roles: tuple[str, ...]
    status: str
    last_seen_at: Any
    recovery: str | None
    mine: bool
    confirmed: bool
    may_ask: bool
    may_confirm: bool

    @property
    def position(self) -> str:
        """Say what the person is, as people call it."""
        return ", ".join(CALLED[role] for role in self.roles)

    @property
    def standing(self) -> str:
        """Say whether the person can sign in."""
        return {"ACTIVE": "active", "INVITED": "has an invitation and has not begun", "DISABLED": "disabled"}[
            self.status
        ]


class Recoveries:
    """The requests of admins. Each method tells whether the request was as it must be, and changes nothing otherwise."""

    def __init__(self, database: Database, seal: UserSeal, clock: Clock) -> None:
        self._database = database
        self._seal = seal
        self._clock = clock

    async def ask(self, helper: str, user: str) -> bool:
        """Ask for a new invitation for a user."""
        await self._database.execute(_LAPSE, self._clock())
        return bool(await self._database.fetchval(_ASK, helper, self._clock(), user, float(PATIENCE)))

    async def confirm(self, helper: str, recovery: str) -> bool:
        """Confirm what another admin asked for: the person's passkeys, sessions and older invitations end now."""
        return bool(await self._database.fetchval(_CONFIRM, helper, self._clock(), recovery))

    async def fetch(self, helper: str, recovery: str) -> Invitation | None:
        """Return the new invitation to the one who asked for it, once."""
        token = new_token()
        given = helper, self._clock(), recovery, token_digest(token), float(LIFETIME)
        user = await self._database.fetchval(_FETCH, *given)
        return Invitation(str(user), token) if user else None

    async def stop(self, person: str, recovery: str) -> bool:
        """Stop a request that is not confirmed: for the one who asked, the other admins, and the person it is about."""
        return bool(await self._database.fetchval(_STOP, person, self._clock(), recovery))

    async def about(self, user: str) -> str | None:
        """Return the open request about a user: whoever can still sign in hears of it."""
        found = await self._database.fetchval(_OWN, user, self._clock())
        return str(found) if found else None

    async def seen(self, helper: str) -> list[Colleague]:
        """List whom an admin looks after: the people of the own organisation, and for ICORN's those whom nobody else can help."""
        rows = await self._database.fetch(_SEEN, helper, self._clock())
        return [self._colleague(row) for row in rows]

    def _colleague(self, row: Any) -> Colleague:
        user = str(row["id"])
        card = self._seal.card(user, row["kek"], row["wrapped"], row["sealed"])
        return Colleague(
            user=user,
            name=card.name,
            email=card.email,
            organisation=row["organisation"],
            roles=tuple(row["roles"]),
            status=row["status"],
            last_seen_at=row["last_seen_at"],
            recovery=str(row["recovery"]) if row["recovery"] else None,
            mine=bool(row["mine"]),
            confirmed=bool(row["confirmed"]),
            may_ask=row["may_ask"],
            may_confirm=row["may_confirm"],
        )
