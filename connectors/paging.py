"""This module guards a walk over pages: every kind of paging must move on, end by a stop signal, and end in time."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec

from connectors.problem import FeedProblem, ProblemCode

#: A walk whose pages have moved, or whose next link has expired, begins anew this often before it gives up.
RESTARTS: Final = 2


class Walk:
    """Remembers the positions of one pull, so that a repeated one is a failure and not a success or an endless loop."""

    def __init__(self, start: str | None, max_pages: int) -> None:
        self._seen = {_mark(start)} if start is not None else set()
        self._left = max_pages
        self._restarts = RESTARTS

    def on_to(self, position: object) -> str:
        """Take the next position; raise FeedProblem when there is none, it was had before, or pages run out."""
        if not isinstance(position, str | int) or isinstance(position, bool) or position == "":
            raise FeedProblem(ProblemCode.NO_CURSOR)
        position = str(position)
        if _mark(position) in self._seen:
            raise FeedProblem(ProblemCode.REPEATED_CURSOR)
        self._left -= 1
        if self._left <= 0:
            raise FeedProblem(ProblemCode.TOO_MANY_PAGES)
        self._seen.add(_mark(position))
        return position

    def over(self) -> bool:
        """Begin anew, if that has not been done too often; what is left of the pages stays what it was."""
        self._seen.clear()
        self._restarts -= 1
        return self._restarts >= 0


class Position(msgspec.Struct, frozen=True):
    """Where a walk stands: the upstream's own position, how many records were read up to it, and a mark of the last."""

    at: str | None = None
    read: int = 0
    last: str | None = None

    @classmethod
    def of(cls, after: str | None) -> Self:
        """Read what `text` wrote; whatever else was saved means the start."""
        try:
            return msgspec.json.decode(after or b"{}", type=cls)
        except msgspec.MsgspecError:
            return cls()

    @property
    def text(self) -> str:
        """Write the position down."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Turn:
    """One page as the upstream gave it: whether more follow and where, and how many there are in all, if it says so."""

    records: tuple[Any, ...]
    more: bool
    at: object = None
    total: int | None = None


def count_of(found: object) -> int:
    """Read a number of records; raise FeedProblem(BAD_SHAPE)."""
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    return found


def list_of(found: object) -> list[Any]:
    """Read a list of records; raise FeedProblem(BAD_SHAPE)."""
    if not isinstance(found, list):
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    return found


def object_of(found: object) -> dict[str, Any]:
    """Read an object; raise FeedProblem(BAD_SHAPE)."""
    if not isinstance(found, dict):
        raise FeedProblem(ProblemCode.BAD_SHAPE)
    return found


def _mark(position: str) -> bytes:
    return hashlib.blake2b(position.encode(errors="surrogatepass"), digest_size=16).digest()
