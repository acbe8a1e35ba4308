"""What is hidden changes nothing of what the hub does to answer: no statement, no decryption, no call of a feed, no row."""

import asyncio
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.embedded import embedded_server
from tests.conftest import FAST, Database, build_template
from tests.interference.leaks import ALL_SCOPES, COUNT, ENTITIES, NAMES, REFER, TRUST, record_consent
from tests.interference.leaks_in_effort import EFFORTS
from tests.interference.names import pairwise
from tests.interference.pairs import pair
from tests.interference.principals import PRINCIPALS
from tests.interference.probe import probe
from tests.interference.twins import SOUND, TIMES, Asked, Filled, Leak, Told, Twins
from tests.interference.watched import Watched

COUNTING = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}
LIVE_FEEDS = "update hub.feed set paused = false"
SEQUENCES = 6
PERSON = "profile { biography } identity { familyName } whereabouts { city } health { needs }"
EVERYTHING: tuple[Asked, ...] = (
    (f"{{ cases {{ totalCount edges {{ cursor node {{ id {PERSON} residencies {{ id }} consents {{ id }} withheld disclosure {{ category visible }} }} }} }} }}", None),
    (f"{{ referrals {{ edges {{ node {{ id case {{ id }} person {{ {PERSON} }} messages {{ totalCount }} }} }} }} }}", None),
    ('{ feedRecords(maxAge: "PT1M", deadline: "PT5S") { state records { id } } }', None),
    ('{ cases { edges { node { feedRecords(maxAge: "PT0S", deadline: "PT5S") { state records { id } } } } } }', None),
    ("{ auditEvents { edges { node { id } } } }", None),
    *NAMES[:1], *COUNT, *ENTITIES, *TRUST, *REFER,
)  # fmt: skip


def by_name(organisation: str) -> tuple[Asked, ...]:
    """Ask for cases that may be there and hidden, by the names that the asker would know them by, in a query and in changes."""
    names = [f"case_{pairwise(organisation, 'case', number)}" for number in (*range(5), 103)]
    cases = " ".join(f'c{number}: case(by: {{id: "{name}"}}) {{ id {PERSON} }}' for number, name in enumerate(names))
    nodes = ", ".join(f'"{name}"' for name in names)
    changes = (record_consent(f"name-{number}", name) for number, name in enumerate(names[:2]))
    return ((f"{{ {cases} nodes(ids: [{nodes}]) {{ id }} }}", None), *((change, None) for change in changes))


@pytest.fixture(scope="module")
def filled(runner: asyncio.Runner) -> Iterator[Filled]:
    """Worlds on a server that counts what each statement does."""
    with (
        tempfile.TemporaryDirectory(prefix="hub-") as folder,
        embedded_server(Path(folder), {**FAST, **COUNTING}) as server,
    ):
        runner.run(build_template(server, "counting"))
        runner.run(Database(server, "counting").admin("create extension pg_stat_statements schema public"))
        databases = Filled(server, "counting")
        yield databases
        runner.run(databases.aclose())


async def ask(twins: Twins, asked: tuple[Asked, ...]) -> None:
    """Ask these operations, one after the other."""
    await twins.fresh()
    try:
        for query, variables in asked:
            await twins.ask(query, variables)
    finally:
        await twins.aclose()


@pytest.mark.parametrize("number", range(TIMES))
@pytest.mark.parametrize("name", PRINCIPALS)
def test_worlds_that_differ_in_what_is_hidden_take_the_same_work(
    runner: asyncio.Runner, filled: Filled, name: str, number: int
) -> None:
    """The same statements, as often; the same documents opened under as many keys; the same feeds asked; as many rows."""
    twins = Watched(filled, pair(PRINCIPALS[name], 2 + number), replace(SOUND, sql=LIVE_FEEDS))

    runner.run(ask(twins, EVERYTHING + by_name(PRINCIPALS[name].organisation)))
    probe(runner, twins, zlib.crc32(f"{name} {number}".encode()), SEQUENCES)

    assert twins.worked >= ({"statements", "opened", "pulled", "touched"} if name == ALL_SCOPES else {"statements"})


@pytest.mark.parametrize(("kind", "leak"), EFFORTS, ids=[leak.name for _, leak in EFFORTS])
def test_work_that_depends_on_what_is_hidden_is_found(
    runner: asyncio.Runner, filled: Filled, kind: str, leak: Leak
) -> None:
    """Though every answer is the same to the byte."""
    worlds = pair(PRINCIPALS["a partner that reads overviews"], 2)
    live = replace(leak, sql=LIVE_FEEDS)

    runner.run(ask(Twins(filled, worlds, live), COUNT))
    with pytest.raises(Told, match=f"(?m)^{kind}: "):
        runner.run(ask(Watched(filled, worlds, live), COUNT))
