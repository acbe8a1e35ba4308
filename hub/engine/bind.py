"""This module gives a statement's parameters their values for one request, or says all that is wrong with them."""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLSchema

from auth.limits import Limits
from hub.engine.cursors import Cursors
from hub.engine.limits import exceeded, problem
from hub.engine.pages import sort_keys
from hub.engine.parameters import (
    FEED_KEYS,
    IDS_LIMIT,
    Base,
    FeedPlaces,
    Given,
    Ids,
    Parameter,
    Parts,
    Place,
    Refreshed,
    Size,
    dig,
    page_problems,
    selection_problems,
    size,
    split_id,
)
from hub.engine.plan import Arguments, Plan
from hub.engine.selection import Variables, arguments, node_ids, varies
from hub.feeds.refresh import FeedFreshness
from schema.fields import Command, Page, Remote, Source

CURSOR_HINT: Final = (
    "is not a cursor of this list: use endCursor or startCursor of an earlier page, with the same filter and order"
)


def name_digest(key: bytes, name: str) -> bytes:
    """Give the blind index of a family name: HMAC-SHA-256 over its compatibility-folded, case-folded form."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return hmac.digest(key, " ".join(folded.split()).encode(), hashlib.sha256)


class Binding:
    """One request's arguments, coerced once a field, and the values they give."""

    def __init__(self, schema: GraphQLSchema, variables: Variables, cursors: Cursors, index_key: bytes) -> None:
        self._schema, self._variables, self._cursors, self._index_key = schema, variables, cursors, index_key
        self._known: dict[int, dict[str, Any]] = {}
        self._opened: dict[tuple[int, str], list[str]] = {}
        self._refreshed: dict[int, dict[str, FeedFreshness]] = {}

    def arguments(self, asked: Arguments) -> Mapping[str, Any]:
        """Give a field's coerced arguments in this request."""
        # What is written out in the document is the same in every request; a command's input is its own to change.
        if asked.parent.name != "Mutation" and not any(varies(given.value) for given in asked.node.arguments or ()):
            return asked.values
        if id(asked) not in self._known:
            self._known[id(asked)] = arguments(asked.parent, asked.node, self._variables)
        return self._known[id(asked)]

    def refreshed(self, asked: Arguments, found: dict[str, FeedFreshness]) -> None:
        """Keep what a live refresh found, for the statement that answers."""
        self._refreshed[id(asked)] = found

    def judge(self, plan: Plan, limits: Limits) -> list[dict[str, Any]]:
        """Say which pages, ids and cursors cannot be or are beyond the client's limits, all at once, before anything is done."""
        found: list[dict[str, Any]] = []
        for ask in plan.pages:
            asked = ask.arguments
            if asked is None or ask.source is None:
                continue
            values = self.arguments(asked)
            wrong = page_problems(values) if isinstance(ask.source, Page | Remote) else []
            wrong += selection_problems(values)
            if len(values.get("ids") or []) > IDS_LIMIT:
                wrong.append(("ids", f"may name at most {IDS_LIMIT}"))
            if isinstance(ask.source, Command) and _holds_nul(values):
                wrong.append(("input", "holds the character U+0000, which no text may"))
            wrong += self._cursor_problems(ask.source, asked, values)
            found += [
                problem("BAD_USER_INPUT", f'Argument "{name}" of {asked.coordinate} {hint}.', path=list(asked.path))
                for name, hint in wrong
            ]
            if (asked_for := _asked_for(ask.source, values)) > limits.page_size:
                found.append(exceeded("page_size", limits.page_size, asked_for, path=list(asked.path)))
        return found

    def values(
        self, parameters: tuple[Parameter, ...], base: Mapping[str, Any], parts: Mapping[int, list[str]]
    ) -> list[Any]:
        """Give every parameter its value, in order."""
        return [self._value(parameter, base, parts) for parameter in parameters]

    def _value(self, parameter: Parameter, base: Mapping[str, Any], parts: Mapping[int, list[str]]) -> Any:
        match parameter:
            case Base(name):
                return base[name]
            case Given(asked, path, convert):
                return self._converted(dig(self.arguments(asked), path), convert)
            case Size(asked, more):
                return size(self.arguments(asked)) + more
            case Place(asked, name, index):
                return self._opened[id(asked), name][index]
            case FeedPlaces(asked):
                return self._feed_places(asked)
            case Refreshed(asked):
                found = self._refreshed.get(id(asked))
                return None if found is None else json.dumps({code: each.state for code, each in found.items()})
            case Ids(asked, word, convert):
                ids = node_ids(self.arguments(asked))
                return [split_id(i, convert) if word else None for i in ids]
            case Parts(number):
                return parts[number]

    def _converted(self, value: Any, convert: str) -> Any:
        if convert == "name_digest":
            return name_digest(self._index_key, value)
        if convert:
            return split_id(value, convert)
        # No text in Postgres holds U+0000, so what does matches nothing.
        if isinstance(value, list):
            return [text for item in value if "\0" not in (text := str(item))]
        return None if isinstance(value, str) and "\0" in value else value

    def _cursor_problems(self, source: Source, asked: Arguments, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Open the cursors of a page; say which are none of its own."""
        wrong: list[str] = []
        if isinstance(source, Page):
            for name in ("after", "before"):
                if values.get(name) is not None:
                    keys = tuple(order.column for order, _ in sort_keys(source, values))
                    place = self._cursors.open(asked.coordinate, values, keys, values[name])
                    self._opened[id(asked), name] = place or []
                    wrong += [] if place and len(place) == len(keys) else [name]
        elif isinstance(source, Remote):
            for given in values.get("after") or []:
                place = self._cursors.open(asked.coordinate, values, FEED_KEYS, given["after"])
                self._opened[id(asked), given["feed"]] = place or []
                # A feed's cursor ends with the feed's code.
                known = place and len(place) == len(FEED_KEYS) + 1 and place[-1] == given["feed"]
                wrong += [] if known or "after" in wrong else ["after"]
        return [(name, CURSOR_HINT) for name in wrong]

    def _feed_places(self, asked: Arguments) -> str:
        after = self.arguments(asked)["after"]
        return json.dumps({given["feed"]: self._opened[id(asked), given["feed"]][:-1] for given in after})


def _asked_for(source: Source, values: Mapping[str, Any]) -> int:
    """Give how many rows a page may have, or how many objects a router names."""
    if isinstance(source, Page | Remote):
        return size(values) if isinstance(source, Page) or values.get("first") is not None else 0
    return len(values.get("representations") or [])


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_nul, value.values()))
    return any(map(_holds_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value
