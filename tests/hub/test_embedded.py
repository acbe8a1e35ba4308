"""The embedded server: private, repeatable, and never left running."""

import asyncio
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from hub.embedded import EmbeddedPostgresError, embedded_server

STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from hub.embedded import embedded_server
folder = Path(sys.argv[1])
with embedded_server(folder, {"fsync": "off"}):
    server = (folder / "data" / "postmaster.pid").read_text().split()[0]
    held = [link.resolve() for link in Path(f"/proc/{server}/fd").iterdir()]
    if (folder / "lock").resolve() not in held:
        sys.exit("the server does not hold the folder's lock")
    os.kill(os.getpid(), signal.SIGKILL)
"""


async def ask(dsn: str, question: str) -> object:
    """Answer one question in a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def test_keeps_its_data_and_nothing_else_between_two_runs(tmp_path: Path) -> None:
    """What was written is there after a stop and a start; the socket is gone meanwhile and private while it lasts."""
    folder = tmp_path / "a folder"
    with embedded_server(folder, {"fsync": "off"}) as server:
        asyncio.run(ask(server.dsn("postgres", "postgres"), "create table kept ()"))
        assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
        assert asyncio.run(ask(server.dsn("postgres", "postgres"), "show listen_addresses")) == ""
    assert not server.sockets.exists()

    with embedded_server(folder, {"fsync": "off"}) as server:
        assert asyncio.run(ask(server.dsn("postgres", "postgres"), "select count(*) from kept")) == 0


def test_two_servers_cannot_share_a_folder_and_a_killed_owner_takes_its_server_along(tmp_path: Path) -> None:
    """After SIGKILL of the process that started it the folder is free again, data whole."""
    command = [sys.executable, "-c", STARTS_AND_IS_KILLED, str(tmp_path)]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])  # noqa: S603  # our own
    assert killed.returncode == -signal.SIGKILL

    with (
        embedded_server(tmp_path, {"fsync": "off"}),
        pytest.raises(EmbeddedPostgresError, match="A server is running"),
        embedded_server(tmp_path, patience=0),
    ):
        pass


def test_a_server_that_cannot_start_says_what_postgresql_said(tmp_path: Path) -> None:
    """At once, with the end of its log, and the folder is free again."""
    with (
        pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "no_such_setting"'),
        embedded_server(tmp_path, {"no_such_setting": "1"}),
    ):
        pass
    with embedded_server(tmp_path, {"fsync": "off"}):
        pass


def test_its_log_holds_no_value_of_a_failing_statement(tmp_path: Path) -> None:
    """Neither the statement nor the DETAIL that PostgreSQL would add."""
    with embedded_server(tmp_path, {"fsync": "off"}) as server:
        dsn = server.dsn("postgres", "postgres")
        asyncio.run(ask(dsn, "create table person (name text unique)"))
        asyncio.run(ask(dsn, "insert into person values ('Amira Example')"))
        with pytest.raises(asyncpg.UniqueViolationError):
            asyncio.run(ask(dsn, "insert into person values ('Amira Example')"))

    log = (tmp_path / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Amira" not in log
