"""Sessions: what a cookie stands for, and everything that ends it."""

import pytest

from auth.people.refusals import RefusedError
from auth.people.sessions import IDLE, LONGEST
from tests.auth.people.kit import House


async def test_a_session_says_who_is_signed_in(house: House) -> None:
    """The person, the organisation, what they may do, and when they showed a passkey; the cookie itself is stored nowhere."""
    user = await house.user("Sara")
    cookie = await house.people.sessions.begin(user)
    person = await house.people.sessions.person(cookie)
    stored = await house.pool.fetchval("select s::text from auth.session s")

    assert person is not None
    assert (person.user, person.organisation, person.name) == (user, house.organisations["pen-centre"], "Sara")
    assert (set(person.roles), person.authenticated_at) == ({"PARTNER_ADMIN"}, int(house.clock.now))
    assert len(cookie) == 43
    assert cookie not in stored


async def test_a_session_ends_when_nobody_uses_it_for_an_hour(house: House) -> None:
    """Using it keeps it; not using it ends it."""
    cookie = await house.people.sessions.begin(await house.user("Sara"))
    for _ in range(3):
        house.clock.now += IDLE - 1
        assert await house.people.sessions.person(cookie)
    house.clock.now += IDLE + 1

    assert await house.people.sessions.person(cookie) is None


async def test_a_session_ends_after_a_working_day_however_much_it_is_used(house: House) -> None:
    """Twelve hours after signing in."""
    cookie = await house.people.sessions.begin(await house.user("Sara"))
    for _ in range(LONGEST // 1800 - 1):
        house.clock.now += 1800
        assert await house.people.sessions.person(cookie)
    house.clock.now += 1800

    assert await house.people.sessions.person(cookie) is None


@pytest.mark.parametrize("status", ["DISABLED", "INVITED"])
async def test_a_disabled_users_session_ends_at_once_and_does_not_come_back(house: House, status: str) -> None:
    """Also when the user is made active again: whoever sat there signs in anew."""
    user = await house.user("Sara")
    cookie = await house.people.sessions.begin(user)
    await house.database.admin("update hub.usr set status = $1::text::hub.access_status", status)
    during = await house.people.sessions.person(cookie)
    await house.database.admin("update hub.usr set status = $1::text::hub.access_status", "ACTIVE")

    assert during is None
    assert await house.people.sessions.person(cookie) is None
    assert await house.people.sessions.person(await house.people.sessions.begin(user))


async def test_a_suspended_organisations_people_are_signed_out(house: House) -> None:
    """At once, with the same statement that suspends it; and once it is let in again, they sign in anew."""
    cookie = await house.people.sessions.begin(await house.user("Sara"))
    await house.database.admin("update hub.organisation set suspended_at = hub.hub_now() where code = $1", "pen-centre")
    during = await house.people.sessions.person(cookie)
    await house.database.admin("update hub.organisation set suspended_at = null where code = $1", "pen-centre")

    assert during is None
    assert await house.people.sessions.person(cookie) is None


async def test_a_new_session_ends_the_one_the_browser_had(house: House) -> None:
    """Whoever planted a cookie has nothing once somebody signs in over it."""
    user = await house.user("Sara")
    planted = await house.people.sessions.begin(await house.user("Mallory"))
    cookie = await house.people.sessions.begin(user, replacing=planted)

    assert cookie != planted
    assert await house.people.sessions.person(planted) is None


async def test_nobody_who_is_not_active_gets_a_session(house: House) -> None:
    """An invited user shows a passkey first; a disabled one is not let in."""
    invited = await house.invite("Sara")

    with pytest.raises(RefusedError):
        await house.people.sessions.begin(invited.user)


async def test_when_somebody_was_here_is_known_to_the_hour(house: House) -> None:
    """And no closer."""
    house.clock.now += 1234
    cookie = await house.people.sessions.begin(await house.user("Sara"))
    await house.people.sessions.person(cookie)
    seen = await house.pool.fetchval("select extract(epoch from last_seen_at)::int from hub.usr")

    assert seen == house.clock.now - 1234
