"""This module names the one kind of clock the package reads, so that tests can pin it."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since 1970-01-01T00:00Z, as `time.time` tells them."""
