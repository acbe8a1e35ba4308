"""The demonstration: two commands for a newcomer, run here as one would run them."""

import io
import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from hub.demo.goodbye import invitation
from hub.demo.place import Place
from hub.demo.stage import Stage, StoryError, compact
from hub.embedded import embedded_server

START = "from hub.cli import main; main()"
NAMES = ["icorn-desk", "icorn-stats", "pen-centre", "arts-haven", "pen-readonly", "harbour-city"]
PATIENCE = 60


@dataclass(frozen=True)
class Told:
    """Two tellings with the same data, and where the data are."""

    folder: Path
    first: "subprocess.CompletedProcess[str]"
    second: "subprocess.CompletedProcess[str]"


def hub(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `hub ...` from a shell where another hub is set, which must not matter to a demonstration."""
    environment = {**os.environ, "HUB_DATABASE_URL": "postgresql://hub_app@127.0.0.1:1/other", "COLUMNS": "130"}
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE, env=environment)  # noqa: S603 our own


def free_port() -> str:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


@contextmanager
def serving(folder: Path, port: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a demonstration that only serves, from when it says so."""
    command = [sys.executable, "-c", START, "demo", "--dir", str(folder), "--port", port, "--no-story"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603 our own
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "to stop" in line:
                    break
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The story, told twice in one folder."""
    folder = tmp_path_factory.mktemp("demo")
    story = ("demo", "--dir", str(folder), "--port", free_port(), "--story-only")
    return Told(folder, hub(*story), hub(*story))


def test_the_story_holds_from_nothing_to_its_end(told: Told) -> None:
    """Every act shows what it claims, and the status is 0."""
    assert told.first.returncode == 0, told.first.stdout + told.first.stderr
    assert told.first.stderr == ""
    assert re.findall(r"^(\d)  \w", told.first.stdout, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert "The story held:" in told.first.stdout
    assert "✗" not in told.first.stdout


def test_each_step_shows_the_operation_the_answer_and_the_time(told: Told) -> None:
    """The golden operation among them, in one answer."""
    for words in (
        "query CombinedView",
        "mutation SubmitReferral",
        '"feedRecords"',
        '"withheld"',
        "Harbour City",
        "NL-101",
    ):
        assert words in told.first.stdout
    assert len(re.findall(r"\d+\.\d ms", told.first.stdout)) >= 8


def test_the_story_can_be_told_again(told: Told) -> None:
    """About another person, with the data of the first telling, and ready at once."""
    assert told.second.returncode == 0, told.second.stdout + told.second.stderr
    heroines = [re.search(r"(\w+ \w+) agrees that", run.stdout) for run in (told.first, told.second)]
    assert heroines[0] and heroines[1]  # noqa: PT018 both
    assert heroines[0][1] != heroines[1][1]
    assert "NL-102" in told.second.stdout


def test_what_must_be_secret_is_readable_by_its_owner_alone(told: Told) -> None:
    """Keys, credentials and the feeds' secrets."""
    secrets = [told.folder / "keys.json", told.folder / "credentials.json", *(told.folder / "secrets").iterdir()]

    assert len(secrets) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


def test_the_credentials_name_six_clients_with_their_rights(told: Told) -> None:
    """Each with everything that a client needs to know."""
    entries = json.loads((told.folder / "credentials.json").read_text())

    assert [entry["name"] for entry in entries] == NAMES
    wanted = {
        "name",
        "organisation",
        "kind",
        "client_id",
        "scopes",
        "private_jwk",
        "token_url",
        "graphql_url",
        "issuer",
    }
    assert all(entry.keys() == wanted for entry in entries)
    scopes = {entry["name"]: set(entry["scopes"]) for entry in entries}
    assert scopes["icorn-stats"] == {"statistics:read"}
    assert scopes["pen-readonly"] == {"cases:read"}
    assert "cases:identity" in scopes["pen-centre"] - scopes["arts-haven"]
    assert {entry["kind"] for entry in entries} == {"ICORN", "SISTER", "CITY"}


def test_nothing_is_logged_of_whom_the_story_is_about(told: Told) -> None:
    """The log has words of the code, and no person."""
    logged = (told.folder / "hub.log").read_text()

    assert logged
    assert not re.search("Vellani|Kuhestani|Rudbari|NPC-|case_|referral_", logged)


def test_nothing_is_left_running(told: Told) -> None:
    """The database can be started by the next one at once."""
    with embedded_server(told.folder / "postgres", patience=0) as server:
        assert server.sockets.exists()


def test_it_serves_answers_as_any_client_and_stops_at_ctrl_c(told: Told) -> None:
    """A token and a question from another terminal; then SIGINT, status 0, and nothing that answers any more."""
    port = free_port()
    as_pen = ("--client", "pen-centre", "--credentials", str(told.folder / "credentials.json"))
    with serving(told.folder, port) as process:
        token = hub("token", *as_pen)
        asked = hub("query", *as_pen, "{ viewer { clientId } cases(first: 1) { totalCount } }")
        refused = hub("query", *as_pen, "{ nothing }")
        busy = hub("demo", "--dir", str(told.folder), "--port", port, "--story-only")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0

    assert token.stdout.count(".") == 2
    assert json.loads(asked.stdout)["data"]["viewer"] == {"clientId": "pen-centre"}
    assert asked.returncode == 0
    assert refused.returncode == 1
    assert "GRAPHQL_VALIDATION_FAILED" in refused.stdout
    assert busy.returncode == 1
    assert busy.stderr.startswith(f"--port: cannot listen on 127.0.0.1:{port}")
    assert hub("query", *as_pen, "{ viewer { clientId } }").returncode == 1


def test_data_without_their_keys_are_not_opened(told: Told) -> None:
    """New keys would not open what the old ones sealed: the demonstration says so and stops."""
    keys = told.folder / "keys.json"
    aside = keys.rename(told.folder / "keys.aside")
    try:
        said = hub("demo", "--dir", str(told.folder), "--port", free_port(), "--story-only")
    finally:
        aside.rename(keys)

    assert said.returncode == 1
    assert "is gone" in said.stderr


def test_what_to_try_next_can_be_copied(tmp_path: Path) -> None:
    """Each command whole on its own lines however narrow the terminal, broken only where a backslash says so, quoted for a shell."""
    folder = tmp_path / "a folder with a very long name indeed"
    written = io.StringIO()
    said = invitation(Place(folder), "http://127.0.0.1:8000", [], "postgresql://hub_worker@/hub?host=/tmp/x")
    Console(file=written, width=40).print(said, soft_wrap=True)

    commands = [shlex.split(line) for line in re.findall(r"^# .*\n((?:.*\\\n)*.*)$", written.getvalue(), re.MULTILINE)]
    assert [("hub" in words[0] or "=" in words[0]) for words in commands] == [True] * 5
    assert all(str(folder / "credentials.json") in words for words in commands[:4])
    assert "--client" in commands[0]
    assert commands[4][0] == "HUB_WORKER_DATABASE_URL=postgresql://hub_worker@/hub?host=/tmp/x"
    assert "│" not in written.getvalue()


def test_a_claim_that_does_not_hold_ends_the_story() -> None:
    """With what was claimed."""
    stage = Stage(Console(quiet=True))
    stage.claim("One holds", holds=True)

    with pytest.raises(StoryError, match="The moon is made of cheese"):
        stage.claim("The moon is made of cheese", holds=False)
    assert stage.held == 1


def test_json_is_shown_in_few_lines_and_is_cut_where_it_is_long() -> None:
    """What fits stands on one line, a chain of single names opens at once, and what is left out is counted."""
    assert compact({"a": 1, "b": [True, None]}, 40) == '{"a": 1, "b": [true, null]}'
    assert compact({"data": {"cases": {"one": "x" * 12, "two": "y" * 12}}}, 30) == (
        '{"data": {"cases": {\n  "one": "xxxxxxxxxxxx",\n  "two": "yyyyyyyyyyyy"\n}}}'
    )
    assert compact(["z" * 15] * 12, 30).endswith("… 3 more\n]")
    assert compact("word " * 40, 30) == '"word word word word word wo…"'
