"""This module serves the peer written with Strawberry, resolvers and DataLoaders, as its documentation has it."""

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import strawberry
import uvicorn
import uvloop
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

GIVEN = json.loads(os.environ["BENCH"])
CASE = """select a.case_id, 'case_' || a.pairwise as id, a.reference, a.origin, a.discipline, a.risk_level, a.status, a.opened_on, a.updated_at
from case_access a where a.organisation = $1 and a.overview @> now()"""
REFERRALS = """select r.* from unnest($2::uuid[]) c(id) cross join lateral (
  select r.case_id, r.status, r.urgency, r.submitted_at, r.sender from referral_access r
  where r.organisation = $1 and r.case_id = c.id and r.visible @> now() order by r.submitted_at desc, r.pairwise desc limit $3) r"""
RESIDENCIES = """select r.case_id, r.status, r.city from residency r
join case_access a on a.case_id = r.case_id and a.organisation = $1 and a.whereabouts @> now()
where r.case_id = any ($2::uuid[]) order by r.starts_on desc"""
Info = strawberry.Info[Any, Any]


@strawberry.type
class Organisation:
    """A sender."""

    name: str


@strawberry.type
class City:
    """A city of refuge."""

    name: str
    country: str


@strawberry.type
class Referral:
    """A referral of a case."""

    status: str
    urgency: str
    submitted_at: datetime
    sender: strawberry.Private[int]

    @strawberry.field(name="from")  # type: ignore[untyped-decorator] # so strawberry types it
    async def sent_by(self, info: Info) -> Organisation:
        """Load who sent it."""
        found: Organisation = await info.context["organisations"].load(self.sender)
        return found


@strawberry.type
class Residency:
    """A stay."""

    status: str
    town: strawberry.Private[int]

    @strawberry.field
    async def city(self, info: Info) -> City:
        """Load where."""
        found: City = await info.context["cities"].load(self.town)
        return found


@strawberry.type
class Case:
    """A case, as the partner sees it."""

    case_id: strawberry.Private[Any]
    id: strawberry.ID
    reference: str
    origin: str | None
    discipline: str
    risk_level: str
    status: str
    opened_on: date
    updated_at: datetime

    @strawberry.field
    async def referrals(self, info: Info, first: int = 5) -> list[Referral]:
        """Load its referrals."""
        found: list[Referral] = await info.context["referrals"].load((self.case_id, first))
        return found

    @strawberry.field
    async def residencies(self, info: Info) -> list[Residency]:
        """Load its residencies."""
        found: list[Residency] = await info.context["residencies"].load(self.case_id)
        return found


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def cases(self, info: Info, first: int = 50) -> list[Case]:
        """List the newest cases."""
        ordered = f"{CASE} order by a.opened_on desc, a.pairwise desc limit $2"
        return [Case(**row) for row in await info.context["pool"].fetch(ordered, info.context["org"], first)]

    @strawberry.field
    async def case(self, info: Info, id: strawberry.ID) -> Case | None:  # noqa: A002 the question's own name
        """Find one case."""
        row = await info.context["pool"].fetchrow(
            f"{CASE} and a.pairwise = $2::uuid", info.context["org"], id.removeprefix("case_")
        )
        return Case(**row) if row else None


class Peer(GraphQL[Any, Any]):
    """The application: a pool, and loaders of their own for each request."""

    pool: asyncpg.Pool | None = None

    async def get_context(self, request: Any, response: Any) -> Any:
        """Make what the resolvers need."""
        del response
        if self.pool is None:
            self.pool = await asyncpg.create_pool(
                f"postgresql://postgres@/{GIVEN['database']}?host={GIVEN['sockets']}",
                min_size=GIVEN["pool"],
                max_size=GIVEN["pool"],
                server_settings={"search_path": "hub"},
            )
        pool, org = self.pool, int(request.headers["x-organisation"])

        async def referrals(keys: Sequence[tuple[Any, int]]) -> list[list[Referral]]:
            rows = await pool.fetch(REFERRALS, org, [case for case, _ in keys], keys[0][1])
            found: dict[Any, list[Referral]] = {case: [] for case, _ in keys}
            for row in rows:
                found[row["case_id"]].append(
                    Referral(
                        status=row["status"],
                        urgency=row["urgency"],
                        submitted_at=row["submitted_at"],
                        sender=row["sender"],
                    )
                )
            return [found[case] for case, _ in keys]

        async def residencies(keys: Sequence[Any]) -> list[list[Residency]]:
            found: dict[Any, list[Residency]] = {case: [] for case in keys}
            for row in await pool.fetch(RESIDENCIES, org, list(keys)):
                found[row["case_id"]].append(Residency(status=row["status"], town=row["city"]))
            return [found[case] for case in keys]

        async def organisations(keys: Sequence[int]) -> list[Organisation]:
            rows = await pool.fetch("select id, name from organisation where id = any ($1::int[])", list(keys))
            found = {row["id"]: Organisation(name=row["name"]) for row in rows}
            return [found[key] for key in keys]

        async def cities(keys: Sequence[int]) -> list[City]:
            rows = await pool.fetch("select id, name, country from city where id = any ($1::int[])", list(keys))
            found = {row["id"]: City(name=row["name"], country=row["country"]) for row in rows}
            return [found[key] for key in keys]

        return {
            "pool": pool,
            "org": org,
            "referrals": DataLoader(referrals),
            "residencies": DataLoader(residencies),
            "organisations": DataLoader(organisations),
            "cities": DataLoader(cities),
        }


if __name__ == "__main__":
    config = uvicorn.Config(
        Peer(strawberry.Schema(Query)), host="127.0.0.1", port=GIVEN["port"], access_log=False, log_config=None
    )
    uvloop.run(uvicorn.Server(config).serve())
