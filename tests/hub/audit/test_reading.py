"""The log as its readers see it: each organisation its own accesses, ICORN all, and the person's ledger on their case."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from auth.scopes import Scope
from tests.hub.audit.logs import settle, verdicts
from tests.world import EVERY_SCOPE, World

EVENT = "id at organisation { code } actor action outcome case { id } categories basis purpose"
EVENTS = f"{{ auditEvents {{ totalCount edges {{ node {{ {EVENT} }} }} }} }}"
LOOK = "{ cases { edges { node { id riskLevel identity { familyName } health { needs } } } } }"
HEADS = "{ auditHeads { edges { node { treeSize rootHash signature signedAt } } } }"
LEDGER = f"query ($id: ID!) {{ case(by: {{id: $id}}) {{ accessLog {{ totalCount edges {{ node {{ {EVENT} }} }} }} }} }}"


@pytest.fixture
async def peopled(world: World) -> World:
    """A case that the PEN Centre sees by an agreement and that Arts Haven is shown a part of."""
    case = await world.case(case_id=UUID(int=7))
    await world.consent(case)
    await world.agreement("pen-centre")
    await world.insert("share", id=str(UUID(int=8)), case_id=str(case), organisation=world.organisations["arts-haven"], categories=["OVERVIEW"], starts="2026-01-01T00:00:00Z")  # fmt: skip
    return world


async def events(world: World, client: str, query: str = EVENTS, variables: Any = None) -> list[Any]:
    """What a client reads of the log, once everything is in it."""
    await settle(world)
    told = await world.data(client, query, variables)
    connection = told.get("auditEvents") or told["case"]["accessLog"]
    assert connection["totalCount"] == len(connection["edges"])
    return [edge["node"] for edge in connection["edges"]]


async def name(world: World, client: str) -> str:
    """How a client's organisation knows the case."""
    found: str = (await world.data(client, "{ cases { edges { node { id } } } }"))["cases"]["edges"][0]["node"]["id"]
    return found


async def test_an_access_says_who_when_what_why_and_on_which_basis(peopled: World) -> None:
    """Its categories are those that were asked for and open: health was asked for, and was not."""
    await peopled.data("pen", LOOK)

    (event,) = await events(peopled, "pen")

    assert event.pop("id").startswith("audit_")
    assert event == {
        "at": "2026-06-01T12:00:00+00:00", "organisation": {"code": "pen-centre"}, "actor": "pen", "action": "query cases", "outcome": "DONE",
        "case": {"id": await name(peopled, "pen")}, "categories": ["OVERVIEW", "IDENTITY"], "basis": ["AGREEMENT"], "purpose": "PROTECTION",
    }  # fmt: skip


async def test_an_access_is_told_to_the_hour(peopled: World) -> None:
    """Neither the interface nor what is hashed says more of when."""
    await peopled.set_now(datetime(2026, 6, 1, 14, 37, 55, tzinfo=UTC))
    await peopled.data("pen", LOOK)

    (event,) = await events(peopled, "pen")
    text = await peopled.admin.fetchval("select entry from audit_leaf")

    assert event["at"] == "2026-06-01T14:00:00+00:00"
    assert '"hour":"2026-06-01T14:00:00Z"' in text
    assert ":37" not in text


@pytest.mark.parametrize("asked", ["totalCount", "edges { node { id } }"])
async def test_who_is_found_by_name_was_read_by_name(peopled: World, asked: str) -> None:
    """Whoever asks for a name and is answered with a case knows whose it is: the record says so, and it is retracted like what was shown."""
    find = f'{{ cases(filter: {{familyName: "NAME"}}) {{ {asked} }} }}'
    for asker in ("pen", "arts"):
        await peopled.data(asker, find.replace("NAME", "Farahani"))
    await peopled.data("pen", find.replace("NAME", "Somebody"))
    found = [set(event["categories"]) for event in await events(peopled, "pen") if event["case"]]
    await peopled.admin.execute("update consent set withdrawn_at = hub_now()")
    owed = await peopled.admin.fetch("select organisation, categories from retraction")

    assert set().union(*found) == {"OVERVIEW", "IDENTITY"}
    assert [(row["organisation"], row["categories"]) for row in owed] == [
        (peopled.organisations["pen-centre"], ["OVERVIEW", "IDENTITY"])
    ]


