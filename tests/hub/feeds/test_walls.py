"""Who can read the replica: nobody in clear, nobody without a principal, and not even the worker that wrote it."""

import asyncpg
import pytest

from tests.conftest import Database
from tests.hub.feeds.desk import Desk, fill

TABLES = ("feed", "feed_record", "feed_record_key", "feed_record_person", "feed_record_link", "feed_quarantine")


async def test_no_table_holds_a_person_in_clear(desk: Desk) -> None:
    """Not in the record, not in its marks, not in the feed's own row."""
    desk.put("r1", "Perpetua", needs="Insulin", art="pen")
    await desk.sync()

    for table in TABLES:
        text = await desk.admin.fetchval(f"select string_agg(t::text, ' ') from {table} t")  # noqa: S608 (names of our own)
        assert "Perpetua" not in (text or "")
        assert b"Perpetua".hex() not in (text or "")
    assert (await desk.held())["r1"]["HEALTH"]["needs"] == "Insulin"


@pytest.mark.parametrize("role", ["hub_app", "hub_auth"])
@pytest.mark.parametrize("table", TABLES)
async def test_nobody_else_reads_the_replica_without_a_principal(
    desk: Desk, database: Database, role: str, table: str
) -> None:
    """Rows are for those whom a policy names; nothing, or no permission, is what others get."""
    fill(desk)
    await desk.sync()
    connection = await database.connect(role)

    try:
        rows = await connection.fetch(f"select from {table}")
    except asyncpg.InsufficientPrivilegeError:
        rows = []

    assert rows == []


@pytest.mark.parametrize(
    ("table", "column"), [("feed_record_person", "sealed"), ("case_identity", "sealed"), ("referral_person", "sealed")]
)
async def test_the_worker_reads_no_document(desk: Desk, table: str, column: str) -> None:
    """It wraps keys anew, and its login reaches nothing that they open."""
    fill(desk)
    await desk.sync()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.worker.fetch(f"select {column} from {table}")  # noqa: S608 (names of our own)
