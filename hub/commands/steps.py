"""This module takes a referral from one step of its life to the next; lifecycle.py says which steps there are."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from hub.commands.asker import Asker, Input, Organisation, Problems, problems, sealed_text
from hub.commands.cases import NOT_THERE, carry
from hub.commands.lifecycle import STEPS, Party, wrong
from hub.commands.person import judge_person, judge_text, person_documents
from hub.commands.redirect import pass_on

GOES_WITH: Final = {
    "declineReason": "DECLINE",
    "person": "GIVE_INFORMATION",
    "redirectTo": "REDIRECT",
    "case": "ACCEPT",
}
"""What a response may bring, and which one."""
NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "REQUEST_INFORMATION": ("note", "Say what is missing."),
    "DECLINE": ("declineReason", "Say why: one of the reasons."),
    "REDIRECT": ("redirectTo", "Say to whom."),
}
READ_FIRST: Final = "Read how the person may be contacted, all of it, before you accept: person { contact { mayContactDirectly instructions channels { kind address safe } } }."


async def respond_to_referral(asker: Asker, given: Input) -> uuid.UUID:
    """Answer a referral: one step of its life, with what the step needs."""
    response = str(given["response"])
    documents = person_documents(given.get("person"))
    whom: Organisation | None = None
    case: uuid.UUID | None = None
    with problems() as found:
        await _judge(asker, given, response, found)
        if response == "REDIRECT" and given.get("redirectTo") is not None:
            whom = await asker.organisation(given["redirectTo"])
            if whom is None:
                found.add("NOT_FOUND", "There is no organisation with this id.", "redirectTo")
        referral = await standing(asker, given, response, found, "response")
        if referral is not None and response == "ACCEPT":
            case = await _case(asker, given, referral, found)
            if await asker.connection.fetchval("select contact_unread($1)", referral["id"]):
                found.add("READ_CONTACT_FIRST", READ_FIRST, "response")
        if referral is not None and response == "GIVE_INFORMATION":
            await _judge_consent(asker, referral, documents, found)
        if referral is not None and whom is not None:
            passed = await pass_on(asker, referral, whom, found)
    key = await asker.referral_key(referral["id"])
    if documents:
        await asker.connection.execute(
            "select give_information($1, $2::text[]::category[], $3)",
            referral["id"],
            list(documents),
            [asker.sealing.seal(key, f"referral:{referral['id']}", c, 1, said) for c, said in documents.items()],
        )
    if whom is not None:
        await passed()
    await take(asker, referral, response, given.get("note"), given.get("declineReason"))
    if case is not None:
        await carry(asker, referral["id"], case)
    subject: uuid.UUID = referral["id"]
    return subject


async def withdraw_referral(asker: Asker, given: Input) -> uuid.UUID:
    """Take a referral back. What it opened to its recipient is closed in this very transaction."""
    with problems() as found:
        referral = await standing(asker, given, "withdrawReferral", found)
        judge_text(given["reason"], found, "reason", required="Say why it is taken back.")
    await take(asker, referral, "withdrawReferral", given["reason"])
    subject: uuid.UUID = referral["id"]
    return subject


async def send_message(asker: Asker, given: Input) -> uuid.UUID:
    """Write to the other side of a referral, as long as it lives."""
    with problems() as found:
        referral = await standing(asker, given, "sendMessage", found)
        judge_text(given["body"], found, "body", required="Say something.")
    message, subject = asker.new_id("message"), f"referral:{referral['id']}"
    await asker.connection.execute(
        "insert into message (id, referral_id, ordinal, organisation, at, body)"
        " select $1, $2, coalesce(max(m.ordinal), 0) + 1, $3, hub_now(), $4 from message m where m.referral_id = $2",
        message,
        referral["id"],
        asker.principal.organisation,
        sealed_text(asker.sealing, await asker.referral_key(referral["id"]), subject, "BODY", given["body"]),
    )
    await take(asker, referral, "sendMessage", None)
    return message


async def standing(asker: Asker, given: Input, name: str, found: Problems, of: str = "referral") -> Any:
    """Find the referral that a step is of; note what is wrong with it, or with the asker's taking this step now, beside the field `of`."""
    referral = await asker.referral(given["referral"])
    if referral is None:
        found.add("NOT_FOUND", NOT_THERE, "referral")
        return None
    trouble = wrong(STEPS[name], await parties(asker, referral), referral["status"])
    if trouble is not None:
        code, message = trouble
        found.add(code, message, of if code == "NOT_ALLOWED" else "referral")
        return None
    return referral


