"""This module makes the hub an Apollo Federation 2 subgraph: what its router may ask, and the schema that a federation composes."""

from typing import Annotated, Any, Final, NewType

import strawberry
from graphql import DefinitionNode, DocumentNode, ObjectTypeDefinitionNode, parse, print_ast
from strawberry.types.scalar import ScalarDefinition

from schema.agreements import Agreement
from schema.cases import Case
from schema.cities import City
from schema.consents import Consent
from schema.directives import IMPORTED
from schema.feeds import Feed, FeedRecord
from schema.fields import NOUNS, Printed, source
from schema.organisations import Organisation
from schema.presentations import Presentation
from schema.referrals import Message, Referral, ReferralEvent
from schema.residencies import Residency
from schema.retractions import Retraction

VERSION: Final = "https://specs.apollo.dev/federation/v2.9"
OWN: Final = frozenset({"_Any", "_Entity", "_Service", "_entities", "_service"})
"""What only a router asks for; a federation puts it in by itself."""

Entity = Annotated[
    Agreement
    | Case
    | City
    | Consent
    | Feed
    | FeedRecord
    | Message
    | Organisation
    | Presentation
    | Referral
    | ReferralEvent
    | Residency
    | Retraction,
    strawberry.union("_Entity", description="Whatever a federation knows by its id."),
]
Representation = NewType("Representation", dict)  # type: ignore[type-arg] # JSON of any shape


def _representation(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("An _Any is an object with __typename and id.")  # noqa: TRY004 what a scalar raises
    return value


REPRESENTATION: Final[dict[object, ScalarDefinition]] = {
    Representation: strawberry.scalar(
        name="_Any",
        description="A type's name and an id; whatever else is said is not read.",
        parse_value=_representation,
    )
}


@strawberry.type(name="_Service")
class Subgraph:
    """The hub as a subgraph."""

    sdl: str = source(Printed(), description="The schema that a federation composes.")


def entity_id(representation: Any) -> str:
    """Give the id of a representation, if it is one of the type it names; else "", which finds nothing."""
    kind, named = representation.get("__typename"), representation.get("id")
    if not isinstance(kind, str) or not isinstance(named, str) or kind not in NOUNS:
        return ""
    return named if named.partition("_")[0] in NOUNS[kind].places else ""


def subgraph(printed: str) -> str:
    """Make of the printed schema what a federation composes: its directives imported, and nothing that only its router asks."""
    names = ", ".join(f'"@{name}"' for name in IMPORTED)
    kept = [_composed(d) for d in parse(printed).definitions if d.name.value not in OWN.union(IMPORTED)]  # type: ignore[attr-defined] # a printed schema has names only
    sdl = print_ast(DocumentNode(definitions=tuple(kept)))
    return f'extend schema @link(url: "{VERSION}", import: [{names}])\n\n{sdl}\n'


def _composed(definition: DefinitionNode) -> DefinitionNode:
    if not isinstance(definition, ObjectTypeDefinitionNode) or definition.name.value != "Query":
        return definition
    fields = tuple(field for field in definition.fields or () if field.name.value not in OWN)
    changed: dict[str, Any] = {key: getattr(definition, key, None) for key in definition.keys}
    return ObjectTypeDefinitionNode(**{**changed, "fields": fields})
