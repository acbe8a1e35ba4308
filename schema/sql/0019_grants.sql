-- What a person lets an app do in their name: pushed requests, approvals with their codes and refresh tokens, and how both end.

-- How often a client or an organisation has stopped being active, as 0018_people.sql counts it for users: what a person approved before
-- does not come back to life with them.
alter table hub.client add column standing int not null default 0;
alter table hub.organisation add column standing int not null default 0;
create function hub.client_leaves() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if old.status = 'ACTIVE' and new.status <> 'ACTIVE' then
    new.standing := old.standing + 1;
  end if;
  return new;
end $$;
create function hub.organisation_leaves() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if old.suspended_at is null and new.suspended_at is not null then
    new.standing := old.standing + 1;
  end if;
  return new;
end $$;
create trigger client_leaves before update on hub.client for each row execute function hub.client_leaves();
create trigger organisation_leaves before update on hub.organisation for each row execute function hub.organisation_leaves();

-- Where a client may send people back to, and whether it may ask what a token is worth.
create table auth.client_use (
  client_id text primary key references hub.client on delete cascade,
  redirect_uris text[] not null default '{}' check (cardinality(redirect_uris) <= 10),
  introspects boolean not null default false
);

-- A request that an app pushed (RFC 9126), for a minute and a half. What the browser carries is kept as a digest. `usr` is who opened
-- it first: it is nobody else's to approve.
create table auth.pushed_request (
  digest bytea primary key check (length(digest) = 32),
  client_id text not null references hub.client on delete cascade,
  redirect_uri text not null,
  scopes text[] not null,
  state text,
  challenge text not null,
  jkt text not null,
  -- Nobody who signed in before this may approve it; null where it does not matter when.
  signed_in_since timestamptz,
  by_passkey boolean not null,
  until timestamptz not null,
  usr uuid references hub.usr on delete cascade
);
create index pushed_request_until on auth.pushed_request (until);

-- What a person approved. The code is good once: `redeemed_at` is set by the statement that finds it. An approval outlives its code,
-- so that a code that comes again is known, and ends what was made of it. Its id begins the id of every token issued from it.
create table auth.approval (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  client_id text not null references hub.client on delete cascade,
  organisation int not null references hub.organisation,
  usr uuid not null references hub.usr on delete cascade,
  -- In which the person approved it. It ends with that session; sessions are pruned, so nothing refers to them.
  session bytea not null,
  -- Of user, client and organisation, when it was approved.
  standing int[] not null,
  scopes text[] not null,
  authenticated_at timestamptz not null,
  means text not null,
  redirect_uri text not null,
  challenge text not null,
  jkt text not null,
  code bytea not null unique check (length(code) = 32),
  code_until timestamptz not null,
  redeemed_at timestamptz,
  refresh bytea unique check (length(refresh) = 32),
  until timestamptz not null,
  ended_at timestamptz
);
create index approval_session on auth.approval (session) where ended_at is null;
create index approval_usr on auth.approval (usr);
create index approval_client on auth.approval (client_id);
create index approval_organisation on auth.approval (organisation);
create index approval_until on auth.approval (until);

do $$
declare noun text;
begin
  foreach noun in array array['client_use', 'pushed_request', 'approval'] loop
    execute format('alter table auth.%I enable row level security, force row level security', noun);
    execute format('create policy server on auth.%I to hub_auth using (true) with check (true)', noun);
  end loop;
end $$;
grant select, insert, update (redirect_uris, introspects) on auth.client_use to hub_auth;
grant select, insert, update (usr), delete on auth.pushed_request to hub_auth;
grant select, insert, update (redeemed_at, refresh, until, ended_at, session), delete on auth.approval to hub_auth;
-- Whoever approves is told by name whom and what.
grant select (name, standing) on hub.client to hub_auth;
grant select (name, kind, standing) on hub.organisation to hub_auth;

