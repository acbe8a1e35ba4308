-- The life of a case: what ICORN's desk changes of it, how a candidate is shown to cities and decided on, where the person stays, and
-- how two cases of one person become one.

-- Why the desk did what leaves no other row behind: sealed under the case's key, for whoever must account for it.
create table case_decision (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  kind text not null check (kind in ('SEALED', 'UNSEALED', 'UNLINKED', 'MERGED')),
  at timestamptz not null,
  client text not null,
  usr text not null default '',
  reason bytea not null
);
create index on case_decision (case_id);

alter table share add column end_reason bytea;
alter table presentation add column answered_at timestamptz, add column note bytea;

-- Places of a city for people, as it has said last: its vacancies then, and whoever stayed there then. Nobody reads it: what a city
-- publishes stays its own word, and does not move with those who come.
create table city_capacity (
  city int primary key references city on delete cascade,
  places int not null check (places >= 0)
);

-- Two cases of one person, made one: of which cases a case is made, and the names by which organisations had known them.
create table merged_case (
  former uuid primary key,
  kept uuid not null references case_file on delete cascade
);
create index on merged_case (kept);
create table case_alias (
  organisation int not null references organisation on delete cascade,
  former uuid not null,
  pairwise uuid not null,
  reference text not null,
  kept uuid not null references case_file on delete cascade,
  kept_pairwise uuid not null,
  kept_reference text not null,
  primary key (organisation, pairwise),
  unique (organisation, reference)
);
create index on case_alias (kept);

-- The cases, since merged into one, of which a decision did not speak: it was made before.
alter table consent add column silent_on uuid[] not null default '{}';

-- As 0007_access.sql has it, but for this: a city that invites goes on seeing what it was shown, until the person has decided.
create or replace view case_basis with (security_invoker) as
select 'ICORN'::disclosure_basis as basis, o.id as organisation, c.id as case_id, k as category, tstzrange(null, null) as period
  from organisation o, case_file c, unnest(enum_range(null::category)) k
  where o.kind = 'ICORN'
union all
select 'AGREEMENT', a.organisation, c.id, k, agreement_period(a)
  from agreement a
  join case_file c on not c.sealed
    and (a.origins is null or c.origin = any (a.origins))
    and (a.disciplines is null or c.discipline = any (a.disciplines)), unnest(a.categories) k
union all
select 'REFERRER', r.sender, r.case_id, 'OVERVIEW', tstzrange(null, null)
  from referral r
  where r.case_id is not null
union all
select 'RECIPIENT', r.recipient, r.case_id, k, tstzrange(null, null)
  from referral r, unnest(r.shared_categories) k
  where r.case_id is not null and r.status in ('SUBMITTED', 'RECEIVED', 'INFORMATION_REQUESTED', 'IN_REVIEW', 'ACCEPTED')
union all
select 'PRESENTED', p.organisation, p.case_id, k, period(p.presented_at, p.until)
  from presentation p, unnest(p.categories) k
  where p.status in ('OPEN', 'INVITED')
union all
select 'SHARE', s.organisation, s.case_id, k, period(s.starts, least(s.until, s.ended_at))
  from share s, unnest(s.categories) k
union all
select 'EMERGENCY', e.organisation, e.case_id, k, emergency_period(e, c.sealed)
  from emergency e join case_file c on c.id = e.case_id, unnest(e.categories) k;

