"""This module reads a table out of a CSV file: rows as objects, by HXL hashtags or by the names in the first row."""

import csv
import re
from typing import Any, Final

from connectors.problem import FeedProblem, ProblemCode

#: HXL 1.1 has hashtags below the headings, and says to look for them in the first rows only.
_SEARCHED: Final = 25
_TAG: Final = re.compile(r"#\s*([A-Za-z]\w*)((?:\s*\+\s*[A-Za-z]\w*)*)\s*")


def rows_of(body: bytes, encoding: str, delimiter: str, *, tagged: bool, newline: bool) -> list[dict[str, Any]]:
    """Read all rows that say anything; raise FeedProblem(NOT_A_TABLE), or (TRUNCATED) for a file that ends in a line."""
    try:
        text = body.decode(encoding)
        if newline and text and not text.endswith(("\n", "\r")):
            raise FeedProblem(ProblemCode.TRUNCATED)
        lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
        table = [row for row in ([cell.strip() for cell in line] for line in lines) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        table = []
    start = next((number for number, row in enumerate(table[:_SEARCHED]) if _is_tags(row)), None) if tagged else 0
    if start is None or not table:
        raise FeedProblem(ProblemCode.NOT_A_TABLE)
    names = [_tag(cell) for cell in table[start]] if tagged else table[start]
    return [_object(names, row) for row in table[start + 1 :]]


def _is_tags(row: list[str]) -> bool:
    return all(_TAG.fullmatch(cell) for cell in row if cell)


def _tag(cell: str) -> str:
    """Write a hashtag in one way: lower case, its attributes in alphabetical order, which has no meaning in HXL."""
    found = _TAG.fullmatch(cell)
    if found is None:
        return ""
    attributes = sorted({each.strip().lower() for each in found[2].split("+") if each.strip()})
    return "+".join([f"#{found[1].lower()}", *attributes])


def _object(names: list[str], row: list[str]) -> dict[str, Any]:
    """Name the cells of a row; of several under one name a list is made. Cells beyond the names mean a torn table."""
    if any(row[len(names) :]):
        raise FeedProblem(ProblemCode.NOT_A_TABLE)
    named: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=False):
        if not name:
            continue
        held = named.get(name)
        named[name] = cell if held is None else [*(held if isinstance(held, list) else [held]), cell]
    return named
