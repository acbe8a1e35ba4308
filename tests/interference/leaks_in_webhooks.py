"""This module makes holes in what webhooks are sent. No hub is built so."""

from collections.abc import Mapping
from typing import Any

from hub.webhooks.messages import signed
from hub.webhooks.rounds import Rounds
from hub.webhooks.telling import Happened, telling
from tests.interference.leaks_in_plans import ONLY_THE_FIRST
from tests.interference.twins import Leak
from tests.world import World


def _without_the_rule(hub: World) -> None:
    hub.app.state.telling = telling(frozenset({2}))


class Counting(Rounds):
    """Names a message by the number of its event among all events."""

    def _headers(self, row: Any, event: Happened, body: bytes) -> Mapping[str, str]:
        del row
        return signed("whsec_", f"msg_{event.place[1]}", int(self._clock()), body)


class Hasty(Rounds):
    """Tries again whenever anything happens."""

    async def look(self) -> None:
        """Look, whatever the time."""
        await self._pool.execute("update webhook set next_try_at = null")
        await super().look()


def _made(rounds: type[Rounds]) -> Any:
    def plant(hub: World) -> None:
        hub.app.state.rounds = rounds

    return plant


TOLD = Leak("a webhook is told whatever happens", plant=_without_the_rule, walls=ONLY_THE_FIRST)
COUNTED = Leak("a message's name counts all events", plant=_made(Counting))
RETRIED = Leak("a retry comes with the next event, hidden or not", plant=_made(Hasty))
