"""Who sees what, in every situation, is on record in SECURITY.md; and the hub does as the record says."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database
from tests.interference.facts import CATEGORIES, PERSONAL, Fact
from tests.interference.matrix import KINDS, cases, printed, referrals, sees_of_case, sees_of_referral
from tests.interference.names import row_id
from tests.interference.principals import Principal
from tests.interference.put import Putter
from tests.world import World, build

PAGE = Path(__file__).parents[2] / "SECURITY.md"
BEGIN, END = "<!-- the visibility matrix: make golden -->\n", "<!-- end of the visibility matrix -->\n"


@pytest.mark.golden
def test_the_matrix_on_record_is_what_the_reference_says(request: pytest.FixtureRequest) -> None:
    """Whoever changes what somebody may see finds it, by name, in the diff of SECURITY.md."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    found, _, after = rest.partition(END)
    if request.config.getoption("--rewrite-golden"):
        PAGE.write_text(f"{before}{BEGIN}\n{printed()}\n{END}{after}")
        return
    assert found.strip() == printed().strip()


@pytest.mark.parametrize("asker", KINDS)
async def test_the_hub_opens_in_every_situation_what_the_matrix_says(database: Database, asker: str) -> None:
    """Rule and table of access, of cases and of referrals, agree with the reference in each of the matrix's situations."""
    async with build(database) as hub:
        putter = Putter(hub)
        await putter.put(Principal("asker", asker, frozenset({"cases:read"})), frozenset())
        for name, facts in cases(asker).items():
            assert await _opened(hub, putter, asker, facts, "case") == sees_of_case(asker, facts), name
        for name, facts in referrals(asker).items():
            assert await _opened(hub, putter, asker, facts, "referral") == sees_of_referral(asker, facts), name


async def _opened(hub: World, putter: Putter, asker: str, facts: list[Fact], noun: str) -> list[str]:
    """Put a situation in, read what is open to the asker by the rule and by the table, and take it out again."""
    await putter.facts(frozenset(facts))
    first = "overview" if noun == "case" else "visible"
    columns = [first, *(k.lower() for k in (CATEGORIES[1:] if noun == "case" else PERSONAL))]
    asked = ", ".join(f"coalesce(bool_or({column} @> hub_now()), false) as {column}" for column in columns)
    by_rule, by_table = [
        await hub.admin.fetchrow(
            f"select {asked} from {source} where organisation = $1 and {noun}_id = $2",  # noqa: S608 our own names
            hub.organisations[asker],
            row_id(noun, 0),
        )
        for source in (f"{noun}_access_rule", f"{noun}_access")
    ]
    assert by_rule == by_table
    await hub.admin.execute("delete from referral")
    await hub.admin.execute("delete from case_file")
    await hub.admin.execute("delete from agreement")
    await hub.admin.execute("delete from frozen")
    return _named(by_table)


def _named(row: Any) -> list[str]:
    return [{"visible": "OVERVIEW"}.get(column, column.upper()) for column, is_open in row.items() if is_open]
