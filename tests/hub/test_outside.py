"""Fetching from organisations' own OpenID providers: small documents, from public places, without detours."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from connectors.secrets import from_environment
from hub.outside import LARGEST, fetch_from, named


async def document(_: web.Request) -> web.Response:
    """A document as it should be."""
    return web.Response(body=b"{}")


async def echo(request: web.Request) -> web.Response:
    """What was posted, and how."""
    return web.json_response({**(await request.post()), "authorization": request.headers.get("authorization")})


async def detour(_: web.Request) -> web.Response:
    """A redirect inside."""
    raise web.HTTPFound("/document")


async def flood(_: web.Request) -> web.Response:
    """Too much."""
    return web.Response(body=b"x" * (LARGEST + 1))


@pytest.fixture
async def place() -> AsyncIterator[str]:
    """A server on this machine: host and port."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/document", document),
            web.post("/echo", echo),
            web.get("/detour", detour),
            web.get("/flood", flood),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield f"{host}:{port}"
    await runner.cleanup()


async def test_a_document_is_fetched_and_a_form_is_posted(place: str) -> None:
    """Where the operator allows a private place by name."""
    fetch = fetch_from(frozenset({place}))

    assert await fetch(f"http://{place}/document") == b"{}"
    assert b'"code": "a b"' in await fetch(f"http://{place}/echo", {"code": "a b"}, "Basic x")
    assert b'"Basic x"' in await fetch(f"http://{place}/echo", {"code": "a b"}, "Basic x")


@pytest.mark.parametrize("path", ["detour", "flood", "nothing"])
async def test_anything_else_is_no_answer(place: str, path: str) -> None:
    """A redirect, too much, or another status."""
    with pytest.raises(OSError, match="small document"):
        await fetch_from(frozenset({place}))(f"http://{place}/{path}")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_is_inside_is_not_asked(place: str, scheme: str) -> None:
    """By its number or by a name that leads there, unless it is allowed by name; nor anything without TLS."""
    port = place.partition(":")[2]
    for host in (place, f"localhost:{port}"):
        with pytest.raises(OSError):  # noqa: PT011 whichever it is
            await fetch_from(frozenset())(f"{scheme}://{host}/document")


async def test_a_place_that_does_not_answer_is_one_error(place: str) -> None:
    """The same for whoever asks."""
    with pytest.raises(OSError, match="cannot be reached"):
        await fetch_from(frozenset({place}))(f"https://{place}/document")


def test_a_secret_is_looked_up_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where those of feeds stand."""
    monkeypatch.setenv("HUB_SECRET_PEN_LOGIN", "swordfish")

    assert named(from_environment())("pen-login") == "swordfish"
    with pytest.raises(LookupError):
        named(from_environment())("nobody")
