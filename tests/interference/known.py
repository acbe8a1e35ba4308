"""This module remembers what an asker has said and been told within one sequence, so that later steps can use it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    """A command as it was sent: its mutation, its idempotency key, and its input without the key."""

    mutation: str
    key: str
    given: str


@dataclass
class Known:
    """What was said and told so far."""

    said: list[Said] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def learn(self, told: Any) -> None:
        """Take cursors, ids and references from an answer's JSON."""
        if isinstance(told, list):
            for each in told:
                self.learn(each)
        elif isinstance(told, dict):
            for name, value in told.items():
                if isinstance(value, str):
                    self._places(name).append(value)
                self.learn(value)

    def _places(self, name: str) -> list[str]:
        if name in ("cursor", "startCursor", "endCursor"):
            return self.cursors
        return {"id": self.ids, "reference": self.references, "clientReference": self.references}.get(name, [])
