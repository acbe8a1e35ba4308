"""ICORN lets partners in, and stops them: an organisation with its first admin, of whose keys nobody at ICORN ever knows."""

from typing import Any
from uuid import uuid4

import pytest

from auth.people.invitations import PARTNER_ADMIN_SCOPES
from auth.scopes import NAMES
from tests.hub.commands.kit import done, events, found, run
from tests.hub.person import person
from tests.world import ISSUER, World

NEW: dict[str, Any] = {
    "code": "new-house", "name": "New House", "kind": "SISTER", "firstAdminEmail": "Sycamore@new.example", "firstAdminName": "Zarifeh",
}  # fmt: skip
CREATE = """
mutation ($input: CreateOrganisationInput!) {
  createOrganisation(input: $input) { organisation { code } invitation problems { code path } }
}
"""


async def created(world: World, **changed: Any) -> Any:
    """Add an organisation as ICORN's desk, with the invitation in the answer."""
    given = {"idempotencyKey": uuid4().hex, **NEW, **changed}
    return (await world.data("desk", CREATE, {"input": given}))["createOrganisation"]


async def anywhere(world: World, secret: str) -> list[str]:
    """Find the tables that hold a text anywhere in a row."""
    tables = await world.admin.fetch(
        "select relnamespace::regnamespace || '.' || relname as name from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('hub', 'auth')"
    )
    return [
        row["name"]
        for row in tables
        if await world.admin.fetchval(
            f"select exists (select from {row['name']} t where strpos(t::text, $1) > 0)",  # noqa: S608 tables' names
            secret,
        )
    ]


async def test_an_organisation_comes_with_the_invitation_of_its_first_admin(world: World) -> None:
    """Who may do whatever a partner can, so that they can give it on; their name and address are sealed."""
    told = await created(world)
    token = told["invitation"].removeprefix(f"{ISSUER}/invitation#")
    guest = await world.app.state.people.joining.guest(token)
    user = await world.admin.fetchrow(
        "select roles, scopes, status::text from usr where id = $1::text::uuid", guest.user
    )

    assert (guest.name, guest.organisation) == ("Zarifeh", "New House")
    assert dict(user) == {"roles": ["PARTNER_ADMIN"], "scopes": list(PARTNER_ADMIN_SCOPES), "status": "INVITED"}
    assert "organisations:manage" not in PARTNER_ADMIN_SCOPES
    assert await anywhere(world, "ycamore") == await anywhere(world, "Zarifeh") == []
    assert await events(world) == ["organisation.created"]


async def test_an_invitation_is_told_once_and_kept_nowhere(world: World) -> None:
    """A retry is answered with the organisation alone, and what lies in the database lets nobody in."""
    first = await created(world, idempotencyKey="once")
    again = await created(world, idempotencyKey="once")
    token = first["invitation"].partition("#")[2]

    assert len(token) == 43
    assert again == {**first, "invitation": None}
    assert await anywhere(world, token) == []
    assert (await created(world, idempotencyKey="other", code="other-house"))["invitation"] != first["invitation"]


