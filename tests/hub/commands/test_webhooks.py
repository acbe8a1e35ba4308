"""Creating, resuming and deleting webhooks: of one's own organisation alone, to the internet alone, with a secret that is told once."""

from base64 import b64decode
from typing import Any
from uuid import uuid4

from tests.hub.commands.kit import events, found, operation, run
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
    """A retry of the lost answer gets the same within ten minutes; nobody else and nothing later does; and at rest it is sealed."""
    await world.client("colleague", "pen-centre")
    asked = {"input": {"idempotencyKey": "once", **given()}}
    first = await world.data("pen", operation("createWebhook"), asked)
    again = await world.data("pen", operation("createWebhook"), asked)
    secret = first["createWebhook"]["secret"]
    other = await world.data("colleague", operation("createWebhook"), asked)
    row = await world.admin.fetchrow("select sealed, wrapped from webhook_secret limit 1")
    await world.admin.execute("update hub.test_clock set now = now + interval '10 minutes'")
    world.now += 600
    late = await world.data("pen", operation("createWebhook"), asked)

    assert first == again
    assert len(b64decode(secret.removeprefix("whsec_"))) == 32
    assert other["createWebhook"]["secret"] != secret
    assert (late["createWebhook"]["secret"], late["createWebhook"]["webhook"]) == (
        None,
        first["createWebhook"]["webhook"],
    )
    assert secret.encode() not in row["sealed"] + row["wrapped"]


async def test_the_secret_is_behind_the_second_wall_too(world: World) -> None:
    """The role of requests reads of it, as whoever made it and for ten minutes, its ciphertext; as anybody else, nothing."""
    await run(world, "pen", "createWebhook", given())
    connection = await world.database.connect("hub_app")

    async def readable(organisation: str, client: str, scopes: str = "access:manage") -> Any:
        bind = "select set_config('hub.organisation', $1, true), set_config('hub.client', $2, true), set_config('hub.scopes', $3, true)"
        async with connection.transaction():
            await connection.fetch(bind, str(world.organisations[organisation]), client, scopes)
            return await connection.fetchval("select count(*) from webhook_secret")

    assert await readable("pen-centre", "pen") == 1
    assert await readable("pen-centre", "colleague") == 0
    assert await readable("arts-haven", "pen") == 0
    assert await readable("pen-centre", "pen", "cases:read") == 0
    await world.admin.execute("update hub.test_clock set now = now + interval '10 minutes'")
    assert await readable("pen-centre", "pen") == 0


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
