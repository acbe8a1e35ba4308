"""This module keeps one client from taking up the whole of a process: so many operations of it at once, and no more."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from auth.principal import Principal
from hub.engine.documents import TooManyRequestsError
from hub.engine.limits import exceeded


class UnderWay:
    """Counts the operations under way of each client, in this process alone: the count ends with them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, client: str) -> int:
        """Give how many of a client's are under way."""
        return self._counts[client]

    @contextmanager
    def one_more(self, principal: Principal) -> Iterator[None]:
        """Run one operation; raise TooManyRequestsError when as many as the client may have are under way."""
        client, most = principal.client, principal.limits.concurrency
        if self._counts[client] >= most:
            raise TooManyRequestsError(1, exceeded("concurrency", most, self._counts[client] + 1))
        self._counts[client] += 1
        try:
            yield
        finally:
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]
