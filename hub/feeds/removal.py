"""This module takes out of the replica what its source no longer has, when that is proven and not suspiciously much."""

from math import floor

from connectors.problem import ProblemCode
from hub.feeds.feed import Connection
from hub.feeds.page import forget
from hub.feeds.progress import Progress

_COUNT = """
select count(*) as held, count(*) filter (where seen <> $2) as unseen from feed_record where feed = $1 and present
"""
# The row stays, so that what was linked to it says so; nothing of the person does.
_REMOVE = """
update feed_record set present = false, content_hash = null, source_url = null, discipline = null, origin = null,
  risk_level = null, urgency = null, submitted_at = null
where feed = $1 and present and seen <> $2
returning id
"""
_SETTLE_QUARANTINE = "delete from feed_quarantine where feed = $1 and seen <> $2"


async def remove_unseen(
    connection: Connection, feed_id: int, progress: Progress, share: float
) -> tuple[int, ProblemCode | None]:
    """Remove the records that a complete full pass has not seen; answer with their number, or why nothing was removed.

    A pass is no proof while a record in it had no readable id, for that one could be any of those missing. More than
    `share` of all records (but one may always go) is more likely a source in trouble than the truth.
    """
    if not progress.proven:
        return 0, ProblemCode.UNPROVEN
    row = await connection.fetchrow(_COUNT, feed_id, progress.number)
    if row is None or row["unseen"] > max(1, floor(row["held"] * share)):
        return 0, ProblemCode.REMOVAL_REFUSED
    gone = [row["id"] for row in await connection.fetch(_REMOVE, feed_id, progress.number)]
    await forget(connection, gone)
    await connection.execute(_SETTLE_QUARANTINE, feed_id, progress.number)
    return len(gone), None
