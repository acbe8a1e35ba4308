"""This module holds what Relay asks for: Node, connections, edges and page info. The engine knows how to fill them."""

from typing import Generic, TypeVar

import strawberry

from schema.directives import COUNTED, Shareable
from schema.fields import Connected, source

T = TypeVar("T")


@strawberry.interface
class Node:
    """Whatever has an id. Ids are opaque, and each organisation's own."""

    id: strawberry.ID


@strawberry.type(
    directives=[Shareable()], description="`totalCount` counts the visible set, and is null beyond 10,000."
)
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = source(Connected())
    has_previous_page: bool = source(Connected())
    start_cursor: str | None = source(Connected())
    end_cursor: str | None = source(Connected())


@strawberry.type
class Edge(Generic[T]):
    """One place in a list."""

    cursor: str = source(Connected())
    node: T = source(Connected())


@strawberry.type
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = source(Connected())
    page_info: PageInfo = source(Connected())
    total_count: int | None = source(Connected(COUNTED))
