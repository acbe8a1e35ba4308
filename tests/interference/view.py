"""This module states what a principal may know of a world. It is the promise, written for people, apart from SQL and engine.

Nothing else of the world may be told from any answer: two worlds with the same view must be answered alike, to the byte.
"""

from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeVar

from tests.interference.facts import (
    CATEGORIES,
    FEEDS,
    LIVE,
    NOW,
    ORGANISATIONS,
    PERSONAL,
    TODAY,
    Access,
    Agreement,
    Case,
    Consent,
    Document,
    Fact,
    Hold,
    Link,
    Message,
    Outcome,
    Record,
    Referral,
    Residency,
    Share,
    World,
)
from tests.interference.principals import Principal

T = TypeVar("T", bound=Fact)


@lru_cache(1000)
def _kinds(world: World) -> dict[type[Any], list[Any]]:
    return {kind: [fact for fact in world if type(fact) is kind] for kind in {type(fact) for fact in world}}


def of(kind: type[T], world: World) -> list[T]:
    """Give all facts of a kind."""
    return _kinds(world).get(kind, [])


# --- Who may see a category of a case: (bases) and (consent) and not (held).


def bases(organisation: str, case: Case, category: str, world: World) -> set[str]:
    """Why an organisation could see this category of this case, were consent given."""
    found = {"ICORN"} if ORGANISATIONS[organisation] == "ICORN" else set()
    for agreement in of(Agreement, world):
        covered = (agreement.origins is None or case.origin in agreement.origins) and (
            agreement.disciplines is None or case.discipline in agreement.disciplines
        )
        if agreement.organisation == organisation and category in agreement.categories and in_force(agreement):
            found |= {"AGREEMENT"} if covered and not case.sealed else set()
    for referral in of(Referral, world):
        if referral.case != case.id:
            continue
        if referral.sender == organisation and category == "OVERVIEW":
            found.add("REFERRER")
        if referral.recipient == organisation and referral.status in LIVE and category in referral.shared:
            found.add("RECIPIENT")
    for share in of(Share, world):
        if (
            (share.case, share.organisation) == (case.id, organisation)
            and category in share.categories
            and share.until > NOW
        ):
            found.add("PRESENTED" if share.presented else "SHARE")
    return found


def in_force(agreement: Agreement) -> bool:
    """Tell whether an agreement is approved and has not ended."""
    ends = [end for end in (agreement.valid_until, agreement.ended_at) if end is not None]
    return agreement.approved_at is not None and agreement.approved_at <= NOW and all(end > NOW for end in ends)


def agreed(consents: Iterable[Consent], organisation: str, category: str) -> bool:
    """Tell whether the person has said that this organisation may have this category. DENY beats ALLOW; silence is no."""
    said = {
        consent.decision
        for consent in consents
        if consent.organisation in (None, organisation)
        and category in consent.categories
        and consent.given_on <= TODAY
        and (consent.valid_until is None or consent.valid_until >= TODAY)
        and (consent.withdrawn_at is None or consent.withdrawn_at > NOW)
    }
    return said == {"ALLOW"}


def opens(consent: Consent, organisation: str, category: str, world: World) -> bool:
    """Tell whether a decision counts for a case: what a partner wrote down opens nothing until ICORN has accepted it.

    Not even then does it open more to that partner than it handed over with its referral.
    """
    if consent.decision == "DENY" or ORGANISATIONS[consent.recorded_by] == "ICORN":
        return True
    handed_over = any(r.id == consent.referral and category in r.shared for r in of(Referral, world))
    return consent.accepted and (consent.recorded_by != organisation or handed_over)


def held(organisation: str, case: int | None, world: World) -> bool:
    """Tell whether this case is kept from this organisation, whatever else allows it."""
    return any(
        (hold.case, hold.organisation) == (case, organisation) and (hold.ended_at is None or hold.ended_at > NOW)
        for hold in of(Hold, world)
    )


