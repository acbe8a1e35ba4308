"""Raw SQL at the second wall: a peopled database, principals bound by hand, and what each may do to each table."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from tests.conftest import Database
from tests.population import populate
from tests.world import EVERY_SCOPE, World, build

PROOF: Final = b"\x07" * 32
WRITING: Final = (
    "feeds:manage",
    "access:manage",
    "cases:erase",
    "cases:write",
    "consents:write",
    "organisations:manage",
    "presentations:answer",
    "organisations:manage",
    "referrals:respond",
    "referrals:submit",
    "residencies:write",
)


@dataclass(frozen=True)
class Bound:
    """A principal as the hub binds it to a statement; `organisation` by code, or nobody."""

    organisation: str | None
    client: str = ""
    scopes: Sequence[str] = tuple(EVERY_SCOPE)


NOBODY: Final = Bound(None, "", ())
STRANGER: Final = Bound("nobodys-friend", "friend")
PEN: Final = Bound("pen-centre", "pen")
DESK: Final = Bound("icorn", "desk")
READER: Final = Bound("icorn", "desk", [scope for scope in EVERY_SCOPE if scope not in WRITING])


@dataclass
class Raw:
    """A database with a row in every table, and a connection as hub_app."""

    database: Database
    world: World
    app: Any
    tables: list[str]

    @asynccontextmanager
    async def bound(self, who: Bound) -> AsyncIterator[None]:
        """Bind a principal for one transaction, as a statement of the hub does, and undo whatever is done in it."""
        transaction = self.app.transaction()
        await transaction.start()
        try:
            organisation = str(self.world.organisations[who.organisation]) if who.organisation else ""
            values = (organisation, who.client, "", " ".join(who.scopes), PROOF.hex() if who.organisation else "")
            for name, value in zip(("organisation", "client", "user", "scopes", "proof"), values, strict=True):
                await self.app.execute("select set_config($1, $2, true)", f"hub.{name}", value)
            yield
        finally:
            await transaction.rollback()

    async def passes(self, sql: str, *arguments: Any) -> bool:
        """Tell whether a statement gets past the wall: it touches a row, or fails for a reason of the data."""
        savepoint = self.app.transaction()
        await savepoint.start()
        try:
            return not str(await self.app.execute(sql, *arguments)).endswith(" 0")
        except asyncpg.InsufficientPrivilegeError:
            return False
        except asyncpg.PostgresError:
            return True
        finally:
            await savepoint.rollback()

    async def seen(self, who: Bound) -> dict[str, int]:
        """Count what a principal sees in every table; tables it may not ask are left out, as are those it sees nothing of."""
        found = {}
        async with self.bound(who):
            for table in self.tables:
                if await self.app.fetchval("select has_any_column_privilege($1::text, 'SELECT')", f"hub.{table}"):
                    found[table] = await self.app.fetchval(f"select count(*) from {table}")  # noqa: S608 a table's name
        return {table: count for table, count in found.items() if count}

    async def rows(self, table: str) -> list[str]:
        """Give every row of a table, as JSON, as it would have to be inserted."""
        found = await self.world.admin.fetch(f"select to_jsonb(t)::text as row from {table} t")  # noqa: S608 a table's name
        return [row["row"] for row in found]

    async def columns(self, table: str, command: str = "") -> list[str]:
        """Name the columns that hub_app may write, or all that anybody may."""
        found = await self.world.admin.fetch(
            "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attidentity = ''"
            " and ($2 = '' or has_column_privilege('hub_app', attrelid, attnum, nullif($2, '')))",
            f"hub.{table}",
            command,
        )
        return [row["attname"] for row in found]

    async def may(self, who: Bound) -> set[tuple[str, str]]:
        """Try every write on every table, with rows that are there; give those that pass: {(table, command)}."""
        passed = set()
        for table in self.tables:
            inserted, updated = await self.columns(table, "INSERT"), await self.columns(table, "UPDATE")
            rows = await self.rows(table)
            async with self.bound(who):
                if inserted and [row for row in rows if await self.inserts(table, json.loads(row), inserted)]:
                    passed.add((table, "insert"))
                sets = ", ".join(f"{column} = {column}" for column in updated or await self.columns(table))
                if await self.passes(f"update {table} set {sets}"):  # noqa: S608 names of the catalogue
                    passed.add((table, "update"))
                if await self.passes(f"delete from {table}"):  # noqa: S608 a table's name
                    passed.add((table, "delete"))
        return passed

    async def inserts(self, table: str, row: dict[str, Any], columns: Sequence[str] | None = None) -> bool:
        """Tell whether a row gets past the wall when inserted."""
        named = ", ".join(columns or row)
        sql = f"insert into {table} ({named}) select {named} from jsonb_populate_record(null::{table}, $1::text::jsonb)"  # noqa: S608 our own names
        return await self.passes(sql, json.dumps(row))


@asynccontextmanager
async def peopled(database: Database) -> AsyncIterator[Raw]:
    """Fill a database with a row in every table."""
    async with build(database) as world:
        await populate(world)
        await world.organisation("nobodys-friend")
        await world.client("friend", "nobodys-friend")
        await _leavings(world)
        tables = await world.admin.fetch(
            "select relname from pg_class where relnamespace = 'hub'::regnamespace and relkind in ('r', 'p') and relname <> 'test_clock' order by 1"
        )
        yield Raw(database, world, await database.connect("hub_app"), [row["relname"] for row in tables])


async def _leavings(world: World) -> None:
    """Add what requests and the worker leave behind: an outcome, an event, audit records, proofs, what was revoked or refused."""
    icorn, now = world.organisations["icorn"], "2026-06-01T12:00:00Z"
    await world.insert("outcome", organisation=icorn, client="desk", usr="", key="k", mutation="openCase", input_digest=b"1", problems=[], at=now)  # fmt: skip
    await world.admin.execute("insert into event (kind, organisation, at) values ('case.opened', $1, hub_now())", icorn)
    await world.admin.execute(
        "with a as (insert into audit (organisation, client, action, operation, subjects, categories, proof)"
        " values ($1, 'desk', 'query case', '1', '{}', '{OVERVIEW}', $2) returning id)"
        ", l as (insert into audit_leaf (organisation, leaf_index, audit_id, entry, nodes) select $1, 0, id, '{}', array['\\x01'::bytea] from a)"
        ", h as (insert into audit_head values ($1, 1, '1', hub_now(), 'x')), k as (insert into audit_key values ('k', '1', '1', hub_now()))"
        ", z as (insert into audit_horizon (xid) values ('1'))"
        " insert into audit_event values ($1, $1, 0, 0, null, 0, hub_now(), 'x', gen_random_uuid(), 'desk', 'query', 'DONE', null, '{}')",
        icorn,
        b"\x01" * 32,
    )
    case, former = await world.admin.fetchval("select id from case_file order by id limit 1"), str(uuid.uuid4())
    await world.insert("case_decision", id=former, case_id=case, kind="SEALED", at=now, client="desk", reason=b"1")
    await world.insert("merged_case", former=former, kept=case)
    await world.insert("case_alias", organisation=icorn, former=former, pairwise=former, reference="C-0", kept=case, kept_pairwise=former, kept_reference="C-1")  # fmt: skip
    await world.admin.execute("update city set vacancies = vacancies")
    for code in ("icorn", "pen-centre"):
        webhook = uuid.uuid4()
        await world.insert("webhook", id=webhook, organisation=world.organisations[code], url="https://a.example/", events=[], purpose="AUDIT", created_at=now)  # fmt: skip
        await world.insert("webhook_secret", webhook_id=webhook, sealed=b"1", kek="1", wrapped=b"1")
    await world.insert("seen_proof", proof=b"\x01" * 32, until="2026-07-01T00:00:00Z", organisation=icorn)
    for client, organisation in (("desk", icorn), ("pen", world.organisations["pen-centre"])):
        await world.admin.execute(
            "insert into budget values ($1, 'COST', $2, 1, 1) on conflict do nothing", client, organisation
        )
    await world.admin.execute(
        "insert into trusted_document (client_id, digest, text, names) select client_id, sha256('x'), 'x', '{}' from client where client_id in ('desk', 'pen')"
    )
    await world.insert("frozen", id=str(uuid.uuid4()), case_id=None, country="XX", starts="2026-01-01T00:00:00Z")
    await world.insert("usr", id=str(uuid.uuid4()), organisation=icorn, roles=["ICORN_STAFF"], scopes=["cases:read"], status="ACTIVE", standing=0, email_digest=b"1" * 32, kek="1", wrapped=b"1", sealed=b"1")  # fmt: skip
    await world.insert("revoked_token", token_id="t", until="2026-07-01T00:00:00Z")
    await world.admin.execute("insert into key_epoch (name, made_at) values ('9', hub_now())")
    await world.admin.execute("insert into erasure (at, asked) values (hub_now(), true)")
    await world.insert("feed_erased", mark=b"\x01" * 32)
    feed = await world.admin.fetchval("select min(id) from feed")
    await world.admin.execute("insert into feed_quarantine (feed, reason, since, seen) values ($1, 'NO_ID', hub_now(), 1)", feed)  # fmt: skip
