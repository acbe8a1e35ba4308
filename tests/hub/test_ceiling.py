"""How much a token of an organisation can say: never what is ICORN's own, and of cases only what an agreement in force lists."""

import re
from collections.abc import AsyncIterator

import pytest

from auth.client import TokenRefusedError
from auth.scopes import Scope
from hub.migrate import FOLDER
from schema.enums import Category
from tests.conftest import Database
from tests.world import EVERY_SCOPE, World, build

ICORNS = {
    "access:explain",
    "cases:assessment",
    "cases:erase",
    "cases:write",
    "feeds:manage",
    "intake:read",
    "organisations:manage",
}
CATEGORIES = {
    f"cases:{category.name.lower()}" for category in Category if category.name not in ("OVERVIEW", "ASSESSMENT")
}


async def restored(world: World) -> None:
    """Put the ceiling of the migrations back, which test databases are without."""
    migration = (FOLDER / "0019_grants.sql").read_text()
    (function,) = re.findall(r"create (function hub\.scope_ceiling.*?order by s\);)", migration, re.DOTALL)
    await world.admin.execute(f"create or replace {function}")


@pytest.fixture
async def capped(database: Database) -> AsyncIterator[World]:
    """ICORN and two sister organisations, each with a client that was given every scope."""
    async with build(database) as world:
        await restored(world)
        for code, kind in (("icorn", "ICORN"), ("pen-centre", "SISTER"), ("arts-haven", "SISTER")):
            await world.organisation(code, kind)
            await world.client(f"{code}-client", code)
        yield world


async def granted(world: World, organisation: str, scope: str | None = None) -> set[str]:
    """Return the scopes of a new token."""
    return set((await world.clients[f"{organisation}-client"].token(scope)).scopes)


def test_the_ceiling_knows_every_scope() -> None:
    """Each is ICORN's own, a category of cases, or anybody's: a new one is thought about here."""
    anybodys = {
        "access:manage", "audit:read", "cases:emergency", "cases:read", "changes:read", "consents:read", "consents:write", "feeds:read",
        "presentations:answer", "presentations:read", "referrals:read", "referrals:respond", "referrals:submit", "residencies:read",
        "residencies:write", "statistics:read",
    }  # fmt: skip

    assert set(map(str, Scope)) == ICORNS | CATEGORIES | anybodys
    assert not ICORNS & CATEGORIES


async def test_icorn_has_no_ceiling(capped: World) -> None:
    """It decides and documents."""
    assert await granted(capped, "icorn") == set(EVERY_SCOPE)


async def test_a_partner_without_an_agreement_is_given_no_category(capped: World) -> None:
    """Nor ever what is ICORN's own, whatever its client was registered with; asked for by name, it is refused."""
    assert await granted(capped, "pen-centre") == set(EVERY_SCOPE) - ICORNS - CATEGORIES
    for scope in sorted(ICORNS | CATEGORIES):
        with pytest.raises(TokenRefusedError, match="invalid_scope"):
            await granted(capped, "pen-centre", scope)


async def test_a_category_comes_with_an_agreement_that_lists_it(capped: World) -> None:
    """And with no other organisation's; one that covers no case at all will do, for a referral or a presentation may open one."""
    await capped.agreement("pen-centre", ["OVERVIEW", "PROFILE", "THREAT"], origins="{}")
    await capped.agreement("arts-haven", ["OVERVIEW", "HEALTH"])

    assert await granted(capped, "pen-centre") & CATEGORIES == {"cases:profile", "cases:threat"}
    assert await granted(capped, "arts-haven") & CATEGORIES == {"cases:health"}


@pytest.mark.parametrize(
    "columns",
    [
        {"approved_at": None},
        {"valid_from": "2026-06-01T12:00:01Z"},
        {"valid_until": "2026-06-01T12:00:00Z"},
        {"ended_at": "2026-06-01T12:00:00Z"},
    ],
)
async def test_and_goes_with_it(capped: World, columns: dict[str, str | None]) -> None:
    """Not approved, not begun, over or ended: the next token is without it."""
    await capped.agreement("pen-centre", ["OVERVIEW", "PROFILE"], **columns)

    assert await granted(capped, "pen-centre") & CATEGORIES == set()
