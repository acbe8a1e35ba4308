"""All rows of a world, read as the administrator and opened: what the oracle answers from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tests.world import World

Row = dict[str, Any]
TABLES = (
    "change", "organisation", "city", "client", "auth.client_key", "agreement", "agreement_approval", "agreement_end", "case_file", "residency", "presentation", "share", "hold", "legal_hold", "emergency", "retraction", "frozen", "consent",
    "referral", "referral_event", "message", "feed", "feed_record", "feed_record_link",
    "statistics_release", "statistics_cell",
)  # fmt: skip
CATEGORIES = ("PROFILE", "IDENTITY", "CONTACT", "WHEREABOUTS", "THREAT", "HEALTH", "FAMILY", "ASSESSMENT")


@dataclass
class Tables:
    """Rows by table, documents by what they are of, and the time it is."""

    now: datetime
    rows: dict[str, list[Row]] = field(default_factory=dict)
    documents: dict[tuple[UUID, str], Any] = field(default_factory=dict)
    keys: dict[UUID, tuple[str, bytes]] = field(default_factory=dict)

    def all(self, table: str, **equal: Any) -> list[Row]:
        """Give the rows of a table whose columns have these values."""
        return [row for row in self.rows[table] if all(row[name] == value for name, value in equal.items())]

    def one(self, table: str, **equal: Any) -> Row | None:
        """Give the one row with these values, if there is one."""
        return next(iter(self.all(table, **equal)), None)

    def the(self, table: str, **equal: Any) -> Row:
        """Give the one row with these values."""
        (found,) = self.all(table, **equal)
        return found


async def read_tables(world: World) -> Tables:
    """Read everything there is in a world."""
    tables = Tables(await world.admin.fetchval("select hub_now()"))
    for table in TABLES:
        tables.rows[table] = [dict(row) for row in await world.admin.fetch(f"select * from {table}")]  # noqa: S608 names of our own
    for kind, column in (
        ("case", "case_id"),
        ("referral", "referral_id"),
        ("feed_record", "record"),
        ("retraction", "retraction_id"),
    ):
        for row in await world.admin.fetch(f"select * from {kind}_key"):  # noqa: S608 as above
            tables.keys[row[column]] = (kind, world.sealing.key(row["kek"], row["wrapped"]))
    for row in tables.rows["agreement_end"]:
        tables.keys[row["agreement"]] = ("agreement", world.sealing.key(row["kek"], row["wrapped"]))
    for category in CATEGORIES:
        for row in await world.admin.fetch(f"select * from case_{category.lower()}"):  # noqa: S608 as above
            _open(world, tables, row["case_id"], category, row["key_version"], row["sealed"])
    for table, column in (("referral_person", "referral_id"), ("feed_record_person", "record")):
        for row in await world.admin.fetch(f"select * from {table}"):  # noqa: S608 as above
            _open(world, tables, row[column], row["category"], row["key_version"], row["sealed"])
    for table, name in (
        ("referral", "reason"),
        ("referral_event", "note"),
        ("message", "body"),
        ("consent", "evidence"),
        ("emergency", "reason"),
        ("retraction", "note"),
        ("agreement_end", "reason"),
        ("presentation", "note"),
    ):
        for row in tables.rows[table]:
            if row[name] is not None:
                row[name] = _text(world, tables, row, name)
    return tables


def _open(world: World, tables: Tables, subject: UUID, category: str, version: int, sealed: bytes) -> None:
    kind, key = tables.keys[subject]
    plain = world.sealing.open(key, f"{kind}:{subject}", category, version, sealed)
    tables.documents[subject, category] = msgspec.json.decode(plain)


def _text(world: World, tables: Tables, row: Row, name: str) -> str:
    subject = (
        row["id"]
        if "sender" in row
        else row.get("referral_id") or row.get("case_id") or row.get("agreement") or row["id"]
    )
    kind, key = tables.keys[subject]  # type: ignore[index] # one of them is there
    return world.sealing.open(key, f"{kind}:{subject}", name.upper(), 1, row[name]).decode()
