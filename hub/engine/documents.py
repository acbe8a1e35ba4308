"""This module parses and validates what a client sends, within bounds, and coerces its variables. No refusal repeats a value."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    get_variable_values,
    parse,
    type_from_ast,
    validate,
)
from graphql.execution.values import VariableValues
from graphql.utilities.validate_input_value import validate_input_value

from auth.limits import CEILINGS, DEFAULTS, Limits
from hub.engine.limits import count_tokens, exceeded, measured, problem

UNFIT: Final = (
    "An input does not fit: one that offers alternatives takes exactly one of them, and that one is not null."
)
QUOTED: Final = ".'\""
"""What graphql-core may put behind a message of ours when it repeats it."""
DOCUMENTS: Final = 1000
"""How many parsed documents are kept."""


class RequestRefusedError(Exception):
    """An operation that is not run: every reason at once, as GraphQL errors."""

    status = 400
    """The HTTP status, for whoever asks in the media type that has one for each outcome."""
    well_formed = True
    """Whether the request was one at all, whatever is wrong with what it asks for."""
    wait = 0
    """In how many seconds it may be tried again, if that is of any use."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__("The operation was refused.")
        self.errors = errors
        self.cost: int | None = None
        """What it would have cost, when that is known."""


class TooManyRequestsError(RequestRefusedError):
    """An operation that may be run later: in `wait` seconds (RFC 6585, section 4)."""

    status = 429
    well_formed = False

    def __init__(self, wait: int, *errors: dict[str, Any]) -> None:
        super().__init__(*errors)
        self.wait = wait


