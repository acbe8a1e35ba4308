"""This module is the first wall: the rows each type stands on, and what of them the viewer may see. The rule stands nowhere else.

Postgres repeats it in its row policies (sql/0009_reads_and_writes.sql), and each wall is tested with the other one down.
"""

from schema.enums import Category
from schema.fields import Document, Rows
from schema.persons import PERSONAL
from schema.seen import case_basis

_PERIODS = ", ".join(f"a.{category.lower()}" for category in PERSONAL)


def _withheld(categories: tuple[Category, ...], alias: str) -> str:
    open_to_viewer = (
        f"case when (select viewer_has('cases:{c.lower()}')) and {alias}.{c.lower()} @> {{now}} then null else '{c}'::category end"
        for c in categories
    )
    return f"array_remove(array[{', '.join(open_to_viewer)}], null)"


CITY = Rows(
    "select c.id as city, c.code, c.name, c.country, c.member_since, c.latitude, c.longitude, c.vacancies from city c"
)

ORGANISATION = Rows("select o.id as organisation, o.code, o.name, o.kind, o.website, o.city from organisation o")

_MANAGED = "(select viewer_administers()) and ({row}.organisation = {{org}} or (select viewer_is_icorn()))"
CLIENT = Rows(
    "select c.client_id, c.organisation, c.name, c.scopes, c.status, c.created_at, c.last_used_at from client c",
    access=_MANAGED.format(row="c"),
)
USER = Rows(
    "select u.id as usr, u.organisation, u.roles, u.scopes, u.status, u.last_seen_at, u.kek, u.wrapped, u.sealed from usr u",
    access=_MANAGED.format(row="u"),
)

AGREEMENT = Rows(
    "select g.id as agreement, g.organisation, g.purpose, g.categories, g.origins, g.disciplines, g.valid_from, g.valid_until, g.version, g.replaces,"
    " g.ended_at, agreement_state(g, {now}) as status, e.organisation as ended_by, e.reason"
    " from agreement g left join agreement_end e on e.agreement = g.id",
    access="(g.organisation = {org} or (select viewer_is_icorn() and viewer_has('access:manage')))",
)
APPROVAL = Rows("select p.agreement, p.organisation, p.approver, p.at from agreement_approval p")

CASE = Rows(
    "select a.case_id, a.pairwise, a.reference, a.pseudonym, a.opened_on, a.updated_at, a.risk_level, a.status, a.discipline, a.origin, f.version,"
    f" {_PERIODS}, a.assessment, a.overview, {case_basis('a')} as basis"
    " from case_access a left join case_file f on f.id = a.case_id",
    access="a.organisation = {org} and holds(a.overview, {now})",
    subject="pseudonym",
)
LEGAL_HOLD = Rows(
    "select h.case_id, h.held, h.proposed, h.since from legal_hold h",
    access="(select viewer_is_icorn()) and (select viewer_has('cases:read', 'cases:erase'))",
)
CASE_WITHHELD = _withheld((*PERSONAL, Category.ASSESSMENT), "{row}")

DISCLOSURE = Rows(
    "select d.category, d.visible, d.basis as bases, d.missing from viewer_disclosure({parent}.case_id) d"
)

EXPLANATION = Rows(
    f"select a.pairwise, a.pseudonym, {case_basis('a')} as basis, o.code, d.category, d.visible, d.bases, d.missing"
    " from case_access a cross join organisation o cross join lateral explain_access(o.id, a.case_id) d",
    access="a.organisation = {org} and holds(a.overview, {now}) and (select viewer_has('cases:read', 'access:explain'))",
    subject="pseudonym",
)


PRESENTATION = Rows(
    "select p.id as name, p.case_id, o.city, p.categories, p.presented_at as at, p.until, p.answered_at, a.case_id is not null as sees,"
    " case when p.status = 'OPEN' and p.until <= {now} then 'EXPIRED' else p.status::text end as status, p.note"
    " from presentation p join organisation o on o.id = p.organisation"
    " left join case_access a on a.case_id = p.case_id and a.organisation = {org} and holds(a.overview, {now})",
    access="(select viewer_has('cases:read', 'presentations:read')) and (p.organisation = {org} and p.answered_at is not null"
    " or (p.organisation = {org} or (select viewer_is_icorn())) and a.case_id is not null)",
)
RESIDENCY = Rows(
    "select r.id as residency_id, r.case_id, r.city, r.status, r.starts_on, r.ends_on, coalesce(r.starts_on, 'infinity') as starts, a.pairwise, a.pseudonym,"
    f" child_name(a.pairwise, r.id) as name, {case_basis('a')} as basis"
    " from residency r join case_access a on a.case_id = r.case_id",
    access="a.organisation = {org} and holds(a.whereabouts, {now}) and (select viewer_has('cases:read', 'cases:whereabouts'))",
    subject="pseudonym",
    tells="WHEREABOUTS",
)

