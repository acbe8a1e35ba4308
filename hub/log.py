"""This module is in charge of what may be logged: words of our own code and a few kinds of value; never a request's."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

KEYS: Final = frozenset(
    {
        "at",  # file:line of a fault
        "attempt",
        "client",  # the id of a registered client, as the database has it: a program, never a person
        "code",  # one of our error codes
        "count",
        "error",  # the class of an exception, never its text
        "event",  # words that stand in the code
        "feed",  # a feed's code
        "kind",  # of a feed, a job or an event
        "level",
        "logger",
        "migration",
        "operation",  # the digest of an operation's text
        "port",
        "process",  # serve, worker, ...
        "role",  # a database role
        "route",  # the template of a path
        "seconds",
        "setting",  # the name of a HUB_* variable
        "sqlstate",
        "state",
        "status",  # of an HTTP answer
        "timestamp",
        "version",
        "withheld",  # how many values were dropped because their key is not listed here
    }
)
"""All that a log line can hold."""
LONGEST: Final = 100
OURS: Final = ("auth", "connectors", "hub", "schema")
"""Whose lines say what happens; of a library only trouble is of interest."""
SILENT: Final = ("asyncpg", "authlib", "strawberry", "graphql", "aiohttp.access", "uvicorn.access")
"""Loggers whose lines are about requests, and say nothing that a line of our own would not."""


def set_up_logging(
    level: str = "INFO", form: Literal["json", "console"] = "json", output: TextIO | None = None
) -> None:
    """Send all logging of this process to `output` or standard error, one line each, through the allow-list.

    Libraries may say that something happened (logger, level, class of the error), never what: their texts hold values.
    Start uvicorn with log_config=None, or it brings loggers of its own.
    """
    stamps: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_the_error,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    output = output or sys.stderr
    line: Processor = structlog.processors.JSONRenderer()
    if form == "console":
        line = structlog.dev.ConsoleRenderer(colors=output.isatty())
    handler = logging.StreamHandler(output)
    handler.addFilter(wanted)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[withhold_the_message, *stamps],
            processors=[structlog.stdlib.add_logger_name, keep_listed, line],
            use_get_message=False,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # A line that cannot be formatted would otherwise be printed, arguments and all.
    logging.raiseExceptions = False


def wanted(record: logging.LogRecord) -> bool:
    """Let our own lines pass, and those of libraries that are warnings or worse."""
    ours = record.name.partition(".")[0] in OURS
    return ours or (record.levelno >= logging.WARNING and not record.name.startswith(SILENT))


def withhold_the_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace what a library says, for it may say anything."""
    return {**event, "event": "a library reports"}


def name_the_error(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception, whose text may hold values, by its class, its place, and PostgreSQL's code for it."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["sqlstate"] = getattr(error, "sqlstate", None)
        frames = traceback.extract_tb(error.__traceback__)
        event["at"] = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None
    return event


def keep_listed(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drop every key that is not listed and every value that is not a number or a short single line; count them."""
    kept = {key: value for key, value in event.items() if key in KEYS and _plain(value)}
    withheld = len([key for key in event if key not in kept and not key.startswith("_") and event[key] is not None])
    return {**kept, "withheld": withheld} if withheld else kept


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST and value.isprintable()
    return isinstance(value, int | float)
