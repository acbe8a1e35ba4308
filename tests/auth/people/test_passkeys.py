"""Passkeys: made from an invitation, shown to sign in, and everything that is not one."""

from collections.abc import Callable

import pytest

from tests.auth.people.authenticator import PRESENT, Device
from tests.auth.people.kit import House


def foreign_origin(device: Device) -> None:
    """What a page that only looks like the hub can get."""
    device.origin = "https://hub.example.attacker.example"


def foreign_rp(device: Device) -> None:
    """A passkey that was made for another site."""
    device.rp_id = "attacker.example"


def plain_origin(device: Device) -> None:
    """The same host without TLS."""
    device.origin = "http://hub.example"


def other_port(device: Device) -> None:
    """The same host, another port."""
    device.origin = "https://hub.example:8443"


def framed(device: Device) -> None:
    """The hub within a frame of another site."""
    device.cross_origin = True


def not_verified(device: Device) -> None:
    """Somebody touched the device, but did not show that they are its owner."""
    device.flags = PRESENT


def not_present(device: Device) -> None:
    """Nobody touched it."""
    device.flags = 0x04


FORGERIES = [foreign_origin, foreign_rp, plain_origin, other_port, framed, not_verified, not_present]


async def test_an_invited_person_makes_a_passkey_and_is_in(house: House) -> None:
    """The invitation makes them active; the passkey is asked to be found without naming its owner, and to verify the owner."""
    invited = await house.invite("Sara")
    browser = house.browser()
    await browser.offer(invited.link("https://hub.example"))
    asked = browser.form("/invitation/passkey").options
    page = await browser.make("/invitation/passkey", "work laptop")

    assert asked["rp"]["id"] == "hub.example"
    assert asked["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert asked["user"]["name"] == "Sara (Pen-Centre)"
    assert page.url.path == "/account"
    assert "work laptop" in page.text
    assert await house.who(browser) == invited.user


async def test_a_passkey_signs_in_again_without_a_name(house: House) -> None:
    """In another browser with the same device: nothing is typed."""
    sara = await house.somebody("Sara")
    elsewhere = house.browser(sara.device)
    await elsewhere.open("/sign-in")
    asked = elsewhere.form("/sign-in").options
    page = await elsewhere.show_passkey()

    assert (asked["rpId"], asked["userVerification"], asked.get("allowCredentials", [])) == (
        "hub.example",
        "required",
        [],
    )
    assert page.url.path == "/account"
    assert await house.who(elsewhere) == await house.who(sara)


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_passkey_of_another_place_does_not_sign_in(house: House, forge: Callable[[Device], None]) -> None:
    """Whatever it signs is refused, with the same words, and nobody is signed in."""
    sara = await house.somebody("Sara")
    browser = house.browser(sara.device)
    forge(sara.device)
    answer = await browser.sign_in()

    assert answer.status_code == 400
    assert "nothing was changed" in answer.text
    assert await house.who(browser) is None


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_passkey_of_another_place_is_not_taken_in(house: House, forge: Callable[[Device], None]) -> None:
    """Neither is one made: the invitation stays good."""
    invited = await house.invite("Sara")
    device = Device()
    forge(device)
    browser = house.browser(device)
    answer = await browser.join(invited.token)

    assert answer.status_code == 400
    assert await house.passkeys(invited.user) == 0
    assert (await house.browser().join(invited.token)).url.path == "/account"


async def test_a_signed_challenge_is_good_once(house: House) -> None:
    """Who records what a browser sent, cookies and all, cannot send it again."""
    sara = await house.somebody("Sara")
    browser = house.browser(sara.device)
    sara.device.counts = False
    await house.pool.execute("update auth.passkey set sign_count = 0")
    sara.device.credentials[0].count = 0
    await browser.open("/sign-in")
    form = browser.form("/sign-in")
    credential = browser.device.get(form.options)
    before = dict(browser.http.cookies)
    first = await browser.send(form, credential=credential)
    browser.http.cookies.clear()
    browser.http.cookies.update(before)
    second = await browser.send(form, credential=credential)

    assert (first.status_code, second.status_code) == (303, 400)


async def test_a_challenge_is_good_for_five_minutes(house: House) -> None:
    """Then the page has to be opened anew."""
    sara = await house.somebody("Sara")
    browser = house.browser(sara.device)
    await browser.open("/sign-in")
    house.clock.now += 301

    assert (await browser.show_passkey()).status_code == 400
    assert (await browser.sign_in()).status_code == 200


async def test_a_challenge_is_good_in_the_browser_it_was_shown_in(house: House) -> None:
    """An attacker who gets a challenge signed elsewhere cannot bring the signature home."""
    sara = await house.somebody("Sara")
    mallory, victim = house.browser(sara.device), house.browser(sara.device)
    await mallory.open("/sign-in")
    await victim.open("/sign-in")
    signed = sara.device.get(victim.form("/sign-in").options)

    assert (await mallory.submit("/sign-in", credential=signed)).status_code == 400


async def test_a_challenge_to_make_is_none_to_sign_in_with(house: House) -> None:
    """Each is for one purpose, and one to make a passkey for one user."""
    sara = await house.somebody("Sara")
    await sara.open("/account/passkeys/new")
    asked = sara.form("/account/passkeys/new").options
    await sara.open("/sign-in?fresh=1")
    answer = await sara.submit("/sign-in", credential=sara.device.get(asked))

    assert answer.status_code == 400


async def test_a_counter_that_went_back_is_refused(house: House) -> None:
    """Somebody may have copied the device: the copy, or the original after it, does not get in."""
    sara = await house.somebody("Sara")
    await house.browser(sara.device).sign_in()
    await house.browser(sara.device).sign_in()
    sara.device.credentials[0].count = 0
    copy = house.browser(sara.device)

    assert (await copy.sign_in()).status_code == 400
    assert await house.who(copy) is None


async def test_a_passkey_that_does_not_count_is_fine(house: House) -> None:
    """Synced passkeys say 0 each time."""
    sara = await house.somebody("Sara")
    sara.device.counts = False
    for _ in range(2):
        assert (await house.browser(sara.device).sign_in()).status_code == 200


async def test_a_passkey_signs_in_its_owner_alone(house: House) -> None:
    """One that names another user as its owner is refused."""
    sara = await house.somebody("Sara")
    omar = await house.somebody("Omar")
    sara.device.credentials[0].user_handle = omar.device.credentials[0].user_handle

    assert (await house.browser(sara.device).sign_in()).status_code == 400


async def test_a_signature_by_another_key_is_refused(house: House) -> None:
    """Under the id of a passkey that is known."""
    sara = await house.somebody("Sara")
    omar = await house.somebody("Omar")
    sara.device.credentials[0].key = omar.device.credentials[0].key

    assert (await house.browser(sara.device).sign_in()).status_code == 400


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        '{"id": 1}',
        '"x"',
        '{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"","signature":""}}',
    ],
)
async def test_what_is_no_passkey_is_refused_in_the_same_words(house: House, credential: str) -> None:
    """Not a fault, and no hint."""
    browser = house.browser()
    await browser.open("/sign-in")
    answer = await browser.submit("/sign-in", credential=credential)

    assert answer.status_code == 400
    assert "nothing was changed" in answer.text


async def test_a_disabled_user_does_not_sign_in(house: House) -> None:
    """With a passkey that is right."""
    sara = await house.somebody("Sara")
    await house.pool.execute("update hub.usr set status = 'DISABLED'")

    assert (await house.browser(sara.device).sign_in()).status_code == 400
    assert (await sara.open("/account")).url.path == "/sign-in"
