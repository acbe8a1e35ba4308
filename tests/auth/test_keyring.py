"""The keyring: made once, read strictly, and silent about its keys."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.keyring import Keyring, KeyringError


def text(keyring: Path, **changes: Any) -> str:
    """Return the file's content, changed as told."""
    return json.dumps({**json.loads(keyring.read_text()), **changes})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A keyring file."""
    Keyring.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def test_a_new_keyring_is_its_owners_alone_and_never_overwritten(path: Path) -> None:
    """Mode 0600, and a second creation is refused."""
    before = path.read_text()

    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyringError, match="not overwritten"):
        Keyring.create(path)
    assert path.read_text() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_refuses_a_file_that_others_can_reach(path: Path, mode: int) -> None:
    """The text names the setting and the fix."""
    path.chmod(mode)

    with pytest.raises(KeyringError, match=r"HUB_KEYS_FILE.*chmod 600"):
        Keyring.load(path)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    """The text names the setting and the path."""
    with pytest.raises(KeyringError, match="HUB_KEYS_FILE: cannot read"):
        Keyring.load(tmp_path / "absent")


@pytest.mark.parametrize(
    "changes",
    [
        {"keks": {}},
        {"keks": []},
        {"keks": {"1": "c2hvcnQ="}},
        {"keks": {"1": 7}},
        {"current": "2"},
        {"current": None},
        {"index": "c2hvcnQ="},
        {"cursor": "not base64!"},
        {"nonce": None},
    ],
)
def test_refuses_a_malformed_keyring_without_showing_a_key(path: Path, changes: dict[str, Any]) -> None:
    """The text names the setting and what it should be; no key is in it."""
    with pytest.raises(KeyringError, match="HUB_KEYS: ") as refused:
        Keyring.parse(text(path, **changes))

    keys = json.loads(path.read_text())
    assert not any(key in str(refused.value) for key in (keys["keks"]["1"], keys["index"], "c2hvcnQ"))


@pytest.mark.parametrize("nonsense", ["", "{", "[]", "null", "[" * 100_000])
def test_refuses_what_is_no_keyring(nonsense: str) -> None:
    """Whatever is in the variable, the start stops with its name."""
    with pytest.raises(KeyringError, match="HUB_KEYS: "):
        Keyring.parse(nonsense)


def test_a_keyring_shows_no_key(path: Path) -> None:
    """Not in its repr, so not in a traceback."""
    keys = json.loads(path.read_text())

    shown = repr(Keyring.load(path))

    assert keys["index"] not in shown
    assert "keks" not in shown


@given(key=st.integers(2, 8).flatmap(lambda words: st.binary(min_size=words * 8, max_size=words * 8)))
def test_what_is_wrapped_unwraps_and_nothing_else_does(key: bytes) -> None:
    """Wrapping is sealed: a changed byte or another epoch is refused."""
    keyring = Keyring({"1": b"a" * 32, "2": b"b" * 32}, "2", {})

    kek_id, wrapped = keyring.wrap(key)

    assert keyring.unwrap(kek_id, wrapped) == key
    for other, altered in (("1", wrapped), ("3", wrapped), ("2", wrapped[:-1] + bytes([wrapped[-1] ^ 1])), ("2", b"")):
        with pytest.raises(KeyringError):
            keyring.unwrap(other, altered)


def test_subkeys_differ_by_label_and_by_root(path: Path) -> None:
    """Each use has a key of its own; an unknown root is refused."""
    keyring = Keyring.load(path)
    labels = ["index", "cursor", "nonce", "nonce/token", "nonce/resource"]

    assert len({keyring.subkey(label) for label in labels}) == len(labels)
    with pytest.raises(KeyringError, match="index, cursor, nonce"):
        keyring.subkey("keks")
