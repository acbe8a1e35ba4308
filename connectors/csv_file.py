"""This module reads a table that a sister puts somewhere as a CSV file, over HTTPS or SFTP; each pull reads the whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from connectors import sftp
from connectors.http import Upstream
from connectors.paged import PagedConnector
from connectors.paging import Position, Turn
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.settings import (
    BasicAuth,
    BearerAuth,
    FileUrl,
    HeaderAuth,
    HttpSettings,
    NoAuth,
    PageSize,
    SshAuth,
)
from connectors.surroundings import endpoint
from connectors.tables import rows_of


class CsvSettings(HttpSettings, frozen=True, kw_only=True):
    """A file: https://..., or sftp://HOST:PORT/PATH with `auth.scheme` ssh. `columns` says what names them."""

    url: FileUrl
    auth: NoAuth | BasicAuth | BearerAuth | HeaderAuth | SshAuth
    columns: Literal["hxl", "names"] = "hxl"
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    delimiter: Annotated[str, msgspec.Meta(pattern=r"^[,;|\t]$")] = ","
    final_newline: bool = True
    page_size: PageSize = 500


@dataclass(frozen=True, slots=True)
class Table:
    """The file as it was when the session began."""

    rows: list[dict[str, Any]]
    digest: str


class CsvConnector(PagedConnector[CsvSettings, Table]):
    """One file."""

    def open(self) -> AbstractAsyncContextManager[Table]:
        """Fetch and read the file; a big one is read in a thread, so that nobody else waits for it."""
        return self._table()

    @asynccontextmanager
    async def _table(self) -> AsyncIterator[Table]:
        body, asked = await self._file(), self.settings
        encoding = "utf-8-sig" if asked.encoding == "utf-8" else asked.encoding
        tagged, newline = asked.columns == "hxl", asked.final_newline
        rows = await asyncio.to_thread(rows_of, body, encoding, asked.delimiter, tagged=tagged, newline=newline)
        yield Table(rows, hashlib.sha256(body).hexdigest()[:32])

    async def _file(self) -> bytes:
        auth, asked = self.settings.auth, self.settings
        if isinstance(auth, SshAuth):
            size = asked.max_megabytes * 1024 * 1024
            return await sftp.fetch(self.url, auth, self.surroundings, seconds=asked.timeout_seconds, size=size)
        async with Upstream(endpoint(asked, self.surroundings)) as upstream:
            return (await upstream.send("GET", self.url, None, {"Accept": "text/csv, */*;q=0.5"})).body

    async def turn(self, session: Table, since: datetime | None, position: Position) -> Turn:  # noqa: ARG002
        """Cut a page out of the file, which has to be the one that the position is of."""
        digest, _, row = (position.at or f"{session.digest}:0").partition(":")
        if digest != session.digest:
            raise FeedProblem(ProblemCode.PAGES_MOVED)
        start, stop = int(row), int(row) + self.settings.page_size
        return Turn(tuple(session.rows[start:stop]), stop < len(session.rows), f"{digest}:{stop}")


def csv_flaws(settings: CsvSettings) -> list[Flaw]:
    """Say whether the way in fits the address."""
    if settings.url.startswith("sftp:") is not isinstance(settings.auth, SshAuth):
        return [Flaw(("auth", "scheme"), "must be ssh for an sftp address, and for no other")]
    return sftp.host_key_flaws(settings.auth) if isinstance(settings.auth, SshAuth) else []
