"""Trusted documents over HTTP: asked for by id, and for a client set so nothing else, at once and before anything else is looked at."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest

from auth.client import proof
from auth.clients import set_client
from tests.conftest import Database
from tests.hub.test_http import post
from tests.world import ISSUER, World, build

VIEWER = "query Viewer { viewer { clientId } }"
CITIES = "query Cities($name: String) { cities(filter: {name: $name}) { totalCount } }"
TWO = "query One { __typename } mutation Two($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { problems { code } } }"
UNKNOWN = (403, "DOCUMENT_UNKNOWN")


def of(text: str) -> str:
    """Give the id of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two partners' clients; one has published documents."""
    async with build(database) as made:
        await made.organisation("icorn", "ICORN")
        for name in ("pen", "arts"):
            await made.organisation(f"{name}-centre")
            await made.client(name, f"{name}-centre", limits={})
        for text in (VIEWER, CITIES, TWO):
            await publish(made, text)
        yield made


async def publish(world: World, text: str, client: str = "pen") -> None:
    """Publish a document, as hub documents publish does."""
    await world.admin.execute(
        "insert into trusted_document (client_id, digest, text, names) values ($1, sha256(convert_to($2::text, 'UTF8')), $2, '{}')",
        client,
        text,
    )


async def ask(world: World, client: str = "pen", **body: Any) -> httpx2.Response:
    """Send a body by POST."""
    return await post(world, json.dumps(body), client=client)


async def get(
    world: World, headers: dict[str, str] | None = None, pairs: list[tuple[str, str]] | None = None, **parameters: str
) -> httpx2.Response:
    """Send a GET as pen, with its token and a fresh proof."""
    asker = world.clients["pen"]
    token = (await asker.token()).value
    sent = {
        "Accept": "application/graphql-response+json",
        "Authorization": f"DPoP {token}",
        "DPoP": proof(asker._proof_key, f"{ISSUER}/graphql", world.now, method="GET", access_token=token),  # noqa: SLF001 the kit's own key
    }
    return await world.http.get(
        f"{ISSUER}/graphql?{urlencode(pairs or parameters)}", headers={**sent, **(headers or {})}
    )


def told(answer: httpx2.Response) -> tuple[int, Any]:
    """Give the status of an answer, and its only error's code or its data."""
    body = answer.json()
    return answer.status_code, body["data"] if "data" in body else body["errors"][0]["extensions"]["code"]


async def fresh(world: World, client: str = "pen") -> None:
    """Have the client get a new token with its next request."""
    world.clients[client]._token = None  # noqa: SLF001 as if it had ended


async def test_a_published_document_is_asked_for_by_its_id(world: World) -> None:
    """With variables and an operation's name, as if its text had been sent; by text too, as long as nothing else is set."""
    await world.city("bergen")

    named = await ask(world, documentId=of(TWO), operationName="One")
    filtered = [await ask(world, documentId=of(CITIES), variables={"name": name}) for name in ("Bergen", "x")]
    other = await ask(world, query="{ __typename }")

    assert told(named) == (200, {"__typename": "Query"})
    assert [told(answer)[1]["cities"]["totalCount"] for answer in filtered] == [1, 0]
    assert told(other) == (200, {"__typename": "Query"})


@pytest.mark.parametrize(
    "identifier", [of("{ __typename }"), of(VIEWER)[7:], of(VIEWER).upper(), "md5:00", "", of(VIEWER) + "\n"]
)
async def test_whatever_is_no_id_of_a_published_document_is_unknown(world: World, identifier: str) -> None:
    """One code, whether it could be an id or not."""
    assert told(await ask(world, documentId=identifier)) == UNKNOWN


async def test_a_document_is_known_for_the_client_it_was_published_for_alone(world: World) -> None:
    """Another's is unknown, also after its owner has just asked for it."""
    mine = await ask(world, documentId=of(VIEWER))
    theirs = await ask(world, "arts", documentId=of(VIEWER))

    assert (told(mine)[0], told(theirs)) == (200, UNKNOWN)
    assert theirs.json() == (await ask(world, "arts", documentId=of("never published"))).json()


@pytest.mark.parametrize(
    "text", ["{ __typename }", "{ not even", "{ nothing }", "{ cases(first: 100000) { totalCount } }", VIEWER + " "]
)
async def test_any_other_text_of_a_client_set_so_is_refused_before_anything_else(world: World, text: str) -> None:
    """Nothing is said of what is wrong with it, and nothing of it is parsed."""
    await set_client(world.admin, "pen", documents_only=True)

    answer = await ask(world, query=text)

    assert told(answer) == UNKNOWN
    assert len(answer.json()["errors"]) == 1
    known = world.app.state.engine.documents.known
    assert known(hashlib.sha256(text.encode()).digest(), world.organisations["pen-centre"]) is None


async def test_a_client_set_so_asks_for_what_is_published_by_id_or_by_text(world: World) -> None:
    """And another client goes on as it was."""
    await set_client(world.admin, "pen", documents_only=True)

    answers = [await ask(world, **body) for body in ({"documentId": of(VIEWER)}, {"query": VIEWER})]
    other = await ask(world, "arts", query="{ __typename }")

    assert [told(answer) for answer in answers] == [(200, {"viewer": {"clientId": "pen"}})] * 2
    assert told(other)[0] == 200


