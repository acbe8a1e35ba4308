"""This module has what commands about people and clients share: rules of auth/ as problems beside their fields, and invitations."""

from collections.abc import Collection
from typing import Final

from auth.people.invitations import Invitation, InvitationRefusedError, Invitations
from hub.commands.asker import Asker, Problems, ProblemsError

FIRST_ADMIN: Final = "viewer_invites_first_admin"
USER: Final = "viewer_invites_user"
CODES: Final = {"jwks": "BAD_KEYS"}


def note(found: Problems, wrong: Collection[str], **fields: str) -> None:
    """Note what auth/ says is wrong, `field: what`, beside the fields of the input; `fields` are those that are called otherwise there."""
    for problem in wrong:
        field, _, what = problem.partition(": ")
        found.add(CODES.get(field, f"BAD_{field.upper()}"), f"{what[0].upper()}{what[1:]}.", fields.get(field, field))


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
        note(found, refused.problems)
        raise ProblemsError(found.found) from None
