"""This package is the invented world of the demonstration, as JSON beside this file, and how it is read."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
EVERYONE: Final = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One invented person: what a case says of them, and what they agreed to.

    `referred` is "sender date status urgency", `stay` "city status from [to]", `now` "country city [hiding]"; `agreed` and
    `denied` name categories for an organisation's code, or for everyone. Without `status` there is no case yet.
    """

    name: str
    alias: str = ""
    born: str
    gender: str
    origin: str
    art: str
    status: str = ""
    risk: str = "MODERATE"
    opened: str = ""
    speaks: str
    bio: str
    work: str
    threat: str
    by: str = "STATE"
    now: str
    needs: str = ""
    family: tuple[str, ...] = ()
    stay: str = ""
    agreed: dict[str, str] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    referred: str = ""
    referred_to: str = "icorn"
    shared: dict[str, str] = field(default_factory=dict)
    held_from: tuple[str, ...] = ()
    presented_to: tuple[str, ...] = ()
    sealed: bool = False

    @property
    def given(self) -> str:
        """The given name."""
        return self.name.partition(" ")[0]

    @property
    def surname(self) -> str:
        """The family name."""
        return self.name.partition(" ")[2]


def people() -> list[Person]:
    """Give everyone there is."""
    return [Person(**entry) for file in ("writers", "artists") for entry in _read(file)]


def cities() -> list[dict[str, Any]]:
    """Give the cities of refuge: real names, invented figures."""
    return _read("cities")


def organisations() -> list[dict[str, Any]]:
    """Give ICORN, two sister organisations and a city."""
    return _read("organisations")


def agreements() -> list[dict[str, Any]]:
    """Give what was agreed with the partners."""
    return _read("agreements")


def _read(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return found