REFERRAL = Rows(
    "select a.referral_id, a.pairwise, a.reference, a.pseudonym, a.submitted_at, a.updated_at, a.urgency, a.sender, a.recipient, a.status,"
    " a.discipline, a.origin, a.shared_categories, a.decline_reason, a.case_id, f.reason, f.redirected_from,"
    f" case when f.sender = {{org}} then f.client_reference end as client_reference, f.client, f.usr, {_PERIODS},"
    f" {_withheld(PERSONAL, 'a')} as withheld, a.basis"
    " from referral_access a left join referral f on f.id = a.referral_id",
    access="a.organisation = {org} and holds(a.visible, {now})",
    subject="pseudonym",
)
EVENT = Rows("select e.referral_id, e.ordinal, e.kind, e.status, e.organisation, e.at, e.note, a.pairwise, a.pseudonym, a.basis"
    " from referral_event e join referral_access a on a.referral_id = e.referral_id",
    access="a.organisation = {org} and holds(a.visible, {now})",
    subject="pseudonym",
)  # fmt: skip
MESSAGE = Rows("select m.id as message_id, m.referral_id, m.ordinal, m.organisation, m.at, m.body, a.pairwise, a.pseudonym, a.basis"
    " from message m join referral_access a on a.referral_id = m.referral_id",
    access="a.organisation = {org} and holds(a.visible, {now})",
    subject="pseudonym",
)  # fmt: skip

CONSENT = Rows(
    "select c.id as consent_id, c.case_id, c.referral_id, c.decision, c.organisation, c.categories, c.given_on, c.valid_until, c.withdrawn_at,"
    " case when c.recorded_by = {org} or (select viewer_is_icorn()) then c.evidence end as evidence,"
    " ca.pairwise as case_pairwise, child_name(ca.pairwise, c.id) as case_name, ra.pairwise as referral_pairwise,"
    " child_name(ra.pairwise, c.id) as referral_name, coalesce(ca.pseudonym, ra.pseudonym) as pseudonym,"
    f" case when ca.case_id is null then ra.basis else {case_basis('ca')} end as basis"
    " from consent c"
    " left join case_access ca on ca.case_id = c.case_id and ca.organisation = {org} and holds(ca.overview, {now}) and (select viewer_has('cases:read'))"
    " left join referral_access ra on ra.referral_id = c.referral_id and ra.organisation = {org} and holds(ra.visible, {now}) and (select viewer_has('referrals:read'))",
    access="(ca.case_id is not null or ra.referral_id is not null)"
    " and ((select viewer_is_icorn()) or c.recorded_by = {org} or c.decision = 'ALLOW' and (c.organisation is null or c.organisation = {org}))",
    subject="pseudonym",
)

EMERGENCY = Rows(
    "select e.id as emergency_id, e.case_id, e.organisation, e.categories, e.asked_at, e.approved_at, e.reason,"
    " emergency_waits(e, f.sealed, {now}) as waits, upper(emergency_period(e, f.sealed)) as until"
    " from emergency e join case_file f on f.id = e.case_id"
    " join case_access a on a.case_id = e.case_id and a.organisation = {org} and holds(a.overview, {now})",
    access="(select viewer_has('cases:read', 'cases:emergency')) and (e.organisation = {org} or (select viewer_is_icorn()))",
)
RETRACTION = Rows(
    "select r.id as name, r.organisation, r.kind, case when r.organisation = {org} then r.subject else r.icorn_subject end as subject,"
    " r.categories, r.at, r.acknowledged_at, r.note from retraction r",
    access="(r.organisation = {org} or (select viewer_is_icorn())) and (select viewer_has('cases:read') or viewer_has('referrals:read'))",
)

WEBHOOK = Rows(
    "select w.id as name, w.organisation, w.url, w.events, w.created_at, w.last_delivery_at, w.failures, w.last_problem, w.paused_at,"
    " case when w.paused_at is null and w.ended_at is null then 'ACTIVE' else 'DISABLED' end as status from webhook w",
    access="w.organisation = {org} and (select viewer_has('access:manage'))",
)