-- And as there, but for this: of cases that were made one, the stricter holds. An ALLOW counts where one was given of each of them,
-- or of the one case that they are now; a DENY counts as ever.
create or replace view case_access_rule with (security_invoker) as
with allowed as (
  select b.organisation, b.case_id, b.category,
    case when o.kind = 'ICORN' then b.period else b.period * c.allow - c.deny - f.frozen end - h.held as period
  from (
    select organisation, case_id, category, range_agg(period) as period
    from case_basis group by organisation, case_id, category) b
  join organisation o on o.id = b.organisation
  cross join lateral (
    select range_intersect_agg(spoken.allow) as allow, range_agg(spoken.deny) as deny
    from (
      select coalesce(range_agg(consent_period(c)) filter (where c.decision = 'ALLOW' and one.id <> all (c.silent_on)
                and (c.recorded_by = (select id from organisation where kind = 'ICORN')
                 or c.accepted and (c.recorded_by <> b.organisation
                   or exists (select from referral r where r.id = c.referral_id and b.category = any (r.shared_categories))))), '{}') as allow,
             coalesce(range_agg(consent_period(c)) filter (where c.decision = 'DENY'), '{}') as deny
      from (select b.case_id as id union all select m.former from merged_case m where m.kept = b.case_id) one
      left join consent c on c.case_id = b.case_id and (c.organisation is null or c.organisation = b.organisation)
        and b.category = any (c.categories)
      group by one.id) spoken) c
  cross join lateral (
    select coalesce(range_agg(period(h.starts, h.ended_at)), '{}') as held
    from hold h where h.case_id = b.case_id and h.organisation = b.organisation) h
  cross join lateral (
    select coalesce(range_agg(period(f.starts, f.ended_at)), '{}') as frozen
    from frozen f where f.case_id = b.case_id or f.country = (select k.origin from case_file k where k.id = b.case_id)) f
), by_case as (
  select organisation, case_id,
    coalesce(range_agg(period) filter (where category = 'OVERVIEW'), '{}') as overview,
    coalesce(range_agg(period) filter (where category = 'PROFILE'), '{}') as profile,
    coalesce(range_agg(period) filter (where category = 'IDENTITY'), '{}') as identity,
    coalesce(range_agg(period) filter (where category = 'CONTACT'), '{}') as contact,
    coalesce(range_agg(period) filter (where category = 'WHEREABOUTS'), '{}') as whereabouts,
    coalesce(range_agg(period) filter (where category = 'THREAT'), '{}') as threat,
    coalesce(range_agg(period) filter (where category = 'HEALTH'), '{}') as health,
    coalesce(range_agg(period) filter (where category = 'FAMILY'), '{}') as family,
    coalesce(range_agg(period) filter (where category = 'ASSESSMENT'), '{}') as assessment
  from allowed group by organisation, case_id
)
select organisation, case_id, overview,
  profile * overview as profile, identity * overview as identity, contact * overview as contact,
  whereabouts * overview as whereabouts, threat * overview as threat, health * overview as health,
  family * overview as family, assessment * overview as assessment
from by_case where not isempty(overview);

-- A referral is opened to its recipient by what was said with it, and by nothing that was said of another case before they were one.
create or replace view referral_access_rule with (security_invoker) as
with party as not materialized (
  select r.id as referral_id, r.sender as organisation, 'SENDER' as role from referral r
  union
  select r.id, r.recipient, 'RECIPIENT' from referral r
  union
  select r.id, o.id, 'ICORN' from referral r join organisation o on o.kind = 'ICORN' where r.recipient = o.id or r.case_id is not null
), consented as not materialized (
  select r.id as referral_id, k as category, c.*
  from referral r, unnest(r.shared_categories) k
  cross join lateral (
    select coalesce(range_agg(c.period) filter (where c.decision = 'ALLOW' and c.here), '{}')
             - coalesce(range_agg(c.period) filter (where c.decision = 'DENY' and c.here), '{}') as by_sender,
           coalesce(range_agg(c.period) filter (where c.decision = 'ALLOW' and (c.here or c.silent_on = '{}')
             and (c.recorded_by = (select id from organisation where kind = 'ICORN') or c.recorded_by <> r.recipient and (c.here or c.accepted))), '{}')
             - coalesce(range_agg(c.period) filter (where c.decision = 'DENY'), '{}') as by_recipient
    from (
      select c.decision, c.recorded_by, c.accepted, c.silent_on, c.referral_id is not distinct from r.id as here, consent_period(c) as period
      from consent c
      where (c.referral_id = r.id or c.case_id = r.case_id) and (c.organisation is null or c.organisation = r.recipient)
        and k = any (c.categories)) c) c
), row_period as not materialized (
  select p.organisation, p.referral_id, p.role,
    case p.role when 'RECIPIENT' then coalesce((select range_agg(c.by_recipient) from consented c where c.referral_id = p.referral_id and c.category = 'OVERVIEW'), '{}')
      else '{(,)}'::tstzmultirange end
    - case p.role when 'SENDER' then '{}'::tstzmultirange else coalesce((
        select range_agg(period(h.starts, h.ended_at)) from hold h where h.case_id = r.case_id and h.organisation = p.organisation), '{}') end
    - case when p.organisation = (select id from organisation where kind = 'ICORN') then '{}'::tstzmultirange else coalesce((
        select range_agg(period(f.starts, f.ended_at)) from frozen f
        where f.case_id = r.case_id or f.country = r.origin or f.country = (select k.origin from case_file k where k.id = r.case_id)), '{}') end as visible,
    coalesce((select range_agg(period(h.starts, h.ended_at)) from hold h where h.case_id = r.case_id and h.organisation = p.organisation), '{}') as held
  from party p join referral r on r.id = p.referral_id
), by_category as (
  select v.organisation, v.referral_id, c.category,
    case when v.role = 'SENDER' then c.by_sender
         when v.role = 'ICORN' then '{(,)}'::tstzmultirange - v.held
         when r.status in ('SUBMITTED', 'RECEIVED', 'INFORMATION_REQUESTED', 'IN_REVIEW', 'ACCEPTED') then c.by_recipient - v.held
         else '{}' end as period
  from row_period v join referral r on r.id = v.referral_id join consented c on c.referral_id = v.referral_id
)
select v.organisation, v.referral_id, v.visible,
  coalesce(p.profile, '{}') * v.visible as profile, coalesce(p.identity, '{}') * v.visible as identity,
  coalesce(p.contact, '{}') * v.visible as contact, coalesce(p.whereabouts, '{}') * v.visible as whereabouts,
  coalesce(p.threat, '{}') * v.visible as threat, coalesce(p.health, '{}') * v.visible as health,
  coalesce(p.family, '{}') * v.visible as family
