"""Who may see what of one case: situations and the verdict on each, written down by hand.

The partner is pen-centre. A verdict names the categories that the policy opens, and the bases it gives whatever consent says.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from tests.world import EVERY_SCOPE, PARTNER, World

Step = Callable[[World, UUID], Awaitable[Any]]
CATEGORIES: Final = (
    "OVERVIEW",
    "PROFILE",
    "IDENTITY",
    "CONTACT",
    "WHEREABOUTS",
    "THREAT",
    "HEALTH",
    "FAMILY",
    "ASSESSMENT",
)
ALL: Final = CATEGORIES[:-1]
NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEFORE: Final = "2026-06-01T11:59:59Z"
NOW: Final = "2026-06-01T12:00:00Z"
AFTER: Final = "2026-06-01T12:00:01Z"


@dataclass(frozen=True)
class Situation:
    """What there is, and what the partner sees of the case then."""

    name: str
    steps: Sequence[Step]
    opens: Sequence[str] = ()
    bases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    case: Mapping[str, Any] = field(default_factory=dict)
    scopes: Sequence[str] = tuple(EVERY_SCOPE)
    at: datetime = NOON
    referred: bool = False
    """Does the partner take part in a referral of the case from pen-centre?"""
    received: bool = False
    """Has ICORN received the case by a referral?"""


def agreement(categories: Sequence[str] = PARTNER, to: str = "pen-centre", **columns: Any) -> Step:
    """An agreement, in force since January unless columns say otherwise."""
    return lambda world, _: world.agreement(to, list(categories), **columns)


def consent(
    categories: Sequence[str] = PARTNER, to: str | None = "pen-centre", decision: str = "ALLOW", **columns: Any
) -> Step:
    """What the person says about the case; `to` None is every partner."""
    return lambda world, case: world.consent(case, to, list(categories), decision, **columns)


def deny(categories: Sequence[str] = PARTNER, to: str | None = "pen-centre", **columns: Any) -> Step:
    """The person's no."""
    return consent(categories, to, "DENY", **columns)


def _row(table: str, to: str, case: UUID, world: World, **values: Any) -> Awaitable[Any]:
    return world.insert(table, id=uuid4(), case_id=case, organisation=world.organisations[to], **values)


def share(categories: Sequence[str] = PARTNER, to: str = "pen-centre", **columns: Any) -> Step:
    """The case opened to one organisation."""
    values = {"starts": "2026-05-01T00:00:00Z", **columns}
    return lambda world, case: _row("share", to, case, world, categories=list(categories), **values)


def hold(to: str = "pen-centre", **columns: Any) -> Step:
    """The case never to one organisation."""
    values = {"starts": "2026-05-01T00:00:00Z", **columns}
    return lambda world, case: _row("hold", to, case, world, **values)


def freeze(**columns: Any) -> Step:
    """The case, or every case of an origin, stopped for everyone but ICORN."""
    values = {"starts": "2026-05-01T00:00:00Z", **columns}
    return lambda world, case: world.insert(
        "frozen", id=uuid4(), **{"case_id": None if "country" in values else case, **values}
    )


def presented(categories: Sequence[str] = PARTNER, to: str = "pen-centre", **columns: Any) -> Step:
    """The case shown to one organisation while it decides."""
    values = {"presented_at": "2026-05-01T00:00:00Z", "until": "2026-07-01T00:00:00Z", **columns}
    return lambda world, case: _row("presentation", to, case, world, categories=list(categories), **values)


def broken(categories: Sequence[str] = PARTNER, to: str = "pen-centre", **columns: Any) -> Step:
    """The glass broken by one organisation."""
    values = {"asked_at": BEFORE, "client": "someone", **columns}
    return lambda world, case: _row("emergency", to, case, world, categories=list(categories), **values)


def referred(sender: str, recipient: str, **columns: Any) -> Step:
    """A referral that this case came from or was handed on by."""
    return lambda world, case: world.referral(sender, recipient, case=case, **columns)


