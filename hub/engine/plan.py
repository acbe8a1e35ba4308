"""This module compiles an operation and a principal's scopes into a Plan: a tree of what to fetch. It is pure and knows no data.

What the scopes do not open is not in the tree: the field is null and one error says so, however many rows there will be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_list_type,
)

from hub.engine.cost import Price, priced
from hub.engine.declared import declared, field_rule, has_rows, listed, missing, nullable, when_missing
from hub.engine.json_text import form
from hub.engine.selection import Variables, arguments, collect, node_ids, prefix
from schema.fields import (
    NOUNS,
    AnyNode,
    Column,
    Command,
    Document,
    Field,
    Nested,
    Noun,
    Once,
    Page,
    Personal,
    Printed,
    Problems,
    Remote,
    Rows,
    Sealed,
    SealedText,
    Source,
    Where,
)

UNAUTHORIZED: Final = "UNAUTHORIZED_FIELD_OR_TYPE"
Path = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Arguments:
    """A field's arguments: coerced for this plan's shape in `values`, and anew for each request where variables are in them."""

    parent: GraphQLObjectType
    node: FieldNode
    values: Mapping[str, Any]
    path: Path

    @property
    def coordinate(self) -> str:
        """Name the field as the schema does: Type.field."""
        return f"{self.parent.name}.{self.node.name.value}"


@dataclass(frozen=True)
class Projection:
    """What is kept of a sealed document: (response key, field, sub-projection, value when missing), `only` one field's value, or a plain text."""

    fields: tuple[tuple[str, str, "Projection | None", Any], ...] = ()
    text: bool = False
    only: str = ""


@dataclass(frozen=True)
class Ask:
    """One response field: where it comes from, and what is asked of what it leads to. `constant` is JSON known beforehand."""

    key: str
    source: Source | None = None
    asks: tuple["Ask", ...] = ()
    arguments: Arguments | None = None
    wheres: tuple[tuple[Where, Path], ...] = ()
    constant: str = ""
    name: str = ""
    form: str = "json"
    part: int = -1
    documents: Document | None = None
    choices: Mapping[str, tuple[Rows, Where, tuple["Ask", ...]]] = field(default_factory=dict)


@dataclass
class Plan:
    """A compiled operation: its roots, the parts the hub fills in, the errors its scopes make, and what the audit will say."""

    kind: str
    roots: tuple[Ask, ...] = ()
    parts: list[Projection | Ask] = field(default_factory=list)
    pages: list[Ask] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    categories: set[str] = field(default_factory=set)
    actions: list[str] = field(default_factory=list)
    introspection: list[FieldNode] = field(default_factory=list)
    price: Price = field(default_factory=Price)

    @property
    def fresh(self) -> bool:
        """Tell whether a person must have signed in just now for what is to be done."""
        return any(isinstance(root.source, Command) and root.source.fresh for root in self.roots)

    @property
    def audited(self) -> bool:
        """Whether it leaves a record, and so needs a purpose: whatever reads of people, and every change."""
        return self.kind == "mutation" or bool(self.categories)

    @property
    def durable(self) -> bool:
        """Whether it must survive a power cut: a change that was answered, or the record of having read what is sealed."""
        sealed = any(isinstance(part, Projection) for part in self.parts)
        return self.kind == "mutation" or sealed or bool(self.categories - {"OVERVIEW"})


def plan(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
    scopes: frozenset[str],
) -> Plan:
    """Compile one validated operation for one set of scopes and one shape of variables."""
    made = Plan(operation.operation.value, price=priced(schema, operation, fragments, variables))
    planner = _Planner(schema, fragments, variables, scopes, made)
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 validation has seen to it
    made.roots = planner.select(root, [operation.selection_set], ())
    return made


