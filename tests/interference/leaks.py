"""This module makes holes on purpose, one for each channel, to see that the property finds them. No hub is ever built like this."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.engine.compiled import Compiled, Plans
from hub.engine.plan import Ask, Plan
from schema.fields import Column, One, Order, Page, Where
from schema.rows import CASE, CASE_WITHHELD
from tests.interference.twins import Leak
from tests.world import World

Change = Callable[[Ask, Any], Ask]
ONLY_THE_FIRST, ONLY_THE_SECOND = frozenset({1}), frozenset({2})


class LeakyPlans(Plans):
    """Plans with every part changed before its statement is written."""

    change: Change

    def _written(self, made: Plan) -> Compiled:
        made.roots = tuple(_changed(root, None, self.change) for root in made.roots)
        return super()._written(made)


def _changed(ask: Ask, rows: Any, change: Change) -> Ask:
    rows = getattr(ask.source, "rows", rows)
    choices = {
        word: (of, by, tuple(_changed(a, of, change) for a in asks)) for word, (of, by, asks) in ask.choices.items()
    }
    asks = tuple(_changed(a, rows, change) for a in ask.asks)
    return change(replace(ask, asks=asks, choices=choices), rows)


def _planted(change: Change) -> Callable[[World], None]:
    def plant(hub: World) -> None:
        engine = hub.app.state.engine
        plans = LeakyPlans(engine.schema, ONLY_THE_FIRST)
        plans.change = change
        hub.app.state.engine = replace(engine, plans=plans)

    return plant


def _coordinate(ask: Ask) -> str:
    return ask.arguments.coordinate if ask.arguments else ""


def _by_id(ask: Ask, _: Any) -> Ask:
    return replace(ask, source=One(replace(CASE, access=""))) if _coordinate(ask) == "Query.case" else ask


def _total(ask: Ask, rows: Any) -> Ask:
    everyone = Column("(select count(*) from case_file)")
    return replace(ask, source=everyone, name="") if ask.name == "totalCount" and rows == CASE else ask


def _filter(ask: Ask, _: Any) -> Ask:
    loose = Where(
        "exists (select from case_name_digest d where d.case_id = {row}.case_id and d.family_name = {value}::bytea)",
        "name_digest",
    )
    return replace(
        ask,
        wheres=tuple((loose if path[-1] in ("family_name", "familyName") else rule, path) for rule, path in ask.wheres),
    )


def _order(ask: Ask, _: Any) -> Ask:
    if not isinstance(ask.source, Page) or ask.source.rows != CASE:
        return ask
    select = CASE.select.replace(
        " from ", ", (select count(*) from residency v where v.case_id = f.id) as stays from ", 1
    )
    orders = {**ask.source.orders, "STAYS": Order("stays", "bigint")}
    return replace(
        ask, source=replace(ask.source, rows=replace(CASE, select=select), orders=orders, default=("STAYS", "DESC"))
    )


def _column(old: str, new: str) -> Change:
    def change(ask: Ask, _: Any) -> Ask:
        return (
            replace(ask, source=Column(new))
            if isinstance(ask.source, Column) and ask.source.sql.startswith(old)
            else ask
        )

    return change


def _moved(ask: Ask, rows: Any) -> Ask:
    moved = (
        "{row}.updated_at + (select count(*) from residency v where v.case_id = {row}.case_id) * interval '1 second'"
    )
    return replace(ask, source=Column(moved)) if ask.source == Column("{row}.updated_at") and rows == CASE else ask


def _edge(ask: Ask, _: Any) -> Ask:
    of_icorn = replace(CASE, access="a.organisation = (select o.id from organisation o where o.kind = 'ICORN')")
    return (
        replace(ask, source=One(of_icorn, ask.source.on))
        if isinstance(ask.source, One) and _coordinate(ask) == "Referral.case"
        else ask
    )


def _policy(table: str, condition: str) -> str:
    return f"drop policy visible on hub.{table}; create policy visible on hub.{table} for select to hub_app using ({condition})"


def _trigger(table: str, condition: str, otherwise: str) -> str:
    return (
        f"create function hub.leak() returns trigger language plpgsql security definer set search_path = hub as"
        f" $$ begin if exists (select from {table} t where {condition}) then {otherwise}; end if; return new; end $$;"
        f" create trigger a_leak before insert on hub.{table} for each row execute function hub.leak();"
    )


ALL_SCOPES, READER, SENDER, RECIPIENT, CITY = (
    "a partner with every scope", "a partner that reads overviews", "a sender of referrals", "a recipient of referrals", "a city",
)  # fmt: skip
LEAKS: tuple[tuple[str, Leak], ...] = (
    (READER, Leak("a case is there for whoever names it", plant=_planted(_by_id), walls=ONLY_THE_FIRST)),
    (READER, Leak("totalCount counts every case", plant=_planted(_total), walls=ONLY_THE_FIRST)),
    (CITY, Leak("a filter matches a hidden name", plant=_planted(_filter), walls=ONLY_THE_FIRST)),
    (ALL_SCOPES, Leak("a referral leads to a hidden case", plant=_planted(_edge), walls=ONLY_THE_FIRST)),
    (READER, Leak("the order follows hidden residencies", plant=_planted(_order), walls=ONLY_THE_FIRST)),
    (
        RECIPIENT,
        Leak(
            "a child's id counts its siblings",
            plant=_planted(
                _column(
                    "coalesce('consent_'",
                    "'consent_' || {row}.case_pairwise || '_' || (select count(*) from consent x where x.case_id = {row}.case_id)",
                )
            ),
            walls=ONLY_THE_FIRST,
        ),
    ),
    (
        ALL_SCOPES,
        Leak(
            "withheld tells what there is",
            plant=_planted(
                _column(
                    CASE_WITHHELD,
                    "case when exists (select from case_health h where h.case_id = {row}.case_id) then array['HEALTH'] else '{{}}' end",
                )
            ),
            walls=ONLY_THE_FIRST,
        ),
    ),
    (READER, Leak("updatedAt moves with hidden edits", plant=_planted(_moved), walls=ONLY_THE_FIRST)),
    (CITY, Leak("everyone reads every feed", sql=_policy("feed_record", "present"), walls=ONLY_THE_SECOND)),
    (
        SENDER,
        Leak(
            "a reference is unique among all organisations",
            sql=_trigger("referral", "t.client_reference = new.client_reference", "raise unique_violation"),
        ),
    ),
    (
        ALL_SCOPES,
        Leak(
            "statistics count what is there now",
            plant=_planted(_column("{row}.count", "(select count(*) from case_file)::int")),
            walls=ONLY_THE_FIRST,
        ),
    ),
    (SENDER, Leak("an idempotency key is everyone's", sql=_trigger("outcome", "t.key = new.key", "return null"))),
)  # fmt: skip
