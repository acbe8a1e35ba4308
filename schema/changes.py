"""This module holds what changed for the viewer, in an order in which nothing is missed: to keep a copy true."""

from enum import auto

import strawberry

from schema.enums import Named
from schema.fields import Connected, Feed, Order, Rows, column, noun, source
from schema.scalars import DateTime

# Each aspect is read from its own place in the index and no further than a page, so that what is hidden of others costs nothing.
CHANGE = Rows(
    "select distinct on (c.xid, c.name) c.xid as place, c.name, c.at, exists (select from case_access a where a.organisation = {org}"
    " and a.case_id = c.about and holds(a.overview, {now}) and c.aspect like 'case%') or exists (select from referral_access a where a.organisation = {org}"
    " and a.referral_id = c.about and holds(a.visible, {now}) and c.aspect like 'referral%') as there, split_part(c.aspect, '.', 1) as kind"
    " from unnest(aspects()) w(aspect) cross join lateral (select g.xid, g.name, g.at, g.about, g.aspect from change g where g.organisation = {org} and g.aspect = w.aspect"
    " and (g.xid, g.name) > ({place}, {name}) and g.xid < pg_snapshot_xmin(pg_current_snapshot()) order by g.xid, g.name limit {most}) c"
    " where c.aspect in ('case', 'referral') or exists (select from change o where o.organisation = {org} and o.about = c.about"
    " and o.aspect = split_part(c.aspect, '.', 1) and seen_now(o.state, split_part(c.aspect, '.', 2)))"
    " order by c.xid, c.name",
)
PLACE = Order("place", "xid8")
CHANGES = Feed(CHANGE, "true", {"PLACE": PLACE}, ("PLACE", "ASC"), Order("name", "text"))


@strawberry.enum
class ChangeKind(Named):
    """What to do with a copy: read the thing again, or delete it."""

    UPSERT = auto()
    RETRACTED = auto()


@noun()
class Change:
    """That something became visible to the viewer, looks otherwise than before, or is not visible any more."""

    kind: ChangeKind = column("case when {row}.there then 'UPSERT' else 'RETRACTED' end")
    subject: strawberry.ID = column("name")
    type: str = column("initcap({row}.kind)")
    at: DateTime = column("at")


@strawberry.type
class ChangeFeed:
    """The next changes; `endCursor` is where to read on, also where there are none yet."""

    changes: list[Change] = source(Connected())
    end_cursor: str = source(Connected())
    has_next_page: bool = source(Connected())
