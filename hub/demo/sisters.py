"""This module runs the two sister systems that do not exist, and makes them known to the hub as feeds."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.fakes import graphql, people, rest
from connectors.fakes.serve import serve
from hub.demo.newcomer import Newcomer, newcomers
from hub.demo.place import Place
from hub.feeds.feed import record_id

EVERY = "PT1M"


@dataclass(frozen=True, slots=True)
class Sister:
    """A sister system as it runs: its feed's code and kind, where it listens, and how it is read."""

    code: str
    kind: str
    title: str
    address: str
    settings: dict[str, Any]
    mapping: dict[str, Any]


@asynccontextmanager
async def sister_systems(place: Place, came: int) -> AsyncIterator[list[Sister]]:
    """Run both on free ports of the loopback; `came` newcomers have turned to both of them."""
    arrived = newcomers(came)
    async with AsyncExitStack() as stack:
        northlight = graphql.app(
            [*people.GRAPHQL_RECORDS, *map(Newcomer.at_northlight, arrived)], "northlight-invented"
        )
        arts_haven = rest.app([*people.REST_RECORDS, *map(Newcomer.at_arts_haven, arrived)], "arts-haven-invented")
        _secret(place, people.GRAPHQL_SETTINGS, "northlight-invented")
        _secret(place, people.REST_SETTINGS, "arts-haven-invented")
        first = await stack.enter_async_context(serve(northlight))
        second = await stack.enter_async_context(serve(arts_haven))
        yield [
            Sister(
                "pen-centre", "GRAPHQL", "Northlight PEN Centre", first,
                {**people.GRAPHQL_SETTINGS, "url": f"http://{first}/graphql"}, people.GRAPHQL_MAPPING,
            ),
            Sister(
                "arts-haven", "REST", "Arts Haven", second,
                {**people.REST_SETTINGS, "url": f"http://{second}/api/applications"}, people.REST_MAPPING,
            ),
        ]  # fmt: skip


def _secret(place: Place, settings: dict[str, Any], value: str) -> None:
    file = place.secrets / settings["auth"]["secret"]
    file.touch(mode=0o600)
    file.write_text(value)


async def register_feeds(admin: Any, sisters: list[Sister]) -> None:
    """Make the sister systems known as feeds, or tell the hub where they listen now."""
    for sister in sisters:
        await admin.execute(
            "insert into feed (code, organisation, kind, settings, mapping, every)"
            " select $1, id, $2::text::feed_kind, $3::text::jsonb, $4::text::jsonb, $5::text::interval from organisation where code = $1"
            " on conflict (code) do update set settings = excluded.settings, mapping = excluded.mapping",
            *[sister.code, sister.kind, json.dumps(sister.settings), json.dumps(sister.mapping), EVERY],
        )


async def link_known_people(admin: Any, digest_of: Any) -> None:
    """Link the records of the two whom both sisters know to their cases in the world, as the desk did long ago."""
    for name, places in people.SAME_PERSON.items():
        for code, source in places:
            await admin.execute(
                "insert into feed_record_link (record, case_id, linked_by) select r.id, d.case_id, o.id from feed_record r,"
                " case_name_digest d, organisation o where r.id = $1 and d.family_name = $2 and o.kind = 'ICORN' on conflict do nothing",
                record_id(code, source),
                digest_of(name.partition(" ")[2]),
            )
