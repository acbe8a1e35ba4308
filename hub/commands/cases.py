"""This module changes cases. Only ICORN's desk does; row policies hold it to that."""

import uuid
from typing import Any

import msgspec

from hub.commands.asker import WRITTEN, Asker, Input, Organisation, Problems, problems, sealed_text
from hub.commands.lifecycle import STEPS, Party, wrong
from hub.commands.person import judge_person, judge_text, person_documents
from hub.engine.bind import name_digest
from hub.engine.parameters import split_id
from schema.enums import Category

NOT_THERE = "There is nothing with this id."
RECORDS = 50


async def open_case(asker: Asker, given: Input) -> uuid.UUID:
    """Open a case from a referral, a feed record, or a first conversation, with what they said of the person."""
    referral, record = await _sources(asker, given)
    documents: dict[str, bytes] = {}
    if record:
        documents |= await _opened(asker, "feed_record", "record", record["id"])
    if referral:
        documents |= await _opened(asker, "referral", "referral_id", referral["id"])
    with problems() as found:
        _judge_loosening(documents, given, found)
    documents |= person_documents(given.get("person"))
    case = asker.new_id("case")
    said = referral or record or {}
    await asker.connection.execute(
        "insert into case_file (id, discipline, origin, risk_level, opened_on, updated_at)"
        " values ($1, $2::text::discipline, $3, $4::text::risk_level, (hub_now() at time zone 'UTC')::date, hub_now())",
        case,
        str(given.get("discipline") or said.get("discipline")),
        given.get("origin") or said.get("origin"),
        str(given["riskLevel"]),
    )
    await _store(asker, case, documents)
    if referral:
        await carry(asker, referral["id"], case)
    with problems() as found:
        if record and not await _link(asker, case, record["id"], None):
            found.add("ALREADY_OPEN", "This record is linked to a case already.", "feedRecord")
    await asker.tell("case.opened", case=case, referral=referral["id"] if referral else None)
    return case


async def _sources(asker: Asker, given: Input) -> tuple[Any, Any]:
    """Find the referral and the feed record that a case is opened from, if it is, and say what is wrong with them."""
    referral = record = None
    with problems() as found:
        await desk(asker, found)
        today = await asker.connection.fetchval("select (hub_now() at time zone 'UTC')::date")
        judge_person(given.get("person"), found, today)
        if given.get("referral") is not None:
            referral = await asker.referral(given["referral"])
            if referral is None:
                found.add("NOT_FOUND", NOT_THERE, "referral")
            elif referral["case_id"] is not None:
                found.add("ALREADY_OPEN", "This referral has a case already.", "referral")
            elif trouble := wrong(STEPS["openCase"], {Party.ICORN}, referral["status"]):
                found.add(*trouble, "referral")
        if given.get("feedRecord") is not None:
            record = await named_record(asker, given["feedRecord"])
            if record is None:
                found.add("NOT_FOUND", NOT_THERE, "feedRecord")
            elif record["linked"]:
                found.add("ALREADY_OPEN", "This record is linked to a case already.", "feedRecord")
        if not (given.get("discipline") or (referral or record or {}).get("discipline") or found.found):
            found.add("REQUIRED", "Say the discipline: neither a referral nor a record does.", "discipline")
    return referral, record


def _judge_loosening(said: dict[str, bytes], given: Input, found: Problems) -> None:
    """Refuse to open a case as of somebody who may be contacted directly, of whom the referral or record says that they must not."""
    contact = (given.get("person") or {}).get("contact") or {}
    before = msgspec.json.decode(said.get("CONTACT", b"{}"))
    if contact.get("mayContactDirectly") and before.get("mayContactDirectly") is False:
        found.add(
            "UNSAFE_CONTACT",
            "Whoever referred the person says that they must not be contacted directly: ask them first.",
            "person",
            "contact",
            "mayContactDirectly",
        )


