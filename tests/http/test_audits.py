"""GraphQL over HTTP, as others judge it: every audit of graphql-http, over real HTTP, each request with a token and a proof."""

from auth.clients import set_client
from tests.http.conftest import Node
from tests.world import World

NEEDS_A_URL = {"5A70", "D6D5", "6A70"}
"""The audits, all of them a MAY, that put an operation's text into a URL."""


async def test_every_audit_is_ok(served: tuple[World, str], node: Node) -> None:
    """All 61, for a client that may put text into a URL."""
    world, _ = served
    await set_client(world.admin, "pen", text_in_urls=True)

    told = await node("audits.mjs", "pen")

    assert [audit for audit in told if audit["status"] != "ok"] == []
    assert len(told) == 61


async def test_a_client_that_keeps_text_out_of_urls_loses_what_needs_them_and_no_more(
    served: tuple[World, str], node: Node
) -> None:
    """As every client is from the first: what is refused is only what the specification leaves to the server."""
    del served
    told = await node("audits.mjs", "pen")

    assert {audit["id"] for audit in told if audit["status"] != "ok"} == NEEDS_A_URL
    assert all(audit["name"].startswith("MAY") for audit in told if audit["id"] in NEEDS_A_URL)
