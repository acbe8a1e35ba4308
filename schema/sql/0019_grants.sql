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
grant execute on function hub.token_is_live to hub_auth;
set local role hub_owner;
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
