"""A partner's admins register its clients, change their keys and scopes, and end them; and nobody's but its own."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth.client import Credentials, HubClient, TokenRefusedError, over_httpx
from auth.scopes import NAMES
from tests.hub.commands.kit import done, events, found
from tests.hub.person import person
from tests.hub.test_ceiling import restored
from tests.world import ISSUER, World

PEN, ARTS = {"organisation": "organisation_pen-centre"}, {"organisation": "organisation_arts-haven"}
OLD, NEW = (ECKey.generate_key("P-256") for _ in range(2))


def keys(*pairs: ECKey) -> dict[str, Any]:
    """Give the public keys as `hub keygen` prints them."""
    return {"keys": [pair.as_dict(private=False, kid=f"k{number}") for number, pair in enumerate(pairs)]}


def asking(world: World, client: str, pair: ECKey, number: int = 0) -> HubClient:
    """Ask as a client by one of its keys."""
    known = Credentials(client, pair.as_dict(private=True, kid=f"k{number}"), ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql")  # fmt: skip
    return HubClient(known, over_httpx(world.http), clock=lambda: world.now)


def wanted(**changed: Any) -> dict[str, Any]:
    """Give an input that registers a client."""
    return {**PEN, "name": "Our desk", "scopes": ["cases:read", "referrals:submit"], "jwks": keys(OLD), **changed}


async def test_a_client_is_registered_by_its_public_keys_and_asks_at_once(world: World) -> None:
    """Under a name of the hub's; when it last got a token is told to the hour."""
    made = await done(world, "pen", "createClient", wanted())
    told = await asking(world, made["clientId"], OLD).graphql(
        "{ viewer { clientId clientName scopes } }", purpose="REFERRAL"
    )
    seen = await world.data(
        "pen", "query ($id: ID!) { node(id: $id) { ... on Client { lastUsedAt } } }", {"id": made["id"]}
    )

    assert made["clientId"].startswith("pen-centre-")
    assert (made["name"], made["status"], made["lastUsedAt"]) == ("Our desk", "ACTIVE", None)
    assert made["jwks"] == keys(OLD)
    assert (
        b'"scopes": ["cases:read", "referrals:submit"]' in told.body
        or b'"scopes":["cases:read","referrals:submit"]' in told.body
    )
    assert seen["node"]["lastUsedAt"] == "2026-06-01T12:00:00+00:00"
    assert await events(world) == ["client.created"]


async def test_a_key_is_changed_with_both_good_for_a_while(world: World) -> None:
    """The new one beside the old, then the new one alone; then the old one gets no token."""
    client = await done(world, "pen", "createClient", wanted())
    named = {"client": client["id"]}
    await done(world, "pen", "updateClient", {**named, "jwks": keys(OLD, NEW)})
    both = [await asking(world, client["clientId"], pair, number).token() for number, pair in enumerate((OLD, NEW))]
    await done(world, "pen", "updateClient", {**named, "jwks": keys(NEW)})

    assert all(both)
    assert await asking(world, client["clientId"], NEW).token()
    with pytest.raises(TokenRefusedError, match="invalid_client"):
        await asking(world, client["clientId"], OLD).token()


async def test_what_is_taken_away_ends_with_the_next_statement(world: World) -> None:
    """A token that has a scope the client lost is dead, and every token of a client that was disabled."""
    client = await done(world, "pen", "createClient", wanted())
    asker = asking(world, client["clientId"], OLD)
    assert (await asker.graphql("{ viewer { clientId } }")).status == 200
    narrowed = await done(world, "pen", "updateClient", {"client": client["id"], "scopes": ["cases:read"]})
    assert narrowed["scopes"] == ["cases:read"]
    assert (await asker.graphql("{ viewer { clientId } }")).status == 401
    again = asking(world, client["clientId"], OLD)
    assert (await again.graphql("{ viewer { clientId } }")).status == 200
    ended = await done(world, "pen", "disableClient", {"client": client["id"], "reason": "Lost"})

    assert ended["status"] == "DISABLED"
    assert (await again.graphql("{ viewer { clientId } }")).status == 401
    assert await found(world, "pen", "updateClient", {"client": client["id"], "name": "Back"}) == [
        ("DISABLED", "input.client")
    ]


async def test_all_that_is_wrong_with_a_client_is_said_at_once(world: World) -> None:
    """Each beside its field; a private key is refused, and no scope that somebody typed is repeated."""
    wrong = wanted(name="", scopes=["cases:read", "Sycamore"], jwks={"keys": [OLD.as_dict(private=True, kid="k")]})

    assert await found(world, "pen", "createClient", wrong) == [
        ("BAD_NAME", "input.name"),
        ("BAD_KEYS", "input.jwks"),
        ("UNKNOWN_SCOPE", "input.scopes.1"),
    ]
    assert await found(world, "pen", "createClient", wanted(scopes=[], jwks="x")) == [
        ("BAD_KEYS", "input.jwks"),
        ("REQUIRED", "input.scopes"),
    ]
    assert await found(world, "pen", "updateClient", {"client": "client_none", "jwks": None}) == [
        ("NOT_FOUND", "input.client"),
        ("BAD_KEYS", "input.jwks"),
    ]