async def carry(asker: Asker, referral: uuid.UUID, case: uuid.UUID) -> None:
    """Take a referral into a case, with the consents that came along."""
    await asker.connection.execute(
        "update consent set case_id = $2, accepted = true where referral_id = $1", referral, case
    )
    await asker.connection.execute("update referral set case_id = $2 where id = $1", referral, case)


async def share_case(asker: Asker, given: Input) -> uuid.UUID:
    """Open one case to one organisation, until a date; consent still decides what it sees."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        organisation = await named_partner(asker, given, found)
        judge_reason(given, found)
        categories = await judge_shared(asker, given, found)
    assert case is not None and organisation is not None  # noqa: S101, PT018 missing ones are problems
    await asker.connection.execute(
        "insert into share (id, case_id, organisation, categories, starts, until, reason) values ($1, $2, $3, $4::text[]::category[], hub_now(), $5, $6)",
        asker.new_id("share"),
        case,
        organisation.id,
        categories,
        given.get("until"),
        await sealed_reason(asker, case, given),
    )
    await asker.tell("case.shared", case=case)
    return case


async def hold_case(asker: Asker, given: Input) -> uuid.UUID:
    """Keep a case from an organisation whatever else allows it, or end that."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        organisation = await named_partner(asker, given, found)
        judge_reason(given, found)
    assert case is not None and organisation is not None  # noqa: S101, PT018 missing ones are problems
    reason = await sealed_reason(asker, case, given)
    if given["held"]:
        await asker.connection.execute(
            "insert into hold (id, case_id, organisation, starts, reason) select $1, $2, $3, hub_now(), $4"
            " where not exists (select from hold where case_id = $2 and organisation = $3 and ended_at is null)",
            asker.new_id("hold"),
            case,
            organisation.id,
            reason,
        )
    else:
        await asker.connection.execute(
            "update hold set ended_at = hub_now(), end_reason = $3 where case_id = $1 and organisation = $2 and ended_at is null",
            case,
            organisation.id,
            reason,
        )
    await asker.tell("case.held", case=case)
    return case


async def link_records(asker: Asker, given: Input) -> uuid.UUID:
    """Say that feed records are of the same person as a case: a decision of ICORN's staff, never made by itself."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        judge_reason(given, found)
        if not 0 < len(given["records"]) <= RECORDS:
            found.add("BAD_COUNT", f"Name 1 to {RECORDS} records.", "records")
        records = [await named_record(asker, identifier) for identifier in given["records"][:RECORDS]]
        for number, record in enumerate(records):
            if record is None:
                found.add("NOT_FOUND", NOT_THERE, "records", number)
            elif record["linked"] not in (None, case):
                _elsewhere(found, number)
    assert case is not None  # noqa: S101 a missing one is a problem
    reason = await sealed_reason(asker, case, given)
    with problems() as found:
        for number, record in enumerate(records):
            # Somebody else may link it at this very moment: the table decides who was first.
            if record["linked"] is None and not await _link(asker, case, record["id"], reason):
                again = await named_record(asker, given["records"][number])
                if again is None or again["linked"] != case:
                    _elsewhere(found, number)
    await asker.tell("case.linked", case=case)
    return case


async def desk(asker: Asker, found: Problems) -> None:
    """Stop here for anybody else: what more is wrong would tell of cases that they may not see."""
    if not await asker.is_icorn():
        found.add("NOT_ALLOWED", "Only ICORN's desk changes cases.")
        found.settle()


async def named_case(asker: Asker, given: Input, found: Problems) -> uuid.UUID | None:
    """Find the case that an input names, or say that it is not there."""
    case = await asker.case(given["case"])
    if case is None:
        found.add("NOT_FOUND", NOT_THERE, "case")
    return case


async def judge_shared(asker: Asker, given: Input, found: Problems) -> list[str]:
    """Read what is to be opened to somebody and until when: what comes first is named, and what is ICORN's own is not."""
    categories = list(dict.fromkeys(str(c) for c in given["categories"]))
    if Category.OVERVIEW not in categories:
        found.add("REQUIRED", "OVERVIEW comes before every other category: name it too.", "categories")
    if Category.ASSESSMENT in categories:
        found.add("NOT_SHAREABLE", "ASSESSMENT is ICORN's own and is never shared.", "categories")
    if given.get("until") is not None and given["until"] <= await asker.connection.fetchval("select hub_now()"):
        found.add("IN_THE_PAST", "until must be a time to come.", "until")
    return categories


