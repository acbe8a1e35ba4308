"""Where one kind of system is known to lose or blank records, and how its connector does not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey

from connectors.links import next_link
from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor
from connectors.record import CanonicalRecord, Reject
from connectors.tables import rows_of
from tests.connectors.sources import Source, source

START = datetime(2026, 3, 1, tzinfo=UTC)


def with_secret(feed: Source, secret: str) -> None:
    """Have the connector find another secret under every name."""
    connector: Any = feed.connector
    connector.surroundings = replace(connector.surroundings, secrets=lambda _: secret)


async def test_an_edited_kobo_submission_stays_the_same_record() -> None:
    """Although the system gives it another `_uuid` and `meta/instanceID`; and one from before roots were kept has its own."""
    async with source("kobo") as feed:
        feed.put("1", START, "Ada")
        (before,) = (await feed.pages())[0].records
        feed.put("1", START + timedelta(hours=1), "Eda")
        (after,) = (await feed.pages())[0].records
        feed.faults.drift, feed.records[0]["_uuid"] = ("meta/rootUuid", "not there yet"), "1"
        (old,) = (await feed.pages())[0].records

    assert before["_uuid"] != after["_uuid"]  # type: ignore[index]
    assert before["_root"] == after["_root"] == "1"  # type: ignore[index]
    assert old["_root"] == "1"  # type: ignore[index]


async def test_an_encrypted_odk_submission_is_a_reject() -> None:
    """It says nothing of the person, and must not blank what was known of it."""
    async with source("odk") as feed:
        feed.put("1", START)
        feed.records[0]["__system"]["status"] = "notDecrypted"
        ((raw,),) = [page.records for page in await feed.pages()]

        assert feed.connector.map(raw) == Reject("uuid:1", "ENCRYPTED")


async def test_a_fhir_match_comes_with_its_own_patient_and_task_and_with_nobody_elses() -> None:
    """Although a bundle holds those of all its matches."""
    async with source("fhir") as feed:
        for number, name in enumerate(("Ada", "Eda"), 1):
            feed.put(str(number), START + timedelta(hours=number), name)
        ((one, two),) = [page.records for page in await feed.pages()]

        assert [len(raw["included"][kind]) for raw in (one, two) for kind in ("Patient", "Task")] == [1, 1, 1, 1]  # type: ignore[index]
        mapped = [feed.connector.map(raw) for raw in (one, two)]
        names = [
            json.loads(each.documents()["IDENTITY"])["givenName"]
            for each in mapped
            if isinstance(each, CanonicalRecord)
        ]
        assert names == ["Ada", "Eda"]


@pytest.mark.parametrize("parameters", [{"status": "active", "requester": "Organization/1"}, {"code": "x"}])
async def test_a_fhir_server_that_ignores_a_filter_is_not_read(parameters: dict[str, str]) -> None:
    """Everybody would come instead of a few, and the `self` link alone tells."""
    async with source("fhir", parameters=parameters) as feed:
        feed.put("1", START)

        with pytest.raises(FeedProblem) as caught:
            await feed.pages()

    assert caught.value.code is ProblemCode.FILTER_IGNORED


async def test_a_fhir_server_that_counts_what_it_does_not_show_can_be_read_all_the_same() -> None:
    """If whoever connects it says so; else the missing ones are missed."""
    for trusted in (True, False):
        async with source("fhir", trustTotal=trusted) as feed:
            for number in range(1, 4):
                feed.put(str(number), START)
            feed.faults.no_cursor = True
            if trusted:
                with pytest.raises(FeedProblem):
                    await feed.pages()
            else:
                assert [page.complete for page in await feed.pages()] == [True]


@pytest.mark.parametrize("kind", ["fhir", "hub"])
async def test_another_key_gets_no_token(kind: str) -> None:
    """And nothing else than that it was refused is told."""
    async with source(kind) as feed:
        curve = "P-384" if kind == "fhir" else "P-256"
        other = json.dumps(ECKey.generate_key(curve).as_dict(private=True))
        with_secret(feed, other)

        with pytest.raises(FeedProblem) as caught:
            await feed.pages()

    assert caught.value.code is ProblemCode.AUTH_REFUSED


@pytest.mark.parametrize(("kind", "wrong"), [("fhir", "no key"), ("hub", "{}"), ("fhir", json.dumps(ECKey.generate_key("P-256").as_dict(private=False)))])  # fmt: skip
async def test_a_secret_that_is_no_private_key_is_missing(kind: str, wrong: str) -> None:
    """It is not used as something else, and not shown."""
    async with source(kind) as feed:
        with_secret(feed, wrong)

        with pytest.raises(FeedProblem) as caught:
            await feed.pages()

    assert caught.value.code is ProblemCode.SECRET_MISSING


@pytest.mark.parametrize("kind", ["primero", "odk", "fhir", "hub"])
async def test_a_token_is_fetched_once_a_pull_and_anew_when_it_is_refused(kind: str) -> None:
    """A token that ran out between two pages costs no pull."""
    async with source(kind) as feed:
        for number in range(1, 6):
            feed.put(str(number), START)
        feed.faults.after, feed.faults.times, feed.faults.unauthorized_empty = 2, 1, True

        if kind == "hub":  # another proof with the same token would not be taken either
            with pytest.raises(FeedProblem):
                await feed.pages()
        else:
            assert len(set(await feed.idents())) == 5


async def test_primero_brings_the_referrals_of_each_case() -> None:
    """If it is asked to; an id that is none leads nowhere."""
    async with source("primero") as feed:
        feed.put("1", START)
        ((raw,),) = [page.records for page in await feed.pages()]
        feed.records[0]["id"] = "../../tokens"

        assert raw["referrals"][0]["record_id"] == "1"  # type: ignore[index]
        with pytest.raises(FeedProblem) as caught:
            await feed.pages()
        assert caught.value.code is ProblemCode.BAD_SHAPE


TABLE = '\ufeffTitle,,\r\nNumber,Name,Name\r\n#meta +ID,#Name+b+A,#name +a+b\r\n1,Ada,Bea\r\n,,\r\n2,"E, da",\r\n'


def read(text: str, encoding: str = "utf-8-sig", delimiter: str = ",", *, tagged: bool = True) -> list[dict[str, Any]]:
    """Read a table as the settings' defaults have it."""
    return rows_of(text.encode("utf-8"), encoding, delimiter, tagged=tagged, newline=True)


