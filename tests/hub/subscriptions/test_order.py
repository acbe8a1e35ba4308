"""Nothing is skipped: not what commits late, nor what was called while nobody listened."""

from typing import Any

from tests.hub.subscriptions.kit import EVENTS, Hub, step


async def test_what_commits_late_is_still_told(hub: Hub, referral: Any) -> None:
    """An event whose transaction began first and ended last comes all the same, once, as does the one that overtook it."""
    world = hub.world
    other = await world.referral("pen-centre")
    late = await world.database.connect("postgres")
    async with hub.stream("pen", EVENTS) as stream:
        async with late.transaction():
            await step(world, late, referral, 2)
            await hub.happens(other, 2)
            for _ in range(3):
                await hub.app.state.exchange.outbox.tick()
        told = [(await stream.next())["data"]["referralEvents"]["referral"]["reference"] for _ in range(2)]
    known = await world.admin.fetch(
        "select reference from referral_access where organisation = $1", world.organisations["pen-centre"]
    )

    assert sorted(told) == sorted(row["reference"] for row in known)


async def test_a_lost_listener_loses_no_event(hub: Hub, referral: Any) -> None:
    """It is opened anew, and what happened meanwhile is read."""
    async with hub.stream("pen", EVENTS) as stream:
        for _ in range(2):
            await hub.app.state.exchange.outbox.tick()
        ended = await hub.world.admin.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ilike 'listen %'"
            " and datname = current_database()"
        )
        await hub.happens(referral, 2)
        told = await stream.next()
        await hub.happens(referral, 3)
        again = await stream.next()

    assert ended == 1
    assert [a["data"]["referralEvents"]["id"][-2:] for a in (told, again)] == ["_2", "_3"]
