"""What random operations choose their arguments from: values that mostly find something, and some that do not."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.differential.oracle import WORDS

LEAVES: dict[str, list[Any]] = {
    "CountryCode": ["IR", "TR", "NO", "PL", "BY", "XX"],
    "Date": ["2026-01-15", "2026-02-01", "2025-12-31", "2027-01-01"],
    "DateTime": ["2026-03-01T00:00:00Z", "2026-03-02T01:00:00+01:00", "2026-05-01T00:00:00.5Z"],
    "Duration": ["PT72H"],
    "Boolean": [True, False],
    "Int": [0, 1, 2, 3, 7],
}
NAMED: dict[str, list[Any]] = {
    "name": ["a", "KRAK", "", "ó", "%", "\\"],
    "familyName": ["farahani", "Öztürk-Ålesund", "Nobody", ""],
    "feeds": ["haven", "northlight", "quiet", "none"],
    "feed": ["haven", "northlight"],
    "clientReference": ["PEN-1", "x"],
    "StatisticsFilter.from": ["2025-01-15", "2025-12-31", "2026-01-01"],
    "StatisticsFilter.to": ["2026-01-01", "2026-12-31", "2027-01-01"],
    "event": ["audit_00000000-0000-0000-0000-000000000000_1", "audit_", ""],
    "case": ["case_00000000-0000-0000-0000-000000000000", ""],
    "action": ["query cases"],
    "fromSize": ["1", "x"],
    "toSize": ["1", "-1"],
}
"""What arguments and input fields of these names are given."""
KINDS = ("Case", "Referral", "ReferralEvent", "Message", "Residency", "Consent", "City", "Organisation", "Agreement", "Feed", "FeedRecord", "AuditEvent", "Retraction", "Presentation")  # fmt: skip
"""Types that an object behind an interface or union may be of."""


def represented(one_of: Callable[[Sequence[Any]], Any], ids: Sequence[str]) -> dict[str, str]:
    """Choose a representation: most often of the type that its id names, and with more than may be believed."""
    named = one_of(ids)
    kind = WORDS.get(named.partition("_")[0], "Nothing") if one_of(range(5)) else one_of([*KINDS, "Node", ""])
    said = {"__typename": kind, "id": named, "status": "CLOSED"}
    return said if one_of(range(9)) else {"__typename": kind}
