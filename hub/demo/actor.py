"""This module is one who asks in the story: a client with its credentials, over real HTTP."""

import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from auth.client import Answer, Credentials, HubClient, over_aiohttp

OPERATIONS: Final = Path(__file__).parent / "operations"


def operation(name: str) -> str:
    """Give the text of an operation of the story."""
    return (OPERATIONS / f"{name}.graphql").read_text()


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as it came, read, and how many seconds it took."""

    answer: Answer
    document: dict[str, Any]
    seconds: float

    @property
    def data(self) -> Any:
        """The data of an answer; {} when there are none."""
        return self.document.get("data") or {}

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Its errors."""
        found: list[dict[str, Any]] = self.document.get("errors", [])
        return found


@dataclass(frozen=True, slots=True)
class Actor:
    """One who asks."""

    title: str
    client: HubClient

    @classmethod
    def of(cls, title: str, entry: dict[str, Any], session: Any) -> "Actor":
        """Make the actor of an entry of the credentials."""
        return cls(title, HubClient(Credentials.of(entry), over_aiohttp(session)))

    async def ask(self, name: str, **variables: Any) -> Told:
        """Send an operation of the story."""
        text = operation(name)
        began = perf_counter()
        answer = await self.client.graphql(text, variables)
        seconds = perf_counter() - began
        return Told(answer, json.loads(answer.body), seconds)

    async def sign_in(self) -> None:
        """Get a token that later operations use, so that their time is their own."""
        await self.client.graphql("{ viewer { clientId } }")
