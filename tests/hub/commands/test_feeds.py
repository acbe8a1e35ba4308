"""ICORN connects a sister's own system, changes how it is read, and has it pulled."""

from typing import Any

import pytest

from connectors.fakes import kobo
from tests.hub.commands.kit import done, events, found, run
from tests.world import World

SAMPLE: dict[str, Any] = {
    "_root": "1",
    "_submission_time": "2026-01-01T00:00:00",
    "person/work": "writes",
    "person/given_name": "Invented",
    "person/other_names": "One Two",
    "_validation_status": {"uid": "validation_status_approved"},
    "ways": [{"ways/how": "signal", "ways/where": "+0", "ways/safe": "yes"}],
}
MAPPING = {**kobo.MAPPING, "sample": SAMPLE}
SETTINGS = {**kobo.SETTINGS, "auth": {"scheme": "token", "secret": "form_token"}, "doorbell": "form_bell"}
NEW: dict[str, Any] = {"organisation": "organisation_pen-centre", "code": "form", "kind": "KOBO", "settings": SETTINGS, "mapping": MAPPING, "every": "PT15M"}  # fmt: skip
HERE = "input.settings"


async def test_a_feed_is_connected_changed_paused_and_rung_for(world: World) -> None:
    """Each version of what it was told is kept; nothing of it is read back; and each change is told."""
    made = await done(world, "desk", "createFeed", NEW)
    slower = await done(world, "desk", "updateFeed", {"feed": "feed_form", "mapping": {"sourceId": "_root", "sample": {"_root": "7"}}, "every": "PT1H"})  # fmt: skip
    await done(world, "desk", "syncFeed", {"feed": "feed_form"})
    paused = await done(world, "desk", "updateFeed", {"feed": "feed_form", "paused": True})
    row = await world.admin.fetchrow(
        "select version, every::text, rung_at is not null as rung, paused from feed where code = 'form'"
    )

    assert made == {"id": "feed_form", "code": "form", "kind": "KOBO", "state": "UNAVAILABLE", "paused": False, "organisation": {"code": "pen-centre"}}  # fmt: skip
    assert slower == made
    assert paused == {**made, "paused": True}
    assert tuple(row) == (2, "PT1H", True, True)
    assert await world.admin.fetchval("select count(*) from feed_version") == 2
    assert await found(world, "desk", "syncFeed", {"feed": "feed_form"}) == [("NOT_ALLOWED", "input.feed")]
    assert await events(world) == ["feed.created", "feed.changed", "feed.rung", "feed.changed"]


async def test_all_that_is_wrong_is_told_at_once_and_nothing_of_it_is_repeated(world: World) -> None:
    """Settings, mapping and the sample, each flaw beside its place."""
    wrong = {
        **NEW, "organisation": "organisation_nobody", "code": "No Code", "every": "PT1S",
        "settings": {"url": "http://10.0.0.1/Sycamore", "auth": {"scheme": "token", "secret": "Sycamore value"}},
        "mapping": {"sourceId": "id", "origin": "Sycamore["},
    }  # fmt: skip

    assert await found(world, "desk", "createFeed", wrong) == [
        ("NOT_FOUND", "input.organisation"),
        ("BAD_CODE", "input.code"),
        ("BAD_SETTINGS", "input.settings.auth.secret"),
        ("BAD_MAPPING", "input.mapping.origin.path"),
        ("BAD_EVERY", "input.every"),
    ]
    silent = {**NEW, "mapping": {"sourceId": "_root", "origin": "land", "sample": {"_root": "1"}}}
    assert await found(world, "desk", "createFeed", silent) == [("BAD_MAPPING", "input.mapping.origin")]
    assert await found(world, "desk", "createFeed", {**NEW, "mapping": {"sourceId": "_root"}}) == [
        ("BAD_MAPPING", "input.mapping.sample")
    ]
    await done(world, "desk", "createFeed", NEW)
    assert await found(world, "desk", "createFeed", NEW) == [("CODE_TAKEN", "input.code")]
    assert await found(world, "desk", "updateFeed", {"feed": "feed_none", "paused": None}) == [
        ("NOT_FOUND", "input.feed"),
        ("REQUIRED", "input.paused"),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {**SETTINGS, "url": "https://elsewhere.example/api"},
        {**SETTINGS, "url": SETTINGS["url"].replace("https://kobo.example", "https://kobo.example.elsewhere.example")},
        {**SETTINGS, "auth": {"scheme": "token", "secret": "pen-centre_token"}},
        {**SETTINGS, "doorbell": "formless"},
    ],
)
async def test_no_secret_is_led_elsewhere_by_the_api(world: World, settings: dict[str, Any]) -> None:
    """A feed stays at its origin, and a new one cannot use the secret of another: the database sees to both."""
    await done(world, "desk", "createFeed", NEW)

    assert await found(world, "desk", "updateFeed", {"feed": "feed_form", "settings": settings}) == [
        ("NOT_ALLOWED", HERE)
    ]
    if settings["url"] == SETTINGS["url"]:
        assert await found(world, "desk", "createFeed", {**NEW, "code": "for", "settings": settings}) == [("NOT_ALLOWED", HERE)]  # fmt: skip


async def test_nobody_else_connects_a_feed(world: World) -> None:
    """Not even one's own organisation's: what is wrong besides is not told."""
    await done(world, "desk", "createFeed", NEW)

    for name, given in (("createFeed", {**NEW, "code": "mine", "every": "PT1S"}), ("updateFeed", {"feed": "feed_form", "paused": True}), ("syncFeed", {"feed": "feed_none"})):  # fmt: skip
        payload = await run(world, "pen", name, given)
        assert [(each["code"], each["path"]) for each in payload["problems"]] == [("NOT_ALLOWED", ["input"])]
