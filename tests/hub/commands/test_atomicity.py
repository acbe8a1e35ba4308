"""A command happens whole or not at all, tells nobody what is hidden, leaves its event, and leaves no word of anybody in clear."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.hub.commands.kit import (
    AGREED,
    SECRETS,
    case_id,
    consent,
    consent_id,
    counts,
    done,
    events,
    feed_record,
    operation,
    referral,
    referral_id,
)
from tests.world import World

LEFT = ("audit", "seen_proof", "outcome")


async def whole(world: World) -> dict[str, int]:
    """Count everything that a request may leave behind."""
    left = {table: await world.admin.fetchval(f"select count(*) from {table}") for table in LEFT}  # noqa: S608 a table's name
    return {**await counts(world), **left}


BREAK = """
create or replace function hub.fails() returns trigger language plpgsql as $$ begin raise exception 'Mulberryson broke it'; end $$;
create trigger fails before insert on hub.{table} for each statement execute function hub.fails();
"""


@pytest.mark.parametrize("table", ["referral_person", "consent", "referral_event", "event", "audit"])
async def test_a_statement_that_fails_midway_leaves_nothing(world: World, table: str) -> None:
    """Not the rows before it, not the key, not the proof; the client is told that the hub failed, and the retry does it all."""
    input_ = {"input": {"idempotencyKey": "k", **referral()}}
    before = await whole(world)
    await world.database.admin(BREAK.format(table=table))
    failed = await world.send("pen", operation("submitReferral"), input_)

    assert failed.status == 500
    assert b"INTERNAL_SERVER_ERROR" in failed.body
    assert b'"data"' not in failed.body
    assert b"Mulberryson" not in failed.body
    assert await whole(world) == before
    await world.database.admin(f"drop trigger fails on hub.{table}")
    assert (await world.data("pen", operation("submitReferral"), input_))["submitReferral"]["problems"] == []


@pytest.mark.parametrize("table", ["retraction", "event"])
async def test_a_retraction_that_fails_takes_the_decision_with_it(world: World, table: str) -> None:
    """They stand or fall together: what was to be closed is still open, and the retry does both."""
    case = await world.case()
    await world.agreement("pen-centre")
    withdraw = {"consent": await consent_id(world, case, await world.consent(case))}
    look = "query ($id: ID!) { case(by: {id: $id}) { id } }"
    theirs = {"id": await case_id(world, case, "pen-centre")}
    await world.data("pen", look, theirs)
    before = await whole(world)
    await world.database.admin(BREAK.format(table=table))
    failed = await world.send("desk", operation("withdrawConsent"), {"input": {"idempotencyKey": "k", **withdraw}})
    assert (failed.status, await whole(world)) == (500, before)
    assert (await world.data("pen", look, theirs))["case"] == theirs
    await world.database.admin(f"drop trigger fails on hub.{table}")
    await done(world, "desk", "withdrawConsent", withdraw)

    assert (await world.data("pen", look, theirs))["case"] is None
    assert await events(world) == ["retraction.made", "consent.withdrawn"]


@pytest.mark.parametrize("table", ["emergency", "event", "case_access"])
async def test_glass_that_fails_to_break_is_whole(world: World, table: str) -> None:
    """No row, no event to the owners, nothing open; the client is told that the hub failed."""
    case = await world.case()
    await world.insert("share", id=uuid4(), case_id=case, organisation=world.organisations["pen-centre"], categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    await world.consent(case)
    given = {"case": await case_id(world, case, "pen-centre"), "categories": ["IDENTITY"], "reason": "Hazelreason"}
    before = await whole(world)
    await world.database.admin(BREAK.format(table=table))
    failed = await world.send("pen", operation("breakGlass"), {"input": {"idempotencyKey": "k", **given}})

    assert (failed.status, await whole(world)) == (500, before)
    assert b"Hazelreason" not in failed.body
    await world.database.admin(f"drop trigger fails on hub.{table}")
    await done(world, "pen", "breakGlass", given)
    assert await events(world) == ["emergency.asked"]


ENTANGLE = """
create sequence hub.entangled;
create function hub.entangles() returns trigger language plpgsql security definer as $$ begin
    if nextval('hub.entangled') <= {times} then raise exception using errcode = 'deadlock_detected'; end if;
    return null;
