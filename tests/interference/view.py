"""This module states what a principal may know of a world. It is the promise, written for people, apart from SQL and engine.

Nothing else of the world may be told from any answer: two worlds with the same view must be answered alike, to the byte.
"""

from dataclasses import asdict
from typing import Any

from tests.interference.facts import (
    CATEGORIES,
    FEEDS,
    ORGANISATIONS,
    PERSONAL,
    UNDECIDED,
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
from tests.interference.policy import bases, lets_go, of, opened, readable, takes_part
from tests.interference.principals import Principal


def view(asker: Principal, world: World) -> dict[str, Any]:
    """Everything that a principal may know of a world."""
    known: dict[str, Any] = {
        "agreements": sorted(_told(a) for a in of(Agreement, world) if _may_read_agreement(asker, a)),
        "earlier commands": sorted(
            _told(o) for o in of(Outcome, world) if (o.organisation, o.client) == (asker.organisation, asker.client)
        ),
        "cases": {c.id: _case(asker, c, world) for c in _visible_cases(asker, world)},
        "referrals": {r.id: _referral(asker, r, world) for r in _visible_referrals(asker, world)},
        "feed records": {r.id: _record(asker, r, world) for r in _visible_records(asker, world)},
    }
    if asker.may("access:manage"):
        known["webhooks"] = sorted(_told(w) for w in of(Webhook, world) if w.organisation == asker.organisation)
    if asker.may("cases:read", "presentations:read"):
        known["presentations"] = sorted(
            _presentation(asker, p, world) for p in of(Presentation, world) if _may_read_presentation(asker, p, world)
        )
    if _reads_retractions(asker):
        owed = (r for r in of(Retraction, world) if r.organisation == asker.organisation or _is_icorn(asker))
        known["retractions"] = sorted(_told(r) for r in owed)
    if _is_icorn(asker) and asker.may("cases:read") and (asker.may("access:manage") or asker.may("access:explain")):
        known["what is open to others"] = {c.id: _open_to_others(c, world) for c in _visible_cases(asker, world)}
    if asker.may("audit:read") or _ends_access(asker):
        mine_to_read = (a for a in of(Access, world) if a.organisation == asker.organisation or _is_icorn(asker))
        known["accesses"] = sorted(_told(a) for a in mine_to_read)
    if asker.may("access:manage"):
        acting: list[Client | User] = [*of(Client, world), *of(User, world)]
        known["who acts"] = sorted(_told(a) for a in acting if a.organisation == asker.organisation or _is_icorn(asker))
    if asker.may("referrals:submit"):
        mine = (r for r in of(Referral, world) if (r.sender, r.client) == (asker.organisation, asker.client))
        known["references used"] = sorted(r.client_reference for r in mine if r.client_reference)
    return known


def _open_to_others(case: Case, world: World) -> dict[str, Any]:
    """ICORN keeps the cases: of one that it sees it is told why others see it, or would by another agreement. A named release."""
    meant = (Agreement, Consent, Share, Presentation, Hold, Emergency, Referral, Merged)
    sides = {case.id, *(m.former for m in of(Merged, world) if m.case == case.id)}
    about = [f for f in world if isinstance(f, meant) and getattr(f, "case", case.id) in sides]
    stops = [f for f in of(Freeze, world) if f.case in sides or f.country == case.origin]
    told = [{**asdict(f), "variant": 0, "fact": type(f).__name__} for f in (*about, *stops)]
    return {"sealed": case.sealed, "facts": sorted(map(repr, told))}


def _is_icorn(asker: Principal) -> bool:
    return ORGANISATIONS[asker.organisation] == "ICORN"


def _reads_retractions(asker: Principal) -> bool:
    return asker.may("cases:read") or asker.may("referrals:read")


def _ends_access(asker: Principal) -> bool:
    """Whoever can end what was open, and reads retractions: that there is one says that something had been received. A named release."""
    ends = asker.may("consents:write") or asker.may("access:manage") or asker.may("referrals:respond")
    ends = ends or (_is_icorn(asker) and (asker.may("cases:write") or asker.may("referrals:submit")))
    return ends and _reads_retractions(asker)


def _may_read_agreement(asker: Principal, agreement: Agreement) -> bool:
    """Its own; and ICORN, which is a side of each, all that it manages."""
    return agreement.organisation == asker.organisation or (_is_icorn(asker) and asker.may("access:manage"))


def _may_read_presentation(asker: Principal, shown: Presentation, world: World) -> bool:
    """A city its own, while it sees the case and once it has answered; ICORN all of the cases that it sees."""
    mine = shown.organisation == asker.organisation
    sees = _case_if_visible(asker, shown.case, world) is not None
    return (mine and shown.answered_at is not None) or ((mine or _is_icorn(asker)) and sees)


def _presentation(asker: Principal, shown: Presentation, world: World) -> str:
    case = _case_if_visible(asker, shown.case, world)
    return repr({**asdict(shown), "case": case, "variant": None if case is None else shown.variant})


def _visible_cases(asker: Principal, world: World) -> list[Case]:
    return [c for c in of(Case, world) if asker.may("cases:read") and opened(asker.organisation, c, "OVERVIEW", world)]


def _visible_referrals(asker: Principal, world: World) -> list[Referral]:
    return [r for r in of(Referral, world) if asker.may("referrals:read") and takes_part(asker.organisation, r, world)]


def _visible_records(asker: Principal, world: World) -> list[Record]:
    own = {feed for feed, organisation in FEEDS.items() if organisation == asker.organisation or _is_icorn(asker)}
    return [r for r in of(Record, world) if asker.may("feeds:read") and r.present and r.feed in own]


def _case(asker: Principal, case: Case, world: World) -> dict[str, Any]:
    """Give the overview; why each category is open or not; and what is said in those that are."""
    organisation = asker.organisation
    may = {k: opened(organisation, case, k, world) for k in CATEGORIES}
    overview = asdict(case)
    # Whether a case is sealed is ICORN's own: it looks like an agreement that does not reach it. A named release: whoever may break
    # the glass of a case that it sees finds out by asking.
    if not (_is_icorn(asker) or asker.may("cases:emergency")):
        del overview["sealed"]
    told: dict[str, Any] = {"overview": overview, "disclosure": {}}
    if asker.may("cases:emergency"):
        glass = (e for e in of(Emergency, world) if e.case == case.id)
        told["emergencies"] = sorted(_told(e) for e in glass if e.organisation == organisation or _is_icorn(asker))
    if _is_icorn(asker) and asker.may("cases:erase"):
        told["legal hold"] = sorted(_told(h) for h in of(LegalHold, world) if h.case == case.id)
    for category in CATEGORIES:
        why = sorted(bases(organisation, case, category, world))
        told["disclosure"][category] = (may[category], why)
    told["documents"] = {
        d.category: d.variant
        for d in of(Document, world)
        if d.case == case.id and may[d.category] and asker.may_read(d.category)
    }
    if may["WHEREABOUTS"] and asker.may("cases:whereabouts", "residencies:read"):
        told["residencies"] = sorted(_told(r) for r in of(Residency, world) if r.case == case.id)
    told["made of"] = sorted(m.former for m in of(Merged, world) if m.case == case.id)
    told["consents"] = sorted(
        _consent(asker, c, world) for c in of(Consent, world) if c.case == case.id and _may_read_consent(asker, c)
    )
    records = {r.id for r in _visible_records(asker, world)}
    told["feed records"] = sorted(
        link.record for link in of(Link, world) if link.case == case.id and link.record in records
    )
    return told


def _may_read_consent(asker: Principal, consent: Consent) -> bool:
    """What the person allows the asker, or everyone, and what the asker recorded itself; denials are for ICORN alone."""
    mine = consent.recorded_by == asker.organisation or _is_icorn(asker)
    meant = consent.decision == "ALLOW" and consent.organisation in (None, asker.organisation)
    return (asker.may("consents:read") or asker.may("consents:write")) and (mine or meant)


def _consent(asker: Principal, consent: Consent, world: World) -> str:
    evidence = consent.variant if consent.recorded_by == asker.organisation or _is_icorn(asker) else None
    told = {**asdict(consent), "variant": evidence, "recorded_by": None, "silent_on": None}
    told["case"] = _case_if_visible(asker, consent.case, world)
    takes = [r.id for r in _visible_referrals(asker, world)]
    told["referral"] = consent.referral if consent.referral in takes else None
    return repr(told)


def _referral(asker: Principal, referral: Referral, world: World) -> dict[str, Any]:
    told = asdict(referral)
    del told["variant"]
    told["case"] = _case_if_visible(asker, referral.case, world)
    if referral.sender != asker.organisation:
        del told["client_reference"], told["client"]
    may = {k: readable(asker.organisation, referral, k, world) for k in PERSONAL}
    told["documents"] = {k: (may[k], referral.variant if may[k] and asker.may_read(k) else None) for k in PERSONAL}
    told["messages"] = sorted(_told(m) for m in of(Message, world) if m.referral == referral.id)
    if asker.may("referrals:respond"):
        told["lets go"] = _lets_go(asker, referral, world)
    told["consents"] = sorted(
        _consent(asker, c, world)
        for c in of(Consent, world)
        if c.referral == referral.id and _may_read_consent(asker, c)
    )
    return told


def _lets_go(asker: Principal, referral: Referral, world: World) -> dict[str, list[str]]:
    """To whom, and with what, a referral may go on. A named release: whoever may give more of it, or pass it on, finds out by trying."""
    whom: list[str] = []
    if referral.sender == asker.organisation and referral.status == "INFORMATION_REQUESTED":
        whom = [referral.recipient]
    elif referral.recipient == asker.organisation and referral.status in UNDECIDED:
        whom = [code for code in ORGANISATIONS if code not in (referral.sender, referral.recipient)]
    every = ("OVERVIEW", *PERSONAL)
    return {code: [k for k in every if lets_go(asker.organisation, referral, code, k, world)] for code in whom}


def _record(asker: Principal, record: Record, world: World) -> dict[str, Any]:
    told = asdict(record)
    told["categories"] = [k for k in record.categories if asker.may_read(k)]
    told["variant"] = record.variant if told["categories"] else None
    linked = next((link.case for link in of(Link, world) if link.record == record.id), None)
    told["case"] = _case_if_visible(asker, linked, world)
    return told


def _case_if_visible(asker: Principal, case: int | None, world: World) -> int | None:
    return case if case in {c.id for c in _visible_cases(asker, world)} else None


def _told(fact: Fact) -> str:
    return repr(fact)