from (select organisation, referral_id, range_agg(visible) as visible from row_period group by organisation, referral_id) v
left join lateral (
  select range_agg(period) filter (where category = 'PROFILE') as profile,
    range_agg(period) filter (where category = 'IDENTITY') as identity,
    range_agg(period) filter (where category = 'CONTACT') as contact,
    range_agg(period) filter (where category = 'WHEREABOUTS') as whereabouts,
    range_agg(period) filter (where category = 'THREAT') as threat,
    range_agg(period) filter (where category = 'HEALTH') as health,
    range_agg(period) filter (where category = 'FAMILY') as family
  from by_category c where c.organisation = v.organisation and c.referral_id = v.referral_id) p on true
where not isempty(v.visible);

-- --- ICORN's desk changes cases: the overview, the documents, the seal; and what is open to whom by its word.

grant update (status, discipline, origin, risk_level, updated_at, version, sealed) on case_file to hub_app;
grant update (family_name), delete on case_name_digest to hub_app;
grant update (ended_at, end_reason) on share to hub_app;
grant insert on case_decision to hub_app;
do $$
declare noun text;
begin
  foreach noun in array array['case_decision', 'city_capacity', 'merged_case', 'case_alias'] loop
    execute format('alter table %I enable row level security, force row level security', noun);
  end loop;
  foreach noun in array array['case_profile', 'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family', 'case_assessment'] loop
    execute format('grant update (key_version, sealed), delete on %I to hub_app', noun);
  end loop;
  foreach noun in array array['case_profile', 'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family', 'case_assessment',
      'case_name_digest'] loop
    execute format('create policy desk_removes on %I for delete to hub_app using ((select viewer_is_icorn() and viewer_has(''cases:write'')))', noun);
  end loop;
  foreach noun in array array['case_file', 'case_profile', 'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family',
      'case_assessment', 'case_name_digest', 'share'] loop
    execute format('create policy desk_changes on %I for update to hub_app using ((select viewer_is_icorn() and viewer_has(''cases:write'')))', noun);
  end loop;
end $$;
create policy desk_adds on case_decision for insert to hub_app with check ((select viewer_is_icorn() and viewer_has('cases:write'))
  and client = (select viewer_client()) and usr = coalesce((select viewer_user()), '') and at = (select hub_now()) and sees_case(case_id));

-- --- Presentations: ICORN's desk shows a candidate to a city's office, which decides. It reads its own while it sees the case, and
-- what it has answered.

