"""ICORN's desk opens cases, shares them and holds them back; what it decides is true at once, for everybody."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.hub.commands.kit import (
    LINKED,
    PERSON,
    case_id,
    consent,
    counts,
    done,
    events,
    feed_record,
    found,
    referral,
    referral_id,
    run,
)
from tests.world import EVERY_SCOPE, World

SOON = "2026-06-02T00:00:00Z"


def share(case: str, **changed: Any) -> dict[str, Any]:
    """Give an input that shares a case with pen-centre."""
    return {"case": case, "organisation": "organisation_pen-centre", "categories": ["OVERVIEW", "IDENTITY"], "reason": "Hazelreason", **changed}  # fmt: skip


def hold(case: str, *, held: bool = True, **changed: Any) -> dict[str, Any]:
    """Give an input that keeps a case from pen-centre."""
    return {"case": case, "organisation": "organisation_pen-centre", "held": held, "reason": "Hazelreason", **changed}


async def seen(world: World, client: str, case: str) -> Any:
    """Look at a case as a client."""
    return (await world.data(client, LINKED, {"id": case}))["case"]


async def test_a_case_opened_from_a_referral_takes_what_was_sent_and_agreed(world: World) -> None:
    """Documents are sealed anew under the case's key, consents come along, and the referral leads to the case."""
    sent = await done(world, "pen", "submitReferral", referral())
    ours = await referral_id(world, await world.admin.fetchval("select id from referral"))
    opened = await done(world, "desk", "openCase", {"referral": ours, "riskLevel": "HIGH"})

    assert (opened["status"], opened["discipline"], opened["origin"], opened["riskLevel"]) == ("APPLICANT", "WRITER", "IR", "HIGH")  # fmt: skip
    assert opened["identity"] == {"familyName": "Mulberryson"}
    assert opened["health"] == {"needs": "Sycamore medicine"}
    assert opened["referrals"] == {"totalCount": 1}
    assert len(opened["consents"]) == 1
    back = await world.data("pen", "query ($id: ID!) { referral(by: {id: $id}) { case { status identity { familyName } } } }", {"id": sent["id"]})  # fmt: skip
    assert back["referral"]["case"] == {"status": "APPLICANT", "identity": None}
    assert await events(world) == ["referral.submitted", "case.opened"]
    assert (await world.data("desk", '{ cases(filter: {familyName: "MULBERRYSON"}) { totalCount } }'))["cases"] == {"totalCount": 1}  # fmt: skip


async def test_a_case_opened_from_a_record_or_a_conversation(world: World) -> None:
    """What the input says of a category comes before what a record says."""
    record = await feed_record(world, "n1")
    first = await done(world, "desk", "openCase", {"feedRecord": f"record_{record}", "riskLevel": "LOW"})
    second = await done(world, "desk", "openCase", {"discipline": "MUSICIAN", "riskLevel": "LOW", "person": PERSON})

    assert (first["health"], first["identity"]) == ({"needs": "Sycamore medicine"}, None)
    assert first["feedRecords"] == [{"feed": {"code": "feed-n1"}, "records": [{"id": f"record_{record}"}]}]
    assert (second["origin"], second["identity"]["familyName"]) == (None, "Mulberryson")


async def test_nobody_else_sees_a_new_case(world: World) -> None:
    """It is there for ICORN alone until somebody decides otherwise."""
    await done(world, "desk", "openCase", {"discipline": "WRITER", "riskLevel": "LOW", "person": PERSON})

    assert (await world.data("pen", "{ cases { totalCount } }"))["cases"] == {"totalCount": 0}


@pytest.mark.parametrize("what", ["referral", "record"])
async def test_one_referral_or_record_becomes_one_case(world: World, what: str) -> None:
    """However many open it at once, one case is made; the others are told that there is one."""
    record = await feed_record(world, "n1")
    await done(world, "pen", "submitReferral", referral())
    ours = await referral_id(world, await world.admin.fetchval("select id from referral"))
    given = {"referral": {"referral": ours}, "record": {"feedRecord": f"record_{record}"}}[what]
    payloads = await asyncio.gather(*(run(world, "desk", "openCase", {**given, "riskLevel": "LOW"}) for _ in range(5)))

    assert sorted([p["code"] for p in payload["problems"]] for payload in payloads) == [[]] + 4 * [["ALREADY_OPEN"]]
    assert await world.admin.fetchval("select count(*) from case_file") == 1
    again = await found(world, "desk", "openCase", {**given, "riskLevel": "LOW"})
    assert again == [("ALREADY_OPEN", f"input.{'feedRecord' if what == 'record' else 'referral'}")]


