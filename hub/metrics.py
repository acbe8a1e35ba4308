"""This module tells Prometheus how the hub stands: numbers alone, on this machine alone, and only if a port is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from auth.keyring import Keyring
from hub.agreements import expiring
from hub.audit.sequence import lag
from hub.feeds.feed import FeedState, read_feeds
from hub.rotation import epochs, erased_since
from hub.settings import SettingsError
from hub.webhooks.rounds import not_delivering

Pool = asyncpg.Pool


class Numbers:
    """What is measured; each has a name, a meaning, and no label that could name anybody."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.overdue = self._gauge("hub_overdue_erasures", "Cases and referrals kept longer than their status allows.")
        self.erasures = self._gauge("hub_erasures", "Cases and referrals that were erased.")
        self.old_keys = self._gauge("hub_keys_under_old_epochs", "Keys that the current epoch does not wrap yet.")
        self.unlogged = self._gauge("hub_audit_records_waiting", "Audit records that are not in their log yet.")
        self.untold = self._gauge("hub_webhooks_not_delivering", "Webhooks that are paused or have ended.")
        self.expiring = self._gauge("hub_agreements_expiring", "Agreements that run out within thirty days.")

        self.behind = self._gauge("hub_feeds_behind", "Feeds whose replica is not fresh, and that are not paused.")
        self.drifted = self._gauge("hub_feeds_drifted", "Feeds whose source has changed its form.")
        self.quarantined = self._gauge("hub_feed_records_quarantined", "Records of feeds that could not be mapped.")

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    async def measure(self, pool: "Pool[Any]", keyring: Keyring) -> int:
        """Look once; the worker's login tells counts, and no row."""
        keyring.follow()
        self.overdue.set(await pool.fetchval("select count_overdue()"))
        self.erasures.set((await erased_since(pool, None))[0])
        self.old_keys.set(sum(epoch.wraps for epoch in await epochs(pool) if epoch.name != keyring.current))
        self.unlogged.set((await lag(pool))[0])
        self.untold.set(sum(count for _, count in await not_delivering(pool)))
        self.expiring.set(len(await expiring(pool)))
        feeds = await read_feeds(pool)
        self.behind.set(sum(not feed.paused and feed.standing is not FeedState.FRESH for feed in feeds))
        self.drifted.set(sum(bool(feed.drift) for feed in feeds))
        self.quarantined.set(await pool.fetchval("select count(*) from feed_quarantine"))
        return 0


@contextmanager
def told(numbers: Numbers, port: int | None) -> Iterator[None]:
    """Tell them at 127.0.0.1 as long as the block lasts, if there is a port; raise SettingsError when it cannot be had."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, "127.0.0.1", numbers.registry)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"HUB_METRICS_PORT: cannot listen on 127.0.0.1:{port} ({reason}). Name another.") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
