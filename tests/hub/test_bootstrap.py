"""From an empty server to a partner's first token, by commands alone."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from auth.keyring import Keyring
from hub.embedded import ADMIN
from tests.conftest import Database
from tests.hub.shell import Run
from tests.hub.test_worker import heard, running

ISSUER = "https://hub.example.org"


@pytest.fixture
def urls(empty_database: Database) -> dict[str, str]:
    """What an operator sets, on an empty database."""
    names = {"DATABASE": "hub_app", "AUTH_DATABASE": "hub_auth", "WORKER_DATABASE": "hub_worker",
             "MIGRATE_DATABASE": "hub_migrate", "ADMIN_DATABASE": ADMIN}  # fmt: skip
    return {f"HUB_{name}_URL": empty_database.dsn(role) for name, role in names.items()}


async def test_an_empty_server_gives_its_first_token(
    hub: Run, urls: dict[str, str], tmp_path: Path, unused_tcp_port: int
) -> None:
    """Keys, tables, organisation, the partner's key, its client; then the hub serves and the partner asks."""
    issuer = f"http://127.0.0.1:{unused_tcp_port}"
    keys, mine, public = (str(tmp_path / name) for name in ("keys.json", "mine.json", "public.json"))

    async def done(*words: str) -> str:
        said = await asyncio.to_thread(hub, *words, **urls)
        assert said.status == 0, said.words
        return said.out

    await done("keygen", "--sealing", keys)
    await done("migrate")
    await done("organisation", "create", "icorn", "--name", "ICORN", "--kind", "ICORN")
    await done("organisation", "create", "bergen", "--name", "Bergen", "--kind", "CITY", "--country", "NO")
    printed = await done("keygen", "--client", "desk", "--issuer", issuer, "--credentials", mine)
    await asyncio.to_thread(Path(public).write_text, printed)
    await done(
        "client",
        "add",
        "desk",
        "-o",
        "icorn",
        "--scopes",
        "cases:read, feeds:read",
        "--jwks",
        public,
        "--purpose",
        "PROTECTION",
    )
    settings = {"HUB_KEYS_FILE": keys, "HUB_ISSUER": issuer, "HUB_PORT": str(unused_tcp_port)}
    async with running(
        "serve", **{name: url for name, url in urls.items() if "ADMIN" not in name}, **settings
    ) as process:
        await heard(process, "hub.serving")
        token = await done("token", "--client", "desk", "--credentials", mine)
        document = "query One { viewer { clientId scopes } } query Two { cases { totalCount } }"
        one = json.loads(await done("query", "--client", "desk", "--credentials", mine, "--operation", "One", document))

    assert token.count(".") == 2
    assert one["data"]["viewer"] == {"clientId": "desk", "scopes": ["cases:read", "feeds:read"]}


async def test_a_client_that_people_use_is_added_with_where_it_sends_them(
    hub: Run, urls: dict[str, str], tmp_path: Path, empty_database: Database
) -> None:
    """Whole or not at all: a place that is not safe to return to adds no client."""
    mine, public = str(tmp_path / "mine.json"), tmp_path / "public.json"
    printed = await asyncio.to_thread(hub, "keygen", "--client", "desk", "--issuer", ISSUER, "--credentials", mine)
    await asyncio.to_thread(public.write_text, printed.out)
    await asyncio.to_thread(hub, "migrate", **urls)
    await asyncio.to_thread(hub, "organisation", "create", "icorn", "--name", "ICORN", "--kind", "ICORN", **urls)
    add = ("client", "add", "desk", "-o", "icorn", "--scopes", "cases:read", "--jwks", str(public), "--introspects")
    unsafe = await asyncio.to_thread(hub, *add, "--redirect-uri", "http://desk.example/back", **urls)
    added = await asyncio.to_thread(hub, *add, "--redirect-uri", "https://desk.example/back", **urls)
    (row,) = await empty_database.admin("select redirect_uris, introspects from auth.client_use where $1", True)  # noqa: FBT003

    assert (unsafe.status, added.status) == (1, 0), added.words
    assert "redirect_uris: number 1: must be https" in unsafe.words
    assert "taken" not in added.words
    assert (row["redirect_uris"], row["introspects"]) == (["https://desk.example/back"], True)


