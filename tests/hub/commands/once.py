"""This module has an example of every mutation: who sends it, and an input with which it does something. A new mutation needs one line."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

from tests.hub.commands import once_of_access, once_of_lives
from tests.hub.commands.kit import AGREED, case_id, consent, consent_id, feed_record, reference, referral, referral_id
from tests.hub.commands.life import referred
from tests.world import World

Given = dict[str, Any]
Example = tuple[str, Callable[[World], Awaitable[Given]]]


async def _referral(_: World) -> Given:
    return referral(clientReference=str(uuid4()), linkage={"algorithm": "a", "bits": "b"})


async def _received(world: World) -> Given:
    return {"referral": await referral_id(world, await referred(world), "arts-haven")}


async def _sent(world: World) -> Given:
    return {"referral": await referral_id(world, await referred(world), "pen-centre")}


async def _of_case(world: World) -> Given:
    return {"case": await case_id(world, await world.case())}


async def _case(world: World) -> Given:
    return {**await _of_case(world), "reason": "r"}


async def _record(world: World) -> Given:
    return {**await _case(world), "records": [f"record_{await feed_record(world, str(uuid4()))}"]}


async def _erased(world: World) -> Given:
    case = await world.case()
    return {"case": await case_id(world, case), "reason": "r", "confirmReference": await reference(world, case)}


async def _consent(world: World) -> Given:
    case = await world.case()
    return {"consent": await consent_id(world, case, await world.consent(case)), "reason": "r"}


async def _retraction(world: World) -> Given:
    made, pen = uuid4(), world.organisations["pen-centre"]
    await world.insert("retraction", id=made, organisation=pen, kind="case", subject=uuid4(), categories=["OVERVIEW"], at="2026-05-01T00:00:00Z")  # fmt: skip
    return {"retraction": f"retraction_{made}", "deleted": True, "note": "Done"}


async def _glass(world: World) -> Given:
    case, pen = await world.case(), world.organisations["pen-centre"]
    await world.insert("share", id=uuid4(), case_id=case, organisation=pen, categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    await world.consent(case)
    return {"case": await case_id(world, case, "pen-centre"), "categories": ["PROFILE"], "reason": "r"}


async def _waiting(world: World) -> Given:
    case, pen = await world.case(sealed="true"), world.organisations["pen-centre"]
    await world.insert("emergency", id=uuid4(), case_id=case, organisation=pen, categories=["PROFILE"], asked_at="2026-06-01T12:00:00Z", client="pen")  # fmt: skip
    return {"case": await case_id(world, case)}


def _with(given: Callable[[World], Awaitable[Given]], **more: Any) -> Callable[[World], Awaitable[Given]]:
    async def both(world: World) -> Given:
        return {**await given(world), **more}

    return both


async def _nothing(_: World) -> Given:
    return {}


PEN: Final = "organisation_pen-centre"
EXAMPLES: Final[dict[str, Example]] = {
    "submitReferral": ("pen", _referral),
    "respondToReferral": ("arts", _with(_received, response="ACKNOWLEDGE", note="n")),
    "withdrawReferral": ("pen", _with(_sent, reason="r")),
    "sendMessage": ("pen", _with(_sent, body="b")),
    "openCase": ("desk", _with(_nothing, discipline="WRITER", riskLevel="LOW")),
    "shareCase": ("desk", _with(_case, organisation=PEN, categories=AGREED, until="2026-07-01T00:00:00Z")),
    "holdCase": ("desk", _with(_case, organisation=PEN, held=True)),
    "linkRecords": ("desk", _record),
    "setLegalHold": ("desk", _with(_case, held=True)),
    "eraseCase": ("desk", _erased),
    "recordConsent": ("desk", _with(_of_case, consent=consent())),
    "withdrawConsent": ("desk", _consent),
    "acknowledgeRetraction": ("pen", _retraction),
    "breakGlass": ("pen", _glass),
    "approveBreakGlass": ("desk", _waiting),
    "updateCase": ("desk", once_of_lives.changed),
    "sealCase": ("desk", once_of_lives.sealed),
    "unshareCase": ("desk", once_of_lives.unshared),
    "unlinkRecords": ("desk", once_of_lives.unlinked),
    "mergeCases": ("desk", once_of_lives.merged),
    "presentCase": ("desk", once_of_lives.shown),
    "answerPresentation": ("bergen", once_of_lives.answered),
    "offerResidency": ("desk", once_of_lives.offered),
    "updateResidency": ("desk", once_of_lives.accepted),
    "publishVacancies": ("desk", once_of_lives.published),
    "createOrganisation": ("desk", once_of_access.organisation),
    "updateOrganisation": ("desk", once_of_access.renamed),
    "createClient": ("pen", once_of_access.client),
    "updateClient": ("pen", once_of_access.client_changed),
    "disableClient": ("pen", once_of_access.client_ended),
    "inviteUser": ("pen", once_of_access.user),
    "updateUser": ("pen", once_of_access.user_changed),
    "disableUser": ("pen", once_of_access.user_ended),
    "proposeAgreement": ("desk", once_of_access.proposed),
    "approveAgreement": ("desk", once_of_access.signed),
    "endAgreement": ("desk", once_of_access.agreement_ended),
    "createFeed": ("desk", once_of_access.feed),
    "updateFeed": ("desk", once_of_access.feed_changed),
    "syncFeed": ("desk", once_of_access.feed_rung),
    "createWebhook": ("pen", once_of_access.webhook),
    "resumeWebhook": ("pen", once_of_access.webhook_resumed),
    "deleteWebhook": ("pen", once_of_access.webhook_deleted),
}


async def example(world: World, name: str) -> tuple[str, Given]:
    """Give a client and an input with which a mutation does something, each time something of its own."""
    client, given = EXAMPLES[name]
    return client, {"idempotencyKey": str(uuid4()), **await given(world)}
