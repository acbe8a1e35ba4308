"""This module has what commands about people and clients share: rules of auth/ as problems beside their fields, and invitations."""

from collections.abc import Collection
from typing import Final

from auth.people.invitations import USER_ALREADY, Invitation, InvitationRefusedError, Invitations, role_problems
from auth.scopes import NAMES
from hub.commands.asker import Asker, Organisation, Problems, ProblemsError

FIRST_ADMIN: Final = "viewer_invites_first_admin"
USER: Final = "viewer_invites_user"
NOT_THERE: Final = "There is nothing with this id."
DISABLED: Final = "What was disabled does not come back: make a new one."
CODES: Final = {"jwks": "BAD_KEYS"}


def note(found: Problems, wrong: Collection[str], **fields: str) -> None:
    """Note what auth/ says is wrong, `field: what`, beside the fields of the input; `fields` are those that are called otherwise there."""
    for problem in wrong:
        field, _, what = problem.partition(": ")
        found.add(CODES.get(field, f"BAD_{field.upper()}"), f"{what[0].upper()}{what[1:]}.", fields.get(field, field))


async def administer(asker: Asker, found: Problems) -> None:
    """Stop here for anybody who is no admin: what more is wrong would tell of people and clients that they may not see."""
    if not await asker.connection.fetchval("select viewer_administers()"):
        found.add("NOT_ALLOWED", "Only an organisation's admins, and ICORN's, change who acts for it.")
        found.settle()


async def managed(asker: Asker, identifier: str, found: Problems) -> Organisation | None:
    """Find an organisation whose access the asker manages: its own; for ICORN any."""
    whose = await asker.organisation(identifier)
    if whose is None:
        found.add("NOT_FOUND", NOT_THERE, "organisation")
    elif not await asker.connection.fetchval("select viewer_manages($1)", whose.id):
        found.add("NOT_ALLOWED", "You manage your own organisation's access, and no other's.", "organisation")
        return None
    return whose


async def judge_scopes(
    asker: Asker, organisation: int, scopes: Collection[str], found: Problems, had: Collection[str] = ()
) -> None:
    """Refuse scopes that there are not, and of those that are new to whom they are for, what the asker cannot give. None is repeated."""
    if not scopes:
        found.add("REQUIRED", "Name at least one scope; README.md lists them under Scopes.", "scopes")
    added = [scope for scope in scopes if scope in NAMES and scope not in had]
    beyond = await asker.connection.fetchval("select ungrantable($1, $2)", organisation, added)
    for number, scope in enumerate(scopes):
        if scope not in NAMES:
            found.add("UNKNOWN_SCOPE", "There is no such scope; README.md lists them under Scopes.", "scopes", number)
        elif scope in beyond:
            text = "You give what your own token has, and no more than the organisation's agreements allow."
            found.add("NOT_HELD", text, "scopes", number)


async def judge_roles(
    asker: Asker, whose: int, kind: str, roles: Collection[str], found: Problems, had: Collection[str] = ()
) -> None:
    """Refuse roles that do not fit the organisation, and of those that are new to whom they are for, what the asker cannot give."""
    wrong = role_problems(kind, roles)
    note(found, wrong)
    added = [role for role in roles if role not in had]
    if not wrong and not await asker.connection.fetchval("select may_give_roles($1, $2)", whose, added):
        found.add("NOT_HELD", "An admin is made by a person who is one.", "roles")


async def invite(
    asker: Asker, by: str, organisation: int, *, email: str, name: str, roles: Collection[str], scopes: Collection[str]
) -> Invitation:
    """Invite somebody in this very transaction; raise ProblemsError. What is secret of it is made of the asker's key and the moment."""
    moment = await asker.connection.fetchval("select hub_now()::text")
    invitations = Invitations(asker.connection, asker.people.seal, asker.people.clock, by)
    try:
        return await invitations.invite(
            organisation=organisation,
            email=email,
            name=name,
            roles=roles,
            scopes=scopes,
            new=lambda what: asker.secret(f"{what} {moment}"),
        )
    except InvitationRefusedError as refused:
        found = Problems()
        note(found, [problem for problem in refused.problems if problem != USER_ALREADY])
        if USER_ALREADY in refused.problems:
            found.add(
                "ALREADY_A_USER",
                "This address is of a user already; whoever lost every passkey is helped by two admins.",
                "email",
            )
        raise ProblemsError(found.found) from None
