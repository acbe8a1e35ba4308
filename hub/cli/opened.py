"""This module cuts a schema down to what some scopes open. It is pure: SDL in, SDL out."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    value_from_ast_untyped,
)

ROOTS: Final = ("Query", "Mutation", "Subscription")
BUILT_IN: Final = frozenset(("ID", "String", "Int", "Float", "Boolean"))
Types = Mapping[str, Any]


def opened_part(document: DocumentNode, scopes: frozenset[str]) -> DocumentNode:
    """Leave out fields and types whose @requiresScopes these scopes do not satisfy, and then all that nothing leads to."""
    definitions = [d for d in document.definitions if not isinstance(d, DirectiveDefinitionNode)]
    types = {d.name.value: d for d in definitions if hasattr(d, "name") and satisfied(_directives(d), scopes)}
    # A field goes with the type it leads to, and a type with its last field: until nothing changes.
    while True:
        kept = {name: _narrowed(d, types, scopes) for name, d in types.items()}
        kept = {name: d for name, d in kept.items() if _has_substance(d)}
        if kept.keys() == types.keys():
            break
        types = kept
    reached = _reached(kept)
    wanted = [d for d in document.definitions if isinstance(d, DirectiveDefinitionNode)]
    return DocumentNode(definitions=(*wanted, *(d for name, d in kept.items() if name in reached)))


def satisfied(directives: Iterable[DirectiveNode], scopes: frozenset[str]) -> bool:
    """Say whether the scopes hold one whole group of each @requiresScopes."""
    for directive in directives or ():
        if directive.name.value == "requiresScopes":
            (argument,) = directive.arguments or ()
            if not any(scopes.issuperset(group) for group in value_from_ast_untyped(argument.value) or ()):
                return False
    return True


def _directives(node: Any) -> Iterable[DirectiveNode]:
    return getattr(node, "directives", None) or ()


def _narrowed(definition: Any, types: Types, scopes: frozenset[str]) -> Any:
    match definition:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            fields = tuple(
                f for f in definition.fields or () if satisfied(_directives(f), scopes) and _leads(f.type, types)
            )
            return _copy(definition, fields=fields)
        case UnionTypeDefinitionNode():
            return _copy(definition, types=tuple(t for t in definition.types or () if t.name.value in types))
    return definition


def _copy(definition: DefinitionNode, **changed: Any) -> DefinitionNode:
    return type(definition)(**{key: changed.get(key, getattr(definition, key, None)) for key in definition.keys})


def _has_substance(definition: Any) -> bool:
    match definition:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            return bool(definition.fields)
        case UnionTypeDefinitionNode():
            return bool(definition.types)
    return True


def _named(node: TypeNode) -> str:
    while isinstance(node, NonNullTypeNode | ListTypeNode):
        node = node.type
    return str(node.name.value)  # type: ignore[attr-defined] # what is left is a NamedTypeNode


def _leads(node: TypeNode, types: Types) -> bool:
    return _named(node) in types or _named(node) in BUILT_IN


def _reached(types: Types) -> set[str]:
    """Follow fields, arguments and interfaces from the roots; a type behind an interface is reached with it."""
    reached: set[str] = set()
    waiting = [name for name in ROOTS if name in types]
    while waiting:
        name = waiting.pop()
        if name not in types or name in reached:
            continue
        reached.add(name)
        waiting += _next(types[name], types)
    return reached


def _next(definition: Any, types: Types) -> list[str]:
    match definition:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode() | InputObjectTypeDefinitionNode():
            found = [name for f in definition.fields or () for name in _of_field(f)]
            found += [i.name.value for i in getattr(definition, "interfaces", None) or ()]
            if isinstance(definition, InterfaceTypeDefinitionNode):
                name = definition.name.value
                found += [n for n, d in types.items() if name in _interfaces(d)]
            return found
        case UnionTypeDefinitionNode():
            return [t.name.value for t in definition.types or ()]
    return []


def _interfaces(definition: Any) -> set[str]:
    return {i.name.value for i in getattr(definition, "interfaces", None) or ()}


def _of_field(field: Any) -> list[str]:
    arguments = field.arguments or () if isinstance(field, FieldDefinitionNode) else ()
    return [_named(field.type), *(_named(a.type) for a in arguments)]
