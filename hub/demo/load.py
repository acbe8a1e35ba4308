"""This module loads the invented world into an empty hub, as its administrator, whole or not at all."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.demo.documents import assessment, documents, encoded
from hub.demo.world import EVERYONE, Person, agreements, cities, organisations, people
from hub.engine.bind import name_digest
from hub.sealing import Sealing

LIFE = {
    "SUBMITTED": [],
    "RECEIVED": ["ACKNOWLEDGED"],
    "IN_REVIEW": ["ACKNOWLEDGED", "IN_REVIEW"],
    "ACCEPTED": ["ACKNOWLEDGED", "IN_REVIEW", "ACCEPTED"],
    "COMPLETED": ["ACKNOWLEDGED", "IN_REVIEW", "ACCEPTED", "COMPLETED"],
}
"""What happened to a referral that stands where it stands."""
SENT = ("PROFILE", "IDENTITY", "CONTACT", "THREAT")
"""What the world's referrals say of a person."""


async def is_loaded(admin: Any) -> bool:
    """Tell whether the world is there."""
    return bool(await admin.fetchval("select true from organisation where kind = 'ICORN'"))


async def load(admin: Any, sealing: Sealing, index_key: bytes, step: Callable[[], None]) -> None:
    """Load the world in one transaction; `step` is called after each person."""
    async with admin.transaction():
        world = World(admin, sealing, index_key)
        await world.places()
        for person in people():
            await world.person(person)
            step()


def day(text: str) -> date:
    """Read a date."""
    return date.fromisoformat(text)


def noon(text: str) -> datetime:
    """Read a date as the noon of that day."""
    return datetime.combine(day(text), datetime.min.time(), UTC) + timedelta(hours=12)


