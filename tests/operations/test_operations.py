"""Golden triples: an operation, the SQL it becomes, and its answer. A change of any is a diff to be read: `make golden` writes them anew."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.embedded import Server
from hub.engine.documents import variable_values
from tests.conftest import NUMBERS, new_database
from tests.population import named, populate
from tests.world import World, build

FOLDER = Path(__file__).parent
OPERATIONS = sorted(path.stem for path in FOLDER.glob("*.graphql"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def peopled(server: Server, template: str) -> AsyncIterator[World]:
    """The peopled world, in which every id and cursor is always the same."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, build(database) as world:
        await populate(world)
        yield world


async def read(world: World, name: str) -> tuple[str, str]:
    """Give an operation and who sends it; @name in it is the asker's reference of the case of that name."""
    text = (FOLDER / f"{name}.graphql").read_text()
    found = re.match(r"#> as: (\w+)\n", text)
    assert found, "an operation begins with who sends it"
    for word in set(re.findall(r'"@(\w+)"', text)):
        reference = await world.admin.fetchval(
            "select reference from case_access where case_id = $1 and organisation = $2",
            named(word),
            world.organisations["icorn"],
        )
        text = text.replace(f'"@{word}"', f'"{reference}"')
    return found[1], text


@pytest.mark.golden
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_becomes_the_sql_and_the_answer_on_record(
    peopled: World, name: str, request: pytest.FixtureRequest
) -> None:
    """Statement and answer are, to the byte, what was read and found right before."""
    client, query = await read(peopled, name)
    answer = json.dumps(await peopled.ask(client, query), indent=2, ensure_ascii=False) + "\n"
    engine = peopled.app.state.engine
    document = engine.documents.get(query)
    node = document.operation(None)
    token = await peopled.clients[client].token()
    compiled = engine.plans.get(document, node, variable_values(engine.schema, node, {}), token.scopes)
    sql = "\n;\n".join(s.sql for s in (*compiled.own, *filter(None, [compiled.feeds]))) + "\n"

    if request.config.getoption("--rewrite-golden"):
        (FOLDER / f"{name}.sql").write_text(sql)
        (FOLDER / f"{name}.json").write_text(answer)
    assert sql == (FOLDER / f"{name}.sql").read_text()
    assert answer == (FOLDER / f"{name}.json").read_text()
