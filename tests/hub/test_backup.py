"""A backup, as the README tells to make and to restore it: nothing is lost, and both walls stand afterwards."""

import asyncio
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auth.client import HubClient, over_httpx
from auth.keyring import Keyring, KeyringError
from hub.definers import DEFINERS
from hub.embedded import ADMIN, Server, _programs
from hub.key_check import check_data_keys
from hub.migrate import ensure_roles, migrate
from hub.sealing import SealBrokenError, Sealing
from hub.self_check import self_check
from tests.conftest import Database, new_database
from tests.hub.commands.whole_case import erase, whole_case
from tests.hub.keys import beside, epochs, key_file, urls
from tests.hub.shell import Run
from tests.world import KEYRING, World, build

NAMES = "{ cases { edges { node { identity { familyName } } } } }"


async def run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL."""
    command = [str(_programs() / program), *arguments]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


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


def opened(keyring: Keyring, documents: list[Any]) -> list[str]:
    """Open documents of a restored database with the keys of a file; say of each whether it opens."""
    sealing, found = Sealing(keyring), []
    for row in documents:
        try:
            key = sealing.key(row["kek"], row["wrapped"])
            found.append(sealing.open(key, row["subject"], row["category"], row["key_version"], row["sealed"]).decode())
        except SealBrokenError:
            found.append("sealed")
    return found


DOCUMENTS = """
select 'case:' || s.case_id as subject, 'IDENTITY' as category, s.key_version, s.sealed, k.kek, k.wrapped from case_identity s join case_key k using (case_id)
union all select 'referral:' || s.referral_id, s.category::text, s.key_version, s.sealed, k.kek, k.wrapped from referral_person s join referral_key k using (referral_id)
union all select 'feed_record:' || s.record, s.category::text, s.key_version, s.sealed, k.kek, k.wrapped from feed_record_person s join feed_record_key k using (record)
"""


async def test_no_backup_opens_what_was_erased_once_its_key_epoch_is_destroyed(
    hub: Run, world: World, server: Server, tmp_path: Path
) -> None:
    """Restored from before the erasure: with the keys as they were it is all there, with the keys that are left nothing of it is."""
    file = key_file(tmp_path)
    whole = await whole_case(world)
    dump, doctor = str(tmp_path / "dump"), []

    async def examine() -> str:
        said = await asyncio.to_thread(hub, "doctor", **urls(world.database, file))
        (line,) = re.findall(r"backups (?:well|look) .*?(?= [a-z]+ log )", said.words)
        return str(line)

    await run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={world.database.dsn(ADMIN)}")
    doctor.append(await examine())
    await erase(world, whole)
    doctor.append(await examine())
    await world.set_now(datetime(2026, 6, 2, tzinfo=UTC))
    assert [(await epochs(hub, world, file, name)).status for name in ("rotate", "rewrap")] == [0, 0]
    doctor.append(await examine())
    async with new_database(server, "from_before") as copy:
        await ensure_roles(copy.dsn(ADMIN))
        await migrate(copy.dsn("hub_migrate"))
        await run("pg_restore", "--clean", "--if-exists", f"--dbname={copy.dsn(ADMIN)}", dump)
        documents = await (await copy.connect(ADMIN)).fetch(DOCUMENTS)
        before = opened(Keyring.load(file), documents)
        async with build(copy, keyring=Keyring.load(file)) as again:
            told = await beside(world, again, "desk").data("desk", NAMES)
        await world.set_now(datetime(2026, 7, 2, 1, tzinfo=UTC))
        doctor.append(await examine())
        assert (await epochs(hub, world, file, "destroy", "1")).status == 0
        doctor.append(await examine())
        after = opened(Keyring.load(file), documents)
        with pytest.raises(KeyringError, match="not the keys this database was sealed with"):
            await check_data_keys(await copy.connect("hub_app"), Keyring.load(file))

    assert len(documents) == 9
    assert "sealed" not in before
    assert any("Farahani" in text for text in before)
    assert told["cases"]["edges"] == [{"node": {"identity": {"familyName": "Farahani"}}}]
    assert set(after) == {"sealed"}
    assert doctor == [
        "backups well nothing was erased yet",
        "backups look backups older than 2026-06-01 12:00 UTC can still open some of the 1 erased so far, until 30 days after the next hub epochs rotate",
        "backups well backups older than 2026-06-01 12:00 UTC can still open some of the 1 erased so far, until 2026-07-02",
        "backups look backups older than 2026-06-01 12:00 UTC can still open some of the 1 erased so far, until hub epochs destroy takes what is due: 1",
        "backups well what was erased before 2026-06-02 00:00 UTC is gone from every backup",
    ]
