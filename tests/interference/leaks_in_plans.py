"""This module makes holes in plans: mistakes in the first wall, and in how lists, orders and cursors are made. No hub is built so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.engine.compiled import Compiled, Plans
from hub.engine.cost import Price
from hub.engine.plan import Ask, Plan
from schema.fields import Column, Many, One, Order, Page, Rows, Where
from schema.rows import CASE, CASE_WITHHELD, CLIENT, EMERGENCY, RETRACTION, USER
from tests.interference.twins import Leak
from tests.world import World

Change = Callable[[Ask, Any], Ask]
ONLY_THE_FIRST = frozenset({1})
STAYS = "(select count(*) from residency v where v.case_id = {of}.{key})"


class LeakyPlans(Plans):
    """Plans with every part changed before its statement is written, and dearer than they should be."""

    change: Change
    more: int = 0

    def _written(self, made: Plan) -> Compiled:
        made.roots = tuple(_changed(root, None, self.change) for root in made.roots)
        made.price = made.price + Price(self.more)
        return super()._written(made)


def _changed(ask: Ask, rows: Any, change: Change) -> Ask:
    rows = getattr(ask.source, "rows", rows)
    choices = {
        word: (of, by, tuple(_changed(a, of, change) for a in asks)) for word, (of, by, asks) in ask.choices.items()
    }
    asks = tuple(_changed(a, rows, change) for a in ask.asks)
    return change(replace(ask, asks=asks, choices=choices), rows)


def _unchanged(ask: Ask, _: Any) -> Ask:
    return ask


def planted(name: str, change: Change = _unchanged, more: int = 0) -> Leak:
    """Make a leak of a change to plans; the second wall is down, or it would cover the hole."""

    def plant(hub: World) -> None:
        put(hub, change, more)

    return Leak(name, plant=plant, walls=ONLY_THE_FIRST)


def put(hub: World, change: Change = _unchanged, more: int = 0) -> None:
    """Put a change of every plan into a hub."""
    engine = hub.app.state.engine
    plans = LeakyPlans(engine.schema, ONLY_THE_FIRST)
    plans.change, plans.more = change, more
    hub.app.state.engine = replace(engine, plans=plans)


def _coordinate(ask: Ask) -> str:
    return ask.arguments.coordinate if ask.arguments else ""


def by_id(ask: Ask, _: Any) -> Ask:
    """Find a case for whoever names it."""
    return replace(ask, source=One(replace(CASE, access=""))) if _coordinate(ask) == "Query.case" else ask


def representations(ask: Ask, _: Any) -> Ask:
    """Believe a federation's router that may name any case."""
    if _coordinate(ask) != "Query._entities":
        return ask
    open_to_all = {
        word: (replace(rows, access="") if rows == CASE else rows, by, asks)
        for word, (rows, by, asks) in ask.choices.items()
    }
    return replace(ask, choices=open_to_all)


def edge(ask: Ask, _: Any) -> Ask:
    """Follow a referral to its case without asking who may see that."""
    if not isinstance(ask.source, One) or _coordinate(ask) != "Referral.case":
        return ask
    of_icorn = replace(CASE, access="a.organisation = (select o.id from organisation o where o.kind = 'ICORN')")
    return replace(ask, source=One(of_icorn, ask.source.on))


def total(ask: Ask, rows: Any) -> Ask:
    """Count all there are."""
    everyone = Column("(select count(*) from case_file)")
    return replace(ask, source=everyone, name="") if ask.name == "totalCount" and rows == CASE else ask


def has_more(ask: Ask, rows: Any) -> Ask:
    """Take whether there is more from all there are."""
    more = Column("(select count(*) > 6 from case_file)")
    return replace(ask, source=more, name="") if ask.name == "hasNextPage" and rows == CASE else ask


def _listed(ask: Ask, rows: Rows, **changes: Any) -> Ask:
    assert isinstance(ask.source, Page)
    return replace(ask, source=replace(ask.source, rows=rows, **changes))


def _lists_cases(ask: Ask) -> bool:
    return isinstance(ask.source, Page) and ask.source.rows == CASE


