"""What another site, a planted cookie or an impatient stranger could try on the pages."""

from urllib.parse import parse_qs, urlsplit

import pytest

from auth.people.guard import own_path, sign_in_first
from auth.strangers import FAILURES
from tests.auth.people.browser import Browser
from tests.auth.people.kit import House

ELSEWHERE = [
    "https://attacker.example",
    "//attacker.example",
    "///attacker.example",
    "/\\attacker.example",
    "\\\\attacker.example",
    "/\t/attacker.example",
    "/\n/attacker.example",
    "javascript:alert(1)",
    "attacker.example",
    "http:attacker.example",
    " //attacker.example",
    "/%0a//attacker.example\r\nX: y",
    "/account\u2028",
    "/" + "a" * 3000,
    "/sign-in?then=/sign-in",
    "",
]
POSTED = [
    "/account/passkeys/new",
    "/account/passkeys/remove",
    "/account/sessions/end",
    "/people/ask",
    "/people/confirm",
    "/people/fetch",
    "/people/stop",
    "/sign-out",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
async def test_signing_in_leads_nowhere_else(house: House, wanted: str) -> None:
    """Neither from the page's address nor from a form that was tampered with: to the account page instead."""
    sara = await house.somebody("Sara")
    browser = house.browser(sara.device)
    await browser.http.get("https://hub.example/sign-in", params={"then": wanted})
    browser.page = await browser.http.get("https://hub.example/sign-in", params={"then": wanted})
    shown = browser.form("/sign-in")
    answer = await browser.send(shown, credential=browser.device.get(shown.options), then=wanted)
    again = await browser.http.get("https://hub.example/sign-in", params={"then": wanted})

    assert shown.fields["then"] == "/account"
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert (again.status_code, again.headers["location"]) == (303, "/account")


@pytest.mark.parametrize(
    "wanted", ["/people", "/oauth/authorize?client_id=a&request_uri=urn:ietf:params:oauth:request_uri:x"]
)
def test_signing_in_leads_on_within_the_hub(wanted: str) -> None:
    """To the very path and query that somebody came for."""
    sent = sign_in_first(wanted, fresh=True)
    query = parse_qs(urlsplit(sent.headers["location"]).query)

    assert own_path(wanted) == wanted
    assert (sent.status_code, query) == (303, {"then": [wanted], "fresh": ["1"]})


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("forged", ["no token", "another browser's token", "another site"])
async def test_no_other_site_posts_in_somebodys_name(house: House, path: str, forged: str) -> None:
    """A form without this browser's token, or sent by another site, does nothing."""
    sara, mallory = await house.somebody("Sara"), await house.somebody("Mallory")
    await sara.open("/account/passkeys/new")
    await sara.make("/account/passkeys/new")
    form = sara.form("/account/passkeys/remove")
    changes = {"no token": {"form": ""}, "another browser's token": {"form": mallory.form("/sign-out").fields["form"]}}
    site = "cross-site" if forged == "another site" else ""
    answer = await sara.send(form, to=path, site=site, **changes.get(forged, {}))

    assert answer.status_code == 400
    assert await house.who(sara)
    assert await house.passkeys(await house.who(sara)) == 2


async def test_a_form_is_bound_to_who_is_signed_in(house: House) -> None:
    """One that was shown before signing out does nothing for whoever signs in next."""
    sara = await house.somebody("Sara")
    form = sara.form("/sign-out")
    await sara.submit("/sign-out")
    await sara.sign_in()

    assert (await sara.send(form)).status_code == 400
    assert await house.who(sara)


@pytest.mark.parametrize("body", ["form=a&form=b", "form", "\xff", "a=" + "b" * 70_000])
async def test_a_form_that_is_none_is_refused(house: House, body: str) -> None:
    """Repeated fields, broken text, or too much of it."""
    sara = await house.somebody("Sara")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await sara.http.post("https://hub.example/sign-out", content=body.encode("latin-1"), headers=headers)

    assert answer.status_code == 400
    assert await house.who(sara)


async def test_a_planted_session_is_not_the_one_that_somebody_signs_in_to(house: House) -> None:
    """Session fixation: the cookie is always new, and the planted one ends."""
    sara, mallory = await house.somebody("Sara"), await house.somebody("Mallory")
    planted = mallory.cookie() or ""
    victim = house.browser(sara.device)
    victim.http.cookies.set("__Host-hub-session", planted, domain="hub.example", path="/")
    await victim.open("/sign-in?fresh=1")
    shown = victim.form("/sign-in")
    refused = await victim.send(shown, credential=victim.device.get(shown.options))
    await victim.submit("/sign-out")
    await victim.sign_in()

    assert refused.status_code == 400
    assert victim.cookie() != planted
    assert await house.people.sessions.person(planted) is None
    assert await house.who(victim) == await house.who(sara)


async def test_two_cookies_of_one_name_are_none(house: House) -> None:
    """A sibling host that manages to plant a second one gains nothing."""
    sara = await house.somebody("Sara")
    twice = f"__Host-hub-session={sara.cookie()}; __Host-hub-session={'a' * 43}"
    answer = await house.browser().http.get("https://hub.example/account", headers={"cookie": twice})

    assert answer.status_code == 303


async def test_cookies_are_for_this_host_and_no_script(house: House) -> None:
    """__Host-, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain; gone with the browser."""
    sara = await house.somebody("Sara")
    await sara.submit("/sign-out")
    await sara.open("/sign-in")
    form = sara.form("/sign-in")
    answer = await sara.send(form, credential=sara.device.get(form.options))
    put, dropped = answer.headers.get_list("set-cookie")

    assert put.startswith("__Host-hub-session=")
    assert {part.strip().lower() for part in put.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}
    assert dropped.startswith('__Host-hub-form=""')


async def test_signing_out_ends_the_session_for_whoever_copied_the_cookie(house: House) -> None:
    """At the hub, not only in this browser."""
    sara = await house.somebody("Sara")
    copied = sara.cookie() or ""
    page = await sara.submit("/sign-out")

    assert page.url.path == "/sign-in"
    assert sara.cookie() is None
    assert await house.people.sessions.person(copied) is None


async def test_somebody_signs_out_everywhere_else(house: House) -> None:
    """And stays here."""
    sara = await house.somebody("Sara")
    elsewhere = house.browser(sara.device)
    await elsewhere.sign_in()
    await sara.open("/account")
    await sara.submit("/account/sessions/end")

    assert await house.who(elsewhere) is None
    assert await house.who(sara)


async def shown_again(house: House, browser: Browser) -> None:
    """Step up, and check that it counts."""
    page = await browser.open("/account/passkeys/new")
    assert page.url.path == "/sign-in"
    assert len(browser.form("/sign-in").options["allowCredentials"]) == 1
    page = await browser.show_passkey()
    person = await house.people.sessions.person(browser.cookie() or "")
    assert page.url.path == "/account/passkeys/new"
    assert person is not None
    assert person.authenticated_at == house.clock.now


async def test_what_matters_asks_for_the_passkey_again(house: House) -> None:
    """After five minutes: a session that was left open does not change the ways in. The old cookie ends with it."""
    sara = await house.somebody("Sara")
    before = sara.cookie() or ""
    house.clock.now += 301
    await shown_again(house, sara)

    assert await house.people.sessions.person(before) is None


async def test_another_persons_passkey_is_not_ones_own_shown_again(house: House) -> None:
    """Whoever sits down at an open session cannot make it fresh."""
    sara, mallory = await house.somebody("Sara"), await house.somebody("Mallory")
    house.clock.now += 301
    sara.device, theirs = mallory.device, sara.device
    await sara.open("/account/passkeys/new")
    answer = await sara.show_passkey()
    sara.device = theirs

    assert answer.status_code == 400
    await shown_again(house, sara)


@pytest.mark.parametrize("path", ["/sign-in", "/invitation"])
async def test_strangers_who_keep_failing_have_to_wait(house: House, path: str) -> None:
    """Where they come from, not whom they name: their neighbours wait too, others do not, nor whoever has signed in from there."""
    sara = await house.somebody("Sara")
    stranger, known = house.browser(peer="203.0.113.5"), house.browser(sara.device, peer="203.0.113.77")
    house.people.strangers.proxies = ()
    # Addresses of documentation are not global, so a real range is used.
    stranger, known = house.browser(peer="9.9.9.5"), house.browser(sara.device, peer="9.9.9.77")
    await known.sign_in()
    await stranger.open(path)
    form = stranger.form(path)
    failed = [await stranger.send(form) for _ in range(FAILURES)]
    waiting = await stranger.send(form)
    await known.submit("/sign-out")
    other = house.browser(sara.device, peer="8.8.8.8")

    assert {answer.status_code for answer in failed} == {400}
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    assert (await known.sign_in()).status_code == 200
    assert (await other.sign_in()).status_code == 200
