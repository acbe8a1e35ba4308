"""This module holds the keys that live outside the database: they wrap other keys and are roots of derived ones.

They may change while processes serve: each follows its file, and wraps by what it says now.
"""

import contextlib
import json
import os
import secrets
import stat
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

_LENGTH = 32
_ROOTS = ("index", "cursor", "nonce")
_LOOK = 1.0
"""Seconds after which a process that only unwraps looks whether its file changed: so long it may know a key that was destroyed."""
_SHAPE = '{"keks": {"1": "<32 bytes in base64>"}, "current": "1", "index": "...", "cursor": "...", "nonce": "..."}'


class KeyringError(ValueError):
    """The keyring cannot be used; the text names the setting and the fix, never a key."""


@dataclass(slots=True)
class Keyring:
    """Key-encryption keys in epochs, of which `current` wraps; and one root each for indexes, cursors and nonces.

    One that was loaded from a file follows it: an epoch that is new there is used from the next wrapping on.
    """

    keks: Mapping[str, bytes] = field(repr=False)
    current: str
    roots: Mapping[str, bytes] = field(repr=False)
    file: Path | None = field(default=None, compare=False)
    _state: tuple[int, ...] = field(default=(), repr=False, compare=False)
    _looked: float = field(default=0, repr=False, compare=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, setting: str = "HUB_KEYS_FILE") -> "Keyring":
        """Read the keyring file; raise KeyringError, naming `setting`, if missing, open to others, or malformed."""
        try:
            with Path(path).open(encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyringError(f"{setting}: cannot read {os.fspath(path)} ({type(error).__name__}).") from None
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyringError(f"{setting}: others may read {os.fspath(path)}; run: chmod 600 {os.fspath(path)}")
        keyring = cls.parse(text, setting=setting)
        keyring.file, keyring._state = Path(path), _state(status)  # noqa: SLF001 its own
        return keyring

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
        self.follow(0)
        return self.current, aes_key_wrap(self.keks[self.current], key)

    def unwrap(self, kek_id: str, wrapped: bytes) -> bytes:
        """Return the key wrapped under `kek_id`; raise KeyringError if that epoch is gone or the bytes were altered."""
        self.follow(_LOOK if kek_id in self.keks else 0)
        kek = self.keks.get(kek_id)
        if kek is None:
            raise KeyringError("HUB_KEYS_FILE: a stored key was wrapped under a key-encryption key that is not here.")
        try:
            return aes_key_unwrap(kek, wrapped)
        except (InvalidUnwrap, ValueError):
            raise KeyringError("HUB_KEYS_FILE: a stored key does not open under its key-encryption key.") from None

    def add(self, name: str) -> None:
        """Put a new epoch into the file, to wrap from now on; raise KeyringError when the file cannot be written."""
        self.follow(0)
        self._write({name: secrets.token_bytes(_LENGTH), **self.keks}, name)

    def drop(self, name: str) -> None:
        """Take an epoch out of the file, for good: not the current one."""
        self.follow(0)
        self._write({epoch: key for epoch, key in self.keks.items() if epoch != name}, self.current)

    def follow(self, age: float = 0) -> None:
        """Read the file again if it is another than `age` seconds ago. One that is no good, or another hub's, is not followed."""
        if self.file is None or (age and time.monotonic() - self._looked < age):
            return
        self._looked = time.monotonic()
        with contextlib.suppress(OSError, KeyringError):
            if _state(self.file.stat()) != self._state:
                now = type(self).load(self.file)
                if now.roots == self.roots:
                    self.keks, self.current, self._state = now.keks, now.current, now._state  # noqa: SLF001 its own

    def _write(self, keks: Mapping[str, bytes], current: str) -> None:
        """Put another file in the place of this one, whole or not at all."""
        if self.file is None:
            raise KeyringError(
                "HUB_KEYS: keys in the environment are changed there. Put them into a file: HUB_KEYS_FILE."
            )
        document: dict[str, Any] = {"keks": _written(keks), "current": current, **_written(self.roots)}
        new = self.file.with_name(f".{self.file.name}.new")
        try:
            new.unlink(missing_ok=True)
            owner = self.file.stat()
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(document, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
                # Who serves must own it, whoever runs the command.
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            new.replace(self.file)
            folder = os.open(self.file.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise KeyringError(f"HUB_KEYS_FILE: cannot write {self.file} ({type(error).__name__}).") from None
        self.follow(0)

    def subkey(self, label: str) -> bytes:
        """Derive 32 bytes (RFC 5869) from the root named before the slash: "cursor", "nonce/token", "index/name"."""
        root = self.roots.get(label.partition("/")[0])
        if root is None:
            raise KeyringError(f"A subkey's label starts with one of {', '.join(_ROOTS)}.")
        return HKDF(algorithm=SHA256(), length=_LENGTH, salt=None, info=label.encode()).derive(root)


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _written(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64encode(key).decode() for name, key in keys.items()}


def _key(value: object) -> bytes:
    """Decode a key; nothing when it is none."""
    try:
        key = b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    return key if len(key) == _LENGTH else b""
