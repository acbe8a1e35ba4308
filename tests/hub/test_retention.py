"""What was kept as long as its status allows is erased by the worker, as thoroughly as by the desk, unless a legal hold keeps it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from auth.keyring import Keyring
from hub.metrics import Numbers
from hub.postgres import open_pool
from hub.worker import erase_overdue
from tests.hub.commands.kit import counts
from tests.hub.commands.whole_case import left_of, whole_case
from tests.hub.keys import key_file
from tests.hub.test_worker import heard, running
from tests.hub.waiting import waiting
from tests.world import KEYRING, World

NOON = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
KEPT = {("CASE", "DECLINED"): 90, ("CASE", "WITHDRAWN"): 30, ("CASE", "CLOSED"): 90, ("REFERRAL", "DECLINED"): 30,
        ("REFERRAL", "WITHDRAWN"): 30, ("REFERRAL", "REDIRECTED"): 30, ("REFERRAL", "COMPLETED"): 90}  # fmt: skip


async def ages(world: World, noun: str, status: str, *days: float) -> list[Any]:
    """Add cases or referrals of a status, changed last so many days ago."""
    made = []
    for number, day in enumerate(days):
        values: dict[str, Any] = {"status": status, "updated_at": (NOON - timedelta(days=day)).isoformat()}
        if noun == "CASE":
            made.append(await world.case(documents={}, **values))
        else:
            reference = f"{status} {number}"
            made.append(await world.referral("pen-centre", documents={}, client_reference=reference, **values))
    return made


async def sweep(world: World) -> int:
    """Erase what is overdue, as the worker does."""
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        return await erase_overdue(pool)


async def there(world: World) -> set[Any]:
    """Give the ids of all cases and referrals."""
    return {row[0] for row in await world.admin.fetch("select id from case_file union all select id from referral")}


async def test_each_status_has_its_period(world: World) -> None:
    """On its last day it is there, and then it is not; a status without a period is kept, however old."""
    found = await world.admin.fetch("select noun, status, extract(day from keep)::int from retention")
    assert {(noun, status): days for noun, status, days in found} == KEPT
    kept, due = set(), set()
    statuses = {"CASE": "case_status", "REFERRAL": "referral_status"}
    for noun, kind in statuses.items():
        for (status,) in await world.admin.fetch(f"select unnest(enum_range(null::{kind}))::text"):
            days = KEPT.get((noun, status))
            made = await ages(world, noun, status, *((days - 0.001, days) if days else (9999,)))
            kept.add(made[0])
            due |= set(made[1:])

    assert await sweep(world) == len(due) == len(KEPT)
    assert await there(world) == kept
    assert await sweep(world) == 0


async def test_a_case_that_is_overdue_goes_with_everything(world: World) -> None:
    """By the same function as a desk's erasure; nobody is named as its asker."""
    whole = await whole_case(world)
    await world.admin.execute("update case_file set status = 'CLOSED', updated_at = '2020-01-01'")

    assert await sweep(world) == 1
    assert await left_of(world, whole) == set()
    assert await world.admin.fetchval("select asked from erasure") is False


async def test_a_referral_of_a_case_is_kept_as_long_as_the_case(world: World) -> None:
    """Declined long ago, it is a part of what the case is about."""
    case = await world.case(documents={})
    await world.referral("pen-centre", case=case, documents={}, status="DECLINED", updated_at="2020-01-01T00:00:00Z")
    before = await counts(world)

    assert await sweep(world) == 0
    assert await counts(world) == before


async def test_a_legal_hold_keeps_what_is_overdue(world: World) -> None:
    """Until it is ended; one that was only proposed keeps nothing."""
    held, proposed = await ages(world, "CASE", "CLOSED", 100, 100)
    await world.insert("legal_hold", case_id=held, held=True, reason=b"?", since="2026-01-01T00:00:00Z")
    await world.insert("legal_hold", case_id=proposed, held=False, proposed=True, proposed_reason=b"?", client="c", usr="", since="2026-01-01T00:00:00Z")  # fmt: skip

    assert await sweep(world) == 1
    assert await there(world) == {held}
    await world.admin.execute("update legal_hold set held = false")
    assert await sweep(world) == 1


