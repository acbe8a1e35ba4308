"""This module is in charge of a pass over a feed: how it begins, how far it has come, whether it can be resumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from connectors.problem import TRANSIENT, ProblemCode
from connectors.protocol import Connector, Cursor
from hub.feeds.feed import Feed

_STUCK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A pass: its number, whether it reads everything, when it began, where it stands.

    `newest` is the latest change seen; `filled` counts what the mapping's rules found; `proven` is false once a record could not be told apart from others; `failures`
    counts attempts in a row that got no further.
    """

    number: int
    full: bool
    started: datetime
    rules: bytes
    cursor: Cursor
    newest: datetime | None = None
    filled: Mapping[str, int] = field(default_factory=dict)
    proven: bool = True
    failures: int = 0

    @classmethod
    def begin(cls, feed: Feed, connector: Connector, *, full: bool) -> Self:
        """Begin a pass: over everything when asked, due, or without anything to build on; else over what changed."""
        everything = full or not connector.incremental or feed.watermark is None or feed.rules != connector.rules
        if not everything and (feed.last_full_at is None or feed.read_at - feed.last_full_at >= feed.full_every):
            everything = True
        since = None if everything or feed.watermark is None else feed.watermark - feed.overlap
        return cls(
            number=feed.passes + 1,
            full=everything,
            started=feed.read_at,
            rules=connector.rules,
            cursor=Cursor(since=since),
        )

    @classmethod
    def resume(cls, feed: Feed, connector: Connector, *, full: bool) -> Self | None:
        """Take up the pass under way; None when there is none, or it no longer fits."""
        if feed.cursor is None:
            return None
        try:
            saved = cls.from_json(feed.cursor)
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        fits = saved.rules == connector.rules and (saved.full or not full) and saved.number == feed.passes
        return saved if fits and feed.read_at - saved.started < feed.full_every else None

    def moved(self, cursor: Cursor, newest: datetime | None, filled: Mapping[str, int], *, identified: bool) -> Self:
        """Take a page into account."""
        latest = max((each for each in (self.newest, newest) if each is not None), default=None)
        proven = self.proven and identified
        return replace(self, cursor=cursor, newest=latest, filled=filled, proven=proven, failures=0)

    def failed(self, code: ProblemCode, *, moved: bool) -> Self | None:
        """Decide what is left to resume: nothing, when the position itself seems to be what is wrong."""
        if moved:
            return self
        failures = self.failures + 1
        return replace(self, failures=failures) if code in TRANSIENT and failures < _STUCK else None

    def watermark(self, before: datetime | None) -> datetime | None:
        """Advance to the latest change seen, but never past the pass's own beginning: a sister's clock can be wrong."""
        known = [each for each in (before, self.newest) if each is not None]
        return min(max(known), self.started) if known else None

    def to_json(self) -> dict[str, Any]:
        """Write the pass down."""
        return {
            "number": self.number,
            "full": self.full,
            "started": self.started.isoformat(),
            "rules": self.rules.hex(),
            "cursor": self.cursor.to_json(),
            "newest": self.newest.isoformat() if self.newest else None,
            "filled": dict(self.filled),
            "proven": self.proven,
            "failures": self.failures,
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; raise KeyError, ValueError, TypeError or AttributeError for anything else."""
        return cls(
            number=int(saved["number"]),
            full=bool(saved["full"]),
            started=datetime.fromisoformat(saved["started"]).astimezone(UTC),
            rules=bytes.fromhex(saved["rules"]),
            cursor=Cursor.from_json(saved["cursor"]),
            newest=datetime.fromisoformat(saved["newest"]) if saved["newest"] else None,
            filled={str(place): int(held) for place, held in saved["filled"].items()},
            proven=bool(saved["proven"]),
            failures=int(saved["failures"]),
        )
