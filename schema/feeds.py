"""This module holds what sister feeds say, each record with where it came from and each feed with how fresh it is."""

import strawberry

from auth.scopes import Scope
from schema.edges import CaseRef
from schema.enums import Discipline, FeedKind, FeedState, RiskLevel, Urgency
from schema.fields import Nested, Records, Where, column, given, noun, one, source, where
from schema.nodes import Node
from schema.organisations import Organisation
from schema.persons import ReferredPerson
from schema.rows import FEED, FEED_PERSON, FEED_RECORD, LINKED_CASE, ORGANISATION
from schema.scalars import JSON, CountryCode, DateTime, Duration


@noun(Scope.FEEDS_READ, rows=FEED, places={"feed": Where("{row}.code = {value}::text", "key:feed")})
class Feed(Node):
    """A sister organisation's own system, as far as it is read."""

    id: strawberry.ID = column("'feed_' || {row}.code")
    code: str = column("code")
    organisation: Organisation = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    kind: FeedKind = column("kind")
    state: FeedState = column("state")
    last_synced_at: DateTime | None = column("last_synced_at")
    lag: Duration | None = column("lag")
    record_count: int | None = column(
        "(select count(*) from feed_record c where c.feed = {row}.feed_id and c.present"
        " and ((select viewer_is_icorn()) or {row}.organisation = {org}))",
        Scope.FEEDS_MANAGE,
    )
    last_problem: str | None = column("last_problem", Scope.FEEDS_MANAGE)
    paused: bool = column("paused")


@noun(
    Scope.FEEDS_READ,
    rows=FEED_RECORD,
    places={"record": Where("{row}.record_id = {value}::uuid", "uuid:record")},
    category="OVERVIEW",
)
class FeedRecord(Node):
    """One record of a sister feed."""

    id: strawberry.ID = column("'record_' || {row}.record_id")
    feed: Feed = one(FEED, "{row}.feed_id = {parent}.feed")
    source_id: str = column("source_id")
    source_url: str | None = column("source_url")
    discipline: Discipline | None = column("discipline")
    origin: CountryCode | None = column("origin")
    risk_level: RiskLevel | None = column("risk_level")
    urgency: Urgency | None = column("urgency")
    submitted_at: DateTime | None = column("submitted_at")
    updated_at: DateTime | None = column("updated_at")
    person: ReferredPerson | None = source(Nested(FEED_PERSON))
    case: CaseRef | None = one(LINKED_CASE, "{row}.record = {parent}.record_id")


@noun()
class FeedResult:
    """What one feed answers, and how far it can be relied on now."""

    feed: Feed = source(Nested())
    state: FeedState = column(
        # What a live refresh found stands: its pull began after the question, so no age measured now would do it justice.
        "case when {row}.last_synced_at is null then 'UNAVAILABLE' when {max_age}::interval is null then {row}.state::text"
        " else coalesce({refreshed}::text::jsonb ->> {row}.code,"
        " case when {row}.last_synced_at >= {now} - {max_age}::interval then 'FRESH' else 'STALE' end) end"
    )
    fetched_at: DateTime | None = column("last_synced_at")
    records: list[FeedRecord] = source(Records())
    end_cursor: str | None = source(Records())
    has_next_page: bool = source(Records())


@strawberry.input
class FeedCursor:
    """Where to go on in one feed."""

    feed: str
    after: str


@strawberry.input
class FeedRecordFilter:
    """Narrows what feeds are asked for."""

    feeds: list[str] | None = where("{feed}.code = any ({value}::text[])")
    origin: list[CountryCode] | None = where("{row}.origin = any ({value}::text[])")
    discipline: list[Discipline] | None = where("{row}.discipline = any ({value}::text[]::discipline[])")
    updated_since: DateTime | None = where("{row}.updated_at >= {value}::timestamptz")


@strawberry.input
class CreateFeedInput:
    """A feed of an organisation. `settings` are those of its kind (`hub feed kinds`), its secrets named `CODE_...`; `mapping` carries an invented `sample`."""

    idempotency_key: str
    organisation: strawberry.ID
    code: str
    kind: FeedKind
    settings: JSON
    mapping: JSON
    every: Duration


@strawberry.input
class UpdateFeedInput:
    """What changes of a feed. It stays at its origin: another one is another feed."""

    idempotency_key: str
    feed: strawberry.ID
    settings: JSON | None = given()
    mapping: JSON | None = given()
    every: Duration | None = given()
    paused: bool | None = given()


@strawberry.input
class SyncFeedInput:
    """Which feed to pull as soon as it has rested."""

    idempotency_key: str
    feed: strawberry.ID
