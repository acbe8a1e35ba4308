"""A database that goes away is an answer that says so, and nothing more: the hub goes on when it is back."""

from contextlib import AsyncExitStack
from pathlib import Path

from hub.embedded import embedded_server
from tests.conftest import FAST, Database, build_template
from tests.hub.test_http import post
from tests.world import ISSUER, build


async def test_a_database_that_stops_and_comes_back(tmp_path: Path) -> None:
    """While it is away every request gets 503 and a clear text, also one that held a connection; afterwards all is well again."""
    ask = '{"query": "{ cities { totalCount } }"}'
    async with AsyncExitStack() as stack:
        with embedded_server(tmp_path, FAST) as server:
            await build_template(server, "hub")
            world = await stack.enter_async_context(build(Database(server, "hub")))
            await world.organisation("pen-centre")
            await world.client("pen", "pen-centre")
            assert (await post(world, ask)).status_code == 200
            await world.admin.close()
        for _ in range(6):
            answer = await post(world, ask)
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
                503,
                "SERVICE_UNAVAILABLE",
            )
        ready, live = [(await world.http.get(f"{ISSUER}/health/{what}")).status_code for what in ("ready", "live")]
        assert (ready, live) == (503, 200)

        with embedded_server(tmp_path, FAST):
            assert (await post(world, ask)).status_code == 200
            assert (await world.http.get(f"{ISSUER}/health/ready")).status_code == 200
            await stack.aclose()