async def test_a_client_is_set_so_at_once(world: World) -> None:
    """A token that was given before helps nothing, and nothing was read or changed for it."""
    before = await ask(world, query="{ __typename }")
    await set_client(world.admin, "pen", documents_only=True)
    after = await ask(world, query="{ __typename }")
    change = {"i": {"idempotencyKey": "k", "consent": "consent_x", "reason": "r"}}
    changed = await ask(world, query=TWO.partition("} ")[2].strip() + " ", variables=change)
    published = await ask(world, query=VIEWER)

    assert told(before)[0] == 200
    assert (told(after), told(changed)) == (UNKNOWN, UNKNOWN)
    assert told(published)[0] == 200
    assert await world.admin.fetchval("select count(*) from audit") == 0
    assert await world.admin.fetchval("select count(*) from outcome") == 0


async def test_the_gate_knows_whose_a_document_is(world: World) -> None:
    """A token from before that a client was set so runs its own published texts, and none that was published for another."""
    await publish(world, "{ __typename }", "arts")
    before = await ask(world, query="{ __typename }")
    await set_client(world.admin, "pen", documents_only=True)
    theirs, mine = [await ask(world, query=text) for text in ("{ __typename }", VIEWER)]

    assert (told(before)[0], told(theirs), told(mine)[0]) == (200, UNKNOWN, 200)


async def test_a_document_is_withdrawn_at_once(world: World) -> None:
    """Whatever a process remembers of it; published anew, it is there again."""
    for only in (False, True):
        await set_client(world.admin, "pen", documents_only=only)
        await fresh(world)
        before = await ask(world, documentId=of(VIEWER))
        await world.admin.execute("delete from trusted_document where digest = sha256(convert_to($1, 'UTF8'))", VIEWER)
        withdrawn = await ask(world, documentId=of(VIEWER))
        await publish(world, VIEWER)
        again = await ask(world, documentId=of(VIEWER))

        assert (told(before)[0], told(withdrawn), told(again)[0]) == (200, UNKNOWN, 200)


async def test_who_asks_by_documents_that_are_not_published_spends_of_its_budget(world: World) -> None:
    """So that ids cannot be tried out for nothing."""
    answers = [await ask(world, documentId=of(str(number))) for number in range(2)]

    first, second = [int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for answer in answers]
    assert second < first


async def test_documents_are_not_persisted_by_asking(world: World) -> None:
    """Apollo's automatic persisted queries are told that they are not offered, so that their client sends the text."""
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": of(VIEWER)[7:]}}
    tried = await ask(world, extensions=hashed)
    sent = await ask(world, query="{ a: __typename }", extensions={"persistedQuery": {"version": 1, "sha256Hash": "x"}})
    later = await ask(world, documentId=of("{ a: __typename }"))

    assert told(tried) == (400, "PERSISTED_QUERY_NOT_SUPPORTED")
    assert (told(sent)[0], told(later)) == (200, UNKNOWN)


async def test_get_asks_for_a_published_query_by_its_id(world: World) -> None:
    """Nothing is in the URL but ids and names of the client's own documents."""
    found = await get(world, documentId=of(VIEWER))
    named = await get(world, documentId=of(TWO), operationName="One")
    empty = await get(world, documentId=of(VIEWER), operationName="")

    assert [told(answer)[0] for answer in (found, named, empty)] == [200] * 3


@pytest.mark.parametrize(
    "parameters",
    [{"query": VIEWER}, {"documentId": of(CITIES), "variables": '{"name": "Unrepeatable"}'}, {"documentId": of(VIEWER), "extensions": "{}"}],
)  # fmt: skip
async def test_text_and_variables_stay_out_of_urls(world: World, parameters: dict[str, str]) -> None:
    """Logs on the way would keep them: a client may do it only if it is set so, and then only as far as it may ask at all."""
    refused = await get(world, pairs=list(parameters.items()))
    await set_client(world.admin, "pen", text_in_urls=True)
    allowed = await get(world, pairs=list(parameters.items()))
    await set_client(world.admin, "pen", documents_only=True)
    other = await get(world, query="{ __typename }")

    assert told(refused) == (400, "BAD_REQUEST")
    assert "Unrepeatable" not in refused.text
    assert told(allowed)[0] == 200
    assert told(other) == UNKNOWN


async def test_get_changes_nothing(world: World) -> None:
    """405 in either media type, before its variables are looked at."""
    for accept in ("application/json", "application/graphql-response+json"):
        answer = await get(world, {"Accept": accept}, documentId=of(TWO), operationName="Two")

        assert told(answer) == (405, "BAD_REQUEST")
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "query",
    ["documentId=a&documentId=b", "documentId=a&query=b", "", "operationName=x", "query={__typename}&variables=[]",
     "query={__typename}&variables=x", "query={__typename}&extensions=1"],
)  # fmt: skip
async def test_a_url_that_asks_for_nothing_clear_is_a_bad_request(world: World, query: str) -> None:
    """Also where text may stand in it."""
    await set_client(world.admin, "pen", text_in_urls=True)
    answer = await get(world, pairs=parse_qsl(query, keep_blank_values=True))

    assert told(answer) == (400, "BAD_REQUEST")
