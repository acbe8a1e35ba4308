"""Freezing: once a quarter, by whoever comes first, for good; and all that is ever asked is what was frozen."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any

import asyncpg
import pytest

from hub.postgres import open_pool
from hub.statistics import Kind, freeze, release
from tests.hub.statistics.attack import GROUPINGS, Asked, Attacker, everything_asked, filters, heard
from tests.world import World

PEOPLE: dict[Kind, int] = {
    ("IR", "WRITER", "ALUMNUS", "HIGH", 2024): 34,
    ("IR", "WRITER", "CLOSED", "EXTREME", 2025): 11,
    ("TR", "MUSICIAN", "CLOSED", "HIGH", 2025): 16,
    ("BY", "MUSICIAN", "CLOSED", "HIGH", 2026): 7,
    (None, "WRITER", "CLOSED", "HIGH", 2026): 8,
    ("TR", "OTHER", "APPLICANT", "LOW", 2026): 4,
}
EVERYTHING = "query ($g: [CaseDimension!]!, $f: StatisticsFilter) { statistics(groupBy: $g, filter: $f) { asOf smallestCell cells { origin discipline status riskLevel year count } } }"
ALL = "{ statistics(groupBy: []) { asOf cells { count } } }"
JULY = datetime(2026, 7, 1, tzinfo=UTC)


async def put(world: World, people: Mapping[Kind, int]) -> None:
    """Add cases, as bare as statistics need them."""
    kinds = [dict(zip(("origin", "discipline", "status", "risk_level", "year", "count"), (*kind, count), strict=True)) for kind, count in people.items()]  # fmt: skip
    await world.admin.execute(
        "insert into case_file (id, status, discipline, origin, risk_level, opened_on, updated_at)"
        " select gen_random_uuid(), k.status, k.discipline, k.origin, k.risk_level, make_date(k.year, 3, 1), hub_now()"
        " from jsonb_to_recordset($1::text::jsonb)"
        " k(origin text, discipline discipline, status case_status, risk_level risk_level, year int, count int), generate_series(1, k.count)",
        json.dumps(kinds),
    )


@pytest.fixture
async def worker(world: World) -> AsyncIterator[Any]:
    """A pool of the worker's."""
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker", size=4) as pool:
        yield pool


async def ask(world: World, grouped: list[str], asked: Mapping[str, Any] | None = None) -> Any:
    """Ask as a partner."""
    return (await world.data("pen", EVERYTHING, {"g": grouped, "f": asked}))["statistics"]


async def test_before_the_first_release_there_are_no_statistics(world: World) -> None:
    """Not nought: nothing was counted yet."""
    await put(world, PEOPLE)

    assert await world.data("pen", ALL) == {"statistics": None}


async def test_a_release_is_what_the_rule_makes_of_the_cases_there_are(world: World, worker: Any) -> None:
    """The few who stand alone, and who would be told by them, are in no count; origins too few to be named are in the others."""
    await put(world, PEOPLE)

    cells = await freeze(worker)
    by = {g: await ask(world, [g] if g else []) for g in ("", "ORIGIN", "DISCIPLINE", "STATUS", "RISK_LEVEL", "YEAR")}

    assert cells == len(release(PEOPLE))
    assert {(told["asOf"], told["smallestCell"]) for told in by.values()} == {("2026-06-01", 10)}
    assert {g: [tuple(v for v in cell.values() if v is not None) for cell in told["cells"]] for g, told in by.items()} == {
        "": [(70,)],
        "ORIGIN": [("IR", 40), ("TR", 20)],
        "DISCIPLINE": [("WRITER", 50), ("MUSICIAN", 20)],
        "STATUS": [("ALUMNUS", 30), ("CLOSED", 40)],
        "RISK_LEVEL": [("HIGH", 60), ("EXTREME", 10)],
        "YEAR": [(2024, 30), (2025, 30), (2026, 10)],
    }  # fmt: skip


async def test_every_answer_there_is_gives_an_attacker_nothing(world: World, worker: Any) -> None:
    """Every grouping under every filter, over HTTP: as the release has it, and no group of one to nine follows."""
    await put(world, PEOPLE)
    await freeze(worker)
    # That some combination of values has nobody is nothing an attacker could know from here.
    kinds = list(product(*(dict.fromkeys(values) for values in zip(*PEOPLE, strict=True))))

    answers: list[Asked] = []
    for asked in filters(kinds):
        fields = [f"g{i}: statistics(groupBy: [{', '.join(g)}], filter: $f) {{ cells {{ origin discipline status riskLevel year count }} }}" for i, g in enumerate(GROUPINGS)]  # fmt: skip
        told = await world.data("pen", f"query ($f: StatisticsFilter) {{ {' '.join(fields)} }}", {"f": asked})
        answers += [heard(g, asked, told[f"g{i}"]["cells"]) for i, g in enumerate(GROUPINGS)]

    assert answers == everything_asked(release(PEOPLE), kinds)
    for reading in ((0, 0), (0, 9), (9, 9)):
        attacker = Attacker(kinds, *reading)
        attacker.listen(answers)
        attacker.solve()
        assert attacker.small() == []


