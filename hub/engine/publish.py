"""This module judges a document before it is published for a client: by the schema, and by what the client may ask for. It is pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    get_variable_values,
    type_from_ast,
    visit,
)
from graphql.execution.values import VariableValues

from auth.limits import Limits
from hub.engine.cost import priced
from hub.engine.declared import declared, missing
from hub.engine.documents import Document, Documents, RequestRefusedError
from hub.engine.limits import beyond, exceeded
from hub.engine.selection import arguments
from schema.fields import NOUNS, Field, Noun

SLICES = ("first", "last")


@dataclass(frozen=True, order=True)
class Flaw:
    """What is wrong with a document, and where in it."""

    line: int
    column: int
    text: str


def flaws(schema: GraphQLSchema, text: str, limits: Limits, scopes: frozenset[str]) -> list[Flaw]:
    """Give all that is wrong with a document, in its order; [] if a client with these limits and scopes may ask it."""
    if (size := len(text.encode())) > limits.body_bytes:
        return [Flaw(1, 1, exceeded("body_bytes", limits.body_bytes, size)["message"])]
    try:
        document = Documents(schema).get(text, limits)
    except RequestRefusedError as refusal:
        return sorted(Flaw(*_place(error), error["message"]) for error in refusal.errors)
    return sorted({*_unscoped(schema, document, limits, scopes), *_beyond(schema, document, limits)})


def _place(error: dict[str, Any]) -> tuple[int, int]:
    (first, *_) = error.get("locations") or [{"line": 1, "column": 1}]
    return first["line"], first["column"]


def _at(node: Any, text: str) -> Flaw:
    begins = node.loc.start_token
    return Flaw(begins.line, begins.column, text)


def _beyond(schema: GraphQLSchema, document: Document, limits: Limits) -> Iterator[Flaw]:
    for name, operation in document.operations.items():
        sizes = dict(document.sizes[name])
        if not beyond(sizes, limits):
            variables = _least(schema, operation)
            price = priced(schema, operation, document.fragments, variables)
            sizes["cost"] = price.of(partial(_arguments, variables))
        for error in beyond(sizes, limits):
            yield _at(operation, error["message"])


def _arguments(variables: VariableValues, parent: GraphQLObjectType, field: FieldNode) -> dict[str, Any]:
    return arguments(parent, field, variables)


def _least(schema: GraphQLSchema, operation: OperationDefinitionNode) -> VariableValues:
    """Give variables that ask for as little as may be: what may be left out is, a number is 1. What more costs, a request is told."""
    definitions = operation.variable_definitions or ()
    optional = [
        d for d in definitions if d.default_value or not isinstance(type_from_ast(schema, d.type), GraphQLNonNull)
    ]
    found = get_variable_values(schema, optional, {})
    assert isinstance(found, VariableValues)  # noqa: S101 validation has judged the defaults
    needed = {d.variable.name.value: _stand_in(type_from_ast(schema, d.type)) for d in definitions if d not in optional}
    return VariableValues(found.sources, {**found.coerced, **needed})


def _stand_in(kind: Any) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _stand_in(kind.of_type)
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLInputObjectType):
        return {}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return {"Int": 1, "Float": 1.0, "Boolean": True}.get(kind.name, "")


def _unscoped(schema: GraphQLSchema, document: Document, limits: Limits, scopes: frozenset[str]) -> list[Flaw]:
    """Find each field and type that the scopes do not open, and each page longer than may be."""
    info = TypeInfo(schema)
    judge = _Judge(info, limits, scopes)
    for definition in (*document.operations.values(), *document.fragments.values()):
        visit(definition, TypeInfoVisitor(info, judge))
    return judge.found


class _Judge(Visitor):
    def __init__(self, info: TypeInfo, limits: Limits, scopes: frozenset[str]) -> None:
        super().__init__()
        self.info, self.limits, self.scopes = info, limits, scopes
        self.found: list[Flaw] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        definition = self.info.get_field_def()
        if definition is None or node.name.value.startswith("__"):
            return
        kind = get_named_type(definition.type)
        # Fields of interfaces and of pages declare nothing of their own.
        rule = declared(definition)
        self.need(node, rule.scopes if isinstance(rule, Field) else (), NOUNS.get(kind.name, Noun()).scopes)
        for argument in node.arguments or ():
            value = argument.value
            if (
                argument.name.value in SLICES
                and isinstance(value, IntValueNode)
                and int(value.value) > self.limits.page_size
            ):
                asked = exceeded("page_size", self.limits.page_size, int(value.value))
                self.found.append(_at(argument, asked["message"]))

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        if node.type_condition:
            self.need(node, NOUNS.get(node.type_condition.name.value, Noun()).scopes)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.need(node, NOUNS.get(node.type_condition.name.value, Noun()).scopes)

    def need(self, node: Any, *rules: tuple[tuple[Any, ...], ...]) -> None:
        """Note what of the rules the scopes do not meet."""
        if lacking := missing(self.scopes, *rules):
            wanted = " or ".join(" and ".join(group) for group in lacking)
            self.found.append(_at(node, f"This needs the scope {wanted}, which the client does not have."))
