"""Rotation of the key that signs tokens: done while two processes answer many clients, and noticed by none of them."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from auth.access_token import LIFETIME
from auth.client import Answer, HubClient, over_httpx
from auth.signing_keys import AHEAD, REFRESH, SigningKeys
from tests.auth.kit import unb64
from tests.conftest import Database
from tests.world import ISSUER, KEYRING, NOON, World, build

TICK = 20
"""By how many seconds time moves at once: less than a proof is good for, so that what is under way goes on."""
CACHED = 60
"""Seconds for which others may keep the published keys (Cache-Control of the JWKS)."""


@dataclass
class Balancer:
    """Two hub processes over one database, and clients whose every request goes to the other one than the last."""

    worlds: list[World]
    statuses: list[int] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    rounds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the first."""
        self._turned = asyncio.Condition()
        self._turns = itertools.cycle([over_httpx(world.http) for world in self.worlds])

    def now(self) -> float:
        """Tell the time, which is the same everywhere."""
        return self.worlds[0].now

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Hand a request to whoever's turn it is, and remember how it went."""
        answer = await next(self._turns)(url, headers, body)
        self.statuses.append(answer.status)
        return answer

    async def keep_asking(self, client: HubClient, number: int) -> None:
        """Get new tokens and ask with one that is kept as long as it lives, again and again."""
        self.rounds.append(0)
        while True:
            token = (await client.token()).value
            self.used.add(json.loads(unb64(token.split(".")[0]))["kid"])
            answer = await client.graphql("{ viewer { clientId } cases(first: 1) { totalCount } }")
            assert "errors" not in json.loads(answer.body)
            self.rounds[number] += 1
            async with self._turned:
                self._turned.notify_all()

    async def tick(self, database: Database) -> None:
        """Let time pass, then wait until every client has begun and ended a round."""
        await database.set_now(datetime.fromtimestamp(self.now() + TICK, UTC))
        for world in self.worlds:
            world.now += TICK
        begun = [count + 2 for count in self.rounds]
        async with self._turned:
            await self._turned.wait_for(
                lambda: all(count >= wanted for count, wanted in zip(self.rounds, begun, strict=True))
            )

    async def published(self) -> set[str]:
        """Return the names of the keys that every process publishes."""
        sets = [(await world.http.get(f"{ISSUER}/oauth/jwks")).json()["keys"] for world in self.worlds]
        return set.intersection(*({key["kid"] for key in keys} for keys in sets))


async def test_a_rotation_of_the_signing_key_loses_no_request(database: Database) -> None:
    """From the moment a key is added until the old one is gone, every client gets tokens and answers from both processes.

    And whoever keeps the published keys for as long as they may be kept knows every key before a token is signed with it.
    """
    async with AsyncExitStack() as stack:
        worlds = [await stack.enter_async_context(build(database)) for _ in range(2)]
        await worlds[0].organisation("icorn", "ICORN")
        await worlds[0].organisation("pen-centre")
        balancer = Balancer(worlds)
        names = [f"client-{number}" for number in range(3)]
        asking = []
        async with asyncio.TaskGroup() as group:
            for number, name in enumerate(names):
                credentials = (await worlds[0].client(name, "pen-centre")).credentials
                client = HubClient(credentials, balancer.send, clock=balancer.now)
                asking.append(group.create_task(balancer.keep_asking(client, number)))
            await balancer.tick(database)
            (old,) = await balancer.published()

            # The operator's own process: it shares nothing with the two but the database.
            operator = SigningKeys(await database.connect("hub_auth"), KEYRING, balancer.now)
            assert await operator.rotate()
            known = [await balancer.published()] * (CACHED // TICK)
            # Until the old key has retired, and every process has looked again since.
            while balancer.now() < NOON + AHEAD + REFRESH + LIFETIME + 120:
                balancer.used.clear()
                await balancer.tick(database)
                assert balancer.used <= known[-CACHED // TICK], "A token's key was not published long enough before."
                known.append(await balancer.published())
            for task in asking:
                task.cancel()

    assert set(balancer.statuses) == {200}
    assert known[-1] == balancer.used
    assert old not in known[-1]
    assert {old} | known[-1] in known
