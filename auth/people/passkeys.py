"""This module runs the ceremonies of WebAuthn (py_webauthn verifies) and keeps the passkeys that come of them."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import webauthn
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth.clock import Clock
from auth.database import Database
from auth.people import challenges
from auth.people.challenges import Challenges
from auth.people.person import Person
from auth.people.refusals import Refusal, RefusedError
from auth.people.seal import LABEL, UserSeal

MOST: Final = 20
"""How many passkeys one person may have."""
LONGEST_LABEL: Final = 60
SIGN_IN: Final = "sign in"
MAKE: Final = "make"
_ALGORITHMS: Final = [Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
_TIMEOUT: Final = challenges.LIFETIME * 1000
_HUB: Final = "The ICORN hub"

_KEY: Final = "select usr, public_key, sign_count from auth.passkey where credential_id = $1"
# The challenge is used up and the counter moved by one statement: of two that say the same, one finds nothing left.
_USE: Final = """
with pruned as (delete from auth.used_challenge where until < to_timestamp($4)),
fresh as (
    insert into auth.used_challenge (digest, until) values ($2, to_timestamp($4) + make_interval(secs => $5))
    on conflict do nothing returning true as yes
), counted as (
    update auth.passkey set sign_count = $3, used_at = date_trunc('hour', to_timestamp($4), 'UTC')
    from fresh where credential_id = $1 and (sign_count < $3 or sign_count = 0 and $3 = 0) returning true as yes
)
select (select yes from fresh) as fresh, (select yes from counted) as counted
"""
_ADD: Final = """
with fresh as (
    insert into auth.used_challenge (digest, until) values ($7, to_timestamp($8) + make_interval(secs => $9))
    on conflict do nothing returning true as yes
)
insert into auth.passkey (credential_id, usr, public_key, sign_count, transports, label, created_at)
select $1, $2, $3, $4, $5, $6, to_timestamp($8) from fresh
where (select count(*) from auth.passkey where usr = $2) < $10 returning true
"""
_LIST: Final = """
select p.credential_id, p.transports, p.label, p.created_at, p.used_at, u.kek, u.wrapped
from auth.passkey p join hub.usr u on u.id = p.usr where u.id = $1 order by p.created_at, p.credential_id
"""
# All of a person's passkeys are locked before they are counted: of two removals at once, the second counts what the first left.
_REMOVE: Final = """
with own as materialized (select credential_id from auth.passkey where usr = $1 order by credential_id for update)
delete from auth.passkey p using own where p.credential_id = own.credential_id and own.credential_id = $2
  and (select count(*) from own) > 1 returning true
