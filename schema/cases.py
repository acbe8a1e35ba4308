"""This module holds cases: ICORN's record of one person at risk, one object for each disclosure category."""

from typing import Any

import strawberry

from auth.scopes import Scope
from schema.audit import ACCESS_LOG
from schema.consents import Consent
from schema.edges import AuditEventRef, FeedResultRef, ReferralRef
from schema.emergencies import Emergency
from schema.enums import (
    CaseStatus,
    Category,
    Discipline,
    DisclosureBasis,
    DisclosureGap,
    RiskLevel,
)
from schema.fields import Many, Order, Page, Remote, Sealed, Where, asked, column, many, noun, one, source, where
from schema.nodes import Connection, Node
from schema.ordering import CaseOrderField, Direction
from schema.persons import (
    Assessment,
    Contact,
    Family,
    Health,
    Identity,
    Profile,
    Threat,
    Whereabouts,
)
from schema.presentations import Presentation
from schema.referrals import REFERRALS, ReferralFilter, ReferralOrder
from schema.residencies import Residency
from schema.rows import (
    CASE,
    CASE_WITHHELD,
    CONSENT,
    DISCLOSURE,
    EMERGENCY,
    EXPLANATION,
    LEGAL_HOLD,
    PRESENTATION,
    REFERRAL,
    RESIDENCY,
    case_document,
)
from schema.scalars import CountryCode, Date, DateTime, Duration, MaxAge

EXPLAINED = Many(EXPLANATION, "true", "{row}.category")
CASES = Page(
    CASE,
    "true",
    {
        "OPENED_ON": Order("opened_on", "date"),
        "UPDATED_AT": Order("updated_at", "timestamptz"),
        "RISK_LEVEL": Order("risk_level", "risk_level"),
    },
    ("OPENED_ON", "DESC"),
    Order("pairwise", "uuid"),
)
# A case that was made one with another answers by the names of both.
BY_ID = Where(
    "{row}.pairwise = {value}",
    "uuid:case",
    found="coalesce((select l.kept_pairwise from case_alias l where l.organisation = {org} and l.pairwise = {value}::uuid), {value}::uuid)",
)
_SPOKEN = "upper(btrim({value}::text, E' \\t\\r\\n'))"
CASE_REFERRALS = Page(REFERRAL, "{row}.case_id = {parent}.case_id", REFERRALS.orders, REFERRALS.default, REFERRALS.tie)


@noun()
class DisclosureRule:
    """May one see a category, on what basis, and what is missing if not: the viewer itself, or whom ICORN asks about."""

    category: Category = column("category")
    visible: bool = column("visible")
    basis: list[DisclosureBasis] = column("bases")
    missing: list[DisclosureGap] = column("missing")


@noun()
class LegalHold:
    """What forbids that a case is erased. ICORN's alone to see."""

    held: bool = column("held")
    proposed: bool | None = column("proposed", description="What one person asked for and another has yet to confirm.")
    since: DateTime = column("since", description="Since when it stands as it does, a proposal apart.")


def _sealed(category: Category) -> Any:
    scope = Scope[f"CASES_{category}"]
    return source(Sealed(case_document(category), category), scope, category=category)


