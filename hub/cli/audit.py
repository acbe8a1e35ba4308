"""This module lets an operator check that the audit log is whole, and a partner that what it was told of it is true."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.audit.head import BadHeadError, Head, HeadKeys, public_keys, written
from hub.audit.proof import BadProofError, check_consistency, check_inclusion
from hub.audit.verify import Verdict
from hub.audit.verify import verify as walk
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

audit: Final = typer.Typer(name="audit", no_args_is_help=True, help="Check the record of who looked at what.")
Organisation = Annotated[
    str | None, typer.Option("--organisation", "-o", metavar="CODE", help="One organisation's log; all if left out.")
]


@audit.callback()
def about() -> None:
    """Check the record of who looked at what."""


@audit.command()
def verify(
    organisation: Organisation = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compare with the heads kept here by the last run; keep today's if all is well."
        ),
    ] = None,
) -> None:
    """Walk each organisation's log from its first leaf, and name the first that is not what was written.

    What was changed, removed, put in, moved or cut off shows against the signed heads in the database. That heads were
    removed too, only one kept elsewhere shows: keep them with --heads, on another machine, or take one that a partner
    kept. Needs HUB_WORKER_DATABASE_URL and the keys. The exit status is 1 when a log is broken.

    ```sh
    hub audit verify --organisation pen-centre
    hub audit verify --heads /mnt/elsewhere/heads.json
    ```
    """
    _may_keep(heads)
    known = _kept(heads)
    settings = started()
    found = asyncio.run(_verify(settings, organisation, [written(head) for head in known.values()]))
    show(found)
    if any(verdict.fault for verdict in found):
        raise typer.Exit(1)
    if heads is not None:
        now = {row["code"]: row["signature"] for row in asyncio.run(_heads(settings, organisation, newest=True))}
        heads.write_text(json.dumps({**known, **now}, indent=2) + "\n")


@audit.command("heads")
def list_heads(organisation: Organisation = None) -> None:
    """Print every head that was signed, one a line: organisation, leaves, time, and the head itself as a JWS.

    Needs HUB_WORKER_DATABASE_URL.

    ```sh
    hub audit heads --organisation pen-centre
    ```
    """
    for row in asyncio.run(_heads(started(), organisation, newest=False)):
        typer.echo(f"{row['code']} {row['size']} {row['at']:%Y-%m-%dT%H:%M:%SZ} {row['signature']}")


@audit.command("check-proof")
def check_proof(
    proof: Annotated[
        str, typer.Argument(metavar="FILE", help="The answer with auditProof or auditConsistency; - is standard input.")
    ],
    keys: Annotated[Path, typer.Option(metavar="FILE", help="The hub's public keys, as GET /audit/jwks gave them.")],
    kept: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The signed head you kept, for a consistency proof.")
    ] = None,
) -> None:
    """Check a proof as a partner does: from the answer, the hub's public keys and the head you kept. Asks nobody.

    ```sh
    curl --silent https://hub.example.org/audit/jwks > keys.json
    hub query --client pen-centre '{ auditProof(event: "audit_...") { entry leafIndex hashes signature } }' > proof.json
    hub audit check-proof proof.json --keys keys.json
    ```
    """
    told = _proof(sys.stdin.read() if proof == "-" else _text(Path(proof)))
    try:
        known = public_keys(_json(_text(keys)))
        if "leafIndex" in told:
            head = check_inclusion(told, known)
            typer.echo(f"The entry is leaf {told['leafIndex']} of {head.size} in the log of {head.log}, {_at(head)}.")
            return
        if kept is not None:
            told = {**told, "fromSignature": _text(kept).strip()}
        old, new = check_consistency(told, known)
    except (BadProofError, BadHeadError) as error:
        raise CommandError(f"It is not proven: {error}.") from None
    typer.echo(f"The log of {new.log} with {new.size} leaves begins with all {old.size} that it had, {_at(old)}.")


async def _verify(settings: Settings, organisation: str | None, known: Sequence[Head]) -> list[Verdict]:
    async with connected(settings, "worker_database_url") as connection:
        keys = await HeadKeys(connection, settings.keyring()).all()
        try:
            return await walk(connection, organisation, keys, known)
        except LookupError:
            raise _unknown(organisation) from None


async def _heads(settings: Settings, organisation: str | None, *, newest: bool) -> list[Any]:
    chosen = "distinct on (o.code)" if newest else ""
    async with connected(settings, "worker_database_url") as connection:
        known = await connection.fetchval("select $1::text is null or exists (select from organisation where code = $1)", organisation)  # fmt: skip
        if not known:
            raise _unknown(organisation)
        return await connection.fetch(
            f"select {chosen} o.code, h.size, h.at, h.signature from audit_head h join organisation o on o.id = h.organisation"  # noqa: S608 one of two words
            " where $1::text is null or o.code = $1 order by o.code, h.size desc",
            organisation,
        )


def _unknown(organisation: str | None) -> CommandError:
    return CommandError(f"There is no organisation with the code {organisation!r}.")


def _at(head: Head) -> str:
    return f"signed at {head.at:%Y-%m-%d %H:%M} UTC"


def _kept(file: Path | None) -> dict[str, str]:
    if file is None or not file.exists():
        return {}
    try:
        kept = {code: head for code, head in _json(_text(file)).items() if written(head)}
    except (BadHeadError, AttributeError) as error:
        raise CommandError(f"{file} does not hold signed heads of audit logs ({type(error).__name__}).") from None
    return kept


def _proof(text: str) -> Mapping[str, Any]:
    """Find the proof in an answer, or take it as it is."""
    told = _json(text)
    told = told.get("data", told) if isinstance(told, dict) else None
    if isinstance(told, dict) and len(told) == 1:
        (told,) = told.values()
    if not isinstance(told, dict):
        raise CommandError("This is not the answer to one auditProof or auditConsistency.")
    return told


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read ({type(error).__name__}).") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise CommandError("This is not JSON.") from None


def _may_keep(file: Path | None) -> None:
    """Raise CommandError when heads could not be kept there: better before the walk than after it."""
    if file is None:
        return
    place = file if file.exists() else file.parent
    if file.is_dir() or not place.exists() or not os.access(place, os.W_OK):
        raise CommandError(f"--heads: {file} cannot be written. Name a file in a folder that is there.")


def show(found: list[Verdict]) -> None:
    """Print one line for each log, and what is wrong below."""
    table = Table("organisation", "leaves", "heads", "root", "not sequenced yet", "", box=None, pad_edge=False)
    for v in found:
        state = "[red]broken[/red]" if v.fault else "[green]whole[/green]" if v.size else "empty"
        root = v.root.hex()[:16] if v.size else ""
        table.add_row(v.organisation, str(v.size), str(v.heads), root, str(v.waiting), state)
    console = Console(highlight=False, emoji=False)
    console.print(table)
    for v in found:
        if v.fault:
            told = f"{v.organisation}: the first bad leaf is {v.fault.index}: {v.fault.reason}."
            console.print(told, style="red", soft_wrap=True)
