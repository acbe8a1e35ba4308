"""This module names types across files that know each other, so that nouns may stand in files of their own."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.access import Client, User
    from schema.agreements import Agreement
    from schema.audit import AuditEvent
    from schema.cases import Case
    from schema.cities import City
    from schema.consents import Consent
    from schema.feeds import FeedResult
    from schema.organisations import Organisation
    from schema.presentations import Presentation
    from schema.referrals import Referral
    from schema.residencies import Residency

ClientRef = Annotated["Client", strawberry.lazy("schema.access")]
UserRef = Annotated["User", strawberry.lazy("schema.access")]
AgreementRef = Annotated["Agreement", strawberry.lazy("schema.agreements")]
AuditEventRef = Annotated["AuditEvent", strawberry.lazy("schema.audit")]
CaseRef = Annotated["Case", strawberry.lazy("schema.cases")]
CityRef = Annotated["City", strawberry.lazy("schema.cities")]
ConsentRef = Annotated["Consent", strawberry.lazy("schema.consents")]
FeedResultRef = Annotated["FeedResult", strawberry.lazy("schema.feeds")]
OrganisationRef = Annotated["Organisation", strawberry.lazy("schema.organisations")]
PresentationRef = Annotated["Presentation", strawberry.lazy("schema.presentations")]
ReferralRef = Annotated["Referral", strawberry.lazy("schema.referrals")]
ResidencyRef = Annotated["Residency", strawberry.lazy("schema.residencies")]
