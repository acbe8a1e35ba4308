"""This module walks: it asks both worlds every recipe, with what the asker knows put into its places, and counts what was asked."""

import json
from collections.abc import Iterable
from typing import Any, Final

from graphql import parse

from tests.interference.commands import written
from tests.interference.coverage import Coverage
from tests.interference.examples import NoExample
from tests.interference.facts import FEEDS, ORGANISATIONS, Case, Referral
from tests.interference.following import answers
from tests.interference.names import ids, ids_of, pairwise, spoken
from tests.interference.pairs import REFERENCES
from tests.interference.principals import Principal
from tests.interference.recipes import FIRST, mutations, queries, subscriptions, turns
from tests.interference.standing import standing
from tests.interference.twins import Twins, cursors

TOGETHER: Final = 4
"""Recipes that are asked in one operation."""


class Walk:
    """Asks one pair of worlds every recipe."""

    def __init__(self, twins: Twins, coverage: Coverage) -> None:
        self._twins, self._coverage = twins, coverage
        self._words = words(twins.pair.principal)
        self._pool = ids(twins.pair.principal.organisation, (twins.pair.left, twins.pair.right))
        self._keys = 0

    async def run(self) -> None:
        """Ask everything: first what reads, then what follows, then what changes."""
        told = await self._ask(FIRST)
        self._learn("audit", _found(told, "id"))
        for together in _some(queries()):
            await self._ask(f"{{ {' '.join(together)} }}")
        told = await self._ask(f"{{ {' '.join(turn.first for turn in turns())} }}")
        for turn in turns():
            self._learn(turn.alias, cursors(_found(told, turn.alias)))
        on = [then for turn in turns() if turn.alias in self._words for then in turn.then]
        if on:
            await self._ask(f"{{ {' '.join(on)} }}")
        for template in subscriptions():
            await self._follow(template)
        for together in _some(mutations()):
            await self._ask(f"mutation {{ {' '.join(together)} }}")

    def _learn(self, word: str, told: list[str]) -> None:
        if told:
            self._words[word] = f'"{told[0]}"'

    async def _ask(self, template: str) -> Any:
        document = parse(written(template, self._say), no_location=True)
        answer = await self._twins.ask(document)
        told = json.loads(answer.body)
        # What is refused as a whole asks nothing.
        assert "data" in told, f"{written(template, self._say)}\n{told}"
        self._coverage.note(document, self._twins.pair.principal.scopes, told["data"])
        return told["data"]

    async def _follow(self, template: str) -> None:
        document = parse(written(template, self._say), no_location=True)
        told = json.loads((await self._twins.ask(document)).body)
        scopes = self._twins.pair.principal.scopes
        if isinstance(told, list):
            for data in answers(told):
                self._coverage.note(document, scopes, data)
        else:
            # What is denied at its root is not followed at all.
            assert {error["extensions"]["code"] for error in told["errors"]} == {"UNAUTHORIZED_FIELD_OR_TYPE"}
            self._coverage.note(document, scopes, None)

    def _say(self, word: str) -> str:
        """Give what stands for a word: what the asker surely knows, or else whatever it could guess."""
        if word == "key":
            self._keys += 1
            return f'"walk-{self._keys}"'
        guessed = (f'"{name}"' for name in self._pool if name.partition("_")[0] == word)
        found = self._words.get(word) or next(guessed, None)
        if found is None:
            raise NoExample(f"names.py and walk.py know nothing that ${word} could stand for")
        return found


def words(principal: Principal) -> dict[str, str]:
    """Give what a principal knows by name, of what is there for sure."""
    organisation = principal.organisation
    other = next(code for code, kind in ORGANISATIONS.items() if kind == "SISTER" and code != organisation)
    found = {
        "organisation": f"organisation_{other}",
        "own": f"organisation_{organisation}",
        "reference": REFERENCES[0],
        "ownFeed": next((feed for feed, owner in FEEDS.items() if owner == organisation), "pen-feed"),
        "category": "HEALTH",
    }
    for fact in standing(principal):
        for name in ids_of(organisation, fact):
            found.setdefault(name.partition("_")[0], name)
        if isinstance(fact, Case):
            found.setdefault("caseReference", spoken("C-", pairwise(organisation, "case", fact.id)))
        if isinstance(fact, Referral):
            found.setdefault("referralReference", spoken("R-", pairwise(organisation, "referral", fact.id)))
    return {word: name if word == "category" else f'"{name}"' for word, name in found.items()}


def _some(recipes: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return (recipes[start : start + TOGETHER] for start in range(0, len(recipes), TOGETHER))


def _found(value: Any, name: str) -> list[Any]:
    """Find every value of this name in an answer."""
    if isinstance(value, list):
        return [each for item in value for each in _found(item, name)]
    if isinstance(value, dict):
        return [each for key, item in value.items() for each in ([item] if key == name else _found(item, name))]
    return []
