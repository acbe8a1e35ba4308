"""The errors that scopes make, found by walking the selection: one for each selected field, however many rows there are."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
    get_variable_values,
    is_list_type,
    is_non_null_type,
    parse,
    specified_directives,
)

from tests.differential.oracle import PRINTED, WORDS, lacks, missing_scopes

_SKIP, _INCLUDE = (next(d for d in specified_directives if d.name == name) for name in ("skip", "include"))
Denial = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""The path of a denied field, and the scopes it asks for."""


def denials(query: str, variables: Mapping[str, Any], operation: str | None, scopes: frozenset[str]) -> list[Denial]:
    """Give every denial of an operation."""
    document = parse(query)
    chosen = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode) and operation in (None, d.name and d.name.value))  # fmt: skip
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    coerced = get_variable_values(PRINTED, chosen.variable_definitions or (), dict(variables))
    walker = _Walker(fragments, coerced, scopes)
    return list(walker.walk("Query", [chosen.selection_set], ()))


class _Walker:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Any, scopes: frozenset[str]) -> None:
        self._fragments, self._variables, self._scopes = fragments, variables, scopes

    def walk(self, parent: str, sets: Iterable[SelectionSetNode], path: tuple[str, ...]) -> Iterator[Denial]:
        """Find the denials under one object."""
        grouped: dict[str, list[FieldNode]] = {}
        for selections in sets:
            for node in self._fields(parent, selections):
                grouped.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        for key, nodes in grouped.items():
            name = nodes[0].name.value
            if name.startswith("__"):
                continue
            kind, here = PRINTED.type_map[parent].fields[name].type, (*path, key)  # type: ignore[attr-defined] # an object
            if wanted := missing_scopes(PRINTED, parent, name, self._scopes):
                yield here, tuple(map(tuple, wanted))
                continue
            bare = kind.of_type if is_non_null_type(kind) else kind
            inside = (*here, "@") if is_list_type(bare) else here
            inner = [node.selection_set for node in nodes if node.selection_set]
            if name in ("node", "nodes", "_entities") and parent == "Query":
                yield from self._nodes(nodes[0], inner, inside)
            elif isinstance(get_named_type(kind), GraphQLObjectType):
                yield from self.walk(get_named_type(kind).name, inner, inside)

    def _nodes(self, node: FieldNode, inner: list[SelectionSetNode], path: tuple[str, ...]) -> Iterator[Denial]:
        given = get_argument_values(PRINTED.query_type.fields[node.name.value], node, self._variables)  # type: ignore[union-attr] # there is one
        words = {i.partition("_")[0] for i in given.get("ids", [given.get("id")]) if i}
        for said in given.get("representations", []):
            word = said["id"].partition("_")[0] if isinstance(said.get("id"), str) else ""
            words |= {word} if word in WORDS and WORDS[word] == said.get("__typename") else set()
        walked = set()
        denied: list[list[str]] | None = None
        for word in sorted(words & WORDS.keys()):
            if wanted := lacks(PRINTED.type_map[WORDS[word]], self._scopes):
                denied = denied or wanted
            elif WORDS[word] not in walked:
                walked.add(WORDS[word])
                yield from self.walk(WORDS[word], inner, path)
        if denied:
            yield path, tuple(map(tuple, denied))

    def _fields(self, parent: str, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selections.selections:
            if self._skipped(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._is(parent, node.type_condition.name.value):
                    yield from self._fields(parent, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._is(parent, fragment.type_condition.name.value):
                    yield from self._fields(parent, fragment.selection_set)

    def _skipped(self, node: Any) -> bool:
        skip = get_directive_values(_SKIP, node, self._variables) or {"if": False}
        include = get_directive_values(_INCLUDE, node, self._variables) or {"if": True}
        return bool(skip["if"]) or not include["if"]

    def _is(self, parent: str, condition: str) -> bool:
        known: GraphQLNamedType = PRINTED.type_map[parent]
        union = getattr(PRINTED.type_map[condition], "types", ())
        return condition == parent or known in union or condition in {i.name for i in getattr(known, "interfaces", ())}