end $$;
create trigger entangles before insert on hub.event for each statement execute function hub.entangles();
"""


@pytest.mark.parametrize(("times", "status"), [(2, 200), (3, 500)])
async def test_a_change_that_lost_a_deadlock_is_begun_anew(world: World, times: int, status: int) -> None:
    """Postgres ends one of two changes that wait for each other: the client need not know, unless it happens over and over."""
    await world.database.admin(ENTANGLE.format(times=times))

    answer = await world.send("pen", operation("submitReferral"), {"input": {"idempotencyKey": "k", **referral()}})

    assert answer.status == status
    assert await world.admin.fetchval("select count(*) from referral") == (1 if status == 200 else 0)


async def test_an_event_is_in_the_outbox_exactly_when_its_change_is_there(world: World) -> None:
    """While the change is not committed, neither is to be seen; then both are."""
    blocker = await world.database.connect("postgres")
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("lock table audit in exclusive mode")
    running = asyncio.create_task(done(world, "pen", "submitReferral", referral()))
    while not await world.admin.fetchval("select exists (select from pg_locks where not granted)"):
        assert not running.done()
        await asyncio.sleep(0)
    assert (await events(world), await world.admin.fetchval("select count(*) from referral")) == ([], 0)
    await transaction.rollback()
    await running

    assert (await events(world), await world.admin.fetchval("select count(*) from referral")) == (["referral.submitted"], 1)  # fmt: skip


async def test_what_is_hidden_is_not_found(world: World) -> None:
    """For every id of every input: one that is somebody else's is answered like one that never was, byte for byte."""
    hidden, case = await world.case(), await world.case()
    await world.agreement("pen-centre", origins=["TR"])
    await world.agreement("arts-haven")
    made = await world.consent(hidden)
    foreign = await world.referral("arts-haven")
    record = await feed_record(world, "a1", "arts-haven")
    ours = await case_id(world, case)
    share = {"organisation": "organisation_arts-haven", "categories": AGREED, "reason": "r"}
    attempts: list[tuple[str, dict[str, Any], str, list[str]]] = [
        ("recordConsent", {"consent": consent()}, "case", [await case_id(world, hidden, "pen-centre"), await case_id(world, hidden, "arts-haven"), ours]),
        ("recordConsent", {"consent": consent()}, "referral", [await referral_id(world, foreign, o) for o in ("pen-centre", "arts-haven", "icorn")]),
        ("withdrawConsent", {}, "consent", [await consent_id(world, hidden, made, o) for o in ("pen-centre", "arts-haven", "icorn")]),
        ("shareCase", share, "case", [await case_id(world, hidden, "pen-centre"), ours]),
        ("holdCase", {"organisation": "organisation_arts-haven", "held": True, "reason": "r"}, "case", [await case_id(world, hidden, "pen-centre")]),
        ("openCase", {"riskLevel": "LOW"}, "referral", [await referral_id(world, foreign, "pen-centre"), await referral_id(world, foreign)]),
        ("openCase", {"riskLevel": "LOW"}, "feedRecord", [f"record_{record}"]),
        ("respondToReferral", {"response": "ACKNOWLEDGE"}, "referral", [await referral_id(world, foreign, o) for o in ("pen-centre", "arts-haven", "icorn")]),
        ("withdrawReferral", {"reason": "r"}, "referral", [await referral_id(world, foreign, o) for o in ("pen-centre", "arts-haven", "icorn")]),
        ("sendMessage", {"body": "b"}, "referral", [await referral_id(world, foreign, o) for o in ("pen-centre", "arts-haven", "icorn")]),
    ]  # fmt: skip
    before = await counts(world)
    for name, given, key, ids in attempts:
        kind = ids[0].partition("_")[0]
        nowhere = f"{kind}_{uuid4()}" + ("_0123456789abcdef" if kind == "consent" else "")
        answers = set()
        for identifier in (*ids, nowhere, "", f"{kind}_", "organisation_icorn"):
            variables = {"input": {"idempotencyKey": str(uuid4()), **given, key: identifier}}
            answer = await world.send("pen", operation(name), variables)
            # Commands of the desk tell a partner only that they are the desk's.
            assert (b"NOT_ALLOWED" if "Case" in name else b"NOT_FOUND") in answer.body
            answers.add((answer.status, answer.body))
        assert len(answers) == 1, (name, key)
    assert await counts(world) == before


async def _talked(world: World, theirs: str, ours: str) -> None:
    """Say something with every step that leads to a referral's being passed on."""
    for client, referral_, response, more in (
        ("desk", ours, "ACKNOWLEDGE", {"note": "Lindenwords"}),
        ("desk", ours, "REVIEW", {"note": "Lindenwords"}),
        ("desk", ours, "REQUEST_INFORMATION", {"note": "Lindenwords"}),
        ("pen", theirs, "GIVE_INFORMATION", {"note": "Lindenwords", "person": {"profile": {"biography": "Tangerine novels"}}}),
        ("desk", ours, "REDIRECT", {"note": "Lindenwords", "redirectTo": "organisation_arts-haven"}),
    ):  # fmt: skip
        if response == "REDIRECT":
            await done(world, "pen", "sendMessage", {"referral": theirs, "body": "Lindenwords"})
        await done(world, client, "respondToReferral", {"referral": referral_, "response": response, **more})


