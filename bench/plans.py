"""This module says how Postgres goes about every golden operation: its plan, and how many rows it touches, in a world of some size."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from auth.limits import CEILINGS
from auth.scopes import Scope
from bench.servers import partner
from hub.engine.documents import Documents
from hub.engine.execute import Engine, Operation, operation
from hub.engine.execute import _base as base  # the engine's own way to say who asks
from hub.engine.statement import Statement

OPERATIONS: Final = Path(__file__).parent.parent / "tests" / "operations"
PLANS: Final = OPERATIONS / "plans"
EVERYTHING: Final = frozenset(map(str, Scope))
READER: Final = frozenset({"cases:read"})


@dataclass(frozen=True)
class Golden:
    """How one operation is answered: the digest of its SQL, its plan, the rows it touches, and what it costs by the schema."""

    digest: str
    plan: str
    rows: int
    cost: int


def names() -> list[str]:
    """Give every golden operation."""
    return sorted(path.stem for path in OPERATIONS.glob("*.graphql"))


async def golden(engine: Engine, admin: Any, connection: Any, name: str) -> Golden:
    """Explain one operation, asked by ICORN or by the first partner as its file says."""
    text = (OPERATIONS / f"{name}.graphql").read_text()
    client = re.match(r"#> as: (\w+)\n", text)
    assert client, "an operation begins with who sends it"  # noqa: S101 the tests hold it
    organisation = 1 if client[1] == "desk" else 2
    case = await admin.fetchrow(
        "select case_id, reference from case_access where organisation = $1 order by case_id limit 1", organisation
    )
    referral = await admin.fetchval(
        "select referral_id from referral_access where organisation = $1 order by referral_id limit 1", organisation
    )
    text = re.sub(r'"@\w+"', f'"{case["reference"]}"', text)
    who = partner(organisation)
    who = replace(who, scopes=READER if client[1] == "reader" else EVERYTHING, limits=CEILINGS)
    asked = operation(engine, who, Documents(engine.schema).get(text), None, {})
    statements = [*asked.compiled.own, *([asked.compiled.feeds] if asked.compiled.feeds else [])]
    digest = hashlib.sha256("\n;\n".join(one.sql for one in statements).encode()).hexdigest()[:16]
    plans, rows = [], 0
    for statement in statements:
        plans.append(await planned(connection, statement))
        rows += await touched(connection, asked, statement, referral, [str(case["case_id"])])
    return Golden(digest, "\n;\n".join(plans), rows, asked.cost)


async def planned(connection: Any, statement: Statement) -> str:
    """Give the plan for whatever values, without costs: it depends on the statement, the tables and their statistics alone."""
    name = f"plan_{secrets.token_hex(4)}"
    await connection.execute(f"prepare {name} as {statement.sql}")
    nothing = ", ".join(["null"] * len(statement.parameters))
    rows = await connection.fetch(f"explain (costs off) execute {name}({nothing})")
    await connection.execute(f"deallocate {name}")
    # A literal in it may hold what would break a line.
    return _in_short("\n".join(re.sub(r"[\r\n\t]+", " ", row[0]) for row in rows))


def _in_short(plan: str) -> str:
    """Leave out of a plan what is worked out once and read off nothing (who asks, what time it is), and the numbers of its parts."""
    plan = re.sub(r"\n *InitPlan \d+\n *->  Result(?=\n|$)", "", plan)
    return re.sub(r"\b(InitPlan|SubPlan) \d+", r"\1", plan)


async def touched(
    connection: Any, asked: Operation, statement: Statement, subject: object, cases: Sequence[str]
) -> int:
    """Run a statement, undo it, and count the rows that it read of tables: those it kept and those it threw away."""
    parts = {number: list(cases) for number in range(len(asked.compiled.plan.parts))}
    given = {**base(asked), "subject": subject, "outcome": "DONE", "proof": secrets.token_bytes(32)}
    values = asked.binding.values(statement.parameters, given, parts)
    transaction = connection.transaction()
    await transaction.start()
    try:
        (plan,) = msgspec.json.decode(
            await connection.fetchval(f"explain (analyze, timing off, format json) {statement.sql}", *values)
        )
    finally:
        await transaction.rollback()
    return round(sum(map(_rows, _scans(plan["Plan"]))))


def _scans(node: Any) -> list[Any]:
    below = [found for child in node.get("Plans", ()) for found in _scans(child)]
    return [node, *below] if "Relation Name" in node and "Scan" in node["Node Type"] else below


def _rows(scan: Any) -> float:
    away = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    found: float = scan["Actual Loops"] * (scan["Actual Rows"] + sum(scan.get(name, 0) for name in away))
    return found


def written(found: dict[int, Golden]) -> str:
    """Write an operation's plans as a file, sizes with the same plan together."""
    (digest,) = {one.digest for one in found.values()}
    text = f"sql {digest}, cost {next(iter(found.values())).cost}\n"
    text += "".join(f"{size:,} cases: {one.rows:,} rows touched\n" for size, one in sorted(found.items()))
    by_plan: dict[str, list[int]] = {}
    for size, one in sorted(found.items()):
        by_plan.setdefault(one.plan, []).append(size)
    for plan, sizes in by_plan.items():
        text += f"\n-- at {', '.join(f'{size:,}' for size in sizes)} cases\n{plan}\n"
    return text


def read(name: str) -> tuple[str, int, dict[int, int], dict[int, str]]:
    """Read such a file: (digest of the SQL, cost, rows touched by size, plan by size)."""
    head, *sections = (PLANS / f"{name}.txt").read_text().split("\n-- at ")
    first, *lines = head.strip().splitlines()
    digest, cost = first.removeprefix("sql ").split(", cost ")
    rows = {_number(line.split(" cases: ")[0]): _number(line.split(" cases: ")[1].split()[0]) for line in lines}
    plans: dict[int, str] = {}
    for section in sections:
        sizes, plan = section.split(" cases\n", 1)
        plans |= {_number(size): plan.rstrip("\n") for size in sizes.split(", ")}
    return digest, int(cost), rows, plans


def _number(text: str) -> int:
    return int(text.replace(",", ""))
