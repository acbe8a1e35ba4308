"""People from the operator's side: the first admin of an organisation, and whoever is invited by command; and the hub serves the pages."""

import asyncio
from pathlib import Path

import pytest

from auth.keyring import Keyring, KeyringError
from hub.embedded import ADMIN
from hub.key_check import check_data_keys
from tests.auth.people.authenticator import Device
from tests.auth.people.browser import Browser
from tests.conftest import Database
from tests.hub.shell import Run, Said
from tests.world import ISSUER, World

FIRST = ("organisation", "create", "pen-centre", "--name", "PEN Centre", "--kind", "SISTER")
SARA = ("--email", "sara@pen.example", "--name", "Sara Lindqvist")


@pytest.fixture
async def operator(hub: Run, database: Database, tmp_path: Path) -> dict[str, str]:
    """What an operator sets, on a database that is ready."""
    keys = str(tmp_path / "keys.json")
    await asyncio.to_thread(hub, "keygen", "--sealing", keys)
    return {
        "HUB_ADMIN_DATABASE_URL": database.dsn(ADMIN),
        "HUB_AUTH_DATABASE_URL": database.dsn("hub_auth"),
        "HUB_KEYS_FILE": keys,
        "HUB_ISSUER": "https://hub.example.org",
    }


async def run(hub: Run, operator: dict[str, str], *words: str) -> Said:
    """Run a command as the operator."""
    return await asyncio.to_thread(hub, *words, **operator)


async def test_an_organisation_comes_with_an_invitation_for_its_first_admin(
    hub: Run, operator: dict[str, str], database: Database
) -> None:
    """The link alone on standard output, so that it can be handed on; the user is an admin who has not come yet."""
    said = await run(hub, operator, *FIRST, "--admin-email", "sara@pen.example", "--admin-name", "Sara Lindqvist")
    (user,) = await database.admin("select roles, status::text, scopes from hub.usr where $1", True)  # noqa: FBT003

    assert said.status == 0
    assert said.out.startswith("https://hub.example.org/invitation#")
    assert len(said.out.strip().partition("#")[2]) == 43
    assert (user["roles"], user["status"]) == (["PARTNER_ADMIN"], "INVITED")
    assert "access:manage" in user["scopes"]


async def test_an_organisation_and_its_first_admin_are_added_together_or_not_at_all(
    hub: Run, operator: dict[str, str], database: Database
) -> None:
    """A mistake in the address leaves nothing to clean up."""
    said = await run(hub, operator, *FIRST, "--admin-email", "nowhere", "--admin-name", "Sara")
    alone = await run(hub, operator, *FIRST, "--admin-email", "sara@pen.example")

    assert (said.status, alone.status) == (1, 2)
    assert "--email: an address" in said.words
    assert await database.admin("select id from hub.organisation where $1", True) == []  # noqa: FBT003


async def test_somebody_is_invited_by_command(hub: Run, operator: dict[str, str], database: Database) -> None:
    """An admin unless said otherwise; staff with the scopes that are named; mistakes are said in words."""
    await run(hub, operator, *FIRST)
    invite = ("user", "invite", "-o", "pen-centre", *SARA)
    admin = await run(hub, operator, *invite)
    again = await run(hub, operator, *invite, "--role", "PARTNER_STAFF", "--scopes", "cases:read, referrals:read")
    unsaid = await run(hub, operator, *invite, "--role", "PARTNER_STAFF")
    wrong = await run(hub, operator, *invite, "--role", "ICORN_STAFF", "--scopes", "cases:raed")
    nowhere = await run(hub, operator, "user", "invite", "-o", "nobody", *SARA)
    (user,) = await database.admin("select roles, scopes from hub.usr where $1", True)  # noqa: FBT003

    assert (admin.status, again.status) == (0, 0)
    assert (user["roles"], user["scopes"]) == (["PARTNER_STAFF"], ["cases:read", "referrals:read"])
    assert "--scopes: say what they may ever do" in unsaid.words
    assert "--role: those of ICORN are for ICORN's people" in wrong.words
    assert "--scopes: there is no cases:raed" in wrong.words
    assert "there are: pen-centre" in nowhere.words


async def test_nobody_is_invited_under_keys_of_another_hub(
    hub: Run, operator: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """Such a user could never sign in; the hub does not start with them either."""
    await run(hub, operator, *FIRST, "--admin-email", "omar@pen.example", "--admin-name", "Omar")
    other = str(tmp_path / "other.json")
    await asyncio.to_thread(hub, "keygen", "--sealing", other)
    wrong = {**operator, "HUB_KEYS_FILE": other}
    by_user = await run(hub, wrong, "user", "invite", "-o", "pen-centre", *SARA)
    by_organisation = await run(
        hub, wrong, "organisation", "create", "icorn", "--name", "ICORN", "--kind", "ICORN",
        "--admin-email", "ines@icorn.example", "--admin-name", "Ines",
    )  # fmt: skip

    assert "not the keys this database was sealed with" in by_user.words
    assert "not the keys this database was sealed with" in by_organisation.words
    assert len(await database.admin("select id from hub.usr where $1", True)) == 1  # noqa: FBT003
    with pytest.raises(KeyringError):
        await check_data_keys(await database.connect("hub_auth"), Keyring.load(other))


async def test_an_organisations_provider_is_entered_by_command(
    hub: Run, operator: dict[str, str], database: Database
) -> None:
    """What is printed is what to enter there; a secret itself, and a provider in clear, are refused."""
    await run(hub, operator, *FIRST)
    enter = ("organisation", "provider", "pen-centre", "--client-id", "icorn-hub", "--secret")
    said = await run(hub, operator, *enter, "pen-login", "--issuer", "https://login.pen.example")
    secret = await run(hub, operator, *enter, "S3cr3t!", "--issuer", "https://login.pen.example")
    clear = await run(hub, operator, *enter, "pen-login", "--issuer", "http://login.pen.example")
    (entered,) = await database.admin("select issuer, secret from auth.provider where $1", True)  # noqa: FBT003

    assert said.out.strip() == "https://hub.example.org/sign-in/through/pen-centre"
    assert (secret.status, clear.status) == (1, 1)
    assert "S3cr3t!" not in secret.words
    assert dict(entered) == {"issuer": "https://login.pen.example", "secret": "pen-login"}


async def test_the_hub_serves_the_pages(world: World) -> None:
    """From invitation to account, through the whole application."""
    invited = await world.app.state.people.invitations.invite(
        organisation=world.organisations["pen-centre"],
        email="sara@pen.example",
        name="Sara",
        roles=["PARTNER_ADMIN"],
        scopes=["access:manage"],
    )
    browser = Browser(world.http, Device(origin=ISSUER, rp_id="hub.example"))
    page = await browser.join(invited.link(ISSUER))

    assert page.url.path == "/account"
    assert "Sara" in page.text
