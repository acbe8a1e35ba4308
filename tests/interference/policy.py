"""This module states who may see what of a case and of a referral, apart from SQL and engine: the part of the promise that is policy."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from tests.interference.facts import (
    LIVE,
    NOW,
    ORGANISATIONS,
    TODAY,
    Agreement,
    Case,
    Consent,
    Emergency,
    Fact,
    Freeze,
    Hold,
    Merged,
    Presentation,
    Referral,
    Share,
    World,
)

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
            found.add("SHARE")
    shown = (p for p in of(Presentation, world) if (p.case, p.organisation) == (case.id, organisation))
    found |= {"PRESENTED" for p in shown if category in p.categories and deciding(p)}
    for glass in of(Emergency, world):
        if (
            (glass.case, glass.organisation) == (case.id, organisation)
            and category in glass.categories
            and broken(glass, case)
        ):
            found.add("EMERGENCY")
    return found


def deciding(shown: Presentation) -> bool:
    """Tell whether a city sees what it was shown: while it decides and, once it has invited, while the person does."""
    return shown.status in ("OPEN", "INVITED") and shown.until > NOW


def broken(glass: Emergency, case: Case) -> bool:
    """Tell whether glass is broken now: for twelve hours, from when it was asked for; of a sealed case, from when ICORN approved."""
    since = glass.approved_at or (None if case.sealed else glass.asked_at)
    return since is not None and since <= NOW < since_hours(since, 12)


def since_hours(moment: str, hours: int) -> str:
    """Give the time so many hours after another."""
    return f"{datetime.fromisoformat(moment) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


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
    mine = [hold for hold in of(Hold, world) if (hold.case, hold.organisation) == (case, organisation)]
    return frozen(organisation, case, world) or any(h.ended_at is None or h.ended_at > NOW for h in mine)


def frozen(organisation: str, case: int | None, world: World) -> bool:
    """Tell whether a case, or whatever is of its origin, is stopped for everyone but ICORN; referrals here are all from IR."""
    origins = {c.origin for c in of(Case, world) if c.id == case} | {"IR" if case is None else ""}
    stops = [f for f in of(Freeze, world) if f.country in origins or (f.case == case and case is not None)]
    return ORGANISATIONS[organisation] != "ICORN" and any(f.ended_at is None or f.ended_at > NOW for f in stops)


def opened(organisation: str, case: Case, category: str, world: World) -> bool:
    """Tell whether an organisation may see a category of a case, whatever the token; OVERVIEW comes before all others."""
    if category != "OVERVIEW" and not opened(organisation, case, "OVERVIEW", world):
        return False
    about = [c for c in of(Consent, world) if c.case == case.id and opens(c, organisation, category, world)]
    # Of cases that were made one, each must have been spoken of.
    made_of = [case.id, *(m.former for m in of(Merged, world) if m.case == case.id)]
    spoken = [[c for c in about if c.decision == "DENY" or one not in c.silent_on] for one in made_of]
    icorn = ORGANISATIONS[organisation] == "ICORN"
    return (
        bool(bases(organisation, case, category, world))
        and (icorn or all(agreed(said, organisation, category) for said in spoken))
        and not held(organisation, case.id, world)
    )


# --- Who may see a referral, and what was sent with it.


def is_icorns(organisation: str, referral: Referral, world: World) -> bool:
    """Tell whether ICORN asks for a referral to itself, or of a case: it decides, so that it reads them as it reads cases."""
    concerned = referral.recipient == organisation or referral.case is not None
    return ORGANISATIONS[organisation] == "ICORN" and concerned and not held(organisation, referral.case, world)


def takes_part(organisation: str, referral: Referral, world: World) -> bool:
    """Tell whether a referral is there for an organisation: its sender, ICORN, or a recipient the person agreed to."""
    if frozen(organisation, referral.case, world) or frozen(organisation, None, world):
        return False
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
        or (
            (consent.referral == referral.id or not consent.silent_on)
            and (
                ORGANISATIONS[consent.recorded_by] == "ICORN"
                or (consent.recorded_by != referral.recipient and (consent.accepted or consent.referral == referral.id))
            )
        )
    ]
    return category in referral.shared and agreed(about, referral.recipient, category)


def returned(referral: Referral, category: str, world: World) -> bool:
    """Tell whether the sender reads a category of what it sent: by the decisions on this very referral, and no others."""
    about = [consent for consent in of(Consent, world) if consent.referral == referral.id]
    return category in referral.shared and agreed(about, referral.recipient, category)


def readable(organisation: str, referral: Referral, category: str, world: World) -> bool:
    """Tell whether a party may read a category of what was sent: a recipient only while the referral lives, and not held."""
    if not takes_part(organisation, referral, world):
        return False
    if is_icorns(organisation, referral, world):
        return category in referral.shared
    if organisation == referral.sender and returned(referral, category, world):
        return True
    lives = referral.status in LIVE and not held(organisation, referral.case, world)
    return organisation == referral.recipient and lives and sent(referral, category, world)


def lets_go(asker: str, referral: Referral, organisation: str, category: str, world: World) -> bool:
    """Tell whether the decisions on a referral let a category go to an organisation; for ICORN, those on its case and its holds count too.

    A yes counts that the sender or ICORN wrote down, a no whoever did.
    """
    icorn = ORGANISATIONS[asker] == "ICORN"
    about = [
        consent
        for consent in of(Consent, world)
        if consent.referral == referral.id or (icorn and consent.case is not None and consent.case == referral.case)
        if consent.decision == "DENY"
        or consent.recorded_by == referral.sender
        or ORGANISATIONS[consent.recorded_by] == "ICORN"
    ]
    holds = [hold for hold in of(Hold, world) if (hold.case, hold.organisation) == (referral.case, organisation)]
    kept = icorn and any(hold.ended_at is None or hold.ended_at > NOW for hold in holds)
    return agreed(about, organisation, category) and not kept
