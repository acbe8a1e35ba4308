"""Keys that are not those the database was sealed with: nothing starts with them, and the doctor says so."""

import asyncio
from pathlib import Path
from time import time

import pytest

from auth.keyring import Keyring, KeyringError
from auth.signing_keys import SigningKeys
from hub.audit.head import HeadKeys
from hub.key_check import check_data_keys, check_signing_keys
from tests.hub.keys import key_file, urls
from tests.hub.shell import Run
from tests.hub.test_worker import running
from tests.world import KEYRING, World

OTHERS = "these are not the keys this database was sealed with"


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """The file of the keys that tests seal with."""
    return key_file(tmp_path, "right.json")


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A file as good as any, made for another database."""
    Keyring.create(tmp_path / "wrong.json")
    return tmp_path / "wrong.json"


async def start(command: str, **environment: str) -> tuple[int | None, str]:
    """Start a process of the hub until it ends or is at work; give its status, None if it started, and what it said."""
    said = ""
    async with running(command, **environment) as process:
        assert process.stderr is not None
        while line := (await process.stderr.readline()).decode():
            said += line
            if "hub.serving" in line or "worker.started" in line:
                return None, said
        return await process.wait(), said


async def add_signing_key(world: World) -> None:
    """Sign a first token."""
    await SigningKeys(await world.database.connect("hub_auth"), KEYRING, time).signing()


async def test_the_right_keys_open_what_is_there(world: World) -> None:
    """Signing keys, and a data key of each kind that the role may read; no more is read than that."""
    auth, app = [await world.database.connect(role) for role in ("hub_auth", "hub_app")]
    nothing = await check_signing_keys(auth, KEYRING), await check_data_keys(app, KEYRING)
    await world.case()
    await world.referral("pen-centre", documents={})
    await add_signing_key(world)

    assert nothing == (0, 0)
    assert (await check_signing_keys(auth, KEYRING), await check_data_keys(app, KEYRING)) == (1, 2)
    assert await app.fetchval("select count(*) from case_key") == 0


async def test_other_keys_are_refused(world: World, wrong: Path) -> None:
    """By the signing keys alone, and by a data key alone."""
    await add_signing_key(world)
    await world.case()
    for role, check in (("hub_auth", check_signing_keys), ("hub_app", check_data_keys)):
        with pytest.raises(KeyringError, match=f"HUB_KEYS_FILE: {OTHERS}"):
            await check(await world.database.connect(role), Keyring.load(wrong))


@pytest.mark.parametrize("sealed", ["signing key", "data key"])
async def test_a_hub_does_not_start_with_other_keys(
    world: World, wrong: Path, unused_tcp_port: int, sealed: str
) -> None:
    """It names the setting and the way out, in one line."""
    await (add_signing_key(world) if sealed == "signing key" else world.case())

    status, said = await start("serve", **urls(world.database, wrong), HUB_PORT=str(unused_tcp_port))

    assert status == 1
    assert said.startswith(f"HUB_KEYS_FILE: {OTHERS}: a {sealed} does not open")
    assert said.count("\n") == 1


@pytest.mark.parametrize("sealed", ["a case", "the audit log's signatures"])
async def test_a_worker_does_not_start_with_other_keys(world: World, wrong: Path, sealed: str) -> None:
    """It reads wrapped keys of every kind, and any one of them tells."""
    if sealed == "a case":
        await world.case()
    else:
        await HeadKeys(await world.database.connect("hub_worker"), KEYRING).signing()

    status, said = await start("worker", **urls(world.database, wrong))

    assert status == 1
    assert said.startswith(f"HUB_KEYS_FILE: {OTHERS}: a data key does not open")


async def test_the_doctor_tells_other_keys_from_the_right_ones(
    hub: Run, world: World, right: Path, wrong: Path
) -> None:
    """For each login that can tell."""
    await add_signing_key(world)
    await world.case()

    well = await asyncio.to_thread(hub, "doctor", **urls(world.database, right))
    ill = await asyncio.to_thread(hub, "doctor", **urls(world.database, wrong))

    assert (well.status, ill.status) == (0, 1), well.out
    assert "hub_auth: sealed keys well 1 tried, each opens" in well.words
    assert "hub_worker: sealed keys well 1 tried, each opens" in well.words
    assert ill.words.count(OTHERS) == 3
