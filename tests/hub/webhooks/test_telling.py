"""What webhooks are told: events as their organisation may see them when they are sent, by ids alone, signed, in order."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from socket import socket
from typing import Any
from uuid import UUID

import httpx2
import pytest
from standardwebhooks import WebhookVerificationError

from hub.webhooks import telling
from hub.webhooks.rounds import AT_ONCE
from tests.hub.subscriptions.kit import step
from tests.hub.webhooks.kit import Post, Receiver, status, verified


async def named(post: Post, organisation: str, noun: str, row: UUID) -> str:
    """Say how an organisation knows a case or referral."""
    org = post.world.organisations[organisation]
    return f"{noun}_{await post.world.admin.fetchval('select pairwise($1, $2, $3)', org, noun, row)}"


def steps(receiver: Receiver) -> list[str]:
    """Give the numbers of the steps that it was told of."""
    return [json.loads(body)["data"]["id"].rpartition("_")[2] for body in receiver.bodies]


async def test_a_message_is_signed_and_holds_ids_alone(worker: Post, receiver: Receiver, referral: Any) -> None:
    """The package that partners verify with takes it, and nothing that was changed; its ids are those of its organisation."""
    secret = await worker.webhook("pen", receiver)
    await worker.happens(referral, 2)
    await worker.tell()

    ((headers, body),) = receiver.got
    name = await named(worker, "pen-centre", "referral", referral)
    told = {"id": f"{name.replace('referral', 'event')}_2", "referral": name}
    assert verified(secret, (headers, body)) == {"type": "referral.event", "data": told}
    with pytest.raises(WebhookVerificationError):
        verified(secret, (headers, body.replace(b"_2", b"_3")))
    assert set(headers) == {
        "host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip


async def test_who_takes_part_is_told_and_of_what_is_hidden_there_is_no_sign(
    worker: Post, receiver: Receiver, other: Receiver, referral: Any
) -> None:
    """ICORN by ids of its own; Arts Haven nothing, and neither its webhook nor its log shows that something was passed over."""
    await worker.webhook("desk", receiver)
    await worker.webhook("arts", other)
    before = await seen_of(worker, "arts")
    for number in range(2, AT_ONCE + 4):
        await worker.happens(referral, number)
    own = await worker.world.referral("arts-haven")
    await worker.tell()
    assert await seen_of(worker, "arts") == before
    await worker.happens(own, 2)
    await worker.tell()

    assert steps(receiver) == [str(number) for number in range(2, AT_ONCE + 4)] + ["2"]
    assert (await named(worker, "icorn", "referral", referral)).encode() in receiver.bodies[0]
    (body,) = other.bodies
    assert json.loads(body)["data"]["referral"] == await named(worker, "arts-haven", "referral", own)
    records = await worker.world.admin.fetch(
        "select action, purpose, categories::text[], cardinality(subjects) as people from audit where client like 'webhook%' and organisation = $1",
        worker.world.organisations["arts-haven"],
    )
    assert [tuple(row) for row in records] == [("webhook referralEvents", "PROTECTION", ["OVERVIEW"], 1)]


async def seen_of(post: Post, client: str) -> Any:
    """Ask all that a client may know of its webhooks."""
    own = "{ viewer { organisation { webhooks { id url events status createdAt lastDeliveryAt failures lastProblem pausedAt } } } }"
    return await post.world.data(client, own)


async def test_only_the_steps_that_were_chosen_are_told(worker: Post, receiver: Receiver, other: Receiver, referral: Any) -> None:  # fmt: skip
    """To choose none is to be told of retractions alone."""
    await worker.webhook("pen", receiver, ["ACCEPTED"])
    await worker.webhook("pen", other, [])
    await worker.happens(referral, 2)
    await worker.tell()

    assert receiver.got == other.got == []


async def test_a_retraction_is_told_to_whom_it_concerns(worker: Post, receiver: Receiver, other: Receiver) -> None:
    """To the organisation that must delete, and to ICORN, each by the name that it knows the case by."""
    world = worker.world
    case = await world.case()
    await world.agreement("pen-centre")
    consent = await world.consent(case)
    await worker.webhook("pen", receiver, [])
    await worker.webhook("desk", other, [])
    await world.data("pen", "{ cases { edges { node { reference } } } }")
    await world.admin.execute("update consent set withdrawn_at = hub_now() where id = $1", consent)
    await worker.tell()

    for organisation, told in (("pen-centre", receiver), ("icorn", other)):
        (message,) = [json.loads(body) for body in told.bodies]
        assert message["type"] == "retraction.made"
        assert message["data"]["subject"] == await named(worker, organisation, "case", case)
    asked = f'{{ node(id: "{message["data"]["id"]}") {{ ... on Retraction {{ categories }} }} }}'
    assert (await world.data("pen", asked))["node"] == {"categories": ["OVERVIEW"]}


async def test_who_lost_the_right_before_it_is_sent_is_not_told(worker: Post, receiver: Receiver, referral: Any) -> None:  # fmt: skip
    """Neither at first, nor when what was not taken is tried again; what is seen still comes after it."""
    world = worker.world
    other = await world.referral("pen-centre", origin="TR")
    await worker.webhook("pen", receiver)
    receiver.answers = [status(500), status(204)]
    await worker.happens(referral, 2)
    await worker.tell()
    await world.admin.execute("insert into frozen (country, starts) values ('IR', hub_now())")
    await worker.happens(referral, 3)
    await worker.happens(other, 2)
    await worker.later(minutes=1)
    await worker.tell()
    await worker.tell()

    told = [json.loads(body)["data"]["referral"] for body in receiver.bodies]
    assert told == [await named(worker, "pen-centre", "referral", each) for each in (referral, other)]
    assert (await worker.state(receiver.url))["failures"] == 0


async def test_what_failed_and_is_out_of_sight_has_not_failed(worker: Post, receiver: Receiver, referral: Any) -> None:
    """With nothing left to tell, a webhook stands as if there had been nothing: what comes later has three days of its own."""
    await worker.webhook("pen", receiver)
    receiver.answers = [status(500)]
    await worker.happens(referral, 2)
    await worker.tell()
    await worker.world.admin.execute("insert into frozen (country, starts) values ('IR', hub_now())")
    await worker.later(minutes=1)
    await worker.tell()

    row = await worker.state(receiver.url)
    assert (row["failures"], row["failing_since"], row["next_try_at"]) == (0, None, None)


async def test_steps_are_told_in_their_order_whichever_transaction_was_begun_first(
    worker: Post, receiver: Receiver, referral: Any
) -> None:
    """The second step is of the older transaction, and a third one, older than the first step's, is under way still."""
    world = worker.world
    await worker.webhook("pen", receiver)
    older, between = await world.database.connect("postgres"), await world.database.connect("postgres")
    later, apart = older.transaction(), between.transaction()
    await later.start()
    await older.execute("select pg_current_xact_id()")
    await apart.start()
    await between.execute("select pg_current_xact_id()")
    await worker.happens(referral, 2)
    await step(world, older, referral, 3)
    await later.commit()
    await worker.tell()
    early = steps(receiver)
    await apart.commit()
    await worker.tell()

    assert early == []
    assert steps(receiver) == ["2", "3"]


