"""A referral's life behind the second wall alone: by raw SQL nobody takes a step that is not theirs, nor calls back what has ended."""

from uuid import UUID

import asyncpg
import pytest

from tests.walls.raw import DESK, NOBODY, PEN, STRANGER, Bound, Raw
from tests.world import EVERY_SCOPE, PARTNER

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARTS = Bound("arts-haven", "arts")
MUTE = Bound("pen-centre", "pen", [s for s in EVERY_SCOPE if s not in ("referrals:respond", "referrals:submit")])
BLIND = Bound("arts-haven", "arts", [s for s in EVERY_SCOPE if s != "referrals:read"])
STEP = "update referral set status = $2::text::referral_status where id = $1"
GIVE = "select give_information($1, '{PROFILE}', array['\\x01'::bytea])"
PASS_ON = (
    "select redirect_referral($1, gen_random_uuid(), (select id from organisation where code = $2::text), '1', '\\x01', null, null,"
    " '{PROFILE}', array['\\x01'::bytea])"
)


async def between(raw: Raw, status: str, agreed: str | None = None) -> UUID:
    """Put in a referral from the PEN Centre to Arts Haven; with the person's word that it may go to whom it is said, or everyone."""
    made = await raw.world.referral("pen-centre", "arts-haven", status=status)
    pen = raw.world.organisations["pen-centre"]
    await raw.world.consent(None, agreed, PARTNER, referral_id=made, recorded_by=pen)
    return made


async def test_a_state_is_changed_by_whom_it_is_for_and_never_after_the_end(raw: Raw) -> None:
    """Only the sender takes back, and gives what was asked for; the rest is the recipient's; a third organisation changes nothing."""
    attempts = [
        (ARTS, "SUBMITTED", "RECEIVED", True), (ARTS, "IN_REVIEW", "DECLINED", True), (ARTS, "IN_REVIEW", "WITHDRAWN", False),
        (ARTS, "IN_REVIEW", "SUBMITTED", False), (PEN, "IN_REVIEW", "WITHDRAWN", True), (PEN, "IN_REVIEW", "ACCEPTED", False),
        (PEN, "INFORMATION_REQUESTED", "IN_REVIEW", True), (PEN, "RECEIVED", "IN_REVIEW", False), (MUTE, "IN_REVIEW", "WITHDRAWN", False),
        (BLIND, "SUBMITTED", "RECEIVED", False), (DESK, "SUBMITTED", "RECEIVED", False), (STRANGER, "SUBMITTED", "RECEIVED", False),
        (NOBODY, "SUBMITTED", "RECEIVED", False),
        *((who, ended, "IN_REVIEW", False) for who in (PEN, ARTS) for ended in ("DECLINED", "WITHDRAWN", "REDIRECTED", "COMPLETED")),
    ]  # fmt: skip
    for who, status, to, passes in attempts:
        made = await between(raw, status)
        async with raw.bound(who):
            assert await raw.passes(STEP, made, to) == passes, (who.organisation, status, to)


async def test_steps_and_messages_are_written_by_parties_in_their_own_name(raw: Raw) -> None:
    """With the state that there is; a message while the referral lives; and neither says that it was another time."""
    made, over = await between(raw, "IN_REVIEW"), await between(raw, "DECLINED")
    event = "insert into referral_event (referral_id, ordinal, kind, status, organisation, at) values ($1, 2, $2::text::referral_event_kind, $3::text::referral_status, $4, hub_now() - $5::interval)"
    message = "insert into message (referral_id, ordinal, organisation, at, body) values ($1, 1, $2, hub_now() - $3::text::interval, '\\x01')"
    pen, arts = raw.world.organisations["pen-centre"], raw.world.organisations["arts-haven"]
    for who, sender, passes in (
        (ARTS, arts, True),
        (PEN, arts, False),
        (MUTE, pen, False),
        (DESK, arts, False),
        (STRANGER, arts, False),
    ):
        async with raw.bound(who):
            said = event.replace("$5::interval", "interval '0'")
            assert await raw.passes(said, made, "IN_REVIEW", "IN_REVIEW", sender) == passes, who.organisation
            assert not await raw.passes(said, made, "ACCEPTED", "ACCEPTED", sender)
            assert not await raw.passes(said, made, "SUBMITTED", "IN_REVIEW", sender)
            assert await raw.passes(message, made, sender, "0") == passes, who.organisation
            assert not await raw.passes(message, over, sender, "0")
            assert not await raw.passes(message, made, sender, "1 day")


async def test_what_passes_on_is_held_to_consent_by_the_database_too(raw: Raw) -> None:
    """Whatever the hub in front of it says: who, from where, and to whom the person agreed."""
    given = [
        (PEN, "INFORMATION_REQUESTED", None, True), (PEN, "INFORMATION_REQUESTED", "icorn", False), (PEN, "IN_REVIEW", None, False),
        (ARTS, "INFORMATION_REQUESTED", None, False), (MUTE, "INFORMATION_REQUESTED", None, False), (DESK, "INFORMATION_REQUESTED", None, False),
    ]  # fmt: skip
    for who, status, agreed, passes in given:
        made = await between(raw, status, agreed)
        async with raw.bound(who):
            assert await raw.passes(GIVE, made) == passes, (who.organisation, status, agreed)
    passed_on = [
        (ARTS, "RECEIVED", None, "icorn", True), (ARTS, "RECEIVED", "arts-haven", "icorn", False), (ARTS, "ACCEPTED", None, "icorn", False),
        (ARTS, "DECLINED", None, "icorn", False), (ARTS, "RECEIVED", None, "pen-centre", False), (PEN, "RECEIVED", None, "icorn", False),
        (BLIND, "RECEIVED", None, "icorn", False), (DESK, "RECEIVED", None, "nobodys-friend", False),
    ]  # fmt: skip
    for who, status, agreed, whom, passes in passed_on:
        made = await between(raw, status, agreed)
        async with raw.bound(who):
            assert await raw.passes(PASS_ON, made, whom) == passes, (who.organisation, status, agreed, whom)


async def test_nobody_says_that_a_referral_came_of_another_or_asks_about_one_without_part_in_it(raw: Raw) -> None:
    """That would carry another's consents along; of what one has no part in, everything is refused alike."""
    made = await between(raw, "RECEIVED")
    own = (
        "insert into referral (id, sender, recipient, urgency, discipline, submitted_at, updated_at, client, usr, shared_categories, redirected_from)"
        " select gen_random_uuid(), sender, recipient, urgency, discipline, hub_now(), hub_now(), 'pen', '', shared_categories, $2 from referral where id = $1"
    )
    asked = "select not_agreed($1, 1, '{OVERVIEW,PROFILE}')::text"
    async with raw.bound(PEN):
        assert await raw.passes(own, made, None)
        assert not await raw.passes(own, made, made)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.app.execute("update referral set redirected_from = id where id = $1", made)
    for who, refused in (
        (PEN, "{}"),
        (ARTS, "{}"),
        (DESK, "{OVERVIEW,PROFILE}"),
        (STRANGER, "{OVERVIEW,PROFILE}"),
        (BLIND, "{OVERVIEW,PROFILE}"),
    ):
        async with raw.bound(who):
            assert await raw.app.fetchval(asked, made) == refused, who.organisation
