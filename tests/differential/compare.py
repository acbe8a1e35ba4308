"""One operation, answered by the hub over HTTP and by the oracle: the same, down to the order of keys, or an AssertionError."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from hub.engine.plan import UNAUTHORIZED
from tests.differential.expected import denials
from tests.differential.oracle import Oracle, Who, expires_at
from tests.differential.pools import pools
from tests.differential.tables import Tables, read_tables
from tests.population import CLIENTS, populate
from tests.world import World


@dataclass
class Pair:
    """The hub and an oracle for each client, over one world."""

    world: World
    tables: Tables
    oracles: dict[str, Oracle]
    pools: dict[str, dict[str, list[str]]]

    async def compare(
        self, client: str, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> Any:
        """Ask both; give the data they agree on."""
        oracle, given = self.oracles[client], variables or {}
        expected = oracle.answer(query, given, operation)
        assert not expected.errors, expected.errors
        answer = await self.world.send(client, query, given, operation=operation)
        told = _pairs(answer.body.decode())
        errors = told.pop("errors", [])
        assert list(told) == ["data"], (answer.status, errors, query, given)
        hub, plain = _plain(told["data"]), _plain(_pairs(json.dumps(expected.data)))
        assert hub == plain, "\n".join([f"{client}: {query} {given}", *_difference(plain, hub)])
        _same_denials(errors, Counter(denials(query, given, operation, oracle.who.scopes)))
        return expected.data


def _same_denials(errors: list[dict[str, Any]], expected: Counter[Any]) -> None:
    found = Counter(
        (tuple(error["path"]), tuple(map(tuple, error["extensions"]["requiredScopes"]))) for error in errors
    )
    assert {error["extensions"]["code"] for error in errors} <= {UNAUTHORIZED}
    assert found == expected


def _pairs(body: str) -> Any:
    """Read JSON; a key that stands twice in one object is a fault."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), pairs
        return found

    return json.loads(body, object_pairs_hook=unique, parse_int=float)


def _difference(expected: str, told: str) -> list[str]:
    return list(unified_diff(expected.splitlines(), told.splitlines(), "graphql-core", "hub", lineterm=""))


def _plain(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)


async def pair(world: World) -> Pair:
    """Fill a world and make an oracle for each of its clients."""
    await populate(world)
    return await judged(world)


async def judged(world: World) -> Pair:
    """Make an oracle for each client of a world as it is."""
    for name in CLIENTS:
        # That a client was there, the hub tells of it.
        await world.send(name, "{ __typename }")
    tables = await read_tables(world)
    oracles = {}
    for name, (organisation, scopes) in CLIENTS.items():
        token = world.clients[name]._token  # noqa: SLF001 its end is part of an answer
        assert token is not None
        who = Who(world.organisations[organisation], name, frozenset(scopes), "PROTECTION", expires_at(token.value))
        oracles[name] = Oracle(tables, who)
    return Pair(world, tables, oracles, {name: pools(oracle, oracles) for name, oracle in oracles.items()})
