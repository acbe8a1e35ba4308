"""Limits over HTTP: what is beyond one is refused with its name, the limit and the value; budgets are the client's own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from auth.budgets import Budgets, Kind
from auth.limits import DEFAULTS
from hub.postgres import open_pool
from tests.conftest import Database
from tests.hub.test_http import post
from tests.world import ISSUER, World, build

SMALL = {"cost": 150, "depth": 3, "fields": 9, "aliases": 2, "directives": 1, "page_size": 10, "cost_per_minute": 1000}
MUCH = "{ a: cases(first: 20) { edges { node { id @skip(if: false) } } } b: viewer { clientId @skip(if: false) } c: viewer { scopes } }"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A partner with the usual limits, and one with small ones."""
    async with build(database) as made:
        await made.organisation("icorn", "ICORN")
        await made.organisation("pen-centre")
        await made.client("pen", "pen-centre", limits={})
        await made.client("small", "pen-centre", limits=SMALL)
        yield made


async def asked(world: World, client: str, query: str, **more: Any) -> httpx2.Response:
    """Send an operation, and ask for its cost."""
    return await post(world, json.dumps({"query": query, "extensions": {"cost": True}, **more}), client=client)


def limits(answer: httpx2.Response) -> dict[str, tuple[int, int]]:
    """Give the limits that an answer names: each with the most there may be, and the operation's value."""
    told = [error["extensions"] for error in answer.json()["errors"]]
    assert {one["code"] for one in told} == {"LIMIT_EXCEEDED"}
    return {one["limit"]: (one["most"], one["value"]) for one in told}


async def test_what_is_too_deep_is_refused_before_it_is_planned(world: World) -> None:
    """With whatever else the document goes beyond."""
    answer = await asked(world, "small", MUCH)

    assert answer.status_code == 400
    assert limits(answer) == {"depth": (3, 4), "aliases": (2, 3), "directives": (1, 2)}


async def test_the_cost_that_an_error_names_is_the_one_told(world: World) -> None:
    """Beside page size, aliases and directives, all in one answer."""
    query = "{ a: cities(first: 90) { edges { cursor @skip(if: false) } } b: viewer { clientId @skip(if: false) } c: viewer { scopes } }"

    answer = await asked(world, "small", query)

    told = limits(answer)
    assert told == {"aliases": (2, 3), "directives": (1, 2), "cost": (150, 193), "pageSize": (10, 90)}
    assert answer.json()["extensions"] == {"cost": {"operation": 193, "limit": 150}}


async def test_the_cost_is_told_on_request_alone_and_whatever_there_is(world: World) -> None:
    """It does not change with what the database holds."""
    query = "{ cases(first: 3) { edges { node { id } } } }"
    before = (await asked(world, "pen", query)).json()["extensions"]
    await world.case()

    assert (
        (await asked(world, "pen", query)).json()["extensions"]
        == before
        == {"cost": {"operation": 107, "limit": DEFAULTS.cost}}
    )
    assert "extensions" not in await world.ask("pen", query)


async def test_a_budget_is_told_and_kept(world: World) -> None:
    """RateLimit headers count down by the cost; what is not there is refused until the minute is over; then it is whole."""
    first = await asked(world, "small", "{ viewer { clientId } }")
    assert first.headers["ratelimit-policy"] == '"cost";q=1000;w=60'
    assert first.headers["ratelimit"] == '"cost";r=899;t=60'
    answers = [await asked(world, "small", "{ viewer { clientId } }") for _ in range(9)]

    assert [a.status_code for a in answers] == [200] * 8 + [429]
    assert limits(answers[-1]).keys() == {"costPerMinute"}
    assert answers[-1].headers["retry-after"] == "60"
    assert (await asked(world, "pen", "{ viewer { clientId } }")).status_code == 200
    world.now += 60
    assert (await asked(world, "small", "{ viewer { clientId } }")).status_code == 200


