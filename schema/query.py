"""This module holds the roots of every query, and the whole schema built from them."""

from functools import cache
from typing import Final

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig

from auth.scopes import Scope
from schema.agreements import EFFECT_OF_TERMS, AgreementEffect, AgreementTerms
from schema.audit import (
    AUDIT_EVENTS,
    AUDIT_HEADS,
    BY_NAME,
    AuditConsistency,
    AuditEvent,
    AuditFilter,
    AuditHead,
    AuditProof,
)
from schema.cases import CASES, EXPLAINED, Case, CaseBy, CaseFilter, CaseOrder, DisclosureRule
from schema.changes import CHANGES, ChangeFeed
from schema.cities import CITIES, City, CityFilter
from schema.consents import Consent
from schema.directives import ENTITIES, NAMED, OPERATION
from schema.enums import PresentationStatus
from schema.federation import REPRESENTATION, Entity, Representation, Subgraph, subgraph
from schema.feeds import Feed, FeedCursor, FeedRecordFilter, FeedResult
from schema.fields import AnyNode, One, Printed, Remote, Where, asked, many, one
from schema.mutations import Mutation
from schema.nodes import Connection, Node
from schema.organisations import ORGANISATIONS, Organisation
from schema.presentations import BY_STATUS, PRESENTATIONS, Presentation
from schema.referrals import REFERRALS, Message, Referral, ReferralBy, ReferralEvent, ReferralFilter, ReferralOrder
from schema.residencies import Residency
from schema.retractions import ACKNOWLEDGED, RETRACTIONS, Retraction
from schema.rows import AUDIT_CONSISTENCY, AUDIT_PROOF, CASE, CITY, FEED, ORGANISATION, REFERRAL, VIEWER
from schema.scalars import SCALARS, Duration, MaxAge
from schema.statistics import Statistics, statistics
from schema.subscriptions import Subscription
from schema.viewer import Viewer

UNSET: Final = strawberry.UNSET
BY_CODE: Final = {"code": Where("{row}.code = {value}::text")}


