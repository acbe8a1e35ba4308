"""This module says in plain words why a command cannot go on."""

from typing import Final

import structlog
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
    KeyringError,
    MigrationError,
    NotSafeError,
    SettingsError,
    TokenRefusedError,
)
"""Trouble whose text was written for whoever reads it."""
log = structlog.get_logger(__name__)


def explain(error: Exception) -> None:
    """Print expected trouble on standard error."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if isinstance(error, NotSafeError):
        console.print("The database is not safe to serve from:")
    console.print(str(error), style="red", markup=False)


def report_fault(error: Exception) -> None:
    """Log a fault of our own: its kind and place, never its text."""
    log.critical("cli.fault", exc_info=error)