-- Signing out ends what was approved while signed in, and the tokens issued from it, whoever ends the session. Somebody who only shows
-- a passkey again has a new session in the same statement, and what they approved goes on in that one.
create function auth.session_ends() returns trigger language plpgsql set search_path = auth, hub, pg_temp as $$
declare next bytea := (select s.digest from auth.session s where s.usr = new.usr and s.created_at = new.ended_at and s.ended_at is null limit 1);
begin
  if next is not null then
    update auth.approval set session = next where session = new.digest and ended_at is null;
  else
    with ended as (
      update auth.approval set ended_at = new.ended_at where session = new.digest and ended_at is null returning id
    )
    insert into hub.revoked_token (token_id, until) select id, new.ended_at + interval '12 minutes' from ended on conflict do nothing;
  end if;
  return null;
end $$;
create trigger session_ends after update of ended_at on auth.session for each row
  when (old.ended_at is null and new.ended_at is not null) execute function auth.session_ends();

-- Whoever loses their standing loses at once what was begun while they had it: sessions, approvals, and the tokens that are out. Once they
-- are let in again, it would else be as if they had never been gone, for as long as each of these lasts.
create function auth.standing_ends() returns trigger language plpgsql set search_path = auth, hub, pg_temp as $$
declare gone text[];
begin
  if tg_table_name = 'usr' then
    update auth.session set ended_at = hub_now() where usr = new.id and ended_at is null;
    with ended as (update auth.approval set ended_at = hub_now() where usr = new.id and ended_at is null returning id)
      select array_agg(id) into gone from ended;
  elsif tg_table_name = 'organisation' then
    update auth.session set ended_at = hub_now() where usr in (select id from hub.usr where organisation = new.id) and ended_at is null;
    with ended as (update auth.approval set ended_at = hub_now() where organisation = new.id and ended_at is null returning id)
      select array_agg(id) into gone from ended;
  else
    with ended as (update auth.approval set ended_at = hub_now() where client_id = new.client_id and ended_at is null returning id)
      select array_agg(id) into gone from ended;
  end if;
  insert into hub.revoked_token (token_id, until) select g, hub_now() + interval '12 minutes' from unnest(gone) g on conflict do nothing;
  return null;
end $$;
create trigger standing_ends after update on hub.usr for each row when (new.standing > old.standing) execute function auth.standing_ends();
create trigger standing_ends after update on hub.client for each row when (new.standing > old.standing) execute function auth.standing_ends();
create trigger standing_ends after update on hub.organisation for each row when (new.standing > old.standing) execute function auth.standing_ends();

-- Is a token still good, of whomever it is: not denied, itself or with the approval that it came from; its client, its organisation
-- and, if there is one, its user active, and each with every scope it has. One rule for the gate and for introspection.
grant create on schema hub to hub_access;
set local role hub_access;
-- (Its parameters are called as no column is: a column would win over them, and compare with itself.)
create function hub.token_is_live(its_id text, its_client text, its_organisation int, its_user text, its_scopes text[]) returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return exists (
    select from client c join organisation o on o.id = c.organisation
    where c.client_id = its_client and c.organisation = its_organisation
      and c.status = 'ACTIVE' and o.suspended_at is null and its_scopes <@ c.scopes)
  and (its_user is null or exists (
    select from usr u
    where u.id = case when pg_input_is_valid(its_user, 'uuid') then its_user::uuid end
      and u.organisation = its_organisation and u.status = 'ACTIVE' and its_scopes <@ u.scopes))
  and not exists (select from revoked_token r where r.token_id in (its_id, split_part(its_id, '.', 1)));
create or replace function hub.viewer_is_live(token text) returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return token_is_live(token, viewer_client(), viewer_org(), viewer_user(), string_to_array(current_setting('hub.scopes', true), ' ', ''));
grant execute on function hub.token_is_live to hub_auth;
set local role hub_owner;
revoke create on schema hub from hub_access;

