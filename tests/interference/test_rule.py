"""The hub's rule of disclosure is held against the reference, over whole worlds: for everybody, everyone's cases, and every category."""

from typing import Any

import pytest

from tests.conftest import Database
from tests.interference.facts import CATEGORIES, ORGANISATIONS, PERSONAL, Case, Referral
from tests.interference.facts import World as Facts
from tests.interference.names import row_id
from tests.interference.pairs import pair
from tests.interference.policy import bases, of, opened, readable, takes_part
from tests.interference.principals import PRINCIPALS
from tests.interference.put import Putter
from tests.world import World, build

Told = dict[tuple[str, int], list[str]]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", PRINCIPALS)
async def test_the_rule_opens_to_everybody_what_the_reference_opens(database: Database, name: str, side: str) -> None:
    """Of drawn worlds: what `case_access_rule` and `referral_access_rule` open now, what is stored of it, and on which bases."""
    worlds = pair(PRINCIPALS[name], 1)
    world: Facts = getattr(worlds, side)
    async with build(database) as hub:
        await Putter(hub).put(worlds.principal, world)
        for source in ("case_access_rule", "case_access"):
            assert await _open(hub, source, "case", world, ["overview", *map(str.lower, CATEGORIES[1:])]) == {
                (code, case.id): seen
                for code in ORGANISATIONS
                for case in of(Case, world)
                if (seen := [k for k in CATEGORIES if opened(code, case, k, world)])
            }
        for source in ("referral_access_rule", "referral_access"):
            assert await _open(hub, source, "referral", world, ["visible", *map(str.lower, PERSONAL)]) == {
                (code, sent.id): ["OVERVIEW", *(k for k in PERSONAL if readable(code, sent, k, world))]
                for code in ORGANISATIONS
                for sent in of(Referral, world)
                if takes_part(code, sent, world)
            }
        assert await _bases(hub, world) == {
            (code, case.id, k): sorted(found)
            for code in ORGANISATIONS
            for case in of(Case, world)
            for k in CATEGORIES
            if (found := bases(code, case, k, world))
        }


async def _open(hub: World, source: str, noun: str, world: Facts, columns: list[str]) -> Told:
    """Read which categories a rule or a table has open now, by organisation and case or referral."""
    asked = ", ".join(f"bool_or(a.{column} @> hub_now()) as {column}" for column in columns)
    rows = await hub.admin.fetch(
        f"select o.code, a.{noun}_id as id, {asked} from {source} a join organisation o on o.id = a.organisation group by 1, 2"  # noqa: S608 our own names
    )
    numbers = _numbers(world, Case if noun == "case" else Referral, noun)
    found = {
        (row["code"], numbers[row["id"]]): ["OVERVIEW" if c == "visible" else c.upper() for c in columns if row[c]]
        for row in rows
    }
    return {who: seen for who, seen in found.items() if seen}


async def _bases(hub: World, world: Facts) -> dict[tuple[str, int, str], list[str]]:
    numbers = _numbers(world, Case, "case")
    rows = await hub.admin.fetch(
        "select o.code, b.case_id, b.category::text, array_agg(distinct b.basis::text order by b.basis::text) as bases"
        " from case_basis b join organisation o on o.id = b.organisation where b.period @> hub_now() group by 1, 2, 3"
    )
    return {(row["code"], numbers[row["case_id"]], row["category"]): row["bases"] for row in rows}


def _numbers(world: Facts, kind: type[Case | Referral], noun: str) -> dict[Any, int]:
    return {row_id(noun, fact.id): fact.id for fact in of(kind, world)}
