"""Every step of a referral's life is taken by whom the table says, from where it says, and no other is."""

import asyncio
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.cli.lifecycle import Of
from hub.commands import lifecycle_of_cases as lives
from hub.commands.lifecycle import LIVE, STEPS, Party, picture
from schema.enums import ReferralEventKind, ReferralResponse, ReferralStatus
from tests.hub.commands.kit import OPERATIONS, done, referral, referral_id, run
from tests.hub.commands.life import CLIENTS, asked, codes, referred, stands, step
from tests.hub.shell import Run
from tests.world import World

README = Path(__file__).parents[3] / "README.md"
PARTNERS = {Party.SENDER: "pen-centre", Party.RECIPIENT: "arts-haven", Party.ICORN: "icorn"}


@pytest.fixture(name="world")
async def with_another(world: World) -> World:
    """A world with an organisation more, which takes no part."""
    await world.organisation("open-stage")
    await world.client("stage", "open-stage")
    return world


async def test_a_step_goes_from_where_the_table_says_by_whom_it_says_and_no_other(world: World) -> None:
    """Each step, from each state, by each part in a referral and by somebody who has none, to whom it is not there."""
    between = {status: await referred(world, status, case=await world.case()) for status in ReferralStatus}
    received = {status: await referred(world, status, "icorn") for status in ReferralStatus}
    for name, allowed in STEPS.items():
        made = received if name == "openCase" else between
        # Whoever may not, tries first: it changes nothing.
        for party in (None, *sorted(Party, key=lambda party: party in allowed.by)):
            found = await tried(world, name, made, party)
            for status, problems in found.items():
                place = (name, party, status)
                if party in allowed.by and status in allowed.since:
                    assert problems == [], place
                    assert await stands(world, made[status]) == (allowed.to or status), place
                    await world.admin.execute("update referral set status = $2::text::referral_status where id = $1", made[status], status)  # fmt: skip
                    continue
                expected = "NOT_FOUND" if party is None else "WRONG_STATE" if party in allowed.by else "NOT_ALLOWED"
                (problem,) = problems
                assert problem["code"] == ("NOT_ALLOWED" if (name, party) == ("openCase", None) else expected), place
                # Where it stands is for whoever takes part to know.
                assert (status in problem["message"]) == (expected == "WRONG_STATE"), place
                assert await stands(world, made[status]) == status, place


async def tried(
    world: World, name: str, made: dict[ReferralStatus, UUID], party: Party | None
) -> dict[ReferralStatus, list[Any]]:
    """Take a step of each of these referrals in one request; give the problems of each."""
    client, organisation = (CLIENTS[party], PARTNERS[party]) if party else ("stage", "open-stage")
    mutation = "respondToReferral" if name.isupper() else name
    kind = OPERATIONS[mutation][0]
    inputs = {
        status: {"idempotencyKey": str(uuid4()), **await asked(world, referral, name, organisation)}
        for status, referral in made.items()
    }
    declared = ", ".join(f"${status}: {kind}!" for status in inputs)
    fields = " ".join(
        f"{status}: {mutation}(input: ${status}) {{ problems {{ code message path }} }}" for status in inputs
    )
    data = await world.data(
        client, f"mutation ({declared}) {{ {fields} }}", {str(s): given for s, given in inputs.items()}
    )
    return {status: data[status]["problems"] for status in inputs}


def test_the_table_knows_every_response_every_state_and_every_kind_of_event() -> None:
    """What the schema offers is in the table, and the table leads nowhere else."""
    reached = {step.to for step in STEPS.values() if step.to} | {ReferralStatus.SUBMITTED}

    assert set(ReferralResponse) <= set(STEPS)
    assert reached == set(ReferralStatus)
    assert {step.kind for step in STEPS.values() if step.kind} | {ReferralEventKind.SUBMITTED} == set(ReferralEventKind)


async def test_the_database_has_the_same_living_states(world: World) -> None:
    """The second wall and the table mean the same by a live referral."""
    rows = await world.admin.fetch(
        "select s::text as status, lives(s) as lives from unnest(enum_range(null::referral_status)) s"
    )

    assert {row["status"] for row in rows if row["lives"]} == set(LIVE)


def test_the_picture_of_the_readme_is_drawn_from_the_table() -> None:
    """`hub lifecycle --picture` prints it."""
    assert f"```mermaid\n{picture()}\n```" in README.read_text()
    assert f"```mermaid\n{lives.picture(lives.CASE)}\n```" in README.read_text()


