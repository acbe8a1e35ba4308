"""What is logged of a feed: its trouble, as a code, through the allow-list."""

import io
import json
import logging

import structlog

from connectors.problem import FeedProblem, ProblemCode
from hub.log import set_up_logging
from tests.hub.feeds.desk import Desk, failing


async def test_what_went_wrong_reaches_the_log(desk: Desk) -> None:
    """As its code, through the allow-list that drops whatever it does not know."""
    desk.before_page = failing(0, FeedProblem(ProblemCode.RATE_LIMITED))
    written = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    set_up_logging("INFO", output=written)
    try:
        await desk.sync()
    finally:
        root.handlers[:], level, logging.raiseExceptions = before
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()

    (line,) = [json.loads(text) for text in written.getvalue().splitlines()]
    assert (line["event"], line["feed"], line["code"]) == ("feed.incomplete", "pen-feed", "RATE_LIMITED")
    assert "withheld" not in line
