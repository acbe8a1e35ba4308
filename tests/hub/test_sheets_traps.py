"""What spreadsheets and networks do to a sheet: each trap is named with its way out, and none makes a row go twice."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from auth.client import Answer, HubClient, over_httpx
from hub.cli.errors import CommandError
from hub.sheets.cells import CellError, parse
from hub.sheets.columns import columns
from hub.sheets.patience import Patient
from hub.sheets.reading import read
from hub.sheets.rows import rows
from hub.sheets.sending import WHO, Outcome, State, Submission, ask_around, secret_of
from tests.hub.sheets import GOOD, sheet
from tests.world import World, key_of

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("reason\nSecretname é".encode("cp1252"), "is not UTF-8"),
        ("reason\nSecretname".encode("utf-16"), "is not UTF-8"),
        (b"PK\x03\x04\xffSecretname", "is a workbook"),
        (b'reason,to\n"Secretname","x"y', "does not end well"),
        (b'reason,to\n"Secretname,icorn\n', "does not end well"),
        (b"", "the first row should name the columns"),
        (b"Secretname,Sofia,1985\n", "row 1 names no column"),
        (b"sep=;\nreason;to\n", "no row below"),
    ],
)
def test_what_is_no_sheet_is_told_what_to_save(tmp_path: Path, content: bytes, expected: str) -> None:
    """Without a word of what is in it."""
    file = tmp_path / "a.csv"
    file.write_bytes(content)

    with pytest.raises(CommandError, match=expected) as refused:
        read(file)

    assert "Secretname" not in str(refused.value)


def test_a_cell_that_ran_over_is_told_by_its_letter(tmp_path: Path) -> None:
    """As is a column that nobody knows, or that comes twice; rows are counted as spreadsheets do, whatever is within quotes."""
    file = tmp_path / "a.csv"
    file.write_text('reason,Secretname,to,to\n"one\n\ntwo",,icorn,\n\nfour,,icorn,,Secretname\n')

    told = read(file)

    assert [(flaw.row, flaw.column) for flaw in told.flaws] == [(1, "B"), (1, "D"), (4, "E")]
    assert list(told.rows) == [2, 4]
    assert not any("Secretname" in flaw.text for flaw in told.flaws)


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("identity.bornOn", "31193", "own number of a day"),
        ("identity.bornOn", "30/04/1985", "the year first"),
        ("identity.bornOn", "1985-02-30", "no such day"),
        ("contact.channels.1.address", "4.71235E+11", "shortened a long number"),
        ("reason", "#NAME?", "has an error here"),
        ("reason", "########", "has an error here"),
        ("contact.mayContactDirectly", "WAHR", "yes or no"),
        ("profile.works.1.year", "about 2019", "a whole number"),
        ("identity.nationalities", "IR; Iran", "two capital letters"),
        ("threat.sources", "STATE, POLICE", "several with ; between"),
        ("consents.1.categories", ";", "one of OVERVIEW"),
        ("to", "ICORN (Stavanger)", "organisation's code"),
    ],
)
def test_what_a_spreadsheet_spoilt_is_named_with_its_way_out(column: str, cell: str, expected: str) -> None:
    """And never repeated."""
    with pytest.raises(CellError, match=expected) as refused:
        parse(cell, columns()[column])

    assert cell not in str(refused.value) or cell == ";"


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("identity.bornOn", " 1985-04-30 ", date(1985, 4, 30)),
        ("contact.mayContactDirectly", "FALSE", False),
        ("discipline", "visual artist", "VISUAL_ARTIST"),
        ("consents.1.recipients.organisations", "ICORN; organisation_pen-centre", ["organisation_icorn", "organisation_pen-centre"]),
        ("profile.languages", "fa\r\nzh-Hans;", ["fa", "zh-Hans"]),
        ("contact.channels.1.address", "'+47 1", "+47 1"),
        ("reason", "'Tis", "'Tis"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_writes_in_its_own_way_is_understood(column: str, cell: str, expected: object) -> None:
    """Where it can mean but one thing."""
    assert parse(cell, columns()[column]) == expected


def test_a_second_consent_has_columns_of_its_own(tmp_path: Path) -> None:
    """In any order; a number left out is told."""
    more = {
        name.replace("consents.1", "consents.2"): value for name, value in GOOD.items() if name.startswith("consents")
    }
    gap = {**GOOD, "clientReference": "A-2", "profile.works.3.title": "Third"}

    two, three = rows(read(sheet(tmp_path / "a.csv", {**more, **GOOD}, gap)), {}, TODAY)

    assert len(two.input["consents"]) == 2
    assert [flaw.column for flaw in three.flaws if flaw.column.startswith("profile")] == ["profile.works.1"]


def test_the_key_of_a_row_tells_nothing_of_it(tmp_path: Path) -> None:
    """The same row has the same one in every file of a client, another row another, and another client's is another."""
    one = rows(read(sheet(tmp_path / "a.csv", GOOD, {**GOOD, "reason": "Another."})), {}, TODAY)
    (same,) = rows(read(sheet(tmp_path / "b.csv", dict(reversed(GOOD.items())), separator="\t")), {}, TODAY)
    keys = [secret_of(key_of(name).as_dict(private=True)) for name in ("pen", "arts")]

    assert one[0].key(keys[0]) == same.key(keys[0])
    assert len({one[0].key(keys[0]), one[1].key(keys[0]), one[0].key(keys[1])}) == 3


