"""This module puts people there who sign in for an organisation."""

import msgspec

from auth.people.seal import CARD, Card, UserSeal
from tests.interference.facts import ORGANISATIONS, User
from tests.interference.names import FAMILY_NAMES, row_id
from tests.world import KEYRING, World


async def put_user(hub: World, fact: User) -> None:
    """Put somebody there, sealed as the hub seals them."""
    user, organisation = row_id("user", fact.id), hub.organisations[fact.organisation]
    side = "ICORN" if ORGANISATIONS[fact.organisation] == "ICORN" else "PARTNER"
    key, email = hub.sealing.new_key(), f"user{fact.id}.{fact.variant}@{fact.organisation}.example"
    card = msgspec.json.encode(Card(email, FAMILY_NAMES[fact.variant]))
    await hub.insert(
        "usr", id=user, organisation=organisation, roles=[f"{side}_{'ADMIN' if fact.admin else 'STAFF'}"], scopes=["access:manage", "cases:read"],
        status="ACTIVE", standing=0, email_digest=UserSeal(KEYRING).digest(organisation, email), kek=key.kek, wrapped=key.wrapped,
        sealed=hub.sealing.seal(key.plain, f"user:{user}", CARD, 1, card),
    )  # fmt: skip
