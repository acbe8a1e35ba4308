-- Who may see what, when: the whole disclosure policy as views over periods of time, and its materialisation.
--   (union of the bases) * (union of the consents) - (denies, holds and freezes)
-- ICORN needs no consent; nobody else is without it. OVERVIEW is the precondition of every other category.
-- A DENY counts whoever wrote it down. An ALLOW counts when ICORN wrote it down, or accepted what a partner wrote down; and for that
-- partner itself it opens no more than the partner handed over with the referral.

create view case_basis with (security_invoker) as
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
  where p.status = 'OPEN'
union all
select 'SHARE', s.organisation, s.case_id, k, period(s.starts, least(s.until, s.ended_at))
  from share s, unnest(s.categories) k
union all
select 'EMERGENCY', e.organisation, e.case_id, k, emergency_period(e, c.sealed)
  from emergency e join case_file c on c.id = e.case_id, unnest(e.categories) k;

create view case_access_rule with (security_invoker) as
with allowed as (
  select b.organisation, b.case_id, b.category,
    case when o.kind = 'ICORN' then b.period else b.period * c.allow - c.deny - f.frozen end - h.held as period
  from (
    select organisation, case_id, category, range_agg(period) as period
    from case_basis group by organisation, case_id, category) b
  join organisation o on o.id = b.organisation
  cross join lateral (
    select coalesce(range_agg(consent_period(c)) filter (where c.decision = 'ALLOW' and (c.recorded_by = (select id from organisation where kind = 'ICORN')
             or c.accepted and (c.recorded_by <> b.organisation
               or exists (select from referral r where r.id = c.referral_id and b.category = any (r.shared_categories))))), '{}') as allow,
           coalesce(range_agg(consent_period(c)) filter (where c.decision = 'DENY'), '{}') as deny
    from consent c
    where c.case_id = b.case_id and (c.organisation is null or c.organisation = b.organisation)
      and b.category = any (c.categories)) c
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

-- A referral is there for its sender, for ICORN when it is the recipient or the case is ICORN's, and for a recipient the person
-- agreed to. What was sent of the person can be read by the recipient while its consent holds and the referral lives; no ALLOW that
-- the recipient wrote down itself counts. The sender reads what it sent as far as the decisions on this very referral go: what is
-- decided about a case, and a hold, would tell it that there is one.
create view referral_access_rule with (security_invoker) as
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
           coalesce(range_agg(c.period) filter (where c.decision = 'ALLOW' and (c.recorded_by = (select id from organisation where kind = 'ICORN')
             or c.recorded_by <> r.recipient and (c.here or c.accepted))), '{}')
             - coalesce(range_agg(c.period) filter (where c.decision = 'DENY'), '{}') as by_recipient
    from (
      select c.decision, c.recorded_by, c.accepted, c.referral_id is not distinct from r.id as here, consent_period(c) as period
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

-- The names an organisation knows its cases and referrals by: HMAC-SHA-256 (RFC 2104) under a key of that organisation alone,
-- so that two partners who lay their exports side by side can join nothing. The same input gives the same name for ever.
create table pairwise_key (
  organisation int primary key references organisation on delete cascade,
  inner_pad bytea not null,
  outer_pad bytea not null
);

create function pairwise(org int, kind text, id uuid) returns uuid language sql stable
  return (select encode(substr(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(kind, 'UTF8') || uuid_send(id))), 1, 16), 'hex')::uuid
          from pairwise_key k where k.organisation = org);
create function spoken(prefix text, id uuid) returns text language sql immutable parallel safe
  return prefix || regexp_replace(upper(substr(replace(id::text, '-', ''), 1, 16)), '(.{4})(?=.)', '\1-', 'g');

