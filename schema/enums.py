"""This module holds the enums of the public contract; their values are those of the Postgres enum types of the same name."""

from enum import StrEnum, auto

import strawberry


class Named(StrEnum):
    """An enum whose values are the names of its members."""

    @staticmethod
    def _generate_next_value_(name: str, *_: object) -> str:
        return name


@strawberry.enum
class Category(Named):
    """A disclosure category: one scope, one object on Case, one table."""

    OVERVIEW = auto()
    PROFILE = auto()
    IDENTITY = auto()
    CONTACT = auto()
    WHEREABOUTS = auto()
    THREAT = auto()
    HEALTH = auto()
    FAMILY = auto()
    ASSESSMENT = auto()


@strawberry.enum
class CaseStatus(Named):
    """Where a case stands, from application to the time after a residency."""

    APPLICANT = auto()
    IN_ASSESSMENT = auto()
    CANDIDATE = auto()
    PRESENTED = auto()
    INVITED = auto()
    RELOCATING = auto()
    IN_RESIDENCE = auto()
    ALUMNUS = auto()
    DECLINED = auto()
    WITHDRAWN = auto()
    CLOSED = auto()


@strawberry.enum
class Discipline(Named):
    """What the person does."""

    WRITER = auto()
    JOURNALIST = auto()
    TRANSLATOR = auto()
    PUBLISHER = auto()
    VISUAL_ARTIST = auto()
    CARTOONIST = auto()
    MUSICIAN = auto()
    FILMMAKER = auto()
    PERFORMER = auto()
    PHOTOGRAPHER = auto()
    OTHER = auto()


@strawberry.enum
class RiskLevel(Named):
    """How great the danger is held to be."""

    LOW = auto()
    MODERATE = auto()
    HIGH = auto()
    EXTREME = auto()


@strawberry.enum
class ThreatSource(Named):
    """Who threatens the person."""

    STATE = auto()
    MILITARY = auto()
    POLICE = auto()
    ARMED_GROUP = auto()
    RELIGIOUS_GROUP = auto()
    COMMUNITY = auto()
    ONLINE = auto()
    UNKNOWN = auto()


@strawberry.enum
class ResidencyStatus(Named):
    """Where a residency stands."""

    OFFERED = auto()
    ACCEPTED = auto()
    ACTIVE = auto()
    COMPLETED = auto()
    CANCELLED = auto()


@strawberry.enum
class PresentationStatus(Named):
    """Where a presentation stands; one that nobody answered in time has expired."""

    OPEN = auto()
    INVITED = auto()
    DECLINED = auto()
    WITHDRAWN = auto()
    EXPIRED = auto()


@strawberry.enum
class PresentationAnswer(Named):
    """What a city says of a person whom it was shown."""

    INVITE = auto()
    DECLINE = auto()


@strawberry.enum
class OrganisationKind(Named):
    """ICORN itself, a sister organisation, or a city of refuge."""

    ICORN = auto()
    SISTER = auto()
    CITY = auto()


@strawberry.enum
class AgreementStatus(Named):
    """Where a data-sharing agreement stands."""

    PROPOSED = auto()
    ACTIVE = auto()
    ENDED = auto()
    EXPIRED = auto()


@strawberry.enum
class AccessStatus(Named):
    """Whether a client or a user can get in."""

    INVITED = auto()
    ACTIVE = auto()
    DISABLED = auto()


@strawberry.enum
class Role(Named):
    """What somebody is within an organisation; what they may ask for is their scopes' matter."""

    PARTNER_ADMIN = auto()
    PARTNER_STAFF = auto()
    ICORN_STAFF = auto()
    ICORN_ADMIN = auto()


@strawberry.enum
class ConsentDecision(Named):
    """The person's own word. DENY beats ALLOW."""

    ALLOW = auto()
    DENY = auto()


@strawberry.enum
class DisclosureBasis(Named):
    """Why an organisation may see a category of a case."""

    ICORN = auto()
    AGREEMENT = auto()
    REFERRER = auto()
    RECIPIENT = auto()
    PRESENTED = auto()
    SHARE = auto()
    EMERGENCY = auto()


@strawberry.enum
class DisclosureGap(Named):
    """What is missing for a category to be seen, or in its way. A hold, a freeze or a seal looks like a missing basis or consent, but where ICORN asks of others."""

    SCOPE = auto()
    BASIS = auto()
    CONSENT = auto()
    OVERVIEW = auto()
    HOLD = auto()
    FREEZE = auto()
    SEAL = auto()


@strawberry.enum
class ReferralStatus(Named):
    """Where a referral stands."""

    SUBMITTED = auto()
    RECEIVED = auto()
    INFORMATION_REQUESTED = auto()
    IN_REVIEW = auto()
    ACCEPTED = auto()
    DECLINED = auto()
    WITHDRAWN = auto()
    REDIRECTED = auto()
    COMPLETED = auto()


@strawberry.enum
class ReferralResponse(Named):
    """What a party answers to a referral: `hub lifecycle` prints who, and when."""

    ACKNOWLEDGE = auto()
    REQUEST_INFORMATION = auto()
    GIVE_INFORMATION = auto()
    REVIEW = auto()
    ACCEPT = auto()
    DECLINE = auto()
    REDIRECT = auto()
    COMPLETE = auto()


@strawberry.enum
class DeclineReason(Named):
    """Why a referral was declined."""

    OUT_OF_MANDATE = auto()
    NO_CAPACITY = auto()
    NOT_VERIFIED = auto()
    ALREADY_HELPED = auto()
    UNSAFE_TO_PROCEED = auto()
    DUPLICATE = auto()
    OTHER = auto()


@strawberry.enum
class Urgency(Named):
    """How soon someone must act."""

    ROUTINE = auto()
    URGENT = auto()
    EMERGENCY = auto()


@strawberry.enum
class ReferralEventKind(Named):
    """What happened to a referral."""

    SUBMITTED = auto()
    ACKNOWLEDGED = auto()
    IN_REVIEW = auto()
    INFORMATION_REQUESTED = auto()
    INFORMATION_GIVEN = auto()
    ACCEPTED = auto()
    DECLINED = auto()
    WITHDRAWN = auto()
    REDIRECTED = auto()
    COMPLETED = auto()
    MESSAGE = auto()


@strawberry.enum
class FeedKind(Named):
    """What kind of system a sister organisation's feed is."""

    GRAPHQL = auto()
    REST = auto()
    KOBO = auto()
    CIVICRM = auto()
    FHIR = auto()
    PRIMERO = auto()
    ODK = auto()
    CSV = auto()
    HUB = auto()


@strawberry.enum
class FeedState(Named):
    """How far what a feed says can be relied on now."""

    FRESH = auto()
    STALE = auto()
    UNAVAILABLE = auto()


@strawberry.enum
class CaseDimension(Named):
    """What cases can be counted by; YEAR is that in which a case was opened."""

    ORIGIN = auto()
    DISCIPLINE = auto()
    STATUS = auto()
    RISK_LEVEL = auto()
    YEAR = auto()
