"""Every step of a case, a presentation and a residency is tried: what the tables list is done, and nothing else is."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from hub.commands.lifecycle_of_cases import CASE, LEADS, PRESENTATION, RESIDENCY, leads
from schema.enums import CaseStatus, PresentationStatus, ResidencyStatus
from tests.hub.commands.kit import case_id, city_office, done, events, found, run
from tests.hub.commands.retracted import told
from tests.world import World

SOON = "2026-07-01T00:00:00Z"
SEES = "query ($id: ID!) { case(by: {id: $id}) { status profile { biography } presentations { status } } }"
LISTED = ["OVERVIEW", "PROFILE", "WHEREABOUTS"]


async def put(world: World, table: str, subject: UUID, status: str) -> None:
    """Set a status, whatever there was before."""
    kind = f"{table.removesuffix('_file')}_status"
    await world.admin.execute(f"update {table} set status = $2::text::{kind} where id = $1", subject, status)  # noqa: S608 our own names


async def shown(world: World, *cities: str, **changed: Any) -> tuple[UUID, str]:
    """Show a case, whose person agrees, to cities; give it, and what ICORN calls it."""
    case = await world.case(**changed)
    await world.consent(case, categories=LISTED)
    ours = await case_id(world, case)
    offices = [await city_office(world, city) for city in cities]
    await done(world, "desk", "presentCase", {"case": ours, "cities": offices, "categories": LISTED, "until": SOON})
    return case, ours


async def presented(world: World, client: str) -> Any:
    """Give the presentations that a client reads."""
    data = await world.data(client, "{ presentations { edges { node { id status note case { id } } } } }")
    return [edge["node"] for edge in data["presentations"]["edges"]]


def test_the_tables_speak_of_every_status_and_of_no_other() -> None:
    """A status that is added to the schema needs its place; a residency's step leads its case where its own table lets it."""
    for table, statuses in ((CASE, CaseStatus), (PRESENTATION, PresentationStatus), (RESIDENCY, ResidencyStatus)):
        assert set(table) == set(map(str, statuses))
        assert {to for steps in table.values() for to in steps} <= set(table)
    assert all(leads(RESIDENCY, "updateResidency", *step) for step in LEADS)
    assert all(any(leads(CASE, "updateResidency", status, to) for status in CASE) for to in LEADS.values())


async def test_every_step_of_a_case_that_the_desk_takes_itself(world: World) -> None:
    """By updateCase, presentCase and offerResidency: from each status to each, as the table says."""
    case = await world.case()
    ours, city = await case_id(world, case), await city_office(world)
    commands: list[tuple[str, str, dict[str, Any]]] = [
        ("presentCase", "", {"cities": [city], "categories": ["OVERVIEW"], "until": SOON}),
        ("offerResidency", "INVITED", {"city": city}),
        *(("updateCase", str(to), {"status": str(to)}) for to in CaseStatus),
    ]
    for status in CASE:
        for command, to, given in commands:
            await put(world, "case_file", case, status)
            goal = to or ("INVITED" if status == "INVITED" else "PRESENTED")
            more = {"expectedVersion": str(await world.admin.fetchval("select version from case_file"))} if command == "updateCase" else {}  # fmt: skip
            payload = await run(world, "desk", command, {"case": ours, **given, **more})
            allowed = leads(CASE, command, status, goal) or (command == "updateCase" and goal == status)
            codes = [problem["code"] for problem in payload["problems"]]
            assert codes == ([] if allowed else ["WRONG_STATE"]), (command, status, goal)
            assert await world.admin.fetchval("select status::text from case_file") == (goal if allowed else status)


