"""This module shows how far a start has come."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

STEPS: Final = 5
"""PostgreSQL, tables, world, feeds, hub."""


@dataclass
class Steps:
    """Says what is being done, and moves the bar on when it is done."""

    progress: Progress
    task: TaskID
    finished: int = 0
    began: float = field(default_factory=perf_counter)

    def now(self, what: str) -> None:
        """Say what is being done now."""
        self.progress.update(self.task, description=what)

    def part(self) -> None:
        """Move on by a little."""
        self.progress.advance(self.task, 0.02)

    def done(self) -> None:
        """Move on by a step."""
        self.finished += 1
        self.progress.update(self.task, completed=self.finished)

    def hide(self) -> None:
        """Leave the terminal to what comes next."""
        self.progress.stop()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self.began


@contextmanager
def steps(console: Console) -> Iterator[Steps]:
    """Show a bar as long as the block lasts; where there is no terminal, nothing."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Steps(progress, progress.add_task("Starting PostgreSQL", total=STEPS))
