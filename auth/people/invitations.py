"""This module invites people: it makes a user who cannot sign in yet, and a secret of one use that lets them begin."""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from auth.clock import Clock
from auth.database import Database
from auth.people.person import ICORN_ROLES, Role
from auth.people.seal import CARD, Card, UserSeal
from auth.scopes import ICORNS, NAMES, scope_problems

LIFETIME: Final = 7 * 24 * 60 * 60
"""Seconds for which an invitation is good."""
ICORN_ADMIN_SCOPES: Final = ("access:explain", "access:manage", "audit:read", "organisations:manage")
PARTNER_ADMIN_SCOPES: Final = tuple(sorted(NAMES - ICORNS))
"""What the first admin may do unless more is said: of a partner everything that a partner can, for nobody gives what they do not hold."""
_LONGEST_NAME: Final = 100
_LONGEST_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_HOUSE: Final = """
select o.kind::text as kind,
    (select u.id from hub.usr u where u.organisation = o.id and u.email_digest = $2 and u.status = 'INVITED') as waiting
from hub.organisation o where o.id = $1
"""
# Whoever was invited and has not come yet gets a new invitation, and what is said of them now; older invitations end.
_INVITE: Final = "select hub.{by}($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10) + make_interval(secs => $11))"
USER_ALREADY: Final = "email: is a user of this organisation already"


class InvitationRefusedError(ValueError):
    """Nobody was invited; `problems` lists every reason, each naming its field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def random_bytes(_what: str) -> bytes:
    """Return 256 random bits."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new user, and the secret to give to them and to nobody else; it is stored nowhere."""

    user: str
    token: str = field(repr=False)

    def link(self, issuer: str) -> str:
        """Return where to begin. The secret follows #, which a browser sends to no server: it is in no log and no Referer."""
        return f"{issuer}/invitation#{self.token}"


class Invitations:
    """Makes invitations; `auth.people.joining` takes them.

    `by` is the function of the database that writes them: each role of it has its own, with what it may do for whom.
    """

    def __init__(self, database: Database, seal: UserSeal, clock: Clock, by: str = "invite_user") -> None:
        self._database = database
        self._seal = seal
        self._clock = clock
        self._invite = _INVITE.format(by=by)

    async def invite(
        self,
        *,
        organisation: int,
        email: str,
        name: str,
        roles: Collection[str],
        scopes: Collection[str],
        new: Callable[[str], bytes] = random_bytes,
    ) -> Invitation:
        """Make a user of an organisation and an invitation for them; raise InvitationRefusedError, listing all problems.

        `new` gives 256 secret bits, for the user and for the invitation.
        """
        digest = self._seal.digest(organisation, email)
        house = await self._database.fetchrow(_HOUSE, organisation, digest)
        if problems := invitation_problems(house and house["kind"], email, name, roles, scopes):
            raise InvitationRefusedError(problems)
        user = str(house["waiting"] or UUID(bytes=new("user")[:16], version=4))
        token, key = token_of(new("invitation")), self._seal.new_key()
        card = msgspec.json.encode(Card(email.strip(), name.strip()))
        try:
            made = await self._database.fetchval(
                self._invite,
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
            raise InvitationRefusedError([USER_ALREADY])
        return Invitation(user, token)


def token_of(secret: bytes) -> str:
    """Write the secret of an invitation as a link has it."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def new_token() -> str:
    """Return the secret of an invitation: 256 random bits."""
    return token_of(random_bytes("invitation"))


def token_digest(token: str) -> bytes:
    """Return what Postgres knows an invitation by."""
    return sha256(token.encode()).digest()


def invitation_problems(
    kind: str | None, email: str, name: str, roles: Collection[str], scopes: Collection[str]
) -> list[str]:
    """Say everything that is wrong with whom to invite into an organisation of a kind, None where there is none."""
    problems = []
    if kind is None:
        problems.append("organisation: does not exist")
    if len(email) > _LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email.strip()):
        problems.append("email: an address such as sara@pen.example")
    return problems + name_problems(name) + role_problems(kind, roles) + scope_problems(scopes)


def name_problems(name: str) -> list[str]:
    """Say what is wrong with what somebody is called."""
    good = 1 <= len(name.strip()) <= _LONGEST_NAME and name.isprintable()
    return [] if good else [f"name: 1 to {_LONGEST_NAME} printable characters"]


def role_problems(kind: str | None, roles: Collection[str]) -> list[str]:
    """Say what is wrong with the roles of somebody in an organisation of a kind."""
    if not roles or not set(Role).issuperset(roles):
        return [f"roles: at least one of {', '.join(Role)}"]
    if kind is not None and any((role in ICORN_ROLES) != (kind == "ICORN") for role in roles):
        return ["roles: those of ICORN are for ICORN's people, the others for partners'"]
    return []