async def named_partner(asker: Asker, given: Input, found: Problems) -> Organisation | None:
    """Find the partner that an input names, or say that it is none."""
    organisation = await asker.organisation(given["organisation"])
    if organisation is None:
        found.add("NOT_FOUND", NOT_THERE, "organisation")
    elif organisation.kind == "ICORN":
        found.add("NOT_ALLOWED", "ICORN keeps the case: name a partner.", "organisation")
    return organisation


async def named_record(asker: Asker, identifier: str) -> Any:
    """Find a record of a feed that the asker may read, and the case that it is linked to."""
    return await asker.connection.fetchrow(
        "select r.id, r.discipline::text as discipline, r.origin, l.case_id as linked from feed_record r"
        " left join feed_record_link l on l.record = r.id where r.id = $1::text::uuid and r.present and viewer_has('feeds:read')",
        split_id(identifier, "uuid:record"),
    )


def judge_reason(given: Input, found: Problems) -> None:
    """Ask for a reason."""
    judge_text(given["reason"], found, "reason", required="Say why: whoever looks later must understand it.")


async def sealed_reason(asker: Asker, case: uuid.UUID, given: Input) -> bytes | None:
    """Seal the reason under the key of the case."""
    return sealed_text(asker.sealing, await asker.case_key(case), f"case:{case}", "REASON", given["reason"])


def _elsewhere(found: Problems, number: int) -> None:
    found.add("LINKED_ELSEWHERE", "This record is linked to another case: unlink it there first.", "records", number)


async def _link(asker: Asker, case: uuid.UUID, record: uuid.UUID, reason: bytes | None) -> bool:
    """Link a record to a case, unless it is linked; tell whether it was done."""
    done: str = await asker.connection.execute(
        "insert into feed_record_link (case_id, record, linked_at, linked_by, linked_by_client, reason) values ($1, $2, hub_now(), $3, $4, $5)"
        " on conflict do nothing",
        case,
        record,
        asker.principal.organisation,
        asker.principal.client,
        reason,
    )
    return done == WRITTEN


async def _opened(asker: Asker, noun: str, column: str, subject: uuid.UUID) -> dict[str, bytes]:
    """Open every document of a referral or feed record that the asker's scopes open."""
    rows = await asker.connection.fetch(
        f"select s.category::text, s.key_version, s.sealed, k.kek, k.wrapped from {noun}_person s"  # noqa: S608 our own names
        f" join {noun}_key k on k.{column} = s.{column} where s.{column} = $1 and viewer_has('cases:' || lower(s.category::text))",
        subject,
    )
    return {
        row["category"]: asker.sealing.open(
            asker.sealing.key(row["kek"], row["wrapped"]),
            f"{noun}:{subject}",
            row["category"],
            row["key_version"],
            row["sealed"],
        )
        for row in rows
    }


async def _store(asker: Asker, case: uuid.UUID, documents: dict[str, bytes]) -> None:
    """Seal documents under a new key of the case, and index the family name."""
    key = asker.sealing.new_key()
    await asker.connection.execute(
        "insert into case_key (case_id, kek, wrapped) values ($1, $2, $3)", case, key.kek, key.wrapped
    )
    for category, document in documents.items():
        await asker.connection.execute(
            f"insert into case_{category.lower()} (case_id, sealed) values ($1, $2)",  # noqa: S608 a category's name
            case,
            asker.sealing.seal(key.plain, f"case:{case}", category, 1, document),
        )
    family_name = msgspec.json.decode(documents.get("IDENTITY", b"{}")).get("familyName")
    if family_name:
        await asker.connection.execute(
            "insert into case_name_digest (case_id, family_name) values ($1, $2)",
            case,
            name_digest(asker.index_key, family_name),
        )