async def test_every_answer_of_a_city(world: World) -> None:
    """From each status of a presentation and of its case, as the tables say; ICORN answers for nobody, and no city for another."""
    case, _ = await shown(world, "bergen", "krakow")
    subject = await world.admin.fetchval("select id from presentation where organisation = $1", world.organisations["bergen-office"])  # fmt: skip
    name = f"presentation_{subject}"
    for status in PRESENTATION:
        for of_case in ("PRESENTED", "INVITED", "CANDIDATE"):
            for answer, to in (("INVITE", "INVITED"), ("DECLINE", "DECLINED")):
                await put(world, "case_file", case, of_case)
                await world.admin.execute("update presentation set answered_at = null, until = $2::text::timestamptz, status = $3::text::presentation_status where id = $1",
                    subject, "2026-05-31T00:00:00Z" if status == "EXPIRED" else SOON, "OPEN" if status == "EXPIRED" else status)  # fmt: skip
                payload = await run(world, "bergen", "answerPresentation", {"presentation": name, "answer": answer})
                codes = [problem["code"] for problem in payload["problems"]]
                now = await world.admin.fetchrow("select p.status::text, f.status::text as of_case from presentation p join case_file f on f.id = p.case_id where p.id = $1", subject)  # fmt: skip
                if status not in ("OPEN", "INVITED"):
                    assert codes == ["NOT_FOUND"], (status, of_case, answer)
                    continue
                allowed = status == to or (leads(PRESENTATION, "answerPresentation", status, to) and (to == "DECLINED" or leads(CASE, "answerPresentation", of_case, to)))  # fmt: skip
                assert codes == ([] if allowed else ["WRONG_STATE"]), (status, of_case, answer)
                moved = allowed and status != to and to == "INVITED"
                assert now["of_case"] == ("INVITED" if moved else of_case)
                assert now["status"] == (to if allowed else status)
    await put(world, "presentation", subject, "OPEN")
    given = {"presentation": name, "answer": "INVITE"}
    assert await found(world, "desk", "answerPresentation", given) == [("NOT_ALLOWED", "input.presentation")]
    assert await found(world, "krakow", "answerPresentation", given) == [("NOT_FOUND", "input.presentation")]


async def test_every_step_of_a_residency_by_the_desk_and_by_its_city(world: World) -> None:
    """As the tables say, with the case led along; a city says only that somebody came, and left."""
    case, ours = await shown(world, "bergen")
    stay = await done(world, "desk", "offerResidency", {"case": ours, "city": "city_bergen", "startsOn": "2026-08-01"})
    assert (stay["status"], stay["endsOn"], stay["case"]["status"]) == ("OFFERED", "2028-07-31", "INVITED")
    subject = await world.admin.fetchval("select id from residency")
    theirs = (await world.data("bergen", '{ city(code: "bergen") { residencies { edges { node { id } } } } }'))["city"]["residencies"]["edges"][0]["node"]["id"]  # fmt: skip
    before = {"OFFERED": "INVITED", "ACCEPTED": "RELOCATING", "ACTIVE": "IN_RESIDENCE", "COMPLETED": "ALUMNUS", "CANCELLED": "CANDIDATE"}  # fmt: skip
    for client, name in (("desk", stay["id"]), ("bergen", theirs)):
        for status in RESIDENCY:
            for to in map(str, ResidencyStatus):
                await put(world, "residency", subject, status)
                await put(world, "case_file", case, before[status])
                await put(world, "presentation", await world.admin.fetchval("select id from presentation"), "INVITED")
                payload = await run(world, client, "updateResidency", {"residency": name, "status": to})
                same = status == to
                allowed = same or leads(RESIDENCY, "updateResidency", status, to)
                theirs_to_say = status in ("ACCEPTED", "ACTIVE") and (same or to in ("ACTIVE", "COMPLETED"))
                refused = client == "bergen" and not theirs_to_say
                expected = ["NOT_ALLOWED"] if refused else [] if allowed else ["WRONG_STATE"]
                assert [p["code"] for p in payload["problems"]] == expected, (client, status, to)
                led = LEADS.get((status, to), before[status]) if not expected else before[status]
                assert await world.admin.fetchval("select status::text from case_file") == led