@noun(
    Scope.CASES_READ,
    rows=CASE,
    places={"case": BY_ID},
    category="OVERVIEW",
    description="ICORN's record of one person at risk.",
)
class Case(Node):
    """ICORN's record of one person at risk."""

    id: strawberry.ID = column("'case_' || {row}.pairwise")
    reference: str = column("reference")
    status: CaseStatus = column("status")
    discipline: Discipline = column("discipline")
    origin: CountryCode | None = column("origin")
    risk_level: RiskLevel = column("risk_level")
    opened_on: Date = column("opened_on")
    updated_at: DateTime = column(
        "updated_at", description="Of the overview alone: an edit in another category does not move it."
    )
    # Every edit moves it, also of what a partner may not see: so it is ICORN's alone.
    version: str | None = column("case when (select viewer_is_icorn()) then {row}.version::text end", Scope.CASES_WRITE)
    withheld: list[Category] = column(
        CASE_WITHHELD, description="Categories this viewer may not see in this case. Decided by policy alone."
    )
    profile: Profile | None = _sealed(Category.PROFILE)
    identity: Identity | None = _sealed(Category.IDENTITY)
    contact: Contact | None = _sealed(Category.CONTACT)
    whereabouts: Whereabouts | None = _sealed(Category.WHEREABOUTS)
    threat: Threat | None = _sealed(Category.THREAT)
    health: Health | None = _sealed(Category.HEALTH)
    family: Family | None = _sealed(Category.FAMILY)
    assessment: Assessment | None = _sealed(Category.ASSESSMENT)
    residencies: list[Residency] | None = many(
        RESIDENCY,
        "{row}.case_id = {parent}.case_id",
        "{row}.starts desc, {row}.name",
        Scope.RESIDENCIES_READ,
        description="Where the person stays is WHEREABOUTS: a residency exists only for those who may see that category.",
    )
    presentations: list[Presentation] | None = many(
        PRESENTATION,
        "{row}.case_id = {parent}.case_id",
        "{row}.at, {row}.name",
        Scope.PRESENTATIONS_READ,
        description="To which cities the case was shown: to the viewer's own; for ICORN, to all.",
    )
    consents: list[Consent] | None = many(
        CONSENT, "{row}.case_id = {parent}.case_id", "{row}.given_on, {row}.consent_id", Scope.CONSENTS_READ
    )
    emergencies: list[Emergency] | None = many(
        EMERGENCY,
        "{row}.case_id = {parent}.case_id",
        "{row}.asked_at, {row}.emergency_id",
        Scope.CASES_EMERGENCY,
        description="The glass broken for this case: by the viewer's organisation; for ICORN, by anyone, with what waits for its approval.",
    )
    legal_hold: LegalHold | None = one(
        LEGAL_HOLD,
        "{row}.case_id = {parent}.case_id",
        Scope.CASES_ERASE,
        description="For ICORN: may the case be erased?",
    )
    disclosure: list[DisclosureRule] = many(
        DISCLOSURE,
        "true",
        "{row}.category",
        description="For each category: may this viewer see it, on what basis, and what is missing if not.",
    )

    @asked(CASE_REFERRALS, Scope.REFERRALS_READ)
    def referrals(
        self,
        filter: ReferralFilter | None = strawberry.UNSET,  # noqa: A002 the contract's name
        order_by: list[ReferralOrder] | None = strawberry.UNSET,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
    ) -> Connection[ReferralRef] | None:
        """Referrals of this person that the viewer takes part in."""
        raise NotImplementedError

    @asked(Remote(per_case=True), Scope.FEEDS_READ)
    def feed_records(
        self, max_age: MaxAge = strawberry.UNSET, deadline: Duration | None = strawberry.UNSET
    ) -> list[FeedResultRef] | None:
        """Say what each sister feed says of this person, with provenance and freshness."""
        raise NotImplementedError

    @asked(ACCESS_LOG, Scope.AUDIT_READ)
    def access_log(
        self, first: int | None = strawberry.UNSET, after: str | None = strawberry.UNSET
    ) -> Connection[AuditEventRef] | None:
        """Who looked at this case, when, and at which categories."""
        raise NotImplementedError


@strawberry.input(one_of=True)
class CaseBy:
    """Names one case, as the asker's organisation knows it."""

    id: strawberry.ID | None = where(BY_ID.sql, BY_ID.convert, found=BY_ID.found)
    reference: str | None = where(
        "{row}.reference = {value}",
        found=f"coalesce((select l.kept_reference from case_alias l where l.organisation = {{org}} and l.reference = {_SPOKEN}), {_SPOKEN})",
    )


@strawberry.input
class CaseFilter:
    """Narrows a list of cases. What is asked of a hidden value matches nothing."""

    status: list[CaseStatus] | None = where("{row}.status = any ({value}::text[]::case_status[])")
    discipline: list[Discipline] | None = where("{row}.discipline = any ({value}::text[]::discipline[])")
    origin: list[CountryCode] | None = where("{row}.origin = any ({value}::text[])")
    risk_level: list[RiskLevel] | None = where("{row}.risk_level = any ({value}::text[]::risk_level[])")
    opened_from: Date | None = where("{row}.opened_on >= {value}::date")
    opened_to: Date | None = where("{row}.opened_on <= {value}::date")
    referred_by: strawberry.ID | None = where(
        "exists (select from referral f join referral_access v on v.referral_id = f.id and v.organisation = {org} and holds(v.visible, {now})"
        " join organisation o on o.id = f.sender and o.code = {value}::text where f.case_id = {row}.case_id)",
        "key:organisation",
        Scope.REFERRALS_READ,
    )
    family_name: str | None = where(
        "{row}.identity @> {now} and exists (select from case_name_digest d where d.case_id = {row}.case_id and d.family_name = {value}::bytea)",
        "name_digest",
        Scope.CASES_IDENTITY,
        reads=Category.IDENTITY,
    )


@strawberry.input
class CaseOrder:
    """One sort key of a list of cases."""

    field: CaseOrderField
    direction: Direction