FEED = Rows(
    "select f.id as feed_id, f.code, f.organisation, f.kind, f.paused, f.last_synced_at, f.last_problem, {now} - f.last_synced_at as lag,"
    " case when f.last_synced_at is null then 'UNAVAILABLE' when f.last_synced_at + 2 * f.every < {now} and f.state = 'FRESH' then 'STALE'"
    " else f.state end as state from feed f",
    access="(select viewer_has('feeds:read'))",
)
FEED_RECORD = Rows(
    "select r.id as record_id, r.feed, r.source_id, r.source_url, r.discipline, r.origin, r.risk_level, r.urgency, r.submitted_at, r.updated_at,"
    " coalesce(r.updated_at, '-infinity') as moved_at,"
    " array(select k from unnest(enum_range('PROFILE'::category, 'FAMILY'::category)) k where not viewer_has('cases:' || lower(k::text))) as withheld"
    " from feed_record r",
    access="r.present and (select viewer_has('feeds:read')) and ((select viewer_is_icorn())"
    " or exists (select from feed o where o.id = r.feed and o.organisation = {org}))",
)
LINKED_CASE = Rows(
    CASE.select.replace("select a.case_id", "select l.record, a.case_id")
    + " join feed_record_link l on l.case_id = a.case_id",
    access=CASE.access,
    subject=CASE.subject,
)

VIEWER = Rows(
    "select c.organisation, c.client_id, c.name as client_name from client c",
    access="c.organisation = {org} and c.client_id = (select viewer_client())",
)

STATISTICS = Rows(
    "select r.period, r.as_of, r.smallest_cell from statistics_release r",
    access="(select viewer_has('statistics:read'))",
)
# A cell is told where its dimensions are just those that were asked for, by grouping or by filter.
STATISTICS_CELL = Rows(
    "select t.* from (select case when 'ORIGIN' = any ({parent}.grouped) then c.origin end as origin, c.discipline, c.status, c.risk_level,"
    " case when 'YEAR' = any ({parent}.grouped) then c.year end as year, sum(c.count)::int as count"
    " from statistics_cell c where c.period = {parent}.period"
    " and (c.origin is not null) = ('ORIGIN' = any ({parent}.grouped) or {parent}.origins is not null)"
    " and (c.discipline is not null) = ('DISCIPLINE' = any ({parent}.grouped))"
    " and (c.status is not null) = ('STATUS' = any ({parent}.grouped))"
    " and (c.risk_level is not null) = ('RISK_LEVEL' = any ({parent}.grouped))"
    " and (c.year is not null) = ('YEAR' = any ({parent}.grouped) or {parent}.since is not null or {parent}.until is not null)"
    " and ({parent}.origins is null or c.origin = any ({parent}.origins))"
    " and ({parent}.since is null or c.year >= extract(year from {parent}.since))"
    " and ({parent}.until is null or c.year <= extract(year from {parent}.until))"
    " group by 1, 2, 3, 4, 5) t",
    access="(select viewer_has('statistics:read'))",
)


def case_document(category: Category) -> Document:
    """Tell where a case's sealed document of one category lies."""
    noun = category.lower()
    return Document(
        subject="'case:' || {row}.case_id",
        sql=f"select s.key_version, s.sealed, k.kek, k.wrapped from case_{noun} s join case_key k on k.case_id = s.case_id where s.case_id = {{row}}.case_id",
        access=f"{{row}}.{noun} @> {{now}}",
    )


REFERRED_PERSON = Document(
    subject="'referral:' || {row}.referral_id",
    sql="select s.key_version, s.sealed, k.kek, k.wrapped from referral_person s join referral_key k on k.referral_id = s.referral_id"
    " where s.referral_id = {row}.referral_id and s.category = '{CATEGORY}'",
    access="{row}.{category} @> {now}",
)
FEED_PERSON = Document(
    subject="'feed_record:' || {row}.record_id",
    sql="select s.key_version, s.sealed, k.kek, k.wrapped from feed_record_person s join feed_record_key k on k.record = s.record"
    " where s.record = {row}.record_id and s.category = '{CATEGORY}'",
)


