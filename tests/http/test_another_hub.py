"""A hub reads another one: the real thing, by the real clock."""

import json

from connectors.fakes import hub as fake
from connectors.hub import PARTS
from connectors.kinds import connect
from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor
from connectors.record import CanonicalRecord
from connectors.surroundings import Surroundings
from tests.world import World


async def test_a_hub_reads_the_referrals_that_its_client_may_see_of_another(served: tuple[World, str]) -> None:
    """All of them, page by page, each part of a person in the words of this one; and none of anybody else's."""
    world, issuer = served
    await world.organisation("other")
    mine = {str(await world.referral("pen-centre", submitted_at=f"2026-03-0{day}T00:00:00Z")) for day in (1, 2, 3)}
    await world.referral("other")
    for referral in mine:
        await world.consent(None, "icorn", ["OVERVIEW", "IDENTITY", "PROFILE"], referral_id=referral)
    key = world.clients["pen"].credentials.private_jwk
    around = Surroundings(lambda _: json.dumps(key), frozenset({issuer.removeprefix("http://")}))
    settings = {
        "url": issuer,
        "auth": {"scheme": "hub", "clientId": "pen", "secret": "hub-key"},
        "parts": list(PARTS),
        "pageSize": 2,
    }
    connector = connect("HUB", settings, fake.MAPPING, around)

    pages = [page async for page in connector.pull(Cursor())]

    records = [connector.map(raw) for page in pages for raw in page.records]
    assert [page.complete for page in pages] == [False, True]
    assert len({record.source_id for record in records}) == len(mine) == 3
    assert [
        record if not isinstance(record, CanonicalRecord) else "IDENTITY" in record.person for record in records
    ] == [True] * 3


async def test_a_client_that_the_other_hub_does_not_know_reads_nothing(served: tuple[World, str]) -> None:
    """It is refused, and told no more."""
    world, issuer = served
    key = world.clients["pen"].credentials.private_jwk
    around = Surroundings(lambda _: json.dumps(key), frozenset({issuer.removeprefix("http://")}))
    settings = {"url": issuer, "auth": {"scheme": "hub", "clientId": "somebody", "secret": "hub-key"}}
    problems = []
    try:
        await anext(connect("HUB", settings, fake.MAPPING, around).pull(Cursor()))
    except FeedProblem as problem:
        problems.append(problem.code)

    assert problems == [ProblemCode.AUTH_REFUSED]
