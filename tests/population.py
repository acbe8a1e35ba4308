"""A peopled world: cases, referrals, consents and feeds in every state a viewer can meet, the same in every run.

Every id is derived from a name, so that what the hub answers over it is the same too, down to ids and cursors.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from tests.world import EVERY_SCOPE, PERSON, UNLIMITED, World

PART = ["OVERVIEW", "PROFILE", "IDENTITY", "WHEREABOUTS"]
SHARED = ["OVERVIEW", "PROFILE", "IDENTITY"]
PUBLIC: dict[str, Any] = {"PROFILE": {"biography": None, "languages": [], "works": []}}
ASSESSED = {**PERSON, "ASSESSMENT": {"recommendation": "Invite", "notes": 'Quote " \\ and {"$cursor" : "0|x"}', "assessedBy": "K", "assessedOn": "2026-02-03"}}  # fmt: skip
UNICODE = {
    "IDENTITY": {"givenName": "Łucja", "familyName": "Öztürk-Ålesund", "pseudonyms": ["日本", "a\nb\t\u2028"], "gender": "x"},
    "PROFILE": {"biography": "“Zwölf” 🖋", "languages": ["tr", "zh-Hans"], "works": [{"title": "T1"}, {"title": "T2", "year": 1999}]},
    "FAMILY": {"members": [{"relation": "son", "name": "D", "bornOn": "2015-05-05", "relocating": True}, {"relation": "aunt", "relocating": False}]},
}  # fmt: skip
SCOPES_OF_ARTS = [
    "cases:read",
    "cases:profile",
    "cases:whereabouts",
    "referrals:read",
    "residencies:read",
    "feeds:read",
]
CLIENTS = {
    "desk": ("icorn", EVERY_SCOPE),
    "pen": ("pen-centre", EVERY_SCOPE),
    "arts": ("arts-haven", SCOPES_OF_ARTS),
    "reader": ("pen-centre", ["cases:read"]),
    "city": ("harbour-city", EVERY_SCOPE),
    "stranger": ("arts-haven", ["referrals:read", "residencies:read", "consents:read", "cases:identity"]),
}
"""Clients by name: their organisation and scopes."""


def named(name: str) -> uuid.UUID:
    """Give the id that goes with a name."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


async def populate(world: World) -> None:
    """Put everything in."""
    await _organisations(world)
    await _cases(world)
    await _referrals(world)
    await _decisions(world)
    await _feeds(world)
    await _statistics(world)
    await _afterwards(world)


async def _organisations(world: World) -> None:
    await world.insert("city", code="bergen", name="Bergen", country="NO", member_since=2006, latitude=60.39, longitude=5.32, vacancies=2)  # fmt: skip
    await world.insert("city", code="harbour", name="Harbour City", country="GB", vacancies=0)
    await world.insert("city", code="krakow-2", name="Kraków", country="PL", member_since=2011, vacancies=1)
    await world.insert("city", code="krakow", name="Kraków Old Town", country="PL", latitude=50.0, longitude=-0.125, vacancies=0)  # fmt: skip
    for code, kind in (
        ("icorn", "ICORN"),
        ("pen-centre", "SISTER"),
        ("arts-haven", "SISTER"),
        ("harbour-city", "CITY"),
    ):
        await world.organisation(code, kind)
    await world.admin.execute(
        "update organisation set website = 'https://northlight.example', name = 'Northlight PEN Centre' where code = 'pen-centre'"
    )
    await world.admin.execute(
        "update organisation set city = (select id from city where code = 'harbour') where code = 'harbour-city'"
    )
    for name, (organisation, scopes) in CLIENTS.items():
        await world.client(name, organisation, scopes, limits=UNLIMITED)
    await world.agreement("pen-centre", PART, id=named("pen all"))
    await world.agreement("pen-centre", ["OVERVIEW", "HEALTH"], id=named("pen ended"), ended_at="2026-03-01T00:00:00Z")
    await world.agreement("pen-centre", ["OVERVIEW", "THREAT"], id=named("pen proposed"), approved_at=None, replaces=named("pen all"), version=2, valid_from="2026-02-01T00:00:00Z")  # fmt: skip
    await world.agreement("arts-haven", ["OVERVIEW", "PROFILE", "IDENTITY", "FAMILY"], id=named("arts"), origins=["IR", "TR"], disciplines=["WRITER", "MUSICIAN"],
                          valid_until="2027-01-01T00:00:00Z")  # fmt: skip
    for code, approver in (("icorn", "Kari"), ("pen-centre", "Ola")):
        await world.insert("agreement_approval", agreement=named("pen all"), organisation=world.organisations[code],
                           approver=approver, at="2026-01-01T00:00:00Z")  # fmt: skip
    key, ended = world.sealing.new_key(), named("pen ended")
    reason = world.sealing.seal(key.plain, f"agreement:{ended}", "REASON", 1, b"Nobody asked any more.")
    await world.insert("agreement_end", agreement=ended, organisation=world.organisations["pen-centre"], reason=reason, kek=key.kek, wrapped=key.wrapped)  # fmt: skip


