"""How messages are carried: whatever a receiver does, each comes at least once, in order, under one id; and nobody else waits for it."""

import asyncio
from typing import Any

import pytest

from hub.webhooks.courier import Courier
from hub.webhooks.rounds import not_delivering
from tests.hub.commands.kit import events, run
from tests.hub.test_worker import heard, running
from tests.hub.webhooks.kit import Answer, Post, Receiver, endless, hang, post, reset, rounds, status, verified
from tests.world import KEYS, World

FAULTS: dict[str, tuple[Answer, str]] = {
    "an error of its own": (status(500), "HTTP_500"),
    "a refusal": (status(400), "HTTP_400"),
    "a reset": (reset, "UNREACHABLE"),
    "no answer": (hang, "TIMEOUT"),
}

INSIDE = ("localhost", "localhost.", "127.0.0.1", "[::ffff:127.0.0.1]", "[::]", "0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "①②⑦.0.0.1")  # fmt: skip
"""Ways to write this machine."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_not_taken_is_tried_again_later_under_the_same_id(
    world: World, receiver: Receiver, referral: Any, fault: str
) -> None:
    """Before what came after it; and why it was not taken is told as a code."""
    receiver.answers = [FAULTS[fault][0], status(503), status(200)]
    async with post(world, receiver, seconds=0.5) as worker:
        secret = await worker.webhook("pen", receiver)
        await worker.happens(referral, 2)
        await worker.tell()
        told = await world.data("pen", "{ viewer { organisation { webhooks { failures lastProblem status lastDeliveryAt } } } }")  # fmt: skip
        await worker.happens(referral, 3)
        await worker.tell()
        early = len(receiver.got)
        for seconds in (5, 15):
            await worker.later(seconds=seconds)
            await worker.tell()

    assert told["viewer"]["organisation"]["webhooks"] == [
        {"failures": 1, "lastProblem": FAULTS[fault][1], "status": "ACTIVE", "lastDeliveryAt": None}
    ]
    assert early == 1
    assert [receiver.ids.index(each) for each in receiver.ids] == [0, 0, 0, 3]
    assert receiver.bodies[0] == receiver.bodies[2]
    assert verified(secret, receiver.got[2])["data"]["id"].endswith("_2")


async def test_no_redirect_is_followed(worker: Post, receiver: Receiver, other: Receiver, referral: Any) -> None:
    """Least of all to an address inside."""
    await worker.webhook("pen", receiver)
    for code in (301, 302, 303, 307, 308):
        receiver.answers = [status(code, Location=other.url)]
        await worker.happens(referral, code)
        await worker.later(hours=7)
        await worker.tell()

    assert other.got == []
    assert (await worker.state(receiver.url))["last_problem"] == "HTTP_308"


async def test_a_name_that_leads_inside_is_not_connected_to() -> None:
    """Judged is the address that is connected to, so that no later look-up can lead elsewhere; a literal one is judged as it is."""
    called: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(1)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, Courier() as courier:
        port = server.sockets[0].getsockname()[1]
        found = [
            await courier.carry(f"{scheme}://{host}:{port}/", {}, b"")
            for scheme in ("https", "http")
            for host in INSIDE
        ]

    assert {receipt.problem for receipt in found} == {"UNREACHABLE"}
    assert called == []


async def test_what_is_answered_is_not_read(worker: Post, receiver: Receiver, referral: Any) -> None:
    """A body without end takes no longer than its status, and nothing of it is kept."""
    await worker.webhook("pen", receiver)
    receiver.answers = [endless]
    await worker.happens(referral, 2)
    await worker.happens(referral, 3)
    await worker.tell()

    row = await worker.state(receiver.url)
    assert len(receiver.got) == 2
    assert (row["failures"], row["last_problem"]) == (0, None)


async def test_after_three_days_it_is_paused_and_resumed_it_goes_on_where_it_stopped(
    worker: Post, receiver: Receiver, referral: Any
) -> None:
    """An event tells of it, and so do the worker's numbers and hub doctor; while paused, nothing is tried."""
    world = worker.world
    await worker.webhook("pen", receiver)
    receiver.answers = [status(500)]
    await worker.happens(referral, 2)
    tries = 0
    while (await worker.state(receiver.url))["paused_at"] is None:
        await worker.tell()
        tries += 1
        await worker.later(hours=8)
    await worker.happens(referral, 3)
    await worker.tell()
    paused = len(receiver.got)
    known = await not_delivering(world.app.state.pools.worker)
    (told,) = (await world.data("pen", "{ viewer { organisation { webhooks { id status pausedAt } } } }"))["viewer"]["organisation"]["webhooks"]  # fmt: skip
    receiver.answers = [status(204)]
    answer = await run(world, "pen", "resumeWebhook", {"webhook": told["id"]})
    await worker.tell()

    assert (tries, paused) == (10, 10)  # at 0, 8, ... 72 hours
    assert known == [("pen-centre", 1)]
    assert told["status"] == "DISABLED"
    assert told["pausedAt"] == "2026-06-04T12:00:00+00:00"
    assert (answer["problems"], answer["webhook"]["status"], answer["webhook"]["failures"]) == ([], "ACTIVE", 0)
    assert [body[-40:] for body in receiver.bodies[10:]] == [receiver.bodies[0][-40:], receiver.bodies[-1][-40:]]
    assert len(set(receiver.ids)) == 2
    assert [kind for kind in await events(world) if kind.startswith("webhook")] == ["webhook.created", "webhook.paused", "webhook.resumed"]  # fmt: skip


async def test_who_answers_gone_is_sent_nothing_any_more(worker: Post, receiver: Receiver, referral: Any) -> None:
    """For good: it can only be deleted."""
    await worker.webhook("pen", receiver)
    receiver.answers = [status(410)]
    await worker.happens(referral, 2)
    await worker.tell()
    await worker.later(days=1)
    await worker.tell()
    webhook = f"webhook_{(await worker.state(receiver.url))['id']}"
    refused = await run(worker.world, "pen", "resumeWebhook", {"webhook": webhook})

    assert len(receiver.got) == 1
    assert [(p["code"], p["path"]) for p in refused["problems"]] == [("ENDED", ["input", "webhook"])]
    assert "webhook.ended" in await events(worker.world)


async def test_with_its_organisation_a_webhook_ends(worker: Post, receiver: Receiver, referral: Any) -> None:
    """Nor does it come back to life with it."""
    await worker.webhook("pen", receiver)
    for number, suspended in ((2, True), (3, False)):
        await worker.world.admin.execute(
            "update organisation set suspended_at = case when $1 then hub_now() end where code = 'pen-centre'",
            suspended,
        )
        await worker.happens(referral, number)
        await worker.tell()

    assert receiver.got == []


async def test_whoever_is_slow_delays_nobody_else(worker: Post, receiver: Receiver, other: Receiver, referral: Any) -> None:  # fmt: skip
    """While one receiver does not answer, another one is told."""
    await worker.webhook("pen", receiver)
    await worker.webhook("desk", other)
    receiver.answers = [hang]
    await worker.happens(referral, 2)
    await worker.rounds.look()
    await asyncio.wait_for(receiver.came.wait(), 10)
    await asyncio.wait_for(other.came.wait(), 10)
    await worker.rounds.close()


async def test_of_many_workers_one_tells_a_webhook(worker: Post, receiver: Receiver, referral: Any) -> None:
    """The others pass it by until it is given back."""
    await worker.webhook("pen", receiver)
    waiting, go = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        waiting.set()
        await go.wait()
        return await status(200)(request)

    receiver.answers = [slow]
    second = rounds(worker.world, worker.courier)
    await worker.happens(referral, 2)
    await worker.rounds.look()
    await asyncio.wait_for(waiting.wait(), 10)
    await second.look()
    await second.settle()
    go.set()
    await worker.rounds.settle()
    await worker.happens(referral, 3)
    await second.look()
    await second.settle()
    await second.close()

    assert len(receiver.got) == len(set(receiver.ids)) == 2


async def test_a_worker_killed_before_it_noted_a_message_is_followed_by_one_that_sends_it_again(
    world: World, receiver: Receiver, referral: Any
) -> None:
    """Under the same id, with the same body, so that whoever has it already knows."""
    receiver.answers = [hang, status(204)]
    settings = {
        "HUB_WORKER_DATABASE_URL": world.database.dsn("hub_worker"),
        "HUB_KEYS": KEYS,
        "HUB_FEED_PRIVATE_HOSTS": receiver.host,
    }
    async with post(world, receiver) as worker:
        secret = await worker.webhook("pen", receiver)
        await worker.happens(referral, 2)
        async with running("worker", **settings) as process:
            await heard(process, "worker.started")
            await asyncio.wait_for(receiver.came.wait(), 30)
            await worker.tell()
            alone = len(receiver.got)
            process.kill()
            await process.wait()
        while len(receiver.got) == 1:
            # Its connections end a moment after it.
            await worker.tell()

    assert alone == 1
    assert receiver.ids[0] == receiver.ids[1]
    assert receiver.bodies[0] == receiver.bodies[1]
    assert verified(secret, receiver.got[1])["type"] == "referral.event"


async def test_a_lost_connection_gives_every_webhook_back(worker: Post, receiver: Receiver, referral: Any) -> None:
    """What is on its way is interrupted: somebody else may have it by now."""
    await worker.webhook("pen", receiver)
    receiver.answers = [hang, status(204)]
    await worker.happens(referral, 2)
    await worker.rounds.look()
    await asyncio.wait_for(receiver.came.wait(), 10)
    await worker.world.admin.execute(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = $1 and database = (select oid from pg_database where datname = current_database())",
        0x686F6F6B,
    )
    await asyncio.wait_for(worker.rounds.settle(), 10)
    await worker.tell()

    assert len(receiver.got) == 2
