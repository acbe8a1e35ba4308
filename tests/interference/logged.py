"""This module puts accesses into the audit logs of their organisations, as the worker would: the same leaves and heads in both worlds."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from hub.audit.head import HeadKeys
from hub.audit.sequence import Sequencer
from hub.postgres import open_pool
from tests.interference.facts import NOW, Access
from tests.interference.names import row_id
from tests.world import KEYRING, World

SECRET: Final = bytes(range(32))
"""The key that signs heads, the same in both worlds."""
OVERVIEW_BY_AGREEMENT: Final = 2


async def log(hub: World, accesses: Iterable[Access]) -> None:
    """Put accesses into the logs: the two that are sure to be there one by one, so that there are heads to compare."""
    key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(SECRET))
    key.ensure_kid()
    kek, wrapped = KEYRING.wrap(SECRET)
    await hub.insert("audit_key", kid=key.kid, kek=kek, wrapped=wrapped, created_at=NOW)
    ordered = sorted(accesses, key=lambda access: (access.id < 100, access.id))
    pool: Any = await open_pool(hub.database.dsn("hub_worker"), name="test", role="hub_worker", size=2)
    async with pool:
        for together in (ordered[:1], ordered[1:2], ordered[2:]):
            for access in together:
                await _record(hub, access)
            if together:
                await Sequencer(pool, HeadKeys(pool, KEYRING)).run()


async def _record(hub: World, access: Access) -> None:
    organisation, case = hub.organisations[access.organisation], row_id("pseudonym", access.case)
    named = await hub.admin.fetchval("select audit_name($1, $2)", organisation, case)
    await hub.insert(
        "audit", id=row_id("access", access.id), organisation=organisation, client=f"{access.organisation}-else", at=NOW, action="query cases",
        operation=bytes(32), purpose="PROTECTION", outcome="DONE", categories=["OVERVIEW"],
        subjects=[{"subject": str(named), "basis": OVERVIEW_BY_AGREEMENT}], proof=hashlib.sha256(str(access).encode()).digest(),
    )  # fmt: skip


NO_TRANSACTION = "create or replace function change_place() returns xid8 language sql stable return '5'::xid8"
"""Transactions are counted for all databases of a server together, so that two worlds never have the same: their numbers are left out."""
