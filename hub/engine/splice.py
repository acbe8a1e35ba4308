"""This module puts into an answer what only the hub can: opened documents, cursors, feed results, problems, introspection.

Postgres left a mark in the JSON for each, `{"$kind" : "part|..."}`; everything else goes out as the bytes it came in.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.engine.cursors import Cursors
from hub.engine.plan import Arguments, Plan, Projection
from hub.sealing import Sealing

MARK: Final = re.compile(rb'\{"\$([a-z]+)" : "([^"\\]*)"\}')
Fill = Callable[[str], bytes]


def splice(body: bytes, fills: Mapping[bytes, Fill]) -> bytes:
    """Replace every mark by what its kind gives for it."""
    return MARK.sub(lambda mark: fills[mark[1]](mark[2].decode()), body)


def project(document: Any, kept: Projection) -> Any:
    """Keep of a document what was selected, under the names it was asked by."""
    if kept.only:
        return document.get(kept.only)
    if isinstance(document, list):
        return [project(item, kept) for item in document]
    found = {}
    for key, name, below, missing in kept.fields:
        value = document.get(name) if name else None
        value = missing if value is None else value
        found[key] = project(value, below) if below is not None and value is not None else value
    return found


def opened(plan: Plan, sealing: Sealing) -> Fill:
    """Give what opens the sealed documents of one answer, each data key unwrapped once."""
    keys: dict[str, bytes] = {}

    def fill(mark: str) -> bytes:
        part, subject, category, version, kek, wrapped, sealed = mark.split("|")
        if wrapped not in keys:
            keys[wrapped] = sealing.key(kek, bytes.fromhex(wrapped))
        plain = sealing.open(keys[wrapped], subject, category, int(version), bytes.fromhex(sealed))
        kept = plan.parts[int(part)]
        assert isinstance(kept, Projection)  # noqa: S101 the planner numbered it
        return msgspec.json.encode(plain.decode() if kept.text else project(msgspec.json.decode(plain), kept))

    return fill


def cursors(
    sealed: Cursors,
    pages: Sequence[tuple[Arguments, tuple[str, ...]]],
    values: Callable[[Arguments], Mapping[str, Any]],
) -> Fill:
    """Give what seals the cursors of one answer."""

    def fill(mark: str) -> bytes:
        page, *places = mark.split("|")
        asked, keys = pages[int(page)]
        return b'"' + sealed.seal(asked.coordinate, values(asked), keys, places).encode() + b'"'

    return fill


def problems(plan: Plan, found: Sequence[Mapping[str, Any]]) -> Fill:
    """Give what shows a command's problems as they were asked for."""

    def fill(mark: str) -> bytes:
        kept = plan.parts[int(mark)]
        assert isinstance(kept, Projection)  # noqa: S101 the planner numbered it
        return msgspec.json.encode(project(list(found), kept))

    return fill
