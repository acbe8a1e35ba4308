"""This module sets up the world to measure in: a PostgreSQL of its own, filled fast, and partners with real keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import ECKey

from auth.clients import register_client
from auth.keyring import Keyring
from auth.scopes import Scope
from hub.embedded import ADMIN, Server
from hub.migrate import ensure_roles, migrate
from hub.postgres import connect
from hub.sealing import Sealing

DATABASE = "bench"
CASES, REFERRALS, ORGANISATIONS = 20_000, 60_000, 40
PARTNERS = """
select distinct on (g.origins) g.organisation from agreement g join organisation o on o.id = g.organisation
where o.kind = 'SISTER' order by g.origins, g.organisation
"""
"""Twenty, each the sender of the referrals of the cases that its agreement opens: all see the same amount, and each something else."""
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "2GB", "max_locks_per_transaction": "256"}


@dataclass(frozen=True)
class Partner:
    """Who asks: its key, and what the hub knows it as."""

    organisation: int
    client_id: str
    private_jwk: dict[str, Any]


async def fill(server: Server, keyring: Keyring) -> list[Partner]:
    """Migrate, load the world, seal what the partners may read of people, and register the partners."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute(f"create database {DATABASE}")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, DATABASE))
    await migrate(server.dsn("hub_migrate", DATABASE))
    admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
    try:
        await people(admin, CASES, REFERRALS, ORGANISATIONS)
        await seal(admin, keyring)
        await admin.execute("vacuum analyze")
        return [await register(admin, row["organisation"]) for row in await admin.fetch(PARTNERS)]
    finally:
        await admin.close()


async def people(admin: Any, cases: int, referrals: int, organisations: int) -> None:
    """Put a world into an empty database: ICORN is organisation 1, the partners come after it."""
    await admin.execute("insert into organisation (code, name, kind) values ('icorn', 'ICORN', 'ICORN')")
    await admin.execute(
        "insert into organisation (code, name, kind) select 'org-' || i, 'Organisation ' || i, 'SISTER' from generate_series(1, $1::int) i",
        organisations - 1,
    )
    await admin.execute((Path(__file__).parent / "world.sql").read_text().format(cases=cases, referrals=referrals))


async def register(admin: Any, organisation: int) -> Partner:
    """Make a partner's client, whose limits are never what is measured."""
    key, client = ECKey.generate_key("P-256"), f"bench-{organisation}"
    await register_client(
        admin, organisation=organisation, client_id=client, name="Bench", scopes=[str(s) for s in Scope],
        jwks={"keys": [key.as_dict(private=False, kid="1")]}, purpose="PROTECTION",
        limits={"cost_per_minute": 10**12, "concurrency": 100},
    )  # fmt: skip
    return Partner(organisation, client, dict(key.as_dict(private=True, kid="1")))


async def seal(admin: Any, keyring: Keyring) -> None:
    """Give every case a sealed identity of about the length real ones have."""
    sealing = Sealing(keyring)
    cases = await admin.fetch("select id from case_file")
    keys, documents = [], []
    for number, (case,) in enumerate(cases):
        key = sealing.new_key()
        document = {
            "givenName": f"Given {number}",
            "familyName": f"Family {number}",
            "bornOn": "1980-01-01",
            "pseudonyms": ["N. N."],
            "nationalities": ["AA"],
        }
        keys.append((case, key.kek, key.wrapped))
        documents.append((case, sealing.seal(key.plain, f"case:{case}", "IDENTITY", 1, msgspec.json.encode(document))))
    await admin.executemany("insert into case_key (case_id, kek, wrapped) values ($1, $2, $3)", keys)
    await admin.executemany("insert into case_identity (case_id, sealed) values ($1, $2)", documents)
