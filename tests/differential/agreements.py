"""Agreements in plain Python: who reads them, what one would open and close, and why an organisation sees what it sees."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.differential.disclosure import ORDER, Disclosure, during
from tests.differential.tables import Row, Tables
from tests.differential.words import moment

if TYPE_CHECKING:
    from tests.differential.objects import Found, Objects


def agreements(objects: "Objects", organisation: int) -> list["Found"]:
    """Give an organisation's agreements, as far as the viewer reads them."""
    own = objects.organisation_id == organisation
    rows = objects.tables.all("agreement", organisation=organisation) if own or _manages(objects) else []
    return [_agreement(objects, row) for row in sorted(rows, key=lambda r: (r["valid_from"], r["id"].int))]


def _manages(objects: "Objects") -> bool:
    return objects.disclosure.icorn and "access:manage" in objects.scopes


def _status(row: Row, now: datetime) -> str:
    over = [name for name, column in (("ENDED", "ended_at"), ("EXPIRED", "valid_until")) if row[column] is not None and row[column] <= now]  # fmt: skip
    return over[0] if over else "PROPOSED" if row["approved_at"] is None else "ACTIVE"


def _agreement(objects: "Objects", row: Row) -> "Found":
    tables = objects.tables
    signed = sorted(tables.all("agreement_approval", agreement=row["id"]), key=lambda a: (a["at"], a["organisation"]))
    end = tables.one("agreement_end", agreement=row["id"])
    return {
        "__typename": "Agreement", "id": f"agreement_{row['id']}", **{n: row[n] for n in ("purpose", "categories", "origins", "disciplines", "version")},
        "organisation": objects.organisation_by(row["organisation"]), "status": _status(row, tables.now),
        "validFrom": moment(row["valid_from"]), "validUntil": moment(row["valid_until"]),
        "approvals": [{"organisation": objects.organisation_by(a["organisation"]), "by": a["approver"], "at": moment(a["at"])} for a in signed],
        "replaces": lambda _: next((_agreement(objects, r) for r in tables.all("agreement", id=row["replaces"])), None),
        "endedAt": moment(row["ended_at"]), "endedBy": objects.organisation_by(end["organisation"]) if end else None, "endReason": end and end["reason"],
    }  # fmt: skip


def effect(objects: "Objects", terms: dict[str, Any]) -> "Found | None":
    """Count what an agreement would open and close when it begins, of the cases that ICORN sees."""
    if not (_manages(objects) and "cases:read" in objects.scopes):
        return None
    tables = objects.tables
    partner = _organisation(tables, terms["organisation"])
    if partner is None:
        return {"opens": [], "closes": []}
    starts = max(tables.now, terms.get("validFrom") or tables.now)
    planned = {
        "organisation": partner, "categories": set(terms["categories"]) - {"ASSESSMENT"}, "origins": terms.get("origins"), "disciplines": terms.get("disciplines"),
        "valid_from": starts, "approved_at": tables.now, "valid_until": terms.get("validUntil"), "ended_at": None,
    }  # fmt: skip
    kept = [r for r in tables.rows["agreement"] if not (f"agreement_{r['id']}" == terms.get("replaces") and r["organisation"] == partner and _status(r, tables.now) == "ACTIVE")]  # fmt: skip
    then = replace(tables, now=starts)
    before = Disclosure(then, partner)
    after = Disclosure(replace(then, rows={**tables.rows, "agreement": [*kept, planned]}), partner)
    told = {(c["id"], k): (before.case(c, k), after.case(c, k)) for c in objects.cases() for k in ORDER}
    counts = {name: Counter(k for (_, k), now in told.items() if now == change) for name, change in (("opens", (False, True)), ("closes", (True, False)))}  # fmt: skip
    return {
        name: [{"category": k, "cases": counted[k]} for k in ORDER if counted[k]] for name, counted in counts.items()
    }


def explained(objects: "Objects", organisation: str, case: str) -> list["Found"]:
    """Say why an organisation sees, or does not see, each category of a case."""
    partner = _organisation(objects.tables, organisation)
    rows = [row for row in objects.cases() if f"case_{row['pairwise']}" == case]
    if partner is None or not objects.disclosure.icorn or not objects.scopes >= {"access:explain", "cases:read"}:
        return []
    whose = Disclosure(objects.tables, partner)
    return [_why(objects.tables, whose, partner, row, category) for row in rows for category in ORDER]


def _why(tables: Tables, whose: Disclosure, partner: int, row: Row, category: str) -> "Found":
    basis, seen = whose.bases(row, category), whose.case(row, category)
    held = any(during(tables.now, [h["starts"]], [h["ended_at"]]) for h in tables.all("hold", case_id=row["id"], organisation=partner))  # fmt: skip
    frozen = any(during(tables.now, [f["starts"]], [f["ended_at"]]) for f in tables.all("frozen") if f["case_id"] == row["id"] or (f["country"] is not None and f["country"] == row["origin"]))  # fmt: skip
    gaps = [
        ("BASIS", not basis),
        ("SEAL", not basis and row["sealed"]),
        ("HOLD", held),
        ("FREEZE", frozen),
        (
            "OVERVIEW" if category != "OVERVIEW" and not whose.case(row) else "CONSENT",
            basis and not held and not frozen,
        ),
    ]
    missing = [] if seen else [gap for gap, lacks in gaps if lacks]
    return {"category": category, "visible": seen, "basis": basis, "missing": missing}


def _organisation(tables: Tables, named: str) -> int | None:
    row = next((o for o in tables.all("organisation") if f"organisation_{o['code']}" == named), None)
    return None if row is None else int(row["id"])
