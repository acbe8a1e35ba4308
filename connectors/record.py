"""This module is in charge of the canonical record: what every feed is mapped to, in the contract's input shape."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

# Neither NUL (which Postgres cannot hold) nor an empty string.
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, pattern=r"^[^\x00]+$")]
WebAddress = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]
CountryCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]
LanguageTag = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$")]
Year = Annotated[int, msgspec.Meta(ge=1000, le=3000)]


class Discipline(StrEnum):
    """What a person does, as the contract has it."""

    WRITER = "WRITER"
    JOURNALIST = "JOURNALIST"
    TRANSLATOR = "TRANSLATOR"
    PUBLISHER = "PUBLISHER"
    VISUAL_ARTIST = "VISUAL_ARTIST"
    CARTOONIST = "CARTOONIST"
    MUSICIAN = "MUSICIAN"
    FILMMAKER = "FILMMAKER"
    PERFORMER = "PERFORMER"
    PHOTOGRAPHER = "PHOTOGRAPHER"
    OTHER = "OTHER"


class RiskLevel(StrEnum):
    """How great the danger is."""

    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"
    EXTREME = "EXTREME"


class Urgency(StrEnum):
    """How soon help is needed."""

    ROUTINE = "ROUTINE"
    URGENT = "URGENT"
    EMERGENCY = "EMERGENCY"


class ThreatSource(StrEnum):
    """Who threatens."""

    STATE = "STATE"
    MILITARY = "MILITARY"
    POLICE = "POLICE"
    ARMED_GROUP = "ARMED_GROUP"
    RELIGIOUS_GROUP = "RELIGIOUS_GROUP"
    COMMUNITY = "COMMUNITY"
    ONLINE = "ONLINE"
    UNKNOWN = "UNKNOWN"


class Part(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A piece of a person's document; encoded with every field there, null where nothing is known."""


class Work(Part, frozen=True, kw_only=True):
    """A work of the person's."""

    title: ShortText
    year: Year | None = None
    kind: ShortText | None = None


class Profile(Part, frozen=True, kw_only=True):
    """PROFILE: who the person is to the public."""

    biography: LongText | None = None
    languages: tuple[LanguageTag, ...] = ()
    works: tuple[Work, ...] = ()
    website: WebAddress | None = None


class Identity(Part, frozen=True, kw_only=True):
    """IDENTITY: names, birth, nationality."""

    given_name: ShortText | None = None
    family_name: ShortText | None = None
    pseudonyms: tuple[ShortText, ...] = ()
    born_on: date | None = None
    gender: ShortText | None = None
    nationalities: tuple[CountryCode, ...] = ()


class ContactChannel(Part, frozen=True, kw_only=True):
    """A way to reach the person, and whether it is safe to use."""

    kind: ShortText
    address: ShortText
    safe: bool


class Contact(Part, frozen=True, kw_only=True):
    """CONTACT: how, and whether, to reach the person."""

    channels: tuple[ContactChannel, ...] = ()
    instructions: LongText | None = None
    may_contact_directly: bool


class Whereabouts(Part, frozen=True, kw_only=True):
    """WHEREABOUTS: where the person is now."""

    country: CountryCode | None = None
    city: ShortText | None = None
    address: ShortText | None = None
    as_of: date | None = None
    in_hiding: bool


class Incident(Part, frozen=True, kw_only=True):
    """Something that was done to the person."""

    happened_on: date | None = None
    kind: ShortText
    description: LongText | None = None


class Threat(Part, frozen=True, kw_only=True):
    """THREAT: who threatens, and what has happened."""

    summary: LongText | None = None
    sources: tuple[ThreatSource, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Health(Part, frozen=True, kw_only=True):
    """HEALTH: what the person needs."""

    needs: LongText | None = None
    disability: LongText | None = None


class FamilyMember(Part, frozen=True, kw_only=True):
    """Someone who belongs to the person."""

    relation: ShortText
    name: ShortText | None = None
    born_on: date | None = None
    relocating: bool


class Family(Part, frozen=True, kw_only=True):
    """FAMILY: who would come along."""

    members: tuple[FamilyMember, ...] = ()


class Overview(Part, frozen=True, kw_only=True):
    """What a feed record shows in clear: nothing in it identifies a person, but for the sister system's own id."""

    source_id: ShortText
    source_url: WebAddress | None = None
    discipline: Discipline | None = None
    origin: CountryCode | None = None
    risk_level: RiskLevel | None = None
    urgency: Urgency | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None


#: What a mapping may fill, by the name the contract's PersonInput gives it; the category is that name in capitals.
PERSON: Mapping[str, type[Part]] = {
    "profile": Profile,
    "identity": Identity,
    "contact": Contact,
    "whereabouts": Whereabouts,
    "threat": Threat,
    "health": Health,
    "family": Family,
}


@dataclass(frozen=True, slots=True)
class CanonicalRecord:
    """A record of a sister feed in the hub's own words; `person` has a document for each category with content.

    `said` has the places of the mapping's rules that found something in it.
    """

    overview: Overview
    person: Mapping[str, Part]
    content_hash: bytes
    said: frozenset[str] = frozenset()

    @property
    def source_id(self) -> str:
        """The sister system's own id."""
        return self.overview.source_id

    def documents(self) -> dict[str, bytes]:
        """Encode the person as JSON documents by category (PROFILE .. FAMILY): what is sealed."""
        return {category: msgspec.json.encode(part) for category, part in self.person.items()}


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not be mapped; `reason` is a code and a place in the mapping, and never quotes the record."""

    source_id: str | None
    reason: str


def fingerprint(raw: object, *context: bytes) -> bytes:
    """Digest a raw record whatever the order of its keys; `context` tells apart digests made under other rules."""
    digest = hashlib.sha256()
    for part in (*context, msgspec.json.encode(raw, order="deterministic")):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
