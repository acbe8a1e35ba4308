"""The command line: it teaches, it names what is wrong and what to do, and its exit status can be relied on."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from auth.keyring import Keyring
from hub.embedded import Server
from tests.conftest import Database
from tests.hub.shell import Run
from tests.world import World

COMMANDS = (
    "demo", "query", "token", "schema", "serve", "worker", "migrate", "keygen", "organisation create", "organisation provider", "client add", "client set", "user invite", "agreement list",
    "referrals template", "referrals import", "referrals export", "documents publish", "documents list", "documents withdraw", "doctor", "audit verify", "audit heads", "audit check-proof", "keys rotate", "epochs list", "epochs rotate", "epochs rewrap", "epochs destroy", "panic",
)  # fmt: skip


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """A credentials file with one client of a hub that does not run."""
    entry: dict[str, Any] = {
        "name": "pen", "client_id": "pen", "scopes": ["cases:read"], "issuer": "http://127.0.0.1:1",
        "token_url": "http://127.0.0.1:1/oauth/token", "graphql_url": "http://127.0.0.1:1/graphql",
        "private_jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
    }  # fmt: skip
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps([entry]))
    return file


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(hub: Run, command: str) -> None:
    """With what it does, and an example that begins with hub or with what to set."""
    said = hub(*command.split(), "--help")

    assert said.status == 0
    assert re.search(rf"^\s*(HUB_\S+ )*hub {command}", said.out, re.MULTILINE)


def test_hub_alone_lists_its_commands(hub: Run) -> None:
    """Each with its first sentence."""
    said = hub("--help")

    for command in COMMANDS:
        assert re.search(rf"^│ {command.split()[0]} +[A-Z]", said.out, re.MULTILINE)


def test_a_misspelt_command_is_told_what_was_meant(hub: Run) -> None:
    """And ends with the status of a wrong use."""
    said = hub("serv")

    assert said.status == 2
    assert "serve" in said.words


def test_a_start_without_settings_names_them_all(hub: Run) -> None:
    """At once, each with what it should be."""
    said = hub("serve")

    assert said.status == 1
    for setting in ("HUB_DATABASE_URL", "HUB_AUTH_DATABASE_URL", "HUB_WORKER_DATABASE_URL", "HUB_KEYS_FILE"):
        assert f"{setting} is not set." in said.words


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        ("serve", {"HUB_PROT": "8000"}, "HUB_PROT: there is no such setting. Is it HUB_PORT?"),
        ("worker", {"HUB_PORT": "0"}, "HUB_PORT"),
        ("migrate", {}, "HUB_MIGRATE_DATABASE_URL is not set."),
        ("worker", {"HUB_WORKER_DATABASE_URL": "postgresql://hub_worker@localhost/hub"}, "HUB_KEYS_FILE is not set."),
        ("doctor", {}, "HUB_WORKER_DATABASE_URL is not set."),
        ("worker", {"HUB_WORKER_DATABASE_URL": "postgresql://hub_app:secretword@localhost/hub"}, "should log in as hub_worker"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(hub: Run, command: str, environment: dict[str, str], expected: str) -> None:
    """With what it should be, never with what it was."""
    said = hub(command, **environment)

    assert said.status == 1
    assert expected in said.words
    assert "secretword" not in said.words
    assert "Traceback" not in said.words


def test_keys_that_others_may_read_stop_the_start(hub: Run, tmp_path: Path) -> None:
    """With the command that mends it."""
    keys = tmp_path / "keys.json"
    Keyring.create(keys)
    keys.chmod(0o644)

    said = hub("worker", HUB_KEYS_FILE=str(keys), HUB_WORKER_DATABASE_URL="postgresql://hub_worker@localhost/hub")

    assert said.status == 1
    assert f"chmod 600 {keys}" in said.words


@pytest.mark.parametrize("command", [("worker",), ("audit", "verify")])
def test_an_unreachable_database_is_one_clear_line(hub: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    """It names the setting, and not the address or the password in it."""
    Keyring.create(tmp_path / "keys.json")

    said = hub(
        *command,
        HUB_KEYS_FILE=str(tmp_path / "keys.json"),
        HUB_WORKER_DATABASE_URL="postgresql://hub_worker:secretword@127.0.0.1:1/hub",
    )

    assert said.status == 1
    assert said.err.count("\n") == 1
    assert said.err.startswith("HUB_WORKER_DATABASE_URL: the database cannot be reached")
    assert "secretword" not in said.words


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--client", "nobody", "{ viewer { clientId } }"), "There is no client 'nobody'"),
        (("--client", "pen", "@nowhere.graphql"), "nowhere.graphql cannot be read"),
        (("--client", "pen", "{ x }", "--variables", "[1]"), "--variables should be a JSON object"),
        (("--client", "pen", "{ x }"), "Nothing answers at http://127.0.0.1:1"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(
    hub: Run, credentials: Path, arguments: tuple[str, ...], expected: str
) -> None:
    """With exit status 1."""
    said = hub("query", "--credentials", str(credentials), *arguments)

    assert said.status == 1
    assert expected in said.words


def test_a_purpose_that_is_none_is_told_which_there_are(hub: Run, credentials: Path) -> None:
    """As a wrong use of the command."""
    said = hub("query", "--client", "pen", "--credentials", str(credentials), "--purpose", "CURIOSITY", "{ x }")

    assert said.status == 2
    assert "PROTECTION" in said.words


def test_missing_credentials_say_where_they_come_from(hub: Run, tmp_path: Path) -> None:
    """From the demonstration, or from a file that is named."""
    said = hub("token", "--client", "pen", "--credentials", str(tmp_path / "none.json"))

    assert said.status == 1
    assert "start `hub demo`, or name a file" in said.words


async def test_migrate_makes_a_database_whole_and_says_what_it_did(hub: Run, empty_database: Database) -> None:
    """Twice, and the second time there is nothing to do; without the administrator the first cannot be."""
    migrating = {"HUB_MIGRATE_DATABASE_URL": empty_database.dsn("hub_migrate")}

    early = await asyncio.to_thread(hub, "migrate", **migrating)
    first = await asyncio.to_thread(hub, "migrate", HUB_ADMIN_DATABASE_URL=empty_database.dsn("postgres"), **migrating)
    second = await asyncio.to_thread(hub, "migrate", **migrating)

    assert (early.status, first.status, second.status) == (1, 0, 0)
    assert "HUB_ADMIN_DATABASE_URL" in early.words or "HUB_MIGRATE_DATABASE_URL" in early.words
    assert "applied 0001_foundation" in first.out
    assert second.out == "Up to date.\n"


async def test_the_doctor_finds_a_sound_installation_well(hub: Run, world: World, tmp_path: Path) -> None:
    """With no more than a worker is given."""
    Keyring.create(tmp_path / "keys.json")

    said = await asyncio.to_thread(hub, "doctor", **worker(world.database, tmp_path))

    assert said.status == 0, said.out
    assert "wrong" not in said.out
    for subject in ("keys", "PostgreSQL 18 answers", "roles and row security", "none pending", "audit log"):
        assert subject in said.words


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        ("alter table hub.city no force row level security", "table hub.city does not FORCE"),
        ("delete from hub.migration where name like '0010%'", "pending: 0010_outcomes: run hub migrate"),
        ("update hub.migration set sha256 = 'x' where name like '0002%'", "not those of this version: 0002_organisations"),
        (
            (
                "insert into hub.audit (organisation, client, action, operation, subjects, categories, proof, at)"
                " select id, 'x', 'q', '', '{}', '{}', '', hub.hub_now() - interval '2 minutes' from hub.organisation limit 1"
            ),
            "the oldest for 120 s: is a worker running?",
        ),
    ],
)  # fmt: skip
async def test_the_doctor_names_what_is_wrong(hub: Run, world: World, tmp_path: Path, harm: str, expected: str) -> None:
    """And ends with status 1."""
    Keyring.create(tmp_path / "keys.json")
    await world.database.admin(harm)

    said = await asyncio.to_thread(hub, "doctor", **worker(world.database, tmp_path))

    assert said.status == 1
    assert expected in said.words


async def test_the_doctor_tells_how_many_receipts_are_owed(hub: Run, world: World, tmp_path: Path) -> None:
    """And asks to look at them once the oldest is two weeks old; whose, and about whom, it does not say."""
    Keyring.create(tmp_path / "keys.json")
    for at in ("2026-05-18T12:00:00Z", "2026-05-18T11:59:59Z"):
        await world.insert("retraction", id=uuid4(), organisation=world.organisations["pen-centre"], kind="case", subject=uuid4(), categories=["OVERVIEW"], at=at)  # fmt: skip
        said = await asyncio.to_thread(hub, "doctor", **worker(world.database, tmp_path))

        assert said.status == 0, said.out
        assert ("look" in said.out.partition("receipts")[2]) == at.startswith("2026-05-18T11")
    assert "2 owed for what was retracted, the oldest since 2026-05-18" in said.words


async def test_the_doctor_goes_on_when_something_cannot_be_looked_at(
    hub: Run, server: Server, world: World, tmp_path: Path
) -> None:
    """Missing keys and a database that is not there are findings among others."""
    environment = {**worker(world.database, tmp_path), "HUB_DATABASE_URL": server.dsn("hub_app", "nowhere")}

    said = await asyncio.to_thread(hub, "doctor", **environment)

    assert said.status == 1
    assert "there is no such database" in said.words
    assert "HUB_KEYS_FILE: cannot read" in said.words
    assert "roles and row security well hold" in said.words


def worker(database: Database, folder: Path) -> dict[str, str]:
    """What a worker's container sets."""
    return {"HUB_WORKER_DATABASE_URL": database.dsn("hub_worker"), "HUB_KEYS_FILE": str(folder / "keys.json")}
