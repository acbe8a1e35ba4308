"""This module asks the hub with patience: it waits when it is told to, and asks again when no answer came."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from auth.client import Answer, HubClient
from hub.cli.errors import CommandError

AGAIN: Final = 3
"""How often a request is sent again that got no answer, or that the hub could not see to."""
AWAY: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What the hub, or the proxy before it, answers when nothing can be answered now."""
WAITS: Final = 20
"""How often one request waits for the client's budget."""
LONGEST: Final = 120


class RefusedError(CommandError):
    """The hub refused an operation: it was not done."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.codes = {error.get("extensions", {}).get("code") for error in errors}
        super().__init__("The hub refused: " + " ".join(dict.fromkeys(str(error.get("message")) for error in errors)))


@dataclass(frozen=True)
class Patient:
    """A client of the hub that takes its time; `tell` is told in words why it waits."""

    speaker: HubClient
    purpose: str
    tell: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Give an operation's data; raise RefusedError, or CommandError when no answer can be had."""
        failed = waited = 0
        while True:
            try:
                answer = await self.speaker.graphql(document, variables, purpose=self.purpose)
            except CommandError:
                if failed == AGAIN:
                    raise
            else:
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    if waited == WAITS:
                        raise CommandError("The hub asked to wait again and again: try later.")
                    waited += 1
                    seconds = wait_of(answer)
                    self.tell(f"the hub asks to wait {seconds} s")
                    await self.sleep(seconds)
                    continue
                if answer.status not in AWAY or failed == AGAIN:
                    return data_of(answer)
            self.tell("no answer yet, asking again")
            await self.sleep(2**failed)
            failed += 1

    async def pages(self, document: str, root: str, size: int) -> AsyncIterator[dict[str, Any]]:
        """Give the pages of a list, of fewer rows each where the client may not ask for so many at once."""
        after = None
        while True:
            try:
                page = (await self.ask(document, {"first": size, "after": after}))[root]
            except RefusedError as error:
                if error.codes != {"LIMIT_EXCEEDED"} or size == 1:
                    raise
                size //= 2
                continue
            yield page
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]


def wait_of(answer: Answer) -> int:
    """Give the seconds that an answer asks to wait (RFC 9110, section 10.2.3)."""
    told = answer.headers.get("retry-after", "")
    return min(int(told), LONGEST) if told.isdecimal() else 1


def data_of(answer: Answer) -> dict[str, Any]:
    """Read the data of an answer; half an answer is none."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        raise CommandError(f"The hub answered with status {answer.status} and no JSON.") from None
    if told.get("errors"):
        raise RefusedError(told["errors"])
    data: dict[str, Any] = told["data"]
    return data
