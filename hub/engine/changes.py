"""This module writes a feed of changes: a page that begins after a cursor, and always ends with one to read on from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.engine.json_text import Known, Piece, array, mark, members, value
from hub.engine.parameters import Place, Size
from hub.engine.plan import Ask
from schema.fields import Feed, Order

if TYPE_CHECKING:
    from hub.engine.statement import Writer

WIDTH = 20
"""Of a place in a cursor, which shall not tell by its length how much happens."""


def changes(writer: "Writer", ask: Ask, keys: Sequence[tuple[Order, str]], guard: str) -> str:
    """Write the changes after a cursor. Nothing of what the viewer may not see is in their cursors: they are those of the last row told."""
    source, asked = ask.source, ask.arguments
    assert isinstance(source, Feed) and asked is not None  # noqa: S101, PT018 the planner gives them
    names = tuple(order.column for order, _ in keys)
    begun = asked.values.get("after") is not None
    place, name = (
        (f"{writer.parameter(Place(asked, 'after', number, names))}::text" for number in range(2))
        if begun
        else ("'0'", "''")
    )
    most = f"{writer.parameter(Size(asked, 1))}::int"
    row, page = writer.alias(), writer.alias("p")
    rows = writer.fill(source.rows.select, place=f"{place}::xid8", name=name, most=most)
    columns, lists = [], []
    joins = ""
    for field in ask.asks:
        if field.name == "changes":
            below, json, _ = writer.object(field.asks, row)
            joins += below
            alias = writer.alias("e")
            columns.append(f"{json} as {alias}")
            lists.append((field, alias))
    kept = f"x.n < {most}"
    gathered = [f"{array(f'x.{alias}', 'x.n', kept)} as {alias}" for _, alias in lists]
    gathered += [f"(array_agg(x.c order by x.n desc) filter (where {kept}))[1] as last", f"count(*) = {most} as more"]
    at = f"concat({writer.cursor(asked, keys)}, '|', lpad({{}}, {WIDTH}), '|', {{}})"
    inner = [
        *columns,
        f"{at.format(f'{row}.place::text', f'{row}.name')} as c",
        f"row_number() over (order by {row}.place, {row}.name) as n",
    ]
    found = f"select {', '.join(gathered)} from (select {', '.join(inner)} from (select * from ({rows}) {row}r limit {most}) {row}{joins} where true{guard}) x"
    told = {field.key: alias for field, alias in lists}
    listed: list[tuple[str, Piece]] = []
    for field in ask.asks:
        match field.name:
            case "changes":
                listed.append((field.key, f"{page}.{told[field.key]}"))
            case "endCursor":
                listed.append((field.key, mark("cursor", f"coalesce({page}.last, {at.format(place, name)})")))
            case "hasNextPage":
                listed.append((field.key, value("bare", f"{page}.more")))
            case _:
                listed.append((field.key, writer.value(field, "") or Known("null")))
    return f"select {members(listed)} as j from ({found}) {page}"
