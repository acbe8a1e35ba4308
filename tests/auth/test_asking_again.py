"""An app asks how, and how lately, somebody signed in (RFC 9470)."""

import pytest

from tests.auth.app import App
from tests.auth.asking import PATH, path, somebody, went
from tests.auth.kit import opened


@pytest.mark.parametrize("wish", [{"max_age": "300"}, {"prompt": "login"}, {"max_age": "0", "acr_values": "phr"}])
async def test_an_app_may_ask_for_a_passkey_shown_just_now(app: App, wish: dict[str, str]) -> None:
    """RFC 9470, 5: she shows it again, is asked, and the token says when; the tokens that she had go on."""
    sara = await somebody(app, "Sara")
    await sara.open(path(await app.pushed()))
    _, told = went(await sara.send(sara.form(PATH), answer="yes"))
    earlier = (await app.redeem(told["code"])).json()
    app.world.clock.now += 400
    page = await sara.open(path(await app.pushed(**wish)))
    assert "Show your passkey again" in page.text
    page = await sara.show_passkey()
    assert "May this app act for you?" in page.text
    _, told = went(await sara.send(sara.form(PATH), answer="yes"))
    asked = await app.redeem(told["code"])

    assert asked.status_code == 200
    assert (await app.refresh(earlier["refresh_token"])).status_code == 200


async def test_an_app_may_ask_for_a_passkey_and_nothing_else(app: App) -> None:
    """acr_values=phr: whoever came through the organisation's own provider shows a passkey first; the token says how it was."""
    sara = await somebody(app, "Sara")
    await app.database.admin("update auth.session set means = 'PROVIDER'")
    await sara.open(path(await app.pushed()))
    _, told = went(await sara.send(sara.form(PATH), answer="yes"))
    through = opened((await app.redeem(told["code"])).json()["access_token"])
    page = await sara.open(path(request_uri := await app.pushed(acr_values="phr")))
    assert "Show your passkey again" in page.text
    person, grants = await app.people.sessions.person(sara.cookie() or ""), app.world.server.grants
    assert person is not None
    assert await grants.opened(app.client_id, request_uri, person)
    assert await grants.approve(app.client_id, request_uri, person, ["cases:read"]) is None
    await sara.show_passkey()
    _, told = went(await sara.send(sara.form(PATH), answer="yes"))
    by_passkey = opened((await app.redeem(told["code"])).json()["access_token"])

    assert ("acr" in through, by_passkey["acr"]) == (False, "phr")