async def test_keys_are_rotated_by_one_command(hub: Run, urls: dict[str, str], tmp_path: Path) -> None:
    """A second time it says that the first is under way."""
    keys = str(tmp_path / "keys.json")
    await asyncio.to_thread(hub, "keygen", "--sealing", keys)
    await asyncio.to_thread(hub, "migrate", **urls)
    said = [await asyncio.to_thread(hub, "keys", "rotate", **urls, HUB_KEYS_FILE=keys) for _ in range(3)]
    at_once = await asyncio.to_thread(hub, "keys", "rotate", "--at-once", **urls, HUB_KEYS_FILE=keys)

    assert [each.status for each in said] == [0, 0, 1]
    assert "under way" in said[2].words
    assert "signs from now on" in at_once.words


def test_a_private_key_is_the_partners_alone(hub: Run, tmp_path: Path) -> None:
    """0600, never printed, never overwritten; what is printed is public."""
    file = tmp_path / "c.json"
    made = hub("keygen", "--client", "pen", "--issuer", ISSUER, "--credentials", str(file))
    again = hub("keygen", "--client", "pen", "--issuer", ISSUER, "--credentials", str(file))

    (entry,) = json.loads(file.read_text())
    (key,) = json.loads(made.out)["keys"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert entry["private_jwk"]["d"] not in made.out + made.err
    assert key == {name: value for name, value in entry["private_jwk"].items() if name != "d"}
    assert again.status == 1
    assert "not overwritten" in again.err


def test_sealing_keys_are_made_once(hub: Run, tmp_path: Path) -> None:
    """They are good as HUB_KEYS_FILE, and a second time would lose the first."""
    file = tmp_path / "keys.json"
    made, again = (hub("keygen", "--sealing", str(file)) for _ in range(2))

    assert (made.status, again.status) == (0, 1)
    assert again.err.startswith("--sealing: ")
    assert Keyring.load(file)


@pytest.mark.parametrize(
    "words", [("--client", "x"), (), ("--client", "x", "--sealing", "y"), ("--client", "x", "--issuer", f"{ISSUER}/")]
)
def test_keygen_says_what_it_must_be_told(hub: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """And makes nothing."""
    said = hub("keygen", "--credentials", str(tmp_path / "c"), *words)

    assert said.status in (1, 2)
    assert "--issuer" in said.words or "--sealing" in said.words
    assert list(tmp_path.iterdir()) == []


async def test_what_cannot_be_added_is_said_in_words(hub: Run, urls: dict[str, str], tmp_path: Path) -> None:
    """Before the tables, a second ICORN, a code or a country that is none, an unknown organisation, a private key."""
    private = tmp_path / "private.json"
    await asyncio.to_thread(hub, "keygen", "--client", "x", "--issuer", ISSUER, "--credentials", str(private))
    private.write_text(json.dumps({"keys": [json.loads(private.read_text())[0]["private_jwk"]]}))

    async def said(*words: str) -> str:
        ended = await asyncio.to_thread(hub, *words, **urls)
        assert ended.status == 1, ended.words
        assert "cli.fault" not in ended.words
        return ended.err

    def organisation(code: str, kind: str = "SISTER", *more: str) -> tuple[str, ...]:
        return ("organisation", "create", code, "--name", "X", "--kind", kind, *more)

    client = ("client", "add", "pen", "--scopes", "cases:raed", "--jwks", str(private), "-o")
    assert "run hub migrate first" in await said(*organisation("icorn", "ICORN"))
    await asyncio.to_thread(hub, "migrate", **urls)
    await asyncio.to_thread(hub, *organisation("icorn", "ICORN"), **urls)
    assert "one ICORN only" in await said(*organisation("icorn2", "ICORN"))
    assert "icorn is there already" in await said(*organisation("icorn"))
    assert "CODE: a-z" in await said(*organisation("Not A Code"))
    assert "--country: two letters" in await said(*organisation("oslo", "CITY", "--country", "norway"))
    assert "there are: icorn" in await said(*client, "nobody")
    refused = await said(*client, "icorn")
    assert "scopes: there is no cases:raed" in refused
    assert "holds private members" in refused
