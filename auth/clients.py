"""This module finds and registers OAuth clients: confidential ones only, known by their public keys."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import asyncpg
import msgspec
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth import jwk as keys
from auth import redirects
from auth.database import Database
from auth.limits import Limits
from auth.limits import problems as limit_problems
from auth.purposes import Purpose
from auth.refusals import Reason
from auth.scopes import scope_problems

_CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")
_LONGEST_NAME = 200
_PEOPLES_GRANTS = ("authorization_code", "refresh_token")

_FIND = """
select c.client_id, c.organisation, hub.scope_ceiling(c.organisation, c.scopes) as scopes, c.purpose, c.documents_only, c.text_in_urls, k.jwks::text as jwks,
    jsonb_strip_nulls(to_jsonb(l) - 'client_id')::text as limits,
    c.status = 'ACTIVE' as active, o.suspended_at is not null as suspended,
    coalesce(s.redirect_uris, '{}') as redirect_uris, coalesce(s.introspects, false) and o.kind = 'ICORN' as introspects
from hub.client c
join hub.organisation o on o.id = c.organisation
join auth.client_key k on k.client_id = c.client_id
left join hub.client_limit l on l.client_id = c.client_id
left join auth.client_use s on s.client_id = c.client_id
where c.client_id = $1
"""
_TAKEN = """
select exists (select from hub.client where client_id = $1) as client_taken,
       exists (select from hub.organisation where id = $2) as organisation_known
"""
_REGISTER = """
with registered as (
    insert into hub.client (client_id, organisation, name, scopes, purpose, status)
    values ($1, $2, $3, $4, $5, 'ACTIVE')
), limited as (
    insert into hub.client_limit select l.* from jsonb_populate_record(
        null::hub.client_limit, $7::text::jsonb || jsonb_build_object('client_id', $1::text)) l where $7::text <> '{}'
)
insert into auth.client_key (client_id, jwks) values ($1, $6::text::jsonb)
"""

_SET = """
update hub.client set documents_only = coalesce($2, documents_only), text_in_urls = coalesce($3, text_in_urls)
where client_id = $1 returning client_id
"""

_USE = """
insert into auth.client_use (client_id, redirect_uris, introspects) values ($1, $2, $3)
on conflict (client_id) do update set redirect_uris = excluded.redirect_uris, introspects = excluded.introspects
"""


@cache
def decoys() -> tuple[Mapping[str, Any], ...]:
    """Return one public key for each algorithm, whose private part was thrown away.

    An unknown client is verified against these, so that "no such client" takes the same work as "wrong key".
    """
    made = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)
    return tuple(key.as_dict(private=False) for key in made)


@dataclass(frozen=True, slots=True)
class Client:
    """A client as the authorization server sees it; one that is unknown or barred has no organisation and no keys."""

    client_id: str
    organisation: int | None
    scopes: frozenset[str] = frozenset()
    purpose: str | None = None
    jwks: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    limits: Limits | None = None
    barred: Reason | None = None
    documents_only: bool = False
    text_in_urls: bool = False
    redirect_uris: tuple[str, ...] = ()
    introspects: bool = False
    """Whether it is a resource server of ICORN, which may ask what a token is worth."""

    def has_key(self, kid: str | None, algorithm: str) -> bool:
        """Tell whether one key of its own is meant."""
        return len(self._fitting(kid, algorithm)) == 1

    def key(self, kid: str | None, algorithm: str) -> keys.PublicKey:
        """Return the key to verify a signature with; a decoy that verifies nothing, if there is none.

        Without a kid, a client that has one key for the algorithm means that one.
        """
        fitting = self._fitting(kid, algorithm)
        chosen = fitting[0] if len(fitting) == 1 else next(jwk for jwk in decoys() if keys.fits(jwk, algorithm))
        return keys.public_key(chosen)

    def _fitting(self, kid: str | None, algorithm: str) -> list[Mapping[str, Any]]:
        return [jwk for jwk in self.jwks if keys.fits(jwk, algorithm) and kid in (None, jwk["kid"])]

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Tell Authlib how this client authenticates: by its private key, everywhere."""
        return method == "private_key_jwt"

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell Authlib which grants this client may use.

        An app that people use acts for them alone: with its key, and no person, nobody gets anywhere.
        """
        return grant_type in _PEOPLES_GRANTS if self.redirect_uris else grant_type == "client_credentials"


async def find(database: Database, client_id: str) -> Client:
    """Return the client if it and its organisation are live, else one that no key fits; one query whatever the cause."""
    row = await database.fetchrow(_FIND, client_id if _CLIENT_ID.fullmatch(client_id) else "")
    if row is None:
        return Client(client_id, None)
    if row["suspended"] or not row["active"]:
        barred = Reason.ORGANISATION_SUSPENDED if row["suspended"] else Reason.CLIENT_DISABLED
        return Client(row["client_id"], None, barred=barred)
    jwks = tuple(msgspec.json.decode(row["jwks"])["keys"])
    limits = None if row["limits"] is None else msgspec.json.decode(row["limits"], type=Limits)
    return Client(
        row["client_id"],
        row["organisation"],
        frozenset(row["scopes"]),
        row["purpose"],
        jwks,
        limits,
        documents_only=row["documents_only"],
        text_in_urls=row["text_in_urls"],
        redirect_uris=tuple(row["redirect_uris"]),
        introspects=row["introspects"],
    )


async def set_client(
    connection: Database, client_id: str, *, documents_only: bool | None = None, text_in_urls: bool | None = None
) -> bool:
    """Change how a client may ask; None leaves a setting as it is. Tell whether there is such a client."""
    return await connection.fetchval(_SET, client_id, documents_only, text_in_urls) is not None


class RegistrationRefusedError(ValueError):
    """The client cannot be registered; `problems` lists every reason, each naming its field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


