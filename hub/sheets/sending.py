"""This module submits the rows of a sheet, a few at a time, and says what became of each."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from auth.client import TokenRefusedError
from hub.cli.errors import CommandError
from hub.commands.asker import Organisation
from hub.sheets.columns import name_of
from hub.sheets.patience import Patient, RefusedError
from hub.sheets.reading import Flaw
from hub.sheets.rows import Row

WHO: Final = "query Who { viewer { scopes } }"
ORGANISATIONS: Final = (
    "query Organisations($first: Int, $after: String) { organisations(first: $first, after: $after)"
    " { edges { node { id code kind name } } pageInfo { hasNextPage endCursor } } }"
)
SUBMIT: Final = (
    "mutation Submit($input: SubmitReferralInput!) { submitReferral(input: $input)"
    " { %s problems { code message path } } }"
)
EARLIER: Final = "query Earlier($reference: String!) { referral(by: {clientReference: $reference}) { reference } }"
OF_THE_ROW: Final = frozenset(("BAD_USER_INPUT", "LIMIT_EXCEEDED"))
"""Errors that are of one row; any other would be every row's."""


class State(StrEnum):
    """What became of a row."""

    SUBMITTED = "submitted"
    REFUSED = "refused"
    UNCERTAIN = "no answer"
    NOT_SENT = "not sent"


@dataclass
class Outcome:
    """What became of one row."""

    row: int
    state: State = State.NOT_SENT
    reference: str = ""
    flaws: list[Flaw] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """What must be known before rows can be judged: the client's scopes, and the organisations by their ids."""

    scopes: frozenset[str]
    organisations: Mapping[str, Organisation]


async def ask_around(hub: Patient) -> Known:
    """Ask the hub who asks, and which organisations there are; raise CommandError when the client may not submit."""
    scopes = frozenset((await hub.ask(WHO, {}))["viewer"]["scopes"])
    if "referrals:submit" not in scopes:
        raise CommandError("This client may not submit referrals: its token lacks the scope referrals:submit.")
    found: dict[str, Organisation] = {}
    async for page in hub.pages(ORGANISATIONS, "organisations", 200):
        for edge in page["edges"]:
            node = edge["node"]
            found[node["id"]] = Organisation(len(found), node["code"], node["kind"], node["name"])
    return Known(scopes, found)


def secret_of(private_jwk: Mapping[str, Any]) -> bytes:
    """Derive from a client's key the one that idempotency keys are made by, so that they tell nothing of what a row says."""
    return hashlib.sha256(b"hub referrals import\0" + json.dumps(dict(private_jwk), sort_keys=True).encode()).digest()


@dataclass
class Submission:
    """Rows on their way; when one meets what would be every row's trouble, no further one is begun."""

    hub: Patient
    known: Known
    secret: bytes = field(repr=False)
    stopped: Exception | None = None

    async def send(
        self, rows: list[Row], outcomes: Mapping[int, Outcome], at_once: int, done: Callable[[], None]
    ) -> None:
        """Submit rows, at most `at_once` under way together."""
        waiting = iter(rows)
        await asyncio.gather(*(self._work(waiting, outcomes, done) for _ in range(at_once)))

    async def _work(self, waiting: Iterator[Row], outcomes: Mapping[int, Outcome], done: Callable[[], None]) -> None:
        for row in waiting:
            outcome = outcomes[row.number]
            outcome.state = State.UNCERTAIN
            try:
                await self._submit(row, outcome)
            except RefusedError as error:
                outcome.state = State.REFUSED if error.codes <= OF_THE_ROW else State.NOT_SENT
                outcome.flaws = [Flaw(row.number, "", str(error))]
                if outcome.state is State.NOT_SENT:
                    self.stopped = error
            except (CommandError, TokenRefusedError) as error:
                self.stopped = error
            done()
            if self.stopped:
                return

    async def _submit(self, row: Row, outcome: Outcome) -> None:
        key = row.key(self.secret)
        told = await self._ask(row, key)
        if told["problems"]:
            # The hub remembers what it answered to a key, and what stood in the way may be gone since. A new key cannot submit
            # twice: a client reference is good for one referral.
            told = await self._ask(row, f"{key[:64]}-{secrets.token_hex(16)}")
        outcome.flaws = [Flaw(row.number, column(each["path"]), each["message"]) for each in told["problems"]]
        outcome.state = State.REFUSED if told["problems"] else State.SUBMITTED
        outcome.reference = (told.get("referral") or {}).get("reference", "")
        if any(each["code"] == "CLIENT_REFERENCE_USED" for each in told["problems"]):
            await self._find_earlier(row, outcome)

    async def _ask(self, row: Row, key: str) -> dict[str, Any]:
        shown = "referral { reference }" if "referrals:read" in self.known.scopes else ""
        data = await self.hub.ask(SUBMIT % shown, {"input": {**row.sent(), "idempotencyKey": key}})
        told: dict[str, Any] = data["submitReferral"]
        return told

    async def _find_earlier(self, row: Row, outcome: Outcome) -> None:
        if "referrals:read" in self.known.scopes:
            found = (await self.hub.ask(EARLIER, {"reference": row.input["clientReference"]}))["referral"]
            outcome.reference = found["reference"] if found else ""
        text = "A referral has this number already, and was not changed: where it is this very row, all is well; another person needs another number."
        outcome.flaws = [Flaw(row.number, "clientReference", text)]


def column(path: list[str]) -> str:
    """Name the column that a problem of the hub is about."""
    return name_of(tuple(path[1:]))
