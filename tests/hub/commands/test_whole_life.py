"""A life from application to alumnus, of which every step is sent several times at once, as by clients whose answers were lost."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from tests.hub.commands.kit import SECRETS, case_id, city_office, done, events, feed_record, operation
from tests.world import World

SOON = "2026-07-01T00:00:00Z"
WHY = {"reason": "Hazelreason"}
PEN = {"organisation": "organisation_pen-centre", **WHY}


async def once(world: World, client: str, name: str, given: dict[str, Any]) -> Any:
    """Send a command four times at once and once more: one event, and answers that are the same to the byte."""
    sent = {"input": {"idempotencyKey": str(uuid4()), **given}}
    before = await events(world)
    answers = await asyncio.gather(*(world.send(client, operation(name), sent) for _ in range(4)))
    answers.append(await world.send(client, operation(name), sent))

    assert len({(answer.status, answer.body) for answer in answers}) == 1
    payload: dict[str, Any] = json.loads(answers[0].body)["data"][name]
    assert payload.pop("problems") == []
    assert len([kind for kind in (await events(world))[len(before) :] if not kind.startswith("retraction")]) == 1
    return next(iter(payload.values()))


async def test_a_life_of_which_every_step_is_sent_again_and_again(world: World) -> None:
    """Each is done once; statuses, versions and vacancies are right at every step, and no word of anybody lies in clear."""
    city, record = await city_office(world), f"record_{await feed_record(world, 'n1')}"
    opened = await done(world, "desk", "openCase", {"discipline": "WRITER", "riskLevel": "HIGH", "feedRecord": record})
    ours = {"case": opened["id"]}
    for version, status in enumerate(("IN_ASSESSMENT", "CANDIDATE")):
        given = {**ours, "expectedVersion": str(1 + 2 * version), "status": status, "assessment": {"notes": "Hazelreason"}}  # fmt: skip
        assert (await once(world, "desk", "updateCase", given))["status"] == status
    await world.consent(await world.admin.fetchval("select id from case_file"), categories=["OVERVIEW", "PROFILE", "WHEREABOUTS"])  # fmt: skip
    for sealed in (True, False):
        await once(world, "desk", "sealCase", {**ours, "sealed": sealed, **WHY})
    await done(world, "desk", "shareCase", {**ours, **PEN, "categories": ["OVERVIEW"]})
    await once(world, "desk", "unshareCase", {**ours, **PEN})
    await once(world, "desk", "unlinkRecords", {**ours, "records": [record], **WHY})
    await once(world, "desk", "presentCase", {**ours, "cities": [city], "categories": ["OVERVIEW", "WHEREABOUTS"], "until": SOON})  # fmt: skip
    assert (await once(world, "bergen", "publishVacancies", {"city": city, "vacancies": 1}))["vacancies"] == 1
    (shown,) = (await world.data("bergen", "{ presentations { edges { node { id } } } }"))["presentations"]["edges"]
    answer = {"presentation": shown["node"]["id"], "answer": "INVITE", "note": "Aspenwithdrawal"}
    assert (await once(world, "bergen", "answerPresentation", answer))["case"]["status"] == "INVITED"
    stay = await once(world, "desk", "offerResidency", {**ours, "city": city})
    twin = await case_id(world, await world.case(status="APPLICANT"))
    assert (await once(world, "desk", "mergeCases", {"keep": ours["case"], "merge": twin, **WHY}))["status"] == "INVITED"  # fmt: skip
    for status, of_case in (("ACCEPTED", "RELOCATING"), ("ACTIVE", "IN_RESIDENCE"), ("COMPLETED", "ALUMNUS")):
        stays = await once(world, "desk", "updateResidency", {"residency": stay["id"], "status": status})
        assert (stays["status"], stays["case"]["status"]) == (status, of_case)

    for table in ("case_decision", "presentation", "share", "case_assessment", "outcome", "event", "audit"):
        rows = await world.admin.fetch(f"select t::text as row from {table} t")  # noqa: S608 our own names
        assert rows
        assert all(word not in row["row"] and word.encode().hex() not in row["row"] for row in rows for word in SECRETS)
