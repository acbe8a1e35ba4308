"""This module turns the signals that end a process into an event, so that what is under way can finish."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM or SIGINT (Ctrl-C) sets; a second signal ends the process as it always would."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def restore() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    def heard() -> None:
        stop.set()
        restore()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard)
    try:
        yield stop
    finally:
        restore()
