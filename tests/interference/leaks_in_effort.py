"""This module makes holes that no answer shows: work that is done only where there is something hidden. No hub is built so."""

from datetime import timedelta
from typing import Any, Final

from starlette.datastructures import MutableHeaders

from tests.interference.leaks_in_answers import answered
from tests.world import World

DOCUMENTS: Final = (
    "select s.case_id, s.key_version, s.sealed, k.kek, k.wrapped from case_identity s join case_key k using (case_id)"
)
LINKED: Final = (
    "select distinct f.code from feed_record_link l join feed_record r on r.id = l.record join feed f on f.id = r.feed"
)


async def a_second_look(hub: World, _: Any, __: Any, ___: MutableHeaders) -> None:
    """Ask once more where there is much."""
    if await hub.admin.fetchval("select count(*) > 6 from case_file"):
        await hub.app.state.pools.app.fetchval("select hub_now()")


async def opened_in_vain(hub: World, _: Any, __: Any, ___: MutableHeaders) -> None:
    """Open every document, and throw it away."""
    sealing = hub.app.state.engine.sealing
    for row in await hub.admin.fetch(DOCUMENTS):
        key = sealing.key(row["kek"], row["wrapped"])
        sealing.open(key, f"case:{row['case_id']}", "IDENTITY", row["key_version"], row["sealed"])


async def asked_of_somebody(hub: World, _: Any, __: Any, ___: MutableHeaders) -> None:
    """Ask just those feeds that say something of a case."""
    for row in await hub.admin.fetch(LINKED):
        await hub.app.state.refresher.refresh([row["code"]], timedelta(0), timedelta(seconds=5))


async def looked_through(hub: World, _: Any, __: Any, ___: MutableHeaders) -> None:
    """Look through all there are with one statement, and leave out what is hidden afterwards."""
    await hub.admin.fetch("select id from case_file")


EFFORTS: Final = (
    ("statements", answered("a second statement is sent where there is much", a_second_look)),
    ("opened", answered("a hidden document is opened and thrown away", opened_in_vain)),
    ("pulled", answered("a feed is asked because it says something of a hidden case", asked_of_somebody)),
    ("touched", answered("hidden rows are fetched and left out", looked_through)),
)
"""In what each shows, and the leak."""