async def test_the_basis_is_the_one_of_that_moment(peopled: World) -> None:
    """An agreement that ended since, and a share that began since, change nothing in what is on record."""
    await peopled.data("pen", LOOK)
    await peopled.admin.execute("update agreement set ended_at = hub_now() + interval '1 hour'")
    org = peopled.organisations["pen-centre"]
    await peopled.insert("share", id=str(UUID(int=9)), case_id=str(UUID(int=7)), organisation=org, categories=["OVERVIEW", "HEALTH"], starts="2026-06-01T12:30:00Z")  # fmt: skip
    await peopled.consent(UUID(int=7), "pen-centre", ["HEALTH"])
    for hour, minute in ((12, 0), (12, 40), (13, 45)):
        await peopled.set_now(datetime(2026, 6, 1, hour, minute, tzinfo=UTC))
        await peopled.data("pen", LOOK)

    told = [
        (event["at"][11:13], set(event["basis"]), set(event["categories"])) for event in await events(peopled, "pen")
    ]

    assert sorted(told, key=str) == sorted(
        [
            ("12", {"AGREEMENT"}, {"OVERVIEW", "IDENTITY"}),
            ("12", {"AGREEMENT"}, {"OVERVIEW", "IDENTITY"}),
            ("12", {"AGREEMENT", "SHARE"}, {"OVERVIEW", "IDENTITY", "HEALTH"}),
            ("13", {"SHARE"}, {"OVERVIEW", "HEALTH"}),
        ],
        key=str,
    )


async def test_an_organisation_reads_its_own_log_and_icorn_all(peopled: World) -> None:
    """What others did is not there: in lists, counts, by id, in the ledger of a case both see, or as a proof."""
    for client in ("pen", "arts", "arts", "desk"):
        await peopled.data(client, LOOK)
    everything = await events(peopled, "desk")
    theirs = [event for event in everything if event["organisation"]["code"] == "arts-haven"]

    assert sorted(event["organisation"]["code"] for event in everything) == ["arts-haven", "arts-haven", "icorn", "pen-centre"]  # fmt: skip
    assert {event["case"]["id"] for event in everything} == {await name(peopled, "desk")}
    assert [event["actor"] for event in await events(peopled, "pen") if event["action"] != "query cases case"] == [
        "pen"
    ]
    ledger = await events(peopled, "pen", LEDGER, {"id": await name(peopled, "pen")})
    assert {event["organisation"]["code"] for event in ledger} == {"pen-centre"}
    for event in theirs:
        told = await peopled.data("pen", "query ($id: ID!) { node(id: $id) { id } auditProof(event: $id) { entry } }", {"id": event["id"]})  # fmt: skip
        assert told == {"node": None, "auditProof": None}
        assert (await peopled.data("desk", "query ($id: ID!) { node(id: $id) { id } }", {"id": event["id"]}))["node"]
    other = 'auditEvents(filter: {organisation: "organisation_arts-haven"}) { totalCount edges { node { id } } }'
    assert (await peopled.data("pen", f"{{ {other} }}"))["auditEvents"] == {"totalCount": 0, "edges": []}
    assert (await peopled.data("desk", f"{{ {other} }}"))["auditEvents"]["totalCount"] == 2


async def test_the_ledger_of_a_person_is_complete_also_after_access_ended(peopled: World) -> None:
    """Who saw the case once is in it, though a hold or an end of sharing has closed the case to them since."""
    for client in ("pen", "arts"):
        await peopled.data(client, LOOK)
    await peopled.admin.execute("update share set ended_at = hub_now()")
    await peopled.insert("hold", id=str(UUID(int=9)), case_id=str(UUID(int=7)), organisation=peopled.organisations["pen-centre"], starts="2026-06-01T12:00:00Z")  # fmt: skip
    await peopled.admin.execute("delete from case_access where upper(overview) <= hub_now()")

    ledger = await events(peopled, "desk", LEDGER, {"id": await name(peopled, "desk")})

    codes = [(event["organisation"]["code"], event["basis"]) for event in ledger]
    assert ("pen-centre", ["AGREEMENT"]) in codes
    assert ("arts-haven", ["SHARE"]) in codes


async def test_a_case_that_was_closed_to_the_viewer_is_named_no_more(peopled: World) -> None:
    """The access stays in its log; whose it was does not, nor does a filter by the case find it."""
    await peopled.data("pen", LOOK)
    case = await name(peopled, "pen")
    wanted = "query ($id: ID!) { auditEvents(filter: {case: $id}) { totalCount } }"
    await settle(peopled)
    before = await peopled.data("pen", wanted, {"id": case})
    await peopled.insert("hold", id=str(UUID(int=9)), case_id=str(UUID(int=7)), organisation=peopled.organisations["pen-centre"], starts="2026-06-01T12:00:00Z")  # fmt: skip

    assert before["auditEvents"]["totalCount"] == 2
    assert (await peopled.data("pen", wanted, {"id": case}))["auditEvents"]["totalCount"] == 0
    assert [event["case"] for event in await events(peopled, "pen")] == [None, None]


