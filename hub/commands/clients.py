"""This module changes an organisation's clients: by its own admins, and by ICORN's. No private key is ever taken."""

from typing import Any, Final

import msgspec

from auth import jwk
from auth.clients import name_problems
from hub.commands.access import DISABLED, NOT_THERE, administer, judge_scopes, managed, note
from hub.commands.asker import Asker, Input, Problems, problems
from hub.commands.cases import judge_reason
from hub.engine.parameters import split_id

MOST: Final = 50
"""Clients of an organisation at a time: each has a budget of its own, and together they must not be without one."""
KEYS: Final = "select viewer_sets_keys($1, $2::text::jsonb)"


async def create_client(asker: Asker, given: Input) -> str:
    """Register a client by its public keys, with scopes that the asker holds and the organisation may have."""
    with problems() as found:
        await administer(asker, found)
        whose = await managed(asker, given["organisation"], found)
        note(found, name_problems(given["name"]) + jwk.problems(given["jwks"]))
        if whose is not None:
            await judge_scopes(asker, whose.id, given["scopes"], found)
            await _judge_number(asker, whose.id, found)
    assert whose is not None  # noqa: S101 a missing one is a problem
    # The hub's own name for it: one that was chosen could be tried, to find out which there are.
    client = f"{whose.code}-{asker.new_id('client').hex[:16]}"
    await asker.connection.execute(
        "insert into client (client_id, organisation, name, scopes) values ($1, $2, $3, $4)",
        client,
        whose.id,
        given["name"].strip(),
        sorted(set(given["scopes"])),
    )
    await _set_keys(asker, client, given["jwks"])
    await asker.tell("client.created")
    return client


async def update_client(asker: Asker, given: Input) -> str:
    """Change a client. What it may not do any more ends at once, as does what it would be let in with by a key that is taken away."""
    with problems() as found:
        await administer(asker, found)
        client = await _named(asker, given["client"], found)
        if "name" in given:
            note(found, name_problems(given["name"] or ""))
        if "jwks" in given:
            note(found, jwk.problems(given["jwks"]))
        if client is not None:
            await _judge(asker, client, given, found)
    await asker.connection.execute(
        "update client set name = coalesce($2, name), scopes = coalesce($3, scopes) where client_id = $1",
        client["client_id"],
        given["name"].strip() if "name" in given else None,
        sorted(set(given["scopes"])) if "scopes" in given else None,
    )
    if "jwks" in given:
        await _set_keys(asker, client["client_id"], given["jwks"])
    await asker.tell("client.changed")
    named: str = client["client_id"]
    return named


async def disable_client(asker: Asker, given: Input) -> str:
    """End a client and its tokens with the next statement of any process."""
    with problems() as found:
        await administer(asker, found)
        client = await _named(asker, given["client"], found)
        judge_reason(given, found)
        if client is not None and client["client_id"] == asker.principal.client:
            found.add("OWN_CLIENT", "You ask with this very client: disable it with another.", "client")
    await asker.connection.execute("update client set status = 'DISABLED' where client_id = $1", client["client_id"])
    await asker.tell("client.disabled")
    named: str = client["client_id"]
    return named


async def _judge_number(asker: Asker, organisation: int, found: Problems) -> None:
    await asker.alone(f"clients of {organisation}")
    count = "select count(*) from client where organisation = $1 and status = 'ACTIVE'"
    if await asker.connection.fetchval(count, organisation) >= MOST:
        text = f"An organisation has at most {MOST} clients at a time: disable one that nobody uses."
        found.add("TOO_MANY", text, "organisation")


async def _judge(asker: Asker, client: Any, given: Input, found: Problems) -> None:
    if client["status"] == "DISABLED":
        found.add("DISABLED", DISABLED, "client")
    scopes = client["scopes"]
    if "scopes" in given:
        scopes = given["scopes"] or []
        await judge_scopes(asker, client["organisation"], scopes, found, had=client["scopes"])
        if client["client_id"] == asker.principal.client and not asker.principal.scopes.issubset(scopes):
            found.add(
                "OWN_CLIENT", "You ask with this very client, and with these scopes: narrow it with another.", "scopes"
            )
    if "jwks" in given and not asker.principal.scopes.issuperset(scopes):
        text = "Whoever sets keys can do all that the client may: you do not hold all of its scopes. Narrow them, or ask somebody who does."
        found.add("NOT_HELD", text, "jwks")


async def _named(asker: Asker, identifier: str, found: Problems) -> Any:
    """Find a client that the asker manages, as it is once nobody else is deciding about it."""
    find = "select client_id, organisation, scopes, status::text from client where client_id = $1 and viewer_manages(organisation)"
    named = split_id(identifier, "client:client")
    client = await asker.connection.fetchrow(find, named)
    if client is None:
        found.add("NOT_FOUND", NOT_THERE, "client")
        return None
    await asker.alone(f"client {named}")
    return await asker.connection.fetchrow(find, named)


async def _set_keys(asker: Asker, client: str, keys: Any) -> None:
    document = msgspec.json.encode({"keys": list(keys["keys"])}).decode()
    done = await asker.connection.fetchval(KEYS, client, document)
    assert done  # noqa: S101 whatever speaks against it is a problem
