"""What tests of a referral's life share: a referral in any state, with who takes part in it, and a step of any name."""

from typing import Any
from uuid import UUID

from hub.commands.lifecycle import Party
from tests.hub.commands.kit import consent, referral_id, run
from tests.world import PERSON, World

ALL = ["OVERVIEW", "PROFILE", "IDENTITY", "CONTACT", "HEALTH"]
CLIENTS = {Party.SENDER: "pen", Party.RECIPIENT: "arts", Party.ICORN: "desk"}
"""Who asks in each part of a referral from the PEN Centre to Arts Haven; ICORN where the case is its own."""
EXTRAS: dict[str, dict[str, Any]] = {
    "REQUEST_INFORMATION": {"note": "Lindenwords"},
    "GIVE_INFORMATION": {"person": {"health": {"needs": "Sycamore medicine"}}},
    "DECLINE": {"declineReason": "NO_CAPACITY", "note": "Lindenwords"},
    "REDIRECT": {"redirectTo": "organisation_open-stage"},
    "withdrawReferral": {"reason": "Lindenwords"},
    "sendMessage": {"body": "Lindenwords"},
    "openCase": {"riskLevel": "LOW"},
}


async def referred(world: World, status: str = "SUBMITTED", recipient: str = "arts-haven", **columns: Any) -> UUID:
    """Put in a referral from the PEN Centre that stands at a status, with the person's consent to everyone."""
    documents = columns.pop("documents", {"PROFILE": PERSON["PROFILE"]})
    made = await world.referral("pen-centre", recipient, documents=documents, status=status, **columns)
    pen = world.organisations["pen-centre"]
    await world.consent(None, None, ALL, referral_id=made, recorded_by=pen)
    return made


async def asked(world: World, made: UUID, name: str, organisation: str, **changed: Any) -> dict[str, Any]:
    """Give the input of a step by its name; `organisation` is whose id the referral is named by."""
    response = {"response": name} if name.isupper() else {}
    return {"referral": await referral_id(world, made, organisation), **response, **EXTRAS.get(name, {}), **changed}


async def step(world: World, client: str, made: UUID, name: str, organisation: str, **changed: Any) -> dict[str, Any]:
    """Take a step."""
    given = await asked(world, made, name, organisation, **changed)
    return await run(world, client, "respondToReferral" if name.isupper() else name, given)


async def stands(world: World, made: UUID) -> str:
    """Tell where a referral stands."""
    found: str = await world.admin.fetchval("select status::text from referral where id = $1", made)
    return found


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the problems of an answer, as (code, path)."""
    return [(problem["code"], ".".join(problem["path"])) for problem in payload["problems"]]


def to(organisation: str, *categories: str, **changed: Any) -> dict[str, Any]:
    """Give a consent to one organisation."""
    return consent(
        recipients={"organisations": [f"organisation_{organisation}"]}, categories=list(categories), **changed
    )