async def test_either_wall_alone_keeps_what_is_hidden(worker: Post, receiver: Receiver, referral: Any) -> None:
    """Without the rule in the statement, and for a role that no policy binds, Arts Haven is told nothing of a foreign referral and retraction."""
    world = worker.world
    case = await world.case()
    await world.agreement("pen-centre")
    consent = await world.consent(case)
    await world.data("pen", "{ cases { edges { node { reference } } } }")
    for client in ("arts", "pen"):
        await worker.webhook(client, receiver)
    await worker.happens(referral, 2)
    await world.admin.execute("update consent set withdrawn_at = hub_now() where id = $1", consent)
    events = [
        telling.Happened((1, 1), row["referral_id"], row["ordinal"], row["retraction_id"])
        for row in await world.admin.fetch("select * from event where ordinal is not null or retraction_id is not null order by id")
    ]  # fmt: skip
    assert len(events) == 2
    found = []
    for organisation in ("arts-haven", "pen-centre"):
        org = world.organisations[organisation]
        webhook = telling.Webhook(
            await world.admin.fetchval("select id from webhook where organisation = $1", org),
            org,
            ["IN_REVIEW"],
            "AUDIT",
        )
        for event in events:
            pool, sound = world.app.state.pools.worker, telling.TELLING
            second = await telling.first_seen(pool, webhook, [event], telling.telling(frozenset({2})))
            first = await telling.first_seen(world.admin, webhook, [event], sound)
            found.append((first is None, second is None))

    assert found == [(True, True)] * 2 + [(False, False)] * 2


async def test_the_example_receives(worker: Post, receiver: Receiver, referral: Any) -> None:
    """What is signed with its secret, once; anything else it refuses."""
    secret = await worker.webhook("pen", receiver)
    await worker.happens(referral, 2)
    await worker.tell()
    ((headers, body),) = receiver.got
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "examples/receiver.py", str(port), env={**os.environ, "WEBHOOK_SECRET": secret}, stdout=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    sent = {name: value for name, value in headers.items() if name.startswith("webhook-")}
    try:
        async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(retries=8)) as http:
            answers = [
                (await http.post(f"http://127.0.0.1:{port}/", content=each, headers=sent)).status_code
                for each in (body, body, body + b" ")
            ]
    finally:
        process.kill()
        said, _ = await process.communicate()

    assert answers == [204, 204, 400]
    assert said.decode().split() == ["referral.event", json.loads(body)["data"]["id"]]
