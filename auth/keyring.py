"""This module holds the keys that live outside the database: they wrap other keys and are roots of derived ones."""

import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

_LENGTH = 32
_ROOTS = ("index", "cursor", "nonce")
_SHAPE = '{"keks": {"1": "<32 bytes in base64>"}, "current": "1", "index": "...", "cursor": "...", "nonce": "..."}'


class KeyringError(ValueError):
    """The keyring cannot be used; the text names the setting and the fix, never a key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Key-encryption keys in epochs, of which `current` wraps; and one root each for indexes, cursors and nonces."""

    keks: Mapping[str, bytes] = field(repr=False)
    current: str
    roots: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, setting: str = "HUB_KEYS_FILE") -> "Keyring":
        """Read the keyring file; raise KeyringError, naming `setting`, if missing, open to others, or malformed."""
        try:
            with Path(path).open(encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyringError(f"{setting}: cannot read {os.fspath(path)} ({type(error).__name__}).") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyringError(f"{setting}: others may read {os.fspath(path)}; run: chmod 600 {os.fspath(path)}")
        return cls.parse(text, setting=setting)

    @classmethod
    def parse(cls, text: str, *, setting: str = "HUB_KEYS") -> "Keyring":
        """Read a keyring from JSON text; raise KeyringError, naming `setting` and all that is malformed."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise KeyringError(f"{setting}: not JSON; expected {_SHAPE}") from None
        if not isinstance(document, dict) or not isinstance(document.get("keks"), dict) or not document["keks"]:
            raise KeyringError(f"{setting}: expected {_SHAPE}")
        problems = []
        current = document.get("current")
        if not isinstance(current, str) or current not in document["keks"]:
            problems.append(f'{setting}: "current" must name one of "keks".')
        keks = {name: _key(value) for name, value in document["keks"].items()}
        roots = {name: _key(document.get(name)) for name in _ROOTS}
        places = [f'"keks" entry {number}' for number, key in enumerate(keks.values(), start=1) if not key]
        places += [f'"{name}"' for name, key in roots.items() if not key]
        problems += [f"{setting}: {place} must be {_LENGTH} bytes in base64." for place in places]
        if problems:
            raise KeyringError("\n".join(problems))
        return cls(keks, str(current), roots)

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, setting: str = "HUB_KEYS_FILE") -> "Keyring":
        """Write a new keyring to `path`, readable by its owner only; raise KeyringError, naming `setting`, if it is there already."""
        fresh = {name: b64encode(secrets.token_bytes(_LENGTH)).decode() for name in ("1", *_ROOTS)}
        document = {"keks": {"1": fresh.pop("1")}, "current": "1", **fresh}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyringError(f"{setting}: {Path(path)} is there already, and is not overwritten.") from None
        except OSError as error:
            raise KeyringError(f"{setting}: cannot write {Path(path)} ({type(error).__name__}).") from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
        return cls.load(path)

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """Wrap a key of 16 bytes or more, a multiple of 8 (RFC 3394); return the name of the wrapping key with it."""
        return self.current, aes_key_wrap(self.keks[self.current], key)

    def unwrap(self, kek_id: str, wrapped: bytes) -> bytes:
        """Return the key wrapped under `kek_id`; raise KeyringError if that epoch is gone or the bytes were altered."""
        kek = self.keks.get(kek_id)
        if kek is None:
            raise KeyringError("HUB_KEYS_FILE: a stored key was wrapped under a key-encryption key that is not here.")
        try:
            return aes_key_unwrap(kek, wrapped)
        except (InvalidUnwrap, ValueError):
            raise KeyringError("HUB_KEYS_FILE: a stored key does not open under its key-encryption key.") from None

    def subkey(self, label: str) -> bytes:
        """Derive 32 bytes (RFC 5869) from the root named before the slash: "cursor", "nonce/token", "index/name"."""
        root = self.roots.get(label.partition("/")[0])
        if root is None:
            raise KeyringError(f"A subkey's label starts with one of {', '.join(_ROOTS)}.")
        return HKDF(algorithm=SHA256(), length=_LENGTH, salt=None, info=label.encode()).derive(root)


def _key(value: object) -> bytes:
    """Decode a key; nothing when it is none."""
    try:
        key = b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    return key if len(key) == _LENGTH else b""
