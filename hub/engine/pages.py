"""This module writes a Relay connection: keyset pages in both directions, over the visible rows and nothing else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.engine.changes import changes
from hub.engine.json_text import Known, Piece, array, mark, members, nested, value
from hub.engine.parameters import PAGE_DEFAULT, Place, Size
from hub.engine.plan import Arguments, Ask
from hub.engine.recorded import People, searched
from schema.fields import Feed, Order, Page, Rows

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
    if isinstance(source, Feed):
        return changes(writer, ask, keys, guard), False
    name, row = writer.alias("p"), writer.alias()

    def candidates(alias: str) -> str:
        on = writer.fill(source.on, row=alias, parent=parent)
        return f"from {writer.rows(source.rows, parent)} {alias} where {on}{writer.conditions(ask, alias)}{guard}"

    places = ", '|', ".join(f"{row}.{order.column}" for order, _ in keys)
    cursor = f"concat({writer.cursor(asked, keys)}, '|', {places})"
    joins, columns, own, below = "", [], [], []
    for field in (field for field in ask.asks if field.name == "edges"):
        joined, json, inside = _edge(writer, field, row, source.rows, cursor)
        joins += joined
        columns.append((writer.alias("e"), json))
        own += [each.own for each in inside if each.own]
        below += [one for each in inside for one in each.below]
    columns += [(f"w{number}", one) for number, one in enumerate(own)]
    columns += [("k", " || ".join(below))] if below else []
    people = own + below
    gathered = "select"
    if columns or _told(ask):
        bound = "".join(
            f" and {beyond(writer, keys, row, asked, given, onward=onward)}"
            for given, onward in (("after", True), ("before", False))
            if values.get(given) is not None
        )
        gathered = _gathered(writer, ask, row, keys, f"{candidates(row)}{bound}", joins, columns, cursor)
    lists = iter(columns)
    listed: list[tuple[str, Piece]] = []
    for field in ask.asks:
        if field.name == "edges":
            listed.append((field.key, f"{name}.{next(lists)[0]}"))
        elif field.name == "totalCount":
            count = f"select from (select {candidates(row)} limit {COUNT_LIMIT + 1}) t"
            counted = f"(select case when count(*) <= {COUNT_LIMIT} then count(*) end from ({count}) t)"
            listed.append((field.key, value("bare", counted)))
        elif field.name == "pageInfo":
            listed.append(
                (field.key, _page_info(writer, field, name, reverse, _behind(writer, keys, asked, candidates)))
            )
        else:
            listed.append((field.key, writer.value(field, "") or Known("null")))
    found = searched(writer, source.rows, ask, candidates)
    told = [f"{name}.k"] if people else []
    gathers = f", {' || '.join([*told, found])} as k" if found else "".join(f", {one}" for one in told)
    return f"select {members(listed)} as j{gathers} from ({gathered}) {name}", bool(people or found)


def _told(ask: Ask) -> set[str]:
    """Give what is asked of the page itself."""
    return {f.name for i in ask.asks if i.name == "pageInfo" for f in i.asks if f.source is not None}


def _gathered(
    writer: "Writer",
    ask: Ask,
    row: str,
    keys: Keys,
    listed: str,
    joins: str,
    columns: Sequence[tuple[str, str]],
    cursor: str,
) -> str:
    """Write the SELECT that gathers a page: each of its columns as a list, and what pageInfo is asked for.

    Only where somebody asks whether there is more is one row more than the page read, and left out again by its number.
    """
    asked = ask.arguments
    assert asked is not None  # noqa: S101 the planner gives them
    reverse, told = backward(asked.values), _told(ask)
    sized = asked.values.get("first") is not None or asked.values.get("last") is not None
    numbered = bool(told & {"hasNextPage", "hasPreviousPage"})
    limit = f"{writer.parameter(Size(asked, int(numbered)))}::int" if sized else str(PAGE_DEFAULT + int(numbered))
    kept = f"{writer.parameter(Size(asked, 0))}::int" if sized and numbered else str(PAGE_DEFAULT)
    only = f"x.n <= {kept}" if numbered else ""
    where = f" filter (where {only})" if only else ""
    inner = [f"{sql} as {alias}" for alias, sql in columns]
    by = ordering(keys, row, reverse=reverse)
    if numbered:
        inner.append(f"row_number() over (order by {by}) as n")
        order, contrary = (f"x.n {'desc' if reverse == forth else 'asc'}" for forth in (True, False))
    else:
        inner += [f"{row}.{key.column} as s{number}" for number, (key, _) in enumerate(keys)]
        named = [(Order(f"s{number}", key.type), direction) for number, (key, direction) in enumerate(keys)]
        order, contrary = (ordering(named, "x", reverse=back) for back in (False, True))
    gathered = [f"{array(f'x.{alias}', order, only)} as {alias}" for alias, _ in columns if alias[0] == "e"]
    people = [People(f"x.{alias}").gathered(where) for alias, _ in columns if alias[0] == "w"]
    people += [People(below=("x.k",)).gathered(where) for alias, _ in columns if alias == "k"]
    gathered += [f"{' || '.join(people)} as k"] if people else []
    gathered += [f"count(*) > {kept} as more"] if numbered else []
    if told & {"startCursor", "endCursor"}:
        inner.append(f"{cursor} as c")
        gathered += [
            f"(array_agg(x.c order by {order}){where})[1] as first",
            f"(array_agg(x.c order by {contrary}){where})[1] as last",
        ]
    rows = f"(select * {listed} order by {by} limit {limit}) {row}{joins}"
    return f"select {', '.join(gathered)} from (select {', '.join(inner)} from {rows}) x"


def _behind(writer: "Writer", keys: Keys, asked: Arguments, candidates: Any) -> str:
    """Write whether anything lies on the other side of the cursor the page starts from: the cursor's own row, or one before it."""
    reverse = backward(asked.values)
    cursor = "before" if reverse else "after"
    if asked.values.get(cursor) is None:
        return "false"
    row = writer.alias()
    return f"exists (select {candidates(row)} and not {beyond(writer, keys, row, asked, cursor, onward=not reverse)})"


def _edge(writer: "Writer", field: Ask, row: str, rows: Rows, cursor: str) -> tuple[str, str, list[People]]:
    joins, found = "", []
    columns: list[tuple[str, Piece]] = []
    for inner in field.asks:
        if inner.name == "cursor":
            columns.append((inner.key, mark("cursor", cursor)))
        elif inner.name == "node":
            below, json, people = writer.object(inner.asks, row, rows)
            joins += below
            columns.append((inner.key, json))
            found.append(people)
        else:
            columns.append((inner.key, writer.value(inner, "") or Known("null")))
    return joins, members(columns), found


def _page_info(writer: "Writer", field: Ask, name: str, reverse: bool, behind: str) -> str:  # noqa: FBT001 the page's direction
    values = {
        "hasNextPage": value("bare", behind if reverse else f"{name}.more"),
        "hasPreviousPage": value("bare", f"{name}.more" if reverse else behind),
        "startCursor": nested(f"case when {name}.first is not null then {mark('cursor', f'{name}.first')} end"),
        "endCursor": nested(f"case when {name}.last is not null then {mark('cursor', f'{name}.last')} end"),
    }
    return members([(f.key, values.get(f.name) or writer.value(f, "") or Known("null")) for f in field.asks])
