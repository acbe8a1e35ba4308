"""This module reads the files that documents are published from: an Apollo persisted-query manifest, a Relay map, or plain GraphQL.

A file holds texts exactly as clients have them, for an id is the SHA-256 of a text; where a file says ids, they are compared.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

APOLLO: Final = "apollo-persisted-query-manifest"
PLAIN: Final = (".graphql", ".gql")
FORMS: Final = f'a {" or ".join(PLAIN)} file, an Apollo manifest ("format": "{APOLLO}"), or a Relay map of ids to texts'


class ManifestError(ValueError):
    """A file that no documents can be read from: the text has a line for each reason, with file and line."""


@dataclass(frozen=True)
class Written:
    """A document as a file has it: where its entry begins, and its text."""

    file: str
    line: int
    text: str
    whole: bool
    """Whether the file is the document, so that a line of it is a line of the file."""

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).digest()

    def place(self, line: int, column: int) -> str:
        """Say where in the files a place in the document is."""
        if self.whole:
            return f"{self.file}:{line}:{column}"
        return f"{self.file}:{self.line}, in the document's line {line}, column {column}"


def read(path: Path) -> list[Written]:
    """Give the documents of a file, of standard input for "-"; raise ManifestError with all that is wrong with it, OSError where it cannot be read."""
    file = str(path)
    try:
        # Not read_text, which would turn every line's end into another, and so the id into another.
        content = (sys.stdin.buffer.read() if file == "-" else path.read_bytes()).decode()
    except UnicodeDecodeError:
        raise ManifestError(f"{file}: is not UTF-8.") from None
    if path.suffix in PLAIN:
        return [Written(file, 1, content, whole=True)]
    try:
        found = json.loads(content)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise ManifestError(f"{file}:{line}: is not JSON. A file is {FORMS}.") from None
    entries = list(_entries(found))
    if not entries:
        raise ManifestError(f"{file}:1: holds no documents. A file is {FORMS}.")
    written, wrong = [], []
    for identifier, text in entries:
        line = content.partition(json.dumps(identifier))[0].count("\n") + 1
        if not isinstance(text, str) or not isinstance(identifier, str):
            wrong.append(f"{file}:{line}: an entry is no id with a text.")
        elif identifier.removeprefix("sha256:") != hashlib.sha256(text.encode()).hexdigest():
            wrong.append(
                f"{file}:{line}: the id is not the SHA-256 of its text. In Relay, set persistConfig.algorithm to SHA256."
            )
        else:
            written.append(Written(file, line, text, whole=False))
    if wrong:
        raise ManifestError("\n".join(wrong))
    return written


def _entries(found: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(found, dict):
        return
    if found.get("format") == APOLLO and isinstance(found.get("operations"), list):
        for operation in found["operations"]:
            yield (operation.get("id"), operation.get("body")) if isinstance(operation, dict) else (None, None)
    elif "format" not in found:
        yield from found.items()
