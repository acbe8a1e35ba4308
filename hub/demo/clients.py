"""This module gives the demonstration its clients: six with different rights, their private keys in one file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, JWKRegistry

from auth.clients import register_client
from auth.purposes import Purpose
from auth.scopes import Scope

PARTNER = (
    Scope.CASES_READ, Scope.CASES_PROFILE, Scope.REFERRALS_READ, Scope.REFERRALS_SUBMIT, Scope.REFERRALS_RESPOND,
    Scope.RESIDENCIES_READ, Scope.CONSENTS_READ, Scope.FEEDS_READ, Scope.CHANGES_READ,
)  # fmt: skip
"""What both sister organisations may do."""


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client of the demonstration."""

    name: str
    organisation: str
    kind: str
    title: str
    scopes: tuple[Scope, ...]
    purpose: Purpose


CLIENTS = (
    DemoClient("icorn-desk", "icorn", "ICORN", "ICORN's desk", tuple(Scope), Purpose.PROTECTION),
    DemoClient("icorn-stats", "icorn", "ICORN", "ICORN's statistics", (Scope.STATISTICS_READ,), Purpose.STATISTICS),
    DemoClient(
        "pen-centre", "pen-centre", "SISTER", "Northlight's case system",
        (*PARTNER, Scope.CASES_IDENTITY, Scope.CASES_CONTACT, Scope.CONSENTS_WRITE, Scope.CASES_EMERGENCY, Scope.AUDIT_READ), Purpose.REFERRAL,
    ),
    DemoClient("arts-haven", "arts-haven", "SISTER", "Arts Haven's desk", PARTNER, Purpose.REFERRAL),
    DemoClient("pen-readonly", "pen-centre", "SISTER", "Northlight's reading room", (Scope.CASES_READ,), Purpose.PROTECTION),
    DemoClient(
        "harbour-city", "harbour-city", "CITY", "Harbour City's coordinator",
        (Scope.CASES_READ, Scope.CASES_PROFILE, Scope.PRESENTATIONS_READ, Scope.PRESENTATIONS_ANSWER, Scope.RESIDENCIES_READ,
         Scope.RESIDENCIES_WRITE, Scope.REFERRALS_READ), Purpose.RELOCATION,
    ),
)  # fmt: skip


async def ensure_clients(admin: Any, file: Path, issuer: str) -> list[dict[str, Any]]:
    """Register the clients with the keys of `file`, or with new ones, and write it anew (0600); return its entries."""
    kept = _kept(file)
    entries = []
    for client in CLIENTS:
        key = kept.get(client.name) or ECKey.generate_key("P-256").as_dict(private=True, kid=f"{client.name}-1")
        await _ensure(admin, client, _public(key))
        entries.append(
            {
                "name": client.name,
                "organisation": client.organisation,
                "kind": client.kind,
                "client_id": client.name,
                "scopes": [str(scope) for scope in client.scopes],
                "private_jwk": key,
                "token_url": f"{issuer}/oauth/token",
                "graphql_url": f"{issuer}/graphql",
                "issuer": issuer,
            }
        )
    _write(file, json.dumps(entries, indent=2))
    return entries


async def _ensure(admin: Any, client: DemoClient, public: dict[str, Any]) -> None:
    organisation = await admin.fetchval("select id from organisation where code = $1", client.organisation)
    known = await admin.fetchval("select true from client where client_id = $1", client.name)
    if not known:
        await register_client(
            admin,
            organisation=organisation,
            client_id=client.name,
            name=client.title,
            scopes=client.scopes,
            jwks={"keys": [public]},
            purpose=client.purpose,
        )
        return
    scopes = [str(scope) for scope in client.scopes]
    await admin.execute(
        "update client set scopes = $2, purpose = $3 where client_id = $1", client.name, scopes, client.purpose
    )
    keys = json.dumps({"keys": [public]})
    await admin.execute("update auth.client_key set jwks = $2::text::jsonb where client_id = $1", client.name, keys)


def _public(key: dict[str, Any]) -> dict[str, Any]:
    return JWKRegistry.import_key(key).as_dict(private=False)


def _kept(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return {entry["name"]: entry["private_jwk"] for entry in json.loads(file.read_text())}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(file: Path, text: str) -> None:
    """Put a file in place whole, readable by its owner alone."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text + "\n")
    new.replace(file)
