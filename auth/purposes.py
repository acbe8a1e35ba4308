"""This module lists the purposes for which someone may ask: the "why" of every audit record."""

from enum import StrEnum


class Purpose(StrEnum):
    """Why a request is made: header `Hub-Purpose`, else the client's default."""

    REFERRAL = "REFERRAL"
    PROTECTION = "PROTECTION"
    RELOCATION = "RELOCATION"
    STATISTICS = "STATISTICS"
    ADMINISTRATION = "ADMINISTRATION"
    AUDIT = "AUDIT"
