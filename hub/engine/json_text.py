"""This module writes SQL whose value is JSON as text, put together by `concat`. It is pure.

A value that needs no escaping is set between quotes as it is; one `concat` for a whole object costs a third of `row_to_json`
over a sub-select, which looks up the type of each row and each column anew (measured on PostgreSQL 18: 500 rows of eight
columns). A null counts as `null` everywhere, so no part can make the rest vanish.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLNonNull, is_list_type

QUOTED: Final = frozenset({"ID", "Date", "CountryCode"})
"""Scalars whose text never holds what JSON escapes: ids are made of codes, digits and underscores."""
BARE: Final = frozenset({"Int", "Boolean"})
ARGUMENTS: Final = 90
"""What one call of `concat` is given, at most; PostgreSQL allows a hundred."""


@dataclass(frozen=True)
class Known:
    """JSON known before the statement runs."""

    json: str


Piece = str | Known


def form(kind: Any) -> str:
    """Tell how a value of a GraphQL type is written: `quoted`, `bare`, or as `json` that Postgres makes of it."""
    of = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if is_list_type(of):
        return "json"
    if isinstance(of, GraphQLEnumType) or of.name in QUOTED:
        return "quoted"
    return "bare" if of.name in BARE else "json"


def value(written: str, sql: str) -> str:
    """Write a value as JSON.

    >>> value("bare", "r.count")
    "coalesce((r.count)::text, 'null')"
    """
    as_text = {"quoted": f"'\"' || ({sql}) || '\"'", "bare": f"({sql})::text", "json": f"to_json({sql})::text"}[written]
    return f"coalesce({as_text}, 'null')"


def nested(sql: str) -> str:
    """Write what is JSON already, where there is any."""
    return f"coalesce({sql}, 'null')"


def members(columns: Sequence[tuple[str, Piece]]) -> str:
    r"""Write an object; names are GraphQL names, which need no escaping.

    >>> members([("kind", Known('"CITY"')), ("name", "n.j")])
    'concat(\'{"kind":"CITY","name":\', n.j, \'}\')'
    """
    pieces, text = [], "{"
    for number, (key, piece) in enumerate(columns):
        text += f'{"," if number else ""}"{key}":'
        if isinstance(piece, Known):
            text += piece.json
        else:
            pieces += [_literal(text), piece]
            text = ""
    return _concat([*pieces, _literal(text + "}")])


def array(sql: str, order: str, kept: str = "") -> str:
    """Write the aggregate that gathers JSON texts into a list; `kept` is its FILTER."""
    only = f" filter (where {kept})" if kept else ""
    return f"concat('[', string_agg({sql}, ',' order by {order}){only}, ']')"


def mark(kind: str, *parts: str) -> str:
    """Write what the hub fills in later: {"$kind" : "part|..."}, of parts that hold neither quotes nor backslashes."""
    joined = ", '|', ".join(parts)
    return f"concat('{{\"${kind}\" : \"', {joined}, '\"}}')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _concat(pieces: Sequence[str]) -> str:
    if len(pieces) == 1:
        return pieces[0]
    if len(pieces) > ARGUMENTS:
        groups = [pieces[start : start + ARGUMENTS] for start in range(0, len(pieces), ARGUMENTS)]
        return _concat([_concat(group) for group in groups])
    return f"concat({', '.join(pieces)})"
