"""This module keeps each client's budget for a minute. It lies in Postgres; a process draws a share of it and spends from that.

So most requests cost no round trip, and processes together never spend more than there is. A budget is a function of the
client's own requests alone: nothing anybody else asks, and nothing that was found, is in it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from auth.clock import Clock
from auth.database import Database
from auth.principal import Principal
from auth.recent import Recent

WINDOW: Final = 60
_CLIENTS_KEPT: Final = 4096
_DRAW: Final = """
with asker as materialized (
    select set_config('hub.organisation', $1::text, true) is not null and set_config('hub.client', $2, true) is not null as bound
)
insert into hub.budget as b (organisation, client_id, kind, minute, drawn)
select $1::text::int, $2, $3, $4, hub.portion($5, $6) from asker where bound
on conflict (client_id, kind) do update set
    minute = greatest(b.minute, excluded.minute),
    drawn = case when b.minute < excluded.minute then excluded.drawn else b.drawn + hub.portion($5 - b.drawn, $6) end
returning new.drawn - case when old.minute is null or old.minute < new.minute then 0 else old.drawn end as taken,
    greatest($5 - new.drawn, 0) as available
"""


class Kind(StrEnum):
    """What is counted: the cost of operations, or access tokens asked for."""

    COST = "COST"
    TOKENS = "TOKENS"


@dataclass(frozen=True, slots=True)
class Balance:
    """How a budget stands: its quota, what is `left` of it, in how many seconds it is whole again, and whether there was `enough`."""

    kind: Kind
    quota: int
    left: int
    resets: int
    enough: bool

    def headers(self) -> dict[str, str]:
        """Tell it as draft-ietf-httpapi-ratelimit-headers-10 has it; Retry-After as RFC 9110, section 10.2.3."""
        told = {
            "RateLimit-Policy": f'"{self.kind.lower()}";q={self.quota};w={WINDOW}',
            "RateLimit": f'"{self.kind.lower()}";r={self.left};t={self.resets}',
        }
        return told if self.enough else {**told, "Retry-After": str(self.resets)}


@dataclass(frozen=True, slots=True)
class _Share:
    minute: int
    held: int
    available: int


class Budgets:
    """The budgets of one kind, as one process spends them. `database` is of a role that may draw this kind."""

    def __init__(self, kind: Kind, database: Database, clock: Clock) -> None:
        self._kind, self._database, self._clock = kind, database, clock
        self._shares: Recent[str, _Share] = Recent(_CLIENTS_KEPT)

    async def spend(self, organisation: int, client: str, quota: int, amount: int) -> Balance:
        """Spend an amount of a client's budget, all of it or nothing; whoever calls has made sure that the client is who it says."""
        now = self._clock()
        minute = int(now // WINDOW)
        share = self._shares.get(client)
        if share is None or share.minute != minute:
            share = _Share(minute, 0, quota)
        # Within a minute nothing comes back to Postgres: who was told that there is too little need not ask again.
        if share.held < amount <= share.held + share.available:
            need = amount - share.held
            row = await self._database.fetchrow(_DRAW, str(organisation), client, self._kind, minute, quota, need)
            # What other tasks spent or drew in the meantime counts too.
            known = self._shares.get(client)
            held = known.held if known is not None and known.minute == minute else 0
            share = _Share(minute, held + row["taken"], row["available"])
        enough = amount <= share.held
        share = replace(share, held=share.held - amount) if enough else share
        self._shares.put(client, share)
        return Balance(self._kind, quota, share.held + share.available, WINDOW - int(now % WINDOW), enough)

    def give_back(self, client: str, amount: int) -> None:
        """Undo spending for a request that turned out not to be the client's own, such as a replay."""
        share = self._shares.get(client)
        if share is not None and share.minute == int(self._clock() // WINDOW):
            self._shares.put(client, replace(share, held=share.held + amount))


class Spending:
    """What one request takes off its client's budget: piece by piece, and undone if the request was not the client's own."""

    def __init__(self, budgets: Budgets, principal: Principal) -> None:
        self._budgets, self._principal = budgets, principal
        self._spent = 0
        self.balance: Balance | None = None

    async def take(self, amount: int) -> bool:
        """Take an amount; tell whether there was enough."""
        asker = self._principal
        self.balance = await self._budgets.spend(asker.organisation, asker.client, asker.limits.cost_per_minute, amount)
        self._spent += amount if self.balance.enough else 0
        return self.balance.enough

    def undo(self) -> None:
        """Give everything back."""
        self._budgets.give_back(self._principal.client, self._spent)
        self._spent, self.balance = 0, None