async def test_a_release_is_frozen_once(world: World, worker: Any) -> None:
    """Edits, new cases and erasures afterwards change no byte of it, and the same quarter is not counted again."""
    await put(world, PEOPLE)
    await freeze(worker)
    before = [await ask(world, g) for g in GROUPINGS]

    await put(world, {("SY", "PUBLISHER", "CANDIDATE", "LOW", 2023): 30})
    await world.admin.execute("update case_file set status = 'DECLINED' where origin = 'IR'")
    await world.admin.execute("delete from case_file where origin = 'TR'")
    await world.set_now(datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC))

    assert await freeze(worker) == 0
    assert [await ask(world, g) for g in GROUPINGS] == before


async def test_the_next_quarter_has_a_release_of_its_own(world: World, worker: Any) -> None:
    """Of the day it is frozen, in UTC; the one before stays as it was, and is no longer what is answered."""
    await put(world, PEOPLE)
    await freeze(worker)
    first = await world.admin.fetch("select * from statistics_cell order by 1, 2, 3, 4, 5, 6")
    await put(world, {("SY", "WRITER", "CLOSED", "HIGH", 2026): 30})

    await world.set_now(JULY)
    assert await freeze(worker) > 0

    assert await world.data("pen", ALL) == {"statistics": {"asOf": "2026-07-01", "cells": [{"count": 100}]}}
    kept = await world.admin.fetch(
        "select * from statistics_cell where period = '2026-04-01' order by 1, 2, 3, 4, 5, 6"
    )
    assert kept == first


async def test_of_two_workers_one_freezes(world: World, worker: Any) -> None:
    """The other waits for it, and finds it done; the release is whole."""
    await put(world, PEOPLE)

    counts = await asyncio.gather(*(freeze(worker) for _ in range(4)))

    assert sorted(counts) == [0, 0, 0, len(release(PEOPLE))]
    assert await world.admin.fetchval("select count(*) from statistics_cell") == len(release(PEOPLE))


async def test_a_worker_that_fails_midway_leaves_no_release(world: World, worker: Any) -> None:
    """Not an empty one either, which would stand for the quarter; the next attempt makes it."""
    await put(world, PEOPLE)
    await world.admin.execute("revoke insert on statistics_cell from hub_worker")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await freeze(worker)
    assert await world.data("pen", ALL) == {"statistics": None}

    await world.admin.execute("grant insert on statistics_cell to hub_worker")

    assert await freeze(worker) > 0


@pytest.mark.parametrize(
    "sql",
    [
        "update statistics_cell set count = 100",
        "delete from statistics_cell",
        "update statistics_release set as_of = '2026-01-01'",
        "delete from statistics_release",
        "insert into statistics_cell (period, year, count) values ('2026-04-01', 1999, 10)",
        "insert into statistics_release (period, as_of, smallest_cell) values ('2026-07-01', '2026-07-01', 10)",
        "insert into statistics_release (period, as_of, smallest_cell) values ('2026-01-01', '2026-01-01', 10)",
        "insert into statistics_release (period, as_of, smallest_cell, xid) values ('2026-04-01', '2026-01-01', 10, '1')",
    ],
)
async def test_a_frozen_release_is_out_of_the_workers_reach(world: World, worker: Any, sql: str) -> None:
    """Nothing of it is changed, removed or added to, nor is another quarter's made, whatever the worker runs."""
    await put(world, PEOPLE)
    await freeze(worker)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(sql)


@pytest.mark.parametrize("count", [9, 3, 0, -10, 15])
async def test_a_small_cell_cannot_even_be_kept(world: World, count: int) -> None:
    """Whatever goes wrong in the rule: the table takes tens, from ten on."""
    await world.insert("statistics_release", period="2026-04-01", as_of="2026-04-01", smallest_cell=10)

    with pytest.raises(asyncpg.CheckViolationError):
        await world.insert("statistics_cell", period="2026-04-01", year=2026, count=count)


async def test_what_the_rule_starts_from_is_the_workers_alone(world: World) -> None:
    """Counts of each kind, small ones too: no request can call for them."""
    app = await world.database.connect("hub_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetch("select * from count_cases()")


async def test_everyone_is_told_the_same(world: World, worker: Any) -> None:
    """ICORN's desk as a partner; and nobody without the scope."""
    await put(world, PEOPLE)
    await freeze(worker)
    await world.client("mute", "icorn", ["cases:read"])

    assert await world.data("desk", ALL) == await world.data("pen", ALL)
    denied = await world.ask("mute", ALL)
    assert denied["data"] == {"statistics": None}
    assert denied["errors"][0]["extensions"]["requiredScopes"] == [["statistics:read"]]


@pytest.mark.parametrize(
    ("grouped", "asked", "named"),
    [
        (["YEAR", "ORIGIN", "YEAR"], {}, 'Argument "groupBy" of Query.statistics names the same dimension twice.'),
        ([], {"from": "2026-01-02", "to": "2026-01-01"}, 'Argument "filter" of Query.statistics has a from that lies after its to'),
    ],
)  # fmt: skip
async def test_what_cannot_be_counted_is_said(
    world: World, grouped: list[str], asked: dict[str, str], named: str
) -> None:
    """BAD_USER_INPUT that names the argument, before anything is read."""
    answer = await world.ask("pen", EVERYTHING, {"g": grouped, "f": asked})

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith(named)
