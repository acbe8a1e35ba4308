"""This module says what an operation costs before it is run, from the schema's @cost and @listSize. It is pure.

The cost is a function of the document and the variables: neither what the scopes open nor what there is to find is in it.
An object costs 1 and a value 0 unless @cost says otherwise; a list costs its length times what one of it costs; of a type that is
not known beforehand, the dearest counts (IBM cost directives, section 6.1, with the whole weights of Apollo Federation).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
)

from hub.engine.declared import nullable
from hub.engine.selection import Variables, arguments, collect
from schema.directives import INTROSPECTION, UNSIZED, Cost, ListSize

Sizes = Mapping[str, "int | Sliced"]
NAMING: Final = ("ids", "representations")
"""Arguments that name what is asked for, so that their length is a list's."""
Given = Callable[[GraphQLObjectType, FieldNode], Mapping[str, Any]]


@dataclass(frozen=True)
class Sliced:
    """A length that variables decide: by the field's arguments of these names, or else as assumed."""

    parent: GraphQLObjectType
    node: FieldNode
    names: tuple[str, ...]
    assumed: int

    def of(self, values: Mapping[str, Any]) -> int:
        """Give the length for a request's arguments."""
        asked = [values[name] for name in self.names if values.get(name) is not None]
        return max((len(v) if isinstance(v, list) else max(0, v) for v in asked), default=self.assumed)


@dataclass(frozen=True)
class Price:
    """What something costs: a constant, parts that wait for variables, and for types that exclude each other the dearest."""

    constant: int = 0
    times: tuple[tuple[Sliced, "Price"], ...] = ()
    dearest: tuple[tuple["Price", ...], ...] = ()

    def __add__(self, other: "Price") -> "Price":
        return Price(self.constant + other.constant, self.times + other.times, self.dearest + other.dearest)

    def repeated(self, size: "int | Sliced") -> "Price":
        """Give the price of so many."""
        if isinstance(size, Sliced):
            return Price(times=((size, self),))
        times = tuple((length, price.repeated(size)) for length, price in self.times)
        return Price(self.constant * size, times, tuple(tuple(p.repeated(size) for p in one) for one in self.dearest))

    def of(self, given: Given) -> int:
        """Give the cost of one request, whose coerced arguments `given` knows."""
        total = self.constant
        for size, price in self.times:
            total += size.of(given(size.parent, size.node)) * price.of(given)
        return total + sum(max(price.of(given) for price in prices) for prices in self.dearest)


def dearest(prices: Iterable[Price]) -> Price:
    """Give the price of one of several types, whichever it will be."""
    found = tuple(prices)
    fixed = [price for price in found if not price.times and not price.dearest]
    if len(fixed) == len(found):
        return Price(max(price.constant for price in found))
    return Price(dearest=(found,))


def priced(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
) -> Price:
    """Price one validated operation for one shape of variables."""
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 validation has seen to it
    pricing = _Pricing(schema, fragments, variables)
    return Price(weight(root, 1)) + pricing.selected(root, [operation.selection_set], {})


class _Pricing:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Variables
    ) -> None:
        self.schema, self.fragments, self.variables = schema, fragments, variables

    def selected(self, parent: Any, sets: list[Any], sizes: Sizes) -> Price:
        """Price what is selected of a type; `sizes` are those of its lists that the field before it knows."""
        if is_abstract_type(parent):
            return dearest(self.selected(kind, sets, sizes) for kind in self.schema.get_possible_types(parent))
        total = Price()
        for nodes in collect(self.schema, self.fragments, self.variables, parent, sets).values():
            total += self.field(parent, nodes, sizes)
        return total

    def field(self, parent: GraphQLObjectType, nodes: list[FieldNode], sizes: Sizes) -> Price:
        """Price one response field: its length times what one of it costs, and what its arguments add."""
        name = nodes[0].name.value
        if name.startswith("__"):
            return Price(0 if name == "__typename" else INTROSPECTION)
        definition = parent.fields[name]
        kind = get_named_type(definition.type)
        size, below = self.sizes(parent, nodes[0], definition)
        sets = [node.selection_set for node in nodes if node.selection_set]
        one = Price(weight(definition, weight(kind, int(is_composite_type(kind)))))
        one += self.selected(kind, sets, below) if sets else Price()
        added = sum(
            weight(definition.args[key], 0)
            for key, value in arguments(parent, nodes[0], self.variables).items()
            if value is not None
        )
        return one.repeated(sizes.get(name, size)) + Price(added)

    def sizes(
        self, parent: GraphQLObjectType, node: FieldNode, definition: GraphQLField
    ) -> tuple["int | Sliced", Sizes]:
        """Give the length of a field's own list, 1 if it is none, and the lengths of lists just inside it."""
        declared = next((d for d in _directives(definition) if isinstance(d, ListSize)), None)
        own: int | Sliced = UNSIZED if is_list_type(nullable(definition.type)) else 1
        if declared is None:
            return own, {}
        assumed = declared.assumed_size if isinstance(declared.assumed_size, int) else UNSIZED
        names = tuple(declared.slicing_arguments or ()) or tuple(name for name in NAMING if name in definition.args)
        found = self.length(Sliced(parent, node, names, assumed))
        inside = declared.sized_fields or ()
        return (own, dict.fromkeys(inside, found)) if inside else (found, {})

    def length(self, sliced: Sliced) -> "int | Sliced":
        """Give a length that no variable changes as a number."""
        asked = [argument for argument in sliced.node.arguments or () if argument.name.value in sliced.names]
        if any(argument.value.kind == "variable" for argument in asked):
            return sliced
        return sliced.of(arguments(sliced.parent, sliced.node, self.variables) if asked else {})


def weight(declared: Any, otherwise: int) -> int:
    """Give the @cost of a type, field or argument."""
    return next((d.weight for d in _directives(declared) if isinstance(d, Cost)), otherwise)


def _directives(declared: Any) -> Iterable[Any]:
    definition = declared.extensions.get("strawberry-definition")
    return getattr(definition, "directives", None) or ()
