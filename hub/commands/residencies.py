"""This module changes residencies, and what cities publish. The person's yes to one city ends what the others were shown, at once."""

import uuid
from datetime import date
from typing import Any

from hub.commands.asker import Asker, Input, Problems, problems
from hub.commands.cases import NOT_THERE, desk, named_case
from hub.commands.lifecycle_of_cases import LEADS, RESIDENCY
from hub.commands.moving import end_with_case, judge_case, judge_step, move, named_in_the_log, overview
from hub.commands.presentations import named_city
from hub.engine.parameters import split_id

YEARS = 2
"""How long a residency is, where nothing else is said."""
CITY_STEPS = ("ACTIVE", "COMPLETED")
"""What a city says itself: that somebody has come, and has left when the time was over."""
THEIRS = ("ACCEPTED", "ACTIVE")
"""The statuses in which a residency is its city's to change."""
PLACES = 1000


async def offer_residency(asker: Asker, given: Input) -> uuid.UUID:
    """Offer a person a stay in a city: of two years, unless it is said until when."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        city = await named_city(asker, given["city"])
        if city is None:
            found.add("NOT_FOUND", NOT_THERE, "city")
        starts = given.get("startsOn")
        ends = given.get("endsOn") or (starts and _years_on(starts))
        _judge_days(starts, ends, found)
        was = None if case is None else await overview(asker, case)
        if was is not None:
            judge_case("offerResidency", was["status"], "INVITED", found, "case")
    assert case is not None and was is not None  # noqa: S101, PT018 missing ones are problems
    made = asker.new_id("residency")
    await asker.connection.execute(
        "insert into residency (id, case_id, city, status, starts_on, ends_on) values ($1, $2, $3, 'OFFERED', $4, $5)",
        made,
        case,
        city,
        starts,
        ends,
    )
    await move(asker, case, was["status"], "INVITED")
    await asker.tell("residency.offered", case=case)
    return made


async def update_residency(asker: Asker, given: Input) -> uuid.UUID:
    """Move a residency along, or its days. ICORN records what the person decides; a city, that somebody came and left."""
    row = await _named(asker, given["residency"])
    if row is not None:
        await asker.alone(row["case_id"])
        row = await _named(asker, given["residency"])
    to = str(given["status"])
    with problems() as found:
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "residency")
            found.settle()
        icorn = await _may(asker, row, to, found)
        starts, ends = (
            given.get(name, row[column]) for name, column in (("startsOn", "starts_on"), ("endsOn", "ends_on"))
        )
        if to == "ACTIVE" and starts is None:
            starts = row["today"]
        ends = _years_on(starts) if starts and ends is None and "endsOn" not in given else ends
        _judge_days(starts, ends, found)
        leads_to = LEADS.get((row["status"], to))
        if to != row["status"]:
            judge_step(RESIDENCY, "updateResidency", row["status"], to, found, "status")
        if leads_to is not None:
            judge_case("updateResidency", row["case_status"], leads_to, found, "status")
        if to == "ACCEPTED" and row["status"] == "OFFERED" and not found.found:
            await _take_place(asker, row["city"], found)
    async with named_in_the_log(asker, row["case_id"], row["id"]):
        await asker.connection.execute(
            "update residency set status = $2::text::residency_status, starts_on = $3, ends_on = $4 where id = $1",
            row["id"],
            to,
            starts,
            ends,
        )
        await _lead(asker, row, leads_to, icorn=icorn)
    await asker.tell(f"residency.{to.lower() if to != row['status'] else 'changed'}", case=row["case_id"])
    residency: uuid.UUID = row["id"]
    return residency


async def _may(asker: Asker, row: Any, to: str, found: Problems) -> bool:
    """Refuse a city what is not its own, or not its to say; tell whether ICORN's desk asks."""
    if await asker.connection.fetchval("select viewer_is_icorn() and viewer_has('cases:write')"):
        return True
    theirs = await asker.connection.fetchval(
        "select viewer_city() = $1 and viewer_has('residencies:write')", row["city"]
    )
    if not theirs:
        found.add("NOT_ALLOWED", "A residency is changed by ICORN's desk and by the office of its city.", "residency")
    elif row["status"] not in THEIRS or (to not in CITY_STEPS and to != row["status"]):
        found.add("NOT_ALLOWED", "A city says that somebody came, and left; the rest ICORN records.", "status")
    found.settle()
    return False


async def _take_place(asker: Asker, city: int, found: Problems) -> None:
    if not await asker.connection.fetchval("select place_is_free($1)", city):
        found.add("NO_PLACE", "Every place that the city has published is taken: it publishes more first.", "status")


async def _lead(asker: Asker, row: Any, leads_to: str | None, *, icorn: bool) -> None:
    """Bring the case along; an accepted city is the only one that goes on."""
    if leads_to is None:
        return
    if icorn:
        if leads_to == "RELOCATING":
            await end_with_case(asker, row["case_id"], but_of=row["city"])
        await move(asker, row["case_id"], row["case_status"], leads_to)
    else:
        await asker.connection.execute("select follow_city($1, $2::text::case_status)", row["case_id"], leads_to)


async def _named(asker: Asker, identifier: str) -> Any:
    """Find a residency that the asker may see: where a person stays is WHEREABOUTS."""
    return await asker.connection.fetchrow(
        "select r.id, r.case_id, r.city, r.status::text, r.starts_on, r.ends_on, f.status::text as case_status,"
        " (hub_now() at time zone 'UTC')::date as today"
        " from case_access a join case_file f on f.id = a.case_id join residency r on r.case_id = a.case_id"
        " where a.organisation = $1 and a.pairwise = split_part($2, '_', 1)::uuid and a.whereabouts @> hub_now()"
        " and child_name(a.pairwise, r.id) = $2 and viewer_has('cases:read', 'cases:whereabouts', 'residencies:read')",
        asker.principal.organisation,
        split_id(identifier, "child:residency"),
    )


def _judge_days(starts: date | None, ends: date | None, found: Problems) -> None:
    if starts is not None and ends is not None and ends < starts:
        found.add("ENDS_BEFORE_IT_STARTS", "endsOn must not be before startsOn.", "endsOn")


def _years_on(day: date) -> date:
    """Give the last day of a stay that begins on a day."""
    later = date(day.year + YEARS, day.month, min(day.day, 28))
    return date.fromordinal(later.toordinal() + day.day - later.day - 1)


async def publish_vacancies(asker: Asker, given: Input) -> uuid.UUID:
    """Publish how many places a city has for people: its own word. The places it has within are counted from it, and told to nobody."""
    with problems() as found:
        city = await named_city(asker, given["city"])
        if city is None:
            found.add("NOT_FOUND", NOT_THERE, "city")
        elif not await asker.connection.fetchval(
            "select viewer_is_icorn() and viewer_has('cases:write') or viewer_city() is not distinct from $1 and viewer_has('residencies:write')", city
        ):  # fmt: skip
            found.add("NOT_ALLOWED", "A city publishes its own vacancies, or ICORN's desk does on its word.", "city")
        if not 0 <= given["vacancies"] <= PLACES:
            found.add("BAD_COUNT", f"A city has 0 to {PLACES:,} vacancies.", "vacancies")
    assert city is not None  # noqa: S101 a missing one is a problem
    await asker.connection.execute("update city set vacancies = $2 where id = $1", city, given["vacancies"])
    await asker.tell("city.vacancies")
    return uuid.UUID(int=city)