def page_length(ask: Ask, _: Any) -> Ask:
    """Take a page of all there are, and then leave out what is hidden."""
    newest = "(select * from case_file order by opened_on desc, id limit 2)"
    of_newest = f"from (select x.* from {newest} y join case_access x on x.case_id = y.id) a "  # noqa: S608 our own
    rows = replace(CASE, select=CASE.select.replace("from case_access a ", of_newest))
    return _listed(ask, rows) if _lists_cases(ask) else ask


def _with(column: str) -> Rows:
    return replace(CASE, select=CASE.select.replace(" from case_access a ", f", {column} from case_access a ", 1))


def order(ask: Ask, _: Any) -> Ask:
    """Sort by something that may be hidden."""
    if not _lists_cases(ask):
        return ask
    assert isinstance(ask.source, Page)
    rows = _with(f"{STAYS.format(of='f', key='id')} as stays")
    orders = {**ask.source.orders, "STAYS": Order("stays", "bigint")}
    return _listed(ask, rows, orders=orders, default=("STAYS", "DESC"))


def cursor(ask: Ask, _: Any) -> Ask:
    """Put something that may be hidden into a cursor; the order stays as it is."""
    rows = _with(f"a.pairwise || '.' || {STAYS.format(of='f', key='id')} as place")
    return _listed(ask, rows, tie=Order("place", "text")) if _lists_cases(ask) else ask


def hidden_name(ask: Ask, _: Any) -> Ask:
    """Match a name wherever there is one, whoever may see it."""
    loose = Where(
        "exists (select from case_name_digest d where d.case_id = {row}.case_id and d.family_name = {value}::bytea)",
        "name_digest",
    )
    named = ("family_name", "familyName")
    return replace(ask, wheres=tuple((loose if path[-1] in named else rule, path) for rule, path in ask.wheres))


def search(ask: Ask, _: Any) -> Ask:
    """Find a city by its name, or because somebody stays there."""
    if _coordinate(ask) != "Query.cities":
        return ask
    stays = "exists (select from residency v where v.city = {row}.city)"
    found = (
        (replace(rule, sql=f"({rule.sql} or {stays})") if path[-1] == "name" else rule, path)
        for rule, path in ask.wheres
    )
    return replace(ask, wheres=tuple(found))


def moved(ask: Ask, rows: Any) -> Ask:
    """Let a row's time of change follow what may be hidden."""
    later = f"{{row}}.updated_at + {STAYS.format(of='{row}', key='case_id')} * interval '1 second'"
    return replace(ask, source=Column(later)) if ask.source == Column("{row}.updated_at") and rows == CASE else ask


def retractions(ask: Ask, _: Any) -> Ask:
    """Show everyone what anyone has to delete."""
    everyones = isinstance(ask.source, Page) and ask.source.rows == RETRACTION
    return _listed(ask, replace(RETRACTION, access="")) if everyones else ask


def glass(ask: Ask, _: Any) -> Ask:
    """Show whoever sees a case all the glass that was broken for it."""
    if not isinstance(ask.source, Many) or ask.source.rows != EMERGENCY:
        return ask
    return replace(ask, source=replace(ask.source, rows=replace(EMERGENCY, access="")))


def people(ask: Ask, _: Any) -> Ask:
    """Show everyone who acts for an organisation."""
    if not isinstance(ask.source, Many) or ask.source.rows not in (CLIENT, USER):
        return ask
    return replace(ask, source=replace(ask.source, rows=replace(ask.source.rows, access="")))


def _column(old: str, new: str) -> Change:
    def change(ask: Ask, _: Any) -> Ask:
        told = isinstance(ask.source, Column) and ask.source.sql.startswith(old)
        return replace(ask, source=Column(new)) if told else ask

    return change


siblings = _column(
    "coalesce('consent_'",
    "'consent_' || {row}.case_pairwise || '_' || (select count(*) from consent x where x.case_id = {row}.case_id)",
)
"""Number a child among all its siblings, seen or not."""
withheld = _column(
    CASE_WITHHELD,
    "case when exists (select from case_health h where h.case_id = {row}.case_id) then array['HEALTH'] else '{{}}' end",
)
"""Say that something is withheld only where there is something."""
live_count = _column("{row}.count", "(select count(*) from case_file)::int")
"""Count what is there now, to the last one."""
