"""This module reads logs from Postgres as a stream and has them walked; it changes nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import OKPKey

from hub.audit.head import BadHeadError, Head, believed
from hub.audit.sequence import ENTRY
from hub.audit.walk import Fault, Leaf, Walk

GRACE: Final = timedelta(minutes=1)
"""How long a record may wait for its leaf before it means that no worker is at work, or that leaves were removed."""
PREFETCH: Final = 500

_TOLD: Final = """array(
    select row(e.ordinal, e.subject, e.basis, e.at, e.name, e.leaf, e.actor, e.action, e.outcome, e.purpose, e.categories::text[])
    from audit_event e where e.organisation = l.organisation and e.leaf_index = l.leaf_index and e.reader {} order by e.ordinal)"""
_LEAVES: Final = f"""
select l.leaf_index, l.entry, l.nodes, {_TOLD.format("= l.organisation")} as own, {_TOLD.format("<> l.organisation")} as icorns, {ENTRY}
from audit_leaf l
left join audit a on a.id = l.audit_id and a.organisation = l.organisation
left join organisation o on o.id = a.organisation
where l.organisation = $1 order by l.leaf_index
"""  # noqa: S608 constants of our own
_HEADS: Final = "select size, root, at, signature from audit_head where organisation = $1 order by size"
_WAITING: Final = """
select count(*) as count, min(a.at) as oldest, hub_now() - min(a.at) > $2 as late from audit a
where a.organisation = $1 and not exists (select from audit_leaf l where l.audit_id = a.id)
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one organisation's log: its leaves and their root, records without a leaf, and the first fault."""

    organisation: str
    size: int
    root: bytes
    heads: int
    waiting: int
    fault: Fault | None


async def verify(
    connection: Any, organisation: str | None, keys: Mapping[str, OKPKey], known: Sequence[Head] = ()
) -> list[Verdict]:
    """Walk the log of one organisation or of each, as the role hub_worker; `known` are heads that were kept elsewhere.

    Heads in the database show what was changed, removed or cut off; that heads were removed too, only a kept one shows.
    Raises LookupError for an unknown organisation.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(
            "select id, code, kind::text as kind from organisation where $1::text is null or code = $1 order by code",
            organisation,
        )
        if organisation is not None and not rows:
            raise LookupError(organisation)
        found = [await _verdict(connection, row, keys, [h for h in known if h.log == row["code"]]) for row in rows]
    if organisation is None:
        gone = sorted({head.log for head in known} - {verdict.organisation for verdict in found})
        found += [Verdict(log, 0, b"", 0, 0, Fault(0, "it is missing: the organisation is gone")) for log in gone]
    return found


async def _verdict(connection: Any, organisation: Any, keys: Mapping[str, OKPKey], known: Sequence[Head]) -> Verdict:
    walk, count = Walk(), 0
    number, code = organisation["id"], organisation["code"]
    kept = {head.size: head for head in known}
    heads = connection.cursor(_HEADS, number, prefetch=PREFETCH).__aiter__()
    head = await anext(heads, None)
    async for leaf in _leaves(connection, organisation["id"], icorn=organisation["kind"] == "ICORN"):
        walk.leaf(leaf)
        if walk.size in kept:
            walk.kept(kept[walk.size])
        while head is not None and head["size"] == walk.size and walk.fault is None:
            _compare(walk, code, head, keys)
            count, head = count + 1, await anext(heads, None)
        if walk.fault is not None:
            break
    beyond: dict[int, datetime] = {h.size: h.at for h in known if h.size > walk.size}
    if head is not None and head["size"] > walk.size:
        beyond[head["size"]] = head["at"]
    waiting = await connection.fetchrow(_WAITING, number, GRACE)
    fault = walk.end(beyond)
    if fault is None and waiting["late"]:
        fault = Fault(walk.size, f"{waiting['count']} records wait for a leaf, the oldest since {waiting['oldest']:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    return Verdict(code, walk.size, walk.root(), count, waiting["count"], fault)


async def _leaves(connection: Any, number: int, *, icorn: bool) -> AsyncIterator[Leaf]:
    async for row in connection.cursor(_LEAVES, number, prefetch=PREFETCH):
        own, icorns = _events(row["own"]), _events(row["icorns"])
        told = [own] if icorn else [own, icorns]
        yield Leaf(row["leaf_index"], row["entry"], row["nodes"], row if row["id"] is not None else None, told)


def _events(rows: Any) -> list[tuple[Any, ...]]:
    return [(*event[:-1], tuple(event[-1])) for event in map(tuple, rows)]


def _compare(walk: Walk, code: str, row: Any, keys: Mapping[str, OKPKey]) -> None:
    """Hold a stored head against what it was signed as, and against the leaves."""
    try:
        head = believed(row["signature"], keys)
    except BadHeadError:
        walk.forged(row["size"])
        return
    if head != Head(code, row["size"], row["root"], row["at"]):
        walk.forged(row["size"])
        return
    walk.head(head)
