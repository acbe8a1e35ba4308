"""This module tells a newcomer what to try next."""

import shlex
from pathlib import Path

from rich.text import Text

from hub.demo.clients import CLIENTS
from hub.demo.place import Place
from hub.demo.sisters import Sister


def invitation(place: Place, issuer: str, sisters: list[Sister], worker: str) -> Text:
    """Say where the hub is, who may ask, how, and how to stop; `worker` is the worker's DSN.

    Each command stands at the beginning of its own lines, so that it can be copied as it is.
    """
    hub = ".venv/bin/hub" if Path(".venv/bin/hub").exists() else "hub"
    usual = place.credentials == Path(".demo/credentials.json").resolve()
    file = "" if usual else f" --credentials {shlex.quote(str(place.credentials))}"
    systems = ", ".join(f"{sister.title} ({sister.kind}, {sister.address})" for sister in sisters)
    said = Text("The hub is serving\n", style="bold green")
    for title, value in (
        ("GraphQL", f"{issuer}/graphql"),
        ("sister systems", systems),
        ("clients", ", ".join(client.name for client in CLIENTS)),
        ("to stop", f"Ctrl-C: everything started here ends, the data stay in {place.root}"),
    ):
        said.append(f"{title}: ", style="dim").append(f"{value}\n", style="default not bold")
    question = "'{ cases(first: 3) { edges { node { reference withheld } } } }'"
    counts = "'{ statistics(groupBy: [DISCIPLINE]) { asOf cells { discipline count } } }'"
    for title, command in (
        ("a token", f"{hub} token --client pen-centre{file}"),
        ("a question", f"{hub} query --client pen-centre{file} \\\n  {question}"),
        (
            "statistics: who stands in a count under ten is counted nowhere; here that is everyone",
            f"{hub} query --client icorn-stats{file} \\\n  {counts}",
        ),
        ("the schema", f"{hub} schema --client pen-readonly{file}"),
        ("the audit log", f"HUB_WORKER_DATABASE_URL={shlex.quote(worker)} \\\n  {hub} audit verify"),
    ):
        said.append(f"\n# {title}\n", style="dim").append(f"{command}\n", style="bold default")
    return said
