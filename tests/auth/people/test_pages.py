"""The pages themselves: what their headers forbid, what they ask of a browser, and what they say when something is amiss."""

import re
from pathlib import Path

import asyncpg
import pytest

from auth import pages
from auth.people import People
from tests.auth.kit import ISSUER
from tests.auth.people.kit import House

PATHS = ["/sign-in", "/invitation", "/account", "/account/passkeys/new", "/people"]
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
TEMPLATES = sorted(pages.FOLDER.glob("*.html"))


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_allows_nothing_but_itself(house: House, path: str) -> None:
    """No script, style, frame or form of anybody else; no referrer; kept nowhere."""
    sara = await house.somebody("Sara")
    visitor = house.browser() if path == "/sign-in" else sara
    answer = await visitor.open(path)

    assert answer.url.path == path
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/sign-in?then=/account", "/account"])
async def test_a_redirect_is_kept_nowhere(house: House, path: str) -> None:
    """303, and no-store as well."""
    visitor = house.browser() if path == "/account" else await house.somebody("Sara")
    answer = await visitor.http.get(ISSUER + path)

    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_brings_nothing_from_elsewhere_and_runs_nothing_inline(template: Path) -> None:
    """No address of another host, no inline script or style, and a token in every form."""
    text = template.read_text()

    assert not re.search(r"(src|href|action)=\"(https?:|//)", text)
    assert not re.search(r"<style|style=|\son[a-z]+=|javascript:|<script(?! src=)", text)
    assert text.count("<form") == text.count('name="form" value="{{ form }}"')


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_field_that_is_shown_has_a_label(template: Path) -> None:
    """So that a screen reader says what it is for."""
    text = template.read_text()
    shown = re.findall(r"<input id=\"([a-z]+)\"", text)

    assert all(f'<label for="{name}">' in text for name in shown)
    assert len(re.findall(r"<input(?! type=\"hidden\"| id=)", text)) == 0


async def test_style_and_script_may_be_kept_because_their_address_changes_with_them(house: House) -> None:
    """And they are what they say they are."""
    for name, kind in pages.KINDS.items():
        answer = await house.browser().open(pages.address(name))

        assert answer.content == (pages.FOLDER / name).read_bytes()
        assert answer.headers["content-type"] == kind
        assert "immutable" in answer.headers["cache-control"]


async def test_names_are_text_and_never_markup(house: House) -> None:
    """Whatever somebody is called or calls a device."""
    sara = await house.somebody("Sara")
    house.clock.now += 1
    await sara.open("/account/passkeys/new")
    page = await sara.make("/account/passkeys/new", '<img src=x onerror="alert(1)">')

    assert "<img" not in page.text
    assert "&lt;img" in page.text


async def test_a_page_says_so_when_the_database_is_away(house: House, pool: asyncpg.Pool) -> None:
    """In plain words, with nothing of the error."""
    sara = await house.somebody("Sara")
    await pool.close()
    answer = await sara.open("/account")

    assert answer.status_code == 503
    assert "cannot answer at the moment" in answer.text


async def test_a_fault_is_answered_in_plain_words(house: House) -> None:
    """Nothing of it reaches the reader."""
    sara = await house.somebody("Sara")
    await house.pool.execute("update hub.usr set sealed = '\\x00'")
    answer = await sara.open("/account")

    assert answer.status_code == 500
    assert "noted" in answer.text


@pytest.mark.parametrize(
    ("issuer", "warnings"),
    [("http://127.0.0.1:8000", 1), ("http://[::1]:8000", 1), ("http://localhost:8000", 0), (ISSUER, 0)],
)
async def test_a_hub_that_is_reached_by_a_number_says_that_no_passkey_works(
    house: House, issuer: str, warnings: int
) -> None:
    """Browsers keep passkeys for names only."""
    house.app.state.people = People(issuer, house.pool, house.keyring, clock=house.clock)
    answer = await house.browser().open("/sign-in")

    assert answer.text.count("reached by a number") == warnings