async def test_what_was_read_of_a_cases_referral_is_in_its_ledger(peopled: World) -> None:
    """The person in both is one: the sender's own readings of what it sent are accesses too."""
    await peopled.referral("pen-centre", case=UUID(int=7))
    await peopled.data("pen", "{ referrals { edges { node { person { identity { givenName } } } } } }")

    ledger = await events(peopled, "desk", LEDGER, {"id": await name(peopled, "desk")})

    (event,) = [event for event in ledger if event["organisation"]["code"] == "pen-centre"]
    assert (event["action"], event["basis"]) == ("query referrals", ["REFERRER"])
    assert event["case"] == {"id": await name(peopled, "desk")}


async def test_filters_narrow_what_is_read(peopled: World) -> None:
    """By time and by what was done."""
    await peopled.data("pen", LOOK)
    await peopled.data("pen", "{ referrals { totalCount } }")
    await settle(peopled)

    for given, count in (
        ('{from: "2026-06-01T12:00:00Z"}', 2),
        ('{from: "2026-06-01T13:00:00Z"}', 0),
        ('{to: "2026-06-01T11:00:00Z"}', 0),
        ('{to: "2026-06-01T12:00:00Z", action: ["query cases"]}', 1),
        ('{action: ["query cases", "query referrals"]}', 2),
        ('{case: "case_00000000-0000-0000-0000-000000000000"}', 0),
        ('{case: "nonsense"}', 0),
    ):
        told = await peopled.data("pen", f"{{ auditEvents(filter: {given}) {{ totalCount }} }}")
        assert told["auditEvents"]["totalCount"] == count, given


async def test_pages_of_the_log_go_on_where_they_ended(peopled: World) -> None:
    """Newest first, every access once."""
    for _ in range(5):
        await peopled.data("pen", LOOK)
    await settle(peopled)
    found, after = [], None
    while True:
        page = (await peopled.data("pen", "query ($after: String) { auditEvents(first: 2, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }", {"after": after}))["auditEvents"]  # fmt: skip
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(found) == len(set(found)) == 5
    leaves = await peopled.admin.fetch(
        "select 'audit_' || leaf || '_1' as id from audit_event where reader = organisation order by leaf_index desc"
    )
    assert found == [row["id"] for row in leaves]


async def test_no_two_organisations_logs_have_a_name_in_common(peopled: World) -> None:
    """Entries of one case in two logs cannot be joined, nor with what the case is called anywhere else."""
    for client in ("pen", "arts", "desk"):
        await peopled.data(client, LOOK)
    await settle(peopled)

    rows = await peopled.admin.fetch("select organisation, subject from audit_event")
    named = {str(row["subject"]) for row in rows}

    assert len(named) == 3
    for table, column in (("case_file", "id"), ("case_file", "pseudonym"), ("case_access", "pairwise")):
        assert not named & {str(r[0]) for r in await peopled.admin.fetch(f"select {column} from {table}")}  # noqa: S608


async def test_with_the_case_goes_all_that_links_it_to_the_log(peopled: World) -> None:
    """The log stays whole and provable, and nothing that remains tells whose accesses they were."""
    for client in ("pen", "arts"):
        await peopled.data(client, LOOK)
    await settle(peopled)
    secret = await peopled.admin.fetchval("select pseudonym::text from case_file")
    subjects = {str(r["subject"]) for r in await peopled.admin.fetch("select subject from audit_event")}
    await peopled.admin.execute("delete from case_file")

    assert all(verdict.fault is None for verdict in (await verdicts(peopled)).values())
    assert [event["case"] for event in await events(peopled, "desk")] == [None, None]
    tables = await peopled.admin.fetch(
        "select relname from pg_class where relnamespace = 'hub'::regnamespace and relkind = 'r'"
    )
    holding = set()
    for row in tables:
        for (text,) in await peopled.admin.fetch(f"select t::text from {row['relname']} t"):  # noqa: S608 our own names
            assert secret not in text
            assert str(UUID(int=7)) not in text
            holding |= {row["relname"] for subject in subjects if subject in text}
    assert holding == {"audit", "audit_leaf", "audit_event"}


async def test_without_the_scope_there_is_one_error_and_nothing_else(peopled: World) -> None:
    """audit:read opens the log, everywhere it is met."""
    await peopled.client("reader", "icorn", [scope for scope in EVERY_SCOPE if scope != Scope.AUDIT_READ])
    await peopled.data("pen", LOOK)
    await settle(peopled)
    name = await peopled.admin.fetchval("select leaf from audit_event")

    for query in (EVENTS, HEADS, "{ cases { edges { node { accessLog { totalCount } } } } }", f'{{ node(id: "audit_{name}_1") {{ id }} }}', f'{{ auditProof(event: "audit_{name}_1") {{ entry }} }}', '{ auditConsistency(fromSize: "1", toSize: "1") { hashes } }'):  # fmt: skip
        answer = await peopled.ask("reader", query)
        assert [error["extensions"]["requiredScopes"] for error in answer["errors"]] == [[["audit:read"]]], query
        assert "pen-centre" not in str(answer["data"])
