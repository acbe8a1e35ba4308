"""Sheets as a partner's spreadsheet saves them, and as it reads them."""

import csv
import io
from pathlib import Path

from hub.sheets.columns import EXAMPLE

GOOD = {
    **EXAMPLE,
    "clientReference": "A-1",
    "identity.familyName": "Secretname",
    "contact.instructions": 'Write,\r\nthen wait; "never" call.',
    "profile.biography": "'=1+1 is an essay",
}


def sheet(file: Path, *rows: dict[str, str], separator: str = ",") -> Path:
    """Write rows as a spreadsheet does: with a mark of UTF-8, and CRLF."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    file.chmod(0o600)
    return file


def table(text: str) -> list[dict[str, str]]:
    """Read CSV that the hub's command wrote."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