"""
_USER_KEY: Final = "select kek, wrapped from hub.usr where id = $1"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    credential_id: bytes
    transports: tuple[str, ...]
    label: str = field(repr=False)
    created_at: Any
    used_at: Any

    @property
    def name(self) -> str:
        """Return its id as pages carry it."""
        return urlsafe_b64encode(self.credential_id).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was verified and is not stored yet."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    challenge: bytes


class Passkeys:
    """Ceremonies for one issuer: its host is the RP id, and it is the only origin that is believed."""

    def __init__(self, issuer: str, database: Database, seal: UserSeal, given: Challenges, clock: Clock) -> None:
        self._origin = issuer
        self._rp_id = urlsplit(issuer).hostname or ""
        self._database = database
        self._seal = seal
        self._challenges = given
        self._clock = clock

    def to_sign_in(self, holder: str, known: tuple[Passkey, ...] = ()) -> str:
        """Return what the browser asks passkeys for, as JSON: any of this hub's, or one of `known`."""
        return webauthn.options_to_json(
            webauthn.generate_authentication_options(
                rp_id=self._rp_id,
                challenge=self._challenges.issue(SIGN_IN, holder),
                timeout=_TIMEOUT,
                allow_credentials=_described(known),
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    def to_make(self, holder: str, user: str, name: str, known: tuple[Passkey, ...] = ()) -> str:
        """Return what the browser asks a device to make, as JSON: one that is found without naming its owner, unlike those known."""
        return webauthn.options_to_json(
            webauthn.generate_registration_options(
                rp_id=self._rp_id,
                rp_name=_HUB,
                user_id=UUID(user).bytes,
                user_name=name,
                user_display_name=name,
                challenge=self._challenges.issue(f"{MAKE} {user}", holder),
                timeout=_TIMEOUT,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    require_resident_key=True,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=_described(known),
                supported_pub_key_algs=_ALGORITHMS,
            )
        )

    async def user(self, credential: str, holder: str, again: Person | None = None) -> str:
        """Return who signed in, by what the browser sent; raise RefusedError. With `again`, it has to be that person."""
        given = _parsed(parse_authentication_credential_json, credential)
        challenge = self._signed(given, SIGN_IN, holder)
        row = await self._database.fetchrow(_KEY, given.raw_id)
        if row is None:
            raise RefusedError(Refusal.PASSKEY_UNKNOWN)
        user: UUID = row["usr"]
        if again is not None and str(user) != again.user:
            raise RefusedError(Refusal.OTHER_PERSON)
        # WebAuthn, 7.2, 6: who was not named beforehand is named by the passkey, and it has to be its owner.
        if given.response.user_handle != user.bytes and (again is None or given.response.user_handle):
            raise RefusedError(Refusal.BAD_CEREMONY)
        count = self._verified(given, challenge, row)
        used = await self._database.fetchrow(
            _USE, given.raw_id, challenges.digest(challenge), count, self._clock(), float(challenges.LIFETIME)
        )
        if not used["fresh"]:
            raise RefusedError(Refusal.CHALLENGE_USED)
        if not used["counted"]:
            raise RefusedError(Refusal.COUNTER_WENT_BACK)
        return str(user)

    def made(self, credential: str, holder: str, user: str) -> NewPasskey:
        """Return the passkey that a device made for a user, verified; raise RefusedError."""
        given = _parsed(parse_registration_credential_json, credential)
        challenge = self._signed(given, f"{MAKE} {user}", holder)
        try:
            verified = webauthn.verify_registration_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=_ALGORITHMS,
            )
        except Exception:  # noqa: BLE001 the library parses what anybody may send, and has no one error for it
            raise RefusedError(Refusal.BAD_CEREMONY) from None
        transports = tuple(transport.value for transport in given.response.transports or ())
        return NewPasskey(
            verified.credential_id, verified.credential_public_key, verified.sign_count, transports, challenge
        )

    async def add(self, person: Person, new: NewPasskey, label: str) -> None:
        """Store one more passkey of a person; raise RefusedError."""
        try:
            added = await self._database.fetchval(
                _ADD,
                new.credential_id,
                person.user,
                new.public_key,
                new.sign_count,
                list(new.transports),
                await self.label(person.user, label),
                challenges.digest(new.challenge),
                self._clock(),
                float(challenges.LIFETIME),
                MOST,
            )
        except asyncpg.UniqueViolationError:
            raise RefusedError(Refusal.BAD_CEREMONY) from None
        if not added:
            raise RefusedError(Refusal.CHALLENGE_USED)

    async def of(self, user: str) -> tuple[Passkey, ...]:
        """Return a user's passkeys, oldest first."""
        rows = await self._database.fetch(_LIST, user)
        return tuple(
            Passkey(
                row["credential_id"],
                tuple(row["transports"]),
                self._seal.open(self._seal.key(row["kek"], row["wrapped"]), user, LABEL, row["label"]).decode(),
                row["created_at"],
                row["used_at"],
            )
            for row in rows
        )

    async def remove(self, person: Person, credential_id: bytes) -> bool:
        """Remove a passkey of a person, but never the last one; tell whether it was done."""
        return bool(await self._database.fetchval(_REMOVE, person.user, credential_id))

    async def label(self, user: str, label: str) -> bytes:
        """Seal what a user calls a passkey."""
        row = await self._database.fetchrow(_USER_KEY, user)
        words = " ".join("".join(c if c.isprintable() else " " for c in label).split())[:LONGEST_LABEL]
        return self._seal.seal(self._seal.key(row["kek"], row["wrapped"]), user, LABEL, (words or "A passkey").encode())

    def _signed(self, given: AuthenticationCredential | RegistrationCredential, purpose: str, holder: str) -> bytes:
        """Return the challenge that was signed, if it is one of ours, for this purpose and this browser."""
        try:
            data = parse_client_data_json(given.response.client_data_json)
        except Exception:  # noqa: BLE001 as above
            raise RefusedError(Refusal.BAD_CEREMONY) from None
        if data.cross_origin:
            raise RefusedError(Refusal.BAD_CEREMONY)
        if not self._challenges.fits(data.challenge, purpose, holder):
            raise RefusedError(Refusal.BAD_CHALLENGE)
        return data.challenge

    def _verified(self, given: AuthenticationCredential, challenge: bytes, row: Any) -> int:
        """Return the counter that a passkey signed, once everything but its rise has been verified: that is for Postgres to see."""
        try:
            return webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=0,
                require_user_verification=True,
            ).new_sign_count
        except Exception:  # noqa: BLE001 as above
            raise RefusedError(Refusal.BAD_CEREMONY) from None


def _parsed(parse: Any, credential: str) -> Any:
    try:
        return parse(credential)
    except Exception:  # noqa: BLE001 as above
        raise RefusedError(Refusal.BAD_CEREMONY) from None


def _described(known: tuple[Passkey, ...]) -> list[PublicKeyCredentialDescriptor] | None:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[AuthenticatorTransport(name) for name in passkey.transports] or None
        )
        for passkey in known
    ] or None
