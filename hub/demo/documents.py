"""This module turns a person of the invented world into the documents a case or referral holds, category by category."""

from typing import Any

import msgspec

from hub.demo.world import Person

Documents = dict[str, dict[str, Any]]


def documents(person: Person) -> Documents:
    """Give what there is to say of a person; a category with nothing to say is left out."""
    title, year, kind = (part.strip() for part in person.work.rsplit(",", 2))
    country, _, place = person.now.partition(" ")
    hiding = place.endswith(" hiding")
    found: Documents = {
        "PROFILE": {
            "biography": person.bio,
            "languages": person.speaks.split(),
            "works": [{"title": title, "year": int(year), "kind": kind}],
        },
        "IDENTITY": {
            "givenName": person.given,
            "familyName": person.surname,
            "pseudonyms": [person.alias] if person.alias else [],
            "bornOn": person.born,
            "gender": person.gender,
            "nationalities": [person.origin],
        },
        "CONTACT": {
            "channels": [
                {"kind": "signal", "address": f"+00 000 {abs(hash_of(person.name)) % 10**4:04}", "safe": True}
            ],
            "instructions": "Write first; never call." if hiding else None,
            "mayContactDirectly": not hiding,
        },
        "WHEREABOUTS": {"country": country, "city": place.removesuffix(" hiding"), "inHiding": hiding},
        "THREAT": {"summary": person.threat, "sources": person.by.split(), "incidents": []},
    }
    if person.needs:
        found["HEALTH"] = {"needs": person.needs}
    if person.family:
        found["FAMILY"] = {"members": [{"relation": who, "relocating": True} for who in person.family]}
    return found


def assessment(person: Person) -> Documents:
    """Give ICORN's own view of a person, which nobody else is ever shown."""
    view = {
        "recommendation": f"Risk {person.risk.lower()}; in mandate.",
        "notes": "Two referees heard.",
        "assessedBy": "desk",
    }
    return {"ASSESSMENT": {**view, "assessedOn": person.opened}}


def hash_of(text: str) -> int:
    """Give a number that is the same on every run."""
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))


def encoded(found: Documents) -> dict[str, bytes]:
    """Give documents as the bytes that are sealed."""
    return {category: msgspec.json.encode(document) for category, document in found.items()}