OPEN: Final[dict[str, Any]] = {"opens": PARTNER, "bases": {"AGREEMENT": PARTNER}}
SHARED: Final[dict[str, Any]] = {"opens": PARTNER, "bases": {"SHARE": PARTNER}}
LIVE: Final = ("SUBMITTED", "RECEIVED", "INFORMATION_REQUESTED", "IN_REVIEW", "ACCEPTED")
OVER: Final = ("DECLINED", "WITHDRAWN", "REDIRECTED", "COMPLETED")
_ALL: Final[dict[str, Any]] = {"shared_categories": ALL}
_THREE: Final[dict[str, Any]] = {"shared_categories": PARTNER}

ALLOWED: Final = (
    Situation("an agreement and consent", [agreement(), consent()], **OPEN),
    Situation("an agreement that lists the origin", [agreement(origins=["TR", "IR"]), consent()], **OPEN),
    Situation("an agreement that lists the discipline", [agreement(disciplines=["WRITER"]), consent()], **OPEN),
    Situation("an agreement that begins this second", [agreement(valid_from=NOW), consent()], **OPEN),
    Situation("an agreement approved this second", [agreement(approved_at=NOW), consent()], **OPEN),
    Situation("an agreement in its last second", [agreement(valid_until=AFTER), consent()], **OPEN),
    Situation("two agreements, each with a part", [agreement(["OVERVIEW", "PROFILE"]), agreement(["OVERVIEW", "IDENTITY"]), consent()], **OPEN),
    Situation("consent to everyone", [agreement(), consent(to=None)], **OPEN),
    Situation("consent on its last day", [agreement(), consent(valid_until="2026-06-01")], **OPEN, at=datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)),
    Situation("consent given today", [agreement(), consent(given_on="2026-06-01")], **OPEN),
    Situation("consent that will be taken back", [agreement(), consent(withdrawn_at=AFTER)], **OPEN),
    Situation("a no that has ended", [agreement(), consent(), deny(valid_until="2026-05-31")], **OPEN),
    Situation("a no that was taken back", [agreement(), consent(), deny(withdrawn_at=NOW)], **OPEN),
    Situation("a no to somebody else", [agreement(), consent(), deny(to="arts-haven")], **OPEN),
    Situation("consent to less than the agreement", [agreement(), consent(["OVERVIEW", "PROFILE"])], ["OVERVIEW", "PROFILE"], {"AGREEMENT": PARTNER}),
    Situation("an agreement about less than consent", [agreement(["OVERVIEW"]), consent(ALL)], ["OVERVIEW"], {"AGREEMENT": ["OVERVIEW"]}),
    Situation("a no to one category", [agreement(), consent(), deny(["IDENTITY"])], ["OVERVIEW", "PROFILE"], {"AGREEMENT": PARTNER}),
    Situation("every category but ICORN's own", [agreement(ALL), consent(ALL)], ALL, {"AGREEMENT": ALL}),
    Situation("a share", [share(), consent()], **SHARED),
    Situation("a share of a sealed case", [agreement(), share(), consent()], **SHARED, case={"sealed": "true"}),
    Situation("a share that begins this second", [share(starts=NOW), consent()], **SHARED),
    Situation("a share in its last second", [share(until=AFTER), consent()], **SHARED),
    Situation("a share beside an agreement", [agreement(["OVERVIEW"]), share(["IDENTITY"]), consent()], ["OVERVIEW", "IDENTITY"], {"AGREEMENT": ["OVERVIEW"], "SHARE": ["IDENTITY"]}),
    Situation("a hold on somebody else", [agreement(), consent(), hold("arts-haven")], **OPEN),
    Situation("a freeze of another origin", [agreement(), consent(), freeze(country="TR")], **OPEN),
    Situation("a freeze that was lifted", [agreement(), consent(), freeze(ended_at=NOW), freeze(country="IR", ended_at=NOW)], **OPEN),
    Situation("a freeze to come", [agreement(), consent(), freeze(starts=AFTER)], **OPEN),
    Situation("a hold that has ended", [agreement(), consent(), hold(ended_at=NOW)], **OPEN),
    Situation("a hold to come", [agreement(), consent(), hold(starts=AFTER)], **OPEN),
    Situation("the referrer with consent", [referred("pen-centre", "icorn", **_ALL), consent(ALL)], ["OVERVIEW"], {"REFERRER": ["OVERVIEW"]}, referred=True, received=True),
    Situation("the referrer of a sealed case", [referred("pen-centre", "icorn", **_ALL), consent(ALL)], ["OVERVIEW"], {"REFERRER": ["OVERVIEW"]}, {"sealed": "true"}, referred=True, received=True),
    Situation("presented", [presented(), consent()], PARTNER, {"PRESENTED": PARTNER}),
    Situation("presented, and invited", [presented(status="INVITED"), consent()], PARTNER, {"PRESENTED": PARTNER}),
    Situation("presented in the last second", [presented(until=AFTER), consent()], PARTNER, {"PRESENTED": PARTNER}),
    *(Situation(f"the recipient of a referral {status}", [referred("arts-haven", "pen-centre", status=status, **_THREE), consent()], PARTNER, {"RECIPIENT": PARTNER}) for status in LIVE),
    Situation("broken glass, and consent", [broken(), consent()], PARTNER, {"EMERGENCY": PARTNER}),
    Situation("broken glass beside a share", [share(["OVERVIEW"]), broken(["IDENTITY"]), consent(ALL)], ["OVERVIEW", "IDENTITY"], {"SHARE": ["OVERVIEW"], "EMERGENCY": ["IDENTITY"]}),
    Situation("broken glass in its last second", [broken(asked_at="2026-06-01T00:00:01Z"), consent()], PARTNER, {"EMERGENCY": PARTNER}),
    Situation("broken glass, and consent to less", [broken(ALL), consent()], PARTNER, {"EMERGENCY": ALL}),
    Situation("broken glass of a sealed case that ICORN approved", [broken(asked_at="2026-05-31T13:00:00Z", approved_at=NOW, approver="desk"), consent()], PARTNER, {"EMERGENCY": PARTNER}, {"sealed": "true"}),
    Situation("a token without cases:identity", [agreement(), consent()], **OPEN, scopes=[s for s in EVERY_SCOPE if s != "cases:identity"]),
    Situation("a token with cases:read alone", [agreement(), consent()], **OPEN, scopes=["cases:read"]),
)  # fmt: skip

