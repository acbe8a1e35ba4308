"""This module says how cases, presentations and residencies may move: each status, whither from there, and which commands lead there.

The commands ask here and nowhere else; what is not listed is refused. `TIME` is no command: a presentation runs out by itself.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.commands.lifecycle import aligned

Table = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Of each status, the next ones and the commands that lead to them."""

UPDATE: Final = ("updateCase",)
STAY: Final = ("updateResidency",)
TIME: Final = "time"

CASE: Final[Table] = MappingProxyType({
    "APPLICANT": {"IN_ASSESSMENT": UPDATE, "DECLINED": UPDATE, "WITHDRAWN": UPDATE, "CLOSED": UPDATE},
    "IN_ASSESSMENT": {"CANDIDATE": UPDATE, "DECLINED": UPDATE, "WITHDRAWN": UPDATE, "CLOSED": UPDATE},
    "CANDIDATE": {
        "PRESENTED": ("presentCase",), "INVITED": ("offerResidency",), "IN_ASSESSMENT": UPDATE, "DECLINED": UPDATE, "WITHDRAWN": UPDATE, "CLOSED": UPDATE,
    },
    "PRESENTED": {
        "PRESENTED": ("presentCase",), "INVITED": ("answerPresentation", "offerResidency"),
        "CANDIDATE": UPDATE, "DECLINED": UPDATE, "WITHDRAWN": UPDATE, "CLOSED": UPDATE,
    },
    "INVITED": {
        "INVITED": ("presentCase", "answerPresentation", "offerResidency"), "RELOCATING": STAY,
        "CANDIDATE": UPDATE, "DECLINED": UPDATE, "WITHDRAWN": UPDATE, "CLOSED": UPDATE,
    },
    "RELOCATING": {"IN_RESIDENCE": STAY, "CANDIDATE": STAY},
    "IN_RESIDENCE": {"ALUMNUS": STAY, "CANDIDATE": STAY},
    "ALUMNUS": {"IN_ASSESSMENT": UPDATE, "CLOSED": UPDATE},
    "DECLINED": {"IN_ASSESSMENT": UPDATE},
    "WITHDRAWN": {"IN_ASSESSMENT": UPDATE},
    "CLOSED": {"IN_ASSESSMENT": UPDATE},
})  # fmt: skip

PRESENTATION: Final[Table] = MappingProxyType({
    "OPEN": {
        "INVITED": ("answerPresentation",), "DECLINED": ("answerPresentation",), "WITHDRAWN": ("updateCase", "updateResidency"), "EXPIRED": (TIME,),
    },
    "INVITED": {"DECLINED": ("answerPresentation",), "WITHDRAWN": ("updateCase", "updateResidency")},
    "DECLINED": {},
    "WITHDRAWN": {},
    "EXPIRED": {"OPEN": ("presentCase",)},
})  # fmt: skip

RESIDENCY: Final[Table] = MappingProxyType({
    "OFFERED": {"ACCEPTED": STAY, "CANCELLED": ("updateResidency", "updateCase")},
    "ACCEPTED": {"ACTIVE": STAY, "CANCELLED": STAY},
    "ACTIVE": {"COMPLETED": STAY, "CANCELLED": STAY},
    "COMPLETED": {},
    "CANCELLED": {},
})  # fmt: skip

LEADS: Final[Mapping[tuple[str, str], str]] = MappingProxyType({
    ("OFFERED", "ACCEPTED"): "RELOCATING",
    ("ACCEPTED", "ACTIVE"): "IN_RESIDENCE",
    ("ACTIVE", "COMPLETED"): "ALUMNUS",
    ("ACCEPTED", "CANCELLED"): "CANDIDATE",
    ("ACTIVE", "CANCELLED"): "CANDIDATE",
})  # fmt: skip
"""A step of a residency, and the status that its case goes to with it."""

SHOWN: Final = ("PRESENTED", "INVITED")
"""The statuses of a case in which cities decide: whatever leads out of them ends what they were shown and offered, unless a city was accepted."""
UNDER_WAY: Final = (*SHOWN, "RELOCATING", "IN_RESIDENCE")
"""The statuses in which others than the desk have a part in a case, in order: of two cases that become one, the later holds."""


def leads(table: Table, command: str, status: str, to: str) -> bool:
    """Tell whether a command may lead from one status to another.

    >>> leads(CASE, "updateCase", "APPLICANT", "ALUMNUS")
    False
    """
    return command in table[status].get(to, ())


def goals(table: Table, command: str, status: str) -> list[str]:
    """Give the statuses that a command leads to from one.

    >>> goals(RESIDENCY, "updateResidency", "OFFERED")
    ['ACCEPTED', 'CANCELLED']
    """
    return [to for to, commands in table[status].items() if command in commands]


def table(of: Table) -> str:
    """Write the steps of one table to be read."""
    steps = [(since, to, ", ".join(commands)) for since, goals in of.items() for to, commands in goals.items()]
    return aligned([("from", "to", "by"), *steps])


def picture(of: Table) -> str:
    """Draw the steps that lead from one status to another as a state diagram (Mermaid)."""
    steps = [(since, to, commands) for since, goals in of.items() for to, commands in goals.items() if since != to]
    lines = [f"    {since} --> {to}: {', '.join(commands)}" for since, to, commands in steps]
    ends = [f"    {status} --> [*]" for status, goals in of.items() if not goals]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {next(iter(of))}", *lines, *ends])
