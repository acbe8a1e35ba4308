"""This module says which facts fit together in one world: what is there once, and what needs what."""

from typing import Any

from tests.interference.facts import (
    Client,
    Document,
    Fact,
    LegalHold,
    Link,
    Merged,
    Message,
    Outcome,
    Referral,
    World,
)


def keys(fact: Fact) -> list[tuple[Any, ...]]:
    """Give what may be there once in a world: no two facts share one of these."""
    match fact:
        case Document(case=case, category=category):
            return [("document", case, category)]
        case Message(referral=referral, ordinal=ordinal):
            return [("message", referral, ordinal)]
        case Link(record=record):
            return [("link", record)]
        case Merged(former=former):
            return [("merged", former)]
        case LegalHold(case=case):
            return [("legal hold", case)]
        case Outcome(organisation=organisation, client=client, key=key):
            return [("outcome", organisation, client, key)]
        case Client(name=name):
            return [("client", name)]
        case Referral(id=number, sender=sender, client=client, client_reference=str(reference)):
            return [("Referral", number), ("reference", sender, client, reference)]
    return [(type(fact).__name__, fact.id)]


def needs(fact: Fact) -> list[tuple[str, int]]:
    """Give what must be there before a fact can be."""
    named = [(kind, getattr(fact, kind.lower(), None)) for kind in ("Case", "Referral", "Record")]
    return [(kind, number) for kind, number in named if number is not None]


def with_fact(world: World, fact: Fact) -> World | None:
    """Add a fact to a world, in the place of the one of the same name if there is one; None when it does not fit."""
    taken = {key: known for known in world for key in keys(known)}
    if not taken.keys() >= set(needs(fact)):
        return None
    clashing = {taken[key] for key in keys(fact) if key in taken}
    if any(keys(known)[0] != keys(fact)[0] for known in clashing):
        return None
    return (world - clashing) | {fact}
