"""Agreements that run out: both sides are warned, thirty days before and seven, and an operator sees it coming."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hub.agreements import expiring, warn
from hub.metrics import Numbers
from hub.postgres import open_pool
from tests.hub.keys import key_file
from tests.hub.shell import Run
from tests.world import KEYRING, World

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def test_both_sides_are_warned_once_thirty_days_before_and_once_seven(world: World) -> None:
    """Of agreements in force that nothing follows, and of no other."""
    ids = {name: uuid4() for name in ("soon", "later", "over", "proposed", "replaced", "endless")}
    until = (NOON + timedelta(days=30)).isoformat()
    columns: dict[str, dict[str, Any]] = {
        "soon": {"valid_until": until},
        "later": {"valid_until": (NOON + timedelta(days=31)).isoformat()},
        "over": {"valid_until": until, "ended_at": "2026-05-01T00:00:00Z"},
        "proposed": {"valid_until": until, "approved_at": None},
        "replaced": {"valid_until": until, "ended_at": "2026-06-09T00:00:00Z"},
        "endless": {},
    }
    for name, each in columns.items():
        await world.agreement("pen-centre", id=ids[name], **each)
    told: list[set[UUID]] = []
    numbers = Numbers()
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        for day in (0, 1, 23, 24, 40):
            await world.set_now(NOON + timedelta(days=day))
            await world.admin.execute("delete from event")
            count = await warn(pool)
            events = await world.admin.fetch("select * from event where kind = 'agreement.expiring'")
            assert {e["organisation"] for e in events} <= {world.organisations["pen-centre"]}
            assert count == len(events)
            told.append({e["agreement_id"] for e in events})
            if not day:
                await numbers.measure(pool, KEYRING)
                assert [row["days"] for row in await expiring(pool)] == [30]

    assert told == [{ids["soon"]}, {ids["later"]}, {ids["soon"]}, {ids["later"]}, set()]
    assert numbers.registry.get_sample_value("hub_agreements_expiring") == 1


async def test_an_operator_sees_the_days_that_are_left(hub: Run, world: World, tmp_path: Path) -> None:
    """By `hub agreement list`, of all or of one partner, and by `hub doctor`, which names what runs out."""
    await world.agreement("pen-centre", valid_until="2026-06-13T13:00:00Z", origins=["IR"])
    await world.agreement("arts-haven", approved_at=None, disciplines=[])
    settings = {"HUB_WORKER_DATABASE_URL": world.database.dsn("hub_worker"), "HUB_KEYS_FILE": str(key_file(tmp_path))}

    listed = await asyncio.to_thread(hub, "agreement", "list", **settings)
    assert listed.status == 0
    assert "pen-centre 1 ACTIVE 2026-06-13, 12 days left OVERVIEW PROFILE IDENTITY IR all" in listed.words
    assert "arts-haven 1 PROPOSED OVERVIEW PROFILE IDENTITY all none" in listed.words
    alone = await asyncio.to_thread(hub, "agreement", "list", "-o", "arts-haven", **settings)
    assert "pen-centre" not in alone.words
    said = await asyncio.to_thread(hub, "doctor", **settings)
    assert "agreements look pen-centre: 2026-06-13, 12 days left" in said.words
