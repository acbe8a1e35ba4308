"""Running `hub ...` in tests, as from a shell: what it printed, and its exit status."""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import structlog

from hub.cli import main


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All it printed, as one line: tables and panels break lines where they like."""
        return re.sub(r"[\s│]+", " ", self.out + self.err)


Run = Callable[..., Said]


@pytest.fixture(name="hub")
def hub_fixture(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `hub ...` as from a shell in which only the given HUB_* variables are set."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str, **environment: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["hub", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    yield run
    root.handlers[:], level, logging.raiseExceptions = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
