"""The keys that wrap all others change while the hub answers; an old one is destroyed when nothing needs it, and not before."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from auth.keyring import Keyring, KeyringError
from hub import rotation
from hub.audit.head import HeadKeys
from hub.key_check import check_data_keys, check_signing_keys
from hub.sealing import Sealing
from tests.conftest import Database
from tests.hub.commands.kit import done, feed_record, referral
from tests.hub.keys import beside, epochs, key_file, urls
from tests.hub.shell import Run
from tests.hub.test_worker import running
from tests.hub.waiting import waiting
from tests.world import NOON, World, build

NAMES = "{ cases { edges { node { identity { familyName } } } } referrals { edges { node { person { identity { familyName } } } } } }"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The key file of a hub."""
    return key_file(tmp_path)


def held_in(file: Path) -> set[str]:
    """Name the epochs whose key a file has."""
    return set(json.loads(file.read_text())["keks"])


async def wrapped_by(world: World) -> dict[str, int]:
    """Say how many keys each epoch wraps."""
    worker, auth = await world.database.connect("hub_worker"), await world.database.connect("hub_auth")
    return {epoch.name: epoch.wraps for epoch in await rotation.epochs(worker, auth) if epoch.wraps}


@asynccontextmanager
async def asking(*worlds: World) -> AsyncIterator[list[Any]]:
    """Ask and change things through each of these processes, one request after the other, as long as the block lasts."""
    answers: list[Any] = []
    over = asyncio.Event()

    async def ask(world: World) -> None:
        while not over.is_set():
            given = {"input": {"idempotencyKey": str(uuid4()), **referral()}}
            kind = "mutation ($input: SubmitReferralInput!) { submitReferral(input: $input) { referral { person { identity { familyName } } } problems { code } } }"
            answers.extend((await world.ask("pen", kind, given), await world.ask("desk", NAMES)))

    tasks = [asyncio.create_task(ask(world)) for world in worlds]
    try:
        yield answers
    finally:
        over.set()
        await asyncio.gather(*tasks)


async def more(answers: list[Any], count: int = 8) -> None:
    """Wait for further answers."""
    wanted = len(answers) + count
    while len(answers) < wanted:  # noqa: ASYNC110 no event to wait for
        await asyncio.sleep(0.01)


async def test_keys_change_while_two_processes_answer(hub: Run, world: World, file: Path) -> None:
    """None is started anew and no answer fails; in the end nothing is wrapped by the old key, and it is gone from the file."""
    for name in ("n1", "n2"):
        await world.case()
        await feed_record(world, name)
    operator = world.database
    async with build(operator, keyring=Keyring.load(file)) as a, build(operator, keyring=Keyring.load(file)) as b:
        async with asking(beside(world, a, "pen", "desk"), beside(world, b, "pen", "desk")) as answers:
            await more(answers)
            said = [await epochs(hub, world, file, "rotate")]
            await more(answers)
            said.append(await epochs(hub, world, file, "rewrap"))
            await more(answers)
            said.append(await epochs(hub, world, file, "destroy", "1", "--early"))
            await more(answers)
        last = [await world.data("desk", NAMES) for world in (a, b)]

    assert [each.status for each in said] == [0, 0, 0], [each.words for each in said]
    assert [answer for answer in answers if "errors" in answer] == []
    assert {edge["node"]["identity"]["familyName"] for edge in last[0]["cases"]["edges"]} == {"Farahani"}
    assert last[0] == last[1]
    assert list(await wrapped_by(world)) == ["2"]
    assert held_in(file) == {"2"}