async def test_a_decision_recorded_while_a_case_is_being_opened_comes_along(world: World) -> None:
    """Whichever is first, the new case knows what the person said: above all their no."""
    for _ in range(4):
        await done(world, "pen", "submitReferral", referral())
    for row in await world.admin.fetch("select id from referral"):
        pens, ours = await referral_id(world, row["id"], "pen-centre"), await referral_id(world, row["id"])
        said = {"referral": pens, "consent": consent(decision="DENY")}
        await asyncio.gather(
            done(world, "pen", "recordConsent", said),
            done(world, "desk", "openCase", {"referral": ours, "riskLevel": "LOW"}),
        )

    assert await world.admin.fetchval("select count(*) from consent where case_id is null") == 0
    assert await world.admin.fetchval("select count(*) from consent c join referral r on r.id = c.referral_id and r.case_id = c.case_id") == 8  # fmt: skip


async def test_a_share_opens_what_the_person_agreed_to_and_not_more(world: World) -> None:
    """The partner sees the shared categories at once, until the date; without consent it sees nothing."""
    case = await world.case()
    ours, theirs = await case_id(world, case), await case_id(world, case, "pen-centre")
    await done(world, "desk", "shareCase", share(ours, until=SOON))
    assert await seen(world, "pen", theirs) is None
    await world.consent(case, "pen-centre", ["OVERVIEW", "IDENTITY", "HEALTH"])

    assert await seen(world, "pen", theirs) == {"id": theirs, "status": "CANDIDATE", "identity": {"familyName": "Farahani"}, "health": None}  # fmt: skip
    assert await seen(world, "arts", await case_id(world, case, "arts-haven")) is None
    assert await events(world) == ["case.shared"]
    assert await world.admin.fetchval("select until = $1::text::timestamptz from share", SOON)


async def test_a_hold_closes_at_once_and_its_end_opens_again(world: World) -> None:
    """It beats share, agreement and consent; held twice is held, and ended twice is ended."""
    case = await world.case()
    ours, theirs = await case_id(world, case), await case_id(world, case, "pen-centre")
    await world.consent(case)
    await done(world, "desk", "shareCase", share(ours))
    assert await seen(world, "pen", theirs) is not None
    for held in (True, True, False, False, True):
        await done(world, "desk", "holdCase", hold(ours, held=held))
        assert (await seen(world, "pen", theirs) is None) == held

    assert await world.admin.fetchval("select count(*) from hold") == 2


async def test_why_a_hold_ended_is_kept_sealed(world: World) -> None:
    """Ending a hold opens a case to those it was kept from: whoever asks why finds the reason, and Postgres does not."""
    case = await world.case()
    ours = await case_id(world, case)
    await done(world, "desk", "holdCase", hold(ours))
    await done(world, "desk", "holdCase", hold(ours, held=False, reason="Hazelreason"))

    (row,) = await world.admin.fetch("select reason, end_reason from hold")
    assert row["reason"]
    assert row["end_reason"] not in (None, row["reason"])
    assert b"Hazelreason" not in row["end_reason"]


@pytest.mark.parametrize("written", [str.lower, lambda reference: f"  {reference}\n"])
async def test_a_reference_is_found_however_people_write_it(world: World, written: Callable[[str], str]) -> None:
    """It is read out over the telephone and typed by hand."""
    await world.case()
    asked = "query ($by: CaseBy!) { case(by: $by) { reference } }"
    (edge,) = (await world.data("desk", "{ cases { edges { node { reference } } } }"))["cases"]["edges"]
    reference = edge["node"]["reference"]

    assert (await world.data("desk", asked, {"by": {"reference": written(reference)}}))["case"][
        "reference"
    ] == reference


