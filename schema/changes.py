"""This module holds what changed for the viewer, in an order in which nothing is missed: to keep a copy true."""

from enum import auto

import strawberry

from schema.enums import Named
from schema.fields import Connected, Feed, Order, column, noun, source
from schema.rows import CHANGE
from schema.scalars import DateTime

PLACE = Order("place", "xid8")
CHANGES = Feed(CHANGE, "true", {"PLACE": PLACE}, ("PLACE", "ASC"), Order("name", "text"))


@strawberry.enum
class ChangeKind(Named):
    """What to do with a copy: read the thing again, or delete it."""

    UPSERT = auto()
    RETRACTED = auto()


@noun()
class Change:
    """That something became visible to the viewer, looks otherwise than before, or is not visible any more."""

    kind: ChangeKind = column("case when {row}.there then 'UPSERT' else 'RETRACTED' end")
    subject: strawberry.ID = column("name")
    type: str = column("initcap({row}.kind)")
    at: DateTime = column("at")


@strawberry.type
class ChangeFeed:
    """The next changes; `endCursor` is where to read on, also where there are none yet."""

    changes: list[Change] = source(Connected())
    end_cursor: str = source(Connected())
    has_next_page: bool = source(Connected())
