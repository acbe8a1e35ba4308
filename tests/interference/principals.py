"""This module says who asks: the kinds of principals, and for each the same organisation with other scopes in its token."""

from dataclasses import dataclass
from typing import Final

from auth.scopes import NAMES


@dataclass(frozen=True)
class Principal:
    """Who asks: a client of an organisation, and the scopes of its token."""

    client: str
    organisation: str
    scopes: frozenset[str]

    def may(self, *scopes: str) -> bool:
        """Tell whether the token has all of these scopes."""
        return self.scopes.issuperset(scopes)

    def may_read(self, category: str) -> bool:
        """Tell whether the token opens a disclosure category at all."""
        return self.may("cases:read" if category == "OVERVIEW" else f"cases:{category.lower()}")


PRINCIPALS: Final = {
    "a partner with every scope": Principal("pen", "pen-centre", NAMES),
    "a partner that reads overviews": Principal("reader", "pen-centre", frozenset({"cases:read"})),
    "a client for statistics alone": Principal("counter", "pen-centre", frozenset({"statistics:read"})),
    "a sender of referrals": Principal("sender", "arts-haven", frozenset({"referrals:submit", "referrals:read", "cases:write"})),
    "a recipient of referrals": Principal(
        "recipient", "open-stage",
        frozenset({"cases:read", "cases:identity", "cases:profile", "referrals:read", "referrals:respond", "consents:read", "consents:write"}),
    ),
    "a city": Principal(
        "city", "harbour-city",
        frozenset({
            "cases:read", "cases:profile", "cases:whereabouts", "residencies:read", "residencies:write", "presentations:read", "presentations:answer",
            "feeds:read", "feeds:manage",
        }),
    ),
    "ICORN's desk": Principal("desk", "icorn", NAMES),
    "ICORN's intake": Principal(
        "intake", "icorn", frozenset({"cases:read", "cases:profile", "cases:write", "referrals:read", "feeds:read"}),
    ),
}  # fmt: skip

CASES: Final = frozenset(
    {"cases:read", "consents:write", "feeds:manage", "presentations:answer", "referrals:submit", "residencies:write"}
)
"""What opens cases as such, and changes whose answers need another scope to be read."""


def variants(organisation: str) -> dict[str, Principal]:
    """Give principals of an organisation with such tokens that each field is asked for with its scope, and without it."""
    tokens = {
        "every scope": NAMES,
        "cases alone": CASES,
        "referrals and feeds alone": frozenset({"referrals:read", "feeds:read"}),
        "everything but cases and referrals": NAMES - CASES - {"referrals:read"},
    }
    return {
        word: Principal(f"{organisation}-{word.replace(' ', '-')}", organisation, scopes)
        for word, scopes in tokens.items()
    }
