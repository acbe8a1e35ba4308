"""This module makes holes in what is told around the data: errors, what is said of the schema, headers, cost. No hub is built so."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.budgets import Balance, Budgets, Kind
from hub import graphql
from tests.interference.leaks_in_plans import ONLY_THE_FIRST, put
from tests.interference.twins import Leak
from tests.world import World

Json = dict[str, Any]
Afterthought = Callable[[World, Json, Json, MutableHeaders], Awaitable[None]]
"""Changes an answer and its headers, knowing the hub and what was sent."""


def answered(name: str, change: Afterthought) -> Leak:
    """Make a leak of an answer that is changed before it goes out."""

    def plant(hub: World) -> None:
        async def answer(request: Request) -> Response:
            sent = json.loads(await request.body())
            response = await graphql.answer(request)
            told = json.loads(bytes(response.body))
            await change(hub, sent, told, response.headers)
            body = json.dumps(told).encode()
            response.body = body + b" " * (-len(body) % graphql.PADDING)
            response.headers["content-length"] = str(len(response.body))
            return response

        hub.app.router.routes[0] = Route("/graphql", answer, methods=["POST"])

    return Leak(name, plant=plant)


def _objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if isinstance(value, dict):
        yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _objects(item, (*path, key))


async def where_it_is_withheld(hub: World, _: Json, told: Json, __: MutableHeaders) -> None:
    """Report an error at the place of each value that is there and withheld, and none where there is nothing."""
    there = (
        "select exists (select from case_access a join case_health h using (case_id) where 'case_' || a.pairwise = $1)"
    )
    for path, found in list(_objects(told.get("data"))):
        if "health" in found and found["health"] is None and await hub.admin.fetchval(there, found.get("id")):
            error = {"message": "This is withheld.", "path": [*path, "health"], "extensions": {"code": "WITHHELD"}}
            told.setdefault("errors", []).append(error)


async def did_you_mean(hub: World, _: Json, told: Json, __: MutableHeaders) -> None:
    """Suggest a reference that there is for one that there is not."""
    if (told.get("data") or {}).get("case", ...) is None:
        near = "select distinct reference from case_access order by reference limit 5"
        known = ", ".join(row["reference"] for row in await hub.admin.fetch(near))
        told["errors"] = [{"message": f"There is no such case. Did you mean one of {known}?"}]


async def values_in_use(hub: World, _: Json, told: Json, __: MutableHeaders) -> None:
    """Tell of an enum the values that are in use."""
    for _path, found in list(_objects(told.get("data"))):
        if found.get("name") == "RiskLevel" and "enumValues" in found:
            used = await hub.admin.fetch("select distinct risk_level::text as name from case_file")
            names = {row["name"] for row in used}
            found["enumValues"] = [value for value in found["enumValues"] if value["name"] in names]


async def fitting_values(hub: World, _: Json, told: Json, __: MutableHeaders) -> None:
    """Say of a value that does not fit which ones would: those that are in use."""
    for error in told.get("errors", ()):
        if error["extensions"]["code"] == "BAD_USER_INPUT":
            used = await hub.admin.fetchval(
                "select string_agg(distinct opened_on::text, ', ' order by opened_on::text) from case_file"
            )
            error["message"] += f" There are {used}."


async def etag(hub: World, _: Json, __: Json, headers: MutableHeaders) -> None:
    """Derive an answer's tag from rows instead of from the view."""
    rows = await hub.admin.fetchval("select string_agg(f::text, '' order by f.id) from case_file f")
    headers["ETag"] = f'"{hashlib.sha256((rows or "").encode()).hexdigest()[:16]}"'


class ByRows(Budgets):
    """A budget from which every request takes as much as there is to look through."""

    looked_through = 0

    async def spend(self, organisation: int, client: str, quota: int, amount: int) -> Balance:
        """Spend more than the request says."""
        return await super().spend(organisation, client, quota, amount + self.looked_through)


async def spends_by_rows(hub: World) -> None:
    """Let what a request takes off its budget depend on how many rows there are."""
    budgets = ByRows(Kind.COST, hub.app.state.pools.app, lambda: hub.now)
    budgets.looked_through = await _cases(hub)
    hub.app.state.budgets = budgets


async def costs_by_rows(hub: World) -> None:
    """Let the cost of an operation be measured by what there is."""
    put(hub, more=await _cases(hub))


async def _cases(hub: World) -> int:
    found: int = await hub.admin.fetchval("select count(*) from case_file")
    return found


RATE = Leak("a budget shrinks by the rows looked through", plant=spends_by_rows)
COST = Leak("the cost follows what there is", plant=costs_by_rows, walls=ONLY_THE_FIRST)
