"""Whoever follows is told nothing by what is hidden: not by a message, nor their order, nor the end, the cost or the work of a connection."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from auth.client import proof
from hub.subscriptions import outbox
from tests.interference.following import MOVED, Ear, caught_up, happens, let_everyone_look, spoken_to, streamed
from tests.interference.pairs import pair
from tests.interference.principals import PRINCIPALS, Principal
from tests.interference.twins import SOUND, Filled, Leak, Twins
from tests.interference.watched import NUMBERED
from tests.world import ISSUER, UNLIMITED, World

FOLLOWED = {
    "steps": "subscription { referralEvents { id kind by { code } referral { id messages { totalCount } } } }",
    "owed": "subscription { retractions { id subject categories acknowledgedAt } }",
}
SEEN = "exists (select from referral_access a where a.referral_id = r.id and a.organisation = (select o.id from organisation o where o.code = 'OWN') and holds(a.visible, hub_now()))"
OWED = "r.organisation = (select o.id from organisation o where o.code = 'OWN')"
STORM = (
    "update client set status = 'DISABLED' where client_id <> 'CLIENT'",
    "update organisation set suspended_at = hub_now() where code not in ('OWN', 'icorn')",
    "update agreement set ended_at = hub_now() where organisation <> (select id from organisation where code = 'OWN')",
    "insert into revoked_token (token_id, until) values ('another', hub_now() + interval '1 hour')",
)
"""What ends the rights of others."""


@dataclass
class Heard:
    """What one hub told, and what it did and took for it."""

    told: list[list[dict[str, Any]]] = field(default_factory=list)
    open: list[bool] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    left: int = 0


async def storm(hub: World, asker: Principal) -> None:
    """Let much happen that the asker may not see: steps, retractions, and the end of others' rights."""
    others = [code for code in hub.organisations if code not in (asker.organisation, "icorn")]
    for number in range(8):
        await hub.referral(others[number % 2], others[2])
    hidden = [f"not {what}".replace("OWN", asker.organisation) for what in (SEEN, OWED)]
    await happens(hub, *hidden)
    await hub.admin.execute(MOVED.format(which=hidden[0]).replace("from referral r", "from referral r cross join generate_series(1, 20)"))  # fmt: skip
    for statement in STORM:
        await hub.admin.execute(statement.replace("OWN", asker.organisation).replace("CLIENT", asker.client))
    await caught_up(hub)


async def listen(hub: World, twins: Twins, token: str, signed: dict[str, str], *, stormy: bool) -> Heard:
    """Follow by both protocols while something happens that is seen, in one of two worlds something that is not, and something again."""
    heard, asker, ears = Heard(), twins.pair.principal, list[Ear]()
    hub.organisations |= dict(await hub.admin.fetch("select code, id from organisation order by id"))
    pool = hub.app.state.pools.app
    for connection in [await pool.acquire() for _ in range(pool.get_max_size())]:
        connection.add_query_logger(lambda record: heard.statements.append(NUMBERED.sub("", record.query)))
        await pool.release(connection)
    url = f"{ISSUER}/graphql"
    given = {"Authorization": f"DPoP {token}", "Content-Type": "application/json"}
    for name, query in FOLLOWED.items():
        body = f'{{"query": "{query}"}}'.encode()
        ears.append(await streamed(hub, url, {**given, "DPoP": signed[name]}, body))
    ears.append(await spoken_to(hub, url, {**given, "DPoP": signed["socket"]}, FOLLOWED))
    for part in (1, 2):
        await happens(hub, SEEN.replace("OWN", asker.organisation), OWED.replace("OWN", asker.organisation))
        await caught_up(hub)
        if stormy and part == 1:
            await storm(hub, asker)
    heard.open = [ear.open for ear in ears]
    for ear in ears:
        await ear.close("websocket.disconnect" if ear is ears[-1] else "http.disconnect")
    # Two that follow one event are told of it in either order.
    heard.told = [ear.told for ear in ears[:-1]] + [sorted(ears[-1].told, key=lambda m: m.get("text", "")[:20])]
    budgets, most = hub.app.state.budgets, UNLIMITED["cost_per_minute"]
    heard.left = (await budgets.spend(hub.organisations[asker.organisation], asker.client, most, 0)).left
    heard.statements.sort()
    return heard


def both(runner: asyncio.Runner, filled: Filled, name: str, leak: Leak) -> tuple[Heard, Heard]:
    """Listen in a world and in another, whose hidden half is stormy."""

    async def run() -> tuple[Heard, Heard]:
        twins = Twins(filled, pair(PRINCIPALS[name], 2), leak)
        await twins.fresh()
        try:
            client = twins._client  # noqa: SLF001 the one that asks both
            token = (await client.token()).value
            key, now, url = client._proof_key, twins._hubs[0].now, f"{ISSUER}/graphql"  # noqa: SLF001 as above
            signed = {what: proof(key, url, now, access_token=token, method="GET" if what == "socket" else "POST") for what in (*FOLLOWED, "socket")}  # fmt: skip
            calm, stormy = [await listen(hub, twins, token, signed, stormy=n == 1) for n, hub in enumerate(twins._hubs)]  # noqa: SLF001 as above
            return calm, stormy
        finally:
            await twins.aclose()

    return runner.run(run())


@pytest.mark.parametrize("name", ["a partner with every scope", "a sender of referrals", "a recipient of referrals"])
def test_what_is_hidden_changes_nothing_of_what_is_followed(
    runner: asyncio.Runner, filled: Filled, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Over either protocol the same messages in the same order, no connection ended, the same taken off the budget, and the same statements."""
    monkeypatch.setattr(outbox, "UNREAD", 40)
    calm, stormy = both(runner, filled, name, SOUND)

    assert stormy.told == calm.told
    assert (calm.open, stormy.open) == ([True] * 3, [True] * 3)
    assert stormy.left == calm.left < UNLIMITED["cost_per_minute"]
    assert stormy.statements == calm.statements
    assert all("next" in str(told) for told in calm.told)


def test_work_for_what_is_hidden_is_found(
    runner: asyncio.Runner, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everyone looks at everything, nothing is told of it; but it makes work, and too much of it ends a connection."""
    monkeypatch.setattr(outbox, "UNREAD", 40)
    looking = Leak("everyone looks at every event", plant=let_everyone_look)
    calm, stormy = both(runner, filled, "a sender of referrals", looking)

    assert calm.open == [True] * 3
    assert stormy.statements != calm.statements
    assert not stormy.open[0]
