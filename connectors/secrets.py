"""This module turns the name of a feed's secret into its value, at the moment of use; it never shows or keeps one."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from connectors.problem import FeedProblem, ProblemCode

#: Takes the name of a secret, answers with its value; raises FeedProblem(SECRET_MISSING).
Secrets = Callable[[str], str]

NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}\Z")
#: A private key is the one secret of more than a line (RFC 7468).
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----\n(?:[A-Za-z0-9+/=]+\n)+-----END \1-----")


def from_directory(directory: Path) -> Secrets:
    """Read one file a secret, named like it; surrounding white space is dropped, so that `echo` may write it."""

    def secret(name: str) -> str:
        try:
            value = (directory / _checked(name)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        return _present(value)

    return secret


def from_environment(prefix: str = "HUB_SECRET_") -> Secrets:
    """Read one variable a secret: `pen-api` is HUB_SECRET_PEN_API."""

    def secret(name: str) -> str:
        return _present(os.environ.get(prefix + _checked(name).upper().replace("-", "_"), "").strip())

    return secret


def either(*sources: Secrets) -> Secrets:
    """Ask the sources in turn."""

    def secret(name: str) -> str:
        for source in sources:
            try:
                return source(name)
            except FeedProblem:
                continue
        raise FeedProblem(ProblemCode.SECRET_MISSING)

    return secret


def _checked(name: str) -> str:
    if not NAME.match(name):
        raise FeedProblem(ProblemCode.SECRET_MISSING)
    return name


def _present(value: str) -> str:
    if not value or not value.isascii() or not (value.isprintable() or _PEM.fullmatch(value)):
        raise FeedProblem(ProblemCode.SECRET_MISSING)
    return value
