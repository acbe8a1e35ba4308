"""Changes that can alter access, to a small world in which they meet often, and whether what is stored is what the rule says."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg
from hypothesis import strategies as st

from hub.audit.entry import bases
from tests.walls.rule import Facts
from tests.walls.situations import ALL, CATEGORIES

TABLES: Final = (
    "case_file",
    "agreement",
    "referral",
    "consent",
    "share",
    "hold",
    "frozen",
    "presentation",
    "emergency",
)
FACTS: Final = ("organisation", "merged_case", *TABLES)
TIMES: Final = [datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)]  # fmt: skip
INSTANTS: Final = [*TIMES, datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 6, 1, 23, 59, tzinfo=UTC), datetime(2026, 6, 2, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)]  # fmt: skip
DAYS: Final = [date(2026, 5, 1), date(2026, 6, 1), date(2026, 6, 2), date(2026, 7, 1)]


def number(table: str, index: int) -> uuid.UUID:
    """Name one of the few rows that a table may have."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{table} {index}")


@dataclass(frozen=True)
class Change:
    """One statement: a row put, changed or taken away."""

    table: str
    key: Any
    values: Mapping[str, Any] | None
    """None takes the row away."""

    def sql(self) -> tuple[str, list[Any]]:
        """Write it: an upsert, or a DELETE."""
        if self.values is None:
            return f"delete from {self.table} where id = $1", [self.key]  # noqa: S608 our own names
        names = list(self.values)
        marks = [f"${i + 2}{_cast(name)}" for i, name in enumerate(names)]
        always = "overriding system value " if self.table == "organisation" else ""
        sets = ", ".join(f"{name} = excluded.{name}" for name in names)
        sql = (
            f"insert into {self.table} (id, {', '.join(names)}) {always}values ($1, {', '.join(marks)})"
            f" on conflict (id) do update set {sets}"
        )
        return sql, [self.key, *self.values.values()]


def _cast(name: str) -> str:
    kinds = {"categories": "text[]::category[]", "shared_categories": "text[]::category[]", "disciplines": "text[]::discipline[]"}  # fmt: skip
    words = {"discipline": "discipline", "risk_level": "risk_level", "urgency": "urgency", "decision": "consent_decision", "kind": "organisation_kind"}  # fmt: skip
    if name in kinds:
        return f"::{kinds[name]}"
    return f"::text::{words[name]}" if name in words else ""


