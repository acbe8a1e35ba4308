"""A partner with a spreadsheet: what it says is submitted once, what is wrong with it is told by row and column, what comes out is its own view."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import time

import pytest

from hub.app import create_app
from hub.serve import listener, serving
from tests.conftest import Database
from tests.hub.sheets import GOOD, sheet, table
from tests.hub.shell import Run, Said
from tests.world import KEYRING, World, _no_feed, build

Cli = Callable[..., Awaitable[Said]]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """ICORN and two sisters; real time, for the command line knows no other."""
    await database.set_now(datetime.now(UTC))
    async with build(database) as made:
        await made.organisation("icorn", "ICORN")
        await made.organisation("pen-centre")
        await made.organisation("arts-haven")
        await made.client("pen", "pen-centre", purpose=None, limits={"page_size": 3})
        await made.client("mute", "pen-centre", ["referrals:submit"], limits={})
        await made.client("reader", "icorn", ["referrals:read", "cases:read", "cases:identity"], limits={})
        await made.client("arts", "arts-haven", limits={})
        yield made


@pytest.fixture
async def cli(hub: Run, world: World, tmp_path: Path) -> AsyncIterator[Cli]:
    """Run `hub referrals ...` as a client of a hub that listens."""
    with listener("127.0.0.1", 0) as listening:
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(issuer, KEYRING, world.app.state.pools, _no_feed, clock=time)
        entries = [
            {"name": name, "client_id": name, "issuer": issuer, "token_url": f"{issuer}/oauth/token",
             "graphql_url": f"{issuer}/graphql", "private_jwk": client.credentials.private_jwk}
            for name, client in world.clients.items()
        ]  # fmt: skip
        credentials = tmp_path / "credentials.json"
        credentials.write_text(json.dumps(entries))
        async with serving(app, listening):
            run = partial(hub, "referrals")

            async def said(command: str, *arguments: str | Path, client: str = "pen", **environment: str) -> Said:
                given = (command, *map(str, arguments), "--client", client, "--credentials", str(credentials))
                return await asyncio.to_thread(run, *given, **environment)

            yield said
        await app.state.refresher.close()


async def count(world: World) -> int:
    """Count the referrals there are."""
    found: int = await world.admin.fetchval("select count(*) from referral")
    return found


async def test_a_sheet_is_submitted_once_however_often_it_is_run(cli: Cli, world: World, tmp_path: Path) -> None:
    """With semicolons, quoted newlines and blank rows as with commas; the report names each referral, and only its owner reads it."""
    rows = [
        GOOD,
        {**GOOD, "clientReference": "A-2"},
        dict.fromkeys(GOOD, ""),
        {**GOOD, "clientReference": "A-3", "to": ""},
    ]
    first = await cli("import", sheet(tmp_path / "a.csv", *rows, separator=";"), "--report", tmp_path / "1.csv")
    other = sheet(tmp_path / "b.csv", *reversed(rows))
    again = await cli("import", other, "--report", tmp_path / "2.csv", FORCE_COLOR="1", TERM="xterm")

    assert (first.status, again.status) == (0, 0), first.words
    told = table((tmp_path / "1.csv").read_text())
    assert [(row["row"], row["outcome"]) for row in told] == [(n, "submitted") for n in ("2", "3", "5")]
    assert [row["reference"] for row in told] == [row["reference"] for row in table((tmp_path / "2.csv").read_text())][
        ::-1
    ]
    assert await count(world) == 3
    assert (tmp_path / "1.csv").stat().st_mode & 0o777 == 0o600
    assert "3/3" in again.err
    assert first.err == ""
    assert all("Secretname" not in said.words and "A-1" not in said.words for said in (first, again))


async def test_every_flaw_of_every_row_is_told_before_anything_is_sent(cli: Cli, world: World, tmp_path: Path) -> None:
    """By row and column, with the fix, and never with what stands in the cell."""
    wrong = {
        **GOOD, "clientReference": "A-2", "discipline": "Secretpoet", "identity.bornOn": "03/04/1985", "profile.works.1.title": "",
        "contact.channels.1.safe": "perhaps", "consents.1.givenOn": "46143", "consents.1.recipients.everyPartner": "yes", "reason": "",
    }  # fmt: skip
    shy = {
        **GOOD,
        "clientReference": "A-1",
        "to": "nobody",
        "consents.1.categories": "OVERVIEW",
        "identity.bornOn": "2190-01-01",
    }
    file = sheet(tmp_path / "a.csv", {**GOOD, "identity.familyname": "Secretname"}, wrong, {**shy, "to": "icorn"}, shy)
    file.chmod(0o644)

    said = await cli("import", file, "--report", tmp_path / "report.csv")

    assert said.status == 1
    told = {
        (row["row"], row["column"]): row["problem"]
        for row in table((tmp_path / "report.csv").read_text())
        if row["column"]
    }
    assert "Is it identity.familyName?" in told["1", "AA"]
    assert {column for row, column in told if row == "3"} == {
        "discipline", "identity.bornOn", "profile.works.1.title", "contact.channels.1.safe", "consents.1.givenOn",
        "consents.1.recipients.organisations", "reason",
    }  # fmt: skip
    assert "the year first" in told["3", "identity.bornOn"]
    assert "yyyy-mm-dd" in told["3", "consents.1.givenOn"]
    assert {column for row, column in told if row == "4"} == {
        "clientReference",
        "identity.bornOn",
        "profile",
        "identity",
        "contact",
    }
    assert told["4", "identity"].endswith("may have IDENTITY.")
    assert told["4", "clientReference"].startswith("Row 2 has the same")
    assert ("5", "to") in told
    assert await count(world) == 0
    assert "Nothing was submitted" in said.words
    assert f"chmod 600 {file}" in said.words
    assert "Secret" not in said.words + (tmp_path / "report.csv").read_text()


async def test_a_row_that_the_hub_refuses_holds_up_no_other_and_can_be_mended(
    cli: Cli, world: World, tmp_path: Path
) -> None:
    """What stood in the way may be gone, or the row be another now; what was submitted is not changed, nor submitted again."""
    own = {
        **GOOD,
        "clientReference": "A-2",
        "to": "pen-centre",
        "consents.1.recipients.organisations": "pen-centre;arts-haven",
    }
    refused = await cli("import", sheet(tmp_path / "a.csv", GOOD, own), "--report", tmp_path / "1.csv")
    mended = sheet(tmp_path / "b.csv", {**GOOD, "reason": "Another."}, {**own, "to": "arts-haven"})
    after = await cli("import", mended, "--report", tmp_path / "2.csv")
    mute = await cli("import", sheet(tmp_path / "c.csv", GOOD), client="mute")

    assert (refused.status, after.status, mute.status) == (1, 1, 0)
    submitted, other = table((tmp_path / "1.csv").read_text())
    assert (submitted["outcome"], other["outcome"], other["column"]) == ("submitted", "refused", "to")
    changed, now = table((tmp_path / "2.csv").read_text())
    assert (changed["outcome"], changed["reference"], changed["column"]) == (
        "refused",
        submitted["reference"],
        "clientReference",
    )
    assert now["outcome"] == "submitted"
    assert "what was submitted is not submitted twice" in refused.words
    assert await count(world) == 3
    assert await world.admin.fetchval("select count(distinct client_reference) from referral where client = 'pen'") == 2


async def test_what_comes_out_is_the_clients_own_view(cli: Cli, tmp_path: Path) -> None:
    """Page by page, sent and received; no cell is a formula; of what is withheld nothing is there but its name."""
    rows = [{**GOOD, "clientReference": f"A-{number}"} for number in range(7)]
    assert (await cli("import", sheet(tmp_path / "a.csv", *rows))).status == 0
    assert (await cli("import", sheet(tmp_path / "b.csv", GOOD), client="arts")).status == 0
    file = tmp_path / "out.csv"

    whole = await cli("export", "--format", "csv", "--output", file)
    lines = await cli("export", "--format", "jsonl")
    part = await cli("export", "--format", "csv", client="reader")
    again = await cli("export", "--format", "csv", "--output", file)

    assert (whole.status, lines.status, part.status) == (0, 0, 0), whole.words + lines.words + part.words
    assert again.status == 1
    assert "is not overwritten" in again.words
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(newline="", encoding="utf-8") as written:
        mine = table(written.read())
    objects = [json.loads(line) for line in lines.out.splitlines()]
    assert {row["clientReference"] for row in mine} == {row["clientReference"] for row in rows}
    assert [row["reference"] for row in mine] == [each["reference"] for each in objects]
    assert objects[0]["person"]["profile"]["biography"] == "=1+1 is an essay"
    assert mine[0]["profile.biography"] == "'=1+1 is an essay"
    assert mine[0]["contact.instructions"] == 'Write,\nthen wait; "never" call.'
    assert mine[0]["profile.works"] == "title: An Invented Book, year: 2019, kind: essays"
    assert mine[0]["consents"].startswith("decision: ALLOW, organisation: icorn, categories: OVERVIEW; ")
    theirs = table(part.out)
    assert {row["from"] for row in theirs} == {"pen-centre", "arts-haven"}
    assert {(row["identity.familyName"], row["profile.biography"], row["consents"]) for row in theirs} == {
        ("Secretname", "", "")
    }
    assert "PROFILE" in theirs[0]["withheld"].split("; ")
    assert "IDENTITY" not in theirs[0]["withheld"].split("; ")


async def test_the_template_is_a_sheet_but_for_its_example(cli: Cli, hub: Run, world: World, tmp_path: Path) -> None:
    """The invented row is refused until it is deleted, and has no other flaw; each column is told with its form."""
    printed = await asyncio.to_thread(hub, "referrals", "template")
    meant = await asyncio.to_thread(hub, "referrals", "template", "--columns")
    file = tmp_path / "template.csv"
    file.write_text(printed.out, newline="")

    example = await cli("import", file)
    file.write_text(printed.out.replace("EXAMPLE-DELETE-THIS-ROW", "A-1"), newline="")
    checked = await cli("import", file, "--check")

    assert example.status == 1
    assert "delete the row" in example.words
    assert checked.status == 0, checked.words
    assert "Nothing is wrong" in checked.words
    assert await count(world) == 0
    assert all(f"\n{name}: " in f"\n{meant.out}" for name in table(printed.out)[0])


async def test_who_may_not_submit_is_told_at_once(cli: Cli, tmp_path: Path) -> None:
    """By the scope that is missing."""
    said = await cli("import", sheet(tmp_path / "a.csv", GOOD), client="reader")

    assert said.status == 1
    assert "referrals:submit" in said.words
