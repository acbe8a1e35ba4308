"""What an operator sees and does of feeds at the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.fakes import kobo
from connectors.fakes.faults import Faults
from connectors.fakes.serve import serve
from connectors.kinds import KINDS
from tests.hub.keys import key_file
from tests.hub.shell import Run
from tests.world import World

TOKEN = "invented-token"
START = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_kind_tells_its_settings(hub: Run) -> None:
    """As a JSON Schema each; one may be asked for, and one that is none is told so."""
    everything, one, none = hub("feed", "kinds"), hub("feed", "kinds", "kobo"), hub("feed", "kinds", "FAX")

    assert all(f"{kind.name}: {kind.summary}\n" in everything.out for kind in KINDS.values())
    heading, _, schema = one.out.partition("\n")
    assert heading.startswith("KOBO: ")
    assert "doorbell" in json.loads(schema)["$defs"]["KoboSettings"]["properties"]
    assert (none.status, "choose from GRAPHQL, REST, KOBO" in none.words) == (1, True)


async def test_a_feed_is_tried_synced_and_looked_at(hub: Run, world: World, tmp_path: Path) -> None:
    """Trying writes nothing and shows nobody; syncing fills the replica; the table tells what is left to do."""
    records = [kobo.record(str(number), START + timedelta(hours=number), "Zyxwvutia") for number in range(1, 6)]
    records[4] = {**records[4], "_submission_time": "yesterday"}
    faults = Faults()
    async with serve(kobo.app(records, TOKEN, faults)) as host:
        shell = {
            "HUB_WORKER_DATABASE_URL": world.database.dsn("hub_worker"), "HUB_KEYS_FILE": str(key_file(tmp_path)),
            "HUB_FEED_PRIVATE_HOSTS": host, "HUB_SECRET_KOBO_TOKEN": TOKEN,
        }  # fmt: skip
        settings = {**kobo.SETTINGS, "url": f"http://{host}/api/v2/assets/{kobo.FORM}/data/"}
        await world.admin.execute(
            "insert into feed (code, organisation, kind, settings, mapping) values ('kobo-form', $1, 'KOBO', $2, $3)",
            world.organisations["pen-centre"], json.dumps(settings), json.dumps(kobo.MAPPING),
        )  # fmt: skip

        async def run(*words: str) -> tuple[int, str]:
            said = await asyncio.to_thread(hub, *words, **shell)
            assert "Zyxwvutia" not in said.words
            return said.status, said.words

        tried = await run("feed", "try", "kobo-form")
        held = await world.admin.fetchval(
            "select count(*) from feed_record r join feed f on f.id = r.feed where f.code = 'kobo-form'"
        )
        synced = await run("feed", "sync", "kobo-form")
        status = await run("feed", "status")
        doctor = await run("doctor")
        absent = await run("feed", "try", "nobody")
        faults.unauthorized_empty = True
        refused = await run("feed", "try", "kobo-form")
        failed = await run("feed", "sync", "kobo-form")

    assert (tried[0], held) == (0, 0)
    assert "person.identity.givenName 4 of 4" in tried[1]
    assert "rejected 1: INVALID_VALUE submittedAt" in tried[1]
    assert "4 of 5 records on the first page can be mapped; that is all." in tried[1]
    assert synced == (0, "FRESH: 5 read, 4 changed, 1 rejected, 0 removed. ")
    assert "kobo-form KOBO FRESH" in status[1]
    assert "4 1 1" in status[1]
    assert "1 in quarantine" in doctor[1]
    assert (absent[0], "There is no feed 'nobody'; there are:" in absent[1]) == (1, True)
    assert (refused[0], "kobo-form cannot be read: AUTH_REFUSED." in refused[1]) == (1, True)
    assert (failed[0], "STALE: 0 read" in failed[1]) == (1, True)
