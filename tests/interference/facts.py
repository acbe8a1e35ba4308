"""This module says what a world is made of: facts, each of them one row or one person's document, and nothing of who may see them.

Times are ISO 8601 in UTC, so that text order is time order. People, places and organisations are invented.
"""

from dataclasses import dataclass
from typing import Final

NOW: Final = "2026-06-01T12:00:00Z"
TODAY: Final = "2026-06-01"
PERSONAL: Final = ("PROFILE", "IDENTITY", "CONTACT", "WHEREABOUTS", "THREAT", "HEALTH", "FAMILY")
CATEGORIES: Final = ("OVERVIEW", *PERSONAL, "ASSESSMENT")
UNDECIDED: Final = ("SUBMITTED", "RECEIVED", "INFORMATION_REQUESTED", "IN_REVIEW")
LIVE: Final = ("SUBMITTED", "RECEIVED", "INFORMATION_REQUESTED", "IN_REVIEW", "ACCEPTED")
ORGANISATIONS: Final = {
    "icorn": "ICORN", "pen-centre": "SISTER", "arts-haven": "SISTER", "open-stage": "SISTER", "harbour-city": "CITY",
}  # fmt: skip
CITIES: Final = ("bergen", "krakow", "paris")
FEEDS: Final = {
    "pen-feed": "pen-centre", "haven-feed": "arts-haven", "stage-feed": "open-stage", "harbour-feed": "harbour-city",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case's overview."""

    id: int
    status: str = "CANDIDATE"
    discipline: str = "WRITER"
    origin: str = "IR"
    risk_level: str = "HIGH"
    opened_on: str = "2026-01-15"
    updated_at: str = "2026-02-01T00:00:00Z"
    sealed: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """What is said of a case's person in one category; `variant` stands for the content."""

    case: int
    category: str
    variant: int


@dataclass(frozen=True, kw_only=True)
class Residency:
    """A stay in a city."""

    id: int
    case: int
    city: str
    status: str
    starts_on: str | None


@dataclass(frozen=True, kw_only=True)
class Referral:
    """A person handed from one organisation to another; `variant` stands for the documents of the shared categories."""

    id: int
    sender: str
    recipient: str
    case: int | None
    client: str
    client_reference: str | None
    status: str
    urgency: str
    submitted_at: str
    shared: tuple[str, ...]
    variant: int


@dataclass(frozen=True, kw_only=True)
class Message:
    """What one party of a referral wrote to the other, or did with it."""

    referral: int
    ordinal: int
    by: str
    variant: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A data-sharing agreement."""

    id: int
    organisation: str
    categories: tuple[str, ...]
    origins: tuple[str, ...] | None = None
    disciplines: tuple[str, ...] | None = None
    approved_at: str | None = "2026-01-01T00:00:00Z"
    valid_until: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Consent:
    """The person's decision about a case or a referral; organisation None is every partner. Of cases made one since, it is `silent_on` some."""

    id: int
    case: int | None
    referral: int | None
    decision: str
    organisation: str | None
    categories: tuple[str, ...]
    given_on: str = "2026-01-02"
    valid_until: str | None = None
    withdrawn_at: str | None = None
    recorded_by: str = "icorn"
    accepted: bool = False
    silent_on: tuple[int, ...] = ()
    variant: int = 0


@dataclass(frozen=True, kw_only=True)
class Share:
    """One case opened to one organisation."""

    id: int
    case: int
    organisation: str
    categories: tuple[str, ...]
    until: str


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """One case shown to a city's office, which decides; `variant` stands for what it said to its answer."""

    id: int
    case: int
    organisation: str
    categories: tuple[str, ...]
    until: str
    status: str = "OPEN"
    answered_at: str | None = None
    variant: int = 0


@dataclass(frozen=True, kw_only=True)
class Merged:
    """That another case has become part of this one."""

    former: int
    case: int


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One case kept from one organisation."""

    id: int
    case: int
    organisation: str
    ended_at: str | None


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """Glass that an organisation broke for a case; of a sealed one it opens when ICORN approves. `variant` stands for the reason."""

    id: int
    case: int
    organisation: str
    categories: tuple[str, ...]
    asked_at: str
    approved_at: str | None
    variant: int


@dataclass(frozen=True, kw_only=True)
class Retraction:
    """What an organisation received of a case or referral and may hold no longer, whether that is still there or not; `variant` stands for a note."""

    id: int
    organisation: str
    kind: str
    subject: int
    categories: tuple[str, ...]
    at: str
    acknowledged_at: str | None
    variant: int | None


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """One case, or every case and referral of an origin, kept from everyone but ICORN."""

    id: int
    case: int | None
    country: str | None
    ended_at: str | None


@dataclass(frozen=True, kw_only=True)
class LegalHold:
    """What forbids that a case is erased, or what one person proposed of that; ICORN's own."""

    case: int
    held: bool
    proposed: bool


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record of a sister feed, with documents of some categories."""

    id: int
    feed: str
    origin: str
    updated_at: str
    present: bool
    categories: tuple[str, ...]
    variant: int


@dataclass(frozen=True, kw_only=True)
class Link:
    """That a feed record is of a case's person."""

    record: int
    case: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a client's earlier command left behind, under its idempotency key."""

    organisation: str
    client: str
    key: str
    variant: int


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program of an organisation."""

    name: str
    organisation: str


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who signs in for an organisation; `variant` stands for name and address."""

    id: int
    organisation: str
    admin: bool
    variant: int


@dataclass(frozen=True, kw_only=True)
class Access:
    """That somebody of an organisation looked at a case, as its log has it."""

    id: int
    organisation: str
    case: int


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where an organisation has its events sent; `variant` stands for how often it was not taken."""

    id: int
    organisation: str
    paused: bool
    variant: int


Fact = (
    Case | Document | Residency | Referral | Message | Agreement | Consent | Share | Hold | Freeze | Emergency | Retraction | LegalHold
    | Presentation | Merged | Record | Link | Outcome | Client | User | Access | Webhook
)  # fmt: skip
World = frozenset[Fact]
