"""This module is the life of a referral: who may take which step from where. One table: commands ask it, `hub lifecycle` prints it, the README draws it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schema.enums import ReferralEventKind as Kind
from schema.enums import ReferralStatus as Status


class Party(StrEnum):
    """Who takes part in a referral; ICORN also where the case is its own, and may be a sender or recipient besides."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    ICORN = "ICORN"


@dataclass(frozen=True)
class Step:
    """One step: its name, by whom, from where, and what becomes of it. Without `to` the referral stays where it is."""

    name: str
    by: tuple[Party, ...]
    since: tuple[Status, ...]
    to: Status | None = None
    kind: Kind | None = None


BEGINS: Final = Status.SUBMITTED
_UNDECIDED: Final = (Status.SUBMITTED, Status.RECEIVED, Status.IN_REVIEW, Status.INFORMATION_REQUESTED)
LIVE: Final = (*_UNDECIDED, Status.ACCEPTED)
_REVIEWED: Final = (Status.IN_REVIEW, Status.INFORMATION_REQUESTED)
_TABLE: Final = (
    Step("ACKNOWLEDGE", (Party.RECIPIENT,), (Status.SUBMITTED,), Status.RECEIVED, Kind.ACKNOWLEDGED),
    Step("REVIEW", (Party.RECIPIENT,), (Status.RECEIVED, Status.INFORMATION_REQUESTED), Status.IN_REVIEW, Kind.IN_REVIEW),
    Step("REQUEST_INFORMATION", (Party.RECIPIENT,), (Status.IN_REVIEW,), Status.INFORMATION_REQUESTED, Kind.INFORMATION_REQUESTED),
    Step("GIVE_INFORMATION", (Party.SENDER,), (Status.INFORMATION_REQUESTED,), Status.IN_REVIEW, Kind.INFORMATION_GIVEN),
    Step("ACCEPT", (Party.RECIPIENT,), _REVIEWED, Status.ACCEPTED, Kind.ACCEPTED),
    Step("DECLINE", (Party.RECIPIENT,), _UNDECIDED, Status.DECLINED, Kind.DECLINED),
    Step("REDIRECT", (Party.RECIPIENT,), _UNDECIDED, Status.REDIRECTED, Kind.REDIRECTED),
    Step("COMPLETE", (Party.RECIPIENT,), (Status.ACCEPTED,), Status.COMPLETED, Kind.COMPLETED),
    Step("withdrawReferral", (Party.SENDER,), LIVE, Status.WITHDRAWN, Kind.WITHDRAWN),
    Step("sendMessage", (Party.SENDER, Party.RECIPIENT), LIVE, kind=Kind.MESSAGE),
    Step("openCase", (Party.ICORN,), LIVE),
)  # fmt: skip
STEPS: Final = {step.name: step for step in _TABLE}
"""Steps by the name of the response, or of the mutation."""


def wrong(step: Step, parties: Collection[Party], status: str) -> tuple[str, str] | None:
    """Say what is wrong with a step that one of these parties would take now: a problem's code and message, or None.

    >>> wrong(STEPS["ACCEPT"], {Party.SENDER}, "IN_REVIEW")
    ('NOT_ALLOWED', 'ACCEPT is for the recipient to say.')
    >>> wrong(STEPS["ACCEPT"], {Party.RECIPIENT}, "DECLINED")
    ('WRONG_STATE', 'The referral is DECLINED; ACCEPT goes from IN_REVIEW or INFORMATION_REQUESTED.')
    """
    if not set(step.by) & set(parties):
        return "NOT_ALLOWED", f"{step.name} is for the {' or '.join(step.by)} to say."
    if status not in step.since:
        return "WRONG_STATE", f"The referral is {status}; {step.name} goes from {' or '.join(step.since)}."
    return None


def table() -> str:
    """Write the steps as a table to be read."""
    steps = [(s.name, " or ".join(s.by), ", ".join(s.since), s.to or "-") for s in _TABLE]
    return aligned([("step", "by", "from", "to"), *steps])


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Write rows with their columns below each other.

    >>> print(aligned([("from", "to"), ("OFFERED", "ACCEPTED")]))
    from     to
    OFFERED  ACCEPTED
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def picture() -> str:
    """Draw the steps that lead somewhere as a state diagram (Mermaid)."""
    moves: dict[tuple[str, str], list[str]] = {}
    for step in _TABLE:
        for since in step.since if step.to else ():
            moves.setdefault((since, step.to or ""), []).append(f"{step.name} ({' or '.join(step.by)})")
    lines = [f"    {since} --> {to}: {', '.join(names)}" for (since, to), names in moves.items()]
    ends = [f"    {status} --> [*]" for status in Status if status not in LIVE]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {BEGINS}: submitReferral (sender)", *lines, *ends])
