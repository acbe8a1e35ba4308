"""Recovery: two admins together let somebody begin anew, and nobody alone."""

import pytest

from auth.people.recovery import PATIENCE
from tests.auth.people.browser import Browser
from tests.auth.people.kit import House


async def asked(house: House, admin: Browser, user: str) -> str:
    """Have an admin ask for a new invitation; return the request, or nothing."""
    await admin.open("/people")
    forms = [form for form in admin.forms() if form.action == "/people/ask" and form.fields["user"] == user]
    if forms:
        await admin.follow(await admin.send(forms[0]))
    else:
        await admin.follow(await admin.send(admin.form("/sign-out"), to="/people/ask", user=user))
    return str(
        await house.pool.fetchval("select id from auth.recovery where usr = $1 and ended_at is null", user) or ""
    )


async def test_two_admins_let_somebody_begin_anew(house: House) -> None:
    """One asks, the other confirms, the first gets the link, the person makes a new passkey. What they had before is dead."""
    first, second = await house.somebody("Anna"), await house.somebody("Ben")
    sara = await house.somebody("Sara", "pen-centre", "PARTNER_STAFF")
    user = str(await house.who(sara))
    recovery = await asked(house, first, user)
    await second.open("/people")
    await second.submit("/people/confirm", recovery=recovery)
    during = await house.who(sara), await house.passkeys(user)
    await first.open("/people")
    page = await first.submit("/people/fetch")
    (link,) = [value for value in page.text.split('"') if "/invitation#" in value]
    again = house.browser()
    arrived = await again.join(link)

    assert during == (None, 0)
    assert arrived.url.path == "/account"
    assert await house.who(again) == user
    assert (await house.browser(sara.device).sign_in()).status_code == 400
    assert await house.who(sara) is None


async def test_nobody_confirms_what_they_asked_for(house: House) -> None:
    """Neither by the page nor by a forged form."""
    first, user = await house.somebody("Anna"), await house.user("Sara")
    await house.user("Ben")
    recovery = await asked(house, first, user)
    page = await first.open("/people")
    answer = await first.send(first.form("/people/stop"), to="/people/confirm", recovery=recovery)

    assert "/people/confirm" not in page.text
    assert answer.status_code == 409


async def test_nobody_asks_or_confirms_for_themselves(house: House) -> None:
    """A person who can sign in needs neither."""
    anna, ben = await house.somebody("Anna"), await house.somebody("Ben")
    anna_id = str(await house.who(anna))
    mine = await asked(house, anna, anna_id)
    recovery = await asked(house, ben, anna_id)
    await anna.open("/people")
    answer = await anna.send(anna.form("/people/stop"), to="/people/confirm", recovery=recovery)

    assert mine == ""
    assert answer.status_code == 409
    assert await house.who(anna)


async def test_whoever_confirms_never_holds_the_invitation(house: House) -> None:
    """Only the one who asked fetches it, and once."""
    first, second, user = await house.somebody("Anna"), await house.somebody("Ben"), await house.user("Sara")
    recovery = await asked(house, first, user)
    early = await first.send(first.form("/people/stop"), to="/people/fetch")
    await second.open("/people")
    await second.submit("/people/confirm")
    taken = await second.send(second.form("/sign-out"), to="/people/fetch", recovery=recovery)
    await first.open("/people")
    form = first.form("/people/fetch")
    answers = [await first.send(form), await first.send(form)]

    assert (early.status_code, taken.status_code) == (409, 409)
    assert [answer.status_code for answer in answers] == [200, 409]


@pytest.mark.parametrize("path", ["ask", "confirm", "fetch"])
async def test_staff_cannot_help(house: House, path: str) -> None:
    """Nor see the page."""
    staff, user = await house.somebody("Sara", "pen-centre", "PARTNER_STAFF"), await house.user("Omar")
    answer = await staff.send(staff.form("/sign-out"), to=f"/people/{path}", user=user, recovery=user)

    assert answer.status_code == 403
    assert (await staff.open("/people")).status_code == 403