_case, _referral = st.sampled_from([number("case_file", i) for i in range(3)]), st.sampled_from([number("referral", i) for i in range(3)])  # fmt: skip
_org, _when = st.sampled_from([1, 2, 3]), st.sampled_from(TIMES)
_categories = st.lists(st.sampled_from(ALL), min_size=1, max_size=4, unique=True).map(
    lambda found: ["OVERVIEW", *found]
)
_maybe = st.one_of(st.none(), _when)
_STATUS: Final = ("SUBMITTED", "ACCEPTED", "DECLINED", "COMPLETED")
ROWS: Final[dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    "case_file": st.fixed_dictionaries({
        "discipline": st.sampled_from(["WRITER", "MUSICIAN"]), "origin": st.sampled_from(["IR", "TR", None]), "sealed": st.booleans(),
        "risk_level": st.sampled_from(["LOW", "HIGH"]), "opened_on": st.sampled_from(DAYS), "updated_at": _when,
    }),
    "agreement": st.fixed_dictionaries({
        "organisation": _org, "categories": _categories, "origins": st.sampled_from([None, ["IR"], []]), "disciplines": st.sampled_from([None, ["WRITER"]]),
        "valid_from": _when, "valid_until": _maybe, "approved_at": _maybe, "ended_at": _maybe, "purpose": st.just("PROTECTION"),
    }),
    "referral": st.fixed_dictionaries({
        "sender": _org, "recipient": _org, "status": st.sampled_from(_STATUS), "case_id": st.one_of(st.none(), _case), "shared_categories": _categories,
        "urgency": st.sampled_from(["URGENT", "ROUTINE"]), "discipline": st.just("WRITER"), "submitted_at": _when, "updated_at": _when, "client": st.just("x"),
        "origin": st.sampled_from(["IR", "TR", None]),
    }),
    "consent": st.fixed_dictionaries({
        "case_id": st.one_of(st.none(), _case), "referral_id": st.one_of(st.none(), _referral), "decision": st.sampled_from(["ALLOW", "ALLOW", "DENY"]),
        "organisation": st.one_of(st.none(), _org), "categories": _categories, "given_on": st.sampled_from(DAYS),
        "valid_until": st.one_of(st.none(), st.sampled_from(DAYS)), "withdrawn_at": _maybe, "recorded_by": _org, "accepted": st.booleans(),
        "silent_on": st.sampled_from([[], [], [number("former", 0)], [number("case_file", 0), number("case_file", 1)]]),
    }),
    "share": st.fixed_dictionaries({"case_id": _case, "organisation": _org, "categories": _categories, "starts": _when, "until": _maybe, "ended_at": _maybe}),
    "hold": st.fixed_dictionaries({"case_id": _case, "organisation": _org, "starts": _when, "ended_at": _maybe}),
    "frozen": st.one_of(
        st.fixed_dictionaries({"case_id": _case, "country": st.none(), "starts": _when, "ended_at": _maybe}),
        st.fixed_dictionaries({"case_id": st.none(), "country": st.sampled_from(["IR", "TR"]), "starts": _when, "ended_at": _maybe}),
    ),
    "presentation": st.fixed_dictionaries({
        "case_id": _case, "organisation": _org, "categories": _categories, "status": st.sampled_from(["OPEN", "INVITED", "DECLINED"]), "presented_at": _when, "until": _when,
    }),
    "emergency": st.fixed_dictionaries({
        "case_id": _case, "organisation": _org, "categories": _categories, "asked_at": _when, "client": st.just("x"), "approved_at": _maybe,
    }).map(lambda row: {**row, "approver": row["approved_at"] and "y"}),
    "organisation": st.fixed_dictionaries({"code": st.just("late-comer"), "name": st.just("Late"), "kind": st.sampled_from(["SISTER", "CITY"]), "suspended_at": _maybe}),
}  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Any change to any row of the small world."""
    table = draw(st.sampled_from([*TABLES, *TABLES, "consent", "referral", "organisation"]))
    key = 3 if table == "organisation" else number(table, draw(st.integers(0, 2)))
    return Change(table, key, draw(st.one_of(st.none(), ROWS[table], ROWS[table], ROWS[table])))


async def small_world(admin: Any) -> None:
    """Put ICORN and one partner in; a third organisation comes and goes."""
    await admin.execute(
        "insert into organisation (code, name, kind) values ('icorn', 'ICORN', 'ICORN'), ('pen-centre', 'Northlight PEN Centre', 'SISTER'),"
        " ('late-comer', 'Late', 'CITY')"
    )


async def apply(connection: Any, change: Change) -> bool:
    """Make a change, unless the data forbid it; tell whether it was made."""
    sql, values = change.sql()
    try:
        async with connection.transaction():
            await connection.execute(sql, *values)
    except asyncpg.IntegrityConstraintViolationError:
        return False
    return True


_CATEGORIES: Final = ", ".join(c.lower() for c in CATEGORIES[1:])
_OF_CASE: Final = f"overview, {_CATEGORIES}, opened_on, updated_at, risk_level"
_OF_REFERRAL: Final = f"visible, {_CATEGORIES.removesuffix(', assessment')}, submitted_at, updated_at, urgency"
_STORED: Final = (
    f"""select r.organisation, r.case_id, {_OF_CASE}, pairwise(r.organisation, 'case', r.case_id), audit_name(r.organisation, pseudonym)
        from case_access_rule r join case_file c on c.id = r.case_id""",  # noqa: S608 our own names
    f"select organisation, case_id, {_OF_CASE}, pairwise, pseudonym from case_access",  # noqa: S608 as above
    f"""select r.organisation, r.referral_id, {_OF_REFERRAL}, pairwise(r.organisation, 'referral', r.referral_id), audit_name(r.organisation, pseudonym)
        from referral_access_rule r join referral f on f.id = r.referral_id""",  # noqa: S608 as above
    f"select organisation, referral_id, {_OF_REFERRAL}, pairwise, pseudonym from referral_access",  # noqa: S608 as above
)


_SHOWN = (
    """select a::text as row from case_access a join case_file f on f.id = a.case_id
       where (a.status, a.discipline, a.origin) is distinct from (f.status, f.discipline, f.origin)""",
    """select a::text as row from referral_access a join referral f on f.id = a.referral_id
       where (a.sender, a.recipient, a.status, a.discipline, a.origin, a.shared_categories, a.decline_reason, a.case_id)
         is distinct from (f.sender, f.recipient, f.status, f.discipline, f.origin, f.shared_categories, f.decline_reason, f.case_id)""",
)
"""What is shown of each row, where it is not what the case or referral itself says."""


async def stale(admin: Any) -> list[str]:
    """Give every row in which a stored table and its rule differ; [] when the tables are what the rule says."""
    case, cases, referral, referrals = _STORED
    found = []
    for one, other in ((case, cases), (cases, case), (referral, referrals), (referrals, referral)):
        rows = await admin.fetch(f"select x::text as row from ({one} except all {other}) x")  # noqa: S608 as above
        found += [row["row"] for row in rows]
    for shown in _SHOWN:
        found += [row["row"] for row in await admin.fetch(shown)]
    return found


async def disagreements(admin: Any, instants: Sequence[datetime] = INSTANTS) -> list[str]:
    """Compare what is stored with the rule in Python, for everybody, everything, at several instants."""
    tables = {t: [dict(r) for r in await admin.fetch(f"select * from {t}")] for t in FACTS}  # noqa: S608 our own names
    access = {(r["organisation"], r["case_id"]): r for r in await admin.fetch("select * from case_access")}
    parts = {(r["organisation"], r["referral_id"]): r for r in await admin.fetch("select * from referral_access")}
    found = []
    for at in instants:
        facts = Facts(tables, at)
        for org in (row["id"] for row in tables["organisation"]):
            for case in tables["case_file"]:
                row = access.get((org, case["id"]))
                for category in CATEGORIES:
                    stored = row is not None and _holds(row[category.lower()], at)
                    if stored != facts.sees(org, case, category):
                        found.append(f"{org} {category} at {at}: stored {stored}")
                    if row is not None and bases_at(row, category, at) != facts.bases(org, case, category):
                        found.append(f"{org} {category} at {at}: other bases are stored")
            for referral in tables["referral"]:
                row = parts.get((org, referral["id"]))
                stored = row is not None and _holds(row["visible"], at)
                if stored != bool(facts.parts(org, referral)):
                    found.append(f"{org} referral at {at}: stored {stored}")
                for category in ALL[1:]:
                    stored = row is not None and _holds(row[category.lower()], at)
                    if stored != facts.reads(org, referral, category):
                        found.append(f"{org} referred {category} at {at}: stored {stored}")
    return found


def bases_at(row: Any, category: str, at: datetime) -> set[str]:
    """Read the stored bases of a category at one instant."""
    steps = [
        bits for start, bits in zip(row["basis_from"], row["basis"], strict=True) if start.replace(tzinfo=UTC) <= at
    ]
    return set(bases(steps[-1] if steps else 0).get(category, ()))


def _holds(periods: Sequence[Any], at: datetime) -> bool:
    return any(
        (p.lower is None or p.lower <= at) and (p.upper is None or at < p.upper) for p in periods if not p.isempty
    )
