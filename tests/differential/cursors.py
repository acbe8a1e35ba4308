"""Puts real cursors where a random operation says "@n": those of the n-th row of the list they are for."""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_argument_values,
    parse,
    print_ast,
    visit,
)

from tests.differential.lists import LISTINGS
from tests.differential.operations import Request
from tests.differential.oracle import FEED_COLUMNS, HUB, PRINTED, Oracle
from tests.differential.tables import Row

PAGING = ("after", "before")


def with_cursors(request: Request, oracle: Oracle) -> Request:
    """Give the same request with the cursors of this oracle's viewer."""
    document = parse(request.query)
    oracle.bind(document, request.variables)
    filled = _Filling(oracle, dict(request.variables))
    info = TypeInfo(PRINTED)
    document = visit(document, TypeInfoVisitor(info, filled_by(filled, info)))
    return Request(print_ast(document), filled.variables)


class _Filling:
    def __init__(self, oracle: Oracle, variables: dict[str, Any]) -> None:
        self.oracle, self.variables = oracle, variables

    def field(self, parent: str, node: FieldNode) -> FieldNode:
        """Fill a field's cursors in."""
        if not any(argument.name.value in PAGING for argument in node.arguments or ()):
            return node
        coordinate = f"{parent}.{node.name.value}"
        definition = HUB.type_map[parent].fields[node.name.value]  # type: ignore[attr-defined] # an object
        values = get_argument_values(definition, node, self.oracle.bound)
        made = []
        for argument in node.arguments or ():
            value = argument.value
            if argument.name.value in PAGING:
                value = self.filled(value, lambda at, feed: self.cursor(coordinate, values, at, feed))
            made.append(_with(argument, value=value))
        return _with(node, arguments=tuple(made))

    def filled(self, value: Any, cursor: Any) -> Any:
        """Fill a value in, in place for a variable."""
        if isinstance(value, VariableNode):
            name = value.name.value
            self.variables.update({name: _data(self.variables[name], cursor)} if name in self.variables else {})
            return value
        if isinstance(value, StringValueNode):
            made = _data(value.value, cursor)
            return NullValueNode() if made is None else StringValueNode(value=made)
        if isinstance(value, ObjectValueNode):
            return self.feed_cursor(value, cursor)
        return _with(value, values=tuple(self.filled(v, cursor) for v in value.values)) if hasattr(value, "values") else value  # fmt: skip

    def feed_cursor(self, value: ObjectValueNode, cursor: Any) -> ObjectValueNode:
        """Fill in one feed's cursor, which is of that feed's rows; it is written out, whatever variables it had."""
        given = {member.name.value: self._plain(member.value) for member in value.fields}
        made = _data(given, cursor)
        return ObjectValueNode(fields=tuple(
            ObjectFieldNode(name=member.name, value=StringValueNode(value=made[member.name.value])) for member in value.fields
        ))  # fmt: skip

    def _plain(self, value: Any) -> str:
        if isinstance(value, VariableNode):
            return str(self.oracle.bound.coerced[value.name.value])
        return str(value.value)

    def cursor(self, coordinate: str, values: Any, at: str, feed: str | None) -> str | None:
        """Seal the cursor of a row."""
        if not at.startswith("@"):
            return at  # a variable that another field was given too
        rows, columns = self._rows(coordinate, values, feed)
        if not rows:
            return None
        row = rows[int(at[1:]) % len(rows)]
        return self.oracle.seal(coordinate, values, columns, row, *([feed] if feed else []))

    def _rows(self, coordinate: str, values: Any, feed: str | None) -> tuple[list[Row], tuple[str, ...]]:
        if feed is not None:
            found = self.oracle.tables.the("feed", code=feed)
            rows = self.oracle.tables.all("feed_record", feed=found["id"])
            return [{**row, "moved_at": row["updated_at"], "record_id": row["id"]} for row in rows], FEED_COLUMNS
        orders = [{"field": str(o["field"]), "direction": str(o["direction"])} for o in values.get("orderBy") or []]
        keys = LISTINGS[coordinate].keys(orders)
        return self.oracle.rows(coordinate), tuple(key.column for key, _ in keys)


def _with(node: Any, **changed: Any) -> Any:
    return type(node)(**{**{key: getattr(node, key) for key in node.keys}, **changed})


def _data(value: Any, cursor: Any) -> Any:
    if isinstance(value, list):
        return [_data(item, cursor) for item in value]
    if isinstance(value, dict):
        return {"feed": value["feed"], "after": cursor(value["after"], value["feed"])}
    return cursor(value, None) if isinstance(value, str) else value


def filled_by(filling: _Filling, info: TypeInfo) -> Visitor:
    """Give the visitor that fills every field in."""

    class Fields(Visitor):
        def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
            parent = info.get_parent_type()
            return filling.field(parent.name if parent else "", node)

    return Fields()


__all__ = ["DocumentNode", "with_cursors"]