grant select, update (status, answered_at, note) on presentation to hub_app;
create policy visible on presentation for select to hub_app using ((select viewer_has('cases:read', 'presentations:read'))
  and (organisation = (select viewer_org()) and answered_at is not null
    or (organisation = (select viewer_org()) or (select viewer_is_icorn())) and sees_case(case_id)));
create policy answer on presentation for update to hub_app
  using ((select viewer_has('cases:read', 'presentations:answer')) and organisation = (select viewer_org()) and sees_case(case_id)
    and status in ('OPEN', 'INVITED') and until > (select hub_now()))
  with check (organisation = (select viewer_org()) and answered_at = (select hub_now()) and status in ('INVITED', 'DECLINED'));

-- Show a case to an office, or show it again: what was listed before is listed no more. The desk need not read presentations for it.
create function show_case(made uuid, wanted uuid, office int, listed category[], ends timestamptz) returns void
  language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:write') and sees_case(wanted)
      and exists (select from organisation o where o.id = office and o.kind = 'CITY')) then
    raise exception 'only ICORN shows cases, and to cities' using errcode = 'insufficient_privilege';
  end if;
  update presentation p set categories = listed, until = ends, presented_at = case when p.until > hub_now() then p.presented_at else hub_now() end
    where p.case_id = wanted and p.organisation = office and p.status in ('OPEN', 'INVITED');
  if not found then
    insert into presentation (id, case_id, organisation, categories, presented_at, until) values (made, wanted, office, listed, hub_now(), ends);
  end if;
end $$;

-- What ends with a step of a case: what cities were shown, but for the one that was accepted, and what was offered and not accepted.
create function end_with_case(wanted uuid, but_of int) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:write') and sees_case(wanted)) then
    raise exception 'only ICORN moves cases' using errcode = 'insufficient_privilege';
  end if;
  update presentation p set status = 'WITHDRAWN' where p.case_id = wanted and p.status in ('OPEN', 'INVITED')
    and not exists (select from organisation o where o.id = p.organisation and o.city = but_of);
  update residency set status = 'CANCELLED' where case_id = wanted and status = 'OFFERED';
end $$;

-- --- Residencies, and the places that a city has.

grant update (status, starts_on, ends_on) on residency to hub_app;
create policy desk_changes on residency for update to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));
create function viewer_city() returns int language sql stable parallel safe
  return (select o.city from organisation o where o.id = viewer_org() and o.kind = 'CITY');
grant execute on function viewer_city to hub_app, hub_access;
create policy city_changes on residency for update to hub_app
  using ((select viewer_has('residencies:write')) and city = (select viewer_city()) and status in ('ACCEPTED', 'ACTIVE'))
  with check (city = (select viewer_city()) and status in ('ACCEPTED', 'ACTIVE', 'COMPLETED'));
grant update (vacancies) on city to hub_app;
create policy publishes on city for update to hub_app using (
  (select viewer_is_icorn() and viewer_has('cases:write')) or (select viewer_has('residencies:write')) and id = (select viewer_city()));
-- Whoever publishes and whoever takes a place wait for each other.
create function alone_with_city(wanted int) returns void language plpgsql set search_path = hub, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('hub.city ' || wanted, 0));
end $$;
create function capacity_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  perform alone_with_city(new.id);
  insert into city_capacity (city, places)
    values (new.id, new.vacancies + (select count(*)::int from residency r where r.city = new.id and r.status in ('ACCEPTED', 'ACTIVE')))
    on conflict (city) do update set places = excluded.places;
  return null;
end $$;
create trigger capacity_follows after update of vacancies on city for each row execute function capacity_follows();
-- Is there a place for one more? For ICORN, which is about to give it away. A city that never said what it has is not refused for it.
create function place_is_free(wanted int) returns boolean language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not (viewer_is_icorn() and viewer_has('cases:write')) then
    raise exception 'only ICORN gives places away' using errcode = 'insufficient_privilege';
  end if;
  perform alone_with_city(wanted);
  return coalesce((select c.places > (select count(*) from residency r where r.city = wanted and r.status in ('ACCEPTED', 'ACTIVE'))
    from city_capacity c where c.city = wanted), true);