async def _cases(world: World) -> None:
    cities = {row["code"]: row["id"] for row in await world.admin.fetch("select id, code from city")}
    cases: list[tuple[str, Mapping[str, Any], dict[str, Any]]] = [
        ("plain", PERSON, {}),
        (
            "assessed",
            ASSESSED,
            {"origin": "TR", "discipline": "MUSICIAN", "risk_level": "EXTREME", "status": "INVITED"},
        ),
        ("unicode", UNICODE, {"origin": "TR", "opened_on": "2026-02-01", "updated_at": "2026-02-01T00:00:00.5+00:00"}),
        ("bare", {}, {"origin": None, "discipline": "OTHER", "risk_level": "LOW", "opened_on": "2025-12-31"}),
        ("empty", PUBLIC, {"discipline": "JOURNALIST", "risk_level": "MODERATE"}),
        ("denied", PERSON, {"opened_on": "2026-03-01"}),
        ("held", PERSON, {"status": "IN_RESIDENCE"}),
        ("sealed", PERSON, {"sealed": "true", "opened_on": "2026-03-01"}),
        ("shared", PERSON, {"origin": "BY", "updated_at": "2026-05-31T23:59:59.123456+00:00"}),
        ("presented", PERSON, {"status": "PRESENTED", "risk_level": "EXTREME"}),
        ("silent", PERSON, {"opened_on": "2026-02-28", "risk_level": "LOW"}),
        ("withdrawn", PERSON, {"opened_on": "2026-01-02", "status": "WITHDRAWN"}),
    ]
    for name, documents, columns in cases:
        await world.case(case_id=named(name), documents=documents, version=len(name), **columns)
    stays = [
        ("plain", "bergen", "ACTIVE", "2026-04-01", None),
        ("plain", "krakow", "COMPLETED", "2024-04-01", "2026-03-31"),
        ("unicode", "bergen", "OFFERED", None, None),
        ("assessed", "harbour", "ACTIVE", "2026-04-01", None),
        ("held", "bergen", "ACTIVE", "2026-04-01", None),
        ("shared", "krakow-2", "CANCELLED", "2026-05-01", "2026-05-02"),
    ]
    for number, (case, city, status, starts, ends) in enumerate(stays):
        await world.insert("residency", id=named(f"stay {number}"), case_id=named(case), city=cities[city], status=status, starts_on=starts, ends_on=ends)  # fmt: skip
    orgs = world.organisations
    start, end = "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"
    for case, organisation, ended in (("held", "arts-haven", None), ("plain", "arts-haven", "2026-02-01T00:00:00Z")):
        await world.insert("hold", id=named(f"hold {case}"), case_id=named(case), organisation=orgs[organisation], starts=start, ended_at=ended)  # fmt: skip
    await world.insert("share", id=named("share"), case_id=named("shared"), organisation=orgs["harbour-city"], categories=["OVERVIEW", "HEALTH", "WHEREABOUTS"], starts=start, until=end)  # fmt: skip
    await world.insert("share", id=named("share old"), case_id=named("plain"), organisation=orgs["harbour-city"], categories=["OVERVIEW"], starts=start, ended_at="2026-02-01T00:00:00Z")  # fmt: skip
    await world.insert("presentation", id=named("show"), case_id=named("presented"), organisation=orgs["harbour-city"], categories=["OVERVIEW", "PROFILE", "FAMILY"], presented_at=start, until=end)  # fmt: skip
    answers: list[tuple[str, str, dict[str, Any]]] = [
        ("plain", "INVITED", {"answered_at": "2026-05-03T08:00:00Z", "note": await seal(world, "case", named("plain"), "NOTE", "Welcome, “both”.")}),
        ("silent", "DECLINED", {"answered_at": "2026-05-02T08:00:00.5Z", "note": await seal(world, "case", named("silent"), "NOTE", "No flat.")}),
        ("unicode", "OPEN", {"until": "2026-05-31T00:00:00Z"}), ("assessed", "WITHDRAWN", {}),
    ]  # fmt: skip
    for case, status, columns in answers:
        shown = {"categories": ["OVERVIEW", "HEALTH"], "presented_at": start, "until": end, **columns}
        await world.insert("presentation", id=named(f"show {case}"), case_id=named(case), organisation=orgs["harbour-city"], status=status, **shown)  # fmt: skip


