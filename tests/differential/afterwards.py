"""Plain resolvers of what access goes with: what cities are shown, glass that was broken, and what was retracted."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.differential.disclosure import opening
from tests.differential.tables import Row
from tests.differential.words import moment

if TYPE_CHECKING:
    from tests.differential.objects import Found, Objects


def emergencies(objects: "Objects", case: Row) -> "list[Found]":
    """The Emergencies of a case that the viewer may know of: its own, or for ICORN all."""
    rows = objects.tables.all("emergency", case_id=case["id"])
    mine = [row for row in rows if objects.disclosure.icorn or row["organisation"] == objects.organisation_id]
    return [_emergency(objects, row, case) for row in sorted(mine, key=lambda r: (r["asked_at"], r["id"].int))]


def _emergency(objects: "Objects", row: Row, case: Row) -> "Found":
    (ends,) = opening(row, case)[1]
    waits = ends is None and objects.tables.now < row["asked_at"] + timedelta(hours=12)
    return {
        "organisation": objects.organisation_by(row["organisation"]), "categories": row["categories"], "reason": row["reason"], "waits": waits,
        "askedAt": moment(row["asked_at"]), "approvedAt": moment(row["approved_at"]), "until": moment(ends),
    }  # fmt: skip


def presentations(objects: "Objects", status: list[str] | None = None, **equal: Any) -> list[Row]:
    """What the viewer's city was shown and sees, or has answered; for ICORN, what every city was."""
    if not objects.scopes >= {"cases:read", "presentations:read"}:
        return []
    seen, found = {row["id"] for row in objects.cases()}, []
    for row in objects.tables.all("presentation", **equal):
        mine, sees = row["organisation"] == objects.organisation_id, row["case_id"] in seen
        stands = "EXPIRED" if row["status"] == "OPEN" and row["until"] <= objects.tables.now else row["status"]
        there = (mine and row["answered_at"] is not None) or ((mine or objects.disclosure.icorn) and sees)
        if there and (status is None or stands in status):
            found.append({**row, "name": row["id"], "at": row["presented_at"], "status": stands, "note": row["note"] if sees else None})  # fmt: skip
    return found


def presentation(objects: "Objects", row: Row) -> "Found":
    """A Presentation, with its case as far as the viewer sees it still."""
    office = objects.tables.the("organisation", id=row["organisation"])
    return {
        "__typename": "Presentation", "id": f"presentation_{row['id']}", "case": lambda _: objects.case_by(row["case_id"]), "note": row["note"],
        "city": lambda _: objects.city(objects.tables.one("city", id=office["city"])), "status": row["status"], "categories": row["categories"],
        "until": moment(row["until"]), "answeredAt": moment(row["answered_at"]),
    }  # fmt: skip


def retractions(objects: "Objects", acknowledged: bool | None = None) -> list[Row]:  # noqa: FBT001 the contract's argument
    """What the viewer owes a receipt for, or gave one; for ICORN, everyone."""
    if not objects.scopes & {"cases:read", "referrals:read"}:
        return []
    rows = [r for r in objects.tables.all("retraction") if objects.disclosure.icorn or r["organisation"] == objects.organisation_id]  # fmt: skip
    return [{**r, "name": r["id"]} for r in rows if acknowledged in (None, r["acknowledged_at"] is not None)]


def retraction(objects: "Objects", row: Row) -> "Found":
    """A Retraction, about the case or referral as the viewer knew it."""
    subject: Any = row["subject"] if row["organisation"] == objects.organisation_id else row["icorn_subject"]
    return {
        "__typename": "Retraction", "id": f"retraction_{row['id']}", "organisation": objects.organisation_by(row["organisation"]),
        "subject": f"{row['kind']}_{subject}", "categories": row["categories"], "note": row["note"], "at": moment(row["at"]),
        "acknowledgedAt": moment(row["acknowledged_at"]),
    }  # fmt: skip