end $$;

-- A case's status goes with what a city decides of it, though a city writes no cases: here it is moved as the city's own step has it, in
-- the same transaction. `hub/lifecycle_of_cases.py` says which steps there are.
create function follow_city(wanted uuid, leads_to case_status) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not (case leads_to
      when 'INVITED' then viewer_has('presentations:answer') and exists (select from presentation p
        where p.case_id = wanted and p.organisation = viewer_org() and p.status = 'INVITED' and p.answered_at = hub_now())
      when 'IN_RESIDENCE' then viewer_has('residencies:write') and exists (select from residency r where r.case_id = wanted and r.city = viewer_city() and r.status = 'ACTIVE')
      when 'ALUMNUS' then viewer_has('residencies:write') and exists (select from residency r where r.case_id = wanted and r.city = viewer_city() and r.status = 'COMPLETED')
      else false end) then
    raise exception 'a case follows the step that its city has made' using errcode = 'insufficient_privilege';
  end if;
  update case_file set status = leads_to, updated_at = hub_now(), version = version + 1 where id = wanted and status <> leads_to;
  update presentation set status = 'WITHDRAWN' where case_id = wanted and leads_to = 'ALUMNUS' and status in ('OPEN', 'INVITED');
end $$;
grant execute on function place_is_free, follow_city, show_case, end_with_case to hub_app;

drop policy own on event;
create policy own on event for insert to hub_app with check (organisation = (select viewer_org()) and retraction_id is null and audience is null
  and kind !~ '^(retraction|emergency)[.]'
  and (select viewer_has('cases:write') or viewer_has('referrals:submit') or viewer_has('consents:write')
    or viewer_has('presentations:answer') or viewer_has('residencies:write')));

-- --- Two cases become one.

-- What is sealed under a case's key and must be sealed anew under another's: documents, and texts by their tables and columns. For the
-- desk that merges, whatever else it may read: it is moved, not shown.
create function sealed_of_case(wanted uuid) returns table (place text, id uuid, version int, sealed bytea)
  language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  noun text;
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:write') and sees_case(wanted)) then
    raise exception 'only ICORN merges cases' using errcode = 'insufficient_privilege';
  end if;
  foreach noun in array array['profile', 'identity', 'contact', 'whereabouts', 'threat', 'health', 'family', 'assessment'] loop
    return query execute format('select %L::text, case_id, key_version, sealed from case_%s where case_id = $1', upper(noun), noun) using wanted;
  end loop;
  return query
    select 'consent.evidence', c.id, 1, c.evidence from consent c where c.case_id = wanted and c.referral_id is null and c.evidence is not null union all
    select 'consent.withdrawal_reason', c.id, 1, c.withdrawal_reason from consent c
      where c.case_id = wanted and c.referral_id is null and c.withdrawal_reason is not null union all
    select 'share.reason', s.id, 1, s.reason from share s where s.case_id = wanted and s.reason is not null union all
    select 'share.end_reason', s.id, 1, s.end_reason from share s where s.case_id = wanted and s.end_reason is not null union all
    select 'hold.reason', h.id, 1, h.reason from hold h where h.case_id = wanted and h.reason is not null union all
    select 'hold.end_reason', h.id, 1, h.end_reason from hold h where h.case_id = wanted and h.end_reason is not null union all
    select 'emergency.reason', e.id, 1, e.reason from emergency e where e.case_id = wanted and e.reason is not null union all
    select 'presentation.note', p.id, 1, p.note from presentation p where p.case_id = wanted and p.note is not null union all
    select 'feed_record_link.reason', l.record, 1, l.reason from feed_record_link l where l.case_id = wanted and l.reason is not null union all
    select 'legal_hold.reason', l.case_id, 1, l.reason from legal_hold l where l.case_id = wanted and l.reason is not null union all
    select 'legal_hold.proposed_reason', l.case_id, 1, l.proposed_reason from legal_hold l where l.case_id = wanted and l.proposed_reason is not null union all
    select 'case_decision.reason', d.id, 1, d.reason from case_decision d where d.case_id = wanted;
end $$;

