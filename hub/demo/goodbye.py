"""This module tells a newcomer what to try next."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hub.demo.clients import CLIENTS
from hub.demo.place import Place
from hub.demo.sisters import Sister


def invitation(place: Place, issuer: str, sisters: list[Sister], worker: str) -> RenderableType:
    """Say where the hub is, who may ask, how, and how to stop; `worker` is the worker's DSN."""
    hub = ".venv/bin/hub" if Path(".venv/bin/hub").exists() else "hub"
    file = (
        "" if place.credentials == Path(".demo/credentials.json").resolve() else f" --credentials {place.credentials}"
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    rows.add_row("GraphQL", f"{issuer}/graphql")
    rows.add_row("sister systems", ", ".join(f"{sister.title} ({sister.kind}, {sister.address})" for sister in sisters))
    rows.add_row("clients", ", ".join(client.name for client in CLIENTS))
    rows.add_row("a token", Text(f"{hub} token --client pen-centre{file}", style="bold"))
    question = "'{ cases(first: 3) { edges { node { reference withheld } } } }'"
    rows.add_row("a question", Text(f"{hub} query --client pen-centre{file} \\\n  {question}", style="bold"))
    counts = "'{ statistics(groupBy: [DISCIPLINE]) { asOf cells { discipline count } } }'"
    rows.add_row("statistics", Text(f"{hub} query --client icorn-stats{file} \\\n  {counts}", style="bold"))
    rows.add_row("", "Who stands in a count under ten is counted nowhere; here that is everyone.")
    rows.add_row("the schema", Text(f"{hub} schema --client pen-readonly{file}", style="bold"))
    rows.add_row("the audit log", Text(f"HUB_WORKER_DATABASE_URL='{worker}' \\\n  {hub} audit verify", style="bold"))
    rows.add_row("to stop", "Ctrl-C: everything started here ends, the data stay in " + str(place.root))
    return Panel(Group(rows), title="The hub is serving", title_align="left", border_style="green", expand=False)
