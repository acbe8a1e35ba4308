"""This module invents the person each telling of the story is about: another one every time, known to both sisters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

GIVEN: Final = (
    "Leila",
    "Nasrin",
    "Parisa",
    "Shabnam",
    "Golnaz",
    "Taraneh",
    "Mahsa",
    "Roxana",
    "Azadeh",
    "Sepideh",
    "Mitra",
)
FAMILY: Final = ("Darvand", "Kuhestani", "Rudbari", "Safarnia", "Golpour", "Bahrampur", "Sahrai", "Daneshvari", "Tavakolian",
                 "Ziaratban", "Mehrabad", "Nikpey", "Ostovar")  # fmt: skip
TITLES: Final = ("The Paper Garden", "Eleven Lamps", "A Bridge of Reeds", "What the Well Said", "Saffron Street")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A writer from Iran who turned to the Northlight PEN Centre and to Arts Haven. Everything about her is invented."""

    number: int

    @property
    def given(self) -> str:
        """Her given name."""
        return GIVEN[self.number % len(GIVEN)]

    @property
    def family(self) -> str:
        """Her family name."""
        return FAMILY[self.number % len(FAMILY)]

    @property
    def born_on(self) -> str:
        """Her birth date."""
        return f"{1980 + self.number % 15}-0{1 + self.number % 9}-1{self.number % 10}"

    @property
    def work(self) -> str:
        """Her best-known book."""
        return TITLES[self.number % len(TITLES)]

    @property
    def reference(self) -> str:
        """How the Northlight PEN Centre calls her file."""
        return f"NPC-{self.number:04}"

    def person(self) -> dict[str, Any]:
        """Say of her what a referral says, as a PersonInput."""
        return {
            "profile": {
                "biography": f"Novelist; “{self.work}” was withdrawn after a week.",
                "languages": ["fa", "en"],
                "works": [{"title": self.work, "year": 2024, "kind": "novel"}],
            },
            "identity": {
                "givenName": self.given,
                "familyName": self.family,
                "bornOn": self.born_on,
                "nationalities": ["IR"],
            },
            "contact": {
                "channels": [{"kind": "signal", "address": f"+90 000 {self.number:04}", "safe": True}],
                "instructions": "Write first; never call.",
                "mayContactDirectly": False,
            },
            "threat": {"summary": "Summoned three times; passport taken.", "sources": ["STATE"]},
        }

    def at_northlight(self) -> dict[str, Any]:
        """Her record in the Northlight PEN Centre's own system, in its words."""
        return {
            "id": f"NL-{100 + self.number}",
            "link": f"https://cases.northlight-pen.example/referrals/NL-{100 + self.number}",
            "createdAt": _ago(9).isoformat(),
            "updatedAt": _ago(2).isoformat(),
            "homeCountry": "IR",
            "profession": "novelist",
            "dangerGrade": 3,
            "priority": "urgent",
            "story": f"Novelist; “{self.work}” was withdrawn after a week.",
            "spokenLanguages": ["fa", "en"],
            "applicant": {
                "firstName": self.given, "lastName": self.family, "dateOfBirth": self.born_on,
                "penNames": [], "gender": "female", "passports": ["IR"],
            },
            "stay": {"country": "TR", "town": "Van", "hidden": True},
        }  # fmt: skip

    def at_arts_haven(self) -> dict[str, Any]:
        """Her record in Arts Haven's own system, in its words."""
        year, month, day = self.born_on.split("-")
        received = _ago(6)
        return {
            "id": 6000 + self.number,
            "page": f"https://desk.arts-haven.example/applications/{6000 + self.number}",
            "received": f"{received:%d/%m/%Y}",
            "modified": _ago(1).isoformat(),
            "full_name": f"{self.given} {self.family}",
            "birth": f"{day}/{month}/{year}",
            "country": "IR",
            "artform": "writing",
            "level": "A",
            "rush": True,
            "about": "Also writes for the stage.",
            "tongues": "fa;en",
            "now": {"land": "TR", "place": "Ankara", "secret": True},
            "danger": {"note": "Has had to move on from Van.", "who": ["S"]},
            "channels": {},
            "needs": None,
            "travels_with": [],
        }


def newcomers(count: int) -> list[Newcomer]:
    """Give the first `count` of them."""
    return [Newcomer(number) for number in range(1, count + 1)]


def _ago(days: int) -> datetime:
    """Give a time of this week, the same all day."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)
