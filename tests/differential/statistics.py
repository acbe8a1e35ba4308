"""What statistics answer, from the rows of releases alone."""

from typing import Any, Final

from schema.enums import CaseStatus, Discipline, RiskLevel
from tests.differential.tables import Row, Tables

COLUMNS: Final = ("origin", "discipline", "status", "risk_level", "year")
RANKS: Final[dict[str, list[str]]] = {
    "discipline": list(Discipline),
    "status": list(CaseStatus),
    "risk_level": list(RiskLevel),
}


def statistics(tables: Tables, grouped: list[str], asked: dict[str, Any]) -> dict[str, Any] | None:
    """Answer from the last release: its cells of just the dimensions that are grouped or filtered by."""
    release = max(tables.all("statistics_release"), key=lambda row: row["period"], default=None)
    if release is None:
        return None
    years = [int(asked[name][:4]) if asked.get(name) else None for name in ("from", "to")]
    wanted = {name.lower() for name in grouped}
    wanted |= {"year"} if any(years) else set()
    wanted |= {"origin"} if asked.get("origin") is not None else set()
    found: dict[tuple[Any, ...], int] = {}
    for cell in tables.all("statistics_cell", period=release["period"]):
        if {name for name in COLUMNS if cell[name] is not None} == wanted and _inside(cell, years, asked.get("origin")):
            key = tuple(cell[name] if name.upper() in grouped else None for name in COLUMNS)
            found[key] = found.get(key, 0) + cell["count"]
    cells = [
        dict(zip(("origin", "discipline", "status", "riskLevel", "year"), key, strict=True)) | {"count": count}
        for key, count in sorted(found.items(), key=lambda item: [_rank(*pair) for pair in zip(COLUMNS, item[0], strict=True)])
    ]  # fmt: skip
    return {"asOf": release["as_of"].isoformat(), "smallestCell": release["smallest_cell"], "cells": cells}


def _inside(cell: Row, years: list[int | None], origins: list[str] | None) -> bool:
    first, last = years
    in_time = (first is None or cell["year"] >= first) and (last is None or cell["year"] <= last)
    return in_time and (origins is None or cell["origin"] in origins)


def _rank(column: str, value: Any) -> Any:
    return RANKS[column].index(value) if column in RANKS and value is not None else value or ""
