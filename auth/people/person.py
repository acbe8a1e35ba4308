"""This module says who is signed in: what the rest of the authorization server may know of a person."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Role(StrEnum):
    """What somebody is within an organisation; what they may ask for is their scopes' matter."""

    called: str

    def __new__(cls, value: str, title: str) -> Self:
        """Make the role a plain string that carries what people call it."""
        role = str.__new__(cls, value)
        role._value_ = value
        role.called = title
        return role

    PARTNER_ADMIN = "PARTNER_ADMIN", "admin"
    PARTNER_STAFF = "PARTNER_STAFF", "staff"
    ICORN_STAFF = "ICORN_STAFF", "ICORN staff"
    ICORN_ADMIN = "ICORN_ADMIN", "ICORN admin"


CALLED = {str(role): role.called for role in Role}
ADMINS = frozenset({Role.PARTNER_ADMIN, Role.ICORN_ADMIN})
ICORN_ROLES = frozenset({Role.ICORN_STAFF, Role.ICORN_ADMIN})


def account(name: str, organisation: str) -> str:
    """Name an account as devices show it.

    >>> account("Sara", "PEN Centre")
    'Sara (PEN Centre)'
    """
    return f"{name} ({organisation})"


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
    organisation_name: str = ""
    means: str = "PASSKEY"
    """PASSKEY, which no phishing page can use, or PROVIDER: whatever the organisation's own sign-in asks for."""

    @property
    def is_admin(self) -> bool:
        """Tell whether the person looks after the people of the organisation."""
        return not ADMINS.isdisjoint(self.roles)

    @property
    def account(self) -> str:
        """Return what a device shows, to tell this account from others of the same person."""
        return account(self.name, self.organisation_name)

    @property
    def position(self) -> str:
        """Say what the person is, as people call it."""
        return ", ".join(CALLED[role] for role in sorted(self.roles))
