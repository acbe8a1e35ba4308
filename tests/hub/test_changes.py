"""The feed of changes: a copy that is kept by it, and by reading what it names, is what there is to see; and nothing hidden moves it."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hub.postgres import open_pool
from hub.worker import turn
from tests.hub.commands.kit import case_id
from tests.world import World

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

FOLLOW = "query ($after: String) { changes(after: $after, first: 2) { changes { kind subject type at } endCursor hasNextPage } }"
SEEN = "id stands: status withheld identity { familyName } health { needs }"
ONE = f"query ($id: ID!) {{ node(id: $id) {{ ... on Case {{ {SEEN} }} ... on Referral {{ id status events {{ totalCount }} }} }} }}"
ALL = f"{{ cases(first: 500) {{ edges {{ node {{ {SEEN} }} }} }} referrals(first: 500) {{ edges {{ node {{ id status events {{ totalCount }} }} }} }} }}"


class Copy:
    """What a partner keeps: it reads on, and reads again whatever is named."""

    def __init__(self, world: World, client: str) -> None:
        self.world, self.client = world, client
        self.after: str | None = None
        self.kept: dict[str, Any] = {}

    async def follow(self) -> list[tuple[str, str]]:
        """Read on to the end; give what was told."""
        told = []
        while True:
            feed = (await self.world.data(self.client, FOLLOW, {"after": self.after}))["changes"]
            for change in feed["changes"]:
                told.append((change["kind"], change["subject"]))
                found = (await self.world.ask(self.client, ONE, {"id": change["subject"]}))["data"]["node"]
                if found is None:
                    self.kept.pop(change["subject"], None)
                else:
                    self.kept[change["subject"]] = found
            self.after = feed["endCursor"]
            if not feed["hasNextPage"]:
                return told

    async def true(self) -> bool:
        """Tell whether the copy is what there is to see."""
        data = await self.world.data(self.client, ALL)
        nodes = [edge["node"] for name in ("cases", "referrals") for edge in data[name]["edges"]]
        return self.kept == {node["id"]: node for node in nodes}


async def test_a_copy_is_kept_true(world: World) -> None:
    """What is opened, edited where it is seen, and closed again; by time alone, too."""
    copy = Copy(world, "pen")
    assert await copy.follow() == []
    case = await world.case()
    theirs = await case_id(world, case, "pen-centre")
    await world.agreement("pen-centre")
    assert await copy.follow() == []
    consent = await world.consent(case)
    assert await copy.follow() == [("UPSERT", theirs)]
    await world.admin.execute("update case_file set status = 'INVITED'")
    assert await copy.follow() == [("UPSERT", theirs)]
    await world.admin.execute("update case_identity set sealed = sealed")
    assert await copy.follow() == [("UPSERT", theirs)]
    assert await copy.true()
    await world.admin.execute("update consent set withdrawn_at = $2 where id = $1", consent, NOON + timedelta(hours=1))
    assert await copy.follow() == []
    await world.set_now(NOON + timedelta(hours=1))
    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await turn(pool)
    assert await copy.follow() == [("RETRACTED", theirs)]
    assert copy.kept == {}
    assert await copy.follow() == []


async def test_what_is_hidden_moves_nothing(world: World) -> None:
    """Not a byte of the answer: neither another's case, nor what is closed of one's own, nor what the scopes do not open."""
    case = await world.case()
    await world.agreement("pen-centre")
    await world.consent(case)
    await world.client("narrow", "pen-centre", ["cases:read", "changes:read"])
    copies = {client: Copy(world, client) for client in ("pen", "narrow")}
    for copy in copies.values():
        await copy.follow()
    before = {client: await world.ask(client, FOLLOW, {"after": copy.after}) for client, copy in copies.items()}
    other = await world.case()
    await world.consent(other, "arts-haven")
    await world.agreement("arts-haven")
    await world.admin.execute("update case_file set status = 'CLOSED' where id = $1", other)
    await world.admin.execute("update case_health set sealed = sealed")
    await world.admin.execute("insert into consent (id, case_id, decision, categories, given_on, recorded_by) select gen_random_uuid(), $1, 'DENY', '{HEALTH}', '2026-01-01', 1", case)  # fmt: skip
    assert {client: await world.ask(client, FOLLOW, {"after": copy.after}) for client, copy in copies.items()} == before
    await world.admin.execute("update case_identity set sealed = sealed where case_id = $1", case)

    assert await copies["narrow"].follow() == []
    assert [kind for kind, _ in await copies["pen"].follow()] == ["UPSERT"]
    assert await world.ask("arts", FOLLOW, {"after": copies["pen"].after}) != before["pen"]


async def test_whoever_writes_at_the_same_time_loses_no_change(world: World) -> None:
    """Writers that commit late and in any order, some of which take back what they did, while a copy is kept: in the end it is true."""
    cases = [await world.case() for _ in range(4)]
    await world.agreement("pen-centre", ["OVERVIEW", "IDENTITY", "HEALTH"])
    for case in cases[:2]:
        await world.consent(case, categories=["OVERVIEW", "IDENTITY"])
    copy, chance, over = Copy(world, "pen"), random.Random(7), asyncio.Event()  # noqa: S311 a test's chance

    async def write(number: int) -> None:
        connection = await world.database.connect("postgres")
        own = random.Random(number)  # noqa: S311 as above
        for _ in range(12):
            transaction = connection.transaction()
            await transaction.start()
            await change(connection, own, own.choice(cases))
            await asyncio.sleep(own.random() / 20)
            await (transaction.rollback() if own.random() < 0.2 else transaction.commit())

    async def change(connection: Any, own: random.Random, case: UUID) -> None:
        match own.randrange(5):
            case 0:
                await connection.execute("update case_file set status = (array['CANDIDATE', 'INVITED', 'CLOSED']::case_status[])[1 + floor(random() * 3)] where id = $1", case)  # fmt: skip
            case 1:
                await connection.execute("update case_identity set sealed = sealed where case_id = $1", case)
            case 2:
                await connection.execute("insert into consent (id, case_id, decision, categories, given_on, recorded_by) values ($2, $1, 'ALLOW', '{OVERVIEW,HEALTH}', '2026-01-01', 1)", case, uuid4())  # fmt: skip
            case 3:
                await connection.execute("update consent set withdrawn_at = hub_now() where case_id = $1 and withdrawn_at is null", case)  # fmt: skip
            case _:
                await connection.execute(
                    "update agreement set origins = case when origins is null then '{TR}'::text[] end"
                )

    async def keep() -> None:
        while not over.is_set():
            await copy.follow()
            await asyncio.sleep(chance.random() / 50)

    keeping = asyncio.create_task(keep())
    await asyncio.gather(*(write(number) for number in range(3)))
    over.set()
    await keeping
    await copy.follow()

    assert await copy.true()
