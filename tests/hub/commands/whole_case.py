"""A case with one of everything about it, and a search of the whole database for what is left of it."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from tests.hub.commands.kit import case_id, consent_id, feed_record, reference, referral_id, run
from tests.world import World

KEPT: Final = ("audit", "audit_leaf", "audit_event", "audit_head")
"""The log: it is never changed, and knows the case by pseudonyms that nobody can lead back any more."""


@dataclass(frozen=True)
class Whole:
    """A case, what hangs on it, and everything by which a row could be known as its own."""

    case: UUID
    referral: UUID
    consent: UUID
    record: UUID
    traces: dict[str, str]


async def whole_case(world: World, name: str = "n1") -> Whole:
    """Make it: seen by pen-centre, with an outcome of each kind stored, and an index of its name."""
    case = await world.case()
    referral = await world.referral("pen-centre", case=case)
    consent = await world.consent(case)
    await world.consent(case, "pen-centre", referral_id=referral)
    await world.agreement("pen-centre")
    organisations, city = world.organisations, await world.admin.fetchval("select id from city")
    about: dict[str, Any] = {"case_id": case, "organisation": organisations["arts-haven"]}
    residency, presentation = uuid4(), uuid4()
    await world.insert("residency", id=residency, case_id=case, city=city, status="ACTIVE")
    await world.insert("presentation", id=presentation, categories=["OVERVIEW"], status="OPEN", presented_at="2026-05-01T00:00:00Z", until="2026-07-01T00:00:00Z", **about)  # fmt: skip
    await world.insert("message", referral_id=referral, ordinal=1, organisation=organisations["icorn"], at="2026-05-01T00:00:00Z", body=b"sealed words")  # fmt: skip
    record = await feed_record(world, name)
    quarantined = await world.admin.fetchval("select feed from feed_record where id = $1", record)
    await world.insert("feed_quarantine", feed=quarantined, source_id=name, reason="NO_NAME", since="2026-05-01T00:00:00Z", seen=1)  # fmt: skip
    digest = await world.admin.fetchval("select family_name from case_name_digest where case_id = $1", case)
    ours = {"case": await case_id(world, case), "reason": "Hazelreason"}
    partner = {"organisation": "organisation_arts-haven"}
    await run(world, "desk", "linkRecords", {**ours, "records": [f"record_{record}"]})
    await run(world, "desk", "shareCase", {**ours, **partner, "categories": ["OVERVIEW"]})
    await run(world, "desk", "holdCase", {**ours, **partner, "held": True})
    await run(world, "desk", "setLegalHold", {**ours, "held": True})
    await run(world, "desk", "withdrawConsent", {"consent": await consent_id(world, case, consent)})
    await run(world, "pen", "recordConsent", {"referral": await referral_id(world, referral, "pen-centre"), "consent": {
        "decision": "DENY", "recipients": {"everyPartner": True}, "categories": ["HEALTH"], "givenOn": "2026-05-20", "evidence": "Rowanevidence"}})  # fmt: skip
    await world.data("pen", "{ cases { edges { node { id identity { familyName } } } } }")
    traces = {"case": case, "referral": referral, "consent": consent, "record": record, "residency": residency, "presentation": presentation}  # fmt: skip
    return Whole(case, referral, consent, record, {**{k: str(v) for k, v in traces.items()}, **await _traces(world, case), "name": digest.hex()})  # fmt: skip


async def _traces(world: World, case: UUID) -> dict[str, str]:
    """Give names, secrets and keys as they lie in the database."""
    found: dict[str, str] = {}
    for code, organisation in world.organisations.items():
        pairwise = await world.admin.fetchval("select pairwise($1, 'case', $2)", organisation, case)
        found |= {f"id at {code}": str(pairwise), f"reference at {code}": await reference(world, case, code)}
    for what, sql in {
        "secret": "select pseudonym from case_file where id = $1",
        "secret of the referral": "select pseudonym from referral where case_id = $1",
    }.items():
        found[what] = str(await world.admin.fetchval(sql, case))
    for what, sql in {
        "key": "select wrapped from case_key where case_id = $1",
        "key of the referral": "select wrapped from referral_key k join referral r on r.id = k.referral_id where r.case_id = $1",
        "key of the record": "select wrapped from feed_record_key k join feed_record_link l using (record) where l.case_id = $1",
        "what the record says": "select sealed from feed_record_person p join feed_record_link l using (record) where l.case_id = $1",
        "identity": "select sealed from case_identity where case_id = $1",
    }.items():
        found[what] = (await world.admin.fetchval(sql, case)).hex()
    return found


async def left_of(world: World, whole: Whole) -> set[tuple[str, str]]:
    """Search every row of every table but the log itself: {(table, trace)}.

    Whoever must delete its copy is told of which case, by the id it knows it by, and ICORN by its own, and of a change too whoever saw it; of nothing else of the person.
    """
    tables = [row[0] for row in await world.admin.fetch("select relname from pg_class where relnamespace = 'hub'::regnamespace and relkind = 'r'")]  # fmt: skip
    found = set()
    for table in set(tables) - set(KEPT):
        text = await world.admin.fetchval(f"select string_agg(t::text, ' ') from {table} t") or ""  # noqa: S608 a table's name
        found |= {(table, what) for what, trace in whole.traces.items() if trace in text}
    return {
        (table, what) for table, what in found if table not in ("retraction", "change") or not what.startswith("id at ")
    }


async def erasing(world: World, whole: Whole, **changed: Any) -> dict[str, Any]:
    """Give the input that erases a case."""
    return {"case": await case_id(world, whole.case), "reason": "Hazelreason", "confirmReference": await reference(world, whole.case), **changed}  # fmt: skip


async def erase(world: World, whole: Whole, **changed: Any) -> bool:
    """Erase it, without a problem."""
    payload = await run(world, "desk", "eraseCase", await erasing(world, whole, **changed))
    assert payload["problems"] == []
    return bool(payload["erased"])