def test_the_table_is_printed(hub: Run) -> None:
    """One line a step: who, from where, and where it leads."""
    lines = hub("lifecycle").out.splitlines()

    assert [line.split()[0] for line in lines] == ["step", *STEPS]
    assert "ACCEPT               recipient            IN_REVIEW, INFORMATION_REQUESTED" in "\n".join(lines)
    assert hub("lifecycle", "--picture").out == f"{picture()}\n"


@pytest.mark.parametrize("of", [of for of in Of if of is not Of.REFERRAL])
def test_the_steps_of_a_case_and_of_its_stays_are_printed(hub: Run, of: Of) -> None:
    """One line for each pair of statuses of the table, with the commands that lead from one to the other."""
    table: lives.Table = getattr(lives, of.name)
    told = {tuple(line.split(maxsplit=2)) for line in hub("lifecycle", str(of)).out.splitlines()[1:]}

    assert told == {(since, to, ", ".join(by)) for since, goals in table.items() for to, by in goals.items()}


async def test_of_two_steps_at_once_one_comes_first_and_the_other_is_judged_by_what_it_left(world: World) -> None:
    """Whatever two they are, by one party or by both, on connections of their own: the outcome is that of one order or the other."""
    for one, other in combinations([s for s in STEPS.values() if "IN_REVIEW" in s.since and s.name != "openCase"], 2):
        made = await referred(world, "IN_REVIEW")
        pair = [(s, s.by[-1]) for s in (one, other)]
        inputs = [await asked(world, made, s.name, PARTNERS[party]) for s, party in pair]
        payloads = await asyncio.gather(
            *(
                run(world, CLIENTS[party], "respondToReferral" if s.name.isupper() else s.name, given)
                for (s, party), given in zip(pair, inputs, strict=True)
            )
        )
        outcomes = [codes(payload) for payload in payloads]
        orders = []
        for first, second in ((0, 1), (1, 0)):
            left = pair[first][0].to or ReferralStatus.IN_REVIEW
            goes = left in pair[second][0].since
            outcome = [[], []] if goes else [[("WRONG_STATE", "input.referral")] if n == second else [] for n in (0, 1)]
            orders.append((outcome, (pair[second][0].to or left) if goes else left))
        assert (outcomes, await stands(world, made)) in orders, (one.name, other.name)
        kinds = await world.admin.fetch("select ordinal from referral_event where referral_id = $1 order by 1", made)
        assert [row["ordinal"] for row in kinds] == list(range(1, 2 + outcomes.count([])))


async def test_a_referral_lives_from_its_first_word_to_its_end(world: World) -> None:
    """Told to both sides step by step, with notes that both read, and each step has its event in the outbox."""
    sent = await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    made = await world.admin.fetchval("select id from referral")
    for client, name in (
        ("arts", "ACKNOWLEDGE"), ("arts", "REVIEW"), ("arts", "REQUEST_INFORMATION"), ("pen", "sendMessage"), ("pen", "GIVE_INFORMATION"),
        ("arts", "sendMessage"), ("arts", "ACCEPT"), ("arts", "COMPLETE"),
    ):  # fmt: skip
        assert codes(await step(world, client, made, name, {"pen": "pen-centre", "arts": "arts-haven"}[client])) == []
    asked = "query ($id: ID!) { referral(by: {id: $id}) { status events { edges { node { kind status by { code } note } } } messages { edges { node { from { code } body } } } } }"
    told = (await world.data("pen", asked, {"id": sent["id"]}))["referral"]
    theirs = (await world.data("arts", asked, {"id": await referral_id(world, made, "arts-haven")}))["referral"]

    assert told == theirs
    assert told["status"] == "COMPLETED"
    assert [(e["node"]["kind"], e["node"]["note"]) for e in told["events"]["edges"]] == [
        ("SUBMITTED", None), ("ACKNOWLEDGED", None), ("IN_REVIEW", None), ("INFORMATION_REQUESTED", "Lindenwords"), ("MESSAGE", None),
        ("INFORMATION_GIVEN", None), ("MESSAGE", None), ("ACCEPTED", None), ("COMPLETED", None),
    ]  # fmt: skip
    assert [m["node"] for m in told["messages"]["edges"]] == [
        {"from": {"code": code}, "body": "Lindenwords"} for code in ("pen-centre", "arts-haven")
    ]
    kinds = await world.admin.fetch("select kind, ordinal from event where referral_id is not null order by id")
    assert [row["ordinal"] for row in kinds] == list(range(1, 10))
