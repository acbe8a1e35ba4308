"""This module is in charge of reaching PostgreSQL: role names, connections and pools; it knows no table."""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

OWNERS: Final = ("hub_owner", "hub_access")
"""The roles that own tables and functions; nobody logs in as one."""
LOGINS: Final = ("hub_migrate", "hub_app", "hub_auth", "hub_worker")
"""The roles that processes log in as; none owns anything."""

# pg_temp is named because it would come first unnamed: a temporary table must never stand in for one of ours.
SEARCH_PATHS: Final = {"hub_auth": "hub, auth, pg_temp"}
SEARCH_PATH: Final = "hub, pg_temp"
UNREACHABLE: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    # The pool's own, when a request and its upkeep reconnect at the same moment.
    asyncpg.InternalClientError,
)
"""What a database says that is not there, not yet, or not any more."""
INDEX_DRIVEN: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_memoize")
"""What the planner leaves alone on the connections that answer requests: every list there is read by an index, a page at a time,
and every row beside it by its key, however little the planner knows of the tables. A command's transaction turns them on again."""
STATEMENTS: Final = 50
"""How many prepared statements a connection keeps."""
STATEMENT_LENGTH: Final = 24 * 1024
"""The longest statement, in characters, that is kept prepared; a longer one is planned each time."""


class HubConnection(asyncpg.Connection):
    """A connection that goes back to the pool as the role it logged in as, whatever was SET on it."""

    _as_it_was = False

    def leaves_nothing(self) -> None:
        """Say that nothing outlives what was run since it was borrowed, so that giving it back needs no round trip to undo it.

        For statements that set only what ends with them, and for nobody else: the next borrower has what is left.
        """
        self._as_it_was = True

    def get_reset_query(self) -> str:
        """Undo a session-wide SET ROLE too, which asyncpg's own reset leaves to the next borrower."""
        if self._as_it_was:
            return ""
        return "RESET SESSION AUTHORIZATION; RESET ROLE;\n" + super().get_reset_query()

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 asyncpg's own
        """Make it as it was when it was opened; what was said of it is good for one borrower."""
        try:
            await super().reset(timeout=timeout)
        finally:
            self._as_it_was = False


async def connect(dsn: str, *, name: str, role: str = "hub_app") -> HubConnection:
    """Open one connection with the session settings that every statement of the hub counts on.

    `name` shows as application_name; `role`, the one that `dsn` logs in as, decides the search path.
    Raises what asyncpg.connect raises: OSError, asyncpg.PostgresError.
    """
    connection: HubConnection = await asyncpg.connect(dsn, **_options(name, role, {}))
    await read_json_as_bytes(connection)
    return connection


async def open_pool(
    dsn: str,
    *,
    name: str,
    role: str = "hub_app",
    size: int = 10,
    settings: Mapping[str, str] | None = None,
) -> asyncpg.Pool:
    """Open a pool of up to `size` connections; `settings` are further session settings (statement_timeout, ...).

    A column of type json arrives as bytes, exactly as PostgreSQL wrote it, ready to be sent.
    Raises what asyncpg.connect raises when the database cannot be reached.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=min(2, size),
        max_size=size,
        init=read_json_as_bytes,
        **_options(
            name, role, {**(dict.fromkeys(INDEX_DRIVEN, "off") if role == "hub_app" else {}), **(settings or {})}
        ),
    )


async def read_json_as_bytes(connection: Any) -> None:
    """Make `connection` hand out json as the bytes it came in, and take str or bytes for it."""
    await connection.set_type_codec("json", schema="pg_catalog", format="binary", encoder=_as_bytes, decoder=_unchanged)


def _as_bytes(document: str | bytes) -> bytes:
    return document.encode() if isinstance(document, str) else document


def _unchanged(document: bytes) -> bytes:
    return document


def _options(name: str, role: str, settings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "connection_class": HubConnection,
        # Compiled operations are few and asked again and again, so they are kept prepared; but a kept plan costs Postgres some 250
        # bytes for each byte of its text, in every backend, so that neither many nor very long ones are.
        "statement_cache_size": STATEMENTS,
        "max_cached_statement_lifetime": 900,
        "max_cacheable_statement_size": STATEMENT_LENGTH,
        "server_settings": {
            "application_name": name,
            "search_path": SEARCH_PATHS.get(role, SEARCH_PATH),
            "timezone": "UTC",
            "intervalstyle": "iso_8601",
            "jit": "off",
            # An operation's statement is long: planning it anew for each request costs twice what running it does.
            "plan_cache_mode": "force_generic_plan",
            **settings,
        },
    }