async def test_the_persons_yes_to_one_city_ends_what_the_others_were_shown(world: World) -> None:
    """In the same transaction, with their access, which they are told to have ended; the city that was chosen sees on until its date."""
    case, ours = await shown(world, "bergen", "krakow", "paris")
    for city in ("bergen", "krakow", "paris"):
        theirs = await case_id(world, case, f"{city}-office")
        assert (await world.data(city, SEES, {"id": theirs}))["case"]["profile"] is not None
    for city, answer in (("bergen", "INVITE"), ("krakow", "INVITE"), ("paris", "DECLINE")):
        (one,) = await presented(world, city)
        await done(world, city, "answerPresentation", {"presentation": one["id"], "answer": answer, "note": "Hazelreason"})  # fmt: skip
    assert [one["note"] for one in await presented(world, "krakow")] == ["Hazelreason"]
    assert [(one["status"], one["note"], one["case"]) for one in await presented(world, "paris")] == [("DECLINED", None, None)]  # fmt: skip
    named = await world.admin.fetch("select cardinality(subjects) as whom from audit where action = 'mutation answerPresentation'")  # fmt: skip
    assert len(named) == 3
    assert all(row["whom"] for row in named)
    offers = [await done(world, "desk", "offerResidency", {"case": ours, "city": f"city_{city}"}) for city in ("bergen", "krakow")]  # fmt: skip
    payloads = await asyncio.gather(*(run(world, "desk", "updateResidency", {"residency": o["id"], "status": "ACCEPTED"}) for o in offers))  # fmt: skip

    assert sorted(len(payload["problems"]) for payload in payloads) == [0, 1]
    won = next(payload["residency"]["city"]["code"] for payload in payloads if payload["residency"])
    lost = {"bergen": "krakow", "krakow": "bergen"}[won]
    assert sorted(await world.admin.fetch("select status::text from residency order by status")) == [("ACCEPTED",), ("CANCELLED",)]  # fmt: skip
    for city in (lost, "paris"):
        theirs = await case_id(world, case, f"{city}-office")
        assert (await world.data(city, SEES, {"id": theirs}))["case"] is None
        assert await told(world, city) == [(theirs, ["OVERVIEW", "PROFILE"])]
    assert [one["status"] for one in await presented(world, lost)] == ["WITHDRAWN"]
    assert (await world.data(won, SEES, {"id": await case_id(world, case, f"{won}-office")}))["case"]["status"] == "RELOCATING"  # fmt: skip
    assert await told(world, won) == []
    assert "residency.accepted" in await events(world)


async def test_a_city_sees_what_is_listed_and_agreed_until_the_date_and_what_was_listed_last(world: World) -> None:
    """Shown again with less, it sees less, and is told; where the person said no, there is no presentation to be seen."""
    case, ours = await shown(world, "bergen")
    theirs = await case_id(world, case, "bergen-office")
    assert (await world.data("bergen", SEES, {"id": theirs}))["case"]["profile"] is not None
    await done(world, "desk", "presentCase", {"case": ours, "cities": ["city_bergen"], "categories": ["OVERVIEW"], "until": SOON})  # fmt: skip
    assert (await world.data("bergen", SEES, {"id": theirs}))["case"] == {"status": "PRESENTED", "profile": None, "presentations": [{"status": "OPEN"}]}  # fmt: skip
    assert await told(world, "bergen") == [(theirs, ["PROFILE"])]
    await world.consent(case, "bergen-office", ["OVERVIEW"], "DENY")
    assert await presented(world, "bergen") == []
    assert [one["status"] for one in await presented(world, "desk")] == ["OPEN"]

    wrong = {"case": ours, "cities": ["city_nowhere", "city_krakow"], "categories": ["ASSESSMENT"], "until": "2026-01-01T00:00:00Z"}  # fmt: skip
    await world.city("krakow")
    assert sorted(await found(world, "desk", "presentCase", wrong)) == [
        ("IN_THE_PAST", "input.until"), ("NOT_FOUND", "input.cities.0"), ("NOT_SHAREABLE", "input.categories"), ("NO_OFFICE", "input.cities.1"),
        ("REQUIRED", "input.categories"),
    ]  # fmt: skip


