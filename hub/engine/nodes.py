"""This module writes what is found by ids of any type: node(id), nodes(ids) and _entities."""

from typing import TYPE_CHECKING

from hub.engine.json_text import array, nested
from hub.engine.parameters import Given, Ids
from hub.engine.plan import Ask

if TYPE_CHECKING:
    from hub.engine.statement import Writer


def any_node(writer: "Writer", ask: Ask, guard: str) -> tuple[str, bool]:
    """Write node(id) as the one type its id names, or nodes(ids) and _entities as a list in the order of the ids."""
    asked = ask.arguments
    assert asked is not None  # noqa: S101 the planner gives them
    if "id" in asked.values:
        ((_, (rows, by, asks)),) = ask.choices.items()
        value = writer.meant(by, writer.parameter(Given(asked, ("id",), by.convert)))
        return writer.one(rows, writer.fill(by.sql, row="{row}", value=value), Ask(ask.key, asks=asks), "", guard)
    columns, joins, found, people = [], "", [], []
    for number, (word, (rows, by, asks)) in enumerate(ask.choices.items()):
        columns.append(f"{writer.parameter(Ids(asked, word, by.convert))}::text[]")
        name, value = writer.alias("n"), f"i.v{number}"
        if by.found:
            # OFFSET 0: what each stands for is there before the row policies are asked, or no index could find it.
            joins += f" cross join lateral (select {writer.meant(by, value)} as v offset 0) m{number}"
            value = f"m{number}.v"
        where = writer.fill(by.sql, row="{row}", value=value)
        one, has_people = writer.one(rows, where, Ask(ask.key, asks=asks), "", guard)
        joins += f" left join lateral ({one}) {name} on true"
        found.append(f"{name}.j")
        people += [f"{name}.k"] if has_people else []
    columns.append(f"{writer.parameter(Ids(asked, '', ''))}::text[]")
    named = ", ".join(f"v{number}" for number in range(len(columns)))
    json = nested(", ".join(found)) if found else "'null'"
    gathered = f", concatenated({' || '.join(people)}) as k" if people else ""
    return (
        f"select {array(json, 'i.n')} as j{gathered}"
        f" from unnest({', '.join(columns)}) with ordinality i({named}, n){joins} where true{guard}"
    ), bool(people)
