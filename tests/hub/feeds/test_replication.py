"""The promise of replication: whatever happens on the way, the replica ends in the source's true state."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.problem import FeedProblem, ProblemCode
from hub.embedded import ADMIN, Server
from hub.feeds.seal import DataKey, Seal
from hub.feeds.sync import sync
from hub.postgres import connect
from tests.hub.feeds.desk import NOW, SEAL, Desk, Trouble

CODES = itertools.count(1)
IDENTS = st.sampled_from([f"r{number}" for number in range(6)])
NAMES = st.sampled_from(["Ada", "Bao", "Chi", "Dov"])
# Some in the past (late commits, clocks behind), some in the future (clocks ahead).
HOURS = st.integers(min_value=-50, max_value=5)


@dataclass(frozen=True)
class Put:
    """The source writes a record, with whatever time its clock says."""

    ident: str
    name: str
    hours: int

    def act(self, desk: Desk) -> None:
        """Do it."""
        desk.put(self.ident, self.name, NOW + timedelta(hours=self.hours))


@dataclass(frozen=True)
class Double:
    """The source shows a record a second time, in an older version."""

    ident: str
    hours: int

    def act(self, desk: Desk) -> None:
        """Do it."""
        older = (NOW - timedelta(hours=100 + self.hours)).isoformat()
        doubles = [raw for raw in desk.records if raw["id"] == self.ident][:1]
        desk.records.extend({**raw, "name": "Older", "updated": older} for raw in doubles)


@dataclass(frozen=True)
class Remove:
    """The source deletes a record."""

    ident: str

    def act(self, desk: Desk) -> None:
        """Do it."""
        desk.remove(self.ident)


Change = Put | Double | Remove
changes = st.one_of(
    st.builds(Put, IDENTS, NAMES, HOURS), st.builds(Double, IDENTS, st.integers(0, 5)), st.builds(Remove, IDENTS)
)


@dataclass(frozen=True)
class Sync:
    """A sync, during which the source changes, and which fails at a page: by the source, by a bug, or by a crash."""

    full: bool
    page_size: int
    during: tuple[tuple[int, Change], ...]
    fails_at: int
    how: str


syncs = st.builds(
    Sync,
    st.booleans(),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 3), changes), max_size=3).map(tuple),
    st.integers(0, 4),
    st.sampled_from(["not at all", "source", "cursor", "bug", "crash in page", "lost connection"]),
)


class CrashingSealing:
    """Sealing that fails, so that a page's transaction is cut off in the middle."""

    def new_key(self) -> DataKey:
        """Fail."""
        raise Trouble

    def seal(self, *_: object) -> bytes:
        """Never come to it."""
        raise Trouble


def before_page(desk: Desk, step: Sync) -> Callable[[int], None]:
    """What happens before each page of a pull."""
    errors = {"source": FeedProblem(ProblemCode.TIMEOUT), "cursor": FeedProblem(ProblemCode.REPEATED_CURSOR)}

    def act(number: int) -> None:
        for at, change in step.during:
            if at == number:
                change.act(desk)
        if number == step.fails_at:
            if step.how == "lost connection":
                desk.worker.terminate()
            if step.how in ("source", "cursor", "bug"):
                raise errors.get(step.how, Trouble())

    return act


async def one_sync(desk: Desk, step: Sync, worker_dsn: str) -> None:
    """Run a sync as the step says; after a crash a new worker comes."""
    desk.page_size = step.page_size
    desk.before_page = before_page(desk, step)
    seal = Seal(CrashingSealing(), b"mark" * 8) if step.how == "crash in page" else SEAL
    try:
        await sync(desk.worker, await desk.feed(), desk.connector, seal, full=step.full, removal_share=1)
    except (Trouble, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
        await desk.worker.close() if not desk.worker.is_closed() else None
        desk.worker = await connect(worker_dsn, name="test", role="hub_worker")


async def desk_of(server: Server, name: str) -> Desk:
    """A new feed with a worker of its own."""
    admin = await connect(server.dsn(ADMIN, name), name="test", role=ADMIN)
    return await Desk.of(
        await connect(server.dsn("hub_worker", name), name="test", role="hub_worker"), admin, f"feed-{next(CODES)}"
    )


async def changing(server: Server, name: str, steps: Sequence[Change | Sync], *, newest_first: bool) -> None:
    """Live through the steps, let the faults stop, and compare."""
    desk = await desk_of(server, name)
    desk.newest_first = newest_first
    try:
        for step in steps:
            if isinstance(step, Sync):
                await one_sync(desk, step, server.dsn("hub_worker", name))
            else:
                step.act(desk)
        desk.before_page = lambda _: None
        # What is left of an interrupted pass may have seen what is no more: it is finished first.
        for _ in range(2):
            result = await desk.sync(full=True, removal_share=1)

        assert result.complete
        assert await desk.names() == newest(desk)
    finally:
        await desk.worker.close()
        await desk.admin.close()


async def resting(server: Server, name: str, records: Sequence[Put], steps: Sequence[Sync]) -> None:
    """Sync a source that does not change until a pass is complete, and look at the replica after each attempt."""
    desk = await desk_of(server, name)
    for record in records:
        record.act(desk)
    try:
        complete = False
        for step in (*steps, Sync(full=False, page_size=2, during=(), fails_at=9, how="not at all")):
            await one_sync(desk, step, server.dsn("hub_worker", name))
            complete = complete or (await desk.feed()).last_synced_at is not None
            names = await desk.names()

            assert names == desk.truth() if complete else names.items() <= desk.truth().items()
        assert complete
    finally:
        await desk.worker.close()
        await desk.admin.close()


def newest(desk: Desk) -> dict[str, str]:
    """The source's true state: of doubles the newest."""
    ordered = sorted(desk.records, key=lambda raw: str(raw["updated"]))
    return {raw["id"]: raw["name"] for raw in ordered}


@given(steps=st.lists(st.one_of(changes, syncs), min_size=2, max_size=10), newest_first=st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interleaving_of_changes_faults_and_crashes_ends_in_the_sources_state(
    shared: tuple[Server, str],
    steps: list[Change | Sync],
    newest_first: bool,  # noqa: FBT001 (drawn)
) -> None:
    """Once they stop, the replica shows exactly what the source has.

    Duplicates, wrong clocks, late commits, lost pages, bugs, crashes in a transaction, lost connections are among them.
    """
    asyncio.run(changing(*shared, steps, newest_first=newest_first))


@given(
    records=st.lists(st.builds(Put, IDENTS, NAMES, HOURS), min_size=2, max_size=6),
    steps=st.lists(syncs.map(lambda step: replace(step, during=())), max_size=4),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_crashes_lose_nothing_of_a_source_at_rest(
    shared: tuple[Server, str], records: list[Put], steps: list[Sync]
) -> None:
    """What is held is always true, no record is ever taken for removed, and the first complete pass has them all.

    However often that was interrupted and resumed: there is no second one to mend it.
    """
    asyncio.run(resting(*shared, records, steps))
