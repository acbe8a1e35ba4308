"""This module writes a Relay connection: keyset pages in both directions, over the visible rows and nothing else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.engine.parameters import PAGE_DEFAULT, Place, Size
from hub.engine.plan import Arguments, Ask
from schema.fields import Order, Page, Rows

if TYPE_CHECKING:
    from hub.engine.statement import Writer

COUNT_LIMIT = 10_000
"""`totalCount` is null beyond this, so that counting has a bound."""

Keys = Sequence[tuple[Order, str]]
"""Sort keys and their directions; the last is unique."""


def sort_keys(source: Page, values: Any) -> list[tuple[Order, str]]:
    """Give the sort keys that the arguments ask for, ended by the tie-breaker in the first key's direction."""
    asked = [(source.orders[str(o["field"])], str(o["direction"])) for o in values.get("orderBy") or []]
    keys = asked or [(source.orders[source.default[0]], source.default[1])]
    return [*(k for k in keys if k[0].column != source.tie.column), (source.tie, keys[0][1])]


def backward(values: Any) -> bool:
    """Tell whether the page is asked for from the end."""
    return values.get("last") is not None or (
        values.get("before") is not None and values.get("first") is None and values.get("after") is None
    )


def beyond(writer: "Writer", keys: Keys, row: str, asked: Arguments, name: str, *, onward: bool) -> str:
    """Write that a row lies beyond a cursor, `onward` in the list's own order or back towards its start."""
    names = tuple(order.column for order, _ in keys)
    places = [
        f"{writer.parameter(Place(asked, name, index, names))}::text::{order.type}"
        for index, (order, _) in enumerate(keys)
    ]
    columns = [f"{row}.{order.column}" for order, _ in keys]
    signs = ["<" if (direction == "DESC") == onward else ">" for _, direction in keys]
    if len(set(signs)) == 1:
        return f"({', '.join(columns)}) {signs[0]} ({', '.join(places)})"
    steps = []
    for index, sign in enumerate(signs):
        equal = [f"{columns[i]} = {places[i]}" for i in range(index)]
        steps.append("(" + " and ".join([*equal, f"{columns[index]} {sign} {places[index]}"]) + ")")
    return "(" + " or ".join(steps) + ")"


def ordering(keys: Keys, row: str, *, reverse: bool) -> str:
    """Write ORDER BY."""
    return ", ".join(
        f"{row}.{order.column} {'desc' if (direction == 'DESC') != reverse else 'asc'}" for order, direction in keys
    )


