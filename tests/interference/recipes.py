"""This module writes the walk: operations that together ask for every field, with every argument, from what the printed schema says.

Each type is asked for by the path to it that needs the fewest scopes: all its values, and the values of whatever it leads to.
"""

from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush
from typing import Any, Final

from graphql import GraphQLField, GraphQLInterfaceType, get_named_type, is_leaf_type, is_list_type, is_required_argument

from schema.fields import NOUNS
from tests.interference.commands import COMMANDS
from tests.interference.examples import NoExample, examples
from tests.interference.writing import needed, printed

Steps = tuple[str, ...]
PLACES: Final = ("after", "before")
"""Arguments that say where a page begins: a cursor, which only an answer can give."""
FIRST: Final = "{ auditEvents(first: 5) { edges { node { id } } } }"
"""What is asked before all else: these ids cannot be worked out."""


@dataclass(frozen=True)
class Turn:
    """A list to be read twice, the second time from the cursor that was found under this alias on."""

    alias: str
    first: str
    then: tuple[str, ...]


def fields(kind: str) -> dict[str, GraphQLField]:
    """Give the fields of an object type."""
    found: dict[str, GraphQLField] = printed().type_map[kind].fields  # type: ignore[attr-defined] # an object type
    return found


@cache
def paths() -> dict[str, Steps]:
    """Give the path to each object type that a query leads to."""
    found: dict[str, Steps] = {}
    waiting: list[tuple[int, int, str, Steps]] = [(0, 0, "Query", ())]
    while waiting:
        scoped, length, kind, steps = heappop(waiting)
        if kind in found:
            continue
        found[kind] = steps
        for name, field in fields(kind).items():
            for step, to in _steps(kind, name, field):
                more = scoped + len(needed(kind, name)) + (len(needed(to)) if len(step) > 1 else 0)
                heappush(waiting, (more, length + 1, to, (*steps, *step)))
    return found


def _steps(kind: str, name: str, field: GraphQLField) -> list[tuple[Steps, str]]:
    """Give where a field leads: to its type, or by an id to any type that has ids."""
    below = get_named_type(field.type)
    if is_leaf_type(below):
        return []
    if not isinstance(below, GraphQLInterfaceType):
        return [((call(kind, name, field),), below.name)] if hasattr(below, "fields") else []
    possible = [] if is_list_type(field.type) else printed().get_possible_types(below)
    return [((f"{name}(id: ${_word(to.name)})", f"... on {to.name}"), to.name) for to in possible]


def _word(kind: str) -> str:
    return next(iter(NOUNS[kind].places))


def call(kind: str, name: str, field: GraphQLField, **given: str) -> str:
    """Write a field with the arguments that it must have, and those given."""
    told = {
        argument: examples(declared.type, f"{kind}.{name}", argument)[0]
        for argument, declared in field.args.items()
        if is_required_argument(declared)
    } | given
    return f"{name}({', '.join(f'{argument}: {value}' for argument, value in told.items())})" if told else name


def around(steps: Steps, selection: str, alias: str = "") -> str:
    """Write a selection at the end of a path."""
    if not steps:
        return selection
    return f"{f'{alias}: ' if alias else ''}{' { '.join(steps)} {{ {selection} {'}' * len(steps)}"


def values(kind: Any) -> str:
    """Select the plain values of a type."""
    leaves = [name for name, field in getattr(kind, "fields", {}).items() if is_leaf_type(get_named_type(field.type))]
    return " ".join(leaves or ["__typename"])


def everything(kind: str) -> str:
    """Select the plain values of a type, and those of whatever it leads to; of a list's nodes, everything: they are more than one."""
    found = [values(printed().type_map[kind])]
    for name, field in fields(kind).items():
        below = get_named_type(field.type)
        if not is_leaf_type(below):
            selected = everything(below.name) if kind.endswith("Edge") else values(below)
            found.append(f"{call(kind, name, field)} {{ {selected} }}")
    return " ".join(found)


def outcome(payload: Any) -> str:
    """Select what tells how a command went: its problems, and the id of what it was about."""
    found = []
    for name, field in payload.fields.items():
        kind = get_named_type(field.type)
        below = "" if is_leaf_type(kind) else f" {{ {'id' if 'id' in kind.fields else values(kind)} }}"
        found.append(name + below)
    return " ".join(found)


