"""Random valid operations over the printed schema, with all that GraphQL lets one write, and arguments that mostly find something."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.differential.choices import KINDS, LEAVES, NAMED, represented
from tests.differential.oracle import PRINTED

T = TypeVar("T")
DEPTH, FIELDS = 7, 45


@dataclass
class Request:
    """An operation and its variables; a cursor "@n" stands for that of the n-th row of its list."""

    query: str
    variables: dict[str, Any]


@dataclass
class Maker:
    """Writes one operation. `draw` decides everything; `pools` has ids by type, and references."""

    draw: Callable[..., Any]
    pools: dict[str, list[str]]
    count: int = 0
    fields: int = 0
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)

    def one_of(self, choices: Sequence[T]) -> T:
        """Choose one."""
        return choices[self.draw(st.integers(0, len(choices) - 1))]

    def sometimes(self, often: int, of: int = 10) -> bool:
        """Say yes so often of so many times."""
        return bool(self.draw(st.integers(1, of)) > of - often)

    def next(self) -> int:
        """Count."""
        self.count += 1
        return self.count

    def operation(self) -> Request:
        """Write the operation with its fragments."""
        body = self.selections("Query", 0, own_keys=False)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        fragments = " ".join(f"fragment {name} on {kind} {text}" for name, (kind, text) in self.fragments.items())
        return Request(f"query Asked{declared} {body} {fragments}".strip(), self.variables)

    def selections(self, kind: str, depth: int, *, own_keys: bool) -> str:
        """Write what is selected of a type. With `own_keys`, no response key is a field's plain name but `id`."""
        heads: list[tuple[str, GraphQLField]] = []
        parts = [self.selection(kind, depth, heads, own_keys=own_keys) for _ in range(self.draw(st.integers(1, 4)))]
        return "{ " + " ".join(parts) + " }"

    def selection(self, kind: str, depth: int, heads: list[tuple[str, GraphQLField]], *, own_keys: bool) -> str:
        """Write one field, or a fragment."""
        choice = self.draw(st.integers(0, 19))
        if choice == 0:
            return f"{self.one_of(['', f't{self.next()}: '])}__typename{self.directives()}"
        if choice == 1 and kind == "Query":
            return self.introspection()
        if choice in (2, 3) and depth < DEPTH:
            condition, inner = self.condition(kind)
            return f"...{condition}{self.directives()} {self.selections(inner, depth + 1, own_keys=own_keys or inner != kind)}"
        if choice == 4 and depth < DEPTH:
            return f"...{self.fragment(kind, depth)}{self.directives()}"
        if choice == 5 and heads:
            head, definition = self.one_of(heads)
            return self.field(head, definition, depth)
        if kind in ("Node", "_Entity"):
            if kind == "_Entity" and (choice % 3 == 0 or depth >= DEPTH):
                return f"__typename{self.directives()}"
            if choice % 3 == 0 or depth >= DEPTH:
                return f"id{self.directives()}"
            condition = self.one_of(KINDS)
            return f"... on {condition}{self.directives()} {self.selections(condition, depth + 1, own_keys=True)}"
        name = self.name(kind, depth)
        definition = PRINTED.type_map[kind].fields[name]  # type: ignore[attr-defined] # an object or interface
        given = self.arguments(kind, name, definition)
        aliased = bool(given) or (own_keys and name != "id") or self.sometimes(2)
        head = (f"{self.one_of(['a', 'Z_', 'b' * 64])}{self.next()}: " if aliased else "") + name + given
        heads.append((head, definition))
        return self.field(head, definition, depth)

    def name(self, kind: str, depth: int) -> str:
        """Choose a field; deep down, or when there are many already, one that has no fields itself."""
        known = PRINTED.type_map[kind].fields  # type: ignore[attr-defined] # as above
        flat = [name for name, definition in known.items() if is_leaf_type(get_named_type(definition.type))]
        if flat and (depth >= DEPTH or self.fields > FIELDS):
            return self.one_of(flat)
        return self.one_of(list(known))

    def field(self, head: str, definition: GraphQLField, depth: int) -> str:
        """Write a field with its directives and what is selected of it."""
        self.fields += 1
        kind = get_named_type(definition.type)
        inner = ""
        if is_composite_type(kind):
            deep = depth + 1 if self.fields < FIELDS else DEPTH
            inner = " " + (self.selections(kind.name, deep, own_keys=False) if deep < DEPTH + 4 else "{ __typename }")
        return f"{head}{self.directives()}{inner}"

    def condition(self, kind: str) -> tuple[str, str]:
        """Choose a type condition that can hold."""
        known = PRINTED.type_map[kind]
        choices = [("", kind), (f" on {kind}", kind)]
        if isinstance(known, GraphQLObjectType):
            choices += [(f" on {i.name}", i.name) for i in known.interfaces]
        return self.one_of(choices)

    def fragment(self, kind: str, depth: int) -> str:
        """Spread a named fragment, a new one or one that is there."""
        fitting = [name for name, (on, text) in self.fragments.items() if on == kind and text]
        if fitting and self.sometimes(5):
            return self.one_of(fitting)
        name = f"F{self.next()}"
        self.fragments[name] = (kind, "")
        self.fragments[name] = (kind, self.selections(kind, depth + 1, own_keys=kind != "Query"))
        return name

    def introspection(self) -> str:
        """Ask about the schema."""
        name = self.argument(GraphQLNonNull(PRINTED.type_map["String"]), "__type")  # type: ignore[arg-type]
        asked = [
            "__schema { queryType { name } types { n: name } }",
            f"__type(name: {name}) {{ kind name fields {{ name type {{ name ofType {{ kind }} }} args {{ name }} }} enumValues {{ name }} }}",
        ]
        return f"i{self.next()}: {self.one_of(asked) if '$' not in name else asked[1]}"

    def directives(self) -> str:
        """Write @skip and @include, rarely, so that most is there."""
        if not self.sometimes(1, 7):
            return ""
        name, usual = self.one_of([("skip", False), ("include", True)])
        value = usual if self.sometimes(6) else not usual
        if self.sometimes(5):
            return f" @{name}(if: {str(value).lower()})"
        variable = f"v{self.next()}"
        if self.sometimes(3):
            self.declared.append(f"${variable}: Boolean = {str(value).lower()}")
        else:
            self.declared.append(f"${variable}: Boolean!")
            self.variables[variable] = value
        return f" @{name}(if: ${variable})"

    # Arguments: a literal, a variable, or a variable deep inside a literal.

    def arguments(self, kind: str, name: str, definition: GraphQLField) -> str:
        """Write a field's arguments."""
        words = {"id": f"{kind}.id", "ids": f"{kind}.id", "code": f"{name}.code", "by": name}
        asked = {n: self.argument(a.type, words.get(n, n)) for n, a in definition.args.items()
                 if n not in ("first", "last", "after", "before") and (isinstance(a.type, GraphQLNonNull) or self.sometimes(4))}  # fmt: skip
        if "first" in definition.args:
            asked |= self.paging(set(definition.args), name)
        return f"({', '.join(f'{n}: {text}' for n, text in asked.items())})" if asked else ""

    def paging(self, known: set[str], name: str) -> dict[str, str]:
        """Write the arguments of a page, of those that go together."""
        modes = [(), ("first",), ("first", "after"), ("after",)]
        if "last" in known:
            modes += [("last",), ("last", "before"), ("before",), ("after", "before"), ("first", "before"), ("last", "after"), ("first", "after", "before")]  # fmt: skip
        wanted = self.one_of(modes)
        kinds = PRINTED.type_map
        asked = {n: self.argument(kinds["Int"], n) for n in wanted if n in ("first", "last")}  # type: ignore[arg-type]
        for n in wanted:
            if n in ("after", "before"):
                kind = kinds["String"] if name != "feedRecords" else GraphQLList(GraphQLNonNull(kinds["FeedCursor"]))  # type: ignore[type-var]
                asked[n] = self.argument(kind, n)  # type: ignore[arg-type]
        return asked

    def argument(self, kind: Any, name: str, *, plain: bool = False) -> str:
        """Write a value of a type. `plain` is without null: a list's item, or the one field of a oneOf."""
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if name == "orderBy" and self.sometimes(7):
            return self.orders(bare.of_type.of_type)
        if str(get_named_type(bare)) == "FeedCursor" and self.sometimes(7):
            return literal(bare, self.value(bare, name))
        if name == "orderBy" or self.sometimes(3) or str(get_named_type(bare)) == "FeedCursor":
            return self.variable(kind, bare, name, plain=plain)
        if not plain and bare is kind and self.sometimes(1):
            return "null"
        if name == "groupBy":
            return literal(bare, self.value(bare, name))
        if isinstance(bare, GraphQLList):
            if self.sometimes(2) and name != "after":
                return literal(bare.of_type, self.value(bare.of_type, name))
            items = (self.argument(bare.of_type, name, plain=True) for _ in range(self.draw(st.integers(0, 3))))
            return f"[{', '.join(items)}]"
        if isinstance(bare, GraphQLInputObjectType):
            inner = {n: self.argument(f, member(bare, n), plain=bare.is_one_of) for n, f in self.members(bare)}
            return "{" + ", ".join(f"{n}: {text}" for n, text in inner.items()) + "}"
        return literal(bare, self.value(bare, name))

    def orders(self, kind: Any) -> str:
        """Write sort keys: each field once, as the hub asks for."""
        fields = list(get_named_type(kind.fields["field"].type).values)  # type: ignore[union-attr]
        start, count = self.draw(st.integers(0, len(fields) - 1)), self.draw(st.integers(0, len(fields)))
        chosen = (fields + fields)[start : start + count]
        direction = kind.fields["direction"].type
        return (
            "["
            + ", ".join(f"{{field: {name}, direction: {self.argument(direction, 'direction')}}}" for name in chosen)
            + "]"
        )

    def members(self, kind: GraphQLInputObjectType) -> list[tuple[str, Any]]:
        """Choose fields of an input object."""
        if kind.is_one_of:
            name = self.one_of(list(kind.fields))
            return [(name, kind.fields[name].type)]
        wanted = [n for n, f in kind.fields.items() if isinstance(f.type, GraphQLNonNull) or self.sometimes(3)]
        return [(n, kind.fields[n].type) for n in wanted]

    def variable(self, kind: Any, bare: Any, name: str, *, plain: bool) -> str:
        """Declare a variable that fits, with a default or a value, null or nothing."""
        variable = f"v{self.next()}"
        value = self.value(bare, name)
        cursor = name in ("after", "before")
        if plain or bare is not kind:
            default = "" if cursor or not self.sometimes(3) else f" = {literal(bare, self.value(bare, name))}"
            self.declared.append(f"${variable}: {bare}!{default}")
            if not default or self.sometimes(5):
                self.variables[variable] = value
            return f"${variable}"
        default = "" if cursor or not self.sometimes(4) else f" = {literal(bare, self.value(bare, name))}"
        self.declared.append(f"${variable}: {bare}{default}")
        how = self.draw(st.integers(0, 5))
        if how:
            self.variables[variable] = None if how == 1 else value
        return f"${variable}"

    def value(self, kind: Any, name: str) -> Any:
        """Choose a value."""
        if isinstance(kind, GraphQLNonNull):
            return self.value(kind.of_type, name)
        if isinstance(kind, GraphQLList):
            if name == "orderBy":
                return [self.value(kind.of_type, name)]
            found = [self.value(kind.of_type, name) for _ in range(self.draw(st.integers(0, 3)))]
            return list(dict.fromkeys(found)) if name == "groupBy" else found
        if isinstance(kind, GraphQLInputObjectType):
            return {n: self.value(f, member(kind, n)) for n, f in self.members(kind)}
        if isinstance(kind, GraphQLEnumType):
            return self.one_of(list(kind.values))
        if name in ("after", "before"):
            return f"@{self.draw(st.integers(0, 9))}"
        if kind.name == "_Any":
            return represented(self.one_of, self.pools["Query.id"])
        return self.one_of(
            NAMED.get(name) or LEAVES.get(kind.name) or self.pools[name if name in self.pools else "organisation"]
        )


def member(kind: GraphQLInputObjectType, name: str) -> str:
    """Tell the ids and references of cases and referrals apart, and a time's two ends from two organisations."""
    return f"{kind.name}.{name}" if name in ("id", "reference") or kind.name == "StatisticsFilter" else name


def literal(kind: Any, value: Any) -> str:
    """Write a value as it stands in an operation."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type, value)
    if isinstance(value, list):
        return f"[{', '.join(literal(kind.of_type, item) for item in value)}]"
    if isinstance(value, dict) and kind.name == "_Any":
        return "{" + ", ".join(f"{name}: {json.dumps(said)}" for name, said in value.items()) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{n}: {literal(kind.fields[n].type, v)}" for n, v in value.items()) + "}"
    if isinstance(value, int):
        return str(value).lower()
    return value if isinstance(kind, GraphQLEnumType) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def requests(draw: Callable[..., Any], pools: dict[str, list[str]]) -> Request:
    """Give random operations."""
    return Maker(draw, pools).operation()
