"""What the tests of people work with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
from starlette.applications import Starlette

from auth.keyring import Keyring
from auth.people import People
from auth.people.invitations import Invitation
from auth.people.routes import routes
from tests.auth.kit import ISSUER, PinnedClock
from tests.auth.people.authenticator import Device
from tests.auth.people.browser import Browser
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
    app: Starlette
    browsers: list[Browser] = field(default_factory=list)
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

    async def invite(self, name: str, organisation: str = "pen-centre", *roles: str, **changes: Any) -> Invitation:
        """Invite somebody: an admin, unless another role is said."""
        usual = ("ICORN_ADMIN",) if organisation == "icorn" else ("PARTNER_ADMIN",)
        wanted = {
            "email": f"{'.'.join(name.lower().split())}@{organisation}.example",
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

    def browser(self, device: Device | None = None, peer: str = "127.0.0.1") -> Browser:
        """Return a browser that has never been here, calling from `peer`."""
        transport = httpx2.ASGITransport(app=self.app, client=(peer, 50_000))
        browser = Browser(httpx2.AsyncClient(transport=transport), device or Device())
        self.browsers.append(browser)
        return browser

    async def somebody(self, name: str, organisation: str = "pen-centre", *roles: str, **changes: Any) -> Browser:
        """Return the browser of somebody who was invited and has signed in."""
        browser = self.browser()
        invited = await self.invite(name, organisation, *roles, **changes)
        page = await browser.join(invited.link(ISSUER))
        assert page.status_code == 200, page.text
        assert name in page.text
        return browser

    async def who(self, browser: Browser) -> str | None:
        """Return the user that a browser is signed in as."""
        person = await self.people.sessions.person(browser.cookie() or "")
        return person.user if person else None

    async def passkeys(self, user: str | None) -> int:
        """Count a user's passkeys."""
        return len(await self.people.passkeys.of(user or ""))


@asynccontextmanager
async def build(database: Database, pool: asyncpg.Pool, keyring: Keyring) -> AsyncIterator[House]:
    """Put a house together."""
    clock = PinnedClock()
    people = People(ISSUER, pool, keyring, clock=clock)
    app = Starlette(routes=routes())
    app.state.people = people
    house = House(database, pool, keyring, clock, people, app)
    await house.organisation("icorn", "ICORN")
    await house.organisation("pen-centre")
    await house.organisation("arts-haven")
    yield house
    for browser in house.browsers:
        await browser.http.aclose()
