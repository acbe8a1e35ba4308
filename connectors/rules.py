"""This module is in charge of one rule of a mapping: checked when it is loaded, then applied to raw records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.functions import Functions

from connectors.problem import Flaw
from connectors.record import Part
from connectors.targets import Target, Unfit, targets

Path = tuple[str, ...]
_KEYS: Final = {"path", "value", "table", "default", "date", "split", "take"}
_TAKES: Final = ("first", "rest", "last")
_LONGEST: Final = 2000
_MISSING: Final = object()


class Unmapped(Exception):  # noqa: N818 (a verdict, not an error)
    """A raw record does not fit a rule; `reason` is a code and the rule's place, without content."""

    def __init__(self, code: str, path: Path) -> None:
        super().__init__(f"{code} {'.'.join(path)}")
        self.reason = f"{code} {'.'.join(path)}"


class Expression:
    """A compiled JMESPath expression; making one raises ValueError that says what is wrong with it."""

    def __init__(self, text: str) -> None:
        try:
            self._compiled = jmespath.compile(text)
        except jmespath.exceptions.JMESPathError as error:
            column = getattr(error, "lex_position", None)
            where = f" (column {column + 1})" if isinstance(column, int) else ""
            raise ValueError(f"is not a JMESPath expression{where}") from None
        unknown = sorted(_functions(self._compiled.parsed) - set(Functions.FUNCTION_TABLE))
        if unknown:
            raise ValueError(f"calls unknown functions: {', '.join(unknown)}")

    def search(self, raw: object, path: Path = ()) -> Any:
        """Find what the expression points at, None for nothing; raise Unmapped."""
        try:
            return self._compiled.search(raw)
        except (jmespath.exceptions.JMESPathError, TypeError, ValueError, KeyError, RecursionError):
            pass
        raise Unmapped("EXPRESSION_FAILED", path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule:
    """A value, or a list of values: where it is found, how it is translated, and what stands in when there is none."""

    target: Target
    path: Path
    expression: Expression | None
    constant: object
    table: Mapping[str, object] | None
    default: object
    date_format: str
    split: str | None = None
    take: str | None = None

    def apply(self, raw: object, said: set[str]) -> tuple[object, bool]:
        """Answer with the value, and whether the record itself (rather than the mapping) said it."""
        if self.expression is None:
            return self.constant, False
        found = self._piece(self.expression.search(raw, self.path))
        if found not in (None, "", []):
            said.add(".".join(self.path))
        if not self.target.many:
            value = self._fit(found)
            return (value, True) if value is not None else (self._fallback(), False)
        items = found if isinstance(found, list) else [found]
        values = tuple(value for value in map(self._fit, items) if value is not None)
        return values, bool(values)

    def _piece(self, found: object) -> object:
        if self.split is None or not isinstance(found, str):
            return found
        pieces = [piece for piece in map(str.strip, found.split(self.split)) if piece]
        match self.take:
            case "first":
                return pieces[0] if pieces else None
            case "rest":
                return self.split.join(pieces[1:])
            case "last":
                return pieces[-1] if pieces else None
        return pieces

    def _fit(self, found: object) -> object:
        try:
            if self.table is None or found is None or found == "":
                return self.target.fit(found, self.date_format)
            key = ("true" if found else "false") if isinstance(found, bool) else str(found).strip()
            if key in self.table:
                return self.target.fit(self.table[key], self.date_format)
        except Unfit:
            pass
        else:
            if self.default is not _MISSING:
                return self._fallback()
            raise Unmapped("UNMAPPED_VALUE", self.path)
        raise Unmapped("INVALID_VALUE", self.path)

    def _fallback(self) -> object:
        return None if self.default is _MISSING else self.default


@dataclass(frozen=True, slots=True)
class EachRule:
    """A list of nested objects: `expression` finds the items, `part` maps each of them."""

    target: Target
    path: Path
    expression: Expression
    part: "PartRule"

    def apply(self, raw: object, said: set[str]) -> tuple[object, bool]:
        """Answer with the objects, and whether there are any."""
        found = self.expression.search(raw, self.path)
        if found is not None and not isinstance(found, list):
            raise Unmapped("NOT_A_LIST", self.path)
        parts = tuple(part for part in (self.part.apply(item, said) for item in found or ()) if part is not None)
        return parts, bool(parts)


@dataclass(frozen=True, slots=True)
class PartRule:
    """An object of the canonical record, a rule for each of its fields."""

    part: type[Part]
    fields: tuple[ValueRule | EachRule, ...]

    def places(self) -> Iterator[str]:
        """Name the rules that look for something."""
        for rule in self.fields:
            if isinstance(rule, EachRule):
                yield from rule.part.places()
            elif rule.expression is not None:
                yield ".".join(rule.path)

    def apply(self, raw: object, said: set[str]) -> Part | None:
        """Answer with the object, None when the record says nothing of it; raise Unmapped when it says too little.

        The places of the rules that found something are added to `said`.
        """
        values: dict[str, object] = {}
        missing: Path | None = None
        found = False
        for rule in self.fields:
            value, from_record = rule.apply(raw, said)
            found |= from_record
            if value is not None:
                values[rule.target.attribute] = value
            elif rule.target.required:
                missing = missing or rule.path
        if not found:
            return None
        if missing:
            raise Unmapped("MISSING_VALUE", missing)
        return self.part(**values)


def part_rule(part: type[Part], document: object, path: Path, flaws: list[Flaw]) -> PartRule:
    """Check the rules of an object; what is wrong with them is added to `flaws`, and the result is then of no use."""
    if not isinstance(document, dict):
        flaws.append(Flaw(path, "must be an object: a rule for each field"))
        return PartRule(part, ())
    known = targets(part)
    choices = f"is no field here; choose from {', '.join(known)}"
    flaws.extend(Flaw((*path, str(name)), choices) for name in document.keys() - known)
    for name, target in known.items():
        if target.required and name not in document:
            flaws.append(Flaw((*path, name), "is required: give a rule, or a constant as {'value': ...}"))
    rules = (_rule(known[name], rule, (*path, name), flaws) for name, rule in document.items() if name in known)
    return PartRule(part, tuple(rule for rule in rules if rule is not None))


def _rule(target: Target, document: object, path: Path, flaws: list[Flaw]) -> ValueRule | EachRule | None:
    if target.part is not None:
        return _each_rule(target, target.part, document, path, flaws)
    if isinstance(document, str):
        document = {"path": document}
    if not isinstance(document, dict) or ("path" in document) == ("value" in document):
        flaws.append(Flaw(path, "must be a JMESPath expression, or an object with either 'path' or 'value'"))
        return None
    before = len(flaws)
    flaws.extend(
        Flaw((*path, str(key)), f"is unknown; a rule has {', '.join(sorted(_KEYS))}") for key in document.keys() - _KEYS
    )
    rule = ValueRule(
        target=target,
        path=path,
        expression=_expression(document["path"], (*path, "path"), flaws) if "path" in document else None,
        constant=_constants(target, document["value"], (*path, "value"), flaws) if "value" in document else None,
        table=_table(target, document["table"], path, flaws) if "table" in document else None,
        default=_constant(target, document["default"], (*path, "default"), flaws)
        if "default" in document
        else _MISSING,
        date_format=_date_format(target, document.get("date", "iso"), path, flaws),
        split=_split(target, document, path, flaws),
        take=document.get("take"),
    )
    return rule if len(flaws) == before else None


def _each_rule(target: Target, part: type[Part], document: object, path: Path, flaws: list[Flaw]) -> EachRule | None:
    if not isinstance(document, dict) or set(document) != {"each", "fields"}:
        flaws.append(Flaw(path, "must be {'each': expression that finds the items, 'fields': a rule for each field}"))
        return None
    expression = _expression(document["each"], (*path, "each"), flaws)
    nested = part_rule(part, document["fields"], (*path, "fields"), flaws)
    return EachRule(target, path, expression, nested) if expression is not None else None


def _expression(text: object, path: Path, flaws: list[Flaw]) -> Expression | None:
    if not isinstance(text, str) or len(text) > _LONGEST:
        flaws.append(Flaw(path, f"must be a JMESPath expression of at most {_LONGEST} characters"))
        return None
    try:
        return Expression(text)
    except ValueError as error:
        flaws.append(Flaw(path, str(error)))
        return None


def _table(target: Target, document: object, path: Path, flaws: list[Flaw]) -> Mapping[str, object] | None:
    if not isinstance(document, dict) or not document:
        flaws.append(Flaw((*path, "table"), "must be an object: the source's values, and what each of them means here"))
        return None
    return {str(key): _constant(target, value, (*path, "table", str(key)), flaws) for key, value in document.items()}


def _constants(target: Target, value: object, path: Path, flaws: list[Flaw]) -> object:
    if not target.many:
        return _constant(target, value, path, flaws)
    if not isinstance(value, list):
        flaws.append(Flaw(path, "must be a list"))
        return ()
    return tuple(_constant(target, each, path, flaws) for each in value)


def _constant(target: Target, value: object, path: Path, flaws: list[Flaw]) -> object:
    try:
        return target.fit(value)
    except Unfit:
        expected = f"one of {', '.join(target.choices)}" if target.choices else f"a valid {target.base.__name__}"
        flaws.append(Flaw(path, f"does not fit '{target.name}': it must be {expected}"))
        return None


def _date_format(target: Target, given: object, path: Path, flaws: list[Flaw]) -> str:
    if given == "iso" or (target.base.__name__ in ("date", "datetime") and _is_format(given)):
        return str(given)
    flaws.append(Flaw((*path, "date"), "must be iso, unix, unix-ms or a strptime format (%d/%m/%Y), on a date field"))
    return "iso"


def _split(target: Target, document: dict[str, object], path: Path, flaws: list[Flaw]) -> str | None:
    split, take = document.get("split"), document.get("take")
    if split is None and take is None:
        return None
    if not isinstance(split, str) or not 0 < len(split) <= 10:  # noqa: PLR2004 (a separator is short)
        flaws.append(Flaw((*path, "split"), "must be the text that separates the pieces"))
    if target.many and take is not None:
        flaws.append(Flaw((*path, "take"), "has no place here: all pieces are taken"))
    if not target.many and take not in _TAKES:
        flaws.append(Flaw((*path, "take"), f"must say which of the pieces: {', '.join(_TAKES)}"))
    return split if isinstance(split, str) else None


def _is_format(given: object) -> bool:
    return isinstance(given, str) and (given in ("unix", "unix-ms") or "%" in given)


def _functions(node: Any) -> set[str]:
    if not isinstance(node, dict):
        return set()
    own = {str(node["value"])} if node.get("type") == "function_expression" else set()
    return own.union(*(_functions(child) for child in node.get("children", ())))