async def test_a_case_that_is_over_ends_what_was_shown_and_offered(world: World) -> None:
    """Whatever the desk moves it to, but what goes on; the offers of a case go with it."""
    for to in ("WITHDRAWN", "CLOSED", "CANDIDATE"):
        await world.admin.execute("delete from case_file")
        if "bergen" not in world.clients:
            await city_office(world)
        case = await world.case()
        await world.consent(case)
        ours = await case_id(world, case)
        await done(world, "desk", "presentCase", {"case": ours, "cities": ["city_bergen"], "categories": LISTED, "until": SOON})  # fmt: skip
        await done(world, "desk", "offerResidency", {"case": ours, "city": "city_bergen"})
        version = str(await world.admin.fetchval("select version from case_file"))
        changed = await done(world, "desk", "updateCase", {"case": ours, "expectedVersion": version, "status": to})
        assert changed["presentations"] == [{"status": "WITHDRAWN", "city": {"code": "bergen"}}]
        assert changed["residencies"] == [{"status": "CANCELLED"}]
        assert await presented(world, "bergen") == []


async def test_of_many_who_accept_the_last_place_one_gets_it(world: World) -> None:
    """What a city publishes is its own word, which does not move; within, no place is given away twice."""
    await city_office(world)
    assert (await done(world, "bergen", "publishVacancies", {"city": "city_bergen", "vacancies": 1})) == {"code": "bergen", "vacancies": 1}  # fmt: skip
    stays = []
    for _ in range(4):
        case = await world.case(status="INVITED")
        stays.append(await done(world, "desk", "offerResidency", {"case": await case_id(world, case), "city": "city_bergen"}))  # fmt: skip
    payloads = await asyncio.gather(*(run(world, "desk", "updateResidency", {"residency": stay["id"], "status": "ACCEPTED"}) for stay in stays))  # fmt: skip
    assert sorted([p["code"] for p in payload["problems"]] for payload in payloads) == [[], *3 * [["NO_PLACE"]]]
    assert await world.admin.fetchval("select vacancies from city where code = 'bergen'") == 1

    # Two more, beside the one who stays.
    await done(world, "desk", "publishVacancies", {"city": "city_bergen", "vacancies": 2})
    rest = [stay for stay, payload in zip(stays, payloads, strict=True) if payload["problems"]]
    again = [await run(world, "desk", "updateResidency", {"residency": stay["id"], "status": "ACCEPTED"}) for stay in rest]  # fmt: skip
    assert [len(payload["problems"]) for payload in again] == [0, 0, 1]
    for client, city in (("pen", "city_bergen"), ("bergen", "city_bergen")):
        wrong = {"city": city, "vacancies": -1}
        codes = [code for code, _ in await found(world, client, "publishVacancies", wrong)]
        assert codes == (["NOT_ALLOWED", "BAD_COUNT"] if client == "pen" else ["BAD_COUNT"])


async def test_the_days_of_a_residency(world: World) -> None:
    """With the status that it has, only its days change; whoever comes without a day comes today, for two years."""
    case = await world.case(status="INVITED")
    stay = await done(world, "desk", "offerResidency", {"case": await case_id(world, case), "city": "city_bergen"})
    named = {"residency": stay["id"]}
    changed = await done(world, "desk", "updateResidency", {**named, "status": "OFFERED", "startsOn": "2024-02-29"})
    assert (changed["startsOn"], changed["endsOn"]) == ("2024-02-29", "2026-02-28")
    wrong = {**named, "status": "OFFERED", "endsOn": "2024-02-01"}
    assert await found(world, "desk", "updateResidency", wrong) == [("ENDS_BEFORE_IT_STARTS", "input.endsOn")]
    await done(world, "desk", "updateResidency", {**named, "status": "ACCEPTED", "startsOn": None, "endsOn": None})
    came = await done(world, "desk", "updateResidency", {**named, "status": "ACTIVE"})
    assert (came["startsOn"], came["endsOn"], came["case"]["status"]) == ("2026-06-01", "2028-05-31", "IN_RESIDENCE")
    absent = {"residency": f"residency_{uuid4()}_0123456789abcdef", "status": "ACTIVE"}
    assert await found(world, "desk", "updateResidency", absent) == [("NOT_FOUND", "input.residency")]
    assert await found(world, "pen", "updateResidency", {**named, "status": "ACTIVE"}) == [("NOT_FOUND", "input.residency")]  # fmt: skip
