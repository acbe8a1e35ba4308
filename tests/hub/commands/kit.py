"""What tests of commands share: inputs that are well, the operations that send them, and a look at what lies in the database."""

from typing import Any, Final
from uuid import UUID, uuid4

from tests.world import World

PERSON: Final[dict[str, Any]] = {
    "profile": {"biography": "Tangerine novels", "languages": ["fa"], "works": [{"title": "Quincebook", "year": 2019}]},
    "identity": {"givenName": "Zarifeh", "familyName": "Mulberryson", "pseudonyms": ["Nightjarre"], "bornOn": "1987-04-02"},
    "health": {"needs": "Sycamore medicine"},
}  # fmt: skip
"""Words found nowhere else, so that one left in clear is found."""
SECRETS: Final = (
    "Tangerine", "Quincebook", "Zarifeh", "Mulberryson", "mulberryson", "Nightjarre", "Sycamore", "Hazelreason", "Rowanevidence", "Aspenwithdrawal", "Alderbits", "Lindenwords",
)  # fmt: skip
AGREED: Final = ["OVERVIEW", "PROFILE", "IDENTITY", "HEALTH"]
RECORD: Final = "referral { id reference status urgency clientReference sharedCategories reason to { code } person { profile { biography } identity { familyName } health { needs } withheld } consents { id decision categories evidence } case { id } events { edges { node { kind note } } } }"
CASE: Final = "case { id reference status discipline origin riskLevel profile { biography } identity { familyName } health { needs } consents { id } referrals { totalCount } feedRecords { feed { code } records { id } } }"
AGREEMENT: Final = "agreement { id status version purpose categories origins disciplines validUntil approvals { organisation { code } by } replaces { id status } endedBy { code } endReason }"
CHANGED: Final = "case { id status version updatedAt riskLevel origin profile { biography languages } identity { familyName } health { needs disability } assessment { recommendation notes assessedBy assessedOn } presentations { status city { code } } residencies { status } }"
SHOWN: Final = "presentation { id status answeredAt note until categories city { code } case { id status } }"
STAY: Final = "residency { id status startsOn endsOn city { code } case { id status } }"
GLASS: Final = "case { id emergencies { organisation { code } categories waits askedAt approvedAt until reason } disclosure { category visible basis } }"
WEBHOOK: Final = "webhook { id url events status createdAt lastDeliveryAt failures lastProblem pausedAt }"
ORGANISATION: Final = "organisation { id code name kind website city { code country } }"
FEED: Final = "feed { id code kind state paused organisation { code } }"
CLIENT: Final = "client { id clientId name scopes status jwks createdAt lastUsedAt }"
USER: Final = "user { id email name roles scopes status lastSeenAt }"
OPERATIONS: Final = {
    "submitReferral": ("SubmitReferralInput", RECORD),
    "withdrawReferral": ("WithdrawReferralInput", RECORD),
    "respondToReferral": ("RespondToReferralInput", RECORD),
    "sendMessage": ("SendMessageInput", "message { id from { code } body at }"),
    "openCase": ("OpenCaseInput", CASE),
    "shareCase": ("ShareCaseInput", CASE),
    "updateCase": ("UpdateCaseInput", CHANGED),
    "sealCase": ("SealCaseInput", CHANGED),
    "unshareCase": ("UnshareCaseInput", CHANGED),
    "mergeCases": ("MergeCasesInput", CHANGED),
    "presentCase": ("PresentCaseInput", CHANGED),
    "answerPresentation": ("AnswerPresentationInput", SHOWN),
    "offerResidency": ("OfferResidencyInput", STAY),
    "updateResidency": ("UpdateResidencyInput", STAY),
    "publishVacancies": ("PublishVacanciesInput", "city { code vacancies }"),
    "linkRecords": ("LinkRecordsInput", CASE),
    "unlinkRecords": ("LinkRecordsInput", CASE),
    "holdCase": ("HoldCaseInput", CASE),
    "setLegalHold": ("LegalHoldInput", "case { id legalHold { held proposed since } }"),
    "eraseCase": ("EraseCaseInput", "erased"),
    "recordConsent": ("RecordConsentInput", "consent { id decision categories givenOn validUntil withdrawnAt evidence organisation { code } case { id } }"),
    "withdrawConsent": ("WithdrawConsentInput", "consent { id withdrawnAt }"),
    "acknowledgeRetraction": ("AcknowledgeRetractionInput", "retraction { id acknowledgedAt note }"),
    "breakGlass": ("BreakGlassInput", GLASS),
    "approveBreakGlass": ("ApproveBreakGlassInput", GLASS),
    "proposeAgreement": ("ProposeAgreementInput", AGREEMENT),
    "approveAgreement": ("ApproveAgreementInput", AGREEMENT),
    "endAgreement": ("EndAgreementInput", AGREEMENT),
    "createOrganisation": ("CreateOrganisationInput", ORGANISATION),
    "updateOrganisation": ("UpdateOrganisationInput", ORGANISATION),
    "createFeed": ("CreateFeedInput", FEED),
    "updateFeed": ("UpdateFeedInput", FEED),
    "syncFeed": ("SyncFeedInput", FEED),
    "createClient": ("CreateClientInput", CLIENT),
    "updateClient": ("UpdateClientInput", CLIENT),
    "disableClient": ("DisableClientInput", CLIENT),
    "inviteUser": ("InviteUserInput", USER),
    "updateUser": ("UpdateUserInput", USER),
    "disableUser": ("DisableUserInput", USER),
    "createWebhook": ("CreateWebhookInput", WEBHOOK),
    "resumeWebhook": ("ResumeWebhookInput", WEBHOOK),
    "deleteWebhook": ("DeleteWebhookInput", WEBHOOK),
}  # fmt: skip
COUNTED: Final = (
    "referral", "referral_key", "referral_person", "referral_event", "agreement", "agreement_approval", "agreement_end", "message", "consent", "case_file", "case_key", "case_identity", "case_name_digest", "share", "hold", "presentation", "residency", "case_decision", "merged_case", "case_alias", "emergency", "retraction",
    "feed", "feed_version", "feed_record_link", "legal_hold", "erasure", "event", "organisation", "city", "usr", "client", "case_access", "referral_access",
    "webhook", "webhook_secret",
)  # fmt: skip
LINKED: Final = "query ($id: ID!) { case(by: {id: $id}) { id status identity { familyName } health { needs } } }"


