"""This module says why connections end. A WebSocket tells it by its close code, a stream of events by a last error."""

from dataclasses import dataclass
from typing import Any, Final

from hub.engine.limits import problem


@dataclass(frozen=True)
class End:
    """A close code (4400 to 4500 as graphql-transport-ws has them, 1001 and 1013 as RFC 6455 has), an error's code, and words."""

    close: int
    code: str
    words: str

    @property
    def error(self) -> dict[str, Any]:
        """The same as a GraphQL error."""
        return problem(self.code, self.words)


EXPIRED: Final = End(4403, "TOKEN_EXPIRED", "The access token's time is over: connect with a new one.")
REVOKED: Final = End(4401, "UNAUTHENTICATED", "The access token, its client or its organisation is no longer valid.")
UNFIT: Final = End(4403, "DOCUMENT_UNKNOWN", "What is followed here is not a document of this client's any more.")
SPENT: Final = End(1013, "LIMIT_EXCEEDED", "The client's budget of this minute is spent: connect again after it.")
SLOW: Final = End(1013, "TOO_SLOW", "Too much waits to be read: read faster, or follow less.")
TIMEOUT: Final = End(1013, "TIMEOUT", "An event took too long to read: select less of it.")
UNREACHED: Final = End(1013, "SERVICE_UNAVAILABLE", "The hub cannot reach its database: connect again.")
STOPPING: Final = End(1001, "SERVICE_UNAVAILABLE", "The hub is stopping: connect again.")
FAULT: Final = End(4500, "INTERNAL_SERVER_ERROR", "The hub failed.")
GONE: Final = End(1000, "GONE", "The client has gone.")

BAD_MESSAGE: Final = End(4400, "BAD_REQUEST", "This is no message of graphql-transport-ws, or too long.")
NOT_BEGUN: Final = End(4401, "BAD_REQUEST", "A connection begins with connection_init.")
LATE: Final = End(4408, "TIMEOUT", "Connection initialisation timeout")
SUBSCRIBED: Final = End(4409, "BAD_REQUEST", "Subscriber of this id already exists")
BEGUN_TWICE: Final = End(4429, "BAD_REQUEST", "Too many initialisation requests")
