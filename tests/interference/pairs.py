"""This module draws pairs of worlds that a principal cannot tell apart, as the reference has it: one seen part, two hidden ones."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.interference.facts import (
    CITIES,
    FEEDS,
    ORGANISATIONS,
    PERSONAL,
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
from tests.interference.fitting import with_fact
from tests.interference.principals import PRINCIPALS, Principal
from tests.interference.standing import referred, sends, standing
from tests.interference.view import view

PARTNERS = [code for code, kind in ORGANISATIONS.items() if kind != "ICORN"]
REFERENCES = ["2026/1", "2026/2", "2026/3"]
IDEMPOTENCY_KEYS = ["key-1", "key-2", "key-3"]
PAST, COMING = "2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z"
VARIANTS = st.integers(0, 3)
NUMBERS = st.sampled_from([100, 101, 102, 103, *range(5)])
"""Whom facts are about: the asker knows of 100 to 102, and has referred 103 without knowing that there is a case."""


def subset(of: Iterable[str], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw some of these, in their order."""
    listed = list(of)
    drawn = st.lists(st.sampled_from(listed), min_size=least, unique=True)
    return drawn.map(lambda some: tuple(sorted(some, key=listed.index)))


def opening(least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw categories that may be opened to a partner, mostly with OVERVIEW, without which there is nothing to see."""
    return st.tuples(st.sampled_from([("OVERVIEW",), ("OVERVIEW",), ("OVERVIEW",), ()]), subset(PERSONAL, least)).map(
        lambda two: (*two[0], *two[1])
    )


def moments(start: str) -> st.SearchStrategy[str]:
    """Draw times that are equal now and then."""
    return st.integers(1, 28).map(lambda day: f"{start}-{day:02}T08:00:00Z")


CASES = st.builds(
    Case, id=NUMBERS, status=st.sampled_from(["CANDIDATE", "PRESENTED", "IN_RESIDENCE"]),
    discipline=st.sampled_from(["WRITER", "JOURNALIST"]), origin=st.sampled_from(["IR", "TR"]),
    risk_level=st.sampled_from(["LOW", "HIGH", "EXTREME"]), opened_on=moments("2026-01").map(lambda at: at[:10]),
    updated_at=moments("2026-02"), sealed=st.sampled_from([False, False, True]),
)  # fmt: skip
DOCUMENTS = st.builds(Document, case=NUMBERS, category=st.sampled_from([*PERSONAL, "ASSESSMENT"]), variant=VARIANTS)
RESIDENCIES = st.builds(
    Residency, id=NUMBERS, case=NUMBERS, city=st.sampled_from(CITIES), status=st.sampled_from(["ACTIVE", "OFFERED"]),
    starts_on=st.sampled_from([None, "2026-02-01", "2026-03-01"]),
)  # fmt: skip


@st.composite
def referrals(draw: st.DrawFn) -> Referral:
    """Draw a referral between two organisations."""
    sender, recipient = draw(
        st.lists(st.sampled_from(list(ORGANISATIONS)), min_size=2, max_size=2, unique=True).filter(
            lambda s: s[0] != "icorn"
        )
    )
    clients = [p.client for p in PRINCIPALS.values() if p.organisation == sender]
    return Referral(
        id=draw(NUMBERS), sender=sender, recipient=recipient, case=draw(st.none() | NUMBERS),
        client=draw(st.sampled_from([*clients, f"{sender}-else"])), client_reference=draw(st.none() | st.sampled_from(REFERENCES)),
        status=draw(st.sampled_from(["SUBMITTED", "IN_REVIEW", "INFORMATION_REQUESTED", "DECLINED"])), urgency=draw(st.sampled_from(["ROUTINE", "URGENT"])),
        submitted_at=draw(moments("2026-03")), shared=("OVERVIEW", *draw(subset(PERSONAL))), variant=draw(VARIANTS),
    )  # fmt: skip


MESSAGES = st.builds(
    Message, referral=NUMBERS, ordinal=st.integers(1, 3), by=st.sampled_from(list(ORGANISATIONS)), variant=VARIANTS
)
AGREEMENTS = st.builds(
    Agreement, id=NUMBERS, organisation=st.sampled_from(PARTNERS), categories=opening(),
    origins=st.sampled_from([None, ("IR",)]), disciplines=st.sampled_from([None, ("WRITER",)]),
    approved_at=st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", None]),
    valid_until=st.sampled_from([None, COMING, PAST]), ended_at=st.sampled_from([None, None, PAST]),
)  # fmt: skip


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    """Draw a decision; denials are ICORN's to record, for whoever takes its own denial back opens something to itself."""
    decision = draw(st.sampled_from(["ALLOW", "ALLOW", "DENY"]))
    about = draw(st.sampled_from([("case",), ("case",), ("referral",), ("case", "referral")]))
    return Consent(
        id=draw(st.integers(0, 20)), case=draw(NUMBERS) if "case" in about else None, referral=draw(NUMBERS) if "referral" in about else None,
        decision=decision, organisation=draw(st.none() | st.sampled_from(list(ORGANISATIONS))), categories=draw(opening(1)),
        given_on=draw(st.sampled_from(["2026-01-02", "2026-01-03", "2026-11-01"])), valid_until=draw(st.sampled_from([None, None, "2026-02-01"])),
        withdrawn_at=draw(st.sampled_from([None, None, PAST])),
        recorded_by="icorn" if decision == "DENY" else draw(st.sampled_from(["icorn", *ORGANISATIONS])),
        accepted=draw(st.booleans()), silent_on=draw(st.sampled_from([(), (), (), (100,), (200,), (201, 202)])), variant=draw(VARIANTS),
    )  # fmt: skip


SHARES = st.builds(
    Share, id=NUMBERS, case=NUMBERS, organisation=st.sampled_from(PARTNERS), categories=opening(),
    until=st.sampled_from([COMING, COMING, PAST]),
)  # fmt: skip
PRESENTATIONS = st.tuples(
    NUMBERS, NUMBERS, opening(), st.sampled_from([COMING, COMING, PAST]), VARIANTS, st.sampled_from(PARTNERS),
    st.sampled_from([("OPEN", None), ("OPEN", None), ("INVITED", PAST), ("DECLINED", PAST), ("WITHDRAWN", None), ("WITHDRAWN", PAST)]),
).map(
    lambda of: Presentation(
        id=of[0], case=of[1], organisation=of[5], categories=of[2], until=of[3], variant=of[4], status=of[6][0], answered_at=of[6][1]
    )
)  # fmt: skip
MERGED = st.builds(Merged, former=st.sampled_from([200, 201, 202]), case=NUMBERS)
HOLDS = st.builds(
    Hold, id=NUMBERS, case=NUMBERS, organisation=st.sampled_from(PARTNERS), ended_at=st.sampled_from([None, None, PAST])
)
EMERGENCIES = st.builds(
    Emergency, id=NUMBERS, case=NUMBERS, organisation=st.sampled_from(PARTNERS), categories=opening(1), variant=VARIANTS,
    asked_at=st.sampled_from(["2026-06-01T11:00:00Z", "2026-06-01T00:00:00Z"]), approved_at=st.sampled_from([None, None, "2026-06-01T11:30:00Z"]),
)  # fmt: skip
RETRACTIONS = st.builds(
    Retraction, id=st.integers(0, 9), organisation=st.sampled_from(PARTNERS), kind=st.sampled_from(["case", "referral"]), subject=NUMBERS, categories=opening(1),
    at=moments("2026-05"), acknowledged_at=st.sampled_from([None, None, "2026-05-30T00:00:00Z"]), variant=st.none() | VARIANTS,
)  # fmt: skip
FREEZES = st.tuples(NUMBERS, st.sampled_from([("case", None), ("case", None), (None, "TR"), (None, "XX")])).flatmap(
    lambda two: st.builds(
        Freeze, id=st.just(two[0]), case=NUMBERS if two[1][0] else st.none(), country=st.just(two[1][1]), ended_at=st.sampled_from([None, None, PAST]),
    )
)  # fmt: skip
LEGAL_HOLDS = st.builds(LegalHold, case=NUMBERS, held=st.booleans(), proposed=st.booleans())
RECORDS = st.builds(
    Record, id=NUMBERS, feed=st.sampled_from(list(FEEDS)), origin=st.sampled_from(["IR", "TR"]), updated_at=moments("2026-04"),
    present=st.sampled_from([True, True, False]), categories=subset(PERSONAL), variant=VARIANTS,
)  # fmt: skip
LINKS = st.builds(Link, record=NUMBERS, case=NUMBERS)
OUTCOMES = st.sampled_from(
    [*((p.organisation, p.client) for p in PRINCIPALS.values()), *((code, f"{code}-else") for code in PARTNERS)]
).flatmap(
    lambda who: st.builds(Outcome, organisation=st.just(who[0]), client=st.just(who[1]), key=st.sampled_from(IDEMPOTENCY_KEYS), variant=VARIANTS)
)  # fmt: skip
ACCESSES = st.builds(Access, id=st.integers(0, 20), organisation=st.sampled_from(list(ORGANISATIONS)), case=NUMBERS)
WEBHOOKS = st.builds(
    Webhook,
    id=st.integers(0, 9),
    organisation=st.sampled_from(list(ORGANISATIONS)),
    paused=st.booleans(),
    variant=VARIANTS,
)
CLIENTS = st.builds(Client, name=st.integers(0, 5).map("client-{}".format), organisation=st.sampled_from(PARTNERS))
USERS = st.builds(
    User, id=st.integers(0, 9), organisation=st.sampled_from(PARTNERS), admin=st.booleans(), variant=VARIANTS
)
# In this order, so that what a fact needs is there before it.
KINDS: tuple[tuple[st.SearchStrategy[Any], int], ...] = (
    (CASES, 5), (AGREEMENTS, 4), (referrals(), 5), (RECORDS, 5), (CLIENTS, 2), (USERS, 3), (OUTCOMES, 4), (DOCUMENTS, 14), (RESIDENCIES, 4),
    (MESSAGES, 4), (consents(), 10), (SHARES, 4), (PRESENTATIONS, 4), (MERGED, 2), (HOLDS, 3), (LINKS, 3), (ACCESSES, 4), (EMERGENCIES, 4), (RETRACTIONS, 4), (FREEZES, 1), (LEGAL_HOLDS, 2), (WEBHOOKS, 2),
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two worlds that a principal cannot tell apart."""

    principal: Principal
    left: World
    right: World


def some_facts(share: float) -> st.SearchStrategy[list[Fact]]:
    """Draw facts of every kind, each kind's in a row."""
    return st.tuples(*(st.lists(kind, min_size=round(most * share), max_size=most) for kind, most in KINDS)).map(
        lambda rows: [fact for row in rows for fact in row]
    )


@st.composite
def aimed(draw: st.DrawFn, principal: Principal, share: float) -> list[Fact]:
    """Draw what may be hidden of the people whom the asker knows of: documents of any category, where they stay, that there is a case."""
    people = (100, 101, 102, 103)
    places = [(number, k) for number in people for k in (*PERSONAL, "ASSESSMENT")]
    facts: list[Fact] = [draw(CASES.map(lambda case: replace(case, id=103)))]
    for number, category in draw(st.lists(st.sampled_from(places), min_size=round(24 * share), unique=True)):
        facts.append(Document(case=number, category=category, variant=draw(VARIANTS)))
    for number in range(10, 10 + draw(st.integers(round(2 * share), 4))):
        stay = st.builds(
            Residency, id=st.just(number), case=st.sampled_from(people), city=st.sampled_from(CITIES), status=st.just("ACTIVE"), starts_on=st.just("2026-02-01"),
        )  # fmt: skip
        facts.append(draw(stay))
    others = [code for code in PARTNERS if code != principal.organisation]
    for number in range(30, 30 + draw(st.integers(round(2 * share), 4))):
        # What the person says of others is for them and ICORN alone.
        about, whom = draw(st.sampled_from(people)), draw(st.sampled_from(others))
        facts.append(
            Consent(id=number, case=about, referral=None, decision="DENY", organisation=whom, categories=("OVERVIEW",))
        )
    return [*facts, referred(102, sends(principal), "icorn", principal, case=103 if share else None)]


def grown(world: Iterable[Fact], candidates: Iterable[Fact], allowed: Callable[[World], bool]) -> World:
    """Put in one candidate after the other, where it fits and where the world is still allowed with it."""
    made = frozenset(world)
    for fact in candidates:
        changed = with_fact(made, fact)
        if changed is not None and allowed(changed):
            made = changed
    return made


@st.composite
def pairs(draw: st.DrawFn, principal: Principal, *, plain: bool) -> Pair:
    """Draw what may be seen (when `plain`, only what is sure to be), and for each world whatever makes no difference to the view."""
    seen = grown([], [*standing(principal), *([] if plain else draw(some_facts(0.3)))], lambda _: True)
    known = view(principal, seen)
    # What of this nobody sees is for each world to have, or to have otherwise.
    for fact in sorted((f for f in seen if isinstance(f, Document | Residency)), key=repr):
        seen = seen - {fact} if view(principal, seen - {fact}) == known else seen
    left, right = (
        grown(
            seen,
            [*draw(some_facts(share)), *draw(aimed(principal, share))],
            lambda world: view(principal, world) == known,
        )
        for share in (0.0, 1.0)
    )
    return Pair(principal, left, right) if draw(st.booleans()) else Pair(principal, right, left)


@cache
def pair(principal: Principal, number: int) -> Pair:
    """Draw the pair of this number. In number 0 all is seen that is sure to be there, and nothing else: so there is no field that it does not reach."""
    found: list[Pair] = []

    @seed(number)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs(principal, plain=number == 0))
    def draw(drawn: Pair) -> None:
        found.append(drawn)

    draw()
    return found[-1]