async def _referrals(world: World) -> None:
    referrals: list[tuple[str, str, str, str | None, Mapping[str, Any], dict[str, Any]]] = [
        ("r plain", "pen-centre", "icorn", "plain", PERSON, {"status": "ACCEPTED", "client": "pen", "client_reference": "PEN-1"}),
        ("r new", "pen-centre", "icorn", None, PERSON, {"urgency": "EMERGENCY"}),
        ("r desk", "icorn", "arts-haven", "unicode", UNICODE, {"status": "IN_REVIEW", "origin": "TR", "submitted_at": "2026-03-05T00:00:00Z"}),
        ("r closed", "icorn", "arts-haven", "shared", PERSON, {"status": "DECLINED", "decline_reason": "NO_CAPACITY", "urgency": "ROUTINE"}),
        ("r arts", "arts-haven", "icorn", "silent", PUBLIC, {"origin": None, "updated_at": "2026-03-02T00:00:00.25Z"}),
        ("r between", "pen-centre", "arts-haven", None, PERSON, {"shared_categories": SHARED, "client": "pen"}),
        ("r unasked", "pen-centre", "arts-haven", None, PERSON, {"urgency": "ROUTINE"}),
        ("r city", "arts-haven", "harbour-city", "held", {}, {"discipline": "PHOTOGRAPHER"}),
    ]  # fmt: skip
    for name, sender, recipient, case, documents, columns in referrals:
        await world.referral(sender, recipient, case=named(case) if case else None, documents=documents, referral_id=named(name), **columns)  # fmt: skip
    for name, ordinal, kind, organisation, note in (
        ("r plain", 2, "ACKNOWLEDGED", "icorn", None),
        ("r plain", 3, "MESSAGE", "pen-centre", "A note, “quoted”."),
        ("r plain", 10, "ACCEPTED", "icorn", ""),
        ("r desk", 2, "IN_REVIEW", "arts-haven", "Reading."),
    ):
        sealed = None if note is None else await seal(world, "referral", named(name), "NOTE", note)
        await world.insert("referral_event", referral_id=named(name), ordinal=ordinal, kind=kind, status="IN_REVIEW",
                           organisation=world.organisations[organisation], at=f"2026-03-0{min(ordinal, 9)}T08:00:00Z", **({"note": sealed} if sealed else {}))  # fmt: skip
    for name, ordinal, organisation, body in (
        ("r plain", 1, "icorn", "Welcome."),
        ("r plain", 2, "pen-centre", '{"$sealed" : "0|x"}'),
        ("r between", 1, "arts-haven", "Who is it?"),
    ):
        await world.insert("message", referral_id=named(name), ordinal=ordinal, organisation=world.organisations[organisation],
                           at="2026-03-04T09:30:00.001Z", body=await seal(world, "referral", named(name), "BODY", body))  # fmt: skip


async def _decisions(world: World) -> None:
    for case in ("plain", "assessed", "unicode", "bare", "empty", "denied", "held", "sealed", "presented"):
        await world.consent(named(case), None, [*PART, "FAMILY"], id=named(f"c {case}"))
    orgs = world.organisations
    evidence = await seal(world, "case", named("plain"), "EVIDENCE", "Signed at the desk.")
    await world.consent(named("plain"), "pen-centre", ["HEALTH"], id=named("c own"), recorded_by=orgs["pen-centre"], evidence=evidence, given_on="2026-02-02")  # fmt: skip
    await world.consent(named("denied"), "pen-centre", ["IDENTITY"], "DENY", id=named("c deny"))
    await world.consent(
        named("denied"), "arts-haven", ["OVERVIEW"], "DENY", id=named("c deny all"), given_on="2026-05-01"
    )
    await world.consent(named("shared"), "harbour-city", PART, id=named("c city"), valid_until="2026-06-01")
    await world.consent(named("shared"), "pen-centre", PART, id=named("c late"), valid_until="2026-05-31")
    await world.consent(named("silent"), "pen-centre", PART, id=named("c future"), given_on="2026-06-02")
    await world.consent(named("withdrawn"), None, PART, id=named("c withdrawn"), withdrawn_at="2026-05-01T00:00:00Z")
    told = await seal(world, "referral", named("r between"), "EVIDENCE", "By telephone.")
    given: list[tuple[str, str, str | None, str | None, dict[str, Any]]] = [
        ("a plain", "r plain", "plain", "icorn", {}),
        ("a new", "r new", None, "icorn", {}),
        ("a desk", "r desk", None, "arts-haven", {}),
        ("a closed", "r closed", None, "arts-haven", {}),
        ("a between", "r between", None, "arts-haven", {"evidence": told}),
        ("a all", "r between", None, None, {"given_on": "2026-01-02"}),
    ]
    for name, referral, about, whom, more in given:
        consent: dict[str, Any] = {"recorded_by": orgs["pen-centre"], **more}
        await world.consent(named(about) if about else None, whom, SHARED, id=named(name), referral_id=named(referral), **consent)  # fmt: skip
    for name, columns in (("plain", {"proposed": True, "client": "desk", "usr": "", "proposed_reason": b"?"}), ("sealed", {"held": True, "reason": b"?"})):  # fmt: skip
        await world.insert("legal_hold", case_id=named(name), **{"held": False, "since": "2026-05-06T07:08:09Z", **columns})  # fmt: skip


