"""This module knows which fields a mapping may fill, of what type, and brings a source value into that type."""

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from connectors.record import Part


class Unfit(Exception):  # noqa: N818 (a verdict, not an error)
    """A source value that has no place in its target's type; says nothing of the value."""


@dataclass(frozen=True, slots=True)
class Target:
    """A field of the canonical record: `kind` is a value's type, `part` a nested object, `many` a list of either."""

    name: str
    attribute: str
    kind: Any
    part: type[Part] | None
    many: bool
    required: bool

    @property
    def base(self) -> type:
        """The plain Python type beneath the constraints."""
        base: type = get_args(self.kind)[0] if get_origin(self.kind) is Annotated else self.kind
        return base

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of an enum target, else nothing."""
        return tuple(str(each.value) for each in self.base) if issubclass(self.base, Enum) else ()

    def fit(self, value: object, date_format: str = "iso") -> object:
        """Bring one value into the target's type, None for an empty one; raise Unfit."""
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            return None
        if issubclass(self.base, date):
            return _moment(value, date_format, whole=self.base is datetime)
        if self.base is str and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if self.base is int and isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        try:
            if isinstance(value, str):
                value.encode()  # a lone surrogate cannot be stored
            return msgspec.convert(value, self.kind)
        except (msgspec.ValidationError, UnicodeEncodeError):
            pass
        raise Unfit


@cache
def targets(part: type[Part]) -> Mapping[str, Target]:
    """List the fields of `part` by the contract's names."""
    hints = get_type_hints(part, include_extras=True)
    return {
        field.encode_name: _target(field.encode_name, field.name, hints[field.name], required=field.required)
        for field in msgspec.structs.fields(part)
    }


def _target(name: str, attribute: str, hint: Any, *, required: bool) -> Target:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    many = get_origin(hint) is tuple
    kind = get_args(hint)[0] if many else hint
    part = kind if isinstance(kind, type) and issubclass(kind, Part) else None
    return Target(name=name, attribute=attribute, kind=kind, part=part, many=many, required=required)


def _moment(value: object, date_format: str, *, whole: bool) -> date:
    """Read a point in time in UTC (a time without a zone is taken as UTC), or its UTC day unless `whole`."""
    try:
        moment = _read_moment(value, date_format)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        pass
    else:
        return moment if whole else moment.date()
    raise Unfit


def _read_moment(value: object, date_format: str) -> datetime:
    if date_format in ("unix", "unix-ms"):
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else float("nan")
        return datetime.fromtimestamp(seconds / (1000 if date_format == "unix-ms" else 1), UTC)
    if not isinstance(value, str):
        raise TypeError
    if date_format == "iso":
        return datetime.fromisoformat(value)
    return datetime.strptime(value, date_format)  # noqa: DTZ007 (the zone is settled by the caller)