def operation(name: str) -> str:
    """Write the mutation of a name, reading back all there is."""
    kind, back = OPERATIONS[name]
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {back} problems {{ code message path }} }} }}"


async def run(world: World, client: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run a command that is answered; give its payload."""
    answer = await world.data(client, operation(name), {"input": {"idempotencyKey": str(uuid4()), **given}})
    payload: dict[str, Any] = answer[name]
    return payload


async def done(world: World, client: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run a command that has no problem; give what it changed."""
    payload = await run(world, client, name, given)
    assert payload.pop("problems") == []
    (changed,) = payload.values()
    assert changed is not None
    result: dict[str, Any] = changed
    return result


async def found(world: World, client: str, name: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """Run a command that has problems; give (code, path) of each. Nothing was changed, and no message repeats an input."""
    before = await counts(world)
    payload = await run(world, client, name, given)
    problems = payload.pop("problems")
    assert not any(payload.values())
    assert await counts(world) == before
    assert all(secret not in problem["message"] for problem in problems for secret in SECRETS)
    return [(problem["code"], ".".join(problem["path"])) for problem in problems]


def consent(**changed: Any) -> dict[str, Any]:
    """Give a consent to everyone."""
    return {
        "decision": "ALLOW", "recipients": {"everyPartner": True}, "categories": AGREED, "givenOn": "2026-05-20", "evidence": "Rowanevidence", **changed,
    }  # fmt: skip


def referral(**changed: Any) -> dict[str, Any]:
    """Give a referral to ICORN."""
    return {
        "discipline": "WRITER", "origin": "IR", "urgency": "URGENT", "reason": "Hazelreason", "person": PERSON, "consents": [consent()], **changed,
    }  # fmt: skip


async def counts(world: World) -> dict[str, int]:
    """Count the rows of every table that a command may write."""
    return {table: await world.admin.fetchval(f"select count(*) from {table}") for table in COUNTED}  # noqa: S608 a table's name


async def events(world: World) -> list[str]:
    """Give the kinds of the events in the outbox, in order."""
    return [row["kind"] for row in await world.admin.fetch("select kind from event order by id")]


async def case_id(world: World, case: UUID, organisation: str = "icorn") -> str:
    """Say how an organisation knows a case, or would."""
    name = await world.admin.fetchval("select pairwise($1, 'case', $2)", world.organisations[organisation], case)
    return f"case_{name}"


async def reference(world: World, case: UUID, organisation: str = "icorn") -> str:
    """Say what an organisation calls a case in speech."""
    organisations = world.organisations[organisation]
    found: str = await world.admin.fetchval("select spoken('C-', pairwise($1, 'case', $2))", organisations, case)
    return found


async def city_office(world: World, code: str = "bergen", *scopes: str) -> str:
    """Let a city take part: an organisation that is its office, with a client; give what a presentation of it needs."""
    await world.organisation(f"{code}-office", "CITY")
    if not await world.admin.fetchval("select true from city where code = $1", code):
        await world.city(code)
    await world.admin.execute(
        "update organisation set city = (select id from city where code = $1) where code = $1 || '-office'", code
    )
    await world.client(code, f"{code}-office", list(scopes) or None)
    return f"city_{code}"


async def referral_id(world: World, subject: UUID, organisation: str = "icorn") -> str:
    """Say how an organisation knows a referral, or would."""
    name = await world.admin.fetchval("select pairwise($1, 'referral', $2)", world.organisations[organisation], subject)
    return f"referral_{name}"


async def consent_id(world: World, case: UUID, made: UUID, organisation: str = "icorn") -> str:
    """Say how an organisation knows a consent about a case, or would."""
    organisations = world.organisations[organisation]
    name = await world.admin.fetchval("select child_name(pairwise($1, 'case', $2), $3)", organisations, case, made)
    return f"consent_{name}"


async def feed_record(world: World, name: str, organisation: str = "pen-centre", **columns: Any) -> UUID:
    """Add a record of a sister feed, of its own feed, with a person in it."""
    await world.insert(
        "feed", code=f"feed-{name}", organisation=world.organisations[organisation], kind="REST", settings={}, mapping={}, every="PT15M", overlap="PT15M",
        full_every="P1D", removal_share=0.25, paused=False, state="FRESH", passes=0,
    )  # fmt: skip
    feed = await world.admin.fetchval("select id from feed where code = $1", f"feed-{name}")
    record, key = uuid4(), world.sealing.new_key()
    values = {"discipline": "WRITER", "origin": "IR", "present": True, **columns}
    await world.insert("feed_record", id=record, feed=feed, source_id=name, fetched_at="2026-06-01T11:55:00Z", seen=1, **values)  # fmt: skip
    await world.insert("feed_record_key", record=record, kek=key.kek, wrapped=key.wrapped)
    sealed = world.sealing.seal(key.plain, f"feed_record:{record}", "HEALTH", 1, b'{"needs":"Sycamore medicine"}')
    await world.insert("feed_record_person", record=record, category="HEALTH", key_version=1, sealed=sealed)
    return record