def referral_text(column: str) -> Document:
    """Tell where a text lies that a party to a referral wrote."""
    return Document(
        subject="'referral:' || {row}.referral_id",
        sql=f"select 1 as key_version, {{row}}.{column} as sealed, k.kek, k.wrapped from referral_key k where k.referral_id = {{row}}.referral_id",
        access=f"{{row}}.{column} is not null",
    )


USER_CARD = Document(
    subject="'user:' || {row}.usr",
    sql="select 1 as key_version, {row}.sealed as sealed, {row}.kek as kek, {row}.wrapped as wrapped",
)
EMERGENCY_REASON = Document(
    subject="'case:' || {row}.case_id",
    sql="select 1 as key_version, {row}.reason as sealed, k.kek, k.wrapped from case_key k where k.case_id = {row}.case_id",
    access="{row}.reason is not null",
)
PRESENTATION_NOTE = Document(
    subject="'case:' || {row}.case_id",
    sql="select 1 as key_version, {row}.note as sealed, k.kek, k.wrapped from case_key k where k.case_id = {row}.case_id",
    access="{row}.note is not null and {row}.sees",
)
RETRACTION_NOTE = Document(
    subject="'retraction:' || {row}.name",
    sql="select 1 as key_version, {row}.note as sealed, k.kek, k.wrapped from retraction_key k where k.retraction_id = {row}.name",
    access="{row}.note is not null",
)
CONSENT_EVIDENCE = Document(
    subject="case when {row}.referral_id is null then 'case:' || {row}.case_id else 'referral:' || {row}.referral_id end",
    sql="select 1 as key_version, {row}.evidence as sealed, k.kek, k.wrapped from"
    " (select referral_id as id, kek, wrapped from referral_key union all select case_id, kek, wrapped from case_key) k"
    " where k.id = coalesce({row}.referral_id, {row}.case_id)",
    access="{row}.evidence is not null",
)

AUDIT_EVENT = Rows(
    "select e.organisation, e.ordinal, e.subject, e.at, e.name, e.leaf, e.actor, e.action, e.outcome, e.purpose,"
    " case when e.subject is null then e.categories else basis_categories(e.basis) end as seen, basis_names(e.basis) as basis"
    " from audit_event e",
    access="e.reader = {org} and (select viewer_has('audit:read'))",
)
AUDIT_HEAD = Rows(
    "select h.organisation, h.size, h.root, h.at, h.signature from audit_head h",
    access="h.organisation = {org} and (select viewer_has('audit:read'))",
)
AUDIT_PROOF = Rows(
    "select e.organisation, e.leaf_index, e.ordinal, e.leaf, l.entry, h.size, h.root, h.at, h.signature from audit_event e"
    " join audit_leaf l on l.organisation = e.organisation and l.leaf_index = e.leaf_index"
    " cross join lateral (select * from audit_head n where n.organisation = e.organisation order by n.size desc limit 1) h",
    access="e.reader = {org} and e.organisation = {org} and (select viewer_has('audit:read'))",
)
AUDIT_CONSISTENCY = Rows(
    "select f.organisation, f.size as from_size, f.signature as from_signature, t.size as to_size, t.signature as to_signature"
    " from audit_head f join audit_head t on t.organisation = f.organisation and t.size >= f.size",
    access="f.organisation = {org} and (select viewer_has('audit:read'))",
)

_SEEN_CASE = (
    "case_access c on c.organisation = {org} and holds(c.overview, {now}) and (select viewer_has('cases:read'))"
)
_AUDITED = (
    f"(select n.pseudonym, c.case_id from audit_pseudonym n join {_SEEN_CASE} and c.case_id = n.case_id"
    " where n.organisation = {org} or (select viewer_is_icorn())"
    " union all select n.pseudonym, c.case_id from audit_pseudonym n"
    " join referral_access v on v.referral_id = n.referral_id and v.organisation = {org} and holds(v.visible, {now}) and (select viewer_has('referrals:read'))"
    f" join referral f on f.id = v.referral_id join {_SEEN_CASE} and c.case_id = f.case_id"
    " where n.organisation = {org} or (select viewer_is_icorn())) k"
)


def audited_as(case: str) -> str:
    """Write that a row's subject is one of the pseudonyms of a case, or of its referrals, that the viewer may see now."""
    return f"{{row}}.subject = any (array(select k.pseudonym from {_AUDITED} where k.case_id {case}))"


AUDITED_CASE = f"{{row}}.case_id = any (array(select k.case_id from {_AUDITED} where k.pseudonym = {{parent}}.subject))"
