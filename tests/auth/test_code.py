"""The authorization code: good once, for one client, one place, one verifier and one key."""

import asyncio

import pytest

from tests.auth.app import CALLBACK, VERIFIER, App, make_app
from tests.auth.kit import ISSUER, World, build, ec_key, opened


async def test_a_code_gives_a_token_that_says_who_and_since_when(app: App) -> None:
    """RFC 9068: the person is the subject, auth_time is when they signed in; the scopes are those that all three may have."""
    answer = await app.redeem(await app.code(scope="cases:read statistics:read"))
    body = answer.json()
    claims = opened(body["access_token"])

    assert (answer.status_code, body["token_type"], body["scope"]) == (200, "DPoP", "cases:read")
    assert (claims["sub"], claims["client_id"]) == (app.person.user, app.client_id)
    assert (claims["auth_time"], claims["cnf"]) == (app.person.authenticated_at, {"jkt": app.proof_key.thumbprint()})
    assert (claims["organisation"], claims["exp"] - claims["iat"]) == (app.world.organisation, 600)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_code_and_a_refresh_token_are_stored_as_digests(app: App) -> None:
    """Whoever reads the database can redeem nothing."""
    code = await app.code()
    before = await app.world.pool.fetchval("select a::text from auth.approval a")
    refresh = (await app.redeem(code)).json()["refresh_token"]
    after = await app.world.pool.fetchval("select a::text from auth.approval a")

    assert (len(code), len(refresh)) == (43, 43)
    assert code not in before
    assert refresh not in after


async def test_a_code_lives_a_minute(app: App) -> None:
    """FAPI 2.0, 5.3.2.1, point 11."""
    good, late = await app.code(), await app.code()
    app.world.clock.now += 59
    assert (await app.redeem(good)).status_code == 200
    app.world.clock.now += 1
    assert (await app.redeem(late)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "https://attacker.example/"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"code_verifier": VERIFIER + "="},
    ],
)
async def test_a_code_asks_for_the_place_it_was_sent_to_and_its_verifier(app: App, changes: dict[str, str]) -> None:
    """Code injection: a code without what belongs to it gives nothing, and is no good any more (RFC 7636; RFC 9700, 2.1.1)."""
    code = await app.code()
    wrong, right = await app.redeem(code, proof_key=None, **changes), await app.redeem(code)

    assert [answer.json()["error"] for answer in (wrong, right)] == ["invalid_grant"] * 2
    assert wrong.content == right.content
    assert "access_token" not in wrong.text


@pytest.mark.parametrize("name", ["code", "redirect_uri", "code_verifier"])
async def test_nothing_that_a_code_needs_can_be_left_out(app: App, name: str) -> None:
    """PKCE downgrade: there is no code without a verifier; what is missing is named before anything is used up."""
    code = await app.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    del form[name]
    answer = await app.send(f"{ISSUER}/oauth/token", form, proof=app.world.proof(app.proof_key))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert name in answer.json()["error_description"]
    assert (await app.redeem(code)).status_code == 200


async def test_a_code_is_bound_to_the_key_named_with_the_request(app: App) -> None:
    """RFC 9449, 10: whoever stole code, verifier and even the client's own key lacks the key of the proofs."""
    code = await app.code()
    stolen, right = await app.redeem(code, proof_key=ec_key()), await app.redeem(code)

    assert [answer.json()["error"] for answer in (stolen, right)] == ["invalid_grant"] * 2


async def test_another_clients_code_is_no_code(world: World, app: App) -> None:
    """And is not used up by whoever has no right to it."""
    code = await app.code()
    other = await make_app(world, app.database, app.people, "other-app")
    other.proof_key = app.proof_key

    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    assert (await app.redeem(code)).status_code == 200


async def test_a_replayed_code_ends_the_tokens_issued_from_it(app: App) -> None:
    """RFC 6749, 4.1.2: whoever comes second, something leaked; the refresh token and the access token are no good any more."""
    code = await app.code()
    first = (await app.redeem(code)).json()
    fresh = (await app.refresh(first["refresh_token"])).json()
    second = await app.redeem(code)

    assert second.json()["error"] == "invalid_grant"
    assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    for token in (first, fresh):
        assert await app.is_denied(opened(token["access_token"])["jti"])


