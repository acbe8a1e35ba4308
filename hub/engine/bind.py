"""This module gives a statement's parameters their values for one request, or says all that is wrong with them."""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLSchema

from hub.engine.cursors import Cursors
from hub.engine.documents import RequestRefusedError, problem
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
    Size,
    dig,
    page_problems,
    size,
    split_id,
)
from hub.engine.plan import Arguments, Plan
from hub.engine.selection import Variables, arguments
from schema.fields import Page, Remote


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

    def arguments(self, asked: Arguments) -> dict[str, Any]:
        """Give a field's coerced arguments in this request."""
        if id(asked) not in self._known:
            self._known[id(asked)] = arguments(self._schema, asked.parent, asked.node, self._variables)
        return self._known[id(asked)]

    def judge(self, plan: Plan) -> None:
        """Refuse pages, ids and cursors that cannot be, all at once, before anything is done."""
        found: list[dict[str, Any]] = []
        for ask in plan.pages:
            asked = ask.arguments
            if asked is None:
                continue
            values = self.arguments(asked)
            wrong = page_problems(values) if isinstance(ask.source, Page | Remote) else []
            if len(values.get("ids") or []) > IDS_LIMIT:
                wrong.append(("ids", f"may name at most {IDS_LIMIT}"))
            found += [
                problem("BAD_USER_INPUT", f'Argument "{name}" of {asked.coordinate} {hint}.', path=list(asked.path))
                for name, hint in wrong
            ]
        if found:
            raise RequestRefusedError(*found)

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
            case Place(asked, name, index, keys):
                return self._place(asked, name, keys)[index]
            case FeedPlaces(asked):
                return self._feed_places(asked)
            case Ids(asked, word, convert):
                ids = self.arguments(asked)["ids"]
                return [split_id(i, convert) if word else None for i in ids]
            case Parts(number):
                return parts[number]

    def _converted(self, value: Any, convert: str) -> Any:
        if convert == "name_digest":
            return name_digest(self._index_key, value)
        if convert:
            return split_id(value, convert)
        if isinstance(value, list):
            return [str(item) for item in value]
        return value

    def _place(self, asked: Arguments, name: str, keys: tuple[str, ...]) -> list[str]:
        if (id(asked), name) not in self._opened:
            values = self.arguments(asked)
            place = self._cursors.open(asked.coordinate, values, keys, values[name])
            if place is None or len(place) != len(keys):
                raise _bad_cursor(asked, name)
            self._opened[id(asked), name] = place
        return self._opened[id(asked), name]

    def _feed_places(self, asked: Arguments) -> str:
        values = self.arguments(asked)
        places = {}
        for given in values["after"]:
            place = self._cursors.open(asked.coordinate, values, FEED_KEYS, given["after"])
            if place is None or len(place) != len(FEED_KEYS) + 1 or place[-1] != given["feed"]:
                raise _bad_cursor(asked, "after")
            places[given["feed"]] = place[:-1]
        return json.dumps(places)


def _bad_cursor(asked: Arguments, name: str) -> RequestRefusedError:
    hint = (
        "is not a cursor of this list: use endCursor or startCursor of an earlier page, with the same filter and order"
    )
    return RequestRefusedError(
        problem("BAD_USER_INPUT", f'Argument "{name}" of {asked.coordinate} {hint}.', path=list(asked.path))
    )


Values = Callable[[Arguments], Mapping[str, Any]]
