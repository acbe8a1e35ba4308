"""What the tests of people work with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from auth.keyring import Keyring
from auth.people import People
from tests.auth.kit import ISSUER, PinnedClock
from tests.conftest import Database

ADMIN_SCOPES = ("access:manage", "audit:read", "cases:read")


@dataclass
class House:
    """The pages, and the people who use them."""

    database: Database
    pool: asyncpg.Pool
    keyring: Keyring
    clock: PinnedClock
    people: People
    organisations: dict[str, int] = field(default_factory=dict)

    async def organisation(self, code: str, kind: str = "SISTER") -> int:
        """Add an organisation."""
        rows = await self.database.admin(
            "insert into hub.organisation (code, name, kind) values ($1, $2, $3::text::hub.organisation_kind) returning id",
            code,
            code.title(),
            kind,
        )
        self.organisations[code] = int(rows[0]["id"])
        return self.organisations[code]

    async def invite(self, name: str, organisation: str = "pen-centre", *roles: str, **changes: Any) -> Any:
        """Invite somebody: an admin, unless another role is said."""
        usual = ("ICORN_ADMIN",) if organisation == "icorn" else ("PARTNER_ADMIN",)
        wanted = {
            "email": f"{name.lower()}@{organisation}.example",
            "name": name,
            "roles": roles or usual,
            "scopes": ADMIN_SCOPES,
            **changes,
        }
        return await self.people.invitations.invite(organisation=self.organisations[organisation], **wanted)

    async def user(self, name: str, organisation: str = "pen-centre", *roles: str, **changes: Any) -> str:
        """Make somebody who is active already; return the user's id."""
        invited = await self.invite(name, organisation, *roles, **changes)
        await self.pool.execute("update hub.usr set status = 'ACTIVE' where id = $1", invited.user)
        return str(invited.user)


@asynccontextmanager
async def build(database: Database, pool: asyncpg.Pool, keyring: Keyring) -> AsyncIterator[House]:
    """Put a house together."""
    clock = PinnedClock()
    house = House(database, pool, keyring, clock, People(ISSUER, pool, keyring, clock=clock))
    await house.organisation("icorn", "ICORN")
    await house.organisation("pen-centre")
    await house.organisation("arts-haven")
    yield house