async def test_of_two_who_redeem_a_code_at_once_one_wins(app: App) -> None:
    """Two processes on one database; the second ends what the first got, as any replay does."""
    other = build(app.world.pool, app.world.keyring, app.world.organisation, clock=app.world.clock)
    there = App(other, app.database, app.people, app.person, app.cookie, app.client_id, app.key, app.proof_key)
    async with other.http:
        for _ in range(10):
            code = await app.code()
            answers = await asyncio.gather(app.redeem(code), there.redeem(code))
            assert sorted(answer.status_code for answer in answers) == [200, 400]
            (won,) = [answer.json() for answer in answers if answer.status_code == 200]
            assert await app.is_denied(opened(won["access_token"])["jti"])


async def test_a_used_proof_uses_no_code_up(app: App) -> None:
    """Who sends a request again learns that the proof is used; the code is not touched."""
    proof = app.world.proof(app.proof_key)
    await app.send(f"{ISSUER}/oauth/token", {"grant_type": "refresh_token", "refresh_token": "x"}, proof=proof)
    code = await app.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}

    assert (await app.send(f"{ISSUER}/oauth/token", form, proof=proof)).json()["error"] == "invalid_dpop_proof"
    assert (await app.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    "loss",
    [
        "update hub.usr set status = 'DISABLED'",
        "update hub.usr set status = 'DISABLED'; update hub.usr set status = 'ACTIVE'",
        "update auth.session set ended_at = to_timestamp(1780315200)",
        "update hub.client set status = 'DISABLED' where client_id = 'pen-app'; update hub.client set status = 'ACTIVE'",
        "update hub.organisation set suspended_at = now(); update hub.organisation set suspended_at = null",
    ],
)
async def test_a_code_ends_with_the_standing_of_all_who_took_part(app: App, loss: str) -> None:
    """The person, the session, the client and the organisation; and does not come back with them."""
    code = await app.code()
    await app.database.admin(loss)

    assert (await app.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_person_of_another_organisation_approves_nothing(app: App) -> None:
    """An app is for the people of the organisation that it acts for."""
    await app.database.admin(
        "insert into hub.organisation (code, name, kind) values ('arts-haven', 'Arts Haven', 'SISTER')"
    )
    await app.database.admin(
        "update hub.usr set organisation = (select id from hub.organisation where code = 'arts-haven')"
    )
    asker = app.client_id, await app.pushed(), app.person

    assert await app.world.server.grants.opened(*asker) is None
    assert await app.world.server.grants.approve(*asker, ["cases:read"]) is None


async def test_an_app_is_nobody_without_a_person(app: App) -> None:
    """With its key alone there is no token: what people do through it, and the passkey it asks for, cannot be gone round."""
    answer = await app.send(
        f"{ISSUER}/oauth/token", {"grant_type": "client_credentials"}, proof=app.world.proof(app.proof_key)
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_nothing_is_granted_where_nothing_is_left(app: App) -> None:
    """What client, person and request have in common is empty: there is nothing to approve."""
    asker = app.client_id, await app.pushed(scope="statistics:read"), app.person

    asked = await app.world.server.grants.opened(*asker)
    assert asked is not None
    assert asked.scopes == frozenset()
    assert await app.world.server.grants.approve(*asker, ["statistics:read"]) is None


async def test_what_the_page_did_not_show_is_not_granted(app: App) -> None:
    """A scope that the person got in the meantime is not among what they approved of."""
    token = opened((await app.redeem(await app.code(scopes=("cases:read",)))).json()["access_token"])

    assert token["scope"] == "cases:read"


async def test_a_person_who_signed_in_too_long_ago_approves_nothing(app: App) -> None:
    """RFC 9470, 5: max_age, and prompt=login, are asked for again by the statement that approves."""
    app.world.clock.now += 301
    grants = app.world.server.grants
    for wish in ({"max_age": "300"}, {"max_age": "0"}, {"prompt": "login"}):
        asker = app.client_id, await app.pushed(**wish), app.person
        assert await grants.opened(*asker)
        assert await grants.approve(*asker, ["cases:read"]) is None
    cookie = await app.people.sessions.begin(app.person.user, replacing=app.cookie)
    fresh = await app.people.sessions.person(cookie)
    assert fresh is not None

    assert await grants.approve(asker[0], asker[1], fresh, ["cases:read"])
