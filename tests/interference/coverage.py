"""This module counts what was asked: each field with its scope and without it, each argument, each input field, each enum value."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
)

from tests.interference.writing import Alternatives, needed, opened, printed

Path = tuple[tuple[Alternatives, ...], ...]
"""The scopes that each step of a path asks for, where it asks for any."""


class Coverage:
    """What one kind of principal has asked, with all the tokens it can have."""

    def __init__(self) -> None:
        self.given: set[str] = set()
        self.lacking: set[str] = set()
        self.sent: set[str] = set()
        self.reached: set[str] = set()

    def note(self, document: DocumentNode, scopes: frozenset[str], data: Any) -> None:
        """Count an operation that a token of these scopes sent, and what it was told."""
        operation: Any = document.definitions[0]
        root = operation.operation.value.title()
        self._selected(operation.selection_set, root, (), scopes, [data])

    def missing(self) -> dict[str, list[str]]:
        """Name what was never asked."""
        fields, scoped = set(coordinates()), {name for name in coordinates() if name not in open_to_all()}
        return {
            "with its scope": sorted(fields - self.given),
            "without its scope": sorted(scoped - self.lacking),
            "sent": sorted(set(inputs()) - self.sent),
        }

    def _selected(
        self, selection: SelectionSetNode, kind: str, path: Path, scopes: frozenset[str], told: list[Any]
    ) -> None:
        """Follow a selection on a type, beside the objects that were answered there."""
        for node in selection.selections:
            if isinstance(node, InlineFragmentNode) and node.type_condition:
                of = node.type_condition.name.value
                self._selected(node.selection_set, of, _with(path, needed(of)), scopes, told)
            if isinstance(node, FieldNode) and not node.name.value.startswith("__"):
                self._field(node, kind, path, scopes, told)

    def _field(self, node: FieldNode, kind: str, path: Path, scopes: frozenset[str], told: list[Any]) -> None:
        name = node.name.value
        field = printed().type_map[kind].fields[name]  # type: ignore[attr-defined] # an object type
        path = _with(path, needed(kind, name))
        before = all(opened(scopes, each) for step in path[:-1] for each in step)
        here = all(opened(scopes, each) for step in path[-1:] for each in step)
        if before:
            (self.given if here else self.lacking).add(f"{kind}.{name}")
        for argument in node.arguments or ():
            self.sent.add(f"{kind}.{name}({argument.name.value}:)")
            self._value(argument.value, field.args[argument.name.value].type)
        key = node.alias.value if node.alias else name
        below = [each for parent in told if isinstance(parent, dict) and key in parent for each in _each(parent[key])]
        if any(isinstance(parent, dict) and key in parent for parent in told) and before and here:
            self.reached.add(f"{kind}.{name}")
        if node.selection_set:
            self._selected(node.selection_set, get_named_type(field.type).name, path, scopes, below)

    def _value(self, node: Any, declared: Any) -> None:
        kind = get_nullable_type(declared)
        if is_list_type(kind) and isinstance(node, ListValueNode):
            for each in node.values:
                self._value(each, kind.of_type)
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            for field in node.fields:
                self.sent.add(f"{kind.name}.{field.name.value}")
                self._value(field.value, kind.fields[field.name.value].type)
        elif isinstance(kind, GraphQLEnumType) and isinstance(node, EnumValueNode):
            self.sent.add(f"{kind.name}.{node.value}")


def _with(path: Path, more: tuple[Alternatives, ...]) -> Path:
    """Add a step to a path, with what it asks for that no step before it did."""
    asked = {each for step in path for each in step}
    new = tuple(each for each in more if each not in asked)
    return (*path, new) if new else path


def _each(value: Any) -> list[Any]:
    return [each for item in value for each in _each(item)] if isinstance(value, list) else [value]


def objects() -> Iterator[tuple[str, GraphQLObjectType]]:
    """Give every object type that can be asked for."""
    for name, kind in printed().type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            yield name, kind


def coordinates() -> list[str]:
    """Name every field of every object type."""
    return [f"{name}.{field}" for name, kind in objects() for field in kind.fields]


@cache
def open_to_all() -> frozenset[str]:
    """Name the fields that can be reached without any scope."""
    kinds, found, waiting = {"Query"}, set(), ["Query"]
    while waiting:
        kind = waiting.pop()
        for name, field in printed().type_map[kind].fields.items():  # type: ignore[attr-defined] # an object type
            if needed(kind, name):
                continue
            found.add(f"{kind}.{name}")
            below = get_named_type(field.type)
            led_to = printed().get_possible_types(below) if is_abstract_type(below) else [below]
            more = {to.name for to in led_to if isinstance(to, GraphQLObjectType) and not needed(to.name)} - kinds
            kinds |= more
            waiting += more
    return frozenset(found)


def inputs() -> list[str]:
    """Name every argument, and every input field and enum value that can stand in one."""
    found: list[str] = []
    waiting = []
    for name, kind in objects():
        for field_name, field in kind.fields.items():
            found += [f"{name}.{field_name}({argument}:)" for argument in field.args]
            waiting += [argument.type for argument in field.args.values()]
    seen: set[str] = set()
    while waiting:
        below = get_named_type(waiting.pop())
        if below.name in seen:
            continue
        seen.add(below.name)
        if isinstance(below, GraphQLInputObjectType):
            found += [f"{below.name}.{field}" for field in below.fields]
            waiting += [field.type for field in below.fields.values()]
        elif isinstance(below, GraphQLEnumType):
            found += [f"{below.name}.{value}" for value in below.values]
    return found
