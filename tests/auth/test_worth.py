"""Ending tokens (RFC 7009) and asking what one is worth (RFC 7662)."""

import pytest

from auth.clients import set_use
from tests.auth.app import INTROSPECT_URL, REVOKE_URL, App, make_app
from tests.auth.kit import ISSUER, World, ec_key, opened


@pytest.fixture
async def icorns(world: World, app: App) -> App:
    """A resource server of ICORN, which may introspect."""
    made = await make_app(world, app.database, app.people, "icorn-archive", introspects=True)
    await app.database.admin("insert into hub.organisation (code, name, kind) values ('icorn', 'ICORN', 'ICORN')")
    await app.database.admin(
        "update hub.client set organisation = (select id from hub.organisation where code = 'icorn') where client_id = 'icorn-archive'"
    )
    return made


async def test_a_client_ends_its_own_access_token(app: App) -> None:
    """The token is on the list that the gate reads, until it would have ended anyway; the refresh token goes on."""
    tokens = await app.tokens()
    claims = opened(tokens["access_token"])
    answer = await app.revoke(tokens["access_token"], token_type_hint="refresh_token")
    until = await app.world.pool.fetchval(
        "select extract(epoch from until)::float8 from hub.revoked_token where token_id = $1", claims["jti"]
    )

    assert (answer.status_code, answer.json()) == (200, {})
    assert claims["exp"] <= until <= claims["exp"] + 120
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200


async def test_ending_a_refresh_token_ends_every_token_it_gave(app: App) -> None:
    """RFC 7009, 2.1."""
    tokens = await app.tokens()
    fresh = (await app.refresh(tokens["refresh_token"])).json()
    await app.revoke(tokens["refresh_token"])

    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    for told in (tokens, fresh):
        assert await app.is_denied(opened(told["access_token"])["jti"])


async def test_ending_twice_is_ending(app: App) -> None:
    """RFC 7009, 2.2: what is over already is no error, and neither is what never was."""
    tokens = await app.tokens()
    answers = [
        await app.revoke(token)
        for token in (*tokens.values(), *tokens.values(), "nonsense", "")
        if isinstance(token, str)
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}


async def test_another_clients_token_goes_on_and_nobody_learns_whose_it_is(world: World, app: App) -> None:
    """The answer is the same as for a token of its own."""
    other = await make_app(world, app.database, app.people, "other-app")
    tokens = await app.tokens()
    answers = [await other.revoke(tokens[name]) for name in ("access_token", "refresh_token")]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}
    assert not await app.is_denied(opened(tokens["access_token"])["jti"])
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_resource_server_of_icorn_hears_what_a_token_is_worth(app: App, icorns: App) -> None:
    """Who, for whom, what, until when, bound to which key."""
    tokens = await app.tokens()
    told = (await icorns.send(INTROSPECT_URL, {"token": tokens["access_token"]})).json()
    claims = opened(tokens["access_token"])

    assert told == {
        "active": True,
        "token_type": "DPoP",
        **{name: value for name, value in claims.items() if name not in ("purpose", "limits")},
    }


@pytest.mark.parametrize(
    "loss",
    [
        "update hub.usr set status = 'DISABLED'",
        "update hub.usr set scopes = '{statistics:read}'",
        "update hub.client set status = 'DISABLED' where client_id = 'pen-app'",
        "update hub.client set scopes = '{statistics:read}' where client_id = 'pen-app'",
        "update hub.organisation set suspended_at = now() where code = 'pen-centre'",
        "update auth.session set ended_at = to_timestamp(1780315200)",
    ],
)
async def test_a_token_is_worth_nothing_once_the_gate_would_refuse_it(app: App, icorns: App, loss: str) -> None:
    """One rule for both, asked at this very moment."""
    tokens = await app.tokens()
    await app.database.admin(loss)
    told = await icorns.send(INTROSPECT_URL, {"token": tokens["access_token"]})

    assert (told.status_code, told.json()) == (200, {"active": False})


async def test_what_is_no_live_access_token_is_just_not_active(app: App, icorns: App) -> None:
    """A refresh token, a revoked one, an old one, nonsense: nobody learns which."""
    tokens, ended = await app.tokens(), await app.tokens()
    await app.revoke(ended["access_token"])
    asked = [tokens["refresh_token"], ended["access_token"], "nonsense", ""]
    told = [await icorns.send(INTROSPECT_URL, {"token": token}) for token in asked]
    app.world.clock.now += 601
    told.append(await icorns.send(INTROSPECT_URL, {"token": tokens["access_token"]}))

    assert {(answer.status_code, answer.text) for answer in told} == {(200, '{"active":false}')}


async def test_nobody_else_may_ask(world: World, app: App, icorns: App) -> None:
    """Not a partner's client, not even one that is marked, and not ICORN's own unless it is."""
    marked = await make_app(world, app.database, app.people, "marked", introspects=True)
    await set_use(world.pool, "icorn-archive", redirect_uris=[])
    token = (await app.tokens())["access_token"]
    answers = [await each.send(INTROSPECT_URL, {"token": token}) for each in (app, marked, icorns)]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(400, "unauthorized_client")] * 3


@pytest.mark.parametrize("url", [REVOKE_URL, INTROSPECT_URL])
async def test_both_ask_who_is_there_and_for_one_token(app: App, url: str) -> None:
    """A stranger, a parameter that comes twice or is missing, the query string, another method: refused."""
    token = (await app.tokens())["access_token"]
    stranger = App(app.world, app.database, app.people, app.person, app.cookie, "nobody", ec_key())
    twice = await app.world.http.post(
        url, content=f"token={token}&token=x", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    answers = [
        await stranger.send(url, {"token": token}),
        twice,
        await app.send(url, {}),
        await app.send(f"{url}?token=x", {"token": token}),
        await app.world.http.post(url, json={"token": token}),
    ]

    assert [answer.json()["error"] for answer in answers] == ["invalid_client", *["invalid_request"] * 4]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert (await app.world.http.get(url)).status_code == 405
    assert not await app.is_denied(opened(token)["jti"])


async def test_an_assertion_is_good_at_one_endpoint_once(app: App) -> None:
    """The same jti is refused wherever it comes second."""
    assertion = app.world.assertion(key=app.key, iss=app.client_id, sub=app.client_id)
    first = await app.send(REVOKE_URL, {"token": "x", "client_assertion": assertion})
    second = await app.send(f"{ISSUER}/oauth/par", {**app.wish(), "client_assertion": assertion})

    assert first.status_code == 200
    assert second.json()["error"] == "invalid_client"
