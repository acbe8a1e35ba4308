"""Creating, resuming and deleting webhooks: of one's own organisation alone, to the internet alone, with a secret that is told once."""

from base64 import b64decode
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.hub.commands.kit import events, found, operation, run
from tests.hub.webhooks.kit import CREATE
from tests.world import World

URL = "https://partner.example/events"
OWN = '{ organisation(code: "pen-centre") { webhooks { id url events status failures } } }'

INSIDE = (
    "http://partner.example/events", "ftp://partner.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/x", "https://169.254.169.254/latest",
    "https://[64:ff9b::a00:1]/", "https://u:p@partner.example/", "https://partner.example/#x", "https:///x", "https://partner.example:port/", "partner", "", "https://p.example/" + "x" * 1000,
)  # fmt: skip


def given(**changed: Any) -> dict[str, Any]:
    """Give the input of a webhook of the PEN Centre."""
    return {"organisation": "organisation_pen-centre", "url": URL, "events": ["ACCEPTED", "MESSAGE"], **changed}


async def test_a_webhook_is_its_organisations_own(world: World) -> None:
    """Its own admin finds it; to every other organisation it is not there, by any way, ICORN included."""
    made = await run(world, "pen", "createWebhook", given())
    webhook = made["webhook"]
    assert (await world.data("pen", OWN))["organisation"]["webhooks"] == [
        {"id": webhook["id"], "url": URL, "events": ["ACCEPTED", "MESSAGE"], "status": "ACTIVE", "failures": 0}
    ]
    for client in ("arts", "desk"):
        assert (await world.data(client, OWN))["organisation"]["webhooks"] == []
        assert (await world.data(client, f'{{ node(id: "{webhook["id"]}") {{ id }} }}'))["node"] is None
        for name in ("deleteWebhook", "resumeWebhook"):
            for named in (webhook["id"], f"webhook_{uuid4()}"):
                assert await found(world, client, name, {"webhook": named}) == [("NOT_FOUND", "input.webhook")]
        assert await found(world, client, "createWebhook", given()) == [("NOT_ALLOWED", "input.organisation")]
    assert await found(world, "pen", "resumeWebhook", {"webhook": webhook["id"]}) == [("NOT_PAUSED", "input.webhook")]
    assert await run(world, "pen", "deleteWebhook", {"webhook": webhook["id"]}) == {"webhook": None, "problems": []}
    assert (await world.data("pen", OWN))["organisation"]["webhooks"] == []
    assert await world.admin.fetchval("select count(*) from webhook_secret") == 0
    assert await events(world) == ["webhook.created", "webhook.deleted"]


async def test_messages_go_to_the_internet_alone(world: World) -> None:
    """By TLS, with neither a password in the address nor a place that nothing is sent to; all that is wrong is said at once."""
    for url in INSIDE:
        wrong = given(url=url, organisation="organisation_nobody")
        assert await found(world, "pen", "createWebhook", wrong) == [
            ("NOT_FOUND", "input.organisation"),
            ("BAD_URL", "input.url"),
        ]


async def test_an_organisation_has_so_many_webhooks_and_no_more(world: World) -> None:
    """Others' do not count."""
    for number in range(10):
        assert (await run(world, "pen", "createWebhook", given(url=f"{URL}/{number}")))["problems"] == []

    assert await found(world, "pen", "createWebhook", given()) == [("TOO_MANY", "input")]
    assert (await run(world, "arts", "createWebhook", given(organisation="organisation_arts-haven")))["problems"] == []


async def test_the_secret_is_told_to_who_made_it_and_then_never_again(world: World) -> None:
    """By the answer that it was made with: a retry is the same webhook without it. At rest it is sealed."""
    asked = {"input": {"idempotencyKey": "once", **given()}}
    first = (await world.data("pen", CREATE, asked))["createWebhook"]
    again = (await world.data("pen", CREATE, asked))["createWebhook"]
    row = await world.admin.fetchrow("select sealed, wrapped from webhook_secret")

    assert len(b64decode(first["secret"].removeprefix("whsec_"))) == 32
    assert again == {**first, "secret": None}
    assert first["secret"].encode() not in row["sealed"] + row["wrapped"]


async def test_no_request_ever_reads_a_secret(world: World) -> None:
    """The role that answers has no right to, whoever asks; and puts none beside a webhook that is not its asker's."""
    await run(world, "pen", "createWebhook", given())
    connection = await world.database.connect("hub_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetchval("select sealed from webhook_secret")
    webhook = await world.admin.fetchval("select id from webhook")
    await world.admin.execute("delete from webhook_secret")
    bind = "select set_config('hub.organisation', $1, true), set_config('hub.scopes', 'access:manage', true)"
    put = "insert into webhook_secret (webhook_id, sealed, kek, wrapped) values ($1, '', '1', '')"
    async with connection.transaction():
        await connection.fetch(bind, str(world.organisations["arts-haven"]))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(put, webhook)


async def test_without_the_scope_there_is_nothing(world: World) -> None:
    """Neither to read nor to change."""
    await run(world, "pen", "createWebhook", given())
    await world.client("reader", "pen-centre", ["referrals:read"])
    read = await world.ask("reader", OWN)
    made = await world.ask("reader", operation("createWebhook"), {"input": {"idempotencyKey": "k", **given()}})

    assert (read["data"]["organisation"], made["data"]) == ({"webhooks": None}, {"createWebhook": None})
    assert {error["extensions"]["code"] for answer in (read, made) for error in answer["errors"]} == {
        "UNAUTHORIZED_FIELD_OR_TYPE"
    }