@dataclass
class World:
    """What is being loaded: numbers of organisations and cities by their codes, and one sealed person after the other."""

    admin: Any
    sealing: Sealing
    index_key: bytes = field(repr=False)
    organisations: dict[str, int] = field(default_factory=dict)
    cities: dict[str, int] = field(default_factory=dict)

    async def places(self) -> None:
        """Load cities, organisations and agreements; how long people are kept, too, for the dates of these are years past."""
        await self.admin.execute("update retention set keep = '100 years'")
        for city in cities():
            self.cities[city["code"]] = await self.admin.fetchval(
                "insert into city (code, name, country, member_since, latitude, longitude, vacancies)"
                " values ($1, $2, $3, $4, $5, $6, $7) returning id",
                *city.values(),
            )
        for entry in organisations():
            self.organisations[entry["code"]] = await self.admin.fetchval(
                "insert into organisation (code, name, kind, website, city) values ($1, $2, $3::text::organisation_kind, $4, $5)"
                " returning id",
                *[entry[name] for name in ("code", "name", "kind", "website")],
                self.cities.get(entry["city"]),
            )
        for terms in agreements():
            await self.agreement(terms)

    async def agreement(self, terms: dict[str, Any]) -> None:
        """Load an agreement, approved by both sides."""
        partner, start = self.organisations[terms["organisation"]], noon(terms["valid_from"])
        number = await self.admin.fetchval(
            "insert into agreement (organisation, purpose, categories, origins, disciplines, valid_from, approved_at)"
            " values ($1, $2, $3::text[]::category[], $4, $5::text[]::discipline[], $6, $6) returning id",
            partner,
            *[terms[name] for name in ("purpose", "categories", "origins", "disciplines")],
            start,
        )
        for organisation in (self.organisations["icorn"], partner):
            await self.admin.execute(
                "insert into agreement_approval (agreement, organisation, approver, at) values ($1, $2, 'director', $3)",
                number,
                organisation,
                start,
            )

    async def person(self, person: Person) -> None:
        """Load what the hub has of a person: a case, a referral, or both."""
        case = await self.case(person) if person.status else None
        if person.referred:
            await self.referral(person, case)
        if case is not None:
            await self.decisions(person, case)

    async def case(self, person: Person) -> uuid.UUID:
        """Load a case, and what opens it to one city or organisation, or keeps it from one."""
        case = uuid.uuid4()
        opened = noon(person.opened)
        await self.admin.execute(
            "insert into case_file (id, status, discipline, origin, risk_level, opened_on, updated_at, sealed)"
            " values ($1, $2::text::case_status, $3::text::discipline, $4, $5::text::risk_level, $6, $7, $8)",
            *[case, person.status, person.art, person.origin, person.risk, opened.date(), opened, person.sealed],
        )
        key = self.sealing.new_key()
        await self.admin.execute("insert into case_key values ($1, $2, $3)", case, key.kek, key.wrapped)
        for category, document in encoded({**documents(person), **assessment(person)}).items():
            await self.admin.execute(
                f"insert into case_{category.lower()} (case_id, sealed) values ($1, $2)",  # noqa: S608 a category's name
                case,
                self.sealing.seal(key.plain, f"case:{case}", category, 1, document),
            )
        await self.admin.execute(
            "insert into case_name_digest values ($1, $2)", case, name_digest(self.index_key, person.surname)
        )
        if person.stay:
            city, status, *days = person.stay.split()
            starts, ends = (*map(day, days), None, None)[:2]
            await self.admin.execute(
                "insert into residency (id, case_id, city, status, starts_on, ends_on)"
                " values ($1, $2, $3, $4::text::residency_status, $5, $6)",
                *[uuid.uuid4(), case, self.cities[city], status, starts, ends],
            )
        return case

    async def decisions(self, person: Person, case: uuid.UUID) -> None:
        """Load what the person decided and what ICORN did with the case."""
        opened = noon(person.opened)
        for decision, said in (("ALLOW", person.agreed), ("DENY", person.denied)):
            for code, categories in said.items():
                await self.consent(case, None, decision, None if code == EVERYONE else code, categories.split(), opened)
        for code, categories in person.shared.items():
            await self.admin.execute(
                "insert into share (id, case_id, organisation, categories, starts, until) values ($1, $2, $3, $4::text[]::category[], $5, $6)",
                *[
                    uuid.uuid4(),
                    case,
                    self.organisations[code],
                    categories.split(),
                    opened,
                    opened + timedelta(days=730),
                ],
            )
        for code in person.held_from:
            await self.admin.execute(
                "insert into hold (id, case_id, organisation, starts) values ($1, $2, $3, $4)",
                *[uuid.uuid4(), case, self.organisations[code], opened],
            )
        for code in person.presented_to:
            await self.admin.execute(
                "insert into presentation (id, case_id, organisation, categories, presented_at, until)"
                " values ($1, $2, $3, $4::text[]::category[], $5, hub_now() + interval '60 days')",
                *[uuid.uuid4(), case, self.organisations[code], ["OVERVIEW", "PROFILE"], opened],
            )

    async def referral(self, person: Person, case: uuid.UUID | None) -> None:
        """Load a referral, with what was sent of the person and what happened since."""
        sender, sent, status, urgency = person.referred.split()
        referral, at = uuid.uuid4(), noon(sent)
        steps = LIFE[status]
        key, subject = self.sealing.new_key(), f"referral:{referral}"
        await self.admin.execute(
            "insert into referral (id, sender, recipient, status, urgency, discipline, origin, submitted_at, updated_at, client,"
            " shared_categories, case_id, reason) values ($1, $2, $3, $4::text::referral_status, $5::text::urgency,"
            " $6::text::discipline, $7, $8, $9, $10, $11::text[]::category[], $12, $13)",
            *[
                referral,
                self.organisations[sender],
                self.organisations[person.referred_to],
                status,
                urgency,
                person.art,
            ],
            *[person.origin, at, at + timedelta(days=len(steps)), sender, ["OVERVIEW", *SENT], case],
            self.sealing.seal(key.plain, subject, "REASON", 1, f"{person.bio} {person.threat}".encode()),
        )
        await self.admin.execute("insert into referral_key values ($1, $2, $3)", referral, key.kek, key.wrapped)
        sent_documents = encoded(documents(person))
        await self.admin.executemany(
            "insert into referral_person (referral_id, category, sealed) values ($1, $2::text::category, $3)",
            [(referral, name, self.sealing.seal(key.plain, subject, name, 1, sent_documents[name])) for name in SENT],
        )
        for number, kind in enumerate(["SUBMITTED", *steps], 1):
            by = sender if number == 1 else person.referred_to
            await self.admin.execute(
                "insert into referral_event (referral_id, ordinal, kind, status, organisation, at)"
                " values ($1, $2, $3::text::referral_event_kind, $4::text::referral_status, $5, $6)",
                *[referral, number, kind, "RECEIVED" if kind == "ACKNOWLEDGED" else kind, self.organisations[by]],
                at + timedelta(days=number - 1),
            )
        await self.consent(case, referral, "ALLOW", person.referred_to, ["OVERVIEW", *SENT], at)

    async def consent(
        self, case: uuid.UUID | None, referral: uuid.UUID | None, decision: str, code: str | None, categories: list[str], at: datetime
    ) -> None:  # fmt: skip
        """Load one decision of the person."""
        await self.admin.execute(
            "insert into consent (id, case_id, referral_id, decision, organisation, categories, given_on, recorded_by)"
            " values ($1, $2, $3, $4::text::consent_decision, $5, $6::text[]::category[], $7, $8)",
            *[
                uuid.uuid4(),
                case,
                referral,
                decision,
                self.organisations[code] if code else None,
                categories,
                at.date(),
            ],
            self.organisations["icorn"],
        )
