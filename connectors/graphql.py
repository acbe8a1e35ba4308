"""This module reads a sister system that speaks GraphQL with Relay connections."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from graphql import (
    FieldNode,
    GraphQLSyntaxError,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
)

from connectors.http import Upstream
from connectors.mapping import Mapping
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.settings import HttpSettings, PageSize, WebAuth
from connectors.surroundings import Surroundings

_VARIABLES = ("first", "after", "since")
_NEEDED = ("first", "after")


class GraphQLSettings(HttpSettings, frozen=True, kw_only=True):
    """A GraphQL feed: the operation, with variables $first, $after and perhaps $since, and where its connection is."""

    auth: WebAuth
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=50_000)]
    connection: Annotated[str, msgspec.Meta(pattern=r"^[_A-Za-z]\w*(\.[_A-Za-z]\w*)*$", max_length=500)]
    page_size: PageSize = 100


class GraphQLConnector(HttpConnector[GraphQLSettings]):
    """One GraphQL feed."""

    def __init__(self, settings: GraphQLSettings, mapping: Mapping, surroundings: Surroundings) -> None:
        super().__init__(settings, mapping, surroundings)
        self.incremental = "since" in _declared(_operation(settings.query))

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch a page of the connection; its end is hasNextPage false, whatever endCursor says."""
        variables: dict[str, object] = {"first": self.settings.page_size, "after": position.at}
        if self.incremental:
            variables["since"] = since
        answer = await upstream.post_json(self.url, {"query": self.settings.query, "variables": variables})
        return connection(answer, self.settings.connection)


def connection(answer: Any, path: str) -> Turn:
    """Take the nodes, hasNextPage and endCursor out of an answer, none of which may be in doubt; raise FeedProblem."""
    if not isinstance(answer, dict):
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    if answer.get("errors"):
        # Data beside errors has holes in it: taking it would overwrite what was there before with nothing.
        raise FeedProblem(ProblemCode.PARTIAL_ANSWER)
    found = answer.get("data")
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if found is None:
        raise FeedProblem(ProblemCode.NULL_ROOT)
    edges, info = (found.get("edges"), found.get("pageInfo")) if isinstance(found, dict) else (None, None)
    if not isinstance(edges, list) or not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    nodes = tuple(edge.get("node") if isinstance(edge, dict) else None for edge in edges)
    if None in nodes:
        raise FeedProblem(ProblemCode.PARTIAL_ANSWER)
    return Turn(nodes, info["hasNextPage"], info.get("endCursor"))


def query_flaws(settings: GraphQLSettings) -> list[Flaw]:
    """Say what is wrong with the operation, as far as can be told without the sister's schema."""
    try:
        operation = _operation(settings.query)
    except GraphQLSyntaxError as error:
        line, column = error.locations[0] if error.locations else (1, 1)
        return [Flaw(("query",), f"is not GraphQL (line {line}, column {column})")]
    except LookupError:
        return [Flaw(("query",), "must be one query operation, and fragments at most beside it")]
    flaws = [
        Flaw(("query",), f"must declare the variable ${name}") for name in _NEEDED if name not in _declared(operation)
    ]
    flaws += [
        Flaw(("query",), f"needs ${node.variable.name.value}; only $first, $after and $since are given")
        for node in operation.variable_definitions or ()
        if node.variable.name.value not in _VARIABLES
        and isinstance(node.type, NonNullTypeNode)
        and node.default_value is None
    ]
    for tail in ("edges.node", "pageInfo.hasNextPage", "pageInfo.endCursor"):
        if not _selects(operation.selection_set, (*settings.connection.split("."), *tail.split("."))):
            flaws.append(Flaw(("query",), f"must select {settings.connection}.{tail}"))
    return flaws


def _operation(query: str) -> OperationDefinitionNode:
    found = [node for node in parse(query).definitions if isinstance(node, OperationDefinitionNode)]
    if len(found) != 1 or found[0].operation is not OperationType.QUERY:
        raise LookupError
    return found[0]


def _declared(operation: OperationDefinitionNode) -> frozenset[str]:
    return frozenset(node.variable.name.value for node in operation.variable_definitions or ())


def _selects(selections: SelectionSetNode | None, path: tuple[str, ...]) -> bool:
    """Whether a path of response keys is selected; a fragment on the way is taken on trust."""
    if not path:
        return True
    for node in selections.selections if selections else ():
        if not isinstance(node, FieldNode):
            return True
        if (node.alias or node.name).value == path[0]:
            return _selects(node.selection_set, path[1:])
    return False