PROBLEMS: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "nothing to open from": ("openCase", {"riskLevel": "LOW"}, [("REQUIRED", "input.discipline")]),
    "nothing there to open from": (
        "openCase",
        {"riskLevel": "LOW", "referral": "referral_x", "feedRecord": "record_x"},
        [("NOT_FOUND", "input.referral"), ("NOT_FOUND", "input.feedRecord")],
    ),
    "a share with trouble everywhere": (
        "shareCase",
        share("case_x", organisation="organisation_x", categories=["ASSESSMENT"], until="2026-06-01T12:00:00Z", reason=" "),
        [
            ("NOT_FOUND", "input.case"), ("NOT_FOUND", "input.organisation"), ("REQUIRED", "input.reason"), ("REQUIRED", "input.categories"),
            ("NOT_SHAREABLE", "input.categories"), ("IN_THE_PAST", "input.until"),
        ],
    ),
    "a share with ICORN itself": ("shareCase", share("?", organisation="organisation_icorn"), [("NOT_ALLOWED", "input.organisation")]),
    "a hold on nothing": ("holdCase", hold("case_x", organisation="organisation_x", reason=""),
        [("NOT_FOUND", "input.case"), ("NOT_FOUND", "input.organisation"), ("REQUIRED", "input.reason")]),
    "a hold on ICORN itself": ("holdCase", hold("?", organisation="organisation_icorn"), [("NOT_ALLOWED", "input.organisation")]),
    "links to nothing": ("linkRecords", {"case": "case_x", "records": ["record_x", "?"], "reason": "r"},
        [("NOT_FOUND", "input.case"), ("NOT_FOUND", "input.records.0"), ("NOT_FOUND", "input.records.1")]),
    "no links": ("linkRecords", {"case": "?", "records": [], "reason": "\n"}, [("REQUIRED", "input.reason"), ("BAD_COUNT", "input.records")]),
    "a person of blanks": ("openCase", {"riskLevel": "LOW", "discipline": "WRITER", "person": {"identity": {"givenName": ""}}},
        [("BLANK", "input.person.identity.givenName")]),
}  # fmt: skip


@pytest.mark.parametrize("trouble", PROBLEMS)
async def test_every_problem_is_said_beside_its_field(world: World, trouble: str) -> None:
    """All of them in one answer, and nothing is written."""
    name, given, problems = PROBLEMS[trouble]
    case = await case_id(world, await world.case())
    given = {key: case if key == "case" and value == "?" else value for key, value in given.items()}

    assert await found(world, "desk", name, given) == problems


async def test_a_partner_writes_no_case_whatever_its_token_says(world: World) -> None:
    """The scope is the client's, the right is ICORN's: with cases:write, a case in sight, and its own records, it is told no."""
    case, record = await world.case(), await feed_record(world, "n1")
    await world.agreement("pen-centre")
    await world.consent(case)
    theirs = await case_id(world, case, "pen-centre")
    attempts: dict[str, dict[str, Any]] = {
        "openCase": {"feedRecord": f"record_{record}", "riskLevel": "LOW"},
        "shareCase": share(theirs, organisation="organisation_arts-haven"),
        "holdCase": hold(theirs, organisation="organisation_arts-haven"),
        "linkRecords": {"case": theirs, "records": [f"record_{record}"], "reason": "r"},
    }
    for name, given in attempts.items():
        assert await found(world, "pen", name, given) == [("NOT_ALLOWED", "input")], name


@pytest.mark.parametrize("name", ["openCase", "shareCase", "holdCase", "linkRecords"])
async def test_without_the_scope_a_command_is_not_run(world: World, name: str) -> None:
    """The field is null with one error that names the scope, and nothing was written, not even that it was tried."""
    await world.client("reader", "icorn", [s for s in EVERY_SCOPE if s != "cases:write"])
    inputs: dict[str, dict[str, Any]] = {
        "openCase": {"discipline": "WRITER", "riskLevel": "LOW"},
        "shareCase": share("case_x"),
        "holdCase": hold("case_x"),
        "linkRecords": {"case": "case_x", "records": [], "reason": "r"},
    }
    kind = name[0].upper() + name[1:] + "Input"
    asked = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ problems {{ code }} }} }}"
    before = await counts(world)
    answer = await world.ask("reader", asked, {"input": {"idempotencyKey": "k", **inputs[name]}})

    assert answer["data"] == {name: None}
    assert [(e["path"], e["extensions"]["requiredScopes"]) for e in answer["errors"]] == [([name], [["cases:write"]])]
    assert await counts(world) == before
    assert await world.admin.fetchval("select count(*) from outcome") == 0
