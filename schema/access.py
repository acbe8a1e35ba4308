"""This module holds who acts for an organisation: its clients, known by their public keys, and its people."""

import strawberry

from auth.scopes import Scope
from schema.enums import AccessStatus, Role
from schema.fields import SealedText, Where, column, given, noun, source
from schema.nodes import Node
from schema.rows import CLIENT, USER, USER_CARD
from schema.scalars import JSON, DateTime


@noun(
    Scope.ACCESS_MANAGE,
    rows=CLIENT,
    places={"client": Where("{row}.client_id = {value}::text", "client:client")},
    description="A program that asks for an organisation: the hub knows its public keys, and no secret of it.",
)
class Client(Node):
    """A program that asks for an organisation."""

    id: strawberry.ID = column("'client_' || {row}.client_id")
    client_id: str = column("client_id", description="The `iss` and `sub` of its assertions.")
    name: str = column("name")
    scopes: list[str] = column(
        "scopes", description="What it may ever do; its tokens have less while agreements allow less."
    )
    status: AccessStatus = column("status")
    jwks: JSON = column("viewer_reads_keys({row}.client_id)")
    created_at: DateTime = column("created_at")
    last_used_at: DateTime | None = column("last_used_at", description="When it last got a token, to the hour.")


@noun(
    Scope.ACCESS_MANAGE,
    rows=USER,
    places={"user": Where("{row}.usr = {value}::uuid", "uuid:user")},
    description="Somebody who signs in for an organisation. INVITED until they have made a passkey.",
)
class User(Node):
    """Somebody who signs in for an organisation."""

    id: strawberry.ID = column("'user_' || {row}.usr")
    email: str = source(SealedText(USER_CARD, "CARD", "email"))
    name: str = source(SealedText(USER_CARD, "CARD", "name"))
    roles: list[Role] = column("roles")
    scopes: list[str] = column("scopes")
    status: AccessStatus = column("status")
    last_seen_at: DateTime | None = column("last_seen_at", description="To the hour.")


@strawberry.input
class CreateClientInput:
    """A program by its public keys (RFC 7517), as `hub keygen` prints them; the hub names it."""

    idempotency_key: str
    organisation: strawberry.ID
    name: str
    scopes: list[str]
    jwks: JSON


@strawberry.input
class UpdateClientInput:
    """What changes of a client, at once. To change its key, add the new one first, and take the old one away when the new one is in use."""

    idempotency_key: str
    client: strawberry.ID
    name: str | None = given()
    scopes: list[str] | None = given()
    jwks: JSON | None = given()


@strawberry.input
class DisableClientInput:
    """An end to a client and to its tokens, for good. The reason is asked so that nobody does it unasked, and kept nowhere."""

    idempotency_key: str
    client: strawberry.ID
    reason: str


@strawberry.input
class InviteUserInput:
    """Somebody to let in; nothing is sent. Whoever was invited and has not come yet gets a new invitation, and what is said of them now."""

    idempotency_key: str
    organisation: strawberry.ID
    email: str
    name: str
    roles: list[Role]
    scopes: list[str]


@strawberry.input
class UpdateUserInput:
    """What changes of a user, at once."""

    idempotency_key: str
    user: strawberry.ID
    name: str | None = given()
    roles: list[Role] | None = given()
    scopes: list[str] | None = given()


@strawberry.input
class DisableUserInput:
    """An end to a user, with sessions and tokens, for good. The reason is asked so that nobody does it unasked, and kept nowhere."""

    idempotency_key: str
    user: strawberry.ID
    reason: str