async def test_a_city_is_one_that_is_there_or_is_made_with_its_organisation(world: World) -> None:
    """By its id, or in a country under the organisation's code; anything else has neither."""
    made = await done(world, "desk", "createOrganisation", {**NEW, "kind": "CITY", "code": "oslo", "country": "NO"})
    known = await done(
        world, "desk", "createOrganisation", {**NEW, "kind": "CITY", "code": "house", "city": "city_bergen"}
    )

    assert (made["city"], known["city"]["code"]) == ({"code": "oslo", "country": "NO"}, "bergen")
    for changed, path in (
        ({}, "city"),
        ({"city": "city_nowhere"}, "city"),
        ({"city": "city_bergen", "country": "NO"}, "country"),
    ):
        (problem,) = await found(world, "desk", "createOrganisation", {**NEW, "kind": "CITY", **changed})
        assert problem[1] == f"input.{path}"


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_half_done(world: World) -> None:
    """Also an address that is none: no organisation is there without its admin."""
    wrong = {
        "code": "New House", "name": " ", "kind": "ICORN", "website": "http://new.example", "firstAdminEmail": "nowhere", "firstAdminName": "",
    }  # fmt: skip

    assert await found(world, "desk", "createOrganisation", wrong) == [
        ("BAD_CODE", "input.code"),
        ("BAD_NAME", "input.name"),
        ("BAD_WEBSITE", "input.website"),
        ("NOT_ALLOWED", "input.kind"),
        ("BAD_EMAIL", "input.firstAdminEmail"),
        ("BAD_NAME", "input.firstAdminName"),
    ]
    assert await found(world, "desk", "createOrganisation", {**NEW, "code": "pen-centre"}) == [
        ("CODE_TAKEN", "input.code")
    ]
    assert await found(world, "desk", "updateOrganisation", {"organisation": "organisation_none", "name": None}) == [
        ("NOT_FOUND", "input.organisation"),
        ("BAD_NAME", "input.name"),
    ]


@pytest.mark.parametrize("given", [{**NEW}, {"organisation": "organisation_pen-centre", "suspended": True}])
async def test_only_icorn_does_it(world: World, given: dict[str, Any]) -> None:
    """Whatever scopes a partner's token says; what more is wrong is not told."""
    name = "createOrganisation" if "code" in given else "updateOrganisation"

    assert await found(world, "pen", name, given) == [("NOT_ALLOWED", "input")]


async def test_a_suspended_partner_is_out_and_let_in_again_signs_in_anew(world: World) -> None:
    """With the next statement, as by `hub panic`; stopped twice, it was stopped the first time."""
    sara = await person(world, "sara", "pen", "pen-centre", sorted(NAMES))
    stop = {"organisation": "organisation_pen-centre", "suspended": True}
    stopped = "select suspended_at::text, standing from organisation where code = 'pen-centre'"
    assert (await sara.graphql("{ viewer { clientId } }")).status == 200
    await done(world, "desk", "updateOrganisation", stop)
    first = await world.admin.fetchrow(stopped)
    await world.database.admin("update test_clock set now = now + interval '1 minute'")
    await done(world, "desk", "updateOrganisation", stop)

    assert (await sara.graphql("{ viewer { clientId } }")).status == 401
    assert await world.admin.fetchrow(stopped) == first
    await done(world, "desk", "updateOrganisation", {**stop, "suspended": False})
    assert await world.admin.fetchval("select suspended_at from organisation where code = 'pen-centre'") is None


async def test_what_is_left_out_stays_and_icorn_is_not_suspended(world: World) -> None:
    """A name replaces, null clears; ICORN cannot stop itself, with either wall."""
    given = {"organisation": "organisation_pen-centre", "name": "Renamed", "website": "https://pen.example"}
    changed = await done(world, "desk", "updateOrganisation", given)
    cleared = await done(world, "desk", "updateOrganisation", {**given, "name": "Renamed", "website": None})
    icorn = {"organisation": "organisation_icorn", "suspended": True}

    assert (changed["name"], changed["website"], cleared["website"]) == ("Renamed", "https://pen.example", None)
    assert await found(world, "desk", "updateOrganisation", icorn) == [("NOT_ALLOWED", "input.suspended")]


async def test_a_person_is_asked_for_a_passkey_first(world: World) -> None:
    """Letting somebody in is not to be done by whoever finds a browser open."""
    jon = await person(world, "jon", "desk", "icorn", sorted(NAMES), signed_in=world.now - 301)
    answer = await jon.graphql(CREATE, {"input": {"idempotencyKey": "k", **NEW}})

    assert answer.status == 401
    assert "max_age" in answer.headers["www-authenticate"]
    assert (await run(world, "desk", "createOrganisation", NEW))["problems"] == []
