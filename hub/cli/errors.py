"""This module says in plain words why a command cannot go on."""

import os
from typing import Final

import structlog
from joserfc.errors import JoseError
from rich.console import Console

from auth.client import TokenRefusedError
from auth.keyring import KeyringError
from hub.app import NotSafeError
from hub.demo.place import DemoError
from hub.embedded import EmbeddedPostgresError
from hub.migrate import MigrationError
from hub.settings import SettingsError


class CommandError(RuntimeError):
    """A command cannot go on; the text says why and what to do."""


KNOWN: Final = (
    CommandError,
    DemoError,
    EmbeddedPostgresError,
    JoseError,
    KeyringError,
    MigrationError,
    NotSafeError,
    OSError,
    SettingsError,
    TokenRefusedError,
)
"""Trouble that a command's user can mend, in words written for whoever reads it."""
log = structlog.get_logger(__name__)


def explain(error: Exception) -> None:
    """Print expected trouble on standard error."""
    console = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
    if isinstance(error, NotSafeError):
        console.print("The database is not safe to serve from:")
    console.print(in_words(error), style="red", markup=False)


def in_words(error: Exception) -> str:
    """Say what is the matter: of the system's and a library's errors their kind and what file, never their own text."""
    match error:
        case OSError(filename=str(file)) if error.errno:
            return f"{file}: {os.strerror(error.errno)}. Name another, or mend this one."
        case OSError():
            return f"{os.strerror(error.errno) if error.errno else type(error).__name__}: the system refused."
        case JoseError():
            return f"A key or a token cannot be used ({type(error).__name__}). `hub keygen` makes a key."
    return str(error)


def report_fault(error: Exception) -> None:
    """Log a fault of our own: its kind and place, never its text."""
    log.critical("cli.fault", exc_info=error)
