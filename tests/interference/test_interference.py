"""The promise: what a principal may not see changes no byte of any answer it can get, in whatever order it asks."""

import asyncio
import json
import zlib

import pytest
from graphql import parse

from tests.interference.names import pairwise
from tests.interference.pairs import pair
from tests.interference.principals import PRINCIPALS
from tests.interference.probe import probe
from tests.interference.twins import SOUND, STANDING, TIMES, Filled, Leak, Twins

SEQUENCES = 30
"""Sequences of operations for each pair of worlds."""


@pytest.mark.parametrize("number", range(1, TIMES + 1))
@pytest.mark.parametrize("walls", STANDING, ids=lambda walls: walls.name)
@pytest.mark.parametrize("name", PRINCIPALS)
def test_worlds_that_differ_in_what_is_hidden_are_answered_alike(
    runner: asyncio.Runner, filled: Filled, name: str, walls: Leak, number: int
) -> None:
    """Status, headers and body are the same to the byte, for queries, mutations and sequences of them, with either wall down too."""
    share = SEQUENCES if walls is SOUND else SEQUENCES // 4
    twins = Twins(filled, pair(PRINCIPALS[name], number), walls)
    probe(runner, twins, zlib.crc32(f"{name} {walls.name} {number}".encode()), share)


@pytest.mark.parametrize("walls", STANDING, ids=lambda walls: walls.name)
@pytest.mark.parametrize("name", [name for name, asker in PRINCIPALS.items() if asker.may("referrals:read")])
def test_what_webhooks_are_sent_tells_nothing_of_what_is_hidden(
    runner: asyncio.Runner, filled: Filled, name: str, walls: Leak
) -> None:
    """Whatever else happens: each message, its name, its signature and its time, and what is told of the deliveries, are the same to the byte."""
    twins = Twins(filled, pair(PRINCIPALS[name], 1), walls)
    runner.run(twins.fresh())
    try:
        told = runner.run(twins.hear())
    finally:
        runner.run(twins.aclose())
    assert told.body.count(b"referral.event") > 1


def test_whoever_may_not_open_cases_is_not_told_that_there_is_one(runner: asyncio.Runner, filled: Filled) -> None:
    """Only the desk opens cases; anybody else hears that, and not that the person it referred has a case already."""
    worlds = pair(PRINCIPALS["a sender of referrals"], 0)
    twins = Twins(filled, worlds, SOUND)
    referral = pairwise(worlds.principal.organisation, "referral", 102)
    asked = parse(
        f'mutation {{ openCase(input: {{idempotencyKey: "k", referral: "referral_{referral}", riskLevel: LOW}}) {{ problems {{ code }} }} }}'
    )
    runner.run(twins.fresh())
    try:
        answer = runner.run(twins.ask(asked))
    finally:
        runner.run(twins.aclose())
    assert json.loads(answer.body)["data"] == {"openCase": {"problems": [{"code": "NOT_ALLOWED"}]}}
