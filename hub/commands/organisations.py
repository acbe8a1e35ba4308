"""This module adds organisations and changes them. ICORN alone does; row policies hold it to that."""

from auth import organisations
from auth.people import Role
from auth.people.invitations import PARTNER_ADMIN_SCOPES, invitation_problems
from hub.commands.access import FIRST_ADMIN, NOT_THERE, invite, note
from hub.commands.asker import Asker, Input, Made, Organisation, Problems, problems
from hub.engine.parameters import split_id
from schema.enums import OrganisationKind


async def create_organisation(asker: Asker, given: Input) -> Made:
    """Add a partner and invite its first admin, together or not at all."""
    kind = str(given["kind"])
    admin = {"email": given["firstAdminEmail"], "name": given["firstAdminName"]}
    with problems() as found:
        await _icorn(asker, found)
        note(found, organisations.code_problems(given["code"]) + organisations.name_problems(given["name"]))
        if given.get("website") is not None:
            note(found, organisations.website_problems(given["website"]))
        if kind == OrganisationKind.ICORN:
            found.add("NOT_ALLOWED", "There is one ICORN only.", "kind")
        city = await _city(asker, given, found)
        wrong = invitation_problems("SISTER", **admin, roles=[Role.PARTNER_ADMIN], scopes=PARTNER_ADMIN_SCOPES)
        note(found, wrong, email="firstAdminEmail", name="firstAdminName")
    number = await organisations.add(
        asker.connection,
        code=given["code"],
        name=given["name"],
        kind=kind,
        website=given.get("website"),
        country=given.get("country"),
        city=city,
    )
    with problems() as found:
        if number is None:
            found.add("CODE_TAKEN", "An organisation of this code is there already: choose another.", "code")
    assert number is not None  # noqa: S101 a missing one is a problem
    link = await invite(asker, FIRST_ADMIN, number, **admin, roles=[Role.PARTNER_ADMIN], scopes=PARTNER_ADMIN_SCOPES)
    await asker.tell("organisation.created")
    return Made(given["code"], link.link(asker.people.issuer))


async def update_organisation(asker: Asker, given: Input) -> str:
    """Change an organisation; suspended, it is out with the next statement of any process, as by `hub panic`."""
    with problems() as found:
        await _icorn(asker, found)
        named = await asker.organisation(given["organisation"])
        if named is None:
            found.add("NOT_FOUND", NOT_THERE, "organisation")
        if "name" in given:
            note(found, organisations.name_problems(given["name"] or ""))
        if given.get("website") is not None:
            note(found, organisations.website_problems(given["website"]))
        if given.get("suspended") and named is not None and named.kind == OrganisationKind.ICORN:
            found.add("NOT_ALLOWED", "ICORN itself is not suspended: stop the hub instead.", "suspended")
        if given.get("suspended", False) is None:
            found.add("REQUIRED", "Say true or false, or leave it out.", "suspended")
    assert named is not None  # noqa: S101 a missing one is a problem
    await _change(asker, named, given)
    await asker.tell("organisation.changed")
    return named.code


async def _change(asker: Asker, named: Organisation, given: Input) -> None:
    if "name" in given or "website" in given:
        await asker.connection.execute(
            "update organisation set name = coalesce($2, name), website = case when $3 then $4 else website end where id = $1",
            named.id,
            given["name"].strip() if "name" in given else None,
            "website" in given,
            given.get("website"),
        )
    if "suspended" in given:
        await organisations.suspend(asker.connection, named.code, suspended=given["suspended"])


async def _icorn(asker: Asker, found: Problems) -> None:
    """Stop here for anybody else."""
    if not await asker.is_icorn():
        found.add("NOT_ALLOWED", "Only ICORN adds and changes organisations.")
        found.settle()


async def _city(asker: Asker, given: Input, found: Problems) -> str | None:
    """Find the city that an organisation is of; a CITY has one, or is made one in a country."""
    city, country = given.get("city"), given.get("country")
    if country is not None and (given["kind"] != OrganisationKind.CITY or city is not None):
        found.add("NOT_ALLOWED", "A country is for a CITY that is not there yet: leave it out.", "country")
    if given["kind"] == OrganisationKind.CITY and city is None and country is None:
        found.add("REQUIRED", "Name the city, or the country where it is made.", "city")
    if city is None:
        return None
    code: str | None = await asker.connection.fetchval(
        "select code from city where code = $1", split_id(city, "key:city")
    )
    if code is None:
        found.add("NOT_FOUND", NOT_THERE, "city")
    return code
