"""This module holds what can be followed: of each event, the node it tells of, as its reader may see it at that moment."""

import strawberry

from auth.scopes import Scope
from schema.directives import OPERATION
from schema.fields import One, Where, asked
from schema.referrals import ReferralEvent
from schema.retractions import Retraction
from schema.rows import EVENT, RETRACTION

STEP = One(EVENT, "{row}.referral_id = {subject}::uuid and {row}.ordinal = {ordinal}::int")
RETRACTED = One(RETRACTION, "{row}.name = {subject}::uuid")


@strawberry.type(directives=[OPERATION])
class Subscription:
    """What can be followed."""

    @asked(STEP, Scope.REFERRALS_READ, arguments={"referral": Where("{row}.pairwise = {value}::uuid", "uuid:referral")})
    def referral_events(self, referral: strawberry.ID | None = strawberry.UNSET) -> ReferralEvent | None:
        """Thin events: who, what, when; the content is fetched under the reader's own rights."""
        raise NotImplementedError

    @asked(RETRACTED, Scope.CASES_READ, Scope.REFERRALS_READ)
    def retractions(self) -> Retraction | None:
        """What the viewer held and must now delete; for ICORN, what everyone must."""
        raise NotImplementedError
