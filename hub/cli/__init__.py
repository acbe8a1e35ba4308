"""This package is the command `hub`: one file for each command or few; `main` is where it starts."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from hub.cli.agreements import agreement
from hub.cli.asking import query, token
from hub.cli.audit import audit
from hub.cli.clients import client
from hub.cli.demo import demo
from hub.cli.doctor import doctor
from hub.cli.documents import documents
from hub.cli.epochs import epochs
from hub.cli.errors import KNOWN, explain, report_fault
from hub.cli.feeds import feed
from hub.cli.keygen import keygen
from hub.cli.keys import keys
from hub.cli.lifecycle import lifecycle
from hub.cli.organisations import organisation
from hub.cli.panic import panic
from hub.cli.referrals import referrals
from hub.cli.running import migrate, serve, worker
from hub.cli.sdl import schema
from hub.cli.users import user
from hub.log import set_up_logging

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel="Try it")(demo)
app.command(rich_help_panel="Try it")(query)
app.command(rich_help_panel="Try it")(token)
app.command(rich_help_panel="Try it")(schema)
app.command(rich_help_panel="Try it")(lifecycle)
app.add_typer(referrals, rich_help_panel="Work with it")
app.command(rich_help_panel="Run it")(serve)
app.command(rich_help_panel="Run it")(worker)
app.command(rich_help_panel="Run it")(migrate)
app.command(rich_help_panel="Look after it")(doctor)
app.command(rich_help_panel="Let partners in")(keygen)
app.add_typer(organisation, rich_help_panel="Let partners in")
app.add_typer(client, rich_help_panel="Let partners in")
app.add_typer(documents, rich_help_panel="Let partners in")
app.add_typer(user, rich_help_panel="Let partners in")
app.add_typer(agreement, rich_help_panel="Let partners in")
app.command(rich_help_panel="Look after it")(panic)
app.add_typer(audit, rich_help_panel="Look after it")
app.add_typer(feed, rich_help_panel="Look after it")
app.add_typer(epochs, rich_help_panel="Look after it")
app.add_typer(keys, rich_help_panel="Look after it")


@app.callback()
def hub(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda asked: show_version(asked=asked), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """One graph over ICORN's own records and its sister organisations' feeds, seen through a partner's eyes.

    Begin with **hub demo**; then ask as one of its clients:

    ```sh
    hub query --client pen-centre '{ viewer { organisation { name } scopes } }'
    ```

    A partner makes its key by **hub keygen**. An operator sets everything by `HUB_*` variables: hub migrate, hub serve and hub worker name what they lack.
    """


def show_version(*, asked: bool) -> None:
    """Print the version and end, if that is asked for."""
    if asked:
        typer.echo(f"hub {version('icorn-hub')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; expected trouble is a line on standard error and exit status 1."""
    set_up_logging("WARNING", "console")
    try:
        app()
    except KNOWN as error:
        explain(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 whatever it was, its text may hold what no one may read
        report_fault(error)
    sys.exit(1)
