"""This module puts a table where sisters put theirs: behind a web server, or in a folder reached by SFTP."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncssh
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.fakes.faults import Faults, answer, refused
from connectors.fakes.walk import Layout, Raw

LAYOUT = Layout(("#meta+id",), ("#date+updated",))
USER = "hub"
_HEADINGS = {
    "#meta+id": "Number",
    "#date+updated": "Last change",
    "#person+name+given": "First name",
    "#sector": "Work",
    "#country+code+origin": "From",
}
SETTINGS: dict[str, Any] = {"url": "https://files.example/export/people.csv", "auth": {"scheme": "bearer", "secret": "file-token"}}  # fmt: skip
MAPPING: dict[str, Any] = {
    "sourceId": '"#meta+id"',
    "updatedAt": '"#date+updated"',
    "origin": '"#country+code+origin"',
    "discipline": {"path": '"#sector"', "table": {"music": "MUSICIAN", "press": "JOURNALIST"}, "default": "OTHER"},
    "person": {"identity": {"givenName": '"#person+given+name"'}},
}


def app(records: Sequence[Raw], token: str, faults: Faults | None = None) -> Starlette:
    """Serve the file to whoever bears the token."""
    switches = faults or Faults()

    async def endpoint(request: Request) -> Response:
        async def body(active: Faults) -> Response:
            return Response(table(records, active), media_type="text/csv")

        return refused(request, "Authorization", f"Bearer {token}") or await answer(switches, body)

    return Starlette(routes=[Route("/export/people.csv", endpoint)])


def table(records: Sequence[Raw], faults: Faults) -> bytes:
    """Write the table as spreadsheets do: a byte order mark, a title, headings, hashtags, and a blank line somewhere."""
    rows = LAYOUT.seen(records, faults)
    tags = list(_HEADINGS)
    if faults.drift:
        tags = [faults.drift[1] if tag == faults.drift[0] else tag for tag in tags]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["People, as of today"])
    writer.writerow(_HEADINGS.values())
    writer.writerow([] if faults.null_root else tags)
    for raw in rows:
        writer.writerow([raw.get(tag, "") for tag in tags])
        writer.writerow([])
    return out.getvalue().encode("utf-8-sig")


def record(ident: str, changed: datetime, name: str) -> Raw:
    """Make a row."""
    return {
        "#meta+id": ident,
        "#date+updated": changed.isoformat(),
        "#person+name+given": name,
        "#sector": "music",
        "#country+code+origin": "ER",
    }


@asynccontextmanager
async def serve_sftp(
    records: Sequence[Raw], secret: str, faults: Faults, host_key: asyncssh.SSHKey
) -> AsyncIterator[str]:
    """Serve the file by SFTP on 127.0.0.1 as long as the block lasts, to a password; yields "host:port"."""

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, secret) and not faults.unauthorized_empty

    class Folder(asyncssh.SFTPServer):
        async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:  # noqa: ARG002
            if path != b"/export/people.csv":
                raise asyncssh.SFTPNoSuchFile("SECRET no such file")
            acting = faults.active()
            if acting and faults.hang is not None:
                await faults.hang.wait()
            body = table(records, faults if acting else faults.calm())
            cut = body[: len(body) // 2] if acting and (faults.cut_off or faults.truncate) else body
            big = b"x" * faults.huge if acting else b""
            return _Open(cut + big, len(body) if acting and faults.cut_off else len(cut + big))

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            assert isinstance(file_obj, _Open)  # noqa: S101 (it comes from `open`)
            return file_obj.body[offset : offset + size]

        async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
            assert isinstance(file_obj, _Open)  # noqa: S101 (it comes from `open`)
            return asyncssh.SFTPAttrs(size=file_obj.size)

        async def close(self, file_obj: object) -> None:
            """Have nothing to close."""

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[host_key], sftp_factory=Folder, gss_host=None
    )
    try:
        yield f"127.0.0.1:{server.get_port()}"
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


class _Open:
    """A file that was opened: what is in it, and how long it says it is."""

    def __init__(self, body: bytes, size: int) -> None:
        self.body = body
        self.size = size
