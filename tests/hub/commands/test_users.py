"""A partner's admins invite colleagues, change what they may do, and let them go; and nobody's but its own."""

from typing import Any
from uuid import uuid4

import pytest

from auth.people.refusals import RefusedError
from auth.scopes import NAMES
from tests.hub.commands.kit import done, events, found
from tests.hub.commands.test_organisations import anywhere
from tests.hub.person import person
from tests.world import World

INVITE = "mutation ($input: InviteUserInput!) { inviteUser(input: $input) { user { id status } invitation problems { code path } } }"
EVERYTHING = sorted(NAMES)


def wanted(**changed: Any) -> dict[str, Any]:
    """Give an input that invites a colleague."""
    return {
        "organisation": "organisation_pen-centre", "email": "zarifeh@pen.example", "name": "Zarifeh Mulberryson", "roles": ["PARTNER_STAFF"],
        "scopes": ["cases:read", "referrals:submit"], **changed,
    }  # fmt: skip


async def admin(
    world: World,
    name: str = "sara",
    organisation: str = "pen-centre",
    client: str = "pen",
    scopes: list[str] | None = None,
) -> str:
    """Add an admin who asks through an app, and give the name to ask by."""
    world.clients[name] = await person(world, name, client, organisation, scopes or EVERYTHING, role="ADMIN")
    return name


async def user_of(world: World, name: str) -> str:
    """Give the id of the user who asks by a name."""
    subject = await world.data(name, "{ viewer { userName } }")
    return f"user_{subject['viewer']['userName']}"


async def invited(world: World, who: str, **changed: Any) -> Any:
    """Invite somebody, with the invitation in the answer."""
    given = {"idempotencyKey": uuid4().hex, **wanted(), **changed}
    return (await world.data(who, INVITE, {"input": given}))["inviteUser"]


async def test_a_colleague_is_invited_by_a_link_that_is_told_once(world: World) -> None:
    """What is said of them is sealed, the secret is kept nowhere, and only who is waiting gets another."""
    sara = await admin(world)
    first = await invited(world, sara, idempotencyKey="once")
    again = await invited(world, sara, idempotencyKey="once")
    token = first["invitation"].partition("#")[2]
    guest = await world.app.state.people.joining.guest(token)
    anew = await invited(world, sara)

    assert (guest.name, f"user_{guest.user}") == ("Zarifeh Mulberryson", first["user"]["id"])
    assert again == {**first, "invitation": None}
    assert await anywhere(world, token) == await anywhere(world, "Mulberryson") == []
    assert anew["user"] == first["user"]
    with pytest.raises(RefusedError):
        await world.app.state.people.joining.guest(token)
    assert await world.app.state.people.joining.guest(anew["invitation"].partition("#")[2]) == guest
    assert await events(world) == ["user.invited", "user.invited"]


async def test_what_is_wrong_with_an_invitation_is_said_at_once(world: World) -> None:
    """Roles of ICORN's are never a partner's to give; an address of somebody who is in is taken."""
    sara = await admin(world)
    wrong = wanted(email="nowhere", name="", roles=["ICORN_STAFF"], scopes=["cases:raed"])

    assert await found(world, sara, "inviteUser", wrong) == [
        ("BAD_EMAIL", "input.email"),
        ("BAD_NAME", "input.name"),
        ("BAD_ROLES", "input.roles"),
        ("UNKNOWN_SCOPE", "input.scopes.0"),
    ]
    assert await found(world, sara, "inviteUser", wanted(email="SARA@pen-centre.example")) == [
        ("ALREADY_A_USER", "input.email")
    ]
    assert await found(world, sara, "inviteUser", wanted(organisation="organisation_arts-haven")) == [
        ("NOT_ALLOWED", "input.organisation")
    ]


async def test_nobody_gives_a_scope_or_a_role_that_they_do_not_have(world: World) -> None:
    """A person by their token; a machine, which is no admin, makes none."""
    omar = await admin(world, "omar", scopes=["access:manage", "cases:read"])
    staff = await done(world, omar, "inviteUser", wanted(scopes=["cases:read"]))

    assert await found(world, omar, "inviteUser", wanted(email="b@pen.example")) == [("NOT_HELD", "input.scopes.1")]
    assert await found(world, omar, "updateUser", {"user": staff["id"], "scopes": ["cases:read", "cases:health"]}) == [
        ("NOT_HELD", "input.scopes.1")
    ]
    assert await found(world, "pen", "updateUser", {"user": staff["id"], "roles": ["PARTNER_ADMIN"]}) == [
        ("NOT_HELD", "input.roles")
    ]
    assert await found(world, "pen", "inviteUser", wanted(email="b@pen.example", roles=["PARTNER_ADMIN"])) == [
        ("NOT_HELD", "input.roles")
    ]
    assert (await done(world, omar, "updateUser", {"user": staff["id"], "roles": ["PARTNER_ADMIN"]}))["roles"] == [
        "PARTNER_ADMIN"
    ]


