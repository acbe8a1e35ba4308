"""This module is what a command works with: who asks, one transaction bound to them, and the problems found on the way."""

import hashlib
import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from auth.people import People
from auth.principal import Principal
from connectors.addresses import AllowedHosts
from hub.engine.parameters import split_id
from hub.sealing import Sealing

Input = dict[str, Any]
WRITTEN: Final = "INSERT 0 1"
"""What Postgres says when ON CONFLICT DO NOTHING had something to do."""

CASE: Final = (
    "select a.case_id from case_access a join case_file f on f.id = a.case_id"
    " where a.organisation = $1 and a.overview @> hub_now() and viewer_has('cases:read') and a.pairwise = coalesce("
    "(select l.kept_pairwise from case_alias l where l.organisation = $1 and l.pairwise = $2::text::uuid), $2::text::uuid)"
)
"""A case by a name that an organisation knows it by, within what it may see and the token's scopes: the first wall of commands."""
CASE_KEY: Final = "select kek, wrapped from case_key where case_id = $1"


class ProblemsError(Exception):
    """Expected trouble with an input: everything found, each beside its field. Nothing was changed."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        super().__init__("The input has problems.")
        self.found = found


@dataclass
class Problems:
    """What is wrong with an input, gathered so that all of it is said at once."""

    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, code: str, message: str, *path: str | int) -> None:
        """Note one problem; `path` leads from the mutation's arguments to the field."""
        self.found.append({"code": code, "message": message, "path": ["input", *map(str, path)]})

    def settle(self) -> None:
        """Stop here if anything was found."""
        if self.found:
            raise ProblemsError(self.found)


@contextmanager
def problems() -> Iterator[Problems]:
    """Gather problems over a block, and stop at its end if there were any."""
    found = Problems()
    yield found
    found.settle()


@dataclass(frozen=True)
class Made:
    """What a command made, with what its answer tells this once: nothing keeps that."""

    subject: uuid.UUID | str
    told: str = field(repr=False)


@dataclass(frozen=True)
class Organisation:
    """An organisation named in an input."""

    id: int
    code: str
    kind: str
    name: str


@dataclass(frozen=True)
class Asker:
    """Who asks, and the transaction that is bound to them; row policies hold for everything done in it."""

    connection: Any
    principal: Principal
    sealing: Sealing
    people: People
    index_key: bytes = field(repr=False)
    seed: bytes = field(repr=False)
    """A keyed digest of who asks and their idempotency key: what is made anew is named from it."""
    private_hosts: AllowedHosts = frozenset()
    """Addresses inside that may nevertheless be named."""

    def new_id(self, what: str) -> uuid.UUID:
        """Name something this command makes: unguessable, and the same for a retry of the same command."""
        return uuid.UUID(bytes=self.secret(what)[:16])

    def secret(self, what: str) -> bytes:
        """Make 256 bits that nobody else can make."""
        return hmac.digest(self.seed, what.encode(), hashlib.sha256)

    async def is_icorn(self) -> bool:
        """Tell whether ICORN itself asks."""
        return bool(await self.connection.fetchval("select viewer_is_icorn()"))

    async def organisation(self, identifier: str) -> Organisation | None:
        """Find an organisation by its id; names are public."""
        row = await self.connection.fetchrow(
            "select id, code, kind::text, name from organisation where code = $1",
            split_id(identifier, "key:organisation"),
        )
        return Organisation(*row) if row else None

    async def icorn(self) -> Organisation:
        """Give ICORN."""
        row = await self.connection.fetchrow("select id, code, kind::text, name from organisation where kind = 'ICORN'")
        return Organisation(*row)

    async def case(self, identifier: str) -> uuid.UUID | None:
        """Find a case the asker may see, as it is once nobody else is deciding about it; one that it may not see is not there."""
        seen = await self.seen_case(identifier)
        if seen is None:
            return None
        await self.alone(seen)
        return await self.seen_case(identifier)

    async def seen_case(self, identifier: str) -> uuid.UUID | None:
        """Find a case the asker may see, whoever is deciding about it."""
        found: uuid.UUID | None = await self.connection.fetchval(
            CASE,
            self.principal.organisation,
            split_id(identifier, "uuid:case"),
        )
        return found

    async def alone(self, *subjects: uuid.UUID | str) -> None:
        """Wait for whoever is deciding about the same things, and keep others waiting until this command is done."""
        for subject in sorted(map(str, subjects)):
            await self.connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 3))", subject)

    async def referral(self, identifier: str) -> Any:
        """Find a referral the asker takes part in, as it is once nobody else is deciding about it."""
        seen = await self._referral(identifier)
        if seen is None:
            return None
        await self.alone(seen["id"])
        return await self._referral(identifier)

    async def _referral(self, identifier: str) -> Any:
        return await self.connection.fetchrow(
            "select f.* from referral_access a join referral f on f.id = a.referral_id"
            " where a.organisation = $1 and a.pairwise = $2::text::uuid and a.visible @> hub_now() and viewer_has('referrals:read')",
            self.principal.organisation,
            split_id(identifier, "uuid:referral"),
        )

    async def case_key(self, case: uuid.UUID) -> bytes:
        """Unwrap the data key of a case the asker may see."""
        row = await self.connection.fetchrow(CASE_KEY, case)
        return self.sealing.key(row["kek"], row["wrapped"])

    async def referral_key(self, referral: uuid.UUID) -> bytes:
        """Unwrap the data key of a referral the asker takes part in."""
        row = await self.connection.fetchrow("select kek, wrapped from referral_key where referral_id = $1", referral)
        return self.sealing.key(row["kek"], row["wrapped"])

    async def tell(
        self,
        kind: str,
        *,
        referral: uuid.UUID | None = None,
        case: uuid.UUID | None = None,
        retraction: uuid.UUID | None = None,
        agreement: uuid.UUID | None = None,
    ) -> None:
        """Put a thin event into the outbox, in this very transaction."""
        await self.connection.execute(
            "insert into event (kind, organisation, referral_id, case_id, retraction_id, agreement_id, at) values ($1, $2, $3, $4, $5, $6, hub_now())",
            kind,
            self.principal.organisation,
            referral,
            case,
            retraction,
            agreement,
        )


def sealed_text(sealing: Sealing, key: bytes, subject: str, name: str, text: str | None) -> bytes | None:
    """Seal a text written by a person under the key of what it is about."""
    return None if text is None else sealing.seal(key, subject, name, 1, text.encode())
