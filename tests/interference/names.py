"""This module knows what facts are called: row ids, the names an organisation knows them by, and what a curious asker may try."""

import hashlib
import hmac
import uuid
from typing import Any

from tests.interference.facts import (
    CITIES,
    FEEDS,
    ORGANISATIONS,
    Agreement,
    Case,
    Client,
    Consent,
    Merged,
    Message,
    Presentation,
    Record,
    Referral,
    Residency,
    Retraction,
    User,
    Webhook,
    World,
)

SPACE = uuid.UUID("6f0f4b54-8a3e-4c4e-9d55-1d1c7b1f2a10")
ERASED = (90, 91)
"""Numbers of what neither world has any more, and whose names an organisation may still know."""
FAMILY_NAMES = ("Farahani", "Aydin", "Petrova", "Okonkwo")


def row_id(kind: str, number: int) -> uuid.UUID:
    """Give the row id of a fact; in both worlds the same."""
    return uuid.uuid5(SPACE, f"{kind} {number}")


def pairwise(organisation: str, kind: str, number: int) -> uuid.UUID:
    """Give the id by which an organisation knows a case or referral, under the key that tests give it."""
    key = hashlib.sha256(organisation.encode()).digest()
    return uuid.UUID(bytes=hmac.digest(key, kind.encode() + row_id(kind, number).bytes, hashlib.sha256)[:16])


def spoken(prefix: str, name: uuid.UUID) -> str:
    """Give a reference as people say it."""
    digits = name.hex[:16].upper()
    return prefix + "-".join(digits[i : i + 4] for i in range(0, 16, 4))


def child(parent: uuid.UUID, kind: str, number: int) -> str:
    """Give what an organisation calls a child of a case or referral."""
    return f"{parent}_{hashlib.sha256(parent.bytes + row_id(kind, number).bytes).hexdigest()[:16]}"


def ids(organisation: str, worlds: tuple[World, World]) -> list[str]:
    """Give every id that a client of an organisation could try: of what is there in either world, in its own names, most often, and in ICORN's."""
    found = (
        [f"city_{code}" for code in CITIES]
        + [f"feed_{code}" for code in FEEDS]
        + [f"organisation_{code}" for code in ORGANISATIONS]
    )
    for fact in worlds[0] | worlds[1]:
        own = ids_of(organisation, fact)
        found += [*own[:1] * 4, *own[1:], *ids_of("icorn", fact)]
    for number in ERASED:
        found += [
            f"case_{pairwise(organisation, 'case', number)}",
            f"referral_{pairwise(organisation, 'referral', number)}",
        ]
        found += [f"record_{row_id('record', number)}", f"case_{row_id('case', number)}"]
    absent = uuid.uuid5(SPACE, "absent")
    found += [f"{word}_{absent}" for word in ("case", "referral", "record", "agreement", "user")]
    found += [
        f"audit_{absent}_1",
        "case_",
        "case_1",
        "consent_x_y",
        "nothing",
        "city_nowhere",
        "client_nobody",
        f"message_{absent}_1",
        f"event_{absent}_1",
    ]
    return sorted(found)


def ids_of(organisation: str, fact: Any) -> list[str]:
    """Give every id that a fact has or could be thought to have, the right one first."""
    match fact:
        case Case(id=number) | Merged(former=number):
            return [f"case_{pairwise(organisation, 'case', number)}", f"case_{row_id('case', number)}"]
        case Presentation(id=number):
            return [f"presentation_{row_id('presentation', number)}"]
        case Referral(id=number):
            name = pairwise(organisation, "referral", number)
            return [f"referral_{name}", f"event_{name}_1", f"referral_{row_id('referral', number)}"]
        case Message(referral=referral, ordinal=ordinal):
            return [f"message_{pairwise(organisation, 'referral', referral)}_{ordinal}"]
        case Residency(id=number, case=case):
            return [f"residency_{child(pairwise(organisation, 'case', case), 'residency', number)}"]
        case Consent(id=number, case=case, referral=referral):
            by_case = (
                [] if case is None else [f"consent_{child(pairwise(organisation, 'case', case), 'consent', number)}"]
            )
            by_referral = (
                []
                if referral is None
                else [f"agreed_{child(pairwise(organisation, 'referral', referral), 'consent', number)}"]
            )
            return by_case + by_referral
        case Record() | Retraction() | Agreement() | User() | Webhook():
            word = type(fact).__name__.lower()
            return [f"{word}_{row_id(word, fact.id)}"]
        case Client(name=name):
            return [f"client_{name}"]
    return []


def texts(organisation: str, worlds: tuple[World, World]) -> list[str]:
    """Give the names, codes and references that a client could try."""
    found = [*FAMILY_NAMES, "farahani ", *CITIES, *FEEDS, *ORGANISATIONS, "", "nothing", "er"]
    found += [spoken("C-", pairwise(organisation, "case", number)) for number in ERASED]
    found += [spoken("R-", pairwise(organisation, "referral", number)) for number in ERASED]
    for fact in worlds[0] | worlds[1]:
        if isinstance(fact, Case):
            found.append(spoken("C-", pairwise(organisation, "case", fact.id)))
        if isinstance(fact, Merged):
            found.append(spoken("C-", pairwise(organisation, "case", fact.former)))
        if isinstance(fact, Referral):
            found.append(spoken("R-", pairwise(organisation, "referral", fact.id)))
            found += [fact.client_reference] if fact.client_reference else []
    return sorted(set(found))