async def parties(asker: Asker, referral: Any) -> set[Party]:
    """Tell in what parts the asker takes part in a referral."""
    roles = {Party.SENDER: referral["sender"], Party.RECIPIENT: referral["recipient"]}
    own = {role for role, organisation in roles.items() if organisation == asker.principal.organisation}
    return own | ({Party.ICORN} if await asker.is_icorn() else set())


async def take(asker: Asker, referral: Any, name: str, note: str | None, decline_reason: str | None = None) -> None:
    """Take a step that was found to be right: the referral moves on, and the step is written down and told."""
    step, subject = STEPS[name], referral["id"]
    assert step.kind is not None  # noqa: S101 every step that is taken here is told
    status = step.to or referral["status"]
    key = await asker.referral_key(subject)
    await asker.connection.execute(
        "update referral set status = $2::text::referral_status, updated_at = hub_now(), decline_reason = $3::text::decline_reason where id = $1",
        subject,
        str(status),
        decline_reason and str(decline_reason),
    )
    await asker.connection.execute(
        "insert into referral_event (referral_id, ordinal, kind, status, organisation, at, note)"
        " select $1, max(e.ordinal) + 1, $2::text::referral_event_kind, $3::text::referral_status, $4, hub_now(), $5"
        " from referral_event e where e.referral_id = $1",
        subject,
        str(step.kind),
        str(status),
        asker.principal.organisation,
        sealed_text(asker.sealing, key, f"referral:{subject}", "NOTE", note),
    )
    await asker.tell(f"referral.{step.kind.lower()}", referral=subject)


async def _judge(asker: Asker, given: Input, response: str, found: Problems) -> None:
    """Refuse what does not go with a response, and what it lacks."""
    for field, only in GOES_WITH.items():
        if given.get(field) is not None and response != only:
            found.add("NOT_ALLOWED", f"This goes with {only} alone.", field)
    field, why = NEEDED.get(response, ("", ""))
    if response == "DECLINE" and given.get("declineReason") == "OTHER":
        field, why = "note", "Say what the reason is."
    if response == "GIVE_INFORMATION" and not person_documents(given.get("person")):
        field, why = "note", "Give what was asked for: in person, or in words here."
    if field and given.get(field) is None:
        found.add("REQUIRED", why, field)
    if given.get("note") is not None:
        judge_text(given["note"], found, "note", required=why if field == "note" else "")
    today = await asker.connection.fetchval("select (hub_now() at time zone 'UTC')::date")
    judge_person(given.get("person"), found, today)


async def _judge_consent(asker: Asker, referral: Any, documents: dict[str, bytes], found: Problems) -> None:
    """Refuse what the person has not agreed that the recipient may have."""
    refused = await asker.connection.fetchval(
        "select not_agreed($1, $2, $3::text[]::category[])::text[]",
        referral["id"],
        referral["recipient"],
        list(documents),
    )
    for category in refused:
        found.add(
            "NOT_CONSENTED",
            f"The person has not agreed, on this referral, that its recipient may have {category}.",
            "person",
            category.lower(),
        )


async def _case(asker: Asker, given: Input, referral: Any, found: Problems) -> uuid.UUID | None:
    """Find the case that ICORN's desk takes a referral into, if it says one."""
    if given.get("case") is None:
        return None
    if not await asker.connection.fetchval("select viewer_is_icorn() and viewer_has('cases:write')"):
        found.add("NOT_ALLOWED", "Only ICORN's desk takes a referral into a case.", "case")
        return None
    case = await asker.case(given["case"])
    if case is None:
        found.add("NOT_FOUND", NOT_THERE, "case")
    elif referral["case_id"] is not None:
        found.add("ALREADY_OPEN", "This referral has a case already.", "case")
    return case