-- A freeze stops a case, or every case and referral of an origin, for everyone but ICORN, whatever allows it, until it is lifted: also
-- what a partner itself has sent, for in an emergency nobody knows whose hands it is in. It is the operator's, in no client's reach.
create table frozen (
  id uuid primary key default gen_random_uuid(),
  case_id uuid references case_file on delete cascade,
  country country_code,
  starts timestamptz not null,
  ended_at timestamptz,
  check (num_nonnulls(case_id, country) = 1)
);
create index on frozen (case_id);
create index on frozen (country);
alter table frozen enable row level security, force row level security;
grant select on frozen to hub_access;
create policy access on frozen for select to hub_access using (true);

create or replace view case_access_rule with (security_invoker) as
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

-- It waits for every change of access under way before it looks what it concerns, so that nothing slips in meanwhile.
create function freeze_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  rows jsonb := '[]';
  cases uuid[];
  referrals uuid[];
begin
  if tg_op <> 'DELETE' then rows := rows || coalesce((select jsonb_agg(to_jsonb(n)) from new_rows n), '[]'); end if;
  if tg_op <> 'INSERT' then rows := rows || coalesce((select jsonb_agg(to_jsonb(o)) from old_rows o), '[]'); end if;
  -- Whatever takes a case away sees to its freezes, too, and mostly finds none.
  if jsonb_array_length(rows) = 0 then return null; end if;
  perform pg_advisory_xact_lock(hashtextextended('hub.case_access', 0));
  perform pg_advisory_xact_lock(hashtextextended('hub.referral_access', 0));
  select array_agg(c.id) into cases from case_file c
    where exists (select from jsonb_array_elements(rows) r where (r ->> 'case_id')::uuid = c.id or r ->> 'country' = c.origin);
  if cases is not null then perform refresh_case_access(cases, null); end if;
  select array_agg(f.id) into referrals from referral f
    where f.case_id = any (cases) or exists (select from jsonb_array_elements(rows) r where r ->> 'country' = f.origin);
  if referrals is not null then perform refresh_referral_access(referrals); end if;
  return null;
end $$;
create trigger freeze_follows_insert after insert on frozen referencing new table as new_rows for each statement execute function freeze_follows();
create trigger freeze_follows_update after update on frozen referencing old table as old_rows new table as new_rows for each statement execute function freeze_follows();
create trigger freeze_follows_delete after delete on frozen referencing old table as old_rows for each statement execute function freeze_follows();
-- A case that turns out to be of another origin takes its referrals along.
create function origin_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare referrals uuid[] := (select array_agg(f.id) from referral f where f.case_id = new.id);
begin
  if referrals is not null then perform refresh_referral_access(referrals); end if;
  return null;
end $$;
create trigger origin_follows after update of origin on case_file for each row
  when (old.origin is distinct from new.origin) execute function origin_follows();
grant create on schema hub to hub_access;
alter function freeze_follows owner to hub_access;
alter function origin_follows owner to hub_access;
revoke create on schema hub from hub_access;

-- How much the clients and people of an organisation may be given, of what was asked for: ICORN everything; anybody else nothing that is
-- ICORN's to decide and to document, and a category of cases only while an agreement of theirs lists it, whatever cases it covers. It
-- only narrows what a token says: what opens a case is decided by the rule above.
grant create on schema hub to hub_access;
set local role hub_access;
create function hub.scope_ceiling(asker int, asked text[]) returns text[]
  language sql stable security definer set search_path = hub, pg_temp
  return array(
    select s from unnest(asked) s
    where exists (select from organisation o where o.id = asker and o.kind = 'ICORN')
      or s <> all ('{access:explain,cases:assessment,cases:erase,cases:write,feeds:manage,intake:read,organisations:manage}'::text[])
        and (s not in (select 'cases:' || lower(k::text) from unnest(enum_range(null::category)) k) or exists (
          select from agreement a, unnest(a.categories) k
          where a.organisation = asker and agreement_period(a) @> hub_now() and 'cases:' || lower(k::text) = s))
    order by s);
grant execute on function hub.scope_ceiling to hub_auth;
set local role hub_owner;
revoke create on schema hub from hub_access;
