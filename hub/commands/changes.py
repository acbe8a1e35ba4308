"""This module changes a case that is there: what is said of the person, its seal, and what was opened or linked by mistake."""

import uuid
from typing import Any

import msgspec

from hub.commands.asker import Asker, Input, Problems, problems
from hub.commands.cases import (
    NOT_THERE,
    RECORDS,
    desk,
    judge_reason,
    named_case,
    named_partner,
    named_record,
    sealed_reason,
)
from hub.commands.moving import judge_case, move, overview
from hub.commands.person import judge_contact, judge_text, judge_texts
from hub.engine.bind import name_digest
from schema.persons import PERSONAL

OVERVIEW = {"discipline": "discipline", "origin": "origin", "riskLevel": "risk_level"}


async def update_case(asker: Asker, given: Input) -> uuid.UUID:
    """Change a case as it was read: whoever read an older one is told so, and changes nothing.

    What is left out stays, null clears, and a list takes the place of the one that was there.
    """
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        today = await asker.connection.fetchval("select (hub_now() at time zone 'UTC')::date")
        said = _said(given)
        judge_texts(given.get("person"), found, today)
        for name, text in (given.get("assessment") or {}).items():
            if text is not None:
                judge_text(text, found, "assessment", name)
        for place, category in said:
            if not asker.principal.scopes.issuperset({f"cases:{category.lower()}"}):
                found.add("NOT_ALLOWED", f"To change {category} asks for the scope cases:{category.lower()}.", *place)
        for name in ("status", "riskLevel", "discipline"):
            if name in given and given[name] is None:
                found.add("REQUIRED", "It can be changed, and not cleared: leave the field out.", name)
        was = None if case is None else await overview(asker, case)
        if was is not None:
            _judge(given, was, found)
    assert case is not None and was is not None  # noqa: S101, PT018 missing ones are problems
    key = await asker.case_key(case)
    for _, category in said:
        change = given.get("assessment") if category == "ASSESSMENT" else given["person"][category.lower()]
        if category == "ASSESSMENT" and change is not None:
            change = {**change, "assessedBy": asker.principal.user or asker.principal.client, "assessedOn": today}
        await _rewrite(asker, case, key, category, change)
    await _overview(asker, case, given, was)
    if given.get("status") is not None:
        await move(asker, case, was["status"], str(given["status"]))
    await asker.tell("case.updated", case=case)
    return case


def _said(given: Input) -> list[tuple[tuple[str, ...], str]]:
    """Name the categories that an input speaks of, each with its place."""
    person = given.get("person") or {}
    found = [(("person", c.lower()), str(c)) for c in PERSONAL if c.lower() in person]
    return [*found, *([(("assessment",), "ASSESSMENT")] if "assessment" in given else [])]


def _judge(given: Input, was: Any, found: Problems) -> None:
    if given["expectedVersion"] != str(was["version"]):
        found.add("STALE", "The case was changed since you read it: read it again, and change what is there now.", "expectedVersion")  # fmt: skip
    elif given.get("status") is not None and str(given["status"]) != was["status"]:
        judge_case("updateCase", was["status"], str(given["status"]), found, "status")


async def _overview(asker: Asker, case: uuid.UUID, given: Input, was: Any) -> None:
    """Write the overview; updatedAt moves if it says something else than before, and the version with every change."""
    values = [given.get(name, was[column]) for name, column in OVERVIEW.items()]
    told = [None if value is None else str(value) for value in values]
    await asker.connection.execute(
        "update case_file set version = version + 1, discipline = $2::text::discipline, origin = $3, risk_level = $4::text::risk_level,"
        " updated_at = case when $5 then hub_now() else updated_at end where id = $1",
        case,
        *told,
        told != [was[column] for column in OVERVIEW.values()],
    )


