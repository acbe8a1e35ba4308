"""This module reads the one thing that is wanted of a Link header (RFC 8288): where the next page is."""

import re
from collections.abc import Iterable
from typing import Final

_VALUE: Final = r"(?:\"[^\"]*\"|[^\s\",;]+)"
_LINK: Final = re.compile(rf"<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*{_VALUE})*)")
_PARAMETER: Final = re.compile(rf";\s*([\w*-]+)\s*=\s*({_VALUE})")


def next_link(headers: Iterable[str]) -> str | None:
    """Find the target of the link whose relations include `next`; None when there is none."""
    for target, parameters in _LINK.findall(", ".join(headers)):
        named = {name.lower(): value.strip('"').lower() for name, value in _PARAMETER.findall(parameters)}
        if "next" in named.get("rel", "").split():
            return str(target)
    return None
