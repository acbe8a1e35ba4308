"""The feed of changes in plain Python, from what is noted of what each organisation sees."""

from typing import TYPE_CHECKING

from tests.differential.disclosure import ORDER
from tests.differential.tables import Row
from tests.differential.words import moment

if TYPE_CHECKING:
    from tests.differential.objects import Found, Objects

BEGINNING: Row = {"place": f"{0:>20}", "name": ""}


def changes(objects: "Objects") -> list[Row]:
    """Give every change that the viewer is told of."""
    found: dict[tuple[int, str], Row] = {}
    for row in objects.tables.all("change", organisation=objects.organisation_id):
        kind, _, category = row["aspect"].upper().partition(".")
        (whole,) = objects.tables.all(
            "change", organisation=row["organisation"], about=row["about"], aspect=kind.lower()
        )
        state = whole["state"]
        seen = not category or (state is not None and state[0] >> (ORDER.index(category) + 1) & 1)
        told = f"{kind.lower()}s:read" in objects.scopes and (not category or objects.open(category))
        if row["xid"] is not None and seen and told:
            found[row["xid"], row["name"]] = {
                "place": f"{row['xid']:>20}", "name": row["name"], "kind": kind, "at": row["at"], "there": state is not None,
            }  # fmt: skip
    return list(found.values()) if "changes:read" in objects.scopes else []


def change(row: Row) -> "Found":
    """A Change."""
    kind = "UPSERT" if row["there"] else "RETRACTED"
    return {"__typename": "Change", "kind": kind, "subject": row["name"], "type": row["kind"].title(), "at": moment(row["at"])}  # fmt: skip