async def _rewrite(asker: Asker, case: uuid.UUID, key: bytes, category: str, change: Input | None) -> None:
    """Write one document anew under the case's key, with what an input says put into it; null takes it away."""
    table, subject = f"case_{category.lower()}", f"case:{case}"
    if change is None:
        await asker.connection.execute(f"delete from {table} where case_id = $1", case)  # noqa: S608 a category's name
        document: dict[str, Any] = {}
    else:
        row = await asker.connection.fetchrow(f"select key_version, sealed from {table} where case_id = $1", case)  # noqa: S608 as above
        version = row["key_version"] + 1 if row else 1
        before = asker.sealing.open(key, subject, category, row["key_version"], row["sealed"]) if row else b"{}"
        document = {name: value for name, value in (msgspec.json.decode(before) | change).items() if value is not None}
        if category == "CONTACT":
            # It is judged whole: what the change leaves as it was counts too.
            with problems() as found:
                judge_contact(document, found)
        await asker.connection.execute(
            f"insert into {table} (case_id, key_version, sealed) values ($1, $2, $3)"  # noqa: S608 as above
            " on conflict (case_id) do update set key_version = excluded.key_version, sealed = excluded.sealed",
            case,
            version,
            asker.sealing.seal(key, subject, category, version, msgspec.json.encode(document)),
        )
    if category == "IDENTITY":
        await _index(asker, case, document.get("familyName"))


async def _index(asker: Asker, case: uuid.UUID, family_name: str | None) -> None:
    if not family_name:
        await asker.connection.execute("delete from case_name_digest where case_id = $1", case)
        return
    await asker.connection.execute(
        "insert into case_name_digest (case_id, family_name) values ($1, $2) on conflict (case_id) do update set family_name = excluded.family_name",
        case,
        name_digest(asker.index_key, family_name),
    )


async def seal_case(asker: Asker, given: Input) -> uuid.UUID:
    """Take a case out of every agreement's reach, or put it back. Of the overview nothing moves: a seal is not told."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        judge_reason(given, found)
    assert case is not None  # noqa: S101 a missing one is a problem
    await asker.connection.execute(
        "update case_file set sealed = $2, version = version + 1 where id = $1 and sealed <> $2", case, given["sealed"]
    )
    await decide(asker, case, "SEALED" if given["sealed"] else "UNSEALED", await sealed_reason(asker, case, given))
    await asker.tell("case.sealed", case=case)
    return case


async def unshare_case(asker: Asker, given: Input) -> uuid.UUID:
    """End every share of a case with an organisation, now."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        organisation = await named_partner(asker, given, found)
        judge_reason(given, found)
    assert case is not None and organisation is not None  # noqa: S101, PT018 missing ones are problems
    await asker.connection.execute(
        "update share set ended_at = hub_now(), end_reason = $3 where case_id = $1 and organisation = $2 and ended_at is null",
        case,
        organisation.id,
        await sealed_reason(asker, case, given),
    )
    await asker.tell("case.unshared", case=case)
    return case


async def unlink_records(asker: Asker, given: Input) -> uuid.UUID:
    """Say that feed records are not of a case's person after all."""
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
            elif case is not None and record["linked"] != case:
                found.add("NOT_LINKED", "This record is not linked to this case.", "records", number)
    assert case is not None  # noqa: S101 a missing one is a problem
    await asker.connection.execute(
        "delete from feed_record_link where case_id = $1 and record = any ($2)", case, [r["id"] for r in records]
    )
    await decide(asker, case, "UNLINKED", await sealed_reason(asker, case, given))
    await asker.tell("case.unlinked", case=case)
    return case


async def decide(asker: Asker, case: uuid.UUID, kind: str, reason: bytes | None) -> None:
    """Keep why the desk did what leaves no other row behind, and who of it did."""
    await asker.connection.execute(
        "insert into case_decision (id, case_id, kind, at, client, usr, reason) values ($1, $2, $3, hub_now(), $4, $5, $6)",
        asker.new_id("decision"),
        case,
        kind,
        asker.principal.client,
        asker.principal.user or "",
        reason,
    )
