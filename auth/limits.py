"""This module says how much a client may ask for: what holds for everyone, unless its registration says otherwise."""

from collections.abc import Mapping
from typing import Final

import msgspec


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one client may ask for. A token carries those that differ from the defaults, so no request looks them up."""

    cost: int = 20_000
    """Of one operation, by the schema's @cost and @listSize."""
    depth: int = 15
    """Levels of fields within fields, fragments written out."""
    fields: int = 500
    """Fields of an operation, fragments written out."""
    aliases: int = 50
    """Fields under another name, fragments written out."""
    directives: int = 50
    """Directives of a document, as it is written."""
    tokens: int = 2000
    """Lexical tokens of a document."""
    body_bytes: int = 256 * 1024
    """Of a request."""
    page_size: int = 500
    """Rows of one page, and representations of one `_entities`."""
    concurrency: int = 16
    """Operations under way at once, in each process."""
    statement_seconds: int = 10
    """That one statement may take; the server's own setting holds besides."""
    cost_per_minute: int = 1_000_000
    """What all operations of a minute may cost together, in all processes."""
    tokens_per_minute: int = 60
    """Access tokens that may be asked for in a minute."""


DEFAULTS: Final = Limits()
CEILINGS: Final = Limits(
    cost=10**15,
    depth=30,
    fields=5000,
    aliases=5000,
    directives=5000,
    tokens=20_000,
    body_bytes=4 * 1024 * 1024,
    page_size=5000,
    concurrency=1000,
    statement_seconds=300,
    cost_per_minute=10**15,
    tokens_per_minute=10_000,
)
"""What no client is given more of; schema/sql/0014_limits.sql holds the same."""


def problems(wanted: Mapping[str, int]) -> list[str]:
    """Say what is wrong with limits of one client, each by its name."""
    found = []
    for name, value in wanted.items():
        if name not in Limits.__struct_fields__:
            found.append(f"{name}: is no limit; there are {', '.join(Limits.__struct_fields__)}")
        elif not 1 <= value <= (most := getattr(CEILINGS, name)):
            found.append(f"{name}: from 1 to {most}")
    return found


def spoken(name: str) -> str:
    """Give a limit's name as errors have it.

    >>> spoken("page_size")
    'pageSize'
    """
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