def opened(organisation: str, case: Case, category: str, world: World) -> bool:
    """Tell whether an organisation may see a category of a case, whatever the token; OVERVIEW comes before all others."""
    if category != "OVERVIEW" and not opened(organisation, case, "OVERVIEW", world):
        return False
    about = [c for c in of(Consent, world) if c.case == case.id and opens(c, organisation, category, world)]
    icorn = ORGANISATIONS[organisation] == "ICORN"
    return (
        bool(bases(organisation, case, category, world))
        and (icorn or agreed(about, organisation, category))
        and not held(organisation, case.id, world)
    )


# --- Who may see a referral, and what was sent with it.


def is_icorns(organisation: str, referral: Referral, world: World) -> bool:
    """Tell whether ICORN asks for a referral to itself, or of a case: it decides, so that it reads them as it reads cases."""
    concerned = referral.recipient == organisation or referral.case is not None
    return ORGANISATIONS[organisation] == "ICORN" and concerned and not held(organisation, referral.case, world)


def takes_part(organisation: str, referral: Referral, world: World) -> bool:
    """Tell whether a referral is there for an organisation: its sender, ICORN, or a recipient the person agreed to."""
    if organisation == referral.sender or is_icorns(organisation, referral, world):
        return True
    agreed_to = organisation == referral.recipient and sent(referral, "OVERVIEW", world)
    return agreed_to and not held(organisation, referral.case, world)


def sent(referral: Referral, category: str, world: World) -> bool:
    """Tell whether the person agrees that the recipient has a category of what was sent; the recipient's own word is not enough."""
    about = [
        consent
        for consent in of(Consent, world)
        if consent.referral == referral.id or (consent.case is not None and consent.case == referral.case)
        if consent.decision == "DENY"
        or ORGANISATIONS[consent.recorded_by] == "ICORN"
        or (consent.recorded_by != referral.recipient and (consent.accepted or consent.referral == referral.id))
    ]
    return category in referral.shared and agreed(about, referral.recipient, category)


def returned(referral: Referral, category: str, world: World) -> bool:
    """Tell whether the sender reads a category of what it sent: by the decisions on this very referral, and no others."""
    about = [consent for consent in of(Consent, world) if consent.referral == referral.id]
    return category in referral.shared and agreed(about, referral.recipient, category)


def readable(organisation: str, referral: Referral, category: str, world: World) -> bool:
    """Tell whether a party may read a category of what was sent: a recipient only while the referral lives, and not held."""
    if is_icorns(organisation, referral, world):
        return category in referral.shared
    if organisation == referral.sender and returned(referral, category, world):
        return True
    receives = organisation == referral.recipient and takes_part(organisation, referral, world)
    lives = referral.status in LIVE and not held(organisation, referral.case, world)
    return receives and lives and sent(referral, category, world)


# --- The view.


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
    if asker.may("audit:read"):
        mine_to_read = (a for a in of(Access, world) if a.organisation == asker.organisation or _is_icorn(asker))
        known["accesses"] = sorted(_told(a) for a in mine_to_read)
    if asker.may("referrals:submit"):
        mine = (r for r in of(Referral, world) if (r.sender, r.client) == (asker.organisation, asker.client))
        known["references used"] = sorted(r.client_reference for r in mine if r.client_reference)
    return known


def _is_icorn(asker: Principal) -> bool:
    return ORGANISATIONS[asker.organisation] == "ICORN"


def _may_read_agreement(asker: Principal, agreement: Agreement) -> bool:
    """Its own; and ICORN, which is a side of each, all that it manages."""
    return agreement.organisation == asker.organisation or (_is_icorn(asker) and asker.may("access:manage"))


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
    # Whether a case is sealed is ICORN's own: to others it looks like an agreement that does not reach it.
    if not _is_icorn(asker):
        del overview["sealed"]
    told: dict[str, Any] = {"overview": overview, "disclosure": {}}
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
    told = {**asdict(consent), "variant": evidence, "recorded_by": None}
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
    told["consents"] = sorted(
        _consent(asker, c, world)
        for c in of(Consent, world)
        if c.referral == referral.id and _may_read_consent(asker, c)
    )
    return told


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