create function padded(key bytea, pad int) returns bytea language plpgsql immutable as $$
declare block bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
begin
  for i in 0..63 loop block := set_byte(block, i, get_byte(block, i) # pad); end loop;
  return block;
end $$;

create function give_pairwise_key() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
begin
  insert into pairwise_key values (new.id, padded(key, 54), padded(key, 92));
  return null;
end $$;

create table case_access (
  organisation int not null references organisation on delete cascade,
  case_id uuid not null references case_file on delete cascade,
  pairwise uuid not null,
  reference text not null,
  pseudonym uuid not null,
  opened_on date not null,
  updated_at timestamptz not null,
  risk_level risk_level not null,
  overview tstzmultirange not null,
  profile tstzmultirange not null,
  identity tstzmultirange not null,
  contact tstzmultirange not null,
  whereabouts tstzmultirange not null,
  threat tstzmultirange not null,
  health tstzmultirange not null,
  family tstzmultirange not null,
  assessment tstzmultirange not null,
  primary key (organisation, case_id),
  unique (organisation, pairwise),
  unique (organisation, reference)
);
create index on case_access (case_id);
create index on case_access (organisation, opened_on, pairwise);
create index on case_access (organisation, updated_at, pairwise);
create index on case_access (organisation, risk_level, pairwise);

create table referral_access (
  organisation int not null references organisation on delete cascade,
  referral_id uuid not null references referral on delete cascade,
  pairwise uuid not null,
  reference text not null,
  pseudonym uuid not null,
  submitted_at timestamptz not null,
  updated_at timestamptz not null,
  urgency urgency not null,
  visible tstzmultirange not null,
  profile tstzmultirange not null,
  identity tstzmultirange not null,
  contact tstzmultirange not null,
  whereabouts tstzmultirange not null,
  threat tstzmultirange not null,
  health tstzmultirange not null,
  family tstzmultirange not null,
  primary key (organisation, referral_id),
  unique (organisation, pairwise),
  unique (organisation, reference)
);
create index on referral_access (referral_id);
create index on referral_access (organisation, submitted_at, pairwise);
create index on referral_access (organisation, updated_at, pairwise);
create index on referral_access (organisation, urgency, pairwise);

-- Refreshing one case waits for whoever is changing the same case; refreshing an organisation waits for all. Each computes only
-- after it holds its lock, so no change is ever overwritten by an answer computed before it. That needs a new snapshot for each
-- statement: under REPEATABLE READ a transaction would go on believing what it saw before it waited.
create function refuse_old_snapshots() returns void language plpgsql set search_path = hub, pg_temp as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'access is changed in READ COMMITTED transactions only' using errcode = 'invalid_transaction_state';
  end if;
end $$;

-- Either some cases, for every organisation, or (`cases` null) one organisation, for every case.
create function refresh_case_access(cases uuid[], org int) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  perform refuse_old_snapshots();
  -- Locks are finite: a change of many cases at once waits for all, too.
  if org is null and cardinality(cases) <= 100 then
    perform pg_advisory_xact_lock_shared(hashtextextended('hub.case_access', 0));
    perform pg_advisory_xact_lock(hashtextextended(c::text, 1)) from (select distinct unnest(cases) as c order by 1) ordered;
  else
    perform pg_advisory_xact_lock(hashtextextended('hub.case_access', 0));
  end if;
  with rule as materialized (
    select * from case_access_rule where org is null and case_id = any (cases)
    union all
    select * from case_access_rule where org is not null and organisation = org
  ), gone as (
    delete from case_access a
      where org is null and a.case_id = any (cases)
        and not exists (select from rule r where r.organisation = a.organisation and r.case_id = a.case_id)
  ), gone_from_organisation as (
    delete from case_access a
      where org is not null and a.organisation = org
        and not exists (select from rule r where r.organisation = a.organisation and r.case_id = a.case_id)
  )
  insert into case_access as a
    select r.organisation, r.case_id, p.id, spoken('C-', p.id), c.pseudonym, c.opened_on, c.updated_at, c.risk_level,
      r.overview, r.profile, r.identity, r.contact, r.whereabouts, r.threat, r.health, r.family, r.assessment
    -- OFFSET 0: a lookup for each row, however many the planner expects.
    from rule r cross join lateral (select * from case_file c where c.id = r.case_id offset 0) c
    cross join lateral (select pairwise(r.organisation, 'case', r.case_id) as id) p
  on conflict (organisation, case_id) do update
    set opened_on = excluded.opened_on, updated_at = excluded.updated_at, risk_level = excluded.risk_level,
      overview = excluded.overview, profile = excluded.profile, identity = excluded.identity, contact = excluded.contact,
      whereabouts = excluded.whereabouts, threat = excluded.threat, health = excluded.health, family = excluded.family,
      assessment = excluded.assessment
    where a is distinct from excluded;
end $$;

create function refresh_referral_access(referrals uuid[]) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  perform refuse_old_snapshots();
  if cardinality(referrals) <= 100 then
    perform pg_advisory_xact_lock_shared(hashtextextended('hub.referral_access', 0));
    perform pg_advisory_xact_lock(hashtextextended(r::text, 2)) from (select distinct unnest(referrals) as r order by 1) ordered;
  else
    perform pg_advisory_xact_lock(hashtextextended('hub.referral_access', 0));
  end if;
  with rule as materialized (
    select * from referral_access_rule where referral_id = any (referrals)
  ), gone as (
    delete from referral_access a
      where a.referral_id = any (referrals)
        and not exists (select from rule r where r.organisation = a.organisation and r.referral_id = a.referral_id)
  )
  insert into referral_access as a
    select r.organisation, r.referral_id, p.id, spoken('R-', p.id), f.pseudonym, f.submitted_at, f.updated_at, f.urgency,
      r.visible, r.profile, r.identity, r.contact, r.whereabouts, r.threat, r.health, r.family
    from rule r cross join lateral (select * from referral f where f.id = r.referral_id offset 0) f
    cross join lateral (select pairwise(r.organisation, 'referral', r.referral_id) as id) p
  on conflict (organisation, referral_id) do update
    set submitted_at = excluded.submitted_at, updated_at = excluded.updated_at, urgency = excluded.urgency, visible = excluded.visible,
      profile = excluded.profile, identity = excluded.identity, contact = excluded.contact, whereabouts = excluded.whereabouts,
      threat = excluded.threat, health = excluded.health, family = excluded.family
    where a is distinct from excluded;
end $$;

-- Every change that can alter access refreshes it in its own transaction: no caller can forget to.
create function access_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  rows jsonb := '[]';
  cases uuid[];
  referrals uuid[];
  org int;
begin
  if tg_op <> 'DELETE' then rows := rows || coalesce((select jsonb_agg(to_jsonb(n)) from new_rows n), '[]'); end if;
  if tg_op <> 'INSERT' then rows := rows || coalesce((select jsonb_agg(to_jsonb(o)) from old_rows o), '[]'); end if;
  if tg_table_name in ('agreement', 'organisation') then
    for org in select distinct (r ->> case tg_table_name when 'agreement' then 'organisation' else 'id' end)::int from jsonb_array_elements(rows) r loop
      perform refresh_case_access(null, org);
    end loop;
    -- Who ICORN is decides over every referral; it is said once in the life of a hub.
    if tg_table_name = 'organisation' and jsonb_path_exists(rows, '$[*] ? (@.kind == "ICORN")') then
      perform refresh_referral_access((select array_agg(f.id) from referral f));
    end if;
    return null;
  end if;
  select array_agg(distinct id) into cases from (
    select (r ->> case tg_table_name when 'case_file' then 'id' else 'case_id' end)::uuid as id from jsonb_array_elements(rows) r) c where id is not null;
  if cases is not null then perform refresh_case_access(cases, null); end if;
  -- The referrals of a case are looked up only now that its lock is held: one that was being linked to it meanwhile is among them.
  if tg_table_name in ('consent', 'hold', 'referral') then
    select array_agg(distinct id) into referrals from (
      select (r ->> case tg_table_name when 'referral' then 'id' else 'referral_id' end)::uuid as id from jsonb_array_elements(rows) r
      union
      select f.id from referral f where tg_table_name <> 'referral' and f.case_id = any (cases)) r where id is not null;
    if referrals is not null then perform refresh_referral_access(referrals); end if;
  end if;
  return null;
end $$;

-- Why the viewer sees, or does not see, each category of a case it sees. A hold or a seal looks like a missing basis.
create function viewer_disclosure(wanted uuid) returns table (category category, visible boolean, basis disclosure_basis[], missing disclosure_gap[])
  language sql stable security definer set search_path = hub, pg_temp as $$
  select k, s.scope and v.access, coalesce(b.basis, '{}'),
    array_remove(array[
      case when not s.scope then 'SCOPE' end,
      case when not v.access then case when b.basis is null then 'BASIS' else 'CONSENT' end end], null)::disclosure_gap[]
  from case_access a, unnest(enum_range(null::category)) k
  cross join lateral (select viewer_has('cases:' || case k when 'OVERVIEW' then 'read' else lower(k::text) end) as scope) s
  cross join lateral (select case k when 'OVERVIEW' then a.overview when 'PROFILE' then a.profile when 'IDENTITY' then a.identity
      when 'CONTACT' then a.contact when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat when 'HEALTH' then a.health
      when 'FAMILY' then a.family else a.assessment end @> hub_now() as access) v
  cross join lateral (select array_agg(distinct c.basis) as basis from case_basis c
    where c.organisation = a.organisation and c.case_id = a.case_id and c.category = k and c.period @> hub_now()) b
  where a.organisation = viewer_org() and a.case_id = wanted and a.overview @> hub_now()
  order by k $$;

grant execute on function viewer_disclosure to hub_app;

do $$
declare noun text;
declare routine regprocedure;
begin
  foreach noun in array array['pairwise_key', 'case_access', 'referral_access'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('grant select, insert, update, delete on %I to hub_access', noun);
    execute format('create policy access on %I to hub_access using (true) with check (true)', noun);
  end loop;
  foreach noun in array array['case_file', 'referral', 'consent', 'share', 'hold', 'presentation', 'agreement', 'emergency'] loop
    execute format('create trigger access_follows_insert after insert on %I referencing new table as new_rows for each statement execute function access_follows()', noun);
    execute format('create trigger access_follows_update after update on %I referencing old table as old_rows new table as new_rows for each statement execute function access_follows()', noun);
    execute format('create trigger access_follows_delete after delete on %I referencing old table as old_rows for each statement execute function access_follows()', noun);
  end loop;
  create trigger access_follows_insert after insert on organisation referencing new table as new_rows for each statement execute function access_follows();
  create trigger access_follows_update after update on organisation referencing old table as old_rows new table as new_rows for each statement execute function access_follows();
  create trigger a_pairwise_key after insert on organisation for each row execute function give_pairwise_key();
  grant select on case_basis, case_access_rule, referral_access_rule to hub_access;
  grant create on schema hub to hub_access;
  for routine in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'hub'::regnamespace and p.proname in
      ('give_pairwise_key', 'refuse_old_snapshots', 'refresh_case_access', 'refresh_referral_access', 'access_follows', 'viewer_disclosure', 'pairwise', 'padded', 'spoken') loop
    execute format('alter function %s owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;

grant select on case_access, referral_access to hub_app;
create policy own on case_access for select to hub_app
  using ((select viewer_has('cases:read')) and organisation = (select viewer_org()) and holds(overview, (select hub_now())));
create policy own on referral_access for select to hub_app
  using ((select viewer_has('referrals:read')) and organisation = (select viewer_org()) and holds(visible, (select hub_now())));

-- Rows whose periods are all past are only in the way.
grant select, delete on case_access, referral_access to hub_worker;
create policy prune on case_access to hub_worker using (upper(overview) <= hub_now());
create policy prune on referral_access to hub_worker using (upper(visible) <= hub_now());
