"""The refresh token: it stays the same, is bound to a key, and ends with everything that it came from."""

import pytest

from tests.auth.app import App, make_app
from tests.auth.kit import World, ec_key, opened


async def test_a_refresh_token_is_not_rotated(app: App) -> None:
    """FAPI 2.0, 5.3.2.1, point 9: the same one goes on, and no other comes back."""
    refresh = (await app.tokens())["refresh_token"]
    answers = [await app.refresh(refresh) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert all("refresh_token" not in answer.json() for answer in answers)
    assert len({opened(answer.json()["access_token"])["jti"] for answer in answers}) == 3


async def test_a_refreshed_token_says_when_the_person_signed_in_and_not_when_it_was_refreshed(app: App) -> None:
    """Who refreshes has not shown a passkey (RFC 9470)."""
    refresh = (await app.tokens())["refresh_token"]
    app.world.clock.now += 600
    claims = opened((await app.refresh(refresh)).json()["access_token"])

    assert (claims["sub"], claims["auth_time"]) == (app.person.user, app.person.authenticated_at)


async def test_a_refresh_token_is_good_for_its_key_alone(app: App) -> None:
    """Stolen without the key of the proofs, it gives nothing; its own key still works afterwards."""
    refresh = (await app.tokens())["refresh_token"]
    stolen = await app.refresh(refresh, proof_key=ec_key())

    assert stolen.json()["error"] == "invalid_grant"
    assert (await app.refresh(refresh)).status_code == 200


async def test_another_client_can_do_nothing_with_it(world: World, app: App) -> None:
    """Not even with the right key."""
    refresh = (await app.tokens())["refresh_token"]
    other = await make_app(world, app.database, app.people, "other-app")
    other.proof_key = app.proof_key

    assert (await other.refresh(refresh)).json()["error"] == "invalid_grant"
    assert (await app.refresh(refresh)).status_code == 200


async def test_fewer_scopes_may_be_asked_for_and_never_more(app: App) -> None:
    """RFC 6749, 6: never beyond what was approved; and what the person lost meanwhile is left out."""
    refresh = (await app.tokens())["refresh_token"]
    fewer = await app.refresh(refresh, scope="cases:read")
    more = await app.refresh(refresh, scope="statistics:read")
    await app.database.admin("update hub.usr set scopes = '{referrals:read}'")
    left = await app.refresh(refresh)
    await app.database.admin("update hub.client set scopes = '{statistics:read}' where client_id = 'pen-app'")
    nothing = await app.refresh(refresh)

    assert (fewer.json()["scope"], more.json()["error"]) == ("cases:read", "invalid_scope")
    assert (left.json()["scope"], nothing.json()["error"]) == ("referrals:read", "invalid_grant")


async def test_a_refresh_is_held_to_the_ceiling_of_the_organisation(app: App) -> None:
    """As every token is: what agreements no longer list is left out."""
    refresh = (await app.tokens())["refresh_token"]
    cap = "create or replace function hub.scope_ceiling(asker int, asked text[]) returns text[] language sql stable security definer set search_path = hub, pg_temp return {}"
    await app.database.admin(cap.format("array_remove(asked, 'cases:read')"))
    capped = [await app.refresh(refresh), await app.redeem(await app.code())]
    await app.database.admin(cap.format("asked"))

    assert [answer.json()["scope"] for answer in capped] == ["referrals:read"] * 2


async def test_it_ends_with_the_working_day(app: App) -> None:
    """However much it is used: twelve hours after the person signed in, they sign in again."""
    app.world.clock.now += 3600
    refresh = (await app.tokens())["refresh_token"]
    app.world.clock.now += 11 * 3600 - 1
    assert (await app.refresh(refresh)).status_code == 200
    app.world.clock.now += 1
    assert (await app.refresh(refresh)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "loss",
    [
        "update hub.usr set status = 'DISABLED'",
        "update hub.usr set status = 'DISABLED'; update hub.usr set status = 'ACTIVE'",
        "update hub.client set status = 'DISABLED' where client_id = 'pen-app'; update hub.client set status = 'ACTIVE'",
        "update hub.organisation set suspended_at = now(); update hub.organisation set suspended_at = null",
    ],
)
async def test_it_ends_with_the_standing_of_user_client_and_organisation(app: App, loss: str) -> None:
    """At once, with the tokens it gave, and none of them comes back to life with them."""
    tokens = await app.tokens()
    await app.database.admin(loss)

    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await app.is_denied(opened(tokens["access_token"])["jti"])


async def test_what_ends_one_clients_standing_ends_no_other_clients_approvals(world: World, app: App) -> None:
    """Nor the session of whoever approved."""
    other = await make_app(world, app.database, app.people, "other-app")
    tokens = await app.tokens()
    await app.database.admin("update hub.client set status = 'DISABLED' where client_id = 'other-app'")
    await app.database.admin(f"update hub.usr set status = 'DISABLED' where id = '{other.person.user}'")  # noqa: S608 an id

    assert (await app.refresh(tokens["refresh_token"])).status_code == 200
    assert not await app.is_denied(opened(tokens["access_token"])["jti"])
    assert await app.people.sessions.person(app.cookie)


async def test_signing_out_ends_it_and_the_tokens_it_gave(app: App) -> None:
    """Whoever leaves a borrowed computer leaves nothing behind."""
    tokens = await app.tokens()
    await app.people.sessions.end(app.cookie)

    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await app.is_denied(opened(tokens["access_token"])["jti"])


async def test_showing_a_passkey_again_ends_nothing(app: App) -> None:
    """The session is a new one; what was approved in the old one goes on, and ends with the new one."""
    tokens = await app.tokens()
    cookie = await app.people.sessions.begin(app.person.user, replacing=app.cookie)
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200
    assert not await app.is_denied(opened(tokens["access_token"])["jti"])
    await app.people.sessions.end(cookie)

    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_what_is_over_is_forgotten(app: App) -> None:
    """Requests and approvals of which nothing is left are pruned as others are kept."""
    await app.pushed()
    await app.tokens()
    app.world.clock.now += 12 * 3600 + 800
    await app.world.server.grants.prune()
    left = await app.world.pool.fetchval(
        "select (select count(*) from auth.pushed_request) + (select count(*) from auth.approval)"
    )

    assert left == 0
