"""The account page: somebody's own passkeys, added, removed, and never the last one."""

import asyncio
import secrets

from auth.people.person import Person
from tests.auth.people.authenticator import Device
from tests.auth.people.browser import Browser
from tests.auth.people.kit import House


async def added(browser: Browser, label: str) -> None:
    """Add a passkey on the account page."""
    await browser.open("/account/passkeys/new")
    await browser.make("/account/passkeys/new", label)


async def test_somebody_has_several_passkeys_and_removes_one(house: House) -> None:
    """A new device is told which there are, so that it makes no second one; each signs in; a removed one does not."""
    sara = await house.somebody("Sara")
    house.clock.now += 1
    await sara.open("/account/passkeys/new")
    asked = sara.form("/account/passkeys/new").options
    await sara.make("/account/passkeys/new", "key on my key ring")
    first, second = sara.device.credentials
    page = await sara.submit("/account/passkeys/remove")
    gone, kept = house.browser(Device(credentials=[first])), house.browser(Device(credentials=[second]))

    assert len(asked["excludeCredentials"]) == 1
    assert asked["user"]["name"] == "Sara (Pen-Centre)"
    assert "laptop" not in page.text
    assert "key on my key ring" in page.text
    assert (await gone.sign_in()).status_code == 400
    assert (await kept.sign_in()).status_code == 200


async def test_the_last_passkey_stays(house: House) -> None:
    """There is no button for it, and a forged form does nothing."""
    sara = await house.somebody("Sara")
    await added(sara, "second")
    form = sara.form("/account/passkeys/remove")
    await sara.submit("/account/passkeys/remove")
    await sara.send(form)
    (left,) = await house.people.passkeys.of(str(await house.who(sara)))
    await sara.send(form, passkey=left.name)

    assert await house.passkeys(await house.who(sara)) == 1
    assert "/account/passkeys/remove" not in (await sara.open("/account")).text


async def test_of_two_passkeys_removed_at_once_one_stays(house: House) -> None:
    """Each of the two removals sees what the other leaves."""
    user = await house.user("Sara")
    person = Person(user, house.organisations["pen-centre"], frozenset(), frozenset(), "Sara", 0)
    for _ in range(10):
        await house.pool.execute("delete from auth.passkey")
        names = [secrets.token_bytes(16), secrets.token_bytes(16)]
        await house.pool.executemany(
            "insert into auth.passkey (credential_id, usr, public_key, sign_count, label, created_at) values ($1, $2, '', 0, $3, now())",
            [(name, user, await house.people.passkeys.label(user, "device")) for name in names],
        )
        await asyncio.gather(*(house.people.passkeys.remove(person, name) for name in names))

        assert await house.passkeys(user) == 1


async def test_somebody_elses_passkey_cannot_be_removed(house: House) -> None:
    """Whatever id the form names."""
    sara, omar = await house.somebody("Sara"), await house.somebody("Omar")
    await added(sara, "second")
    await added(omar, "second")
    (first, _) = await house.people.passkeys.of(str(await house.who(omar)))
    await sara.send(sara.form("/account/passkeys/remove"), passkey=first.name)

    assert await house.passkeys(await house.who(omar)) == 2
