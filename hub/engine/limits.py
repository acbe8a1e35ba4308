"""This module measures what a document asks for, and says which of a client's limits it goes beyond. It is pure."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode

from auth.limits import Limits, spoken

MEASURED: Final = ("depth", "fields", "aliases", "directives")
"""What is measured of an operation once its document is parsed."""
PLANNED: Final = ("depth", "fields")
"""What an operation must keep to before it is worth planning."""
WORDS: Final = {
    "cost": "cost at most {most}; this one costs {value}",
    "depth": "be at most {most} levels deep; this one is {value}",
    "fields": "have at most {most} fields, fragments written out; this one has {value}",
    "aliases": "have at most {most} aliases, fragments written out; this one has {value}",
    "directives": "have at most {most} directives; this one has {value}",
    "tokens": "have at most {most} tokens; this one has {value}",
    "body_bytes": "come in at most {most} bytes; these were {value} or more",
    "page_size": "ask for at most {most} at once; this one asks for {value}",
    "concurrency": "be one of at most {most} under way at once; this would be number {value}",
    "cost_per_minute": "cost no more than is left of {most} a minute; this one costs {value}",
}
# GraphQL, September 2025, section 2.1: what is ignored comes first, and one group is a token.
_TOKEN: Final = re.compile(
    r'[\s,\ufeff]+|#[^\n\r]*|("""(?:\\"""|(?!""").)*(?:"""|$)|"(?:\\.|[^"\\\n\r])*"?|\.\.\.|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[A-Za-z_]\w*|.)',
    re.DOTALL | re.ASCII,
)


def problem(code: str, message: str, **more: Any) -> dict[str, Any]:
    """Make a GraphQL error with its code."""
    return {"message": message, **more, "extensions": {"code": code}}


def exceeded(name: str, most: int, value: int, **more: Any) -> dict[str, Any]:
    """Say that an operation goes beyond a limit: which, where it lies, and by what."""
    error = problem("LIMIT_EXCEEDED", f"An operation may {WORDS[name].format(most=most, value=value)}.", **more)
    error["extensions"] |= {"limit": spoken(name), "most": most, "value": value}
    return error


def count_tokens(text: str) -> int:
    """Count a document's lexical tokens, at a fraction of what parsing it takes.

    >>> count_tokens('query ($n: Int = -1) { cases(first: $n) { ...F } } # all')
    22
    """
    return sum(1 for found in _TOKEN.finditer(text) if found.group(1) is not None)


def measured(
    document: DocumentNode,
    operations: Iterable[OperationDefinitionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    tokens: int,
) -> dict[str | None, dict[str, int]]:
    """Measure every operation of a valid document; a fragment is measured once, and counts wherever it is spread."""

    @cache
    def of_fragment(name: str) -> tuple[int, int, int]:
        return of_selections(fragments[name].selection_set)

    def of_selections(selections: SelectionSetNode) -> tuple[int, int, int]:
        depth = fields = aliases = 0
        for node in selections.selections:
            fields += 1
            if isinstance(node, FieldNode):
                aliases += node.alias is not None
                inner = of_selections(node.selection_set) if node.selection_set else (0, 0, 0)
                inner = (inner[0] + 1, *inner[1:])
            elif hasattr(node, "selection_set"):
                inner = of_selections(node.selection_set)
            else:
                inner = of_fragment(node.name.value)  # type: ignore[attr-defined] # a spread is what is left
            depth, fields, aliases = max(depth, inner[0]), fields + inner[1], aliases + inner[2]
        return depth, fields, aliases

    directives = _directives(document)
    found = {}
    for operation in operations:
        depth, fields, aliases = of_selections(operation.selection_set)
        sizes = {"depth": depth, "fields": fields, "aliases": aliases, "directives": directives, "tokens": tokens}
        found[operation.name.value if operation.name else None] = sizes
    return found


def _directives(document: DocumentNode) -> int:
    count, waiting = 0, list[Any](document.definitions)
    while waiting:
        node = waiting.pop()
        count += len(node.directives or ())
        waiting += getattr(node, "variable_definitions", None) or ()
        selections = getattr(node, "selection_set", None)
        waiting += selections.selections if selections else ()
    return count


def beyond(sizes: Mapping[str, int], limits: Limits) -> list[dict[str, Any]]:
    """Say every limit that an operation goes beyond."""
    return [exceeded(name, most, value) for name, value in sizes.items() if value > (most := getattr(limits, name))]