def test_an_hxl_table_is_read_by_its_hashtags() -> None:
    """However they are spaced and ordered; a tag given twice makes a list, and blank rows are none."""
    assert read(TABLE) == [
        {"#meta+id": "1", "#name+a+b": ["Ada", "Bea"]},
        {"#meta+id": "2", "#name+a+b": ["E, da", ""]},
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (TABLE.removesuffix("\r\n"), ProblemCode.TRUNCATED),
        (TABLE + "3,Cut, in,half\r\n", ProblemCode.NOT_A_TABLE),
        (TABLE + '4,"never closed\r\n', ProblemCode.NOT_A_TABLE),
        ("Number,Name\r\n1,Ada\r\n", ProblemCode.NOT_A_TABLE),
        ("<html><body>Log in</body></html>\n", ProblemCode.NOT_A_TABLE),
        ("", ProblemCode.NOT_A_TABLE),
    ],
)
def test_what_is_no_table_or_not_all_of_one_is_not_read(text: str, code: ProblemCode) -> None:
    """Half a table would take those in the other half for gone."""
    with pytest.raises(FeedProblem) as caught:
        read(text)

    assert caught.value.code is code


def test_a_table_may_be_read_by_the_names_in_its_first_row_and_in_other_encodings() -> None:
    """Both as the settings say; nothing is guessed."""
    text = "id;name\r\n1;Zoë\r\n"

    assert rows_of(text.encode("latin-1"), "latin-1", ";", tagged=False, newline=True) == [{"id": "1", "name": "Zoë"}]
    with pytest.raises(FeedProblem):
        rows_of(text.encode("latin-1"), "utf-8-sig", ";", tagged=False, newline=True)


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('<https://a.example/?p=2>; rel="next"', "https://a.example/?p=2"),
        ('<https://a.example/?p=1,2>; title="a; rel=next, or not"; rel="last prev"', None),
        ('</a>; rel=prev, </b>;REL=Next;type="x"', "/b"),
        ('<x>; rel="nextish"', None),
        ("", None),
    ],
)
def test_a_next_link_is_found_among_others(header: str, link: str | None) -> None:
    """As RFC 8288 writes them."""
    assert next_link([header] if header else []) == link


async def test_a_saved_position_that_is_none_of_ours_means_the_start() -> None:
    """Whatever was saved before, nobody is skipped."""
    async with source("kobo") as feed:
        feed.put("1", START)

        assert await feed.idents(Cursor(after="from another time")) == ["1"]
