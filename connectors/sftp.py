"""This module fetches one file over SFTP: from the host whose key is pinned, within bounds, and without a word of what it said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncssh
from yarl import URL

from connectors.addresses import GuardedResolver, PrivateAddressError
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.settings import SshAuth
from connectors.surroundings import Surroundings

_PATIENCE: Final = 10
_BLOCK: Final = 256 * 1024
asyncssh.set_log_level("CRITICAL")  # it would write down hosts and users


async def fetch(url: URL, auth: SshAuth, surroundings: Surroundings, *, seconds: int, size: int) -> bytes:
    """Read a file of at most `size` bytes; raise FeedProblem."""
    try:
        async with asyncio.timeout(seconds), _connected(url, auth, surroundings) as connection:
            file = await (await connection.start_sftp_client()).open(url.path, "rb")
            there = (await file.stat()).size
            body = bytearray()
            while len(body) <= size and (block := await file.read(_BLOCK)):
                body += bytes(block)  # type: ignore[arg-type]  # it was opened for bytes
            if len(body) > size:
                raise FeedProblem(ProblemCode.TOO_LARGE)
            if there is not None and len(body) < there:
                raise FeedProblem(ProblemCode.TRUNCATED)
            return bytes(body)
    except (OSError, asyncssh.Error) as error:
        problem = FeedProblem(_code(error))
    raise problem  # out here it carries no trace of what was said


@asynccontextmanager
async def _connected(
    url: URL, auth: SshAuth, surroundings: Surroundings
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Connect to the very address that was examined; nothing of this machine's own SSH is used."""
    resolver = GuardedResolver(surroundings.private_hosts)
    found = await resolver.resolve(url.host or "", url.port or 22)
    secret = surroundings.secrets(auth.secret)
    key = _private_key(secret) if secret.startswith("-----") else None
    connection = await asyncssh.connect(
        found[0]["host"],
        url.port or 22,
        username=auth.user,
        client_keys=[key] if key else [],
        password=None if key else secret,
        known_hosts=([asyncssh.import_public_key(auth.host_key)], [], []),
        config=None,
        agent_path=None,
        gss_kex=False,
        gss_auth=False,
        connect_timeout=_PATIENCE,
        login_timeout=_PATIENCE,
    )
    try:
        yield connection
    finally:
        connection.abort()  # a farewell would wait for a host that may never answer


def _private_key(secret: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(secret)
    except (asyncssh.KeyImportError, ValueError):
        pass
    raise FeedProblem(ProblemCode.SECRET_MISSING)


def host_key_flaws(auth: SshAuth) -> list[Flaw]:
    """Say whether the pinned key is one."""
    try:
        asyncssh.import_public_key(auth.host_key)
    except (asyncssh.KeyImportError, ValueError):
        return [
            Flaw(
                ("auth", "hostKey"),
                "must be the host's public key, as a line of known_hosts has it: ssh-ed25519 AAAA...",
            )
        ]
    return []


def _code(error: Exception) -> ProblemCode:
    match error:
        case TimeoutError():
            return ProblemCode.TIMEOUT
        case PrivateAddressError():
            return ProblemCode.PRIVATE_ADDRESS
        case asyncssh.PermissionDenied() | asyncssh.SFTPPermissionDenied():
            return ProblemCode.AUTH_REFUSED
        case asyncssh.HostKeyNotVerifiable():
            return ProblemCode.TLS_REFUSED
        case asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
            return ProblemCode.TRUNCATED
        case asyncssh.SFTPError():
            return ProblemCode.UNEXPECTED_STATUS
    return ProblemCode.UNREACHABLE