-- Everything of one case becomes another's: `places`, `ids`, `versions` and `texts` are what was sealed anew. Whoever may see less than before
-- is told so, of the case that it knew; nobody is told of what it still sees. The log goes on with the case that is kept.
create function merge_cases(kept_case uuid, former_case uuid, places text[], ids uuid[], versions int[], texts bytea[], status_then case_status)
  returns void language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  names uuid[] := array(select n.pseudonym from audit_pseudonym n where n.case_id = former_case);
  before case_access[] := array(select a from case_access a where a.case_id = former_case);
  kept_sides uuid[] := array(select kept_case union all select m.former from merged_case m where m.kept = kept_case);
  former_sides uuid[] := array(select former_case union all select m.former from merged_case m where m.kept = former_case);
  -- Whoever was answered with it has a name for it, and ICORN; to nobody else is there a name to be told.
  knew int[] := array(select o.id from organisation o where o.kind = 'ICORN' or exists (select from unnest(enum_range(null::category)) k
    where received(o.id, former_case, k, null)));
  place text;
  was case_access;
  still case_access;
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:write') and sees_case(kept_case) and sees_case(former_case) and kept_case <> former_case) then
    raise exception 'only ICORN merges cases' using errcode = 'insufficient_privilege';
  end if;
  perform alone_with(array[kept_case, former_case]);
  -- What the former case had opened ends with it; whether that is a loss is only known once all of it has moved.
  update audit_pseudonym set case_id = kept_case where case_id = former_case;
  insert into case_alias (organisation, former, pairwise, reference, kept, kept_pairwise, kept_reference)
    select o.organisation, former_case, pairwise(o.organisation, 'case', former_case), spoken('C-', pairwise(o.organisation, 'case', former_case)), kept_case,
      pairwise(o.organisation, 'case', kept_case), spoken('C-', pairwise(o.organisation, 'case', kept_case))
    from unnest(knew) o(organisation);
  update merged_case set kept = kept_case where kept = former_case;
  insert into merged_case (former, kept) values (former_case, kept_case);

  -- First whatever closes, so that nothing is open in between that was not.
  update consent set case_id = kept_case, silent_on = silent_on || case case_id when kept_case then former_sides else kept_sides end
    where case_id in (kept_case, former_case);
  update hold set case_id = kept_case where case_id = former_case;
  update frozen set case_id = kept_case where case_id = former_case;
  update case_file k set sealed = k.sealed or f.sealed, risk_level = greatest(k.risk_level, f.risk_level), status = status_then,
      updated_at = hub_now(), version = k.version + 1
    from case_file f where k.id = kept_case and f.id = former_case;
  update referral set case_id = kept_case where case_id = former_case;
  update share set case_id = kept_case where case_id = former_case;
  update presentation set case_id = kept_case where case_id = former_case;
  update emergency set case_id = kept_case where case_id = former_case;
  update residency set case_id = kept_case where case_id = former_case;
  update feed_record_link set case_id = kept_case where case_id = former_case;
  update case_decision set case_id = kept_case where case_id = former_case;
  update event set case_id = kept_case where case_id = former_case;
  update outcome set subject = kept_case where subject = former_case;
  update legal_hold k set held = true, proposed = null, proposed_reason = null, client = null, usr = null
    from legal_hold f where k.case_id = kept_case and f.case_id = former_case and f.held and not k.held;
  update legal_hold set case_id = kept_case where case_id = former_case and not exists (select from legal_hold k where k.case_id = kept_case);
  insert into case_name_digest (case_id, family_name) select kept_case, d.family_name from case_name_digest d where d.case_id = former_case
    on conflict do nothing;

  for place in select distinct unnest(places) loop
    if place ~ '^[A-Z]+$' then
      execute format('insert into case_%s (case_id, key_version, sealed) select $1, x.version, x.text from unnest($2, $3, $4) x(place, version, text) where x.place = %L'
        ' on conflict (case_id) do update set key_version = excluded.key_version, sealed = excluded.sealed', lower(place), place)
        using kept_case, places, versions, texts;
    else
      execute format('update %I t set %I = x.text from unnest($1, $2, $3) x(place, id, text) where x.place = %L and t.%I = case x.id when $5 then $4 else x.id end',
        split_part(place, '.', 1), split_part(place, '.', 2), place,
        case split_part(place, '.', 1) when 'legal_hold' then 'case_id' when 'feed_record_link' then 'record' else 'id' end)
        using places, ids, texts, kept_case, former_case;
    end if;
  end loop;

  update audit_pseudonym set case_id = former_case where pseudonym = any (names);
  foreach was in array before loop
    select * into still from case_access a where a.organisation = was.organisation and a.case_id = kept_case;
    perform retract(was.organisation, 'case', former_case, lost(
      array[was.overview, was.profile, was.identity, was.contact, was.whereabouts, was.threat, was.health, was.family, was.assessment],
      array[still.overview, still.profile, still.identity, still.contact, still.whereabouts, still.threat, still.health, still.family, still.assessment], was.lapses));
  end loop;
  update audit_pseudonym set case_id = kept_case where pseudonym = any (names);
  update case_alias set kept = kept_case, kept_pairwise = pairwise(organisation, 'case', kept_case), kept_reference = spoken('C-', pairwise(organisation, 'case', kept_case))
    where kept = former_case;
  delete from case_file where id = former_case;