async def test_what_is_said_of_a_colleague_changes_and_what_they_may_do_at_once(world: World) -> None:
    """A new name is sealed; a token with a scope that was taken away is dead; the address stays."""
    sara, bea = await admin(world), await admin(world, "bea")
    number = await user_of(world, bea)
    changed = await done(
        world, sara, "updateUser", {"user": number, "name": "Mulberryson", "scopes": ["access:manage"]}
    )

    assert (changed["name"], changed["email"], changed["scopes"]) == (
        "Mulberryson",
        "bea@pen-centre.example",
        ["access:manage"],
    )
    assert await anywhere(world, "Mulberryson") == []
    assert (await world.clients[bea].graphql("{ viewer { clientId } }")).status == 401
    assert await found(world, sara, "updateUser", {"user": number, "name": None, "roles": None, "scopes": None}) == [
        ("BAD_NAME", "input.name"), ("BAD_ROLES", "input.roles"), ("REQUIRED", "input.scopes"),
    ]  # fmt: skip


async def test_whoever_was_let_go_is_out_and_comes_back_as_somebody_new(world: World) -> None:
    """With the next statement; the account is nobody's any more, and the address is free."""
    sara, bea = await admin(world), await admin(world, "bea")
    number = await user_of(world, bea)
    ended = await done(world, sara, "disableUser", {"user": number, "reason": "Left"})
    anew = await done(world, sara, "inviteUser", wanted(email="bea@pen-centre.example"))

    assert ended["status"] == "DISABLED"
    assert (await world.clients[bea].graphql("{ viewer { clientId } }")).status == 401
    assert anew["id"] != number
    assert await found(world, sara, "updateUser", {"user": number, "name": "Back"}) == [("DISABLED", "input.user")]


async def test_one_admin_alone_gets_into_nobodys_account(world: World) -> None:
    """Whoever lost every passkey waits for an invitation that two admins give: inviting the address again is no way around it."""
    sara, bea = await admin(world), await admin(world, "bea")
    number = await user_of(world, bea)
    await world.admin.execute(
        "update usr set status = 'INVITED' where id = $1::text::uuid", number.removeprefix("user_")
    )

    assert await found(world, sara, "inviteUser", wanted(email="bea@pen-centre.example")) == [
        ("ALREADY_A_USER", "input.email")
    ]


async def test_the_last_admin_locks_nobody_out(world: World) -> None:
    """Not by going, nor by giving up the role or the scope; nobody takes from themselves what they ask with. With two, one may go."""
    sara = await admin(world)
    number = await user_of(world, sara)
    jon = await admin(world, "jon", "icorn", "desk")

    for who, code in ((sara, "OWN_USER"), ("pen", "LAST_ADMIN"), (jon, "LAST_ADMIN")):
        assert await found(world, who, "disableUser", {"user": number, "reason": "Oops"}) == [(code, "input.user")]
        assert await found(world, who, "updateUser", {"user": number, "roles": ["PARTNER_STAFF"]}) == [
            (code, "input.roles")
        ]
        assert await found(world, who, "updateUser", {"user": number, "scopes": ["cases:read"]}) == [
            (code, "input.scopes")
        ]
    await admin(world, "bea")
    assert (await done(world, "pen", "disableUser", {"user": number, "reason": "Left"}))["status"] == "DISABLED"


async def test_anothers_people_are_not_there_and_icorns_admins_may_help(world: World) -> None:
    """Neither by id nor in a list; an admin of ICORN's changes anybody's people, within what there they may have."""
    sara, jon = await admin(world), await admin(world, "jon", "icorn", "desk")
    number = await user_of(world, sara)
    await world.client("theirs", "arts-haven")
    ask = "query ($id: ID!) { node(id: $id) { ... on User { email } } }"

    assert (await world.data("arts", ask, {"id": number}))["node"] is None
    assert await found(world, "arts", "updateUser", {"user": number, "name": "Mine"}) == [("NOT_FOUND", "input.user")]
    assert await found(world, "arts", "disableUser", {"user": number, "reason": "Mine"}) == [
        ("NOT_FOUND", "input.user")
    ]
    assert (await world.data(jon, ask, {"id": number}))["node"] == {"email": "sara@pen-centre.example"}
    assert (await done(world, jon, "updateUser", {"user": number, "name": "Sara L."}))["name"] == "Sara L."
