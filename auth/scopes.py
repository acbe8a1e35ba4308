"""This module lists every OAuth scope, each with the plain words a person is shown before granting it."""

from collections.abc import Collection
from enum import StrEnum
from typing import Self


class Scope(StrEnum):
    """What a client may ever do. Grammar: `resource:action`, alphabetised; `description` is one plain sentence."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        """Make the scope a plain string that carries its description."""
        scope = str.__new__(cls, value)
        scope._value_ = value
        scope.description = description
        return scope

    ACCESS_EXPLAIN = "access:explain", "See why an organisation may or may not see parts of a case."
    ACCESS_MANAGE = "access:manage", "Manage your organisation's clients, users, agreements and webhooks."
    AUDIT_READ = "audit:read", "Read the record of who looked at what, and check that it is complete."
    CASES_ASSESSMENT = "cases:assessment", "Read ICORN's own assessment of a case."
    CASES_CONTACT = "cases:contact", "See whether and how a person can be contacted safely."
    CASES_EMERGENCY = "cases:emergency", "Open a case in an emergency, for hours, where ICORN sees it."
    CASES_ERASE = "cases:erase", "Erase a case for good, or forbid its erasure."
    CASES_FAMILY = "cases:family", "See who would come along with a person."
    CASES_HEALTH = "cases:health", "See a person's health needs."
    CASES_IDENTITY = "cases:identity", "See names, pseudonyms, birth date and nationality."
    CASES_PROFILE = "cases:profile", "Read biography, works and languages."
    CASES_READ = "cases:read", "See the overview of cases opened to you: nothing that identifies a person."
    CASES_THREAT = "cases:threat", "Read who threatens a person, and the incidents."
    CASES_WHEREABOUTS = "cases:whereabouts", "See where a person is now."
    CASES_WRITE = "cases:write", "Open, change, share and link cases."
    CHANGES_READ = "changes:read", "Follow what changed in the cases opened to you."
    CONSENTS_READ = "consents:read", "Read what a person has consented to."
    CONSENTS_WRITE = "consents:write", "Record a person's consent, or its withdrawal."
    FEEDS_MANAGE = "feeds:manage", "Connect and repair other organisations' feeds."
    FEEDS_READ = "feeds:read", "Read what other organisations' feeds say of a case."
    INTAKE_READ = "intake:read", "Read the queue of people newly referred."
    ORGANISATIONS_MANAGE = "organisations:manage", "Add and change organisations."
    PRESENTATIONS_ANSWER = "presentations:answer", "Answer whether your city invites a person."
    PRESENTATIONS_READ = "presentations:read", "See the people presented to your city."
    REFERRALS_READ = "referrals:read", "Read the referrals you sent or received."
    REFERRALS_RESPOND = "referrals:respond", "Answer referrals sent to you."
    REFERRALS_SUBMIT = "referrals:submit", "Refer a person, with consent."
    RESIDENCIES_READ = "residencies:read", "See in which city a person has a residency."
    RESIDENCIES_WRITE = "residencies:write", "Change residencies and publish vacancies of your city."
    STATISTICS_READ = "statistics:read", "Read counts, with small numbers hidden."


NAMES = frozenset(str(scope) for scope in Scope)
"""Every scope as plain text."""
ICORNS = frozenset(
    (
        "access:explain",
        "cases:assessment",
        "cases:erase",
        "cases:write",
        "feeds:manage",
        "intake:read",
        "organisations:manage",
    )
)
"""Those that no partner ever has: hub.scope_ceiling takes them off every token."""


def scope_problems(wanted: Collection[str]) -> list[str]:
    """Say what is wrong with scopes that somebody shall have: none at all, or which of them do not exist."""
    unknown = ", ".join(sorted(set(wanted) - NAMES))
    if unknown:
        return [f"scopes: there is no {unknown}; README.md lists them under Scopes"]
    return [] if wanted else ["scopes: at least one; README.md lists them under Scopes"]
