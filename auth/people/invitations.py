"""This module invites people: it makes a user who cannot sign in yet, and a secret of one use that lets them begin."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec

from auth.clock import Clock
from auth.database import Database
from auth.people.person import ICORN_ROLES, Role
from auth.people.seal import CARD, Card, UserSeal
from auth.scopes import scope_problems

LIFETIME: Final = 7 * 24 * 60 * 60
"""Seconds for which an invitation is good."""
ADMIN_SCOPES: Final = ("access:explain", "access:manage", "audit:read")
"""What the first admin of an organisation may do unless more is said."""
_LONGEST_NAME: Final = 100
_LONGEST_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_HOUSE: Final = """
select o.kind::text as kind,
    (select u.id from hub.usr u where u.organisation = o.id and u.email_digest = $2 and u.status = 'INVITED') as waiting
from hub.organisation o where o.id = $1
"""
# Whoever was invited and has not come yet gets a new invitation, and what is said of them now; older invitations end.
_INVITE: Final = """
with replaced as (
    delete from auth.invitation where usr = $1
), made as (
    insert into hub.usr as u (id, organisation, roles, scopes, email_digest, kek, wrapped, sealed)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (id) do update set roles = $3, scopes = $4, kek = $6, wrapped = $7, sealed = $8 where u.status = 'INVITED'
    returning id
)
insert into auth.invitation (digest, usr, until) select $9, id, to_timestamp($10) + make_interval(secs => $11) from made
returning true
"""
_USER_ALREADY: Final = "email: is a user of this organisation already"


class InvitationRefusedError(ValueError):
    """Nobody was invited; `problems` lists every reason, each naming its field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new user, and the secret to give to them and to nobody else; it is stored nowhere."""

    user: str
    token: str = field(repr=False)

    def link(self, issuer: str) -> str:
        """Return where to begin. The secret follows #, which a browser sends to no server: it is in no log and no Referer."""
        return f"{issuer}/invitation#{self.token}"


class Invitations:
    """Makes invitations; `auth.people.joining` takes them."""

    def __init__(self, database: Database, seal: UserSeal, clock: Clock) -> None:
        self._database = database
        self._seal = seal
        self._clock = clock

    async def invite(
        self, *, organisation: int, email: str, name: str, roles: Collection[str], scopes: Collection[str]
    ) -> Invitation:
        """Make a user of an organisation and an invitation for them; raise InvitationRefusedError, listing all problems."""
        digest = self._seal.digest(organisation, email)
        house = await self._database.fetchrow(_HOUSE, organisation, digest)
        if problems := _problems(house and house["kind"], email, name, roles, scopes):
            raise InvitationRefusedError(problems)
        user, token, key = str(house["waiting"] or uuid4()), new_token(), self._seal.new_key()
        card = msgspec.json.encode(Card(email.strip(), name.strip()))
        try:
            made = await self._database.fetchval(
                _INVITE,
                user,
                organisation,
                sorted({str(role) for role in roles}),
                sorted({str(scope) for scope in scopes}),
                digest,
                key.kek,
                key.wrapped,
                self._seal.seal(key.plain, user, CARD, card),
                token_digest(token),
                self._clock(),
                float(LIFETIME),
            )
        except asyncpg.UniqueViolationError:
            made = False
        if not made:
            raise InvitationRefusedError([_USER_ALREADY])
        return Invitation(user, token)


def new_token() -> str:
    """Return the secret of an invitation: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Return what Postgres knows an invitation by."""
    return sha256(token.encode()).digest()


def _problems(kind: str | None, email: str, name: str, roles: Collection[str], scopes: Collection[str]) -> list[str]:
    problems = []
    if kind is None:
        problems.append("organisation: does not exist")
    if len(email) > _LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email.strip()):
        problems.append("email: an address such as sara@pen.example")
    if not 1 <= len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
        problems.append(f"name: 1 to {_LONGEST_NAME} printable characters")
    if not roles or not set(Role).issuperset(roles):
        problems.append(f"roles: at least one of {', '.join(Role)}")
    elif kind is not None and any((role in ICORN_ROLES) != (kind == "ICORN") for role in roles):
        problems.append("roles: those of ICORN are for ICORN's people, the others for partners'")
    problems += scope_problems(scopes)
    return problems
