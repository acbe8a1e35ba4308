"""hub documents: what is published is what a client may ask, all of it or none, and every reason is told with its place."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database
from tests.hub.shell import Run, Said
from tests.world import World, build

VIEWER = "query Viewer { viewer { clientId } }"
CASES = "query Cases($n: Int! = 5) {\n  cases(first: $n) { totalCount }\n}\n"
FLAWED = "query Flawed {\n  cases(first: 501) { edges { node { identity { familyName } } } }\n}\n"
Command = Callable[..., Awaitable[Said]]


def hexed(text: str) -> str:
    """Give the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def apollo(*texts: str) -> str:
    """Write an Apollo persisted-query manifest, as its generator does."""
    operations = [{"id": hexed(text), "name": "x", "type": "query", "body": text} for text in texts]
    return json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}, indent=2)


def relay(*texts: str) -> str:
    """Write a map of Relay's persisted queries."""
    return json.dumps({hexed(text): text for text in texts}, indent=2)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A partner that may see the overview of cases, with limits of its own."""
    async with build(database) as made:
        await made.organisation("icorn", "ICORN")
        await made.organisation("pen-centre")
        await made.client("pen", "pen-centre", ["cases:read"], limits={"cost": 2000, "aliases": 2})
        yield made


@pytest.fixture
def documents(hub: Run, world: World) -> Command:
    """Run hub documents."""

    async def run(*words: str | Path, client: str = "pen") -> Said:
        url = world.database.dsn("hub_auth")
        return await asyncio.to_thread(
            hub, "documents", *map(str, words), "--client", client, HUB_AUTH_DATABASE_URL=url
        )

    return run


def put(folder: Path, **files: str) -> list[Path]:
    """Write files; a name's last underscore is its dot."""
    made = []
    for name, text in files.items():
        path = folder / ".".join(name.rsplit("_", 1))
        path.write_bytes(text.encode())
        made.append(path)
    return made


async def ids(world: World) -> set[str]:
    """Give the digests that are published."""
    return {row["digest"].hex() for row in await world.admin.fetch("select digest from trusted_document")}


@pytest.mark.parametrize(
    "files",
    [{"a_json": apollo(VIEWER, CASES)}, {"a_json": relay(VIEWER, CASES)}, {"a_graphql": VIEWER, "b_gql": CASES},
     {"a_json": relay(VIEWER), "b_json": apollo(CASES, VIEWER), "c_graphql": CASES}],
    ids=["Apollo", "Relay", "plain", "all of them"],
)  # fmt: skip
async def test_each_form_of_file_is_published_and_again_changes_nothing(
    world: World, documents: Command, tmp_path: Path, files: dict[str, str]
) -> None:
    """An id is the SHA-256 of the text, to the byte, whatever file it came in."""
    first, again = [await documents("publish", *put(tmp_path, **files)) for _ in range(2)]

    assert (first.status, again.status) == (0, 0), first.words
    assert f"sha256:{hexed(VIEWER)} Viewer\n" in first.out
    assert "Published for pen: 2, new of them: 2." in first.out
    assert "Published for pen: 2, new of them: 0." in again.out
    assert await ids(world) == {hexed(VIEWER), hexed(CASES)}


