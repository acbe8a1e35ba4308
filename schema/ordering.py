"""This module says what lists can be ordered by, and which way."""

from enum import auto

import strawberry

from schema.enums import Named


@strawberry.enum
class CaseOrderField(Named):
    """What cases can be ordered by."""

    OPENED_ON = auto()
    UPDATED_AT = auto()
    RISK_LEVEL = auto()


@strawberry.enum
class ReferralOrderField(Named):
    """What referrals can be ordered by."""

    SUBMITTED_AT = auto()
    UPDATED_AT = auto()
    URGENCY = auto()


@strawberry.enum
class Direction(Named):
    """Which way a list is ordered."""

    ASC = auto()
    DESC = auto()
