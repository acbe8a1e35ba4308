"""This module says where a field's value comes from and who may ask for it: one line a field, and nothing of how it is fetched.

Expressions are SQL with names in braces: {row} is the alias of the row the field belongs to, {value} the argument's parameter,
{org} the viewer's organisation and {now} the clock. `@requiresScopes` in the printed schema is derived from the rule here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import strawberry

from auth.scopes import Scope
from schema.directives import COMMAND, OPENED, Cost, Key, RequiresScopes, priced

METADATA: Final = "source"


@dataclass(frozen=True)
class Rows:
    """The rows that objects of one type stand on.

    `select` is a SELECT without its WHERE; `access` is the first wall, what the viewer may see of it, and stands nowhere else.
    `subject` names the column with the audit log's pseudonym, where rows are a person's; `basis` then says why they are open, `tells` of what category a row is.
    """

    select: str
    access: str = ""
    subject: str = ""
    tells: str = "OVERVIEW"


@dataclass(frozen=True)
class Where:
    """A predicate on {row} for one argument or input field. `convert` names how its value becomes a parameter; `reads`, what it tells of who is found; `found`, what the value stands for, looked up before any row is."""

    sql: str
    convert: str = ""
    scopes: tuple[Scope, ...] = ()
    reads: str = ""
    found: str = ""


@dataclass(frozen=True)
class Order:
    """A sort key: the column, its SQL type for reading it back from a cursor, and never null."""

    column: str
    type: str


@dataclass(frozen=True)
class Column:
    """A value of the row itself."""

    sql: str


@dataclass(frozen=True)
class One:
    """At most one object of another type, or null. `carried` makes arguments columns of its row: {column: (argument or argument.field, SQL type)}."""

    rows: Rows
    on: str = "true"
    carried: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Many:
    """All of them, in a fixed order."""

    rows: Rows
    on: str
    order: str
    sized: ClassVar[str] = ""


@dataclass(frozen=True)
class Page:
    """A Relay connection. `tie` is the unique column that ends every order."""

    rows: Rows
    on: str
    orders: Mapping[str, Order]
    default: tuple[str, Literal["ASC", "DESC"]]
    tie: Order
    sized: ClassVar[str] = "edges"


@dataclass(frozen=True)
class Feed(Page):
    """What is read on and on from a cursor. Its rows are given {place}, {name} and {most}: where to begin, and how many to look at."""

    sized: ClassVar[str] = "changes"


@dataclass(frozen=True)
class Document:
    """Where sealed documents lie: a category is read where `access` holds; the rest finds the ciphertext and its key.

    `sql` selects `key_version, sealed` (and the key's `kek, wrapped`) of one document; `subject` is what the document is bound to.
    """

    subject: str
    sql: str
    access: str = "true"


@dataclass(frozen=True)
class Sealed:
    """A sealed document of this row: opened by the hub, and only if it is selected."""

    document: Document
    category: str
    cost: ClassVar[Cost] = OPENED


@dataclass(frozen=True)
class SealedText:
    """One text written by a person, sealed under the key of the row's subject; with `part`, one of several that are sealed together."""

    document: Document
    name: str
    part: str = ""
    cost: ClassVar[Cost] = OPENED


@dataclass(frozen=True)
class Personal:
    """A category of a referred person: where its document lies is for the object's own place to say."""

    category: str
    cost: ClassVar[Cost] = OPENED


@dataclass(frozen=True)
class Nested:
    """An object that stands on the same row."""

    documents: Document | None = None


@dataclass(frozen=True)
class Remote:
    """What sister feeds say: answered apart from own data, each feed for itself."""

    per_case: bool
    sized: ClassVar[str] = "records"


@dataclass(frozen=True)
class Records:
    """A part of one feed's answer (records, cursor, more), known to the engine."""


@dataclass(frozen=True)
class AnyNode:
    """An object of whatever type its id names, or as many as `most` of them."""

    most: int = 0


@dataclass(frozen=True)
class Problems:
    """What a command found wrong with its input."""


@dataclass(frozen=True)
class Once:
    """What a command tells this once: a replay of it does not, and nothing keeps it."""


@dataclass(frozen=True)
class Command:
    """A mutation; its function has the same name in hub.commands. With `fresh`, a person must have shown a passkey minutes ago (RFC 9470)."""

    fresh: bool = False
    cost: ClassVar[Cost] = COMMAND


@dataclass(frozen=True)
class Printed:
    """What the hub says of its own schema, like introspection."""


@dataclass(frozen=True)
class Connected:
    """A part of a connection (edges, node, cursor, pageInfo, ...), known to the engine."""

    cost: Cost | None = None


Source = (
    Column | One | Many | Page | Sealed | SealedText | Personal | Nested | Remote | Records | AnyNode | Problems | Once | Command | Printed | Connected
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field's source, the scopes it asks for (outer OR, inner AND) and the predicates of its arguments."""

    source: Source
    scopes: tuple[tuple[Scope, ...], ...] = ()
    arguments: Mapping[str, Where] = field(default_factory=dict)
    category: str = ""


def _declared(rule: Field, description: str | None, slicing: Sequence[str] = ()) -> dict[str, Any]:
    directives: list[Any] = [RequiresScopes(scopes=[list(map(str, g)) for g in rule.scopes])] if rule.scopes else []
    directives += priced(rule.source, slicing)
    return {"metadata": {METADATA: rule}, "directives": directives, "description": description}


def _scopes(scopes: Sequence[Scope | tuple[Scope, ...]]) -> tuple[tuple[Scope, ...], ...]:
    return tuple(group if isinstance(group, tuple) else (group,) for group in scopes)


def source(of: Source, *scopes: Scope | tuple[Scope, ...], description: str | None = None, category: str = "") -> Any:
    """Declare a field by its source; several scopes are alternatives, a tuple of scopes is asked for whole."""
    return strawberry.field(**_declared(Field(of, _scopes(scopes), category=category), description))


def column(sql: str, *scopes: Scope, description: str | None = None) -> Any:
    """Declare a value of the row: a column's name, or an expression over {row}."""
    return source(Column(sql if "{" in sql else "{row}." + sql), *scopes, description=description)


def one(rows: Rows, on: str, *scopes: Scope, description: str | None = None) -> Any:
    """Declare at most one related object."""
    return source(One(rows, on), *scopes, description=description)


def many(rows: Rows, on: str, order: str, *scopes: Scope, category: str = "", description: str | None = None) -> Any:
    """Declare a list of related objects in a fixed order."""
    return source(Many(rows, on, order), *scopes, category=category, description=description)


def asked(
    of: Source,
    *scopes: Scope | tuple[Scope, ...],
    arguments: Mapping[str, Where] | None = None,
    category: str = "",
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a field with arguments. The function gives the signature and description; it is never run."""
    rule = Field(of, _scopes(scopes), arguments or {}, category)

    def declare(signature: Callable[..., Any]) -> Any:
        slicing = [name for name in ("first", "last") if name in signature.__annotations__]
        return strawberry.field(signature, name=name, **_declared(rule, signature.__doc__, slicing))

    return declare


def where(sql: str, convert: str = "", *scopes: Scope, reads: str = "", found: str = "") -> Any:
    """Declare an optional input field that narrows a list: {row} is the candidate, {value} what was given."""
    return strawberry.field(default=strawberry.UNSET, metadata={METADATA: Where(sql, convert, scopes, reads, found)})


def named(name: str, declared: Any) -> Any:
    """Give a declared field the name that Python keeps for itself."""
    declared.graphql_name = name
    return declared


def given(description: str | None = None) -> Any:
    """Declare an optional input field: absent leaves unchanged, null clears."""
    return strawberry.field(default=strawberry.UNSET, description=description)


@dataclass(frozen=True)
class Noun:
    """What the engine must know of an object type: its rows, how an id finds one, and the scopes asked at every edge into it."""

    rows: Rows | None = None
    places: Mapping[str, Where] = field(default_factory=dict)
    scopes: tuple[tuple[Scope, ...], ...] = ()
    category: str = ""


NOUNS: dict[str, Noun] = {}


def noun(
    *scopes: Scope,
    rows: Rows | None = None,
    places: Mapping[str, Where] | None = None,
    category: str = "",
    description: str | None = None,
) -> Callable[[type], Any]:
    """Declare an object type. `places` says how node(id) finds one, by the prefix of its id; `category` is what a row tells."""
    rule = Noun(rows, places or {}, _scopes(scopes), category)
    directives: list[Any] = [Key(fields="id")] if places else []
    directives += [RequiresScopes(scopes=[list(map(str, group)) for group in rule.scopes])] if scopes else []

    def declare(cls: type) -> Any:
        NOUNS[cls.__name__] = rule
        return strawberry.type(cls, directives=directives, description=description or cls.__doc__)

    return declare
