"""A connection ends with the right to it, and says why."""

from base64 import urlsafe_b64decode
from time import time
from typing import Any

import msgspec
import pytest

from auth.access_token import AccessToken
from hub.subscriptions import line, standing
from tests.hub.person import person
from tests.hub.subscriptions.kit import EVENTS, Hub, listening
from tests.world import World

UNCALLED = 3600.0
ENDS = {
    "hub panic": "update organisation set suspended_at = hub_now() where code = 'pen-centre'",
    "its client disabled": "update client set status = 'DISABLED' where client_id = 'pen'",
    "its client given less": "update client set scopes = '{cases:read}' where client_id = 'pen'",
    "its token revoked": "insert into revoked_token (token_id, until) values ('{token}', now() + interval '1 hour')",
}


def name_of(token: str) -> str:
    """Read the jti of a token."""
    claims = urlsafe_b64decode(token.split(".")[1] + "==")
    return msgspec.json.decode(claims, type=AccessToken).jti


@pytest.mark.parametrize("how", ENDS)
async def test_it_ends_at_once_when_the_right_to_it_ends(hub: Hub, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """By a call from the database, not by the recheck; both protocols, and whether or not anything happens."""
    monkeypatch.setattr(standing, "RECHECK", UNCALLED)
    token = await hub.token("pen")
    async with hub.stream("pen", EVENTS, token) as stream, hub.socket("pen", token) as socket:
        await socket.follow("1", EVENTS)
        await hub.app.state.exchange.outbox.tick()
        await hub.world.admin.execute(ENDS[how].replace("{token}", name_of(token)))
        last, end = await stream.next(), await stream.next()
        error, closed = await socket.hear(), await socket.closed()

    assert [e["extensions"]["code"] for e in last["errors"]] == ["UNAUTHENTICATED"]
    assert end is None
    assert (error["id"], error["type"], error["payload"][0]["extensions"]["code"]) == ("1", "error", "UNAUTHENTICATED")
    assert closed == (4401, "The access token, its client or its organisation is no longer valid.")


async def test_it_ends_when_the_person_is_disabled(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app goes on for others."""
    monkeypatch.setattr(standing, "RECHECK", UNCALLED)
    monkeypatch.setattr("tests.hub.person.ISSUER", hub.issuer)
    hub.world.now = time()
    sara = await person(hub.world, "sara", "pen", "pen-centre", ["referrals:read"])
    key, token = sara._proof_key, sara._token  # noqa: SLF001 she has a key of her own
    monkeypatch.setattr("tests.hub.subscriptions.kit.key_of", lambda _: key)
    assert token is not None
    async with hub.socket("pen", token.value) as socket:
        await hub.app.state.exchange.outbox.tick()
        await hub.world.admin.execute("update usr set status = 'DISABLED'")
        closed = await socket.closed()

    assert closed[0] == 4401


async def test_what_was_not_called_is_found_by_looking_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recheck alone will do."""
    monkeypatch.setattr(standing, "RECHECK", 0.1)
    await hub.world.admin.execute("drop trigger call_listeners on client")
    async with hub.socket("pen") as socket:
        await hub.world.admin.execute(ENDS["its client disabled"])
        closed = await socket.closed()

    assert closed[0] == 4401


async def test_it_ends_with_the_tokens_time(hub: Hub) -> None:
    """Not a moment is added: the client connects with a new one."""
    async with hub.stream("pen", EVENTS) as stream, hub.socket("pen") as socket:
        await hub.app.state.exchange.outbox.tick()
        hub.ahead = 601
        await hub.world.admin.execute("select pg_notify('hub_standing', '')")
        last, end, closed = await stream.next(), await stream.next(), await socket.closed()

    assert ([e["extensions"]["code"] for e in last["errors"]], end) == (["TOKEN_EXPIRED"], None)
    assert closed == (4403, "The access token's time is over: connect with a new one.")


async def test_a_hub_that_stops_says_so(world: World) -> None:
    """It does not wait for connections that would stay for ever."""
    async with listening(world) as hub, hub.stream("pen", EVENTS) as stream, hub.socket("pen") as socket:
        await hub.stop()
        last, end, closed = await stream.next(), await stream.next(), await socket.closed()

    assert ([e["extensions"]["code"] for e in last["errors"]], end) == (["SERVICE_UNAVAILABLE"], None)
    assert closed == (1001, "The hub is stopping: connect again.")


async def test_patience_with_what_waits_has_a_bound(hub: Hub, referral: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for an event, and none comes, the connection ends and says why."""
    monkeypatch.setattr(line, "WAITING", 0)
    monkeypatch.setattr(line, "PATIENCE", 0.1)
    async with hub.stream("pen", EVENTS) as stream:
        await hub.happens(referral, 2)
        last, end = await stream.next(), await stream.next()

    assert ([e["extensions"]["code"] for e in last["errors"]], end) == (["TOO_SLOW"], None)


async def test_too_many_at_once_are_refused(hub: Hub) -> None:
    """A connection counts as one operation, and each subscription on it."""
    await hub.world.client("few", "pen-centre", limits={"concurrency": 2})
    async with hub.socket("few") as socket:
        await socket.follow("1", EVENTS)
        await socket.say(type="subscribe", id="2", payload={"query": EVENTS})
        refused = await socket.hear()
        async with hub.stream("few", EVENTS) as stream:
            status = stream.answer.status_code
        await socket.say(type="complete", id="1")
        await socket.follow("3", EVENTS)

    assert (refused["id"], refused["type"]) == ("2", "error")
    assert refused["payload"][0]["extensions"]["limit"] == "concurrency"
    assert status == 429
