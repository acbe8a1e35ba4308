"""This module takes one request apart: microseconds of each part, in one process, and what Postgres does with the statement."""

import cProfile
import pstats
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from auth.client import Answer, Credentials, HubClient, proof
from auth.keyring import Keyring
from auth.principal import Principal
from bench.operations import Q1
from bench.servers import application
from bench.world import Partner
from hub.engine.compiled import Plans
from hub.engine.documents import Documents
from hub.engine.execute import Operation, fills, operation
from hub.engine.execute import _base as base  # the engine's own way to say who asks
from hub.engine.splice import splice

ISSUER = "http://127.0.0.1:8000"
TIMES = 300
COLD = 20


class Inside:
    """A hub in this process, asked without HTTP by the partner."""

    def __init__(self, app: Starlette, partner: Partner) -> None:
        self.app, self.key = app, ECKey.generate_key("P-256")
        credentials = Credentials(
            partner.client_id, partner.private_jwk, ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql"
        )
        self.client = HubClient(credentials, self.post, proof_key=self.key)
        self.token = ""

    async def post(self, url: str, headers: Any, body: bytes) -> Answer:
        """Hand a request to the application as a server would."""
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": "POST", "path": url.removeprefix(ISSUER), "raw_path": b"", "root_path": "", "scheme": "http",
            "query_string": b"", "headers": raw, "server": ("127.0.0.1", 8000), "http_version": "1.1",
        }  # fmt: skip
        told: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        return Answer(told[0]["status"], {}, b"".join(m.get("body", b"") for m in told[1:]))

    def headers(self) -> dict[str, str]:
        """Sign a fresh proof."""
        signed = proof(self.key, f"{ISSUER}/graphql", time.time(), access_token=self.token)
        return {"Content-Type": "application/json", "Authorization": f"DPoP {self.token}", "DPoP": signed}


async def timed(count: int, prepare: Callable[[], Any], work: Callable[[Any], Awaitable[Any]]) -> list[float]:
    """Give microseconds of `work` on what `prepare` gives, `count` times."""
    found = []
    for _ in range(count):
        given = prepare()
        begun = time.perf_counter()
        await work(given)
        found.append((time.perf_counter() - begun) * 1e6)
    return found


class Apart:
    """The combined view, and each part of answering it on its own."""

    def __init__(self, inside: Inside, principal: Principal) -> None:
        self.inside, self.principal = inside, principal
        self.engine, self.resource = inside.app.state.engine, inside.app.state.resource
        self.body = msgspec.json.encode({"query": Q1})
        self.asked = self.compiled()
        (self.own,) = self.asked.compiled.own

    def compiled(self) -> Operation:
        """Find document and plan, and coerce the arguments, as every request does."""
        return operation(self.engine, self.principal, self.engine.documents.get(Q1), None, {})

    def values(self, commit: str) -> list[Any]:
        """Give the statement's parameters with a proof never seen; commit "off" does not wait for the disk."""
        given = {**base(self.asked), "subject": None, "outcome": "DONE"}
        return self.compiled().binding.values(
            self.own.parameters, {**given, "proof": time.time_ns().to_bytes(32), "commit": commit}, {}
        )

    def signed(self) -> list[tuple[bytes, bytes]]:
        """Sign a fresh proof, in headers as ASGI gives them."""
        return [(name.lower().encode(), value.encode()) for name, value in self.inside.headers().items()]

    async def verify(self, headers: Any) -> Principal:
        """Verify token and proof."""
        found: Principal = await self.resource.principal(headers, "POST", "/graphql")
        return found

    async def read(self, _: object) -> None:
        """Parse and validate a document never seen before."""
        Documents(self.engine.schema).get(Q1)

    async def plan(self, _: object) -> None:
        """Plan an operation never seen before, and write its statement."""
        given = self.asked.document, self.asked.node, self.asked.variables, self.principal.scopes
        Plans(self.engine.schema).get(*given)

    async def warm(self, _: object) -> None:
        """Find all that again."""
        self.compiled()

    async def whole(self, headers: dict[str, str]) -> None:
        """Answer through the application, without a server."""
        answer = await self.inside.post(f"{ISSUER}/graphql", headers, self.body)
        if answer.status != 200:
            raise RuntimeError("The hub refused what it should answer.")


