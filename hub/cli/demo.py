"""This module starts the demonstration."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from hub.demo.run import demonstrate
from hub.embedded import embedded_server


def demo(
    directory: Annotated[Path, typer.Option("--dir", metavar="D", help="Where the demo keeps its data.")] = Path(".demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="P", help="The port of the hub on 127.0.0.1.")] = 8000,
    story_only: Annotated[bool, typer.Option("--story-only", help="End after the story; status 0 when all of it held.")] = False,
    no_story: Annotated[bool, typer.Option("--no-story", help="Serve without telling the story.")] = False,
) -> None:
    """Start the hub with a PostgreSQL of its own, invented people and two sister systems, and tell its story.

    Nothing is needed beforehand, nothing is touched outside --dir, and Ctrl-C stops all of it. A second start is quick.

      hub demo

      hub demo --dir /tmp/d --port 8123 --story-only
    """