async def test_nothing_that_was_said_of_anybody_lies_in_clear(world: World) -> None:
    """Every word of a referral, a case, a decision and its end, searched for in every table: as text, and in bytes."""
    sent = referral(to="organisation_icorn", linkage={"algorithm": "a", "bits": "Alderbits"})
    made = await done(world, "pen", "submitReferral", sent)
    ours = await referral_id(world, await world.admin.fetchval("select id from referral"))
    case = (await done(world, "desk", "openCase", {"referral": ours, "riskLevel": "LOW"}))["id"]
    await _talked(world, made["id"], ours)
    share = {"case": case, "organisation": "organisation_pen-centre", "categories": AGREED, "reason": "Hazelreason"}
    await done(world, "desk", "shareCase", share)
    await done(world, "desk", "holdCase", {"case": case, "organisation": "organisation_arts-haven", "held": True, "reason": "Hazelreason"})  # fmt: skip
    record = await feed_record(world, "n1")
    await done(world, "desk", "linkRecords", {"case": case, "records": [f"record_{record}"], "reason": "Hazelreason"})
    seen = await case_id(world, await world.admin.fetchval("select id from case_file"), "pen-centre")
    await done(world, "pen", "breakGlass", {"case": seen, "categories": ["PROFILE"], "reason": "Hazelreason"})
    await done(world, "desk", "recordConsent", {"case": case, "consent": consent(decision="DENY")})
    owed = (await world.data("pen", "{ retractions { edges { node { id } } } }"))["retractions"]["edges"][0]["node"][
        "id"
    ]
    await done(world, "pen", "acknowledgeRetraction", {"retraction": owed, "deleted": False, "note": "Hazelreason"})
    await done(world, "pen", "withdrawConsent", {"consent": made["consents"][0]["id"], "reason": "Aspenwithdrawal"})

    tables = await world.admin.fetch("select relnamespace::regnamespace || '.' || relname as name from pg_class where relkind = 'r' and relnamespace in ('hub'::regnamespace, 'auth'::regnamespace)")  # fmt: skip
    assert len(tables) > 40
    for table in tables:
        text = await world.admin.fetchval(f"select string_agg(t::text, ' ') from {table['name']} t") or ""  # noqa: S608 a table's name
        for secret in SECRETS:
            assert secret not in text, table
            assert secret.encode().hex() not in text, table
    reasons = await world.admin.fetchval("select (select count(*) from share where reason is not null) + (select count(*) from hold where reason is not null)"
        " + (select count(*) from emergency where reason is not null) + (select count(*) from retraction where note is not null)")  # fmt: skip
    assert reasons == 4


async def test_a_command_leaves_an_audit_record(world: World) -> None:
    """Who, what and why, and whose case: also of a command that had a problem."""
    case = await world.case()
    ours = await case_id(world, case)
    hold = {"case": ours, "organisation": "organisation_pen-centre", "held": True, "reason": "r"}
    asked = "mutation ($input: HoldCaseInput!) { holdCase(input: $input) { case { id } problems { code } } }"
    for key, changed in (("1", {}), ("2", {"organisation": "organisation_nowhere"})):
        await world.data("desk", asked, {"input": {"idempotencyKey": key, **hold, **changed}})
    pseudonym = await world.admin.fetchval(
        "select a.pseudonym from case_access a join organisation o on o.id = a.organisation where o.kind = 'ICORN'"
    )

    records = await world.admin.fetch("select client, action, purpose, outcome, subjects from audit order by id")
    assert [(*tuple(record)[:4], {seen["subject"] for seen in record["subjects"]}) for record in records] == [
        ("desk", "mutation holdCase", "PROTECTION", "DONE", {pseudonym}),
        ("desk", "mutation holdCase", "PROTECTION", "REFUSED", set()),
    ]


async def test_a_command_is_on_record_whatever_is_asked_back(world: World) -> None:
    """One that asks for nothing but problems needs a purpose as well, and names whom it concerned."""
    case = await world.case()
    ours = await case_id(world, case)
    given = {
        "idempotencyKey": "1",
        "case": ours,
        "organisation": "organisation_pen-centre",
        "held": True,
        "reason": "r",
    }
    asked = "mutation ($input: HoldCaseInput!) { holdCase(input: $input) { problems { code } } }"
    await world.client("silent", "icorn", purpose=None)

    refused = await world.ask("silent", asked, {"input": given})
    await world.data("desk", asked, {"input": given})

    assert refused["errors"][0]["extensions"]["code"] == "PURPOSE_REQUIRED"
    (record,) = await world.admin.fetch("select subjects from audit")
    pseudonyms = await world.admin.fetch("select a.pseudonym from case_access a join organisation o on o.id = a.organisation where o.kind = 'ICORN'")  # fmt: skip
    assert [(seen["subject"], seen["basis"]) for seen in record["subjects"]] == [(pseudonyms[0]["pseudonym"], 1)]
