"""A backup, as the README tells to make and to restore it: nothing is lost, and both walls stand afterwards."""

import asyncio
import subprocess
from pathlib import Path

from auth.client import HubClient, over_httpx
from hub.app import DEFINERS
from hub.embedded import ADMIN, Server, _programs
from hub.key_check import check_data_keys
from hub.migrate import ensure_roles, migrate
from hub.self_check import self_check
from tests.conftest import Database, new_database
from tests.world import KEYRING, World, build


async def run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL."""
    command = [str(_programs() / program), *arguments]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)


async def test_a_restored_database_answers_as_the_one_that_was_dumped(
    world: World, server: Server, tmp_path: Path
) -> None:
    """Into a migrated empty one, by the administrator; row security has no hole, and the old keys open what is there."""
    await world.case()
    await world.agreement("pen-centre")
    dump = str(tmp_path / "dump")
    question = "{ cases { totalCount edges { node { reference identity { familyName } } } } }"
    before = await world.data("desk", question)
    await run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={world.database.dsn(ADMIN)}")

    async with new_database(server, "restored") as copy:
        await ensure_roles(copy.dsn(ADMIN))
        await migrate(copy.dsn("hub_migrate"))
        await run("pg_restore", "--clean", "--if-exists", f"--dbname={copy.dsn(ADMIN)}", dump)
        holes = [await self_check(await copy.connect(role), DEFINERS) for role in ("hub_app", "hub_auth", "hub_worker")]
        opened = await check_data_keys(await copy.connect("hub_app"), KEYRING)
        async with build(Database(server, copy.name)) as again:
            credentials = world.clients["desk"].credentials
            again.clients["desk"] = HubClient(credentials, over_httpx(again.http), clock=lambda: again.now)
            after = await again.data("desk", question)

    assert holes == [[], [], []]
    assert opened == 1
    assert after == before
