"""This module shows a candidate to cities for a time, and takes their answers. What a city sees of it, consent decides."""

import uuid
from typing import Any

from hub.commands.asker import Asker, Input, Problems, problems, sealed_text
from hub.commands.cases import NOT_THERE, desk, judge_shared, named_case
from hub.commands.lifecycle_of_cases import PRESENTATION
from hub.commands.moving import judge_case, judge_step, move, named_in_the_log, overview
from hub.commands.person import judge_text
from hub.engine.parameters import split_id

CITIES = 50
ANSWERS = {"INVITE": "INVITED", "DECLINE": "DECLINED"}


async def present_case(asker: Asker, given: Input) -> uuid.UUID:
    """Show a case to the offices of cities until a date. Shown again, it is what was listed last, and no more."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        offices = await _offices(asker, given, found)
        categories = await judge_shared(asker, given, found)
        was = None if case is None else await overview(asker, case)
        to = "INVITED" if was is not None and was["status"] == "INVITED" else "PRESENTED"
        if was is not None:
            judge_case("presentCase", was["status"], to, found, "case")
    assert case is not None and was is not None  # noqa: S101, PT018 missing ones are problems
    for office in offices:
        await asker.connection.execute(
            "select show_case($1, $2, $3, $4::text[]::category[], $5)",
            asker.new_id(f"presentation {office}"),
            case,
            office,
            categories,
            given["until"],
        )
    await move(asker, case, was["status"], to)
    await asker.tell("case.presented", case=case)
    return case


async def _offices(asker: Asker, given: Input, found: Problems) -> list[int]:
    """Find who answers for the cities that are named."""
    if not 0 < len(given["cities"]) <= CITIES:
        found.add("BAD_COUNT", f"Name 1 to {CITIES} cities.", "cities")
    offices: list[int] = []
    for number, identifier in enumerate(given["cities"][:CITIES]):
        city = await named_city(asker, identifier)
        rows = [] if city is None else await asker.connection.fetch(
            "select id from organisation where kind = 'CITY' and city = $1 order by id", city
        )  # fmt: skip
        if city is None:
            found.add("NOT_FOUND", NOT_THERE, "cities", number)
        elif not rows:
            found.add("NO_OFFICE", "Nobody answers for this city here: no organisation is its office.", "cities", number)  # fmt: skip
        offices += [row["id"] for row in rows]
    return list(dict.fromkeys(offices))


async def named_city(asker: Asker, identifier: str) -> int | None:
    """Find a city by its id; cities are public."""
    found: int | None = await asker.connection.fetchval(
        "select id from city where code = $1", split_id(identifier, "key:city")
    )
    return found


async def answer_presentation(asker: Asker, given: Input) -> uuid.UUID:
    """Invite the person or decline, for the city that was asked: its own decision, which nobody makes for it."""
    row = await _named(asker, given["presentation"])
    if row is not None:
        await asker.alone(row["case_id"])
        row = await _named(asker, given["presentation"])
    to = ANSWERS[str(given["answer"])]
    with problems() as found:
        if given.get("note") is not None:
            judge_text(given["note"], found, "note")
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "presentation")
        elif row["organisation"] != asker.principal.organisation:
            found.add("NOT_ALLOWED", "A city decides for itself: its own client answers.", "presentation")
        elif row["status"] != to:
            judge_step(PRESENTATION, "answerPresentation", row["status"], to, found, "answer")
            if to == "INVITED" and row["sees"]:
                judge_case("answerPresentation", row["case_status"], to, found, "presentation")
    presentation: uuid.UUID = row["id"]
    if row["status"] == to:
        return presentation
    case: uuid.UUID = row["case_id"]
    note = given.get("note")
    sealed = (
        None if note is None else sealed_text(asker.sealing, await asker.case_key(case), f"case:{case}", "NOTE", note)
    )
    async with named_in_the_log(asker, case, presentation):
        await asker.connection.execute(
            "update presentation set status = $2::text::presentation_status, answered_at = hub_now(), note = $3 where id = $1",
            presentation,
            to,
            sealed,
        )
        if to == "INVITED":
            await asker.connection.execute("select follow_city($1, 'INVITED')", case)
    await asker.tell(f"presentation.{to.lower()}", case=case)
    return presentation


async def _named(asker: Asker, identifier: str) -> Any:
    """Find a presentation that the asker may see: to answer one, it must see the case still."""
    return await asker.connection.fetchrow(
        "select p.id, p.case_id, p.organisation, f.status::text as case_status, f.id is not null as sees,"
        " case when p.status = 'OPEN' and p.until <= hub_now() then 'EXPIRED' else p.status::text end as status from presentation p"
        " left join (case_access a join case_file f on f.id = a.case_id) on a.case_id = p.case_id and a.organisation = $2 and a.overview @> hub_now()"
        " where p.id = $1::text::uuid and viewer_has('cases:read', 'presentations:read')"
        " and (p.organisation = $2 and p.answered_at is not null or (p.organisation = $2 or viewer_is_icorn()) and f.id is not null)",
        split_id(identifier, "uuid:presentation"),
        asker.principal.organisation,
    )
