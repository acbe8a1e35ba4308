"""That everything declared over rows is there: columns, relations, documents, filters and orders, as the role of requests finds them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import asyncpg
from graphql import GraphQLField, GraphQLInputObjectType, GraphQLObjectType, get_named_type

from schema.agreement_rows import CLOSES, EFFECT, OPENS
from schema.fields import NOUNS, Column, Document, Many, Nested, One, Page, Rows, Sealed, SealedText, Where
from schema.rows import CASE, FEED, STATISTICS, STATISTICS_CELL
from tests.conftest import Database
from tests.schema.declared import edges, rule_of

VALUES: Final = {
    "org": "1", "now": "(select hub_now())", "value": "null", "named": "'pen-centre'::text", "subject": "null", "ordinal": "1", "outcome": "''::text", "max_age": "null", "refreshed": "null", "scopes": "''::text", "purpose": "''::text",
    "expires_at": "hub_now()", "client": "''::text", "user": "''::text", "row": "r", "parent": "p", "feed": "f",
    "place": "'0'::xid8", "name": "''::text", "most": "1",
}  # fmt: skip


def _fill(sql: str, **more: str) -> str:
    return sql.format_map({**VALUES, **more})


def _nodes(target: Any) -> Any:
    """Look through a connection."""
    if target.name.endswith("Connection"):
        return get_named_type(get_named_type(target.fields["edges"].type).fields["node"].type)
    if target.name == "ChangeFeed":
        return get_named_type(target.fields["changes"].type)
    return target


def standing() -> dict[str, set[Rows]]:
    """Give the rows that objects of each type may stand on."""
    found: dict[str, set[Rows]] = {name: {noun.rows} for name, noun in NOUNS.items() if noun.rows}
    for _, _, field in edges():
        of = getattr(rule_of(field), "source", None)
        if isinstance(of, One | Many | Page):
            found.setdefault(_nodes(get_named_type(field.type)).name, set()).add(of.rows)
    found.setdefault("FeedResult", set()).add(FEED)
    return found


def _under(kind: GraphQLObjectType, rows: Mapping[str, set[Rows]]) -> set[Rows]:
    """Give the rows a type stands on, its own or those of what it is a part of."""
    nested = {
        p.name
        for p, _, f in edges()
        if isinstance(getattr(rule_of(f), "source", None), Nested) and get_named_type(f.type) is kind
    }
    return rows.get(kind.name, set()).union(*(rows.get(name, set()) for name in nested if name != "FeedResult"))


def _relation(of: One | Many | Page, field: GraphQLField) -> list[str]:
    """Write what a relation, its orders and its filters say about its rows."""
    said = [f"({_fill(of.on)})"]
    if isinstance(of, Many):
        said.append(f"row({_fill(of.order).replace(' desc', '')}) is not null")
    if isinstance(of, Page):
        said += [f"r.{order.column} = null::text::{order.type}" for order in (*of.orders.values(), of.tie)]
    return said + [f"({_fill(where.sql)})" for where in _wheres(field)]


def _wheres(field: GraphQLField) -> Iterator[Where]:
    yield from rule_of(field).arguments.values()
    for argument in field.args.values():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from (found for inner in kind.fields.values() if isinstance(found := rule_of(inner), Where))


def _document(document: Document, name: str) -> str:
    given = {"category": name.lower(), "CATEGORY": name}
    return (
        f"(select d.sealed is not null from ({_fill(document.sql, **given)}) d"  # noqa: S608 what the schema declares
        f" where {_fill(document.access, **given)} and ({_fill(document.subject)}) is not null)"
    )


def _carried(rows: Rows) -> str:
    """Write the arguments that rows carry for what lies below them."""
    ones = (of for _, _, f in edges() if isinstance(of := getattr(rule_of(f), "source", None), One) and of.rows == rows)
    return "".join(f", null::{kind} as {name}" for of in ones for name, (_, kind) in of.carried.items())


ABOVE: Final = {STATISTICS_CELL.select: STATISTICS, OPENS.select: EFFECT, CLOSES.select: EFFECT}
"""Of rows that hang on what another's arguments say, whose; of others, a case's."""


def _base(rows: Rows) -> str:
    """Write rows as they lie behind the first wall; those that hang on another's row, beside one."""
    access = f" where {_fill(rows.access)}" if rows.access else ""
    above = ABOVE.get(rows.select, CASE)
    beside = ""
    if "{parent}" in rows.select:
        beside = f"(select c.*{_carried(above)} from ({_fill(above.select)}) c) p, lateral "  # noqa: S608 what the schema declares
    return f"(select x.*{_carried(rows)} from {beside}({_fill(rows.select)}{access}) x)"  # noqa: S608 what the schema declares


def _asked(source: Any, field: GraphQLField, base: str) -> Iterator[str]:
    """Write what a field's source asks of its rows."""
    match source:
        case Column(sql):
            yield f"select {_fill(sql)} from {base} r"  # noqa: S608 what the schema declares
        case Sealed(document, name) | SealedText(document, name):
            yield f"select {_document(document, name)} from {base} r"  # noqa: S608 as above
        case Nested(documents) if documents is not None:
            for name in ("IDENTITY", "HEALTH"):
                yield f"select {_document(documents, name)} from {base} r"  # noqa: S608 as above
        case One() | Many() | Page() as of:
            said = " and ".join(_relation(of, field))
            yield f"select from {base} p, (select) f, lateral ({_fill(of.rows.select)}) r where {said}"


def expressions() -> Iterator[tuple[str, str]]:
    """Give everything that is declared over rows, as statements: (coordinate, SQL)."""
    rows = standing()
    for kind, name, field in edges():
        for below in _under(kind, rows) or {Rows("select 1 as nothing")}:
            for sql in _asked(getattr(rule_of(field), "source", None), field, _base(below)):
                yield f"{kind.name}.{name}", sql
    for name, noun in NOUNS.items():
        for place in noun.places.values():
            assert noun.rows is not None
            yield f"node of {name}", f"select from ({_fill(noun.rows.select)}) r where {_fill(place.sql)}"


async def test_every_column_relation_filter_and_order_exists(database: Database) -> None:
    """The role of requests can plan everything that is declared: no column is missing, of another type, or not its to read."""
    app, wrong, tried = await database.connect("hub_app"), [], 0
    for coordinate, sql in expressions():
        try:
            await app.execute(f"explain {sql}")
            tried += 1
        except asyncpg.PostgresError as error:
            wrong.append(f"{coordinate}: {error} in {sql}")

    assert wrong == []
    assert tried > 150