DENIED: Final = (
    Situation("nothing at all", []),
    Situation("consent without a basis", [consent(ALL, None)]),
    Situation("an agreement without consent", [agreement()]),
    Situation("an agreement that lists another origin", [agreement(origins=["TR"]), consent()]),
    Situation("an agreement about origins, and a case of none", [agreement(origins=["IR"]), consent()], case={"origin": None}),
    Situation("an agreement that lists another discipline", [agreement(disciplines=["MUSICIAN"]), consent()]),
    Situation("an agreement with the origin but another discipline", [agreement(origins=["IR"], disciplines=["MUSICIAN"]), consent()]),
    Situation("an agreement with the discipline but another origin", [agreement(origins=["TR"], disciplines=["WRITER"]), consent()]),
    Situation("an agreement about no origin", [agreement(origins=[]), consent()]),
    Situation("an agreement that nobody approved", [agreement(approved_at=None), consent()]),
    Situation("an agreement to be approved", [agreement(approved_at=AFTER), consent()]),
    Situation("an agreement to come", [agreement(valid_from=AFTER), consent()]),
    Situation("an agreement that ends this second", [agreement(valid_until=NOW), consent()]),
    Situation("an agreement ended", [agreement(ended_at=NOW), consent()]),
    Situation("an agreement ended before it was approved", [agreement(ended_at="2025-12-01T00:00:00Z"), consent()]),
    Situation("somebody else's agreement", [agreement(to="arts-haven"), consent()]),
    Situation("an agreement, and a sealed case", [agreement(ALL), consent(ALL)], case={"sealed": "true"}),
    Situation("an agreement without the overview", [agreement(["PROFILE", "IDENTITY"]), consent()]),
    Situation("consent without the overview", [agreement(), consent(["PROFILE", "IDENTITY"])]),
    Situation("a no to the overview alone", [agreement(), consent(), deny(["OVERVIEW"])]),
    Situation("consent to somebody else", [agreement(), consent(to="arts-haven")]),
    Situation("a no by name, and consent to everyone", [agreement(), consent(to=None), deny()]),
    Situation("a no to everyone, and consent by name", [agreement(), consent(), deny(to=None)]),
    Situation("consent taken back", [agreement(), consent(withdrawn_at=NOW)]),
    Situation("consent of yesterday", [agreement(), consent(valid_until="2026-05-31")]),
    Situation("consent after its last day", [agreement(), consent(valid_until="2026-06-01")], at=datetime(2026, 6, 2, tzinfo=UTC)),
    Situation("consent of tomorrow", [agreement(), consent(given_on="2026-06-02")]),
    Situation("a share without consent", [share()]),
    Situation("a share that ends this second", [share(until=NOW), consent()]),
    Situation("a share to come", [share(starts=AFTER), consent()]),
    Situation("a share ended", [share(ended_at=NOW), consent()]),
    Situation("a share with somebody else", [share(to="arts-haven"), consent()]),
    Situation("a share without the overview", [share(["IDENTITY"]), consent()]),
    Situation("a freeze, whatever allows it", [agreement(), share(), presented(), consent(), consent(to=None), freeze()]),
    Situation("a freeze of the origin", [agreement(), share(), presented(), consent(), freeze(country="IR")]),
    Situation("a freeze that begins this second", [agreement(), consent(), freeze(starts=NOW)]),
    Situation("a freeze stops also what the partner sent itself", [referred("pen-centre", "icorn", **_ALL), consent(ALL), freeze()], referred=True, received=True),
    Situation("a freeze on the recipient", [referred("arts-haven", "pen-centre", **_THREE), consent(), freeze(country="IR")]),
    Situation("a hold, whatever allows it", [agreement(), share(), presented(), consent(), consent(to=None), hold()]),
    Situation("a hold on the referrer", [referred("pen-centre", "icorn", **_ALL), consent(ALL), hold()], referred=True, received=True),
    Situation("a hold on the recipient", [referred("arts-haven", "pen-centre", **_THREE), consent(), hold()]),
    Situation("a hold that begins this second", [agreement(), consent(), hold(starts=NOW)]),
    Situation("the referrer without consent", [referred("pen-centre", "icorn", **_ALL)], referred=True, received=True),
    Situation("somebody else's referral", [referred("arts-haven", "icorn", **_ALL), consent(ALL)], received=True),
    Situation("the recipient without consent", [referred("arts-haven", "pen-centre", **_THREE)]),
    *(Situation(f"the recipient of a referral {status}", [referred("arts-haven", "pen-centre", status=status, **_THREE), consent()]) for status in OVER),
    Situation("presented, and the time is up", [presented(until=NOW), consent()]),
    Situation("presented, in time to come", [presented(presented_at=AFTER), consent()]),
    *(Situation(f"presented, and {status}", [presented(status=status), consent()]) for status in ("DECLINED", "WITHDRAWN", "EXPIRED")),
    Situation("presented to somebody else", [presented(to="arts-haven"), consent()]),
    Situation("broken glass without consent", [broken()]),
    Situation("broken glass and a no", [broken(), consent(), deny(["OVERVIEW"])]),
    Situation("broken glass and a hold", [broken(), consent(), hold()]),
    Situation("broken glass of twelve hours ago", [broken(asked_at="2026-06-01T00:00:00Z"), consent()]),
    Situation("broken glass without the overview", [broken(["IDENTITY"]), consent()]),
    Situation("glass that somebody else broke", [broken(to="arts-haven"), consent()]),
    Situation("broken glass of a sealed case that nobody approved", [broken(), consent()], case={"sealed": "true"}),
    Situation("broken glass of a sealed case, approved twelve hours ago", [broken(asked_at="2026-05-31T13:00:00Z", approved_at="2026-06-01T00:00:00Z", approver="desk"), consent()], case={"sealed": "true"}),
    Situation("a token without cases:read", [agreement(ALL), consent(ALL)], scopes=[s for s in EVERY_SCOPE if s != "cases:read"]),
)  # fmt: skip