@dataclass(frozen=True)
class Document:
    """A valid document, known by its digest."""

    digest: bytes
    operations: dict[str | None, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    sizes: Mapping[str | None, Mapping[str, int]]
    """Of each operation: what of it is limited, by the limit's name."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Choose the operation to run (GraphQL, September 2025, section 6.1)."""
        found = (
            self.operations.get(name)
            if name
            else next(iter(self.operations.values()))
            if len(self.operations) == 1
            else None
        )
        if found is None:
            raise RequestRefusedError(
                problem("BAD_REQUEST", "operationName must name one of the document's operations.")
            )
        return found


class Documents:
    """Parses and validates, once per document and organisation: a text may hold a name, and that it is known would show in the time."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[tuple[int, bytes], Document] = OrderedDict()

    async def read(self, text: str, limits: Limits, organisation: int) -> Document:
        """Give the document of a text as `get` does; a new one is judged beside what else the process does, for that can take a second."""
        known = self.known(hashlib.sha256(text.encode()).digest(), organisation)
        if known is None:
            known = await asyncio.to_thread(self.get, text, limits, organisation)
        return known

    def known(self, digest: bytes, organisation: int) -> Document | None:
        """Give the document of a digest, if the organisation asked for it lately."""
        return self._known.get((organisation, digest))

    def get(self, text: str, limits: Limits = DEFAULTS, organisation: int = 0) -> Document:
        """Give the document of a text that an organisation sent; raise RequestRefusedError with all that is wrong with it.

        Nothing is parsed that has more tokens than the client may send; the other limits are for whoever runs an operation of it.
        """
        digest = hashlib.sha256(text.encode()).digest()
        key = (organisation, digest)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if (tokens := count_tokens(text)) > limits.tokens:
            raise RequestRefusedError(exceeded("tokens", limits.tokens, tokens))
        document = self._checked(digest, text, tokens)
        self._known[key] = document
        if len(self._known) > DOCUMENTS:
            self._known.popitem(last=False)
        return document

    def _checked(self, digest: bytes, text: str, tokens: int) -> Document:
        try:
            parsed = parse(text, max_tokens=CEILINGS.tokens)
        except GraphQLError as error:
            raise RequestRefusedError(_located("GRAPHQL_PARSE_FAILED", error, self._schema)) from None
        if errors := validate(self._schema, parsed, max_errors=20, hide_suggestions=True):
            raise RequestRefusedError(*(_located("GRAPHQL_VALIDATION_FAILED", error, self._schema) for error in errors))
        operations = [d for d in parsed.definitions if isinstance(d, OperationDefinitionNode)]
        fragments = {d.name.value: d for d in parsed.definitions if isinstance(d, FragmentDefinitionNode)}
        named = {d.name.value if d.name else None: d for d in operations}
        return Document(digest, named, fragments, measured(parsed, operations, fragments, tokens))


def _located(code: str, error: GraphQLError, schema: GraphQLSchema) -> dict[str, Any]:
    message = quiet(error.message)
    if named := re.fullmatch(r"This value does not exist in '(\w+)' enum\.", message):
        values: Any = schema.type_map[named[1]]
        message = f"A {named[1]} is one of {', '.join(values.values)}."
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return problem(code, message, **({"locations": places} if places else {}))


def quiet(message: str) -> str:
    """Take out of a message the value it refuses.

    >>> quiet('Int cannot represent non-integer value: "many"')
    'Int cannot represent non-integer value.'
    >>> quiet("Value 'x' does not exist in 'CaseStatus' enum.")
    "This value does not exist in 'CaseStatus' enum."
    >>> quiet("Syntax Error: Expected Name, found String 'many'.")
    'Syntax Error: Expected Name, found String.'
    """
    message = re.sub(r"\b(Name|String|BlockString|Int|Float) (['\"]).*\2", r"\1", message, flags=re.DOTALL)
    message = re.sub(r"^Value .+ does not exist in", "This value does not exist in", message, flags=re.DOTALL)
    message = re.sub(r"; found: .*$", "", message, flags=re.DOTALL)
    message = re.sub(
        r", found: .+?(; .+)?$", lambda found: (found[1] or "").replace("; ", ": "), message, flags=re.DOTALL
    )
    message = re.sub(r"(represent|value|type '[^']+'): [^A].*$", r"\1", message, flags=re.DOTALL)
    return message.rstrip(".") + "."


def variable_values(schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]) -> VariableValues:
    """Coerce variables; raise RequestRefusedError naming every one that does not fit, and never what it held."""
    values = get_variable_values(schema, operation.variable_definitions or (), given, hide_suggestions=True)
    if isinstance(values, VariableValues):
        return values
    found: list[dict[str, Any]] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if name not in given:
            if isinstance(kind, GraphQLNonNull) and definition.default_value is None:
                found.append(problem("BAD_USER_INPUT", f'Variable "${name}" is required: its type is {kind.of_type}.'))
            continue
        validate_input_value(
            given[name], kind, lambda error, path, name=name, kind=kind: found.append(_misfit(name, kind, path, error.message)), hide_suggestions=True  # type: ignore[misc,arg-type]
        )  # fmt: skip
    raise RequestRefusedError(*(found or [problem("BAD_USER_INPUT", UNFIT)]))


def _misfit(name: str, kind: Any, path: list[str | int], message: str) -> dict[str, Any]:
    where = f"${name}" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    for step in path:
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        kind = kind.of_type if isinstance(kind, GraphQLList) else kind.fields[step].type
    named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if "not to be None" in message:
        hint = f"must not be null: its type is {named}"
    elif isinstance(named, GraphQLEnumType):
        hint = f"must be one of {', '.join(named.values)}"
    elif isinstance(named, GraphQLInputObjectType) and (field := re.search(r"required field '(\w+)'", message)):
        hint = f"needs the field {field[1]}"
    elif isinstance(named, GraphQLInputObjectType):
        hint = f"is not a {named}: its fields are {', '.join(named.fields)}" + (
            ", exactly one of them" if named.is_one_of else ""
        )
    else:
        said = re.search(r"\b(An? \w+ is [^;]+)", message)
        hint = f"is not a valid {named}" + (f": {said[1].rstrip(QUOTED)}" if said else "")
    return problem("BAD_USER_INPUT", f'Variable "{where}" {hint}.')


__all__ = ["Document", "DocumentNode", "Documents", "RequestRefusedError", "problem", "quiet", "variable_values"]
