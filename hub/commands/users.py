"""This module changes an organisation's people: by its own admins, and by ICORN's. Nobody is let in but by their own passkey."""

import uuid
from typing import Any

import msgspec

from auth.people.invitations import invitation_problems, name_problems
from auth.people.person import ADMINS
from auth.people.seal import CARD, Card
from hub.commands.access import DISABLED, NOT_THERE, USER, administer, invite, judge_roles, judge_scopes, managed, note
from hub.commands.asker import Asker, Input, Made, Problems, problems
from hub.commands.cases import judge_reason
from hub.engine.parameters import split_id

LAST = "There would be nobody left to manage this organisation's access: make somebody else an admin first."
OWN = "This is yourself: ask another admin."


async def invite_user(asker: Asker, given: Input) -> Made:
    """Invite somebody into an organisation, with roles and scopes that the asker may give."""
    roles = list(map(str, given["roles"]))
    with problems() as found:
        await administer(asker, found)
        whose = await managed(asker, given["organisation"], found)
        wrong = invitation_problems(
            whose.kind if whose else None, given["email"], given["name"], roles, given["scopes"]
        )
        note(found, [problem for problem in wrong if not problem.startswith(("organisation: ", "roles: ", "scopes: "))])
        if whose is not None:
            await judge_roles(asker, whose.id, whose.kind, roles, found)
            await judge_scopes(asker, whose.id, given["scopes"], found)
    assert whose is not None  # noqa: S101 a missing one is a problem
    invitation = await invite(
        asker, USER, whose.id, email=given["email"], name=given["name"], roles=roles, scopes=given["scopes"]
    )
    await asker.tell("user.invited")
    return Made(uuid.UUID(invitation.user), invitation.link(asker.people.issuer))


async def update_user(asker: Asker, given: Input) -> uuid.UUID:
    """Change what somebody is called, and what they are and may do, at once."""
    with problems() as found:
        await administer(asker, found)
        user = await _named(asker, given["user"], found)
        if "name" in given:
            note(found, name_problems(given["name"] or ""))
        if user is not None:
            await _judge(asker, user, given, found)
    await asker.connection.execute(
        "update usr set roles = coalesce($2, roles), scopes = coalesce($3, scopes), sealed = coalesce($4, sealed) where id = $1",
        user["id"],
        sorted(set(map(str, given["roles"]))) if "roles" in given else None,
        sorted(set(given["scopes"])) if "scopes" in given else None,
        _renamed(asker, user, given["name"]) if "name" in given else None,
    )
    await asker.tell("user.changed")
    changed: uuid.UUID = user["id"]
    return changed


async def disable_user(asker: Asker, given: Input) -> uuid.UUID:
    """End somebody's access, sessions and tokens with the next statement of any process."""
    with problems() as found:
        await administer(asker, found)
        user = await _named(asker, given["user"], found)
        judge_reason(given, found)
        if user is not None:
            if str(user["id"]) == asker.principal.user:
                found.add("OWN_USER", OWN, "user")
            elif await _is_last(asker, user):
                found.add("LAST_ADMIN", LAST, "user")
    await asker.connection.execute("update usr set status = 'DISABLED' where id = $1", user["id"])
    await asker.tell("user.disabled")
    ended: uuid.UUID = user["id"]
    return ended


async def _judge(asker: Asker, user: Any, given: Input, found: Problems) -> None:
    if user["status"] == "DISABLED":
        found.add("DISABLED", DISABLED, "user")
    roles, scopes = user["roles"], user["scopes"]
    if "roles" in given:
        roles = list(map(str, given["roles"] or []))
        await judge_roles(asker, user["organisation"], user["kind"], roles, found, had=user["roles"])
    if "scopes" in given:
        scopes = given["scopes"] or []
        await judge_scopes(asker, user["organisation"], scopes, found, had=user["scopes"])
    own = str(user["id"]) == asker.principal.user
    for field, less in (("roles", ADMINS.isdisjoint(roles)), ("scopes", not asker.principal.scopes.issubset(scopes))):
        if own and less and field in given:
            found.add("OWN_USER", OWN, field)
    stays = not ADMINS.isdisjoint(roles) and "access:manage" in scopes
    if not own and not stays and await _is_last(asker, user):
        found.add("LAST_ADMIN", LAST, "roles" if "roles" in given and ADMINS.isdisjoint(roles) else "scopes")


async def _is_last(asker: Asker, user: Any) -> bool:
    """Tell whether somebody is the only one who can manage the organisation's access."""
    admins = await asker.connection.fetch(
        "select id from usr where organisation = $1 and status = 'ACTIVE' and roles && $2 and 'access:manage' = any (scopes)",
        user["organisation"],
        sorted(ADMINS),
    )
    return [row["id"] for row in admins] == [user["id"]]


async def _named(asker: Asker, identifier: str, found: Problems) -> Any:
    """Find a user whom the asker manages, as they are once nobody else is deciding about the people there."""
    find = (
        "select u.id, u.organisation, u.roles, u.scopes, u.status::text, u.kek, u.wrapped, u.sealed, o.kind::text"
        " from usr u join organisation o on o.id = u.organisation where u.id = $1::text::uuid and viewer_manages(u.organisation)"
    )
    named = split_id(identifier, "uuid:user")
    user = await asker.connection.fetchrow(find, named)
    if user is None:
        found.add("NOT_FOUND", NOT_THERE, "user")
        return None
    await asker.alone(f"people of {user['organisation']}")
    return await asker.connection.fetchrow(find, named)


def _renamed(asker: Asker, user: Any, name: str) -> bytes:
    seal, number = asker.people.seal, str(user["id"])
    card = seal.card(number, user["kek"], user["wrapped"], user["sealed"])
    document = msgspec.json.encode(Card(card.email, name.strip()))
    return seal.seal(seal.key(user["kek"], user["wrapped"]), number, CARD, document)
