"""Whatever the schema offers is asked for: each field with its scope and without it, each argument, each value, by every kind of principal."""

import asyncio

import pytest

from auth.scopes import NAMES
from tests.interference.commands import COMMANDS
from tests.interference.coverage import Coverage, coordinates
from tests.interference.facts import ORGANISATIONS
from tests.interference.pairs import pair
from tests.interference.principals import PRINCIPALS, Principal, variants
from tests.interference.recipes import fields
from tests.interference.twins import STANDING, TIMES, Filled, Leak, Twins
from tests.interference.walk import Walk

KINDS = {"SISTER": "pen-centre", "CITY": "harbour-city", "ICORN": "icorn"}


def walks(kind: str) -> list[tuple[Principal, Leak]]:
    """Give who walks: every principal of a kind of organisation as it is, and its widest and narrower tokens; the widest, with either wall down too."""
    tokens = variants(KINDS[kind])
    own = [p for p in PRINCIPALS.values() if ORGANISATIONS[p.organisation] == kind and p.scopes != NAMES]
    found = [(principal, STANDING[0]) for principal in (*tokens.values(), *own)]
    alone = tokens.values() if TIMES > 1 else [tokens["every scope"]]
    return found + [(principal, walls) for principal in alone for walls in STANDING[1:]]


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_the_schema_is_asked_for_and_worlds_that_differ_in_what_is_hidden_answer_alike(
    runner: asyncio.Runner, filled: Filled, kind: str
) -> None:
    """What was never asked, or never with its scope, or never without it, is named: a new field, argument or value has to be walked."""
    coverage = Coverage()
    for principal, walls in walks(kind):
        # The worlds of the kinds themselves are filled already, for what is drawn.
        twins = Twins(filled, pair(principal, int(principal in PRINCIPALS.values())), walls)
        runner.run(twins.fresh())
        try:
            runner.run(Walk(twins, coverage).run())
        finally:
            runner.run(twins.aclose())
    assert coverage.missing() == {"with its scope": [], "without its scope": [], "sent": []}
    if kind == "ICORN":
        # From it alone nothing is kept by policy: so every field had an object to be read of.
        assert sorted(set(coordinates()) - coverage.reached) == []


def test_every_mutation_has_commands_and_every_command_a_mutation() -> None:
    """One entry in commands.py has a mutation drawn, walked and counted."""
    assert set(COMMANDS) == set(fields("Mutation"))
