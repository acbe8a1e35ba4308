"""This module connects feeds, changes them, and has them pulled. ICORN alone does; row policies hold it to that."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import asyncpg

from auth import organisations
from connectors.kinds import mapping_flaws, settings_flaws
from connectors.problem import Flaw
from connectors.surroundings import Surroundings
from hub.commands.access import NOT_THERE, note
from hub.commands.asker import Asker, Input, Problems, problems
from hub.engine.parameters import split_id

OFTEN: Final = timedelta(seconds=10)
ELSEWHERE: Final = "A secret goes where its feed goes. Name secrets CODE_..., and make a new feed for another origin: a feed stays at its own."
_ADD: Final = """
insert into feed (code, organisation, kind, settings, mapping, every, paused)
select $1, $2, $3::text::feed_kind, $4::text::jsonb, $5::text::jsonb, $6, false
where not exists (select from feed where code = $1)
"""


async def create_feed(asker: Asker, given: Input) -> str:
    """Connect a feed, which is pulled at once; its settings and mapping are checked as a whole before."""
    with problems() as found:
        await _icorn(asker, found)
        whose = await asker.organisation(given["organisation"])
        if whose is None:
            found.add("NOT_FOUND", NOT_THERE, "organisation")
        note(found, organisations.code_problems(given["code"]))
        _flaws(found, "settings", settings_flaws(str(given["kind"]), given["settings"], _around(asker)))
        _flaws(found, "mapping", mapping_flaws(given["mapping"], sampled=True))
        _often(found, given)
    assert whose is not None  # noqa: S101 a missing one is a problem
    documents = (json.dumps(given["settings"]), json.dumps(given["mapping"]))
    await asker.alone(f"feed:{given['code']}")
    with problems() as found:
        row = (given["code"], whose.id, str(given["kind"]), *documents, given["every"])
        if await _written(asker, found, _ADD, *row) == "INSERT 0 0":
            found.add("CODE_TAKEN", "A feed of this code is there already: choose another.", "code")
    await asker.tell("feed.created")
    return str(given["code"])


async def update_feed(asker: Asker, given: Input) -> str:
    """Change how a feed is read; what is replaced is kept as a version of it."""
    with problems() as found:
        await _icorn(asker, found)
        feed = await _feed(asker, given["feed"], found)
        for name in ("settings", "mapping", "every", "paused"):
            if name in given and given[name] is None:
                found.add("REQUIRED", "Say what it is to be, or leave it out.", name)
        if feed is not None and given.get("settings") is not None:
            _flaws(found, "settings", settings_flaws(feed["kind"], given["settings"], _around(asker)))
        if given.get("mapping") is not None:
            _flaws(found, "mapping", mapping_flaws(given["mapping"], sampled=True))
        _often(found, given)
    assert feed is not None  # noqa: S101 a missing one is a problem
    with problems() as found:
        for name in ("settings", "mapping"):
            if name in given:
                await _written(asker, found, f"update feed set {name} = $2::text::jsonb where id = $1", feed["id"], json.dumps(given[name]))  # noqa: S608 one of two names  # fmt: skip
        for name in ("every", "paused"):
            if name in given:
                await asker.connection.execute(f"update feed set {name} = $2 where id = $1", feed["id"], given[name])  # noqa: S608 one of two names  # fmt: skip
    await asker.tell("feed.changed")
    return str(feed["code"])


async def sync_feed(asker: Asker, given: Input) -> str:
    """Have a feed pulled as soon as it has rested."""
    with problems() as found:
        await _icorn(asker, found)
        feed = await _feed(asker, given["feed"], found)
        if feed is not None and feed["paused"]:
            found.add("NOT_ALLOWED", "It is paused: let it go on first.", "feed")
    assert feed is not None  # noqa: S101 a missing one is a problem
    await asker.connection.execute("update feed set rung_at = hub_now() where id = $1", feed["id"])
    await asker.tell("feed.rung")
    return str(feed["code"])


async def _written(asker: Asker, found: Problems, statement: str, *values: Any) -> str:
    """Write what a feed is told; the database sees to it that no secret goes elsewhere."""
    try:
        async with asker.connection.transaction():
            return str(await asker.connection.execute(statement, *values))
    except asyncpg.CheckViolationError:
        found.add("NOT_ALLOWED", ELSEWHERE, "settings")
    return ""


async def _feed(asker: Asker, identifier: str, found: Problems) -> Any:
    row = await asker.connection.fetchrow(
        "select id, code, kind::text, paused from feed where code = $1 and viewer_has('feeds:read')",
        split_id(identifier, "key:feed"),
    )
    if row is None:
        found.add("NOT_FOUND", NOT_THERE, "feed")
    return row


def _around(asker: Asker) -> Surroundings:
    """Give what settings are checked by: which hosts may be named. No secret is read."""
    return Surroundings(str, asker.private_hosts)


def _flaws(found: Problems, place: str, flaws: Iterable[Flaw]) -> None:
    for flaw in flaws:
        found.add(f"BAD_{place.upper()}", f"{flaw.message[0].upper()}{flaw.message[1:]}.", place, *flaw.path)


def _often(found: Problems, given: Input) -> None:
    every = given.get("every")
    if every is not None and not OFTEN <= every <= timedelta(days=30):
        found.add("BAD_EVERY", "Between 10 seconds and 30 days.", "every")


async def _icorn(asker: Asker, found: Problems) -> None:
    """Stop here for anybody else."""
    if not await asker.is_icorn():
        found.add("NOT_ALLOWED", "ICORN alone connects feeds.")
        found.settle()
