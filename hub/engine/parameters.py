"""This module binds a request's values to a statement's parameters, and judges page sizes, ids and cursors on the way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from auth.principal import Principal
from hub.engine.plan import Arguments
from schema.directives import NAMED, PAGE

PAGE_DEFAULT: Final = PAGE
PAGE_LIMIT: Final = 500
"""Of a list that has no page size of its own."""
IDS_LIMIT: Final = NAMED

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FORMS: Final = {
    "key": re.compile(r"[a-z][a-z0-9-]{1,40}"),
    "client": re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]"),
    "uuid": _UUID,
    "child": re.compile(_UUID.pattern + r"_[0-9a-f]{16}"),
    "ordinal": re.compile(_UUID.pattern + r"_[0-9]{1,6}"),
}


@dataclass(frozen=True)
class Base:
    """A value of the principal or the request."""

    name: str


@dataclass(frozen=True)
class Given:
    """A value found in a field's arguments, converted."""

    arguments: Arguments
    path: tuple[str, ...]
    convert: str = ""


@dataclass(frozen=True)
class Size:
    """A page's LIMIT: what was asked for, and `more` to see whether there is more."""

    arguments: Arguments
    more: int


@dataclass(frozen=True)
class Place:
    """One value of a cursor."""

    arguments: Arguments
    name: str
    index: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class FeedPlaces:
    """The cursors of a page over several feeds: feed code to its values, as JSON text."""

    arguments: Arguments


@dataclass(frozen=True)
class Ids:
    """The ids of nodes(ids:) that a type's prefix names, in their places."""

    arguments: Arguments
    word: str
    convert: str


@dataclass(frozen=True)
class Refreshed:
    """What a live refresh found of each feed: feed code to state, as JSON text; null where none was asked for."""

    arguments: Arguments


@dataclass(frozen=True)
class Parts:
    """The keys under which a part of an answer was asked for."""

    number: int


Parameter = Base | Given | Size | Place | FeedPlaces | Refreshed | Ids | Parts
FEED_KEYS: Final = ("moved_at", "record_id")
Converter = Callable[[Any], Any]


def split_id(identifier: str, convert: str) -> str | None:
    """Give what follows an id's prefix, or None for what cannot be an id: it then finds nothing, like every unknown id.

    >>> split_id("city_bergen", "key:city")
    'bergen'
    """
    form, _, word = convert.partition(":")
    head, _, rest = identifier.partition("_")
    return rest if head == word and _FORMS[form].fullmatch(rest) else None


def dig(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Follow names into coerced arguments; give None for what was not given."""
    found: Any = values
    for name in path:
        found = None if found is None else found.get(name)
    return found


def size(values: Mapping[str, Any]) -> int:
    """Give the page size asked for."""
    for name in ("first", "last"):
        if (asked := values.get(name)) is not None:
            return int(asked)
    return PAGE_DEFAULT


def page_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Judge the arguments of a page: (argument, what is wrong and what to do), all at once."""
    found: list[tuple[str, str]] = []
    for name in ("first", "last"):
        asked = values.get(name)
        if asked is not None and asked < 0:
            found.append((name, "must be 0 or more"))
    if values.get("first") is not None and values.get("last") is not None:
        found.append(("last", "cannot be given together with first"))
    orders = [order["field"] for order in values.get("orderBy") or []]
    if len(orders) != len(set(orders)):
        found.append(("orderBy", "names the same field twice"))
    return found


def selection_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Judge what is to be counted: no dimension twice, and a time that does not end before it begins."""
    found: list[tuple[str, str]] = []
    grouped = values.get("groupBy") or []
    if len(grouped) != len(set(grouped)):
        found.append(("groupBy", "names the same dimension twice"))
    for name, value in values.items():
        starts, ends = (value.get("from"), value.get("to")) if isinstance(value, dict) else (None, None)
        if isinstance(starts, date) and isinstance(ends, date) and starts > ends:
            found.append((name, "has a from that lies after its to: give the earlier day as from"))
    return found


@lru_cache(maxsize=1024)
def _spoken(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def asker(principal: Principal) -> dict[str, Any]:
    """Give the values that bind who asks, and what must be true of it now."""
    return {
        "org": principal.organisation,
        "client": principal.client,
        "user": principal.user,
        "scopes": _spoken(principal.scopes),
        "proof": principal.proof,
        "proof_until": principal.proof_until,
        "token": principal.token_id,
        "expires_at": principal.expires_at,
    }