async def test_nobody_gives_what_their_own_token_does_not_have(world: World) -> None:
    """Not as a scope; nor by new keys for a client that has more, which would be a way in with all of it."""
    await world.client("keeper", "pen-centre", ["access:manage", "cases:read"])
    more = await done(world, "pen", "createClient", wanted(scopes=["cases:read", "cases:identity"]))

    assert await found(world, "keeper", "createClient", wanted(scopes=["cases:read", "cases:identity"])) == [
        ("NOT_HELD", "input.scopes.1")
    ]
    assert await found(world, "keeper", "updateClient", {"client": more["id"], "jwks": keys(NEW)}) == [
        ("NOT_HELD", "input.jwks")
    ]
    assert await found(
        world, "keeper", "updateClient", {"client": more["id"], "scopes": ["cases:identity", "cases:health"]}
    ) == [("NOT_HELD", "input.scopes.1")]
    both = await done(
        world, "keeper", "updateClient", {"client": more["id"], "scopes": ["cases:read"], "jwks": keys(NEW)}
    )
    assert both["jwks"] == keys(NEW)


async def test_nor_what_is_above_the_ceiling_of_the_organisation(world: World) -> None:
    """Not even ICORN gives a partner what no agreement of its lists, or what is ICORN's own."""
    await restored(world)
    await world.agreement("arts-haven", ["OVERVIEW", "PROFILE"])
    given = wanted(**ARTS, scopes=["cases:profile", "cases:identity", "cases:erase"])

    assert await found(world, "desk", "createClient", given) == [
        ("NOT_HELD", "input.scopes.1"),
        ("NOT_HELD", "input.scopes.2"),
    ]
    assert (await done(world, "desk", "createClient", {**given, "scopes": ["cases:profile"]}))["scopes"] == [
        "cases:profile"
    ]


async def test_an_admin_acts_where_they_work_and_icorns_everywhere(world: World) -> None:
    """Another organisation's clients are not there; whoever is no admin changes nothing, whatever their scopes."""
    staff = await person(world, "staff", "pen", "pen-centre", sorted(NAMES))
    admin = await person(world, "admin", "pen", "pen-centre", sorted(NAMES), role="ADMIN")
    jon = await person(world, "jon", "desk", "icorn", sorted(NAMES), role="ADMIN")
    world.clients |= {"staff": staff, "admin": admin, "jon": jon}
    theirs = await done(world, "arts", "createClient", wanted(**ARTS))
    end = {"client": theirs["id"], "reason": "Asked"}
    listed = "{ organisations { edges { node { code clients { clientId } users { name } } } } }"

    async def seen(who: str) -> dict[str, tuple[int, int]]:
        nodes = [edge["node"] for edge in (await world.data(who, listed))["organisations"]["edges"]]
        return {node["code"]: (len(node["clients"]), len(node["users"])) for node in nodes}

    assert await found(world, "admin", "createClient", wanted(**ARTS)) == [("NOT_ALLOWED", "input.organisation")]
    assert await found(world, "admin", "disableClient", end) == [("NOT_FOUND", "input.client")]
    assert await found(world, "staff", "createClient", wanted()) == [("NOT_ALLOWED", "input")]
    assert await seen("staff") == {"arts-haven": (0, 0), "icorn": (0, 0), "pen-centre": (0, 0)}
    assert await seen("admin") == {"arts-haven": (0, 0), "icorn": (0, 0), "pen-centre": (1, 2)}
    assert await seen("jon") == {"arts-haven": (2, 0), "icorn": (1, 1), "pen-centre": (1, 2)}
    assert (await done(world, "jon", "disableClient", end))["status"] == "DISABLED"


async def test_nobody_ends_or_narrows_the_client_that_they_ask_with(world: World) -> None:
    """It would be an answer that nobody hears; its keys they may change, and its name."""
    own = {"client": "client_pen"}

    assert await found(world, "pen", "disableClient", {**own, "reason": "Oops"}) == [("OWN_CLIENT", "input.client")]
    assert await found(world, "pen", "updateClient", {**own, "scopes": ["access:manage"]}) == [
        ("OWN_CLIENT", "input.scopes")
    ]
    assert (await done(world, "pen", "updateClient", {**own, "jwks": keys(NEW)}))["jwks"] == keys(NEW)


async def test_of_two_who_change_a_client_at_once_one_waits(world: World) -> None:
    """A narrowing and new keys, sent together by many: what stands in the end was sent by one of them, whole."""
    client = await done(world, "pen", "createClient", wanted())
    sent = [
        {"client": client["id"], "name": f"Number {number}", "scopes": scopes}
        for number, scopes in enumerate((["cases:read"], ["referrals:submit"], ["cases:read", "referrals:submit"]))
    ]
    await asyncio.gather(*(done(world, "pen", "updateClient", each) for each in sent))
    row = await world.admin.fetchrow("select name, scopes from client where client_id = $1", client["clientId"])

    assert (row["name"], row["scopes"]) in [(each["name"], each["scopes"]) for each in sent]


async def test_an_organisation_has_fifty_clients_at_a_time(world: World) -> None:
    """Each has a budget of its own; one that is disabled makes room."""
    await world.admin.execute(
        "insert into client (client_id, organisation, name, scopes) select 'pen-' || n, $1, 'x', '{cases:read}' from generate_series(2, 50) n",
        world.organisations["pen-centre"],
    )

    assert await found(world, "pen", "createClient", wanted()) == [("TOO_MANY", "input.organisation")]
    await done(world, "pen", "disableClient", {"client": "client_pen-2", "reason": "Unused"})
    assert (await done(world, "pen", "createClient", wanted()))["status"] == "ACTIVE"
