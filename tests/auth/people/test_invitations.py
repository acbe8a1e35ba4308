"""Invitations: good once, for a week, for the person they were made for; and saying nothing to anybody else."""

import asyncio

import pytest

from auth.people.invitations import InvitationRefusedError
from auth.people.refusals import RefusedError
from tests.auth.kit import ISSUER
from tests.auth.people.authenticator import Device
from tests.auth.people.kit import House

WEEK = 7 * 24 * 3600


async def test_the_secret_of_an_invitation_reaches_no_log(house: House) -> None:
    """It stands behind #, which no browser sends; and Postgres has its digest alone."""
    invited = await house.invite("Sara")
    stored = await house.pool.fetchval("select i::text from auth.invitation i")

    assert invited.link(ISSUER) == f"{ISSUER}/invitation#{invited.token}"
    assert len(invited.token) == 43
    assert invited.token not in stored
    assert invited.token not in repr(invited)


@pytest.mark.parametrize("pasted", ["{link}", "  {link}\n", "{token}", "#{token}"])
async def test_an_invitation_can_be_pasted(house: House, pasted: str) -> None:
    """Where no script reads it from the address: the link, or what follows the #."""
    invited = await house.invite("Sara")
    page = await house.browser().join(pasted.format(link=invited.link(ISSUER), token=invited.token))

    assert page.url.path == "/account"


async def test_an_invitation_is_good_once(house: House) -> None:
    """Whoever comes second is told nothing but that."""
    invited = await house.invite("Sara")
    await house.browser().join(invited.token)
    second = house.browser()
    answer = await second.offer(invited.token)

    assert answer.status_code == 400
    assert "cannot be used" in answer.text
    assert "Sara" not in answer.text


async def test_of_two_who_come_at_once_one_is_let_in(house: House) -> None:
    """However close: the invitation is used up by the statement that makes the passkey."""
    for _ in range(5):
        invited = await house.invite("Sara", email="sara@pen.example")
        browsers = [house.browser() for _ in range(4)]
        for browser in browsers:
            await browser.open("/invitation")
            await browser.submit("/invitation", invitation=invited.token)
        answers = await asyncio.gather(*(browser.make("/invitation/passkey") for browser in browsers))

        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        assert await house.passkeys(invited.user) == 1
        await house.pool.execute("update hub.usr set status = 'INVITED' where id = $1", invited.user)


async def test_an_invitation_runs_out_after_a_week(house: House) -> None:
    """To the second; also for whoever had the page open."""
    invited, browser = await house.invite("Sara"), house.browser()
    house.clock.now += WEEK - 1
    await browser.offer(invited.token)
    house.clock.now += 1

    assert (await browser.make("/invitation/passkey")).status_code == 400


async def test_a_new_invitation_ends_the_one_before(house: House) -> None:
    """For somebody who was invited and has not come yet: the same user, what is said of them now, one good link."""
    first = await house.invite("Sara")
    second = await house.invite("Sarah", email="SARA@pen-centre.example ")
    replaced = await house.browser().offer(first.token)
    page = await house.browser().join(second.token)

    assert first.user == second.user
    assert replaced.status_code == 400
    assert "Sarah" in page.text


async def test_nobody_is_invited_twice_into_one_organisation(house: House) -> None:
    """Whose address is known there, however it is written; in another organisation it is another user."""
    await house.user("Sara")
    with pytest.raises(InvitationRefusedError, match="already"):
        await house.invite("Sara", email="Sara@PEN-CENTRE.example")
    elsewhere = await house.invite("Sara", "arts-haven", email="sara@pen-centre.example")
    digests = await house.pool.fetch("select distinct email_digest from hub.usr")

    assert elsewhere.user
    assert len(digests) == 2


async def test_what_is_wrong_with_an_invitation_is_said_all_at_once(house: House) -> None:
    """Each with the field it concerns, and without what was given."""
    with pytest.raises(InvitationRefusedError) as refused:
        await house.invite("\x07", "pen-centre", "ICORN_ADMIN", email="secret", scopes=["cases:everything"])

    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["email", "name", "roles", "scopes"]
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("organisation", "role"), [("icorn", "PARTNER_ADMIN"), ("pen-centre", "ICORN_STAFF")])
async def test_nobody_gets_a_role_of_another_kind_of_organisation(house: House, organisation: str, role: str) -> None:
    """ICORN's roles are for ICORN's people."""
    with pytest.raises(InvitationRefusedError, match="roles"):
        await house.invite("Sara", organisation, role)


async def test_names_and_addresses_are_sealed(house: House) -> None:
    """Neither stands anywhere in the database, nor does what somebody calls a device."""
    sara = await house.somebody("Quetzalcoatl", email="Q.uetzal@pen.example")
    await house.browser(sara.device).sign_in()
    tables = await house.database.admin(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any($1)",
        ["hub", "auth"],
    )
    everything = " ".join(
        [
            str(row["row"])
            for table in tables
            for row in await house.database.admin(f"select t::text as row from {table['name']} t where $1", True)  # noqa: FBT003, S608
        ]
    ).lower()

    assert "pen-centre" in everything
    for secret in ("quetzal", "pen.example", "laptop", *(secret.encode().hex() for secret in ("Quetzal", "laptop"))):
        assert secret.lower() not in everything


async def test_a_disabled_users_invitation_is_void(house: House) -> None:
    """And a suspended organisation's."""
    disabled, suspended = await house.invite("Sara"), await house.invite("Omar", "arts-haven")
    await house.pool.execute("update hub.usr set status = 'DISABLED' where id = $1", disabled.user)
    await house.database.admin("update hub.organisation set suspended_at = hub.hub_now() where code = $1", "arts-haven")

    for invited in (disabled, suspended):
        with pytest.raises(RefusedError):
            await house.people.joining.guest(invited.token)


async def test_a_passkey_that_is_known_already_uses_up_no_invitation(house: House) -> None:
    """A device that gives out another's credential id is refused, and nothing has happened."""
    sara = await house.somebody("Sara")
    invited, browser = await house.invite("Omar"), house.browser(Device())
    await browser.offer(invited.token)
    form = browser.form("/invitation/passkey")
    known = sara.device.credentials[0].id
    made = Device()
    made.create(form.options)
    copied = made.attest(made.credentials[0], form.options, name=known)
    refused = await browser.submit("/invitation/passkey", credential=copied)

    assert refused.status_code == 400
    assert (await house.browser().join(invited.token)).url.path == "/account"
    assert (await house.browser(sara.device).sign_in()).url.path == "/account"
