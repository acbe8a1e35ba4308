"""This module starts the demonstration."""

from pathlib import Path
from typing import Annotated

import typer

from hub.demo.run import Part, demonstrate

Directory = Annotated[Path, typer.Option("--dir", metavar="D", help="Where the demo keeps its data.")]
Port = Annotated[int, typer.Option(min=1, max=65535, metavar="P", help="The port of the hub on 127.0.0.1.")]
StoryOnly = Annotated[bool, typer.Option("--story-only", help="End after the story: status 0 when all of it held.")]
NoStory = Annotated[bool, typer.Option("--no-story", help="Serve without telling the story.")]


def demo(
    *, directory: Directory = Path(".demo"), port: Port = 8000, story_only: StoryOnly = False, no_story: NoStory = False
) -> None:
    """Start the hub with a PostgreSQL of its own, invented people and two sister systems, and tell its story.

    Nothing is needed beforehand; Ctrl-C stops everything it started. A second start with the same data is quick.

    ```sh
    hub demo
    hub demo --dir /tmp/d --port 8123 --story-only
    ```
    """
    if story_only and no_story:
        raise typer.BadParameter("--story-only and --no-story exclude each other.")
    demonstrate(directory, port, Part.STORY if story_only else Part.SERVING if no_story else Part.BOTH)