async def test_rewrapping_goes_on_where_it_was_killed(hub: Run, world: World, file: Path) -> None:
    """Killed between two batches and in the middle of one: every key opens at every moment, and the next run ends it."""
    for number in range(7):
        await world.case()
        await world.referral("pen-centre", documents={}, client_reference=str(number))
    keyring = Keyring.load(file)
    await rotation.rotate(await world.database.connect("hub_worker"), keyring)
    await world.database.admin(
        "create sequence hub.turns; create function hub.dies() returns trigger language plpgsql security definer as"
        " $$ begin if nextval('hub.turns') = 3 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$;"
        "create trigger dies before update on hub.case_key for each row execute function hub.dies()"
    )
    worker = await world.database.connect("hub_worker")
    assert await rotation.rewrap(worker, keyring, "case_key", batch=2) == 2
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await rotation.rewrap(worker, keyring, "case_key", batch=2)
    midway = await wrapped_by(world)
    async with world.admin.transaction():
        await world.admin.execute("lock table referral_key in exclusive mode")
        async with running("epochs", "rewrap", **urls(world.database, file)) as process:
            await waiting(world.admin, "referral_key")
            process.send_signal(signal.SIGKILL)
            await process.wait()
    between = await wrapped_by(world)
    opened = await check_data_keys(await world.database.connect("hub_worker"), Keyring.load(file))
    said = await epochs(hub, world, file, "rewrap")

    assert (midway, between, opened) == ({"1": 12, "2": 2}, {"1": 7, "2": 7}, 2)
    assert "7 keys wrapped anew, none left" in said.words
    assert await wrapped_by(world) == {"2": 14}


async def _case_key(world: World) -> None:
    await world.case()


async def _signing_key(world: World) -> None:
    await world.data("desk", "{ viewer { clientId } }")


async def _audit_key(world: World) -> None:
    await HeadKeys(await world.database.connect("hub_worker"), world.sealing._keyring).signing()  # noqa: SLF001 as the worker has it


@pytest.mark.parametrize("make", [_case_key, _signing_key, _audit_key])
async def test_an_epoch_that_wraps_anything_is_not_destroyed(hub: Run, world: World, file: Path, make: Any) -> None:
    """One key of whatever kind is enough; it is destroyed once that is wrapped anew."""
    await make(world)
    await epochs(hub, world, file, "rotate")
    refused = await epochs(hub, world, file, "destroy", "1", "--early")
    kept = held_in(file)
    await epochs(hub, world, file, "rewrap")
    last = await epochs(hub, world, file, "destroy", "1", "--early")

    assert refused.status == 1
    assert "1 keys are still wrapped by epoch 1: run hub epochs rewrap first." in refused.words
    assert kept == {"1", "2"}
    assert (last.status, held_in(file)) == (0, {"2"})
    assert await check_data_keys(await world.database.connect("hub_worker"), Keyring.load(file)) >= 0
    assert await check_signing_keys(await world.database.connect("hub_auth"), Keyring.load(file)) >= 0


async def test_an_epoch_is_kept_for_its_backups(hub: Run, world: World, file: Path) -> None:
    """The one in use always, an old one for its days; and one that is not there cannot be destroyed."""
    await epochs(hub, world, file, "rotate")
    said = {name: (await epochs(hub, world, file, "destroy", name)).words for name in ("1", "2", "7")}
    await world.set_now(datetime.fromtimestamp(NOON).astimezone() + timedelta(days=29, hours=23))
    early = await epochs(hub, world, file, "destroy", "1")
    await world.set_now(datetime.fromtimestamp(NOON).astimezone() + timedelta(days=30))
    due = await epochs(hub, world, file, "destroy", "1")
    again = await epochs(hub, world, file, "destroy", "1")
    listed = await epochs(hub, world, file, "list")

    assert "it is kept until 2026-07-01" in said["1"]
    assert "Epoch 2 is in use" in said["2"]
    assert "There is no retired epoch '7'" in said["7"]
    assert (early.status, due.status, again.status) == (1, 0, 0)
    assert "1 2026-06-01 2026-07-01 0 not in the file 2 2026-06-01 0 in use" in listed.words


async def test_nothing_can_be_wrapped_by_a_key_that_is_gone(hub: Run, world: World, file: Path) -> None:
    """A process that was given its keys otherwise, and does not follow the file, is stopped by the database."""
    await done(world, "pen", "submitReferral", referral())
    for command in (("rotate",), ("rewrap",), ("destroy", "1", "--early")):
        assert (await epochs(hub, world, file, *command)).status == 0
    given = {"input": {"idempotencyKey": "k", **referral()}}
    kind = "mutation ($input: SubmitReferralInput!) { submitReferral(input: $input) { problems { code } } }"
    failed = await world.send("pen", kind, given)

    assert failed.status == 500
    assert await wrapped_by(world) == {"2": 2}


