"""This module says what is sure to be there for a principal to see, so that there is no field that it could not reach."""

from tests.interference.facts import (
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
    LegalHold,
    Link,
    Message,
    Presentation,
    Record,
    Referral,
    Residency,
    Retraction,
    User,
    Webhook,
)
from tests.interference.principals import Principal


def referred(number: int, sender: str, recipient: str, principal: Principal, case: int | None) -> Referral:
    """Make a referral that the principal takes part in."""
    return Referral(
        id=number, sender=sender, recipient=recipient, case=case, client=principal.client if sender == principal.organisation else f"{sender}-else",
        client_reference=f"2026/0{number}", status="IN_REVIEW", urgency="URGENT", submitted_at="2026-03-01T08:00:00Z",
        shared=("OVERVIEW", "PROFILE", "IDENTITY"), variant=0,
    )  # fmt: skip


def sends(principal: Principal) -> str:
    """Give who refers people to ICORN, as the asker knows it: itself, or for ICORN a partner."""
    return "pen-centre" if ORGANISATIONS[principal.organisation] == "ICORN" else principal.organisation


def standing(principal: Principal) -> list[Fact]:
    """Give what makes sure that a principal sees something: an agreement, three cases, a referral each way, a feed's record."""
    other = "arts-haven" if principal.organisation != "arts-haven" else "open-stage"
    icorn = ORGANISATIONS[principal.organisation] == "ICORN"
    everything: tuple[str, ...] = ("OVERVIEW", *(k for k in PERSONAL if icorn or k not in ("HEALTH", "FAMILY")))
    facts: list[Fact] = [Agreement(id=100, organisation=principal.organisation, categories=everything)]
    for number in (100, 101, 102):
        facts += [
            Case(id=number, opened_on=f"2026-01-1{number % 10}", risk_level="HIGH"),
            *(Document(case=number, category=k, variant=number % 10) for k in ("PROFILE", "IDENTITY", "WHEREABOUTS")),
            # The third person keeps to themselves where they are.
            Consent(
                id=number, case=number, referral=None, decision="ALLOW", organisation=None,
                categories=everything if number < 102 else tuple(k for k in everything if k != "WHEREABOUTS"),
            ),
        ]  # fmt: skip
    documents = [*everything[1:], "ASSESSMENT"] if icorn else everything[1:]
    facts += [Document(case=100, category=k, variant=1) for k in documents]
    for number, sender, recipient in ((100, sends(principal), "icorn"), (101, other, principal.organisation)):
        facts += [
            referred(number, sender, recipient, principal, case=number),
            Consent(
                # What was sent to the asker may be passed on, to anybody.
                id=number + 10, case=None, referral=number, decision="ALLOW", organisation=None if number == 101 else recipient,
                categories=("OVERVIEW", "PROFILE"), recorded_by=sender, accepted=True,
            ),
            Message(referral=number, ordinal=1, by=sender, variant=1),
        ]  # fmt: skip
    facts += [
        Emergency(
            id=100, case=100, organisation=other if icorn else principal.organisation, categories=("PROFILE", "HEALTH"),
            asked_at="2026-06-01T11:00:00Z", approved_at=None, variant=1,
        ),
        *(
            Retraction(
                id=number, organisation=principal.organisation, kind=kind, subject=104, categories=("OVERVIEW",), at="2026-05-01T08:00:00Z",
                acknowledged_at=None, variant=1,
            )
            for number, kind in ((100, "case"), (101, "referral"))
        ),
        *([LegalHold(case=100, held=True, proposed=True)] if icorn else []),
    ]  # fmt: skip
    # Whoever referred somebody does not know that there is a case; ICORN may open one.
    facts += [Case(id=103), referred(102, sends(principal), "icorn", principal, case=None if icorn else 103)]
    facts += [
        Presentation(
            id=100, case=100, organisation="harbour-city" if icorn else principal.organisation, categories=("OVERVIEW", "PROFILE"), until="2026-12-01T00:00:00Z", status="INVITED",
            answered_at="2026-05-01T00:00:00Z", variant=1,
        )
    ]  # fmt: skip
    facts += [Residency(id=100, case=100, city="bergen", status="ACTIVE", starts_on="2026-02-01")]
    feed = next(feed for feed, owner in FEEDS.items() if icorn or owner == principal.organisation)
    for number in (100, 101):
        facts += [
            Record(
                id=number, feed=feed, origin="IR", updated_at="2026-04-01T08:00:00Z", present=True, categories=PERSONAL, variant=1
            ),
            Access(id=number, organisation=principal.organisation, case=number),
        ]  # fmt: skip
    facts += [Link(record=100, case=100)]
    # Two users, so that neither is the last who could let anybody in.
    facts += [User(id=n, organisation=principal.organisation, admin=True, variant=1) for n in (100, 101)]
    facts += [Webhook(id=n, organisation=principal.organisation, paused=n > 100, variant=0) for n in (100, 101)]
    facts += [Client(name=f"{principal.organisation}-helper", organisation=principal.organisation)]
    return facts
