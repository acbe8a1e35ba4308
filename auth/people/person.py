"""This module says who is signed in: what the rest of the authorization server may know of a person."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Role(StrEnum):
    """What somebody is within an organisation; what they may ask for is their scopes' matter."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        """Make the role a plain string that carries its description."""
        role = str.__new__(cls, value)
        role._value_ = value
        role.description = description
        return role

    PARTNER_ADMIN = "PARTNER_ADMIN", "Looks after the people and clients of a partner organisation."
    PARTNER_STAFF = "PARTNER_STAFF", "Works at a partner organisation."
    ICORN_STAFF = "ICORN_STAFF", "Works at ICORN."
    ICORN_ADMIN = "ICORN_ADMIN", "Looks after ICORN's people, and helps partners that have one admin or none."


ADMINS = frozenset({Role.PARTNER_ADMIN, Role.ICORN_ADMIN})
ICORN_ROLES = frozenset({Role.ICORN_STAFF, Role.ICORN_ADMIN})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, active, and of an organisation in good standing, as of this request."""

    user: str
    """The user's id, a UUID: the `sub` of tokens."""
    organisation: int
    scopes: frozenset[str]
    """What the person may ever do: a token has no scope beyond these."""
    roles: frozenset[str]
    name: str = field(repr=False)
    authenticated_at: int
    """When the person last showed a passkey, in Unix seconds (`auth_time`)."""
    session: bytes = field(default=b"", repr=False)
    """The digest that the session is known by."""

    @property
    def is_admin(self) -> bool:
        """Tell whether the person looks after the people of the organisation."""
        return not ADMINS.isdisjoint(self.roles)
