"""This module guards a walk over pages: every kind of paging must move on, end by a stop signal, and end in time."""

import hashlib

from connectors.problem import FeedProblem, ProblemCode


class Walk:
    """Remembers the positions of one pull, so that a repeated one is a failure and not a success or an endless loop."""

    def __init__(self, start: str | None, max_pages: int) -> None:
        self._seen = {_mark(start)} if start is not None else set()
        self._left = max_pages

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


def _mark(position: str) -> bytes:
    return hashlib.blake2b(position.encode(errors="surrogatepass"), digest_size=16).digest()
