"""This module draws the visibility matrix from the reference: in every situation that a case or a referral can be in, who sees what.

A token with every scope is meant; a scope less is a column less.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tests.interference.facts import (
    CATEGORIES,
    LIVE,
    PERSONAL,
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
)
from tests.interference.policy import opened, readable, takes_part

KINDS: Final = {"icorn": "I", "pen-centre": "S", "harbour-city": "C"}
"""Who asks, and the letter for its kind: ICORN, a sister organisation, a city."""
OTHER: Final = "arts-haven"
SHOWN: Final = tuple(k for k in CATEGORIES if k != "ASSESSMENT")
"""What the person agrees to, and what is listed, wherever a situation does not say otherwise."""
PAST, COMING = "2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z"
CASE: Final = Case(id=0)
SEALED: Final = replace(CASE, sealed=True)
CLOSED: Final = ("COMPLETED", "DECLINED", "WITHDRAWN", "REDIRECTED")
HIDDEN = "·"
FROZEN: Final = Freeze(id=0, case=0, country=None, ended_at=None)
"""The case is stopped for everyone but ICORN; or whatever is of its origin."""
ORIGIN_FROZEN: Final = replace(FROZEN, case=None, country="IR")
LIFTED: Final = replace(FROZEN, ended_at=PAST)
FREEZES: Final = {
    "its case is frozen": FROZEN, "everything of its origin is frozen": ORIGIN_FROZEN, "its case is no longer frozen": LIFTED,
}  # fmt: skip
JUST_NOW, HOURS_AGO = "2026-06-01T11:00:00Z", "2026-05-31T12:00:00Z"


def consent(number: int = 0, **said: object) -> Consent:
    """Make a decision about the case: everything is allowed to every partner, unless said otherwise."""
    plain = Consent(id=number, case=0, referral=None, decision="ALLOW", organisation=None, categories=SHOWN)
    return replace(plain, **said)  # type: ignore[arg-type] # the fields are the caller's to name rightly


def cases(asker: str) -> dict[str, list[Fact]]:
    """Name every situation of a case as an organisation may meet it; from ICORN itself no case is ever held."""
    agreement = Agreement(id=0, organisation=asker, categories=SHOWN)
    share = Share(id=0, case=0, organisation=asker, categories=SHOWN, until=COMING)
    sent, received = referral(asker, "icorn", "IN_REVIEW", case=0), referral(OTHER, asker, "IN_REVIEW", case=0)
    hold = Hold(id=0, case=0, organisation=asker, ended_at=None)
    shown = Presentation(id=0, case=0, organisation=asker, categories=SHOWN, until=COMING)
    merged: list[Fact] = [CASE, agreement, Merged(former=1, case=0)]
    agreed: list[Fact] = [CASE, consent(), agreement]
    return {
        "no basis": [CASE, consent()],
        "an agreement covers it": agreed,
        "an agreement that lists OVERVIEW and IDENTITY": [
            CASE, consent(), replace(agreement, categories=("OVERVIEW", "IDENTITY")),
        ],
        "an agreement that does not list OVERVIEW": [CASE, consent(), replace(agreement, categories=("IDENTITY",))],
        "an agreement for another origin": [CASE, consent(), replace(agreement, origins=("TR",))],
        "an agreement for another discipline": [CASE, consent(), replace(agreement, disciplines=("MUSICIAN",))],
        "an agreement not yet approved": [CASE, consent(), replace(agreement, approved_at=None)],
        "an agreement that has expired": [CASE, consent(), replace(agreement, valid_until=PAST)],
        "an agreement that was ended": [CASE, consent(), replace(agreement, ended_at=PAST)],
        "an agreement of another organisation": [CASE, consent(), replace(agreement, organisation=OTHER)],
        "an agreement, and the case is sealed": [SEALED, consent(), agreement],
        "an agreement, and no consent": [CASE, agreement],
        "an agreement, and consent to OVERVIEW and PROFILE": [
            CASE, consent(categories=("OVERVIEW", "PROFILE")), agreement,
        ],
        "an agreement, and consent for another organisation": [CASE, consent(organisation=OTHER), agreement],
        "an agreement, and consent not yet given": [CASE, consent(given_on="2026-11-01"), agreement],
        "an agreement, and consent that has expired": [CASE, consent(valid_until="2026-02-01"), agreement],
        "an agreement, and consent withdrawn": [CASE, consent(withdrawn_at=PAST), agreement],
        "an agreement, and a consent that only the asker recorded": [CASE, consent(recorded_by=asker), agreement],
        "an agreement, and a consent that another partner recorded": [CASE, consent(recorded_by=OTHER), agreement],
        "an agreement, and such a consent accepted by ICORN": [
            CASE, consent(recorded_by=OTHER, accepted=True), agreement,
        ],
        "an agreement, and HEALTH denied to everyone": [*agreed, consent(1, decision="DENY", categories=("HEALTH",))],
        "an agreement, and OVERVIEW denied to the asker": [
            *agreed, consent(1, decision="DENY", organisation=asker, categories=("OVERVIEW",)),
        ],
        "an agreement, and everything denied to another": [*agreed, consent(1, decision="DENY", organisation=OTHER)],
        **({} if asker == "icorn" else {
            "an agreement, and the case is held from the asker": [*agreed, hold],
            "an agreement, and a hold that has ended": [*agreed, replace(hold, ended_at=PAST)],
        }),
        "an agreement, and the case is held from another": [*agreed, replace(hold, organisation=OTHER)],
        "the asker referred it": [CASE, consent(), sent],
        "the asker referred it, and it was declined": [CASE, consent(), replace(sent, status="DECLINED")],
        "it was referred to the asker": [CASE, consent(), received],
        "it was referred to the asker, sealed": [SEALED, consent(), received],
        **{f"it was referred to the asker, {s}": [CASE, consent(), replace(received, status=s)] for s in CLOSED},
        "it is presented to the asker": [CASE, consent(), shown],
        "it is presented to the asker, OVERVIEW and CONTACT": [CASE, consent(), replace(shown, categories=("OVERVIEW", "CONTACT"))],
        "it is presented to the asker, which has invited": [CASE, consent(), replace(shown, status="INVITED", answered_at=PAST)],
        "it was presented to the asker, which has declined": [CASE, consent(), replace(shown, status="DECLINED", answered_at=PAST)],
        "it was presented to the asker, and another city was accepted": [CASE, consent(), replace(shown, status="WITHDRAWN")],
        "it was presented to the asker": [CASE, consent(), replace(shown, until=PAST)],
        "it is presented to the asker, and no consent": [CASE, shown],
        "it is presented to another": [CASE, consent(), replace(shown, organisation=OTHER)],
        "an agreement, and it was two cases, of which one was agreed for": [*merged, consent(silent_on=(1,))],
        "an agreement, and it was two cases, agreed for apart": [
            *merged, consent(silent_on=(1,)), consent(1, silent_on=(0,), categories=("OVERVIEW", "HEALTH")),
        ],
        "an agreement, and it was two cases, agreed for since": [*merged, consent()],
        "an agreement, and it was two cases, of which one was denied": [
            *merged, consent(), consent(1, decision="DENY", silent_on=(0,), categories=("HEALTH",)),
        ],
        "it is shared with the asker": [CASE, consent(), share],
        "it is shared with the asker, sealed": [SEALED, consent(), share],
        "it is shared with the asker, OVERVIEW and CONTACT": [
            CASE, consent(), replace(share, categories=("OVERVIEW", "CONTACT")),
        ],
        "it was shared with the asker": [CASE, consent(), replace(share, until=PAST)],
        "it is shared with another": [CASE, consent(), replace(share, organisation=OTHER)],
        **glass(asker),
        "an agreement, and the case is frozen": [*agreed, FROZEN],
        "an agreement, and everything of its origin is frozen": [*agreed, ORIGIN_FROZEN],
        "an agreement, and everything of another origin is frozen": [*agreed, replace(ORIGIN_FROZEN, country="TR")],
        "an agreement, and a freeze that was lifted": [*agreed, LIFTED],
        "it is shared with the asker, and frozen": [CASE, consent(), share, FROZEN],
    }  # fmt: skip


def glass(asker: str) -> dict[str, list[Fact]]:
    """Name every situation of glass broken for CONTACT and HEALTH, where only the overview was there for the asker."""
    seen = Share(id=0, case=0, organisation=asker, categories=("OVERVIEW",), until=COMING)
    broken = Emergency(
        id=0,
        case=0,
        organisation=asker,
        categories=("CONTACT", "HEALTH"),
        asked_at=JUST_NOW,
        approved_at=None,
        variant=0,
    )
    shown: list[Fact] = [CASE, consent(), seen]
    sealed: list[Fact] = [SEALED, consent(), seen]
    return {
        "OVERVIEW is shared, and the glass is broken": [*shown, broken],
        "OVERVIEW is shared, and the glass was broken more than twelve hours ago": [*shown, replace(broken, asked_at=HOURS_AGO)],
        "OVERVIEW is shared, and another broke the glass": [*shown, replace(broken, organisation=OTHER)],
        "OVERVIEW is shared, the glass is broken, and HEALTH is denied": [
            *shown, broken, consent(1, decision="DENY", categories=("HEALTH",)),
        ],
        "OVERVIEW is shared, the glass is broken, and the case is frozen": [*shown, broken, FROZEN],
        **({} if asker == "icorn" else {"OVERVIEW is shared, the glass is broken, and the case is held from the asker": [
            *shown, broken, Hold(id=0, case=0, organisation=asker, ended_at=None),
        ]}),
        "no basis but the broken glass": [CASE, consent(), broken],
        "sealed, OVERVIEW is shared, and broken glass waits for ICORN": [*sealed, broken],
        "sealed, OVERVIEW is shared, and ICORN approved the broken glass": [*sealed, replace(broken, approved_at=JUST_NOW)],
        "sealed, OVERVIEW is shared, and ICORN approved it more than twelve hours ago": [
            *sealed, replace(broken, asked_at=HOURS_AGO, approved_at=HOURS_AGO),
        ],
    }  # fmt: skip


def referral(sender: str, recipient: str, status: str, case: int | None = None) -> Referral:
    """Make a referral with everything that can be sent."""
    return Referral(
        id=0, sender=sender, recipient=recipient, case=case, client="", client_reference=None, status=status, urgency="URGENT",
        submitted_at=PAST, shared=SHOWN, variant=0,
    )  # fmt: skip


def referrals(asker: str) -> dict[str, list[Fact]]:
    """Name every situation of a referral as an organisation may meet it; the sender recorded what the person said."""
    recipient = "icorn" if asker != "icorn" else "open-stage"
    sender = OTHER
    out = referral(asker, recipient, "IN_REVIEW")
    back = referral(sender, asker, "IN_REVIEW")
    said = consent(case=None, referral=0, recorded_by=asker)
    heard = replace(said, recorded_by=sender)
    held = Hold(id=0, case=0, organisation=asker, ended_at=None)
    return {
        "the asker sent it": [out, said],
        **{f"the asker sent it, {status}": [replace(out, status=status), said] for status in CLOSED},
        "the asker sent it, and consent is to OVERVIEW and IDENTITY": [
            out, replace(said, categories=("OVERVIEW", "IDENTITY")),
        ],
        "the asker sent it, and consent was withdrawn": [out, replace(said, withdrawn_at=PAST)],
        "the asker received it": [back, heard],
        **{f"the asker received it, {s}": [replace(back, status=s), heard] for s in (*LIVE, *CLOSED) if s != "IN_REVIEW"},
        "the asker received it, and consent is to OVERVIEW and IDENTITY": [
            back, replace(heard, categories=("OVERVIEW", "IDENTITY")),
        ],
        "the asker received it, and consent was withdrawn": [back, replace(heard, withdrawn_at=PAST)],
        "the asker received it, and recorded the consent itself": [back, replace(heard, recorded_by=asker)],
        "the asker received it, and THREAT is denied": [
            back, heard, replace(heard, id=1, decision="DENY", categories=("THREAT",)),
        ],
        **({} if asker == "icorn" else {"the asker received it, and its case is held from the asker": [
            CASE, replace(back, case=0), heard, held,
        ]}),
        **{f"the asker sent it, and {why}": [CASE, replace(out, case=0), said, stop] for why, stop in FREEZES.items()},
        **{f"the asker received it, and {why}": [CASE, replace(back, case=0), heard, stop] for why, stop in FREEZES.items()},
        "the asker received it, there is no case, and everything of its origin is frozen": [back, heard, ORIGIN_FROZEN],
        "between two others": [referral(sender, "open-stage" if recipient == "icorn" else "pen-centre", "IN_REVIEW"), heard],
    }  # fmt: skip


def sees_of_case(asker: str, facts: Iterable[Fact]) -> list[str]:
    """Give the categories of the case that an organisation sees."""
    world = frozenset(facts)
    (case,) = (fact for fact in world if isinstance(fact, Case))
    return [category for category in CATEGORIES if opened(asker, case, category, world)]


def sees_of_referral(asker: str, facts: Iterable[Fact]) -> list[str]:
    """Give what an organisation sees of the referral: OVERVIEW stands for the referral itself, the others for its person."""
    world = frozenset(facts)
    (sent,) = (fact for fact in world if isinstance(fact, Referral))
    there = ["OVERVIEW"] if takes_part(asker, sent, world) else []
    return there + [category for category in PERSONAL if readable(asker, sent, category, world)]


def printed() -> str:
    """Print the matrix as Markdown: a row for each situation, a column for each category, in it the kinds that see it there."""
    of_case = _seen({asker: {name: sees_of_case(asker, f) for name, f in cases(asker).items()} for asker in KINDS})
    of_referral = _seen(
        {asker: {name: sees_of_referral(asker, f) for name, f in referrals(asker).items()} for asker in KINDS}
    )
    return f"{_table('a case of which', CATEGORIES, of_case)}\n\n{_table('a referral of which', SHOWN, of_referral)}\n"


def _seen(by_asker: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, str]]:
    """Turn what each asker sees in each situation into which kinds see each category there."""
    return {
        name: {
            category: " ".join(KINDS[asker] for asker, rows in by_asker.items() if category in rows.get(name, ()))
            for category in CATEGORIES
        }
        for name in max(by_asker.values(), key=len)
    }


def _table(corner: str, columns: Iterable[str], rows: dict[str, dict[str, str]]) -> str:
    columns = list(columns)
    lines = [[corner, *columns], ["---", *(":-:" for _ in columns)]]
    lines += [[name, *(seen[k] or HIDDEN for k in columns)] for name, seen in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
