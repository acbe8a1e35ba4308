"""This module holds the directives of the printed schema: who may ask, what it costs, and how a federation finds an object."""

from collections.abc import Sequence
from typing import Any, Final

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.unset import UNSET


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION, Location.OBJECT], name="requiresScopes")
class RequiresScopes:
    """Outer list OR, inner list AND (Apollo Federation 2.5)."""

    scopes: list[list[str]]


@strawberry.schema_directive(
    locations=[
        Location.ARGUMENT_DEFINITION,
        Location.ENUM,
        Location.FIELD_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.OBJECT,
        Location.SCALAR,
    ],
    name="cost",
)
class Cost:
    """What one of this costs; of an argument, what giving it adds (IBM cost directives; whole numbers, as Federation 2.9 has them)."""

    weight: int


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="listSize")
class ListSize:
    """How long a list may be, or the lists named by `sizedFields` just inside (IBM cost directives, Federation 2.9)."""

    assumed_size: int | None = UNSET
    slicing_arguments: list[str] | None = UNSET
    sized_fields: list[str] | None = UNSET
    require_one_slicing_argument: bool | None = True


@strawberry.schema_directive(locations=[Location.OBJECT], name="key", repeatable=True)
class Key:
    """The fields by which `_entities` finds an object (Apollo Federation 2.0)."""

    fields: str


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION, Location.OBJECT], name="shareable")
class Shareable:
    """Whether other subgraphs may have the same (Apollo Federation 2.0)."""


IMPORTED: Final = ("key", "shareable", "requiresScopes", "cost", "listSize")
"""Those that a federation knows by @link."""

PAGE: Final = 50
"""Rows of a page when nothing is said."""
NAMED: Final = 100
"""How many objects may be asked for by their ids at once."""
ENTITIES: Final = 500
"""How many a router may ask for at once, unless its client's page size says otherwise."""
UNSIZED: Final = 10
"""What a list of objects is taken to hold when nothing says how long it is."""
INTROSPECTION: Final = 1000
"""What asking about the schema costs, however little of it."""

OPERATION: Final = Cost(weight=100)
"""Of any operation, whatever it asks: a token is verified, a gate passed, a record written."""
COMMAND: Final = Cost(weight=200)
OPENED: Final = Cost(weight=2)
"""Of a sealed document: its key is unwrapped too."""
COUNTED: Final = Cost(weight=20)
"""Of counting a list to its end."""
PULLED: Final = Cost(weight=100)
"""Of asking a sister system itself."""


def listed(size: int = UNSIZED) -> ListSize:
    """Size a list that comes whole."""
    return ListSize(assumed_size=size, require_one_slicing_argument=False)


def paged(sized: str, *slicing: str) -> ListSize:
    """Size the list inside a page by the page's own arguments."""
    return ListSize(
        assumed_size=PAGE, slicing_arguments=list(slicing), sized_fields=[sized], require_one_slicing_argument=False
    )


def priced(source: Any, slicing: Sequence[str]) -> list[Any]:
    """Give what follows from where a field's value comes from: its `cost`, and the list that is `sized` by its arguments."""
    found: list[Any] = [source.cost] if getattr(source, "cost", None) else []
    if (sized := getattr(source, "sized", None)) is not None:
        found.append(paged(sized, *slicing) if slicing else listed())
    if most := getattr(source, "most", 0):
        found.append(listed(most))
    return found