def page(writer: "Writer", ask: Ask, parent: str, guard: str) -> tuple[str, bool]:
    """Write a connection: one pass over at most a page of rows, one more if somebody asks whether there is more."""
    source, asked = ask.source, ask.arguments
    assert isinstance(source, Page) and asked is not None  # noqa: S101, PT018 the planner gives them
    values = asked.values
    keys, reverse = sort_keys(source, values), backward(values)
    name, row = writer.alias("p"), writer.alias()

    def candidates(alias: str) -> str:
        on = writer.fill(source.on, row=alias, parent=parent)
        return f"from {writer.rows(source.rows, parent)} {alias} where {on}{writer.conditions(ask, alias)}{guard}"

    bound = "".join(
        f" and {beyond(writer, keys, row, asked, given, onward=onward)}"
        for given, onward in (("after", True), ("before", False))
        if values.get(given) is not None
    )
    listed_keys = ", ".join(f"{row}.{order.column}::text" for order, _ in keys)
    cursor = f"concat_ws('|', {writer.cursor(asked, keys)}, {listed_keys})"
    edges = [field for field in ask.asks if field.name == "edges"]
    joins, columns, people = "", [], ""
    for field in edges:
        below, json, k = _edge(writer, field, row, source.rows, cursor)
        joins += below
        columns.append((writer.alias("e"), json))
        people = f"{people} || {k}" if people and k else people or k
    sized = values.get("first") is not None or values.get("last") is not None
    more_asked = any(
        f.name in ("hasNextPage", "hasPreviousPage") for i in ask.asks if i.name == "pageInfo" for f in i.asks
    )
    extra = int(more_asked)
    limit = f"{writer.parameter(Size(asked, extra))}::int" if sized else str(PAGE_DEFAULT + extra)
    kept = f"{writer.parameter(Size(asked, 0))}::int" if sized else str(PAGE_DEFAULT)
    inner = (
        f"select row_number() over (order by {ordering(keys, row, reverse=reverse)}) as n, {cursor} as c"
        + "".join(f", {json} as {alias}" for alias, json in columns)
        + (f", {people} as k" if people else "")
        + f" from (select * {candidates(row)}{bound} order by {ordering(keys, row, reverse=reverse)} limit {limit}) {row}{joins}"
    )
    direction = "desc" if reverse else "asc"
    gathered = "".join(
        f", coalesce(json_agg(x.{a} order by x.n {direction}) filter (where x.n <= {kept}), '[]') as {a}"
        for a, _ in columns
    )
    gathered += f", concatenated(x.k) filter (where x.n <= {kept}) as k" if people else ""
    outer = (
        f"select count(*) > {kept} as more, (array_agg(x.c order by x.n {direction}) filter (where x.n <= {kept}))[1] as first,"
        f" (array_agg(x.c order by x.n {'asc' if reverse else 'desc'}) filter (where x.n <= {kept}))[1] as last{gathered} from ({inner}) x"
    )
    listed: list[tuple[str, str]] = []
    lists = iter(columns)
    for field in ask.asks:
        if field.name == "edges":
            listed.append((field.key, f"{name}.{next(lists)[0]}"))
        elif field.name == "totalCount":
            count = f"select from (select {candidates(row)} limit {COUNT_LIMIT + 1}) t"
            listed.append(
                (field.key, f"(select case when count(*) <= {COUNT_LIMIT} then count(*) end from ({count}) t)")
            )
        elif field.name == "pageInfo":
            listed.append(
                (
                    field.key,
                    _page_info(writer, field, name, reverse=reverse, behind=_behind(writer, keys, asked, candidates)),
                )
            )
        else:
            listed.append((field.key, writer.value(field, "") or "null"))
    made, json, _ = writer.assembled([], listed, "")
    return f"select {json} as j{f', {name}.k' if people else ''} from ({outer}) {name}{made}", bool(people)


def _behind(writer: "Writer", keys: Keys, asked: Arguments, candidates: Any) -> str:
    """Write whether anything lies on the other side of the cursor the page starts from: the cursor's own row, or one before it."""
    reverse = backward(asked.values)
    cursor = "before" if reverse else "after"
    if asked.values.get(cursor) is None:
        return "false"
    row = writer.alias()
    return f"exists (select {candidates(row)} and not {beyond(writer, keys, row, asked, cursor, onward=not reverse)})"


def _edge(writer: "Writer", field: Ask, row: str, rows: Rows, cursor: str) -> tuple[str, str, str]:
    joins, columns, found = "", [], []
    for inner in field.asks:
        if inner.name == "cursor":
            columns.append((inner.key, f"json_build_object('$cursor', {cursor})"))
        elif inner.name == "node":
            below, json, people = writer.object(inner.asks, row, rows)
            joins += below
            columns.append((inner.key, json))
            found += [people] if people else []
        else:
            columns.append((inner.key, writer.value(inner, "") or "null"))
    made, json, _ = writer.assembled([], columns, "")
    return joins + made, json, " || ".join(found)


def _page_info(writer: "Writer", field: Ask, name: str, *, reverse: bool, behind: str) -> str:
    values = {
        "hasNextPage": behind if reverse else f"{name}.more",
        "hasPreviousPage": f"{name}.more" if reverse else behind,
        "startCursor": f"case when {name}.first is not null then json_build_object('$cursor', {name}.first) end",
        "endCursor": f"case when {name}.last is not null then json_build_object('$cursor', {name}.last) end",
    }
    listed = [(f.key, values.get(f.name) or writer.value(f, "") or "null") for f in field.asks]
    made, json, _ = writer.assembled([], listed, "")
    return f"(select {json} from (select) i{made})"