async def test_what_is_refused_for_its_form_costs_too_and_a_replay_costs_nothing(world: World) -> None:
    """Whoever sends garbage pays; whoever sends again what a partner sent does not make the partner pay."""
    wrong = await asked(world, "small", "{ nothing }")
    assert wrong.headers["ratelimit"] == '"cost";r=900;t=60'
    proof = wrong.request.headers["dpop"]
    used = await post(world, '{"query": "{ __typename }"}', client="small")
    again = [
        await post(world, '{"query": "{ __typename }"}', {"DPoP": used.request.headers["dpop"]}, client="small")
        for _ in range(20)
    ]

    assert proof != used.request.headers["dpop"]
    assert {a.status_code for a in again} == {401}
    garbage = [await post(world, "{", {"DPoP": proof}, client="small") for _ in range(20)]
    assert {a.status_code for a in garbage} == {401}
    assert (await asked(world, "small", "{ __typename }")).headers["ratelimit"] == '"cost";r=700;t=60'


async def test_two_processes_share_one_budget(database: Database, world: World) -> None:
    """Together they spend what there is, and no more."""
    async with await open_pool(database.dsn("hub_app"), name="test", size=2) as pool:
        processes = [Budgets(Kind.COST, pool, lambda: world.now) for _ in range(2)]
        organisation = world.organisations["pen-centre"]
        spent = 0
        for turn in range(60):
            balance = await processes[turn % 2].spend(organisation, "pen", 1000, 30)
            spent += 30 * balance.enough

        assert 1000 - 30 - 125 <= spent <= 1000
        assert not (await processes[0].spend(organisation, "pen", 1000, 200)).enough


async def test_nobody_can_draw_another_clients_budget(database: Database, world: World) -> None:
    """The row policies of `budget` know who is bound; the authorization server has budgets of its own kind."""
    await asked(world, "pen", "{ __typename }")
    app, auth = await database.connect("hub_app"), await database.connect("hub_auth")
    bound = "select set_config('hub.organisation', $1, false), set_config('hub.client', 'small', false)"
    await app.fetchrow(bound, str(world.organisations["pen-centre"]))

    assert await app.fetch("select * from budget") == []
    assert await app.execute("update budget set drawn = 0") == "UPDATE 0"
    assert {row["kind"] for row in await auth.fetch("select kind from hub.budget")} == {"TOKENS"}


async def test_a_stranger_cannot_use_up_a_partners_tokens(world: World) -> None:
    """Naming its client_id counts for nothing; the range the stranger calls from has to wait, and others need not."""
    form = {"grant_type": "client_credentials", "client_id": "pen", "client_assertion": "x.y.z",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
    stranger = httpx2.AsyncClient(transport=httpx2.ASGITransport(world.app, client=("1.2.3.4", 9)), base_url=ISSUER)
    neighbour = httpx2.AsyncClient(transport=httpx2.ASGITransport(world.app, client=("1.2.3.77", 9)), base_url=ISSUER)
    elsewhere = httpx2.AsyncClient(transport=httpx2.ASGITransport(world.app, client=("1.2.9.4", 9)), base_url=ISSUER)
    async with stranger, neighbour, elsewhere:
        told = [(await stranger.post("/oauth/token", data=form)).status_code for _ in range(70)]
        refused = await neighbour.post("/oauth/token", data=form)
        other = await elsewhere.post("/oauth/token", data=form)

        assert (told[:60], set(told[60:])) == ([400] * 60, {429})
        assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert other.status_code == 400
    assert (await asked(world, "pen", "{ __typename }")).status_code == 200


async def test_a_client_has_so_many_tokens_a_minute(world: World) -> None:
    """Counted once it has proven who it is."""
    await world.client("eager", "pen-centre", limits={"tokens_per_minute": 2})
    for _ in range(2):
        await world.clients["eager"].token()

    with pytest.raises(Exception, match="temporarily_unavailable"):
        await world.clients["eager"].token()


async def test_more_operations_at_once_than_may_be_are_refused(world: World) -> None:
    """At once, with when to try again; the rest are answered."""
    under_way = world.app.state.under_way
    await world.client("single", "pen-centre", limits={"concurrency": 1})
    await post(world, '{"query": "{ __typename }"}', client="single")
    under_way._counts["single"] = 1  # noqa: SLF001 as if one were under way
    answer = await asked(world, "single", "{ __typename }")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert limits(answer) == {"concurrency": (1, 2)}