async def _feeds(world: World) -> None:
    feeds: list[tuple[str, str, dict[str, Any]]] = [
        ("northlight", "pen-centre", {"kind": "GRAPHQL", "state": "FRESH", "last_synced_at": "2026-06-01T11:55:00Z"}),
        ("haven", "arts-haven", {"kind": "REST", "state": "FRESH", "last_synced_at": "2026-05-30T10:00:00Z", "every": "PT1H", "last_problem": "TIMEOUT"}),
        ("quiet", "arts-haven", {"kind": "CSV", "state": "UNAVAILABLE", "paused": True, "every": "P1D"}),
    ]  # fmt: skip
    records: list[tuple[str, str, str | None, Mapping[str, Any], dict[str, Any]]] = [
        ("n1", "northlight", "plain", PERSON, {"updated_at": "2026-05-01T00:00:00Z", "source_url": "https://northlight.example/1"}),
        ("n2", "northlight", "plain", {}, {"updated_at": "2026-05-01T00:00:00Z", "discipline": None, "origin": None}),
        ("n3", "northlight", "silent", PUBLIC, {"updated_at": None}),
        ("n4", "northlight", None, UNICODE, {"updated_at": "2026-05-03T12:00:00.5Z", "origin": "TR", "risk_level": "LOW"}),
        ("n5", "northlight", "plain", PERSON, {"present": False}),
        ("h1", "haven", "plain", PERSON, {"updated_at": "2026-04-01T00:00:00Z", "urgency": "ROUTINE"}),
        ("h2", "haven", "unicode", UNICODE, {"updated_at": "2026-04-02T00:00:00Z", "discipline": "MUSICIAN"}),
        ("h3", "haven", None, {}, {"updated_at": None, "submitted_at": "2026-01-01T00:00:00Z"}),
    ]  # fmt: skip
    for code, organisation, columns in feeds:
        values = {"every": "PT15M", "paused": False, "last_problem": None, "last_synced_at": None, "overlap": "PT15M", "full_every": "P1D", "removal_share": 0.25,
                  "passes": 0, **columns}  # fmt: skip
        await world.insert("feed", code=code, organisation=world.organisations[organisation], settings={}, mapping={}, **values)  # fmt: skip
    ids = {row["code"]: row["id"] for row in await world.admin.fetch("select id, code from feed")}
    for name, feed, case, documents, columns in records:
        values = {"discipline": "WRITER", "origin": "IR", "risk_level": "HIGH", "present": True, "updated_at": None, **columns}  # fmt: skip
        await world.insert("feed_record", id=named(name), feed=ids[feed], source_id=name, fetched_at="2026-06-01T11:55:00Z", seen=1, **values)  # fmt: skip
        await _record_person(world, named(name), documents)
        if case:
            await world.insert("feed_record_link", record=named(name), case_id=named(case), linked_at="2026-05-05T00:00:00Z", linked_by=world.organisations["icorn"])  # fmt: skip