end $$;
grant execute on function sealed_of_case, merge_cases to hub_app;

grant select on case_alias to hub_app;
create policy own on case_alias for select to hub_app using ((select viewer_has('cases:read')) and organisation = (select viewer_org()) and sees_case(kept));

-- What moves, the role that owns the function of it moves; nobody else does.
do $$
declare
  noun text;
  routine text;
begin
  grant select on case_decision, merged_case, case_alias, city_capacity, event to hub_access;
  grant insert on merged_case, case_alias, city_capacity, case_name_digest to hub_access;
  grant update (places) on city_capacity to hub_access;
  grant update (kept) on merged_case to hub_access;
  grant update (kept, kept_pairwise, kept_reference) on case_alias to hub_access;
  grant update (status, sealed, risk_level, updated_at, version) on case_file to hub_access;
  grant update (subject) on outcome to hub_access;
  grant update (case_id, silent_on, evidence, withdrawal_reason) on consent to hub_access;
  grant update (case_id, reason, end_reason) on share, hold to hub_access;
  grant update (case_id, reason) on emergency, feed_record_link, case_decision to hub_access;
  grant insert, update (case_id, note, status, categories, presented_at, until) on presentation to hub_access;
  grant update (case_id) on audit_pseudonym, frozen, referral, event to hub_access;
  grant update (case_id, status) on residency to hub_access;
  foreach noun in array array['case_decision', 'merged_case', 'case_alias', 'city_capacity', 'event'] loop
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
  foreach noun in array array['merged_case', 'case_alias', 'city_capacity', 'case_name_digest', 'presentation'] loop
    execute format('create policy merge_adds on %I for insert to hub_access with check (true)', noun);
  end loop;
  foreach noun in array array['case_profile', 'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family', 'case_assessment'] loop
    execute format('grant insert, update (key_version, sealed) on %I to hub_access', noun);
    execute format('create policy merge_adds on %I for insert to hub_access with check (true)', noun);
    execute format('create policy merge on %I for update to hub_access using (true)', noun);
  end loop;
  foreach noun in array array['merged_case', 'case_alias', 'city_capacity', 'case_file', 'outcome', 'consent', 'share', 'hold', 'emergency', 'feed_record_link', 'case_decision',
      'presentation', 'frozen', 'referral', 'residency', 'event'] loop
    execute format('create policy merge on %I for update to hub_access using (true)', noun);
  end loop;
  grant execute on function sees_case to hub_access;
  grant create on schema hub to hub_access;
  foreach routine in array array['alone_with_city', 'capacity_follows', 'place_is_free', 'follow_city', 'show_case', 'end_with_case', 'sealed_of_case', 'merge_cases'] loop
    execute format('alter function %I owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;
-- Cities that have published vacancies have said by it what places they have.
set local role hub_access;
insert into city_capacity (city, places)
  select c.id, c.vacancies + (select count(*)::int from residency r where r.city = c.id and r.status in ('ACCEPTED', 'ACTIVE')) from city c where c.vacancies > 0;
set local role hub_owner;