async def register_client(
    connection: Database,
    *,
    organisation: int,
    client_id: str,
    name: str,
    scopes: Collection[str],
    jwks: Mapping[str, Any],
    purpose: str | None,
    limits: Mapping[str, int] | None = None,
) -> None:
    """Register an active client with its public keys, and limits where they are its own; raise RegistrationRefusedError, listing all problems at once."""
    problems = _problems(client_id, name, scopes, purpose) + keys.problems(jwks) + limit_problems(limits or {})
    row = client_id if _CLIENT_ID.fullmatch(client_id) else "", organisation if 0 < organisation < 2**31 else 0
    taken = await connection.fetchrow(_TAKEN, *row)
    if taken["client_taken"]:
        problems.append("client_id: is taken: a client of this name is registered")
    if not taken["organisation_known"]:
        problems.append("organisation: does not exist")
    if problems:
        raise RegistrationRefusedError(problems)
    document = msgspec.json.encode({"keys": list(jwks["keys"])}).decode()
    granted = sorted({str(scope) for scope in scopes})
    own = msgspec.json.encode(limits or {}).decode()
    why = str(purpose) if purpose is not None else None
    try:
        await connection.execute(_REGISTER, client_id, organisation, name, granted, why, document, own)
    except asyncpg.UniqueViolationError:
        raise RegistrationRefusedError(["client_id: is taken: a client of this name is registered"]) from None


async def set_use(
    connection: Database, client_id: str, *, redirect_uris: Sequence[str] = (), introspects: bool = False
) -> None:
    """Say where a registered client may send people back to, and whether it may introspect; raise RegistrationRefusedError."""
    if found := redirects.problems(redirect_uris):
        raise RegistrationRefusedError(found)
    await connection.execute(_USE, client_id, list(redirect_uris), introspects)


def name_problems(name: str) -> list[str]:
    """Say what is wrong with what a client is called."""
    good = 1 <= len(name.strip()) <= _LONGEST_NAME and name.isprintable()
    return [] if good else [f"name: 1 to {_LONGEST_NAME} printable characters"]


def _problems(client_id: str, name: str, scopes: Collection[str], purpose: str | None) -> list[str]:
    problems = []
    if not _CLIENT_ID.fullmatch(client_id):
        problems.append("client_id: 3 to 64 characters of a-z, 0-9, dot, dash and underscore")
    problems += name_problems(name) + scope_problems(scopes)
    if purpose is not None and purpose not in set(Purpose):
        problems.append(f"purpose: one of {', '.join(Purpose)}")
    return problems
