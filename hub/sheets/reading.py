"""This module reads a sheet: whatever a spreadsheet made of CSV becomes rows of cells, or a word on what to save differently."""

import csv
import io
import stat
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Final

from hub.cli.errors import CommandError
from hub.sheets.columns import Column, Path, find, letter, nearest

SEPARATORS: Final = ",;\t"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in a sheet: in which row, counted as spreadsheets do, and under which column."""

    row: int
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a sheet, and where its values go."""

    name: str
    column: Column
    path: Path


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: its columns by position, and its rows by number, empty ones left out."""

    headings: dict[int, Heading]
    rows: dict[int, list[str]] = field(repr=False)
    flaws: list[Flaw]


def readable_by_others(file: File) -> bool:
    """Say whether somebody else on this machine may read a file."""
    return bool(file.stat().st_mode & OTHERS)


def read(file: File) -> Sheet:
    """Read a sheet; raise CommandError for what is no sheet at all, and note what is wrong with its columns and lengths of rows."""
    lines = _lines(file)
    if not lines or not any(map(str.strip, lines[0])):
        raise CommandError(f"{file}: the first row should name the columns. `hub referrals template` prints them.")
    first = 1 if lines[0][0].strip().lower().startswith("sep=") else 0
    headings, flaws = _headings(lines[first], first + 1)
    if not headings:
        raise CommandError(
            f"{file}: row {first + 1} names no column. `hub referrals template` prints a sheet to begin with."
        )
    rows = {number: row for number, row in enumerate(lines[first + 1 :], first + 2) if any(map(str.strip, row))}
    width = len(lines[first])
    flaws += [
        Flaw(
            number,
            letter(width),
            "There are more cells than columns: a text with the separator in it stands in quotes.",
        )
        for number, row in rows.items()
        if any(map(str.strip, row[width:]))
    ]
    if not rows:
        raise CommandError(f"{file} has no row below its columns' names.")
    return Sheet(headings, rows, flaws)


def _lines(file: File) -> list[list[str]]:
    content = file.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        raise CommandError(f"{file} is a workbook: save the sheet as 'CSV UTF-8', and give that file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            f"{file} is not UTF-8, so names would be spoilt: save it as 'CSV UTF-8', in LibreOffice with the character set UTF-8."
        ) from None
    head = next((line for line in text.splitlines() if not line.lower().startswith("sep=")), "")
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return list(reader)
    except csv.Error:
        raise CommandError(
            f"{file}, about line {reader.line_num}: a text in quotes does not end well. Inside quotes, a quote is written twice."
        ) from None


def _headings(names: list[str], row: int) -> tuple[dict[int, Heading], list[Flaw]]:
    headings: dict[int, Heading] = {}
    flaws: list[Flaw] = []
    for position, name in enumerate(map(str.strip, names)):
        found = find(name)
        if found is None:
            # What stands here may be a person's, if the names of the columns were left out.
            meant = nearest(name)
            hint = f" Is it {meant}?" if meant else " `hub referrals template --columns` lists them."
            if name:
                flaws.append(Flaw(row, letter(position), f"There is no column of this name.{hint}"))
        elif found[1] in {heading.path for heading in headings.values()}:
            flaws.append(Flaw(row, letter(position), f"A second column {name}: leave one out."))
        else:
            headings[position] = Heading(name, *found)
    return headings, flaws
