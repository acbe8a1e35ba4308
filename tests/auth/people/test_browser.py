"""A real browser and a real ceremony: invitation, passkey, sign-in, a second passkey, by keyboard and on a small screen."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import asyncpg
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from auth.keyring import Keyring
from auth.people import People
from auth.people.routes import routes
from tests.auth.people.chromium import PROGRAM, Tab, chromium
from tests.auth.people.kit import House, build
from tests.conftest import Database

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no browser here: apt-get install chromium")
PICTURES = os.environ.get("PICTURES_OF_PAGES")
"""A folder to put pictures of the pages in, for whoever changes how they look."""
WIDE, NARROW = 1100, 320


@pytest.fixture
async def served(database: Database, pool: asyncpg.Pool, keyring: Keyring) -> AsyncIterator[House]:
    """The pages at http://localhost, where browsers make passkeys without TLS."""
    listening = socket.create_server(("127.0.0.1", 0))
    issuer = f"http://localhost:{listening.getsockname()[1]}"
    async with build(database, pool, keyring) as house:
        # The browser's clock cannot be pinned.
        house.people = People(issuer, pool, keyring, clock=time)
        app = house.app = Starlette(routes=routes())
        app.state.people, app.state.heard = house.people, []

        async def heard(scope: Scope, receive: Receive, send: Send) -> None:
            # What a log or a proxy could write down: the line and the headers of a request.
            app.state.heard.append(f"{scope['path']}?{scope['query_string']!r} {scope['headers']}")
            await app(scope, receive, send)

        server = uvicorn.Server(uvicorn.Config(heard, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield house
        server.should_exit = True
        await serving


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A tab of a new browser, with a device that keeps passkeys."""
    async with chromium(tmp_path / "profile") as opened:
        await opened.give_authenticator()
        yield opened


async def fits(tab: Tab, name: str) -> None:
    """Look at the page as it is on a desk and on a small phone: nothing is wider than the screen."""
    for width in (WIDE, NARROW):
        for dark in (False, True):
            if PICTURES:
                await tab.look(width, Path(PICTURES) / f"{name}-{width}{'-dark' if dark else ''}.png", dark=dark)
            else:
                await tab.call(
                    "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
                )
            assert await tab.value("document.documentElement.scrollWidth <= window.innerWidth"), (name, width)


def complaints(tab: Tab) -> list[str]:
    """Return what the browser complained of: what the policy stopped, scripts that failed."""
    entries = [event["params"] for event in tab.events if event.get("method") == "Log.entryAdded"]
    thrown = [str(event) for event in tab.events if event.get("method") == "Runtime.exceptionThrown"]
    # The browser asks for an icon on its own.
    return thrown + [e["entry"]["text"] for e in entries if "favicon" not in e["entry"].get("url", "")]


async def joined(house: House, tab: Tab, name: str = "Sara Lindqvist") -> str:
    """Open an invitation and make a passkey; return the user."""
    invited = await house.invite(name, email="sara@pen.example")
    await tab.open(invited.link(house.people.issuer))
    await tab.until("document.querySelector('#invitation').value.length === 43")
    await tab.click("form[action='/invitation'] button")
    await tab.until("document.querySelector('#label')")
    await tab.value("document.querySelector('#label').value = 'work laptop'")
    await tab.click("form[action='/invitation/passkey'] button")
    await tab.at("/account")
    return invited.user


async def test_a_person_comes_in_by_a_link_and_again_by_the_passkey(served: House, tab: Tab) -> None:
    """As a browser does it, with nothing of the policy broken, and the invitation gone from the address before it is sent."""
    invited = await served.invite("Sara Lindqvist")
    await tab.open(invited.link(served.people.issuer))
    await tab.until("document.querySelector('#invitation').value.length === 43")
    address = await tab.value("location.href")
    await fits(tab, "invitation")
    await tab.click("form[action='/invitation'] button")
    await tab.until("document.querySelector('#label')")
    await fits(tab, "joining")
    await tab.value("document.querySelector('#label').value = 'work laptop'")
    await tab.click("form[action='/invitation/passkey'] button")
    await tab.at("/account")
    greeted = await tab.value("document.body.innerText")
    await fits(tab, "account")
    await tab.click("form[action='/sign-out'] button")
    await tab.at("/sign-in")
    await fits(tab, "sign-in")
    await tab.click("form[action='/sign-in'] button")
    await tab.at("/account")

    assert address == f"{served.people.issuer}/invitation"
    assert "Sara Lindqvist" in greeted
    assert "work laptop" in greeted
    assert complaints(tab) == []
    assert invited.token not in " ".join(served.app.state.heard)
    assert "/invitation" in " ".join(served.app.state.heard)


async def test_the_cookie_is_out_of_reach_of_scripts(served: House, tab: Tab) -> None:
    """On http://localhost too, where browsers keep Secure cookies."""
    await joined(served, tab)
    kept = {cookie["name"]: cookie for cookie in (await tab.call("Network.getCookies"))["cookies"]}
    session = kept["__Host-hub-session"]

    assert await tab.value("document.cookie") == ""
    assert (session["secure"], session["httpOnly"], session["sameSite"], session["path"]) == (True, True, "Lax", "/")
    assert session["domain"] == "localhost"


async def test_everything_can_be_done_from_the_keyboard(served: House, tab: Tab) -> None:
    """Signing in is Tab until the button has the focus, which shows, and Enter; nothing is out of reach or out of order."""
    await joined(served, tab)
    await tab.click("form[action='/sign-out'] button")
    await tab.at("/sign-in")
    await tab.press("Tab")
    first = await tab.value("document.activeElement.className")
    await tab.press("Tab")
    focused = await tab.value("document.activeElement.innerText")
    outline = await tab.value("getComputedStyle(document.activeElement).outlineWidth")
    await tab.press("Enter")
    await tab.at("/account")

    assert (first, focused, outline) == ("skip", "Sign in with a passkey", "3px")


async def test_a_device_that_has_a_passkey_makes_no_second_one_and_says_so(served: House, tab: Tab) -> None:
    """In the page, beside the button; and another device adds one."""
    user = await joined(served, tab)
    await tab.open(f"{served.people.issuer}/account/passkeys/new")
    await fits(tab, "add-passkey")
    await tab.click("form[data-passkey] button")
    await tab.until("!document.querySelector('[data-passkey-trouble=known]').hidden")
    await fits(tab, "trouble")
    await tab.give_authenticator("usb")
    await tab.click("form[data-passkey] button")
    await tab.at("/account")

    assert await served.passkeys(user) == 2


async def test_admins_help_a_colleague_on_a_small_screen(served: House, tab: Tab) -> None:
    """The page of people, with a request that waits."""
    await joined(served, tab)
    await served.user("Aleksandra Konstantinopolskaya-Wojciechowska")
    await served.user("Omar", "pen-centre", "PARTNER_STAFF")
    await tab.open(f"{served.people.issuer}/people")
    await tab.click("form[action='/people/ask'] button")
    await tab.until("document.body.innerText.includes('waits for another admin')")
    await fits(tab, "people")

    assert complaints(tab) == []


async def test_without_scripts_the_page_says_what_is_missing(served: House, tab: Tab) -> None:
    """An invitation can still be pasted; only the passkey itself needs the script."""
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    invited = await served.invite("Sara Lindqvist")
    await tab.call("Page.navigate", url=f"{served.people.issuer}/sign-in")
    await tab.until("document.querySelector('noscript p') && document.readyState === 'complete'")
    await fits(tab, "no-script")
    await tab.call("Page.navigate", url=f"{served.people.issuer}/invitation")
    await tab.until("document.querySelector('#invitation')")
    await tab.value(f"document.querySelector('#invitation').value = {invited.link('')!r}")
    await tab.click("form[action='/invitation'] button")
    await tab.until("document.querySelector('#label')")

    assert "needs the one small script" in await tab.value("document.body.innerText")
