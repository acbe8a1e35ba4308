"""Withdrawal travels: whoever loses what it had received is told in the same transaction, and owes a receipt."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from hub.postgres import open_pool
from hub.worker import prune, retract
from tests.hub.commands.kit import case_id, done, events, referral, referral_id
from tests.hub.commands.retracted import NOON, READ, opened, owed, sequenced, told, withdrawn
from tests.world import World


@pytest.mark.parametrize("in_the_log", [False, True])
async def test_who_received_a_category_owes_a_receipt_once_it_is_lost(world: World, *, in_the_log: bool) -> None:
    """Those categories that it was answered with, and no others; whether the worker has seen the read yet or not."""
    case, made, theirs = await opened(world)
    await world.data("pen", "query ($id: ID!) { case(by: {id: $id}) { identity { familyName } } }", {"id": theirs})
    if in_the_log:
        await sequenced(world)
    assert await owed(world) == []
    await withdrawn(world, case, made)

    (retraction,) = await owed(world)
    assert retraction.pop("id").startswith("retraction_")
    assert retraction == {
        "organisation": {"code": "pen-centre"}, "subject": theirs, "categories": ["OVERVIEW", "IDENTITY"],
        "at": "2026-06-01T12:00:00+00:00", "acknowledgedAt": None, "note": None,
    }  # fmt: skip
    assert await events(world) == ["retraction.made", "consent.withdrawn"]
    event = await world.admin.fetchrow("select * from event where kind = 'retraction.made'")
    pen = world.organisations["pen-centre"]
    assert (event["organisation"], event["audience"], event["case_id"]) == (pen, pen, None)


async def test_who_never_asked_is_told_nothing(world: World) -> None:
    """Neither a partner that could have read the case, nor one that asked and was shown nothing."""
    case, made, theirs = await opened(world)
    await world.data("arts", READ, {"id": await case_id(world, case, "arts-haven")})
    await withdrawn(world, case, made)

    assert (await world.data("pen", READ, {"id": theirs}))["case"] is None
    assert await world.admin.fetchval("select count(*) from retraction") == 0


LOSSES = {
    "a consent is taken back": "update consent set withdrawn_at = hub_now()",
    "the person says no": "insert into consent (id, case_id, decision, categories, given_on, recorded_by) select gen_random_uuid(), id, 'DENY', '{OVERVIEW}', '2026-01-01', 1 from case_file",
    "a hold": "insert into hold (id, case_id, organisation, starts) select gen_random_uuid(), c.id, o.id, hub_now() from case_file c, organisation o where o.code = 'pen-centre'",
    "the agreement ends": "update agreement set ended_at = hub_now()",
    "the agreement no longer covers the case": "update agreement set origins = '{TR}'",
    "the case is sealed": "update case_file set sealed = true",
    "the case is deleted": "delete from case_file",
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
async def test_however_access_is_lost(world: World, loss: str) -> None:
    """Every change of access leaves the retraction, in the transaction of the change and not before it is committed."""
    _, _, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    other = await world.database.connect("postgres")
    async with other.transaction():
        await other.execute(LOSSES[loss])
        assert await world.admin.fetchval("select count(*) from retraction") == 0
        assert await other.fetchval("select count(*) from retraction") == 1

    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE", "IDENTITY"])]


async def test_a_change_that_is_undone_retracts_nothing(world: World) -> None:
    """The retraction goes with the transaction that it was made in."""
    _, _, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    transaction = world.admin.transaction()
    await transaction.start()
    await world.admin.execute(LOSSES["a hold"])
    await transaction.rollback()

    assert await owed(world) == []


async def test_what_is_kept_is_not_retracted(world: World) -> None:
    """One of two bases ends, or one category of several: only what is open no more."""
    case, _, theirs = await opened(world)
    await world.agreement("pen-centre", ["OVERVIEW", "PROFILE"])
    await world.data("pen", READ, {"id": theirs})
    await world.admin.execute("update agreement set ended_at = hub_now() where 'IDENTITY' = any (categories)")
    assert await told(world) == [(theirs, ["IDENTITY"])]
    await world.consent(case, "arts-haven", decision="DENY")
    assert len(await owed(world)) == 1


async def test_what_is_retracted_is_not_retracted_twice(world: World) -> None:
    """While a receipt is owed for a category there is no second retraction of it; another category gets its own."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await world.consent(case, decision="DENY", categories=["IDENTITY"], id=uuid4())
    await world.admin.execute("update consent set withdrawn_at = hub_now() where decision = 'DENY'")
    await world.set_now(NOON + timedelta(minutes=1))
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)

    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE"]), (theirs, ["IDENTITY"])]