async def _statistics(world: World) -> None:
    """Two releases, of which the older is told no more; the numbers need not be those of this world."""
    for period, as_of in (("2026-01-01", "2026-01-01"), ("2026-04-01", "2026-04-02")):
        await world.insert("statistics_release", period=period, as_of=as_of, smallest_cell=10)
    cells: list[tuple[dict[str, Any], int]] = [
        ({}, 90), ({"origin": "IR"}, 50), ({"origin": "TR"}, 30), ({"discipline": "WRITER"}, 60), ({"discipline": "MUSICIAN"}, 30),
        ({"status": "INVITED"}, 40), ({"status": "CANDIDATE"}, 50), ({"risk_level": "HIGH"}, 90), ({"year": 2025}, 20), ({"year": 2026}, 70),
    ]  # fmt: skip
    for columns, count in cells:
        await world.insert("statistics_cell", period="2026-04-01", count=count, **columns)
    await world.insert("statistics_cell", period="2026-01-01", count=10)


async def _afterwards(world: World) -> None:
    """Glass that was broken, and what was retracted: acknowledged, not yet, and kept with a note."""
    orgs = world.organisations
    broken: list[tuple[str, str, str, list[str], dict[str, Any]]] = [
        ("g city", "shared", "harbour-city", ["PROFILE"], {"asked_at": "2026-06-01T11:00:00Z", "client": "city"}),
        ("g pen", "plain", "pen-centre", ["HEALTH", "THREAT"], {"asked_at": "2026-06-01T12:00:00Z", "client": "pen"}),
        ("g past", "plain", "pen-centre", ["THREAT"], {"asked_at": "2026-05-31T11:00:00Z", "client": "pen"}),
        ("g waits", "sealed", "pen-centre", ["OVERVIEW"], {"asked_at": "2026-06-01T09:00:00Z", "client": "pen"}),
        ("g late", "sealed", "harbour-city", ["OVERVIEW"], {"asked_at": "2026-05-31T09:00:00Z", "client": "city"}),
        ("g let", "sealed", "harbour-city", ["OVERVIEW"], {"asked_at": "2026-06-01T08:00:00Z", "client": "city", "approved_at": "2026-06-01T09:30:00Z", "approver": "desk"}),
    ]  # fmt: skip
    for name, case, organisation, categories, columns in broken:
        reason = await seal(world, "case", named(case), "REASON", f"Because of {name}.")
        await world.insert("emergency", id=named(name), case_id=named(case), organisation=orgs[organisation], categories=categories, reason=reason, **columns)  # fmt: skip
    retracted: list[tuple[str, str, str, str, str, dict[str, Any]]] = [
        ("t one", "pen-centre", "case", "withdrawn", "2026-05-01T00:00:00Z", {"acknowledged_at": "2026-05-02T08:00:00.25Z"}),
        ("t two", "pen-centre", "referral", "r unasked", "2026-05-03T00:00:00Z", {}),
        ("t three", "arts-haven", "case", "held", "2026-05-03T00:00:00Z", {}),
        ("t gone", "harbour-city", "case", "erased", "2026-05-04T00:00:00Z", {}),
    ]  # fmt: skip
    for name, organisation, kind, about, at, columns in retracted:
        subject, icorn = [await world.admin.fetchval("select pairwise($1, $2, $3)", orgs[o], kind, named(about)) for o in (organisation, "icorn")]  # fmt: skip
        await world.insert("retraction", id=named(name), organisation=orgs[organisation], kind=kind, subject=subject, icorn_subject=icorn, categories=SHARED, at=at, **columns)  # fmt: skip
    for name, note in (("t two", "A court asked."), ("t gone", "")):
        key = world.sealing.new_key()
        await world.insert("retraction_key", retraction_id=named(name), kek=key.kek, wrapped=key.wrapped)
        sealed = world.sealing.seal(key.plain, f"retraction:{named(name)}", "NOTE", 1, note.encode())
        await world.admin.execute("update retraction set note = $2 where id = $1", named(name), sealed)


async def _record_person(world: World, record: uuid.UUID, documents: Mapping[str, Any]) -> None:
    key = world.sealing.new_key()
    await world.insert("feed_record_key", record=record, kek=key.kek, wrapped=key.wrapped)
    for category, document in documents.items():
        sealed = world.sealing.seal(key.plain, f"feed_record:{record}", category, 3, msgspec.json.encode(document))
        await world.insert("feed_record_person", record=record, category=category, key_version=3, sealed=sealed)


async def seal(world: World, kind: str, subject: uuid.UUID, name: str, text: str) -> bytes:
    """Seal a text under the key of a case or referral that is there."""
    column = "case_id" if kind == "case" else "referral_id"
    row = await world.admin.fetchrow(f"select kek, wrapped from {kind}_key where {column} = $1", subject)  # noqa: S608 one of two words
    plain = world.sealing.key(row["kek"], row["wrapped"])
    return world.sealing.seal(plain, f"{kind}:{subject}", name, 1, text.encode())
