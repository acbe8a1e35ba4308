"""The issuer, on which everything else is built."""

import re

import pytest

from auth.metadata import checked_issuer
from auth.scopes import Scope


@pytest.mark.parametrize(
    "issuer",
    [
        "https://hub.example",
        "https://hub.example:8443",
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://[::1]:1",
    ],
)
def test_takes_an_origin(issuer: str) -> None:
    """Https anywhere, http on loopback."""
    assert checked_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "http://hub.example",
        "https://hub.example/",
        "https://hub.example/path",
        "https://hub.example?q",
        "https://user@hub.example",
        "https://Hub.example",
        "https://hub.example:x",
        "https://",
        "hub.example",
        "",
        "ftp://localhost",
        "https://[",
    ],
)
def test_refuses_anything_else_and_names_the_setting(issuer: str) -> None:
    """The text says what the setting should be."""
    with pytest.raises(ValueError, match="HUB_ISSUER must be an https origin"):
        checked_issuer(issuer)


def test_every_scope_follows_the_grammar_and_says_in_plain_words_what_it_opens() -> None:
    """resource:action, in order, one sentence each."""
    assert all(re.fullmatch(r"[a-z]+:[a-z]+", scope) for scope in Scope)
    assert list(Scope) == sorted(Scope)
    assert all(scope.description.endswith(".") and "\n" not in scope.description for scope in Scope)
