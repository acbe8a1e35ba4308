"""This module shows a story in the terminal: who asks what, what comes back, how long it took, and that it is as claimed."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from hub.demo.place import DemoError

SIDE_BY_SIDE: Final = 118
"""From this many columns on, operation and answer stand side by side."""
WIDEST: Final = 150
LONGEST_LIST: Final = 9
LONGEST_TEXT: Final = 64
SHORTEST_TEXT: Final = 20


class StoryError(DemoError):
    """The story did not show what it claims."""


@dataclass
class Stage:
    """Where a story is shown; it counts the claims that held, and stops at the first that does not."""

    console: Console
    held: int = field(default=0)

    @property
    def width(self) -> int:
        """How many columns are used."""
        return min(self.console.width, WIDEST)

    def act(self, number: int, title: str, text: str) -> None:
        """Open an act."""
        self.console.print()
        self.console.print(Rule(f"[bold]{number}  {title}[/bold]", align="left", style="cyan"), width=self.width)
        self.say(text)

    def say(self, text: str) -> None:
        """Tell what is about to be seen."""
        self.console.print(Padding(text, (0, 0, 0, 3)), width=self.width)

    def show(self, who: str, operation: str, told: Any, seconds: float, given: Any = None) -> None:
        """Show an operation, its variables if they say something, and the answer."""
        wide = self.width >= SIDE_BY_SIDE
        inner = (self.width - 6) // 2 - 4 if wide else self.width - 8
        asked = Table.grid()
        asked.add_row(_syntax(operation.strip(), "graphql"))
        if given is not None:
            asked.add_row(Text("variables", style="dim"))
            asked.add_row(_syntax(compact(given, inner), "json"))
        answer = Panel(
            _syntax(compact(told, inner), "json"),
            title=f"{seconds * 1000:.1f} ms",
            title_align="right",
            border_style="green",
        )
        question = Panel(asked, title=who, title_align="left", border_style="blue")
        self._place(question, answer, wide=wide)

    def _place(self, question: RenderableType, answer: RenderableType, *, wide: bool) -> None:
        grid = Table.grid(padding=(0, 1), expand=True)
        if wide:
            grid.add_column(ratio=1)
            grid.add_column(ratio=1)
            grid.add_row(question, answer)
        else:
            grid.add_row(question)
            grid.add_row(answer)
        self.console.print(Padding(grid, (0, 0, 0, 3)), width=self.width)

    def table(self, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Show a small table."""
        table = Table(
            *columns,
            title=title,
            title_justify="left",
            title_style="dim",
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        for row in rows:
            table.add_row(*row)
        self.console.print(Padding(table, (0, 0, 0, 5)))

    def claim(self, text: str, holds: object) -> None:
        """Claim something of what was seen; raise StoryError when it is not so."""
        if not holds:
            self.console.print(f"   [bold red]✗ {text}[/bold red]")
            raise StoryError(f"The story does not hold: {text}")
        self.held += 1
        self.console.print(Padding(f"[green]✓[/green] {text}", (0, 0, 0, 3)), width=self.width)


def _syntax(text: str, language: str) -> Syntax:
    return Syntax(text, language, theme="ansi_dark", background_color="default", word_wrap=True)


def compact(value: Any, width: int, indent: int = 0, lead: int = 0) -> str:
    """Write JSON in few lines: what fits together stands on one; long lists and texts are cut, and say so.

    `lead` columns are taken on its first line by what stands before it.
    """
    room = width - indent - lead
    line = _line(value, room)
    if len(line) <= room or not isinstance(value, dict | list) or not value:
        return line
    if isinstance(value, dict) and len(value) == 1:
        ((key, only),) = value.items()
        return f'{{"{key}": {compact(only, width, indent, lead + len(key) + 5)}}}'
    if isinstance(value, list) and len(value) == 1:
        return f"[{compact(value[0], width, indent, lead + 2)}]"
    inside = indent + 2
    if isinstance(value, dict):
        parts = [f'"{key}": {compact(item, width, inside, len(key) + 5)}' for key, item in value.items()]
    else:
        parts = [compact(item, width, inside, 1) for item in value[:LONGEST_LIST]]
        parts += [f"… {len(value) - LONGEST_LIST} more"] if len(value) > LONGEST_LIST else []
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{opening}\n{_filled(parts, width, inside)}\n{' ' * indent}{closing}"


def _filled(parts: list[str], width: int, indent: int) -> str:
    """Put parts after one another, as many on a line as fit; one that is itself several lines stands alone."""
    lines: list[str] = []
    joinable = False
    for number, part in enumerate(parts):
        text = part + ("," if number < len(parts) - 1 else "")
        alone = "\n" in part
        if joinable and not alone and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += f" {text}"
        else:
            lines.append(" " * indent + text)
        joinable = not alone
    return "\n".join(lines)


def _line(value: Any, room: int) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f'"{key}": {_line(item, LONGEST_TEXT)}' for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_line(item, LONGEST_TEXT) for item in value) + "]"
        case str() if len(value) + 2 > max(room, SHORTEST_TEXT):
            return json.dumps(value[: max(room, SHORTEST_TEXT) - 3] + "…", ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