@strawberry.type(directives=[OPERATION])
class Query:
    """What can be asked."""

    viewer: Viewer = one(VIEWER, "{row}.client_id = {client}")
    feeds: list[Feed] | None = many(FEED, "true", "{row}.code", Scope.FEEDS_READ)
    statistics: Statistics | None = statistics

    @asked(AnyNode())
    def node(self, id: strawberry.ID) -> Node | None:  # noqa: A002 Relay's name
        """Whatever has this id, if the viewer may see it."""
        raise NotImplementedError

    @asked(AnyNode(NAMED))
    def nodes(self, ids: list[strawberry.ID]) -> list[Node | None]:
        """Whatever has these ids, in their order, null where there is nothing to be seen."""
        raise NotImplementedError

    @asked(One(CASE), Scope.CASES_READ)
    def case(self, by: CaseBy) -> Case | None:
        """One case."""
        raise NotImplementedError

    @asked(CASES, Scope.CASES_READ)
    def cases(
        self,
        filter: CaseFilter | None = UNSET,  # noqa: A002 the contract's name
        order_by: list[CaseOrder] | None = UNSET,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
    ) -> Connection[Case] | None:
        """The cases opened to the viewer, newest first."""
        raise NotImplementedError

    @asked(One(REFERRAL), Scope.REFERRALS_READ)
    def referral(self, by: ReferralBy) -> Referral | None:
        """One referral."""
        raise NotImplementedError

    @asked(REFERRALS, Scope.REFERRALS_READ)
    def referrals(
        self,
        filter: ReferralFilter | None = UNSET,  # noqa: A002 the contract's name
        order_by: list[ReferralOrder] | None = UNSET,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
    ) -> Connection[Referral] | None:
        """The referrals the viewer takes part in, newest first."""
        raise NotImplementedError

    @asked(One(CITY), arguments=BY_CODE)
    def city(self, code: str) -> City | None:
        """One city of refuge, by its code."""
        raise NotImplementedError

    @asked(CITIES)
    def cities(
        self,
        filter: CityFilter | None = UNSET,  # noqa: A002 the contract's name
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
    ) -> Connection[City]:
        """The cities of refuge, by code."""
        raise NotImplementedError

    @asked(One(ORGANISATION), arguments=BY_CODE)
    def organisation(self, code: str) -> Organisation | None:
        """One organisation, by its code."""
        raise NotImplementedError

    @asked(ORGANISATIONS)
    def organisations(
        self, first: int | None = UNSET, after: str | None = UNSET, last: int | None = UNSET, before: str | None = UNSET
    ) -> Connection[Organisation]:
        """The organisations that take part, by code."""
        raise NotImplementedError

    @asked(Remote(per_case=False), Scope.FEEDS_READ)
    def feed_records(
        self,
        filter: FeedRecordFilter | None = UNSET,  # noqa: A002 the contract's name
        max_age: MaxAge = UNSET,
        deadline: Duration | None = UNSET,
        first: int | None = UNSET,
        after: list[FeedCursor] | None = UNSET,
    ) -> list[FeedResult] | None:
        """Live or synced records of sister feeds; each feed answers for itself within `deadline`."""
        raise NotImplementedError

    @asked(AnyNode(ENTITIES), name="_entities")
    def entities(self, representations: list[Representation]) -> list[Entity | None]:
        """Whatever a federation's router knows by type and id, in its order, null where there is nothing to be seen."""
        raise NotImplementedError

    @asked(Printed(), name="_service")
    def service(self) -> Subgraph:
        """What a federation composes: the hub as an Apollo Federation 2 subgraph."""
        return _subgraph()

    @asked(AUDIT_EVENTS, Scope.AUDIT_READ)
    def audit_events(
        self,
        filter: AuditFilter | None = UNSET,  # noqa: A002 the contract's name
        first: int | None = UNSET,
        after: str | None = UNSET,
    ) -> Connection[AuditEvent] | None:
        """Who of the viewer's organisation looked at what, newest first; for ICORN, who of all."""
        raise NotImplementedError

    @asked(One(AUDIT_PROOF), Scope.AUDIT_READ, arguments={"event": BY_NAME})
    def audit_proof(self, event: strawberry.ID) -> AuditProof | None:
        """Proof that one of the viewer's own events stands in the log, against a signed tree head."""
        raise NotImplementedError

    @asked(PRESENTATIONS, Scope.PRESENTATIONS_READ, arguments={"status": BY_STATUS})
    def presentations(
        self,
        status: list[PresentationStatus] | None = UNSET,
        first: int | None = UNSET,
        after: str | None = UNSET,
    ) -> Connection[Presentation] | None:
        """The people shown to the viewer's city, newest first; for ICORN, to all cities."""
        raise NotImplementedError

    @asked(RETRACTIONS, Scope.CASES_READ, Scope.REFERRALS_READ, arguments={"acknowledged": ACKNOWLEDGED})
    def retractions(
        self,
        acknowledged: bool | None = UNSET,  # noqa: FBT001 the contract's argument
        first: int | None = UNSET,
        after: str | None = UNSET,
    ) -> Connection[Retraction] | None:
        """What the viewer held and must now delete, newest first; for ICORN, what everyone must."""
        raise NotImplementedError

    @asked(CHANGES, Scope.CHANGES_READ)
    def changes(self, after: str | None = UNSET, first: int | None = UNSET) -> ChangeFeed | None:
        """Everything that changed for this viewer since `after`, in commit order, without gaps: to keep a copy true."""
        raise NotImplementedError

    @asked(EFFECT_OF_TERMS, Scope.ACCESS_MANAGE)
    def simulate_agreement(self, input: AgreementTerms) -> AgreementEffect | None:  # noqa: A002 the contract's name
        """What an agreement, proposed or changed, would open and close, before anyone approves it. For ICORN, with cases:read."""
        raise NotImplementedError

    @asked(
        EXPLAINED,
        Scope.ACCESS_EXPLAIN,
        arguments={
            "organisation": Where("{row}.code = {value}::text", "key:organisation"),
            "case": Where("{row}.pairwise = {value}::uuid", "uuid:case"),
        },
        category="OVERVIEW",
    )
    def explain_access(self, organisation: strawberry.ID, case: strawberry.ID) -> list[DisclosureRule] | None:
        """For ICORN, with cases:read: why an organisation sees, or does not see, each category of a case."""
        raise NotImplementedError

    @asked(AUDIT_HEADS, Scope.AUDIT_READ)
    def audit_heads(self, first: int | None = UNSET, after: str | None = UNSET) -> Connection[AuditHead] | None:
        """What was signed of the viewer's own log, newest first."""
        raise NotImplementedError

    @asked(
        One(AUDIT_CONSISTENCY),
        Scope.AUDIT_READ,
        arguments={
            "fromSize": Where("{row}.from_size = audit_size({value}::text)"),
            "toSize": Where("{row}.to_size = audit_size({value}::text)"),
        },
    )
    def audit_consistency(self, from_size: str, to_size: str) -> AuditConsistency | None:
        """Proof that nothing before an earlier head of the viewer's own log was changed: sizes are those of signed heads."""
        raise NotImplementedError


@cache
def _subgraph() -> Subgraph:
    """Write the subgraph once: it takes a tenth of a second, and anyone may ask for it again and again."""
    return Subgraph(sdl=subgraph(SCHEMA.as_str()))


SCHEMA: Final = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    types=[Consent, Message, ReferralEvent, Residency],
    config=StrawberryConfig(disable_field_suggestions=True, scalar_map={**SCALARS, **REPRESENTATION}),
)

for kind in SCHEMA._schema.type_map.values():  # noqa: SLF001 graphql-core's schema is kept there
    # Strawberry judges @oneOf by itself and cannot say where; graphql-core can, once it is told (GraphQL, section 3.10.1).
    if isinstance(kind, GraphQLInputObjectType):
        kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of
