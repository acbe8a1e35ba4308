"""This module passes a referral on to another organisation: only what the person agreed that it may have, and none of what the first recipient wrote."""

from collections.abc import Awaitable, Callable
from typing import Any

from hub.commands.asker import Asker, Organisation, Problems


async def pass_on(asker: Asker, referral: Any, whom: Organisation, found: Problems) -> Callable[[], Awaitable[None]]:
    """Judge whether a referral may go to somebody else; give what makes the new one.

    What is passed on is what the recipient may read of the person now. A token that does not open all of it could not pass it on whole.
    """
    if whom.id in (referral["sender"], referral["recipient"]):
        found.add("NOT_ALLOWED", "A referral is passed on to somebody who has no part in it.", "redirectTo")
    categories = await asker.connection.fetch(
        "select k::text as category, viewer_has('cases:' || lower(k::text)) as opened from referral_access a, unnest($3::category[]) k"
        " where a.organisation = $1 and a.referral_id = $2 and case k when 'PROFILE' then a.profile when 'IDENTITY' then a.identity"
        " when 'CONTACT' then a.contact when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat when 'HEALTH' then a.health"
        " when 'FAMILY' then a.family end @> hub_now() order by k",
        asker.principal.organisation,
        referral["id"],
        referral["shared_categories"],
    )
    found_to_lack = [row["category"] for row in categories if not row["opened"]]
    if found_to_lack:
        scopes = ", ".join(f"cases:{category.lower()}" for category in found_to_lack)
        found.add("NOT_ALLOWED", f"What is passed on is opened first: your token lacks {scopes}.", "response")
    named = [row["category"] for row in categories]
    refused = await asker.connection.fetchval(
        "select not_agreed($1, $2, $3::text[]::category[])::text[]", referral["id"], whom.id, ["OVERVIEW", *named]
    )
    for category in refused:
        found.add("NOT_CONSENTED", f"The person has not agreed that {whom.name} may have {category}.", "redirectTo")

    async def made() -> None:
        await _make(asker, referral, whom, named)

    return made


async def _make(asker: Asker, referral: Any, whom: Organisation, categories: list[str]) -> None:
    """Seal what is passed on under the key of a new referral, and have Postgres begin it as the sender's own."""
    old, new = referral["id"], asker.new_id("redirected")
    was, key = await asker.referral_key(old), asker.sealing.new_key()

    def again(name: str, sealed: bytes | None, version: int = 1) -> bytes | None:
        if sealed is None:
            return None
        said = asker.sealing.open(was, f"referral:{old}", name, version, sealed)
        return asker.sealing.seal(key.plain, f"referral:{new}", name, 1, said)

    documents = await asker.connection.fetch(
        "select category::text, key_version, sealed from referral_person where referral_id = $1 and category = any ($2::text[]::category[])",
        old,
        categories,
    )
    await asker.connection.execute(
        "select redirect_referral($1, $2, $3, $4, $5, $6, $7, $8::text[]::category[], $9)",
        old,
        new,
        whom.id,
        key.kek,
        key.wrapped,
        again("REASON", referral["reason"]),
        again("LINKAGE", referral["linkage"]),
        [row["category"] for row in documents],
        [again(row["category"], row["sealed"], row["key_version"]) for row in documents],
    )
