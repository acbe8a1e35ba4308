"""This module gives examples of every value that can be sent: of each input field and each enum value at least one.

What a text or an id means is told by the name of its place. A place with an id that is not listed here has no example, and the
walk says which it is.
"""

from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
)

IDS: Final = {
    "Query.node": ("$case", "$referral", "$consent", "$record", "$audit", "$city", "$feed", "$organisation", "$retraction", "$presentation", "$client", "$user", "$webhook"),
    "Query.nodes": ("$case", "$referral", "$agreed", "$residency", "$message", "$event", "$agreement", "$case"),
    "CaseBy.id": ("$case",), "client": ("$client",), "user": ("$user",), "city": ("$city",), "ReferralBy.id": ("$referral",), "case": ("$case",), "referral": ("$referral",), "event": ("$audit",),
    "feed": ("$feed",), "feedRecord": ("$record",), "records": ("$record",), "consent": ("$consent",), "retraction": ("$retraction",), "webhook": ("$webhook",), "agreement": ("$agreement",), "replaces": ("$agreement",), "presentation": ("$presentation",), "residency": ("$residency",), "cities": ("$city",), "keep": ("$case",), "merge": ("$case",), "organisation": ("$organisation",),
    "organisations": ("$organisation",), "from": ("$organisation",), "to": ("$organisation",), "redirectTo": ("$organisation",), "referredBy": ("$organisation",),
}  # fmt: skip
"""What an id is of, by the place or by the name alone."""
TEXTS: Final = {
    "idempotencyKey": "$key", "CaseBy.reference": "$caseReference", "ReferralBy.reference": "$referralReference", "clientReference": "$reference",
    "confirmReference": "$caseReference", "expectedVersion": '"1"', "purpose": '"PROTECTION"',
    "familyName": '"Farahani"', "Query.city": '"bergen"', "Query.organisation": '"pen-centre"', "feeds": '"pen-feed"', "FeedCursor.feed": '"pen-feed"',
    "code": '"new-harbour"', "website": '"https://pen.example"', "email": '"mina@pen.example"', "firstAdminEmail": '"mina@pen.example"', "scopes": '"cases:read"',
    "fromSize": '"1"', "toSize": '"2"', "action": '"query cases"', "name": '"er"',
    "AgreementTerms.validUntil": '"2026-11-01T00:00:00Z"',
}  # fmt: skip
SCALARS: Final = {
    "Int": ("2",), "Float": ("1.5",), "Boolean": ("true", "false"), "String": ('"Text"',), "CountryCode": ('"IR"',), "LanguageTag": ('"fa"',),
    "Date": ('"2026-01-11"',), "DateTime": ('"2026-02-10T08:00:00Z"',), "Duration": ('"PT5M"',), "JSON": ("{keys: []}",),
    "_Any": tuple(
        f'{{__typename: "{kind}", id: ${word}}}' for kind, word in (("Case", "case"), ("Referral", "referral"), ("City", "city"), ("Consent", "consent"))
    ),
}  # fmt: skip


class NoExample(Exception):  # noqa: N818 it names what is missing
    """A place for which nothing is listed that could be sent there."""


def examples(kind: Any, owner: str, name: str) -> list[str]:
    """Give what can be sent as an argument of the field `owner`, or as a field of the input `owner`, as templates of GraphQL."""
    match kind:
        case GraphQLNonNull(of_type=inner):
            return examples(inner, owner, name)
        case GraphQLList(of_type=inner):
            found = examples(inner, owner, name)
            apart = isinstance(getattr(inner, "of_type", inner), GraphQLInputObjectType)
            return [f"[{each}]" for each in (found if apart else (found[0], ", ".join(found)))]
        case GraphQLEnumType():
            return list(kind.values)
        case GraphQLInputObjectType():
            return _inputs(kind)
        case GraphQLScalarType(name="ID"):
            return list(_listed(IDS, owner, name))
        case GraphQLScalarType(name="String" | "DateTime") if (
            name in TEXTS or owner in TEXTS or f"{owner}.{name}" in TEXTS
        ):
            return [_listed(TEXTS, owner, name)]
        case GraphQLScalarType(name=scalar) if scalar in SCALARS:
            return list(SCALARS[scalar])
    raise NoExample(f"{owner}.{name}")


def _listed(table: dict[str, Any], owner: str, name: str) -> Any:
    for place in (f"{owner}.{name}", owner, name):
        if place in table:
            return table[place]
    raise NoExample(f"{owner}.{name}")


def _inputs(kind: GraphQLInputObjectType) -> list[str]:
    """Of a filter or a choice, each field by itself; of what is written down, all fields together, in turn with each of their examples."""
    columns = {name: examples(field.type, kind.name, name) for name, field in kind.fields.items()}
    if kind.is_one_of or kind.name.endswith("Filter"):
        return [f"{{{name}: {each}}}" for name, found in columns.items() for each in found]
    rows = range(max(len(found) for found in columns.values()))
    return [
        "{" + ", ".join(f"{name}: {found[row % len(found)]}" for name, found in columns.items()) + "}" for row in rows
    ]
