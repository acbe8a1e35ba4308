"""This module reads one cell, and writes one: what spreadsheets do to values is named, and nothing written is a formula."""

import re
from datetime import date
from typing import Any, Final

from graphql import GraphQLEnumType

from hub.sheets.columns import Column

YES: Final = {"yes": True, "true": True, "no": False, "false": False}
MISTAKE: Final = re.compile(r"#(REF!|NAME\?|VALUE!|N/A|NULL!|NUM!|DIV/0!|#+)")
SHORTENED: Final = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
DAY_NUMBER: Final = re.compile(r"\d{4,5}([.,]\d+)?")
FORMULA: Final = re.compile(r"[=+\-@\t\r＝＋－＠]")  # noqa: RUF001 some spreadsheets take the wide ones, too
ESCAPED: Final = re.compile(r"'(?=[=+\-@\t\r＝＋－＠])")  # noqa: RUF001


class CellError(ValueError):
    """A cell that cannot be used; the text says what it should hold, and never what it holds."""


def parse(cell: str, column: Column) -> Any:
    """Read a cell that is not empty; raise CellError."""
    text = ESCAPED.sub("", cell.replace("\r\n", "\n"), count=1).strip() if cell.startswith("'") else _text(cell)
    if MISTAKE.fullmatch(text):
        raise CellError("The spreadsheet has an error here: mend it, or empty the cell.")
    if not column.many:
        return _one(text, column)
    found = [_one(each.strip(), column) for each in re.split("[;\n]", text) if each.strip()]
    if not found:
        raise CellError(f"Write {column.form}; or empty the cell.")
    return found


def _text(cell: str) -> str:
    return cell.replace("\r\n", "\n").strip()


def _one(text: str, column: Column) -> Any:
    kind = column.type
    if isinstance(kind, GraphQLEnumType):
        word = re.sub(r"[\s-]+", "_", text.upper())
        if word not in kind.values:
            raise CellError(f"Write {column.form}.")
        return word
    match kind.name:
        case "Date":
            return _day(text)
        case "Boolean" if text.lower() in YES:
            return YES[text.lower()]
        case "Int" if re.fullmatch(r"\d{1,9}", text):
            return int(text)
        case "ID" if re.fullmatch("[A-Za-z0-9_-]+", text):
            return text if text.startswith("organisation_") else f"organisation_{text.lower()}"
        case "Boolean" | "Int" | "ID":
            raise CellError(f"Write {column.form}.")
        case "String":
            if SHORTENED.fullmatch(text):
                raise CellError(
                    "The spreadsheet has shortened a long number: format the column as text, and type it again."
                )
            return text
    try:
        return kind.parse_value(text)
    except ValueError:
        raise CellError(f"Write {column.form}.") from None


def _day(text: str) -> date:
    if DAY_NUMBER.fullmatch(text):
        raise CellError(
            "This is a spreadsheet's own number of a day: format the column as yyyy-mm-dd, and save it again."
        )
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        raise CellError("There is no such day.") from None
    raise CellError(
        "Write a day like 2026-05-01, the year first: which is the month cannot be told otherwise."
        " In a spreadsheet, format the column as text, or as yyyy-mm-dd."
    )


def safe(text: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula: an apostrophe goes before it, and is taken off when it is read.

    >>> safe("=1+1"), safe("a+b")
    ("'=1+1", 'a+b')
    """
    return f"'{text}" if FORMULA.match(text) else text


def worded(value: Any) -> str:
    """Give a value of an answer as a cell has it; of things each has a line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() if value and isinstance(value[0], dict):
            return "\n".join(worded(each) for each in value)
        case list():
            return "; ".join(map(worded, value))
        case dict():
            return ", ".join(f"{name}: {worded(each)}" for name, each in value.items() if each not in (None, []))
    return str(value)
