"""This module knows the webhooks of worlds: it puts them there, lets everything happen there that could be told of, and notes what they are sent."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from hub.webhooks.courier import TAKEN, Courier, Receipt
from hub.webhooks.rounds import Rounds
from hub.webhooks.telling import telling
from tests.interference.facts import Webhook
from tests.interference.names import row_id
from tests.world import KEYRING, World

HEAR: Final[tuple[str, Mapping[str, Any] | None]] = ("# everything happens, and webhooks are told", None)
"""Stands among operations for that."""
KINDS: Final = ("SUBMITTED", "IN_REVIEW")
ADDRESS: Final = "https://partner.example/{}"
OWN: Final = ADDRESS.format(100)
"""The one that is in both worlds of every pair."""
REFERRALS: Final = """
select f.id, exists (select from referral_access a where a.referral_id = f.id and a.organisation = $1 and holds(a.visible, hub_now())) as seen
from referral f order by f.id
"""
STEP: Final = """
insert into referral_event (referral_id, ordinal, kind, status, organisation, at)
select f.id, $1, 'IN_REVIEW', f.status, f.sender, hub_now() from referral f where f.id = $2
"""
STEPPED: Final = """
insert into event (kind, organisation, referral_id, at) select 'referral.moved', sender, id, hub_now() from referral where id = $1
"""
RETRACTED: Final = """
insert into event (kind, organisation, audience, retraction_id, at)
select 'retraction.made', organisation, organisation, id, hub_now() from retraction order by id
"""


async def put_webhook(hub: World, fact: Webhook) -> None:
    """Put a webhook there, with a secret that is the same in both worlds."""
    webhook, key = row_id("webhook", fact.id), hub.sealing.new_key()
    paused = {"paused_at": "2026-05-01T00:00:00Z"} if fact.paused else {}
    await hub.insert(
        "webhook", id=webhook, organisation=hub.organisations[fact.organisation], url=ADDRESS.format(fact.id), events=KINDS,
        purpose="PROTECTION", created_at="2026-01-01T00:00:00Z", failures=fact.variant, **paused,
    )  # fmt: skip
    sealed = hub.sealing.seal(key.plain, f"webhook:{webhook}", "SECRET", 1, b"whsec_" + b64encode(bytes(32)))
    await hub.insert("webhook_secret", webhook_id=webhook, sealed=sealed, kek=key.kek, wrapped=key.wrapped)  # fmt: skip


class Noting(Courier):
    """A courier that notes what would be sent, and says now and then that it was not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[str, Mapping[str, str], bytes]] = []

    async def carry(self, address: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Note a message."""
        self.noted.append((address, headers, body))
        mine = [each for each in self.noted if each[0] == address]
        return Receipt("HTTP_500") if len(mine) % 3 == 1 else TAKEN


async def heard(hub: World, organisation: str, walls: frozenset[int]) -> list[tuple[str, str]]:
    """Let every referral take steps and every retraction be told of, hidden or not, and give all that the organisation's webhook was sent."""
    courier = Noting()
    pools = hub.app.state.pools
    rounds = getattr(hub.app.state, "rounds", Rounds)(
        # The administrator stands for a second wall that is down.
        pools.worker if 2 in walls else pools.app,
        courier,
        hub.sealing,
        KEYRING.subkey("index/webhook message"),
        clock=lambda: hub.now,
        chance=lambda: 0.5,
        tick=0,
        statement=getattr(hub.app.state, "telling", telling(walls)),
    )
    own = await hub.admin.fetchval("select id from organisation where code = $1", organisation)
    try:
        for ordinal in (50, 51):
            for referral, seen in await hub.admin.fetch(REFERRALS, own):
                # Time passes with what the organisation sees: what is hidden happens in between, and must not be told by time.
                await _pass(hub, int(seen))
                await hub.admin.execute(STEP, ordinal, referral)
                await hub.admin.execute(STEPPED, referral)
                await _round(rounds)
        await hub.admin.execute(RETRACTED)
        await _round(rounds)
        for _ in range(8):
            await _pass(hub, 60)
            await _round(rounds)
    finally:
        await rounds.close()
    state = await hub.admin.fetchrow(
        "select url, last_delivery_at, failures, last_problem, next_try_at from webhook where organisation = $1 and url = $2",
        own,
        OWN,
    )
    return [(str(dict(headers)), body.decode()) for address, headers, body in courier.noted if address == OWN] + [
        (str(dict(state)), "")
    ]


async def _round(rounds: Rounds) -> None:
    await rounds.look()
    await rounds.settle()


async def _pass(hub: World, seconds: int) -> None:
    await hub.admin.execute("update test_clock set now = now + make_interval(secs => $1)", seconds)
    hub.now += seconds
