"""This module reads the one thing that is wanted of a Link header (RFC 8288): where the next page is."""

import re
from collections.abc import Iterable
from typing import Final

_LINK: Final = re.compile(r"<([^<>]*)>((?:\s*;\s*[A-Za-z*-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.IGNORECASE)


def next_link(headers: Iterable[str]) -> str | None:
    """Find the target of the link whose relations include `next`; None when there is none."""
    for target, parameters in _LINK.findall(", ".join(headers)):
        found = _RELATION.search(parameters)
        if found and "next" in (found[1] or found[2]).lower().split():
            return str(target)
    return None