async def test_a_manifest_is_read_from_standard_input(
    world: World, documents: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it need not be where the command runs."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(apollo(VIEWER).encode())))

    said = await documents("publish", "-")

    assert (said.status, await ids(world)) == (0, {hexed(VIEWER)}), said.words


async def test_all_that_is_wrong_is_said_at_once_with_file_and_line_and_nothing_is_published(
    world: World, documents: Command, tmp_path: Path
) -> None:
    """A text that does not parse, a field that is not there, a scope, a page, a limit, a cost; a map of other ids; no file; no JSON."""
    files = put(
        tmp_path,
        good_graphql=VIEWER,
        broken_graphql="query {\n  viewer {",
        flawed_graphql=FLAWED,
        many_graphql="{ a: __typename b: __typename c: __typename }",
        dear_graphql="query ($n: Int!) {\n  cases(first: 400) { edges { node { id residencies { id } } } } b: cases(first: $n) { totalCount }\n}",
        apollo_json=apollo(VIEWER, "{\n  nothing }"),
        md5_json=json.dumps({hashlib.md5(VIEWER.encode()).hexdigest(): VIEWER}),  # noqa: S324 as Relay does unless told
        text_json="{",
        other_json='["x"]',
    )

    said = await documents("publish", *files, tmp_path / "absent.graphql")

    assert said.status == 1
    told = said.err.replace(str(tmp_path) + "/", "").replace("\n", " ")
    for part in (
        "broken.graphql:2:11: Syntax Error",
        "flawed.graphql:2:9: An operation may ask for at most 500 at once; this one asks for 501.",
        "flawed.graphql:2:38: This needs the scope cases:identity, which the client does not have.",
        "many.graphql:1:1: An operation may have at most 2 aliases, fragments written out; this one has 3.",
        "dear.graphql:1:1: An operation may cost at most 2000; this one costs",
        "apollo.json:12, in the document's line 2, column 3: Cannot query field 'nothing' on type 'Query'.",
        "md5.json:1: the id is not the SHA-256 of its text.",
        "text.json:1: is not JSON.",
        "other.json:1: holds no documents.",
        "absent.graphql: No such file or directory.",
        "Nothing was published.",
    ):
        assert part in told
    assert "good.graphql" not in told
    assert await ids(world) == set()


async def test_documents_are_listed_and_withdrawn_all_or_none(world: World, documents: Command, tmp_path: Path) -> None:
    """What is not there stops the withdrawal of what is."""
    await documents("publish", *put(tmp_path, a_json=relay(VIEWER, CASES)))
    listed = await documents("list")
    wrong = await documents("withdraw", f"sha256:{hexed(VIEWER)}", f"sha256:{hexed('x')}", hexed(CASES))
    kept = await ids(world)
    right = await documents("withdraw", f"sha256:{hexed(VIEWER)}")

    assert [line.split()[::2] for line in listed.out.splitlines()] == [
        [f"sha256:{hexed(CASES)}", "Cases"],
        [f"sha256:{hexed(VIEWER)}", "Viewer"],
    ]
    assert (wrong.status, kept) == (1, {hexed(VIEWER), hexed(CASES)})
    assert f"sha256:{hexed('x')}: is no document of pen." in wrong.words
    assert f"{hexed(CASES)}: is no document of pen." in wrong.words
    assert (right.status, await ids(world)) == (0, {hexed(CASES)})


async def test_a_client_that_is_not_there_or_not_active_is_said(
    world: World, documents: Command, hub: Run, tmp_path: Path
) -> None:
    """By every command that takes one."""
    (file,) = put(tmp_path, a_graphql=VIEWER)
    unknown = [await documents(*words, client="nobody") for words in (("publish", file), ("list",), ("withdraw", "x"))]
    url = world.database.dsn("hub_auth")
    unset = await asyncio.to_thread(hub, "client", "set", "nobody", "--documents", "only", HUB_AUTH_DATABASE_URL=url)
    nothing = await asyncio.to_thread(hub, "client", "set", "pen", HUB_AUTH_DATABASE_URL=url)
    await world.admin.execute("update client set status = 'DISABLED'")
    disabled = await documents("publish", file)

    assert [said.status for said in (*unknown, unset, nothing, disabled)] == [1, 1, 1, 1, 2, 1]
    assert all("there is no" in said.words.lower() for said in (*unknown, unset))
    assert "pen is not active" in disabled.words


async def test_the_settings_of_a_client_are_set_one_by_one(hub: Run, world: World) -> None:
    """What is not named stays."""
    found: list[Any] = []
    for words in (("--documents", "only"), ("--urls", "text"), ("--documents", "any")):
        url = world.database.dsn("hub_auth")
        said = await asyncio.to_thread(hub, "client", "set", "pen", *words, HUB_AUTH_DATABASE_URL=url)
        assert said.status == 0, said.words
        row = await world.admin.fetchrow("select documents_only, text_in_urls from client where client_id = 'pen'")
        found.append(tuple(row))

    assert found == [(True, False), (True, True), (False, True)]