class _Planner:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Variables,
        scopes: frozenset[str],
        made: Plan,
    ) -> None:
        self.schema, self.fragments, self.variables, self.scopes, self.made = schema, fragments, variables, scopes, made

    def select(
        self, parent: GraphQLObjectType, sets: Iterable[Any], path: Path, documents: Document | None = None
    ) -> tuple[Ask, ...]:
        """Plan every field selected for one concrete type."""
        selected = collect(self.schema, self.fragments, self.variables, parent, sets)
        return tuple(self.ask(parent, key, nodes, (*path, key), documents) for key, nodes in selected.items())

    def ask(
        self, parent: GraphQLObjectType, key: str, nodes: Sequence[FieldNode], path: Path, documents: Document | None
    ) -> Ask:
        """Plan one response field, unless the scopes deny it."""
        name = nodes[0].name.value
        if name == "__typename":
            return Ask(key, constant=f'"{parent.name}"')
        if name.startswith("__"):
            self.made.introspection += nodes
            return Ask(key, constant="introspection", name=name)
        definition, rule = parent.fields[name], field_rule(parent.fields[name])
        if isinstance(rule.source, Printed):
            self.made.introspection += nodes
            return Ask(key, constant="introspection", name=name)
        if isinstance(rule.source, Once):
            return Ask(key, constant='{"$once" : ""}')
        kind = get_named_type(definition.type)
        noun = NOUNS.get(kind.name, Noun())
        if lacking := missing(self.scopes, rule.scopes, noun.scopes):
            return self.denied(key, path, lacking)
        if len(path) == 1:
            self.made.actions.append(name)
        told = NOUNS.get(listed(kind).name, Noun()) if isinstance(rule.source, Page) else noun
        self.made.categories |= {c for c in (rule.category, told.category if has_rows(rule.source) else "") if c}
        asked = Arguments(parent, nodes[0], arguments(parent, nodes[0], self.variables), path)
        inside = (*path, "@") if is_list_type(nullable(definition.type)) else path
        return self.from_source(
            key, rule, kind, asked, [n.selection_set for n in nodes if n.selection_set], inside, documents, name
        )

    def from_source(
        self,
        key: str,
        rule: Field,
        kind: Any,
        asked: Arguments,
        sets: list[Any],
        path: Path,
        documents: Document | None,
        name: str,
    ) -> Ask:
        match rule.source:
            case AnyNode():
                return self.any_node(key, rule, asked, sets, path)
            case Sealed(document, category):
                return Ask(
                    key, rule.source, part=self.part(self.projection(kind, sets)), documents=document, name=category
                )
            case SealedText(document, name, part):
                kept = self.part(Projection(text=not part, only=part))
                return Ask(key, rule.source, part=kept, documents=document, name=name)
            case Personal(category):
                if documents is None or f"cases:{category.lower()}" not in self.scopes:
                    return Ask(key, constant="null")
                self.made.categories.add(category)
                return Ask(
                    key, rule.source, part=self.part(self.projection(kind, sets)), documents=documents, name=category
                )
            case Problems():
                return Ask(key, rule.source, part=self.part(self.projection(kind, sets)))
            case Nested(inner):
                return Ask(key, rule.source, self.select(kind, sets, path, inner))
            case Column():
                return Ask(key, rule.source, form=form(asked.parent.fields[name].type))
            case _:
                below = self.select(kind, sets, path) if isinstance(kind, GraphQLObjectType) else ()
                ask = Ask(key, rule.source, below, asked, tuple(self.wheres(rule, asked)), name=name)
                self.made.pages += [ask] if asked.node.arguments or isinstance(rule.source, Page | Remote) else []
                if isinstance(rule.source, Remote):
                    return replace(ask, part=self.part(ask))
                return ask

    def any_node(self, key: str, rule: Field, asked: Arguments, sets: list[Any], path: Path) -> Ask:
        """Plan node(id), nodes(ids) and _entities: the ids name the types, and the types' own scopes are asked for."""
        choices: dict[str, tuple[Rows, Where, tuple[Ask, ...]]] = {}
        selected: dict[str, tuple[Ask, ...]] = {}
        denied = None
        for word in sorted({prefix(i) for i in node_ids(asked.values)}):
            name, noun = next(((t, n) for t, n in NOUNS.items() if word in n.places), ("", Noun()))
            if not noun.rows:
                continue
            if lacking := missing(self.scopes, noun.scopes):
                denied = denied or self.denied(key, path, lacking)
                continue
            self.made.categories |= {noun.category} - {""}
            if name not in selected:
                # Once a type, though ids of two kinds may name it: what the scopes deny in it is one error.
                selected[name] = self.select(self.schema.type_map[name], sets, path)  # type: ignore[arg-type]
            choices[word] = (noun.rows, noun.places[word], selected[name])
        if "id" in asked.values and not choices:
            return denied or Ask(key, constant="null")
        self.made.pages.append(Ask(key, rule.source, arguments=asked))
        return replace(self.made.pages[-1], choices=choices)

    def wheres(self, rule: Field, asked: Arguments) -> Iterable[tuple[Where, Path]]:
        """Find the predicates that the arguments given ask for."""
        definition = asked.parent.fields[asked.node.name.value]
        for name, value in asked.values.items():
            if name in rule.arguments and value is not None:
                yield self.scoped(rule.arguments[name]), (name,)
            fields = getattr(get_named_type(definition.args[name].type), "fields", {})
            for inner, given in (value if isinstance(value, dict) else {}).items():
                found = declared(fields[inner])
                if isinstance(found, Where) and given is not None:
                    yield self.scoped(found), (name, inner)

    def scoped(self, rule: Where) -> Where:
        """Make a predicate on what the scopes do not open match nothing."""
        if not set(rule.scopes) <= self.scopes:
            return Where("false")
        self.made.categories |= {rule.reads} - {""}
        return rule

    def projection(self, kind: Any, sets: Iterable[Any]) -> Projection:
        """Plan what is kept of a document that has the shape of a type."""
        fields: list[tuple[str, str, Projection | None, Any]] = []
        for key, nodes in collect(self.schema, self.fragments, self.variables, kind, sets).items():
            name = nodes[0].name.value
            if name == "__typename":
                fields.append((key, "", None, kind.name))
                continue
            inner = get_named_type(kind.fields[name].type)
            below = (
                self.projection(inner, [n.selection_set for n in nodes if n.selection_set])
                if isinstance(inner, GraphQLObjectType)
                else None
            )
            fields.append((key, name, below, when_missing(kind.fields[name].type)))
        return Projection(tuple(fields))

    def part(self, part: Projection | Ask) -> int:
        """Give a part that the hub fills in after the statement has run its number."""
        self.made.parts.append(part)
        return len(self.made.parts) - 1

    def denied(self, key: str, path: Path, missing: Sequence[Sequence[str]]) -> Ask:
        """Answer null, with one error for the selected field."""
        wanted = " or ".join(" and ".join(group) for group in missing)
        self.made.errors.append({
            "message": f"This needs the scope {wanted}, which the token does not have.",
            "path": list(path),
            "extensions": {"code": UNAUTHORIZED, "requiredScopes": [list(group) for group in missing]},
        })  # fmt: skip
        return Ask(key, constant="null")
