"""Ordinary mistakes at the command line: each is named by what was typed, with the fix, and none is a fault of the hub."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from hub.embedded import Server
from tests.conftest import Database
from tests.hub.shell import Run, Said
from tests.world import World

KEY = ECKey.generate_key("P-256").as_dict(private=True)
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def entry() -> dict[str, Any]:
    """A good entry of a credentials file, of a hub that does not run."""
    return {
        "name": "pen", "client_id": "pen", "issuer": NOWHERE, "token_url": f"{NOWHERE}/oauth/token",
        "graphql_url": f"{NOWHERE}/graphql", "private_jwk": KEY,
    }  # fmt: skip


Ask = Callable[[Any], Said]


@pytest.fixture
def ask(hub: Run, tmp_path: Path) -> Ask:
    """Ask with a credentials file that holds this."""

    def asked(content: Any) -> Said:
        file = tmp_path / "c.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return hub("query", "--credentials", str(file), "--client", "pen", "{ x }")

    return asked


def plain(said: Said) -> str:
    """What was said on standard error, which is no report of a fault."""
    assert said.status == 1
    assert "cli.fault" not in said.words
    return said.err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "it is not JSON"),
        ({}, "a JSON list with an object for each client"),
        ([], "There is no client 'pen'"),
        ([{"name": "other"}], "there are: other."),
    ],
)
def test_a_file_that_holds_no_credentials_is_named(ask: Ask, content: Any, expected: str) -> None:
    """With what it should hold."""
    assert expected in plain(ask(content))


@pytest.mark.parametrize("lacking", ["client_id", "private_jwk", "issuer", "token_url", "graphql_url"])
def test_a_field_that_is_missing_is_named(ask: Ask, entry: dict[str, Any], lacking: str) -> None:
    """By its name in the file."""
    del entry[lacking]

    assert f"the entry of pen lacks, or has wrong: {lacking}." in plain(ask([entry]))


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC"},
        {**KEY, "x": "AA"},
        {name: value for name, value in KEY.items() if name != "d"},
        ECKey.generate_key("P-384").as_dict(private=True),
        {"kty": "oct", "k": "c2VjcmV0"},
    ],
)
def test_a_key_that_cannot_sign_is_named(ask: Ask, entry: dict[str, Any], key: Any) -> None:
    """Broken, public, on another curve, or a shared secret; and never shown."""
    said = plain(ask([{**entry, "private_jwk": key}]))

    assert "private_jwk of pen is no private key that can sign" in said
    assert not any(value in said for name, value in key.items() if name in ("d", "k"))


def test_the_url_that_was_tried_is_named(ask: Ask, entry: dict[str, Any]) -> None:
    """Not the issuer, which may be right."""
    said = plain(ask([{**entry, "issuer": "https://hub.example.org", "token_url": f"{NOWHERE}/wrong"}]))

    assert f"Nothing answers at {NOWHERE}/wrong " in said


def test_a_demo_needs_a_folder_of_its_own(hub: Run, tmp_path: Path) -> None:
    """A file, and a place where none can be made, are named with the option."""
    file = tmp_path / "README.md"
    file.touch()

    for place in (str(file), "/proc/x", "/dev/null/x"):
        assert f"--dir: {place} cannot be used (" in plain(hub("demo", "--dir", place))


def test_keys_of_a_demo_that_are_none_are_named_by_their_file(hub: Run, tmp_path: Path, unused_tcp_port: int) -> None:
    """No setting is to blame."""
    keys = tmp_path / "keys.json"
    keys.write_text("garbage")
    keys.chmod(0o600)

    assert plain(hub("demo", "--dir", str(tmp_path), "--port", str(unused_tcp_port))).startswith(f"{keys}: not JSON")


@pytest.mark.parametrize("heads", ["/nodir/x", "."])
async def test_heads_that_cannot_be_kept_are_said_before_the_walk(hub: Run, database: Database, heads: str) -> None:
    """Not after the whole table."""
    said = await asyncio.to_thread(
        hub, "audit", "verify", "--heads", heads, HUB_WORKER_DATABASE_URL=database.dsn("hub_worker")
    )

    assert f"--heads: {heads} cannot be written" in plain(said)
    assert said.out == ""


def test_all_that_serving_lacks_is_said_at_once(hub: Run, tmp_path: Path) -> None:
    """Missing and wrong, URLs and keys: one line each."""
    keys = {"keks": {"1": "x", "2": 3}, "current": "3", "index": "y"}
    wrong = {"HUB_PORT": "0", "HUB_ISSUER": "hub", "HUB_SECRETS_DIR": str(tmp_path / "none"), "HUB_POOL_SIZE": "many",
             "HUB_LOG_LEVEL": "LOUD", "HUB_STATEMENT_TIMEOUT": "301", "HUB_KEYS": json.dumps(keys)}  # fmt: skip

    lines = plain(hub("serve", **wrong)).splitlines()

    starts = [
        "HUB_ISSUER should be like https://", "HUB_PORT is out of its range. The port to listen on: a number from 1 to 65535.",
        "HUB_POOL_SIZE is not a number that it can be.", "HUB_STATEMENT_TIMEOUT is out of its range.",
        "HUB_LOG_LEVEL is none of its choices.", "HUB_SECRETS_DIR should be a folder that is there.",
        "HUB_DATABASE_URL is not set.", "HUB_AUTH_DATABASE_URL is not set.", "HUB_WORKER_DATABASE_URL is not set.",
        'HUB_KEYS: "current" must name', 'HUB_KEYS: "keks" entry 1', 'HUB_KEYS: "keks" entry 2', 'HUB_KEYS: "index"',
        'HUB_KEYS: "cursor"', 'HUB_KEYS: "nonce"',
    ]  # fmt: skip
    assert len(lines) == len(starts)
    assert all(any(line.startswith(start) for line in lines) for start in starts), lines


def test_every_database_that_does_not_answer_is_said_at_once(hub: Run, tmp_path: Path) -> None:
    """One line each."""
    hub("keygen", "--sealing", str(tmp_path / "keys"))
    names = {"HUB_DATABASE_URL": "app", "HUB_AUTH_DATABASE_URL": "auth", "HUB_WORKER_DATABASE_URL": "worker"}
    urls = {name: f"postgresql://hub_{role}:secretword@127.0.0.1:1/hub" for name, role in names.items()}

    lines = plain(hub("serve", **urls, HUB_KEYS_FILE=str(tmp_path / "keys"))).splitlines()

    assert [line.partition(":")[0] for line in lines] == list(names)


async def test_a_fresh_server_asks_for_an_administrator_once(hub: Run, server: Server) -> None:
    """Whether the roles are not there, or only the schemas are not."""
    said = await asyncio.to_thread(hub, "migrate", HUB_MIGRATE_DATABASE_URL=server.dsn("hub_migrate", "template1"))

    assert "set HUB_ADMIN_DATABASE_URL once" in plain(said)


def test_the_version_is_told(hub: Run) -> None:
    """As a bug report needs it."""
    said = hub("--version")

    assert (said.status, said.out.split()[0]) == (0, "hub")


async def test_the_doctor_names_every_flaw_of_a_feed(hub: Run, world: World) -> None:
    """With the feed, the place and the fix; and nothing of what was written there."""
    settings = {"url": "http://10.0.0.1/secretword", "auth": {"scheme": "header"}}
    mapping = {"sourceId": "id[", "nonsense": "x"}
    await world.insert(
        "feed", code="pen-feed", organisation=world.organisations["pen-centre"], kind="REST", settings=settings,
        mapping=mapping, every="PT15M", overlap="PT15M", full_every="P1D", removal_share=0.25, paused=False, state="UNAVAILABLE", passes=0,
    )  # fmt: skip

    said = await asyncio.to_thread(hub, "doctor", HUB_WORKER_DATABASE_URL=world.database.dsn("hub_worker"))

    assert said.status == 1
    assert "feed pen-feed wrong settings." in said.words
    for place in ("settings.auth", "settings.records", "mapping.sourceId", "mapping.nonsense"):
        assert f"{place}" in said.words
    assert "secretword" not in said.words


async def test_a_scope_that_does_not_exist_is_named(hub: Run, world: World, tmp_path: Path) -> None:
    """As it was typed, and where the list is."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [ECKey.import_key(KEY).as_dict(private=False, kid="a")]}))
    urls = {f"HUB_{name}": world.database.dsn(role) for name, role in (("DATABASE_URL", "hub_app"), ("AUTH_DATABASE_URL", "hub_auth"))}  # fmt: skip
    words = ("client", "add", "pen-desk", "-o", "pen-centre", "--scopes", "cases:read cases:reed", "--jwks", str(file))
    said = await asyncio.to_thread(hub, *words, **urls)

    assert said.status == 1
    assert "there is no cases:reed; README.md lists them under Scopes" in said.words


async def test_what_was_typed_is_repeated_as_it_is(hub: Run, world: World) -> None:
    """An id that begins like a picture's name is no picture."""
    await world.client("pen-centre", "pen-centre")
    words = ("documents", "withdraw", "sha256:abc:", "--client", "pen-centre")
    said = await asyncio.to_thread(hub, *words, HUB_AUTH_DATABASE_URL=world.database.dsn("hub_auth"))

    assert said.status == 1
    assert "sha256:abc:" in said.words
