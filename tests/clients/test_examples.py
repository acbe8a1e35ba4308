"""The example clients, as a partner starts them: from a credentials file to an answer, over real HTTP."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from joserfc.jwk import JWKRegistry

from tests.clients.conftest import EXAMPLES, Run, run
from tests.clients.serving import KEYS, Served
from tests.npm import missing

README = EXAMPLES.parent / "README.md"
QUERY = "{ viewer { clientId organisation { code } } cases(first: 1) { totalCount } }"
ANSWER = {
    "data": {"viewer": {"clientId": "writer", "organisation": {"code": "pen-centre"}}, "cases": {"totalCount": 0}}
}


@pytest.mark.parametrize("algorithm", KEYS)
async def test_the_python_example_asks_the_hub(hub: Served, python: Run, tmp_path: Path, algorithm: str) -> None:
    """Discovery, assertion, proof and query, and one more try when the hub asks for its nonce."""
    key = KEYS[algorithm]()
    await hub.register("writer", key)

    printed = await python(EXAMPLES / "client.py", hub.credentials(tmp_path, "writer", key), QUERY, "PROTECTION")

    assert json.loads(printed) == ANSWER


@pytest.mark.parametrize("algorithm", KEYS)
async def test_the_javascript_example_asks_the_hub(hub: Served, node: Run, tmp_path: Path, algorithm: str) -> None:
    """The same, by oauth4webapi."""
    key = KEYS[algorithm]()
    await hub.register("writer", key)

    printed = await node("client.mjs", hub.credentials(tmp_path, "writer", key), QUERY, "PROTECTION")

    assert json.loads(printed) == ANSWER


@pytest.mark.parametrize("name", ["client.py", "client.mjs"])
def test_an_example_is_read_in_one_sitting(name: str) -> None:
    """Fewer than a hundred lines, and it names what has to be installed."""
    text = (EXAMPLES / name).read_text()

    assert len(text.splitlines()) < 100
    assert "pip install httpx2 joserfc" in text or "npm ci" in text


def test_what_node_installs_is_pinned_by_its_content() -> None:
    """Exact versions and hashes, and no word of where they come from."""
    wanted = json.loads((EXAMPLES / "package.json").read_text())
    (_, *pinned) = json.loads((EXAMPLES / "package-lock.json").read_text())["packages"].values()
    named = {**wanted["dependencies"], **wanted["devDependencies"]}

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in named.values())
    assert sorted(entry["version"] for entry in pinned) == sorted(named.values())
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in pinned)


async def test_the_five_minutes_of_the_readme(hub: Served, packages: Path, tmp_path: Path) -> None:
    """A partner makes its key, ICORN registers what was printed, and both programs are answered; word for word, but for the address."""
    (printed,) = re.findall(r"In five minutes:\n\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    keygen, *rest = printed.replace("https://hub.example.org", hub.issuer).splitlines()
    (tmp_path / "examples").mkdir()
    for program in EXAMPLES.glob("client.*"):
        shutil.copy(program, tmp_path / "examples")
    (tmp_path / "examples" / "node_modules").symlink_to(packages)
    here = f'PATH="{Path(sys.executable).parent}:$PATH"; cd "{tmp_path}"; '

    await run("bash", "-c", here + keygen)
    (sent,) = json.loads((tmp_path / "pen-centre.jwks.json").read_text())["keys"]
    await hub.register("pen-centre", JWKRegistry.import_key(sent))
    # What the two lines install is installed.
    asked = [line for line in rest if not line.startswith(("pip install", "(cd examples && npm ci)"))]
    answers = [json.loads(await run("bash", "-c", here + line)) for line in asked]

    assert [answer["data"]["viewer"]["clientId"] for answer in answers] == ["pen-centre", "pen-centre"]


def test_a_machine_without_node_skips_and_says_why_but_never_where_changes_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CI runs every test of this folder, or fails."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="node is not here"):
        missing("node is not here")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="node is not here"):
        missing("node is not here")
    assert "export CI=true" in (EXAMPLES.parent / ".ci" / "run").read_text()
