"""This module has an example of every mutation of a case's life."""

from typing import Any, Final
from uuid import UUID, uuid4

from tests.hub.commands.kit import case_id, city_office, feed_record
from tests.world import World

Given = dict[str, Any]
SOON: Final = "2026-07-01T00:00:00Z"


async def _candidate(world: World, **changed: Any) -> tuple[UUID, Given]:
    case = await world.case(**changed)
    await world.consent(case)
    return case, {"case": await case_id(world, case)}


async def _office(world: World) -> str:
    return "city_bergen" if "bergen" in world.clients else await city_office(world)


async def changed(world: World) -> Given:
    """Change a case as it was read."""
    case, given = await _candidate(world)
    version = await world.admin.fetchval("select version from case_file where id = $1", case)
    return {**given, "expectedVersion": str(version), "riskLevel": "EXTREME"}


async def sealed(world: World) -> Given:
    """Seal a case."""
    _, given = await _candidate(world)
    return {**given, "sealed": True, "reason": "r"}


async def unshared(world: World) -> Given:
    """End a share."""
    case, given = await _candidate(world)
    await world.insert("share", id=uuid4(), case_id=case, organisation=world.organisations["pen-centre"], categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    return {**given, "organisation": "organisation_pen-centre", "reason": "r"}


async def unlinked(world: World) -> Given:
    """Take a record away from a case."""
    case, given = await _candidate(world)
    record = await feed_record(world, str(uuid4()))
    await world.insert("feed_record_link", case_id=case, record=record, linked_by=world.organisations["icorn"])
    return {**given, "records": [f"record_{record}"], "reason": "r"}


async def merged(world: World) -> Given:
    """Make one case of two."""
    keep, merge = await world.case(), await world.case()
    return {"keep": await case_id(world, keep), "merge": await case_id(world, merge), "reason": "r"}


async def shown(world: World) -> Given:
    """Show a case to a city."""
    _, given = await _candidate(world)
    return {**given, "cities": [await _office(world)], "categories": ["OVERVIEW"], "until": SOON}


async def answered(world: World) -> Given:
    """Answer for a city that is shown a case."""
    await _office(world)
    case, _ = await _candidate(world, status="PRESENTED")
    made, office = uuid4(), world.organisations["bergen-office"]
    await world.insert("presentation", id=made, case_id=case, organisation=office, categories=["OVERVIEW"], presented_at="2026-05-01T00:00:00Z", until=SOON)  # fmt: skip
    return {"presentation": f"presentation_{made}", "answer": "INVITE", "note": "n"}


async def offered(world: World) -> Given:
    """Offer a stay."""
    _, given = await _candidate(world)
    return {**given, "city": await _office(world), "startsOn": "2026-08-01"}


async def accepted(world: World) -> Given:
    """Take a stay that is offered."""
    await _office(world)
    case, _ = await _candidate(world, status="INVITED")
    made = uuid4()
    number = await world.admin.fetchval("select id from city where code = 'bergen'")
    await world.insert("residency", id=made, case_id=case, city=number, status="OFFERED", starts_on="2026-08-01")
    name = await world.admin.fetchval("select child_name(pairwise($1, 'case', $2), $3)", world.organisations["icorn"], case, made)  # fmt: skip
    return {"residency": f"residency_{name}", "status": "ACCEPTED"}


async def published(world: World) -> Given:
    """Publish the places of a city that has said nothing yet."""
    code = f"town-{uuid4().hex}"
    await world.city(code)
    return {"city": f"city_{code}", "vacancies": 1}