@cache
def queries() -> tuple[str, ...]:
    """Write, as selections of a query's root: every type, every type that a federation knows, every argument with every example."""
    found = []
    federated = {kind.name for kind in printed().get_possible_types(printed().type_map["_Entity"])}  # type: ignore[arg-type] # a union
    for number, (kind, steps) in enumerate(paths().items()):
        found.append(around(steps, everything(kind), f"type{number}"))
        if kind in federated:
            entity = f'_entities(representations: [{{__typename: "{kind}", id: ${_word(kind)}}}])'
            found.append(around((entity, f"... on {kind}"), values(printed().type_map[kind]), f"entity{number}"))
        for name, field in fields(kind).items():
            selected = values(get_named_type(field.type))
            asked = [
                f"{name}{count}: {each} {{ {selected} }}"
                for count, each in enumerate(_with_each_argument(kind, name, field))
            ]
            found += [
                around(steps, " ".join(asked[start : start + 4]), f"arguments{number}{name}{start}")
                for start in range(0, len(asked), 4)
            ]
    return tuple(found)


def _with_each_argument(kind: str, name: str, field: GraphQLField) -> list[str]:
    return [
        call(kind, name, field, **{argument: example})
        for argument, declared in field.args.items()
        if argument not in PLACES
        for example in examples(declared.type, f"{kind}.{name}", argument)
    ]


@cache
def turns() -> tuple[Turn, ...]:
    """Write every list that has pages."""
    found: list[Turn] = []
    for kind, steps in paths().items():
        for name, field in fields(kind).items():
            if "after" not in field.args:
                continue
            alias = f"list{len(found)}"
            cursor = f"${alias}"
            given = {"first": "1"}
            then = [{"first": "2", "after": cursor}]
            if get_named_type(field.args["after"].type).name == "FeedCursor":
                given["filter"] = "{feeds: [$ownFeed]}"
                then = [{**given, "after": f"[{{feed: $ownFeed, after: {cursor}}}]"}]
            if "before" in field.args:
                then.append({"last": "1", "before": cursor})
            said = (
                "pageInfo { startCursor endCursor }"
                if "totalCount" in _below(field)
                else values(get_named_type(field.type))
            )
            found.append(
                Turn(
                    alias,
                    around(steps, f"{alias}: {call(kind, name, field, **given)} {{ {said} }}", f"path{alias}"),
                    tuple(
                        around(steps, f"{alias}then{n}: {call(kind, name, field, **more)} {{ {said} }}", f"path{alias}then{n}")
                        for n, more in enumerate(then)
                    ),
                )
            )  # fmt: skip
    return tuple(found)


def _below(field: GraphQLField) -> Any:
    return getattr(get_named_type(field.type), "fields", {})


@cache
def subscriptions() -> tuple[str, ...]:
    """Write everything that can be followed, without arguments and with every example of each."""
    found = []
    for name, field in fields("Subscription").items():
        asked = [name, *(call("Subscription", name, field, **{argument: example}) for argument, declared in field.args.items()
                         for example in examples(declared.type, f"Subscription.{name}", argument))]  # fmt: skip
        found += [f"subscription {{ {each} {{ {everything(get_named_type(field.type).name)} }} }}" for each in asked]
    return tuple(found)


@cache
def mutations() -> tuple[str, ...]:
    """Write every mutation, with each of its commands and with every example of its input, as selections; what erases comes last."""
    found = []
    for name, field in sorted(fields("Mutation").items(), key=lambda named: named[0].startswith("erase")):
        if name not in COMMANDS:
            raise NoExample(f"Mutation.{name} has no entry in commands.py")
        commands = [f"{{idempotencyKey: $key, {template}}}" for template in COMMANDS[name]]
        inputs = [*commands, *examples(field.args["input"].type, f"Mutation.{name}", "input")]
        payload = get_named_type(field.type)
        for number, each in enumerate(inputs):
            # Once everything is read back; of what else is tried, how it went.
            selected = everything(payload.name) if number == 0 else outcome(payload)
            found.append(f"{name}{number}: {name}(input: {each}) {{ {selected} }}")
    return tuple(found)