async def test_another_organisations_admin_neither_sees_nor_helps(house: House) -> None:
    """Not even by naming the user or the request."""
    await house.user("Ben")
    anna, mallory, user = (
        await house.somebody("Anna"),
        await house.somebody("Mallory", "arts-haven"),
        await house.user("Sara"),
    )
    recovery = await asked(house, anna, user)
    page = await mallory.open("/people")
    answers = [
        await mallory.send(mallory.form("/sign-out"), to=f"/people/{path}", user=user, recovery=recovery)
        for path in ("ask", "confirm", "stop", "fetch")
    ]

    assert "Sara" not in page.text
    assert [answer.status_code for answer in answers] == [409] * 4


async def test_icorns_admin_confirms_where_there_is_no_second_one(house: House) -> None:
    """Anna is the only admin besides the person; ICORN confirms, and does not get the link."""
    anna, desk = await house.somebody("Anna"), await house.somebody("Ines", "icorn")
    user = await house.user("Sara", "pen-centre", "PARTNER_STAFF")
    recovery = await asked(house, anna, user)
    page = await desk.open("/people")
    await desk.submit("/people/confirm")
    taken = await desk.send(desk.form("/sign-out"), to="/people/fetch", recovery=recovery)
    page = await anna.open("/people")

    assert taken.status_code == 409
    assert "Fetch the invitation" in page.text


async def test_icorns_admin_stays_out_where_there_are_two(house: House) -> None:
    """An organisation's own admins can help each other, so nobody else does."""
    anna, desk, user = await house.somebody("Anna"), await house.somebody("Ines", "icorn"), await house.user("Sara")
    await house.user("Ben")
    recovery = await asked(house, anna, user)
    page = await desk.open("/people")
    answer = await desk.send(desk.form("/sign-out"), to="/people/confirm", recovery=recovery)

    assert "Sara" not in page.text
    assert answer.status_code == 409


async def test_two_of_icorns_admins_help_an_organisation_that_lost_its_only_one(house: House) -> None:
    """There is nobody else."""
    ines, jon = await house.somebody("Ines", "icorn"), await house.somebody("Jon", "icorn")
    user = await house.user("Anna")
    recovery = await asked(house, ines, user)
    await jon.open("/people")
    answer = await jon.submit("/people/confirm")

    assert recovery
    assert answer.status_code == 200
    assert await house.pool.fetchval("select status::text from hub.usr where id = $1", user) == "INVITED"


async def test_the_person_hears_of_it_and_can_stop_it(house: House) -> None:
    """Whoever can still sign in has lost nothing: two admins who lie are found out before it is too late."""
    anna = await house.somebody("Anna")
    await house.user("Ben")
    sara = await house.somebody("Sara", "pen-centre", "PARTNER_STAFF")
    await asked(house, anna, str(await house.who(sara)))
    page = await sara.open("/account")
    after = await sara.submit("/people/stop")

    assert "An admin says that you lost your passkeys" in page.text
    assert "An admin says" not in after.text
    assert await house.pool.fetchval("select count(*) from auth.recovery where ended_at is null") == 0


async def test_a_request_lapses_after_three_days(house: House) -> None:
    """Then it can be neither confirmed nor fetched, and can be made anew."""
    anna, ben, user = await house.somebody("Anna"), await house.somebody("Ben"), await house.user("Sara")
    recovery = await asked(house, anna, user)
    house.clock.now += PATIENCE
    late = await ben.sign_in("/people")
    answer = await ben.send(ben.form("/sign-out"), to="/people/confirm", recovery=recovery)
    await anna.sign_in("/people")

    assert "Confirm" not in late.text
    assert answer.status_code == 409
    assert await asked(house, anna, user) not in ("", recovery)


async def test_helping_others_asks_for_ones_own_passkey_first(house: House) -> None:
    """A session left open for longer than five minutes is not enough."""
    anna, user = await house.somebody("Anna"), await house.user("Sara")
    await anna.open("/people")
    house.clock.now += 301
    page = await anna.submit("/people/ask", user=user)
    before = await house.pool.fetchval("select count(*) from auth.recovery")
    back = await anna.show_passkey()

    assert page.url.path == "/sign-in"
    assert before == 0
    assert back.url.path == "/people"
    assert await asked(house, anna, user)