async def test_what_is_changed_while_the_worker_waits_for_it_is_kept(world: World) -> None:
    """Somebody opens the file again at the last moment: the worker looks once more when it is its turn."""
    (case,) = await ages(world, "CASE", "CLOSED", 100)
    async with world.admin.transaction():
        await world.admin.execute("select alone_with($1)", [case])
        sweeping = asyncio.create_task(sweep(world))
        await waiting(world.admin)
        await world.admin.execute("update case_file set status = 'IN_ASSESSMENT'")

    assert await sweeping == 0
    assert await there(world) == {case}


async def test_two_workers_erase_each_thing_once(world: World) -> None:
    """More than one turn's worth, with two at it."""
    await ages(world, "CASE", "CLOSED", *[100] * 25)

    assert sum(await asyncio.gather(sweep(world), sweep(world))) == 25
    assert await there(world) == set()
    assert await world.admin.fetchval("select count(*) from erasure") == 25


async def test_only_the_worker_sweeps(world: World) -> None:
    """No request can have the hub erase what is overdue, count it, or call what erases."""
    app = await world.database.connect("hub_app")
    calls = ("erase_overdue(1)", "count_overdue()", f"destroy('{await world.case()}', null, true)", "alone_with('{}')")
    for call in calls:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"select {call}")


async def test_numbers_are_told_and_nothing_else(world: World) -> None:
    """How much is overdue, erased, wrapped by old keys, unlogged and not delivered to: no label, no id."""
    await ages(world, "CASE", "CLOSED", 100, 100, 1)
    await ages(world, "REFERRAL", "DECLINED", 31)
    await world.admin.execute("insert into erasure (at, asked) values (hub_now(), true)")
    await world.admin.execute("update case_key set kek = '0'")
    await world.admin.execute("insert into audit (organisation, client, action, operation, subjects, categories, proof) values (1, 'test', 'query', '1', '{}', '{}', '2')")  # fmt: skip
    numbers = Numbers()
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await numbers.measure(pool, KEYRING)
    samples = [s for family in numbers.registry.collect() for s in family.samples]

    assert {s.name: s.value for s in samples} == {
        "hub_overdue_erasures": 3, "hub_erasures": 1, "hub_keys_under_old_epochs": 3, "hub_audit_records_waiting": 1, "hub_agreements_expiring": 0,
        "hub_webhooks_not_delivering": 0,
        "hub_feeds_behind": 0, "hub_feeds_drifted": 0, "hub_feed_records_quarantined": 0,
    }  # fmt: skip
    assert all(s.labels == {} for s in samples)


async def test_numbers_follow_the_file_of_keys(world: World, tmp_path: Path) -> None:
    """A worker that began before the keys were rotated counts by the new epoch: one that waits to be rewrapped, and then none."""
    await ages(world, "CASE", "CLOSED", 1)
    file = key_file(tmp_path)
    await world.admin.execute("update case_key set kek = '1'")
    numbers, serving = Numbers(), Keyring.load(file)
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        Keyring.load(file).add("2")
        await numbers.measure(pool, serving)
        waiting = numbers.registry.get_sample_value("hub_keys_under_old_epochs")
        await world.admin.execute("update case_key set kek = '2'")
        await numbers.measure(pool, serving)

    assert (waiting, numbers.registry.get_sample_value("hub_keys_under_old_epochs")) == (1, 0)


async def test_a_worker_erases_and_tells_its_numbers_on_this_machine(
    world: World, tmp_path: Any, unused_tcp_port: int
) -> None:
    """As soon as it is at work, on the port that is set; a port that cannot be had is named."""
    await ages(world, "CASE", "CLOSED", 100)
    settings = {
        "HUB_WORKER_DATABASE_URL": world.database.dsn("hub_worker"), "HUB_KEYS_FILE": str(key_file(tmp_path)), "HUB_METRICS_PORT": str(unused_tcp_port),
    }  # fmt: skip
    async with running("worker", **settings) as process:
        await heard(process, "worker.erased")
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        told = (await reader.read()).decode().partition("\r\n\r\n")[2]
        writer.close()
        async with running("worker", **settings) as second:
            assert second.stderr is not None
            said = (await second.stderr.read()).decode()

    assert {family.name for family in text_string_to_metric_families(told)} == {
        "hub_overdue_erasures", "hub_erasures", "hub_keys_under_old_epochs", "hub_audit_records_waiting", "hub_agreements_expiring",
        "hub_webhooks_not_delivering",
        "hub_feeds_behind", "hub_feeds_drifted", "hub_feed_records_quarantined",
    }  # fmt: skip
    assert f"HUB_METRICS_PORT: cannot listen on 127.0.0.1:{unused_tcp_port}" in said
