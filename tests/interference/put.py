"""This module puts a world of facts into a database: rows by plain INSERT, sealed as the hub seals."""

import hashlib
from typing import Any

import msgspec

from hub.engine.bind import name_digest
from tests.interference.acting import put_user
from tests.interference.documents import STATISTICS, said
from tests.interference.facts import (
    CITIES,
    FEEDS,
    ORGANISATIONS,
    Access,
    Agreement,
    Case,
    Client,
    Consent,
    Document,
    Emergency,
    Fact,
    Freeze,
    Hold,
    LegalHold,
    Link,
    Merged,
    Message,
    Outcome,
    Presentation,
    Record,
    Referral,
    Residency,
    Retraction,
    Share,
    User,
    Webhook,
    World,
)
from tests.interference.hooked import put_webhook
from tests.interference.logged import NO_TRANSACTION, log
from tests.interference.names import pairwise, row_id
from tests.interference.principals import Principal
from tests.world import UNLIMITED
from tests.world import World as Hub

ORDER = (
    Case, Agreement, Referral, Record, Client, User, Outcome, Document, Residency, Message, Consent, Share, Presentation, Merged, Hold, Freeze, LegalHold, Link, Emergency, Webhook,
)  # fmt: skip
START = "2026-01-01T00:00:00Z"


