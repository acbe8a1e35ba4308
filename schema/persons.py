"""This module holds what is said of a person, category by category: the shape of the sealed documents, in and out.

A document is kept as JSON with the very names of the GraphQL type; a selection is a projection of it.
"""

import strawberry

from schema.enums import Category, ThreatSource
from schema.fields import Personal, column, given, noun, source
from schema.scalars import CountryCode, Date, LanguageTag

PERSONAL = (
    Category.PROFILE, Category.IDENTITY, Category.CONTACT, Category.WHEREABOUTS, Category.THREAT, Category.HEALTH, Category.FAMILY,
)  # fmt: skip


@strawberry.type
class Work:
    """Something the person made."""

    title: str
    year: int | None
    kind: str | None


@strawberry.type
class Profile:
    """Biography, works and languages."""

    biography: str | None
    languages: list[LanguageTag]
    works: list[Work]
    website: str | None


@strawberry.type
class Identity:
    """Names, pseudonyms, birth date and nationality."""

    given_name: str | None
    family_name: str | None
    pseudonyms: list[str]
    born_on: Date | None
    gender: str | None
    nationalities: list[CountryCode]


@strawberry.type
class ContactChannel:
    """One way to reach the person, and whether it is safe."""

    kind: str
    address: str
    safe: bool


@strawberry.type
class Contact:
    """How, and whether, to contact the person safely."""

    channels: list[ContactChannel]
    instructions: str | None
    may_contact_directly: bool


@strawberry.type
class Whereabouts:
    """Where the person is now."""

    country: CountryCode | None
    city: str | None
    address: str | None
    as_of: Date | None
    in_hiding: bool


@strawberry.type
class Incident:
    """Something that happened."""

    happened_on: Date | None
    kind: str
    description: str | None


@strawberry.type
class Threat:
    """Who threatens the person, and what happened."""

    summary: str | None
    sources: list[ThreatSource]
    incidents: list[Incident]


@strawberry.type
class Health:
    """What the person needs."""

    needs: str | None
    disability: str | None


@strawberry.type
class FamilyMember:
    """Someone who would come along, or stays behind."""

    relation: str
    name: str | None
    born_on: Date | None
    relocating: bool


@strawberry.type
class Family:
    """Who would come along."""

    members: list[FamilyMember]


@strawberry.type
class Assessment:
    """ICORN's own view; never granted outside."""

    recommendation: str | None
    notes: str | None
    assessed_by: str | None
    assessed_on: Date | None


@noun()
class ReferredPerson:
    """What was said of a person who is referred, within what they agreed to."""

    profile: Profile | None = source(Personal("PROFILE"))
    identity: Identity | None = source(Personal("IDENTITY"))
    contact: Contact | None = source(Personal("CONTACT"))
    whereabouts: Whereabouts | None = source(Personal("WHEREABOUTS"))
    threat: Threat | None = source(Personal("THREAT"))
    health: Health | None = source(Personal("HEALTH"))
    family: Family | None = source(Personal("FAMILY"))
    withheld: list[Category] = column("withheld")


@strawberry.input
class WorkInput:
    """Something the person made."""

    title: str
    year: int | None = given()
    kind: str | None = given()


@strawberry.input
class ProfileInput:
    """Biography, works and languages."""

    biography: str | None = given()
    languages: list[LanguageTag] | None = given()
    works: list[WorkInput] | None = given()
    website: str | None = given()


@strawberry.input
class IdentityInput:
    """Names, pseudonyms, birth date and nationality."""

    given_name: str | None = given()
    family_name: str | None = given()
    pseudonyms: list[str] | None = given()
    born_on: Date | None = given()
    gender: str | None = given()
    nationalities: list[CountryCode] | None = given()


@strawberry.input
class ContactChannelInput:
    """One way to reach the person, and whether it is safe."""

    kind: str
    address: str
    safe: bool


@strawberry.input
class ContactInput:
    """How, and whether, to contact the person safely."""

    channels: list[ContactChannelInput] | None = given()
    instructions: str | None = given()
    may_contact_directly: bool


@strawberry.input
class WhereaboutsInput:
    """Where the person is now."""

    country: CountryCode | None = given()
    city: str | None = given()
    address: str | None = given()
    as_of: Date | None = given()
    in_hiding: bool


@strawberry.input
class IncidentInput:
    """Something that happened."""

    happened_on: Date | None = given()
    kind: str
    description: str | None = given()


@strawberry.input
class ThreatInput:
    """Who threatens the person, and what happened."""

    summary: str | None = given()
    sources: list[ThreatSource] | None = given()
    incidents: list[IncidentInput] | None = given()


@strawberry.input
class HealthInput:
    """What the person needs."""

    needs: str | None = given()
    disability: str | None = given()


@strawberry.input
class FamilyMemberInput:
    """Someone who would come along, or stays behind."""

    relation: str
    name: str | None = given()
    born_on: Date | None = given()
    relocating: bool


@strawberry.input
class FamilyInput:
    """Who would come along."""

    members: list[FamilyMemberInput]


@strawberry.input
class PersonInput:
    """What is said of the person, category by category."""

    profile: ProfileInput | None = given()
    identity: IdentityInput | None = given()
    contact: ContactInput | None = given()
    whereabouts: WhereaboutsInput | None = given()
    threat: ThreatInput | None = given()
    health: HealthInput | None = given()
    family: FamilyInput | None = given()


@strawberry.input
class AssessmentInput:
    """ICORN's own view. Who wrote it and when is noted by the hub."""

    recommendation: str | None = given()
    notes: str | None = given()
