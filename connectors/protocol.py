"""This module says what a connector is: pages of raw records from a position, and each record in the hub's words."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from connectors.record import CanonicalRecord, Reject

_SAVED = "a saved cursor is {'since': RFC 3339 or null, 'after': text or null}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands: changes at or after `since` (None: everything), from behind `after` (None: from the start).

    `after` is the upstream's own position and means nothing to anyone else.
    """

    since: datetime | None = None
    after: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Write the position down."""
        return {"since": self.since.isoformat() if self.since else None, "after": self.after}

    @classmethod
    def from_json(cls, saved: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote; raise ValueError for anything else."""
        since, after = saved.get("since"), saved.get("after")
        if not (since is None or isinstance(since, str)) or not (after is None or isinstance(after, str)):
            raise ValueError(_SAVED)
        return cls(since=datetime.fromisoformat(since) if since else None, after=after)


@dataclass(frozen=True, slots=True)
class Page:
    """Raw records in the upstream's order. `cursor` goes on behind them; `complete` is proof that nothing follows."""

    records: tuple[object, ...]
    cursor: Cursor
    complete: bool


class Connector(Protocol):
    """One sister feed.

    `pull` yields pages until one is complete, or raises FeedProblem. Ending without a complete page never happens; a
    pull may be left at any page (close the generator). The same cursor may be pulled again at any time.
    """

    @property
    def incremental(self) -> bool:
        """Whether the upstream can be asked for changes only; if not, every pull reads everything."""
        ...

    @property
    def rules(self) -> bytes:
        """A digest of settings and mapping: when it changes, every record has to be read anew."""
        ...

    def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Yield pages from `cursor` to a complete one."""
        ...

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a raw record into the hub's words."""
        ...
