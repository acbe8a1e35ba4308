"""Plain resolvers of what follows on access: glass that was broken, and what was retracted."""

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
