"""This module writes what sister feeds say, from their replicas: one statement for all such fields of an operation."""

from collections.abc import Sequence

from hub.engine.json_text import Piece, array, mark, members, nested
from hub.engine.parameters import PAGE_DEFAULT, PAGE_LIMIT, FeedPlaces, Given, Parts, Refreshed, Size
from hub.engine.plan import Ask, Plan
from hub.engine.recorded import seen
from hub.engine.statement import Statement, Writer, assembled
from schema.fields import Column, Records, Remote
from schema.rows import CASE, FEED, FEED_RECORD

NOBODY = "'{}'::seen[]"


def feed_statement(plan: Plan, walls: frozenset[int]) -> Statement:
    """Write every remote part of a plan: {"part": {case id or "": [FeedResult]}}, its rights judged anew."""
    writer = Writer(walls)
    joins, people = "", []
    columns: list[tuple[str, Piece]] = []
    for number, part in enumerate(plan.parts):
        if not isinstance(part, Ask) or not isinstance(part.source, Remote):
            continue
        name = writer.alias("f")
        joins += f" left join lateral ({_part(writer, part, number)}) {name} on true"
        columns.append((str(number), f"coalesce({name}.j, '{{}}')"))
        people.append(f"coalesce({name}.k, '{{}}')")
    body = f"select {members(columns)} as body, {' || '.join(people)} as subjects from gate{joins}"
    return assembled(writer, body, "live", audited=True)


def _part(writer: Writer, part: Ask, number: int) -> str:
    assert isinstance(part.source, Remote)  # noqa: S101 the caller has looked
    if not part.source.per_case:
        wanted = f"{writer.parameter(Parts(number))}::text[] <> '{{}}'"
        return f"select {members([('', nested('f.j'))])} as j, f.k from ({_results(writer, part, '')}) f where gate.ok and {wanted}"
    case = writer.alias("c")
    # What a feed says of a case's person is read of that person, whoever said it.
    asked = [ask for field in part.asks if field.name == "records" for ask in field.asks]
    person = seen(writer, CASE, asked, case)
    return (
        f"select concat('{{', string_agg(concat('\"', {case}.case_id, '\":', f.j), ','), '}}') as j, array_agg({person}) || concatenated(f.k) as k"
        f" from {writer.rows(CASE)} {case} cross join lateral ({_results(writer, part, case)}) f"
        f" where {case}.case_id = any ({writer.parameter(Parts(number))}::uuid[]) and gate.ok"
    )


def _results(writer: Writer, part: Ask, case: str) -> str:
    """Write a list of FeedResult, each feed with a page of its own."""
    asked = part.arguments
    assert asked is not None  # noqa: S101 the planner gives them
    feed = writer.alias()
    # A parameter that no expression names would have no type.
    timed = any(isinstance(field.source, Column) and "{max_age}" in field.source.sql for field in part.asks)
    given = timed and asked.values.get("maxAge") is not None
    writer.context["max_age"] = writer.parameter(Given(asked, ("maxAge",))) if given else "null"
    writer.context["refreshed"] = writer.parameter(Refreshed(asked)) if given else "null"
    page = writer.alias("p")
    paged = [field for field in part.asks if isinstance(field.source, Records)]
    # The same records may be asked for under several names, each with a selection of its own.
    records = [field for field in paged if field.name == "records"]
    joins, people = "", NOBODY
    columns: list[tuple[str, Piece]] = []
    for field in part.asks:
        if field in paged:
            number = records.index(field) if field in records else ""
            columns.append((field.key, nested(f"{page}.{field.name.lower()}{number}")))
            continue
        piece = writer.value(field, feed)
        if piece is None:
            below, _ = writer.below(field, feed)
            name = writer.alias("n")
            joins += f" left join lateral ({below}) {name} on true"
            piece = nested(f"{name}.j")
        columns.append((field.key, piece))
    if paged:
        joins += f" left join lateral ({_page(writer, part, records, feed, case)}) {page} on true"
        people = f"concatenated({page}.k)"
    chosen = "".join(
        " and " + writer.fill(rule.sql, feed=feed, value=writer.parameter(Given(asked, path, rule.convert)))
        for rule, path in part.wheres
        if "{feed}" in rule.sql
    )
    return (
        f"select {array(members(columns), f'{feed}.code')} as j, {people} as k"
        f" from {writer.rows(FEED)} {feed}{joins} where true{chosen}"
    )


def _page(writer: Writer, part: Ask, records: Sequence[Ask], feed: str, case: str) -> str:
    """Write one feed's records, latest change first; those linked to a case are given whole."""
    asked = part.arguments
    assert asked is not None  # noqa: S101 the planner gives them
    row = writer.alias()
    made = [writer.object(field.asks, row) for field in records]
    joins, people = "".join(each[0] for each in made), " || ".join(each[2].listed() for each in made if each[2])
    sized = asked.values.get("first") is not None
    kept = f"{writer.parameter(Size(asked, 0))}::int" if sized else str(PAGE_LIMIT if case else PAGE_DEFAULT)
    narrowed = "".join(
        " and " + writer.fill(rule.sql, row=row, value=writer.parameter(Given(asked, path, rule.convert)))
        for rule, path in part.wheres
        if "{feed}" not in rule.sql
    )
    if case:
        narrowed += f" and exists (select from feed_record_link l where l.case_id = {case}.case_id and l.record = {row}.record_id)"
    if asked.values.get("after"):
        places = f"({writer.parameter(FeedPlaces(asked))}::text::jsonb -> {feed}.code)"
        narrowed += f" and ({places} is null or ({row}.moved_at, {row}.record_id) < (({places} ->> 0)::timestamptz, ({places} ->> 1)::uuid))"
    lists = "".join(
        f"{array(f'x.e{number}', 'x.n', f'x.n <= {kept}')} as records{number}, " for number in range(len(made))
    )
    listed = "".join(f", {json} as e{number}" for number, (_, json, _) in enumerate(made))
    order = f"{row}.moved_at desc, {row}.record_id desc"
    number = writer.feed_cursor(asked)
    return (
        f"select {lists}(count(*) > {kept})::text as hasnextpage,"
        f" (select {mark('cursor', 'y')} from (select (array_agg(x.c order by x.n desc) filter (where x.n <= {kept}))[1] as y) z"
        f" where y is not null) as endcursor, concatenated(x.k) filter (where x.n <= {kept}) as k"
        f" from (select row_number() over (order by {order}) as n{listed}, {people or NOBODY} as k,"
        f" concat_ws('|', {number}, {row}.moved_at, {row}.record_id, {feed}.code) as c"
        f" from (select * from {writer.rows(FEED_RECORD)} {row} where {row}.feed = {feed}.feed_id{narrowed}"
        f" order by {order} limit {kept} + 1) {row}{joins}) x"
    )
