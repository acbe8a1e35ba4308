"""This module sets up the world to measure in: a PostgreSQL of its own, filled fast, and a partner with a real key."""

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
PARTNER = "org-3"
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "2GB", "max_locks_per_transaction": "256"}


@dataclass(frozen=True)
class Partner:
    """Who asks: its key, and what the hub knows it as."""

    organisation: int
    client_id: str
    private_jwk: dict[str, Any]


async def fill(server: Server, keyring: Keyring) -> Partner:
    """Migrate, load the world, seal what the partner may read of people, and register the partner."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute(f"create database {DATABASE}")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, DATABASE))
    await migrate(server.dsn("hub_migrate", DATABASE))
    admin = await connect(server.dsn(ADMIN, DATABASE), name="bench", role=ADMIN)
    try:
        await admin.execute("insert into organisation (code, name, kind) values ('icorn', 'ICORN', 'ICORN')")
        await admin.execute(
            "insert into organisation (code, name, kind) select 'org-' || i, 'Organisation ' || i, 'SISTER' from generate_series(1, 39) i"
        )
        await admin.execute((Path(__file__).parent / "world.sql").read_text())
        organisation = await admin.fetchval("select id from organisation where code = $1", PARTNER)
        await seal(admin, keyring, organisation)
        await admin.execute("vacuum analyze")
        key = ECKey.generate_key("P-256")
        await register_client(
            admin, organisation=organisation, client_id="bench", name="Bench", scopes=[str(s) for s in Scope],
            jwks={"keys": [key.as_dict(private=False, kid="1")]}, purpose="PROTECTION",
            limits={"cost_per_minute": 10**12, "concurrency": 100},
        )  # fmt: skip
        return Partner(organisation, "bench", dict(key.as_dict(private=True, kid="1")))
    finally:
        await admin.close()


async def seal(admin: Any, keyring: Keyring, organisation: int) -> None:
    """Give every case the partner may see a sealed identity of about the length real ones have."""
    sealing = Sealing(keyring)
    cases = await admin.fetch(
        "select case_id from case_access where organisation = $1 and not isempty(identity)", organisation
    )
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
