"""This module makes holes in what is told to those who follow. No hub is built so."""

from dataclasses import replace
from typing import Any

from hub.engine.compiled import Compiled, Plans
from hub.engine.plan import Ask, Plan
from schema.fields import One
from schema.rows import EVENT
from tests.interference.following import let_everyone_look
from tests.interference.leaks_in_plans import planted
from tests.interference.twins import Leak
from tests.world import World


def to_whoever_follows(ask: Ask, _: Any) -> Ask:
    """Tell whoever follows of all that ICORN sees."""
    if not isinstance(ask.source, One) or ask.source.rows != EVENT:
        return ask
    of_icorn = "a.organisation = (select o.id from organisation o where o.kind = 'ICORN')"
    return replace(ask, source=replace(ask.source, rows=replace(EVENT, access=of_icorn)))


TOLD = planted("what ICORN may see is told to whoever follows", to_whoever_follows)
"""Where a wall is down, everyone looks at every event."""


class Telling(Plans):
    """Plans by which there is an answer to an event that the asker may not see: an empty one."""

    def _written(self, made: Plan) -> Compiled:
        compiled = super()._written(made)
        if made.kind != "subscription":
            return compiled
        (own,) = compiled.own
        return replace(compiled, own=(replace(own, sql=own.sql.replace("from gate join", "from gate left join")),))


def tell_of_all(hub: World) -> None:
    """Say of every event that there was one."""
    let_everyone_look(hub)
    engine = hub.app.state.engine
    hub.app.state.engine = replace(engine, plans=Telling(engine.schema))


EMPTY = Leak("of a hidden event an empty message is told", plant=tell_of_all)