async def test_a_key_that_is_being_made_is_waited_for(world: World, file: Path) -> None:
    """Who wraps by the old key at this very moment is counted when it is done."""
    worker, auth = await world.database.connect("hub_worker"), await world.database.connect("hub_auth")
    case, keyring = await world.case(), Keyring.load(file)
    old = Sealing(Keyring.load(file)).new_key()
    await world.admin.execute("delete from case_key")
    await rotation.rotate(worker, keyring)
    async with world.admin.transaction():
        await world.admin.execute("insert into case_key values ($1, $2, $3)", case, old.kek, old.wrapped)
        destroying = asyncio.create_task(rotation.destroy(worker, auth, keyring, "1", 0))
        await waiting(world.admin, "case_key")
    with pytest.raises(rotation.EpochError, match="1 keys are still wrapped"):
        await destroying
    assert set(keyring.keks) == {"1", "2"}


async def test_a_rotation_that_was_cut_off_is_finished_by_the_next(world: World, file: Path) -> None:
    """The database had noted it and the file could not be written: the same epoch is made then."""
    worker = await world.database.connect("hub_worker")
    missing = Keyring.load(file)
    missing.file = file.parent / "nowhere" / "keys.json"
    with pytest.raises(KeyringError, match="HUB_KEYS_FILE: cannot write"):
        await rotation.rotate(worker, missing)

    assert await rotation.rotate(worker, Keyring.load(file)) == "2"
    assert await rotation.rotate(worker, Keyring.load(file)) == "3"
    assert [(epoch.name, epoch.retired_at is None) for epoch in await rotation.epochs(worker)] == [("1", False), ("2", False), ("3", True)]  # fmt: skip


async def test_keys_in_the_environment_are_not_changed_by_commands(hub: Run, world: World, file: Path) -> None:
    """There is no file to write: it says where they are to be changed."""
    settings = urls(world.database, file)
    del settings["HUB_KEYS_FILE"]
    text = await asyncio.to_thread(file.read_text)
    said = await asyncio.to_thread(hub, "epochs", "rotate", HUB_KEYS=text, **settings)

    assert said.status == 1
    assert "HUB_KEYS: keys in the environment are changed there" in said.words


def test_a_process_follows_its_file_and_no_other_hubs(file: Path, tmp_path: Path) -> None:
    """A new epoch is used at once; a broken file, one open to others, and one with other roots are not followed."""
    serving, operator = Keyring.load(file), Keyring.load(file)
    reading = Keyring.load(file)
    before = serving.wrap(b"k" * 32)
    operator.add("2")
    assert reading.unwrap(*operator.wrap(b"k" * 32)) == b"k" * 32
    after = serving.wrap(b"k" * 32)
    stranger = Keyring.create(tmp_path / "other.json")
    kept = tmp_path / "kept.json"
    shutil.copy(file, kept)
    for broken in ("{", (tmp_path / "other.json").read_text()):
        file.write_text(broken)
        assert serving.wrap(b"k" * 32)[0] == "2"
    shutil.copy(kept, file)
    file.chmod(0o644)
    operator_again = Keyring.load(kept)
    assert serving.wrap(b"k" * 32)[0] == "2"

    assert (before[0], after[0]) == ("1", "2")
    assert stranger.roots != serving.roots
    assert operator_again.unwrap(*before) == operator_again.unwrap(*after) == serving.unwrap(*after) == b"k" * 32
    file.chmod(0o600)
    operator.drop("1")
    serving.wrap(b"k" * 32)
    with pytest.raises(KeyringError):
        serving.unwrap(*before)


async def test_only_the_operators_login_changes_epochs(database: Database) -> None:
    """Neither requests nor the authorization server can call one destroyed, or make one."""
    for role in ("hub_app", "hub_auth"):
        connection = await database.connect(role)
        for sql in ("select from key_epoch", "insert into key_epoch (name) values ('9')", "update key_epoch set destroyed_at = hub_now()"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)


async def test_whatever_is_wrapped_is_wrapped_anew_and_by_no_key_that_is_gone(world: World) -> None:
    """A table of wrapped keys that comes to the database must come to the rotation, and so to what is looked for before a hub starts."""
    tables = await world.admin.fetch(
        "select c.relname, exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'refuse_destroyed_epoch') as refuses"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'kek'"
        " where c.relkind = 'r' and c.relnamespace in ('hub'::regnamespace, 'auth'::regnamespace)"
    )

    assert {row["relname"] for row in tables} == set(rotation.DATA_KEYS)
    assert all(row["refuses"] for row in tables)
