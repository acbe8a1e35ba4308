"""A person who must not be contacted directly is not, by anything that the hub lets somebody do."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.hub.commands.kit import PERSON, case_id, consent, done, found, referral, referral_id, run
from tests.hub.commands.life import codes, referred, step
from tests.hub.commands.retracted import NOON
from tests.world import PERSON as SAID
from tests.world import World

ROOT = Path(__file__).parents[3]
SAFE = {"kind": "signal", "address": "+00", "safe": True}
TAPPED = {"kind": "phone", "address": "+01", "safe": False}
GUESSED = ("REQUIRED", "input.person.contact.instructions")
UNSAFE = ("UNSAFE_CONTACT", "input.person.contact.mayContactDirectly")
WORDS = "Through her sister, never by phone."
CONTACTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"mayContactDirectly": True, "channels": [SAFE]}, []),
    ({"mayContactDirectly": False, "instructions": WORDS}, []),
    ({"mayContactDirectly": False, "instructions": WORDS, "channels": [TAPPED]}, []),
    ({"mayContactDirectly": True, "instructions": WORDS, "channels": [TAPPED, SAFE]}, []),
    ({"mayContactDirectly": False}, [GUESSED]),
    ({"mayContactDirectly": False, "channels": [SAFE]}, [GUESSED]),
    ({"mayContactDirectly": True, "channels": [TAPPED, SAFE]}, [GUESSED]),
    ({"mayContactDirectly": True, "instructions": WORDS, "channels": [TAPPED]}, [UNSAFE]),
    ({"mayContactDirectly": True}, [UNSAFE]),
    ({"mayContactDirectly": True, "channels": [TAPPED]}, [GUESSED, UNSAFE]),
]
READ = "query ($id: ID!) { referral(by: {id: $id}) { person { contact { mayContactDirectly instructions channels { kind address safe } } } } }"


async def test_a_contact_leaves_nobody_guessing(world: World) -> None:
    """Not direct, or by a channel that is not safe, needs words; direct needs a safe channel: whoever writes it down, wherever."""
    for contact, expected in CONTACTS:
        person = {"contact": contact}
        sent = referral(person=person, consents=[consent(categories=["OVERVIEW", "CONTACT"])])
        asked = await referral_id(world, await referred(world, "INFORMATION_REQUESTED"), "pen-centre")
        for client, name, given in (
            ("pen", "submitReferral", sent),
            ("desk", "openCase", {"discipline": "WRITER", "riskLevel": "LOW", "person": person}),
            ("pen", "respondToReferral", {"referral": asked, "response": "GIVE_INFORMATION", "person": person}),
        ):
            payload = await run(world, client, name, given)
            assert codes(payload) == expected, (contact, name)


async def test_nobody_accepts_a_person_without_having_read_how_to_contact_them(world: World) -> None:
    """Whoever accepts goes on to contact: the recipient has read the contact as it is now, by its audit log, or does not accept."""
    made = await referred(world, "IN_REVIEW", documents={"CONTACT": SAID["CONTACT"]})
    theirs = {"id": await referral_id(world, made, "arts-haven")}
    unread = [("READ_CONTACT_FIRST", "input.response")]

    assert codes(await step(world, "arts", made, "ACCEPT", "arts-haven")) == unread
    await world.data("arts", "query ($id: ID!) { referral(by: {id: $id}) { status person { withheld } } }", theirs)
    assert codes(await step(world, "arts", made, "ACCEPT", "arts-haven")) == unread
    await world.data("arts", READ, theirs)
    # What was read is not what it is any more.
    assert codes(await step(world, "arts", made, "REQUEST_INFORMATION", "arts-haven")) == []
    await world.set_now(NOON + timedelta(minutes=1))
    contact = {"contact": {"mayContactDirectly": False, "instructions": WORDS}}
    assert codes(await step(world, "pen", made, "GIVE_INFORMATION", "pen-centre", person=contact)) == []
    assert codes(await step(world, "arts", made, "ACCEPT", "arts-haven")) == unread
    await world.set_now(NOON + timedelta(minutes=2))
    told = await world.data("arts", READ, theirs)
    assert told["referral"]["person"]["contact"] == {"mayContactDirectly": False, "instructions": WORDS, "channels": []}
    assert codes(await step(world, "arts", made, "ACCEPT", "arts-haven")) == []


async def test_whoever_could_not_read_a_contact_is_not_asked_to(world: World) -> None:
    """A client without the scope, or a recipient whom the person did not allow it, contacts nobody by it."""
    await world.client("clerk", "arts-haven", ["referrals:read", "referrals:respond"])
    made = await referred(world, "IN_REVIEW", documents={"CONTACT": SAID["CONTACT"]})
    asked = "mutation ($input: RespondToReferralInput!) { respondToReferral(input: $input) { problems { code } } }"
    given = {"idempotencyKey": "k", "referral": await referral_id(world, made, "arts-haven"), "response": "ACCEPT"}
    assert (await world.data("clerk", asked, {"input": given}))["respondToReferral"] == {"problems": []}

    denied = await referred(world, "IN_REVIEW", documents={"CONTACT": SAID["CONTACT"]})
    await world.consent(None, None, ["CONTACT"], "DENY", referral_id=denied, recorded_by=world.organisations["pen-centre"])  # fmt: skip
    assert codes(await step(world, "arts", denied, "ACCEPT", "arts-haven")) == []


async def test_a_case_is_not_opened_as_of_somebody_who_may_be_called_when_they_must_not(world: World) -> None:
    """What the referral says of it stands until whoever said it says otherwise."""
    made = await referred(world, recipient="icorn", documents={"CONTACT": SAID["CONTACT"]})
    ours, given = await referral_id(world, made), {"riskLevel": "LOW"}
    direct = {"contact": {"mayContactDirectly": True, "channels": [SAFE]}, "profile": PERSON["profile"]}
    stricter = {"contact": {"mayContactDirectly": False, "instructions": WORDS}}

    assert await found(world, "desk", "openCase", {"referral": ours, "person": direct, **given}) == [UNSAFE]
    await done(world, "desk", "openCase", {"referral": ours, "person": stricter, **given})


async def test_a_change_of_a_case_is_judged_by_the_contact_that_comes_of_it(world: World) -> None:
    """What the change leaves as it was counts: a safe channel that is there, and words that are taken away."""
    documents = {"CONTACT": {"channels": [TAPPED, SAFE], "instructions": WORDS, "mayContactDirectly": False}}
    case = await case_id(world, await world.case(documents=documents, version=1))
    given = {"case": case, "expectedVersion": "1"}

    for contact, expected in (
        ({"mayContactDirectly": False, "instructions": None}, [GUESSED]),
        ({"mayContactDirectly": True, "channels": [TAPPED]}, [UNSAFE]),
    ):
        assert await found(world, "desk", "updateCase", {**given, "person": {"contact": contact}}) == expected
    await done(world, "desk", "updateCase", {**given, "person": {"contact": {"mayContactDirectly": True}}})


SHIPPED = [
    *(path.read_text() for folder in ("hub/demo/operations", "examples") for path in (ROOT / folder).rglob("*.graphql")),
    *(line for block in re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL) for line in block.splitlines()),
]  # fmt: skip


def test_whoever_shows_an_address_shows_how_it_may_be_used() -> None:
    """In every operation that the project gives away: channels come with the instructions, with whether they are safe, and with whether to contact at all."""
    shown = 0
    for text in SHIPPED:
        for contact in re.findall(r"contact\s*\{((?:[^{}]|\{[^{}]*\})*)\}", text):
            channels = re.search(r"channels\s*\{([^{}]*)\}", contact)
            if channels is not None:
                shown += 1
                assert {"mayContactDirectly", "instructions"} <= set(contact.split()), text
                assert {"kind", "address", "safe"} <= set(channels[1].split()), text
    assert shown