async def take_apart(dsns: dict[str, str], keyring: Path, partner: Partner, console: Console) -> None:
    """Print what each part of a combined-view request costs, one after the other on an otherwise idle hub."""
    app, pools = await application(dsns, Keyring.load(keyring), ISSUER)
    inside = Inside(app, partner)
    inside.token = (await inside.client.token()).value
    raw = [(name.lower().encode(), value.encode()) for name, value in inside.headers().items()]
    apart = Apart(inside, await app.state.resource.principal(raw, "POST", "/graphql"))
    parts = {
        "token and proof verified": await timed(TIMES, apart.signed, apart.verify),
        "cold: parse and validate": await timed(COLD, lambda: None, apart.read),
        "cold: plan, and write the statement": await timed(COLD, lambda: None, apart.plan),
        "warm: document, plan and arguments": await timed(TIMES, lambda: None, apart.warm),
    }
    async with pools.app.acquire() as connection:
        parts |= await statement_alone(apart, connection)
        record: Any = await connection.fetchrow(apart.own.sql, *apart.values("off"))
        await explained(connection, apart.own.sql, apart.values("off"), console)

    async def fill(_: object) -> None:
        splice(record["body"], fills(apart.engine, apart.asked, apart.own))

    parts["marks filled in"] = await timed(TIMES, lambda: None, fill)
    parts["the whole application, without a server"] = await timed(TIMES, inside.headers, apart.whole)
    table = Table(title="parts of one request, one at a time, microseconds")
    for heading in ("part", "median", "p90"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, found in parts.items():
        table.add_row(name, f"{statistics.median(found):.0f}", f"{statistics.quantiles(found, n=10)[-1]:.0f}")
    console.print(table)
    await profiled(apart, console)
    for pool in (pools.app, pools.auth, pools.worker):
        await pool.close()


async def statement_alone(apart: Apart, connection: Any) -> dict[str, list[float]]:
    """Time the statement on one connection: as Postgres chooses, with each kind of plan, and waiting for the disk."""

    async def fetch(values: list[Any]) -> None:
        await connection.fetchrow(apart.own.sql, *values)

    found = {}
    for mode, commit in (("auto", "on"), ("auto", "off"), ("force_generic_plan", "off"), ("force_custom_plan", "off")):
        await connection.execute(f"set plan_cache_mode = {mode}")
        waits = "waits for the disk" if commit == "on" else mode
        found[f"statement alone ({waits})"] = await timed(TIMES, partial(apart.values, commit), fetch)
    await connection.execute("reset plan_cache_mode")
    return found


async def profiled(apart: Apart, console: Console) -> None:
    """Show where Python spends its time; profiling itself makes short calls look dear."""
    profile = cProfile.Profile()
    ready = [apart.inside.headers() for _ in range(TIMES)]
    profile.enable()
    for headers in ready:
        await apart.whole(headers)
    profile.disable()
    text = StringIO()
    pstats.Stats(profile, stream=text).strip_dirs().sort_stats("tottime").print_stats(22)
    console.print(text.getvalue(), highlight=False)


async def explained(connection: Any, sql: str, values: Any, console: Console) -> None:
    """Show the costly nodes of the plan, and every sequential scan, under the partner's own row policies."""
    transaction = connection.transaction()
    await transaction.start()
    (plan,) = msgspec.json.decode(await connection.fetchval(f"explain (analyze, buffers, format json) {sql}", *values))
    await transaction.rollback()
    console.print(f"planning {plan['Planning Time']:.2f} ms, execution {plan['Execution Time']:.2f} ms")
    table = Table(title="the statement's nodes by their own time")
    for heading in ("ms", "loops", "rows", "buffers", "node"):
        table.add_column(heading, justify="left" if heading == "node" else "right")
    for own_time, node in sorted(_nodes(plan["Plan"]), key=lambda found: -found[0])[:24]:
        name = " ".join(
            str(node[k])
            for k in ("Node Type", "Relation Name", "Alias", "Index Name", "CTE Name", "Subplan Name")
            if k in node
        )
        table.add_row(
            f"{own_time:.3f}",
            str(node["Actual Loops"]),
            f"{node['Actual Rows']:.0f}",
            str(node["Shared Hit Blocks"]),
            name,
        )
    console.print(table)
    for _, node in _nodes(plan["Plan"]):
        if node["Node Type"] == "Seq Scan":
            console.print(
                f"sequential scan of {node['Relation Name']}, {node['Actual Loops']} times {node['Actual Rows']:.0f} rows"
            )


def _nodes(node: Any) -> list[tuple[float, Any]]:
    below = [found for child in node.get("Plans", ()) for found in _nodes(child)]
    spent = sum(child["Actual Total Time"] * child["Actual Loops"] for child in node.get("Plans", ()))
    return [(node["Actual Total Time"] * node["Actual Loops"] - spent, node), *below]
