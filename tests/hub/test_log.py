"""Logging: what is not listed cannot be said, by us or by any library."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub.log import KEYS, keep_listed, set_up_logging

SECRET = "Amira Example, 12 Harbour Street"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What is logged while the test runs; afterwards logging is as it was, for it is the process's."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    written = io.StringIO()
    set_up_logging("DEBUG", output=written)
    yield written
    root.handlers[:], level, logging.raiseExceptions = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    """Return what was logged, having made sure that the secret is nowhere in it."""
    text = output.getvalue()
    assert "Amira" not in text
    return [json.loads(line) for line in text.splitlines()]


def fail() -> None:
    """Raise an error that tells what it must not."""
    raise ValueError(SECRET)


def test_a_line_of_ours_says_what_is_listed_and_counts_the_rest(output: io.StringIO) -> None:
    """Other keys, long texts, several lines and structures are left out, and it shows that they were."""
    log = structlog.get_logger("hub.test")

    log.info("feed synced", feed="pen-centre", count=3, name=SECRET, state=[SECRET], code=f"{SECRET}\n", kind="x" * 200)

    (line,) = lines(output)
    timestamp = line.pop("timestamp")
    assert timestamp.endswith("Z")
    assert line == {
        "event": "feed synced",
        "level": "info",
        "logger": "hub.test",
        "feed": "pen-centre",
        "count": 3,
        "withheld": 4,
    }


def test_an_error_is_its_class_and_its_place(output: io.StringIO) -> None:
    """Never its text: not in ours, not in a chained one."""
    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        structlog.get_logger("hub.test").exception("request failed")

    (line,) = lines(output)
    assert line["error"] == "RuntimeError"
    assert line["at"].startswith("test_log.py:")
    assert line["level"] == "error"


def test_an_error_of_postgresql_keeps_its_code(output: io.StringIO) -> None:
    """The class of what went wrong, without the DETAIL that quotes the row."""
    error = asyncpg.UniqueViolationError(SECRET)

    structlog.get_logger("hub.test").error("write failed", exc_info=error)

    assert lines(output)[0]["sqlstate"] == "23505"


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "httpcore2", "py.warnings"])
def test_a_library_may_say_that_but_not_what(output: io.StringIO, name: str) -> None:
    """Its text, arguments, extras and exception's text stay out; so does a line that cannot be formatted."""
    logger = logging.getLogger(name)
    try:
        fail()
    except ValueError:
        logger.exception("failed for %s", SECRET, extra={"who": SECRET})
    logger.warning("bad format %d %d", SECRET)  # noqa: PLE1206  # on purpose

    first, second = lines(output)
    assert (first["event"], first["logger"], first["error"]) == ("a library reports", name, "ValueError")
    assert second["level"] == "warning"


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "aiohttp.client", "hubble"])
def test_what_a_library_does_all_day_is_not_logged(output: io.StringIO, name: str) -> None:
    """Its warnings are, and our own information too."""
    logging.getLogger(name).info("Application startup complete.")
    logging.getLogger(name).warning("failed for %s", SECRET)
    for ours in ("auth.server", "connectors.http", "hub", "schema.query"):
        structlog.get_logger(ours).info("something happened")

    assert [line["level"] for line in lines(output)] == ["warning", "info", "info", "info", "info"]


@pytest.mark.parametrize("name", ["strawberry.execution", "asyncpg", "authlib.oauth2", "uvicorn.access", "graphql.x"])
def test_some_libraries_are_silent(output: io.StringIO, name: str) -> None:
    """Even when they set a level of their own."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.error("failed for %s", SECRET)
    logger.setLevel(logging.NOTSET)

    assert lines(output) == []


@given(st.dictionaries(st.text() | st.sampled_from(sorted(KEYS)), st.text() | st.integers() | st.lists(st.text())))
def test_only_listed_keys_with_plain_values_survive(event: dict[str, Any]) -> None:
    """Whatever is handed over."""
    kept = keep_listed(None, "info", event)

    assert kept.keys() <= KEYS
    assert all(isinstance(value, str | int) and "\n" not in str(value) for value in kept.values())


def test_the_console_form_withholds_the_same(output: io.StringIO) -> None:
    """It differs in looks alone."""
    set_up_logging("DEBUG", "console", output)

    structlog.get_logger("hub.test").info("feed synced", feed="pen-centre", name=SECRET)

    assert "feed synced" in output.getvalue()
    assert "pen-centre" in output.getvalue()
    assert "Amira" not in output.getvalue()