@pytest.mark.parametrize(("read_again", "number"), [(True, 2), (False, 1)])
async def test_what_was_read_after_the_receipt_is_retracted_again(
    world: World, *, read_again: bool, number: int
) -> None:
    """Access comes back and is lost again: a new retraction for a new read, and none for the copy that was deleted."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    (first,) = await owed(world)
    await done(world, "pen", "acknowledgeRetraction", {"retraction": first["id"], "deleted": True})
    again = await world.consent(case)
    await world.set_now(NOON + timedelta(minutes=1))
    if read_again:
        await world.data("pen", READ, {"id": theirs})
    await sequenced(world)
    await withdrawn(world, case, again)

    assert len(await owed(world)) == number
    assert len(await owed(world, arguments="(acknowledged: false)")) == number - 1
    assert len(await owed(world, arguments="(acknowledged: true)")) == 1


async def test_what_ends_by_time_is_retracted_by_the_worker(world: World) -> None:
    """A category's last day passes without anybody deciding; then the whole case's, and its row may be pruned first."""
    case, _, theirs = await opened(world, categories=["OVERVIEW", "PROFILE"], valid_until="2026-06-20")
    await world.consent(case, categories=["IDENTITY"], valid_until="2026-06-10")
    await world.data("pen", READ, {"id": theirs})
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await retract(pool)
        assert await owed(world) == []
        await world.set_now(NOON + timedelta(days=10))
        await retract(pool)
        await retract(pool)
        assert await told(world) == [(theirs, ["IDENTITY"])]
        await world.set_now(NOON + timedelta(days=20))
        await prune(pool)
        await retract(pool)

    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE"]), (theirs, ["IDENTITY"])]


WAITS = """
create function hub.waits() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(77); return new; end $$;
create trigger waits before insert on hub.audit for each row execute function hub.waits();
grant execute on function hub.waits to hub_app;
"""
"""Everything is read, and its record about to be written."""


async def test_a_read_under_way_while_its_access_ends_is_retracted_too(world: World) -> None:
    """Its record is not there when the decision is made; the worker holds it against what is open once it is."""
    _, made, theirs = await opened(world)
    await world.database.admin(WAITS)
    blocker = await world.database.connect("postgres")
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("select pg_advisory_xact_lock(77)")
    reading = asyncio.create_task(world.data("pen", READ, {"id": theirs}))
    while not await world.admin.fetchval("select exists (select from pg_locks where not granted)"):
        assert not reading.done()
        await asyncio.sleep(0)
    await world.admin.execute("update consent set withdrawn_at = hub_now() where id = $1", made)
    await transaction.rollback()
    assert (await reading)["case"]["identity"] == {"familyName": "Farahani"}
    assert await owed(world) == []
    await sequenced(world)

    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE", "IDENTITY"])]


async def test_a_recipient_of_a_referral_owes_a_receipt_and_its_sender_does_not(world: World) -> None:
    """The recipient's consent ends, or the referral does; what the sender wrote is its own."""
    sent = await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    row = await world.admin.fetchval("select id from referral")
    theirs = await referral_id(world, row, "arts-haven")
    ask = "query ($id: ID!) { referral(by: {id: $id}) { id person { identity { familyName } } } }"
    await world.data("arts", ask, {"id": theirs})
    await world.data("pen", ask, {"id": sent["id"]})
    await world.admin.execute("update referral set status = 'DECLINED'")
    assert await told(world, "arts") == [(theirs, ["IDENTITY"])]
    await world.set_now(NOON + timedelta(minutes=1))
    await done(world, "pen", "withdrawConsent", {"consent": sent["consents"][0]["id"]})

    assert await told(world, "arts") == [(theirs, ["OVERVIEW"]), (theirs, ["IDENTITY"])]
    assert await owed(world, "pen") == []


async def test_the_retraction_outlives_the_case(world: World) -> None:
    """Everyone who had received anything of a vanishing case is told, of its referrals too; notes about it go with it."""
    await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    case, _, theirs = await opened(world)
    row = await world.admin.fetchval("select id from referral")
    await world.admin.execute("update referral set case_id = $1", case)
    ask = "query ($id: ID!) { referral(by: {id: $id}) { id } }"
    await world.data("arts", ask, {"id": await referral_id(world, row, "arts-haven")})
    await world.data("pen", READ, {"id": theirs})
    await world.consent(case, decision="DENY", categories=["IDENTITY"], id=uuid4())
    (first,) = await owed(world)
    await done(world, "pen", "acknowledgeRetraction", {"retraction": first["id"], "deleted": False, "note": "Wait"})
    await world.set_now(NOON + timedelta(minutes=1))
    await world.admin.execute("delete from case_file")

    assert await world.admin.fetchval("select count(*) from referral") == 0
    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE"]), (theirs, ["IDENTITY"])]
    assert [each["note"] for each in await owed(world)] == [None, None]
    assert await world.admin.fetchval("select count(*) from retraction_key") == 0
    assert [c for _, c in await told(world, "arts")] == [["OVERVIEW"]]
    with pytest.raises(Exception, match="permission denied"):
        await (await world.database.connect("hub_app")).execute(
            "select retract($1, 'case', $2, '{OVERVIEW}')", world.organisations["pen-centre"], case
        )


async def test_two_that_retract_the_same_make_one(world: World) -> None:
    """A decision and the worker meet over one case: whoever comes second finds it done."""
    case, _, theirs = await opened(world, valid_until="2026-06-09")
    await world.data("pen", READ, {"id": theirs})
    await world.set_now(NOON + timedelta(days=10))
    one, two = await world.database.connect("postgres"), await world.database.connect("postgres")
    lose = "select retract($1, 'case', $2, '{OVERVIEW,PROFILE,IDENTITY}')"
    transaction = one.transaction()
    await transaction.start()
    await one.execute("set local role hub_access")
    await two.execute("set role hub_access")
    await one.execute(lose, world.organisations["pen-centre"], case)
    running = asyncio.create_task(two.execute(lose, world.organisations["pen-centre"], case))
    while not await world.admin.fetchval("select exists (select from pg_locks where not granted)"):
        assert not running.done()
        await asyncio.sleep(0)
    await transaction.commit()
    await running

    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE", "IDENTITY"])]