async def at_once(_: float) -> None:
    """Wait no time."""


async def states(hub: Patient, file: Path, today: date = TODAY) -> list[State]:
    """Submit a sheet row by row, as of a day; what became of each."""
    known = await ask_around(hub)
    made = rows(read(file), known.organisations, today)
    assert [row.flaws for row in made] == [[] for row in made]
    outcomes = {row.number: Outcome(row.number) for row in made}
    await Submission(hub, known, b"secret").send(made, outcomes, 1, lambda: None)
    return [outcome.state for outcome in outcomes.values()]


async def test_a_budget_that_is_spent_is_waited_for(world: World) -> None:
    """As long as Retry-After says, and no longer."""
    speaker = await world.client("small", "pen-centre", limits={"cost_per_minute": 1000})
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        world.now += seconds

    hub = Patient(speaker, "REFERRAL", sleep=sleep)
    for _ in range(12):
        assert (await hub.ask(WHO, {}))["viewer"]

    assert waited == [60]


async def test_a_break_in_the_middle_submits_nothing_twice(world: World, tmp_path: Path) -> None:
    """An answer lost on the way is asked for again by the same key; when none comes at all, no further row is begun, and the next run ends the work."""
    over = over_httpx(world.http)
    lost = 2

    async def losing(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        nonlocal lost
        answer = await over(url, headers, body)
        if b"submitReferral" in body and b'"A-2"' in body and lost:
            lost -= 1
            raise CommandError("Nothing answers.")
        return answer

    credentials = world.clients["pen"].credentials
    hub = Patient(HubClient(credentials, losing, clock=lambda: world.now), "REFERRAL", sleep=at_once)
    file = sheet(tmp_path / "a.csv", *({**GOOD, "clientReference": f"A-{number}"} for number in range(1, 6)))

    lost = 99
    assert await states(hub, file) == [State.SUBMITTED, State.UNCERTAIN, *[State.NOT_SENT] * 3]
    lost = 2
    assert await states(hub, file) == [State.SUBMITTED] * 5
    assert await world.admin.fetchval("select count(*) from referral") == 5


async def test_a_refused_row_is_judged_anew_each_time(world: World, tmp_path: Path) -> None:
    """What stood in its way may be gone, though the row is what it was: here its clock was ahead of the hub's."""
    hub = Patient(world.clients["pen"], "REFERRAL", sleep=at_once)
    file = sheet(tmp_path / "a.csv", {**GOOD, "consents.1.givenOn": "2026-06-02"})
    tomorrow = TODAY + timedelta(days=1)

    assert await states(hub, file, tomorrow) == [State.REFUSED]
    world.now += 86400
    await world.database.set_now(datetime.fromtimestamp(world.now, UTC))
    assert await states(hub, file, tomorrow) == [State.SUBMITTED]
