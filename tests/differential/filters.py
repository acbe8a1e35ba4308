"""What the filters of lists ask of a row, in plain Python."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.differential.tables import Row, Tables

if TYPE_CHECKING:
    from tests.differential.objects import Objects

Asked = Mapping[str, Any]


def _within(row: Row, asked: Asked, *same: str, **other: str) -> bool:
    wanted = {**{name: name for name in same}, **other}
    return all(row[column] in asked[name] for column, name in wanted.items() if asked.get(name) is not None)


def cases(objects: "Objects", asked: Asked) -> list[Row]:
    """Give the visible cases that a CaseFilter lets through."""
    rows = [
        row for row in objects.cases() if _within(row, asked, "status", "discipline", "origin", risk_level="riskLevel")
    ]
    if (start := asked.get("openedFrom")) is not None:
        rows = [row for row in rows if row["opened_on"] >= date.fromisoformat(start)]
    if (end := asked.get("openedTo")) is not None:
        rows = [row for row in rows if row["opened_on"] <= date.fromisoformat(end)]
    if (sender := asked.get("referredBy")) is not None:
        senders = _senders(objects)
        rows = [row for row in rows if sender in senders.get(row["id"], ())]
    if (name := asked.get("familyName")) is not None:
        rows = [row for row in rows if _called(objects, row, name)]
    return rows


def _senders(objects: "Objects") -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = {}
    for row in objects.referrals() if "referrals:read" in objects.scopes else ():
        code = objects.tables.the("organisation", id=row["sender"])["code"]
        found.setdefault(row["case_id"], set()).add(f"organisation_{code}")
    return found


def _called(objects: "Objects", case: Row, name: str) -> bool:
    known = objects.open("IDENTITY") and objects.disclosure.case(case, "IDENTITY")
    identity = objects.tables.documents.get((case["id"], "IDENTITY")) or {}
    return bool(known and identity.get("familyName")) and _folded(name) == _folded(identity["familyName"])


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def referrals(tables: Tables, rows: list[Row], asked: Asked) -> list[Row]:
    """Give those of the referrals that a ReferralFilter lets through."""
    rows = [row for row in rows if _within(row, asked, "status", "urgency")]
    for name, column in (("from", "sender"), ("to", "recipient")):
        if (party := asked.get(name)) is not None:
            word, _, code = party.partition("_")
            found = tables.one("organisation", code=code) if word == "organisation" else None
            rows = [row for row in rows if found and row[column] == found["id"]]
    if (start := asked.get("submittedFrom")) is not None:
        rows = [row for row in rows if row["submitted_at"] >= datetime.fromisoformat(start)]
    if (end := asked.get("submittedTo")) is not None:
        rows = [row for row in rows if row["submitted_at"] <= datetime.fromisoformat(end)]
    return rows


def cities(tables: Tables, asked: Asked) -> list[Row]:
    """Give the cities that a CityFilter lets through."""
    rows = [row for row in tables.all("city") if _within(row, asked, "country")]
    if (vacancy := asked.get("withVacancy")) is not None:
        rows = [row for row in rows if (row["vacancies"] > 0) == vacancy]
    if (name := asked.get("name")) is not None:
        rows = [row for row in rows if name.lower() in row["name"].lower()]
    return rows


def records(rows: list[Row], asked: Asked) -> list[Row]:
    """Give those of the feed records that a FeedRecordFilter lets through."""
    rows = [row for row in rows if _within(row, asked, "origin", "discipline")]
    if (since := asked.get("updatedSince")) is not None:
        rows = [row for row in rows if row["updated_at"] and row["updated_at"] >= datetime.fromisoformat(since)]
    return rows
