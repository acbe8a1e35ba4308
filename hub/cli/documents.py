"""This module lets an operator publish the documents that a client may ask for by their ids, list them, and withdraw them."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from auth.clients import Client, find
from auth.limits import DEFAULTS
from hub.cli.database import connected
from hub.cli.errors import CommandError, in_words
from hub.cli.running import started
from hub.engine.documents import Documents
from hub.engine.publish import flaws
from hub.engine.trusted import PREFIX, digest_of
from hub.manifests import ManifestError, Written, read
from hub.settings import Settings
from schema.query import SCHEMA

PUBLISH: Final = """
insert into trusted_document (client_id, digest, text, names)
select $1, d.digest, d.text, string_to_array(d.names, ' ') from unnest($2::bytea[], $3::text[], $4::text[]) d(digest, text, names)
on conflict do nothing returning digest
"""
LIST: Final = """
select digest, array_to_string(names, ' ') as names, published_at from trusted_document where client_id = $1
order by names, published_at, digest
"""
KNOWN: Final = "select digest from trusted_document where client_id = $1 and digest = any ($2::bytea[])"
WITHDRAW: Final = "delete from trusted_document where client_id = $1 and digest = any ($2::bytea[])"

Whose = Annotated[str, typer.Option("--client", metavar="NAME", help="Whose they are: its client id.")]
documents: Final = typer.Typer(
    name="documents", no_args_is_help=True, help="Publish what a client may ask, and withdraw it."
)


@documents.callback()
def about() -> None:
    """Publish what a client may ask, and withdraw it."""


@documents.command()
def publish(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Manifests, or .graphql files; - reads a manifest.")
    ],
    client: Whose,
) -> None:
    """Publish documents of a client: an Apollo persisted-query manifest, a Relay map of persisted queries, or .graphql files.

    Each is judged by the schema and by the client's limits and scopes. All are published, or none and every reason is told. What is
    published already stays. A client asks for one by `documentId`: `sha256:` and the SHA-256 of its text, to the byte.

    Needs HUB_AUTH_DATABASE_URL.

    ```sh
    hub documents publish persisted-query-manifest.json --client pen-centre
    hub client set pen-centre --documents only
    ```
    """
    asyncio.run(_publish(started("auth_database_url"), files, client))


@documents.command(name="list")
def list_documents(client: Whose) -> None:
    """List a client's published documents: id, when it was published, and its operations.

    Needs HUB_AUTH_DATABASE_URL.

    ```sh
    hub documents list --client pen-centre
    ```
    """
    asyncio.run(_list(started("auth_database_url"), client))


@documents.command()
def withdraw(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As hub documents list prints them.")], client: Whose
) -> None:
    """Withdraw documents of a client: from now on they are unknown. All of them, or none if one is not there.

    Needs HUB_AUTH_DATABASE_URL.

    ```sh
    hub documents withdraw sha256:7dba...cd6e --client pen-centre
    ```
    """
    asyncio.run(_withdraw(started("auth_database_url"), ids, client))


async def _publish(settings: Settings, files: list[Path], name: str) -> None:
    async with connected(settings, "auth_database_url") as connection:
        client = await _known(connection, name)
        written = judged(files, client)
        texts = {one.digest: one.text for one in written}
        operations = {digest: named(text) for digest, text in texts.items()}
        new = await connection.fetch(PUBLISH, name, list(texts), list(texts.values()), list(operations.values()))
    for digest, names in operations.items():
        typer.echo(f"{PREFIX}{digest.hex()} {names}".rstrip())
    typer.echo(f"Published for {name}: {len(texts)}, new of them: {len(new)}.")


def judged(files: list[Path], client: Client) -> list[Written]:
    """Read and judge documents; raise CommandError with all that is wrong in any of them."""
    written: list[Written] = []
    wrong: list[str] = []
    for file in files:
        try:
            written += read(file)
        except ManifestError as error:
            wrong.append(str(error))
        except OSError as error:
            wrong.append(in_words(error))
    schema = SCHEMA._schema  # noqa: SLF001 strawberry keeps graphql-core's schema there
    for one in written:
        found = flaws(schema, one.text, client.limits or DEFAULTS, client.scopes)
        wrong += [f"{one.place(flaw.line, flaw.column)}: {flaw.text}" for flaw in found]
    if wrong:
        raise CommandError("\n".join([*wrong, "Nothing was published."]))
    return written


def named(text: str) -> str:
    """Give the names of a valid document's operations, with blanks between."""
    document = Documents(SCHEMA._schema).get(text)  # noqa: SLF001 as above
    return " ".join(name for name in document.operations if name)


async def _list(settings: Settings, name: str) -> None:
    async with connected(settings, "auth_database_url") as connection:
        await _known(connection, name)
        for row in await connection.fetch(LIST, name):
            day = row["published_at"].isoformat(timespec="minutes")
            typer.echo(f"{PREFIX}{row['digest'].hex()} {day} {row['names']}".rstrip())


async def _withdraw(settings: Settings, ids: list[str], name: str) -> None:
    async with connected(settings, "auth_database_url") as connection:
        await _known(connection, name)
        wanted = {identifier: digest_of(identifier) for identifier in ids}
        digests = [digest for digest in wanted.values() if digest is not None]
        async with connection.transaction():
            there = {row["digest"] for row in await connection.fetch(KNOWN, name, digests)}
            if absent := [identifier for identifier, digest in wanted.items() if digest not in there]:
                lines = [f"{identifier}: is no document of {name}." for identifier in absent]
                raise CommandError("\n".join([*lines, "Nothing was withdrawn; hub documents list names them."]))
            await connection.execute(WITHDRAW, name, digests)
    typer.echo(f"Withdrawn from {name}: {len(there)}.")


async def _known(connection: Any, name: str) -> Client:
    client = await find(connection, name)
    if client.barred is not None:
        raise CommandError(f"--client: {name} is not active.")
    if client.organisation is None:
        raise CommandError(f"--client: there is no {name!r}; hub client add registers one.")
    return client