class Putter:
    """Puts one world into one hub's database."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._keys: dict[str, bytes] = {}

    async def put(self, principal: Principal, world: World) -> None:
        """Put everything there: who takes part, the principal's client, and the facts."""
        hub = self._hub
        for code, kind in ORGANISATIONS.items():
            await hub.organisation(code, kind)
        for code in CITIES:
            await hub.city(code)
        await hub.admin.execute(
            "update organisation set city = (select id from city where code = 'bergen') where kind <> 'ICORN'"
        )
        for code, owner in FEEDS.items():
            await hub.insert(
                "feed", code=code, organisation=hub.organisations[owner], kind="REST", settings={}, mapping={},
                every="PT15M", overlap="PT15M", full_every="P1D", removal_share=0.25, paused=True, passes=1, state="FRESH",
                last_synced_at="2026-06-01T11:55:00Z",
            )  # fmt: skip
        # Its tokens have fewer scopes: those of the principal.
        await hub.client(principal.client, principal.organisation, limits=UNLIMITED)
        # A named release: whatever the two worlds differ in came after it.
        await hub.insert("statistics_release", period="2026-04-01", as_of="2026-04-01", smallest_cell=10)
        for column, value in STATISTICS.items():
            await hub.insert("statistics_cell", period="2026-04-01", count=20, **({column: value} if column else {}))
        await self.facts(world)
        await log(hub, [fact for fact in world if isinstance(fact, Access)])
        # Logs that come after access had ended are retracted at once, and what ended by time soon. In these worlds retractions are facts.
        await hub.admin.execute("select retract_lapsed()")
        await hub.admin.execute("delete from event where retraction_id is not null")
        await hub.admin.execute("delete from retraction")
        for fact in sorted((f for f in world if isinstance(f, Retraction)), key=repr):
            await self._retraction(fact)

    async def facts(self, world: World) -> None:
        """Put facts into a database that has everyone who takes part."""
        hub = self._hub
        await hub.admin.execute(NO_TRANSACTION)
        # Access is refreshed once at the end instead of after every row; that it follows every row is tested elsewhere.
        await hub.admin.execute("set session_replication_role = replica")
        for fact in sorted((f for f in world if type(f) in ORDER), key=lambda f: (ORDER.index(type(f)), repr(f))):
            await self._fact(fact)
        await hub.admin.execute("set session_replication_role = origin")
        await hub.admin.execute("select refresh_case_access(array(select id from case_file), null)")
        await hub.admin.execute("select refresh_referral_access(array(select id from referral))")

    def _seal(self, subject: str, name: str, document: Any) -> bytes:
        text = document if isinstance(document, bytes) else msgspec.json.encode(document)
        return self._hub.sealing.seal(self._keys[subject], subject, name, 1, text)

    async def _key(self, table: str, column: str, subject: str, number: int) -> None:
        key = self._hub.sealing.new_key()
        self._keys[f"{subject}:{row_id(subject.replace('feed_', ''), number)}"] = key.plain
        await self._hub.insert(
            table, **{column: row_id(subject.replace("feed_", ""), number)}, kek=key.kek, wrapped=key.wrapped
        )

    async def _fact(self, fact: Fact) -> None:  # noqa: C901, PLR0912, PLR0915 one case a kind of fact
        hub, insert, org = self._hub, self._hub.insert, self._hub.organisations
        match fact:
            case Case():
                await insert(
                    "case_file", id=row_id("case", fact.id), status=fact.status, discipline=fact.discipline, origin=fact.origin, version=1,
                    risk_level=fact.risk_level, opened_on=fact.opened_on, updated_at=fact.updated_at, sealed=fact.sealed, pseudonym=row_id("pseudonym", fact.id),
                )  # fmt: skip
                await self._key("case_key", "case_id", "case", fact.id)
            case Document(category=category):
                case = row_id("case", fact.case)
                document = said(category, fact.variant)
                sealed = self._seal(f"case:{case}", category, document)
                await insert(f"case_{category.lower()}", case_id=case, key_version=1, sealed=sealed)
                if category == "IDENTITY":
                    await insert(
                        "case_name_digest", case_id=case, family_name=name_digest(hub.index_key, document["familyName"])
                    )
            case Residency():
                city = CITIES.index(fact.city) + 1
                await insert(
                    "residency", id=row_id("residency", fact.id), case_id=row_id("case", fact.case), city=city, status=fact.status, starts_on=fact.starts_on,
                )  # fmt: skip
            case Referral():
                await self._referral(fact)
            case Message():
                referral = row_id("referral", fact.referral)
                text = self._seal(f"referral:{referral}", "BODY", f"Text {fact.variant}".encode())
                await insert(
                    "message",
                    referral_id=referral,
                    ordinal=fact.ordinal,
                    organisation=org[fact.by],
                    at=START,
                    body=text,
                )
                note = self._seal(f"referral:{referral}", "NOTE", f"Note {fact.variant}".encode())
                await insert(
                    "referral_event", referral_id=referral, ordinal=fact.ordinal + 1, kind="MESSAGE", status="SUBMITTED", organisation=org[fact.by], at=START, note=note
                )  # fmt: skip
            case Agreement():
                await insert(
                    "agreement", id=row_id("agreement", fact.id), organisation=org[fact.organisation], purpose="PROTECTION", categories=fact.categories,
                    origins=fact.origins, disciplines=fact.disciplines, valid_from=START, valid_until=fact.valid_until, approved_at=fact.approved_at, ended_at=fact.ended_at,
                )  # fmt: skip
                for side in sorted({fact.organisation, "icorn"}) if fact.approved_at else ():
                    await insert(
                        "agreement_approval", agreement=row_id("agreement", fact.id), organisation=org[side], approver="a director", at=fact.approved_at
                    )  # fmt: skip
            case Consent():
                await self._consent(fact)
            case Presentation():
                case = row_id("case", fact.case)
                note = self._seal(f"case:{case}", "NOTE", f"Said {fact.variant}".encode())
                await insert(
                    "presentation", id=row_id("presentation", fact.id), case_id=case, organisation=org[fact.organisation], categories=fact.categories,
                    status=fact.status, presented_at=START, until=fact.until, **({"answered_at": fact.answered_at, "note": note} if fact.answered_at else {}),
                )  # fmt: skip
            case Merged():
                case, former = row_id("case", fact.case), row_id("case", fact.former)
                await insert("merged_case", former=former, kept=case)
                await hub.admin.execute(
                    "insert into case_alias select o.id, $1, pairwise(o.id, 'case', $1), spoken('C-', pairwise(o.id, 'case', $1)), $2, pairwise(o.id, 'case', $2),"
                    " spoken('C-', pairwise(o.id, 'case', $2)) from organisation o",
                    former,
                    case,
                )
            case Share():
                await insert(
                    "share", id=row_id("share", fact.id), case_id=row_id("case", fact.case), organisation=org[fact.organisation],
                    categories=fact.categories, starts=START, until=fact.until,
                )  # fmt: skip
            case Hold():
                await insert(
                    "hold", id=row_id("hold", fact.id), case_id=row_id("case", fact.case), organisation=org[fact.organisation], starts=START, ended_at=fact.ended_at,
                )  # fmt: skip
            case Freeze():
                frozen = None if fact.case is None else row_id("case", fact.case)
                await insert("frozen", id=row_id("freeze", fact.id), case_id=frozen, country=fact.country, starts=START, ended_at=fact.ended_at)  # fmt: skip
            case LegalHold():
                case = row_id("case", fact.case)
                why = self._seal(f"case:{case}", "REASON", b"A court asked.")
                await insert(
                    "legal_hold", case_id=case, held=fact.held, since=START, reason=why,
                    **({"proposed": not fact.held, "proposed_reason": why, "client": "else", "usr": ""} if fact.proposed else {}),
                )  # fmt: skip
            case Record():
                await self._record(fact)
            case Link():
                await insert(
                    "feed_record_link", record=row_id("record", fact.record), case_id=row_id("case", fact.case), linked_at=START, linked_by=org["icorn"]
                )  # fmt: skip
            case Emergency():
                case = row_id("case", fact.case)
                reason = self._seal(f"case:{case}", "REASON", f"Because {fact.variant}".encode())
                approved = {} if fact.approved_at is None else {"approved_at": fact.approved_at, "approver": "somebody"}
                await insert(
                    "emergency", id=row_id("emergency", fact.id), case_id=case, organisation=org[fact.organisation], categories=fact.categories, asked_at=fact.asked_at,
                    client="else", usr="", reason=reason, **approved,
                )  # fmt: skip
            case Outcome():
                digest = hashlib.sha256(str(fact.variant).encode()).digest()
                await insert(
                    "outcome", organisation=org[fact.organisation], client=fact.client, usr="", key=fact.key, mutation="submitReferral", input_digest=digest,
                    problems=[], at=START,
                )  # fmt: skip
            case Webhook():
                await put_webhook(hub, fact)
            case Client():
                await insert(
                    "client", client_id=fact.name, organisation=org[fact.organisation], name=fact.name, scopes=["cases:read"], status="ACTIVE", created_at=START
                )  # fmt: skip
                await insert("auth.client_key", client_id=fact.name, jwks={"keys": []})
            case User():
                await put_user(hub, fact)

    async def _referral(self, fact: Referral) -> None:
        insert, org, referral = self._hub.insert, self._hub.organisations, row_id("referral", fact.id)
        case = None if fact.case is None else row_id("case", fact.case)
        await insert(
            "referral", id=referral, sender=org[fact.sender], recipient=org[fact.recipient], status=fact.status, urgency=fact.urgency, discipline="WRITER", origin="IR",
            submitted_at=fact.submitted_at, updated_at=fact.submitted_at, client=fact.client, usr="", client_reference=fact.client_reference,
            shared_categories=fact.shared, case_id=case, pseudonym=row_id("pseudonym r", fact.id),
        )  # fmt: skip
        await self._key("referral_key", "referral_id", "referral", fact.id)
        for category in fact.shared[1:]:
            sealed = self._seal(f"referral:{referral}", category, said(category, fact.variant))
            await insert("referral_person", referral_id=referral, category=category, key_version=1, sealed=sealed)
        await insert(
            "referral_event", referral_id=referral, ordinal=1, kind="SUBMITTED", status="SUBMITTED", organisation=org[fact.sender], at=fact.submitted_at
        )  # fmt: skip

    async def _consent(self, fact: Consent) -> None:
        org = self._hub.organisations
        case = None if fact.case is None else row_id("case", fact.case)
        referral = None if fact.referral is None else row_id("referral", fact.referral)
        evidence = self._seal(
            f"case:{case}" if referral is None else f"referral:{referral}", "EVIDENCE", f"Form {fact.variant}".encode()
        )
        await self._hub.insert(
            "consent", id=row_id("consent", fact.id), case_id=case, referral_id=referral, decision=fact.decision,
            organisation=None if fact.organisation is None else org[fact.organisation], categories=fact.categories, given_on=fact.given_on,
            valid_until=fact.valid_until, withdrawn_at=fact.withdrawn_at, recorded_by=org[fact.recorded_by],
            accepted=fact.accepted, evidence=evidence, silent_on=[str(row_id("case", number)) for number in fact.silent_on],
        )  # fmt: skip

    async def _retraction(self, fact: Retraction) -> None:
        insert, retraction = self._hub.insert, row_id("retraction", fact.id)
        await insert(
            "retraction", id=retraction, organisation=self._hub.organisations[fact.organisation], kind=fact.kind, categories=fact.categories, at=fact.at,
            subject=pairwise(fact.organisation, fact.kind, fact.subject), icorn_subject=pairwise("icorn", fact.kind, fact.subject), acknowledged_at=fact.acknowledged_at,
        )  # fmt: skip
        if fact.variant is not None:
            await self._key("retraction_key", "retraction_id", "retraction", fact.id)
            note = self._seal(f"retraction:{retraction}", "NOTE", f"Kept {fact.variant}".encode())
            await self._hub.admin.execute("update retraction set note = $2 where id = $1", retraction, note)

    async def _record(self, fact: Record) -> None:
        insert, record = self._hub.insert, row_id("record", fact.id)
        await insert(
            "feed_record", id=record, feed=list(FEEDS).index(fact.feed) + 1, source_id=f"source-{fact.id}", discipline="WRITER", origin=fact.origin,
            updated_at=fact.updated_at, fetched_at=START, present=fact.present, seen=1,
        )  # fmt: skip
        await self._key("feed_record_key", "record", "feed_record", fact.id)
        for category in fact.categories:
            sealed = self._seal(f"feed_record:{record}", category, said(category, fact.variant))
            await insert("feed_record_person", record=record, category=category, key_version=1, sealed=sealed)
