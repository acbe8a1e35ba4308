-- Organisations, cities and clients: who takes part. Names are public; standing and keys are not.

create table city (
  id int generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,40}$'),
  name text not null,
  country country_code not null,
  member_since int,
  latitude double precision,
  longitude double precision,
  vacancies int not null default 0 check (vacancies >= 0)
);

create table organisation (
  id int generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,40}$'),
  name text not null,
  kind organisation_kind not null,
  website text,
  city int references city,
  suspended_at timestamptz
);
create unique index one_icorn on organisation (kind) where kind = 'ICORN';

create table client (
  client_id text primary key,
  organisation int not null references organisation,
  name text not null,
  scopes text[] not null,
  purpose text,
  status access_status not null default 'ACTIVE'
);

-- The gate: a proof is good for one statement, a revoked token for none.
create table seen_proof (
  proof bytea primary key,
  until timestamptz not null,
  organisation int not null
);
create index on seen_proof (until);
create table revoked_token (
  token_id text primary key,
  until timestamptz not null
);

alter table city enable row level security;
alter table city force row level security;
alter table organisation enable row level security;
alter table organisation force row level security;
alter table client enable row level security;
alter table client force row level security;
alter table seen_proof enable row level security;
alter table seen_proof force row level security;
alter table revoked_token enable row level security;
alter table revoked_token force row level security;

grant select on city to hub_app, hub_access;
create policy public on city for select to hub_app, hub_access using (true);

grant select (id, code, name, kind, website, city) on organisation to hub_app, hub_worker;
grant select on organisation to hub_access;
create policy public on organisation for select to hub_app, hub_access, hub_worker using (true);

grant select on client to hub_app, hub_access;
create policy own on client for select to hub_app
  using (organisation = (select viewer_org()) and client_id = (select viewer_client()));
create policy access on client for select to hub_access using (true);

grant select, insert on seen_proof to hub_app;
create policy own on seen_proof to hub_app
  using (organisation = (select viewer_org()) and proof = (select viewer_proof()))
  with check (organisation = (select viewer_org()) and proof = (select viewer_proof()));
grant select, delete on seen_proof to hub_worker;
create policy prune on seen_proof to hub_worker using (until < hub_now());

grant select on revoked_token to hub_access;
create policy access on revoked_token for select to hub_access using (true);
grant select, delete on revoked_token to hub_worker;
create policy prune on revoked_token to hub_worker using (until < hub_now());
grant select, insert on revoked_token to hub_auth;
create policy revoke on revoked_token to hub_auth using (true) with check (true);

create function viewer_is_icorn() returns boolean
  language sql stable parallel safe
  return exists (select from organisation o where o.id = viewer_org() and o.kind = 'ICORN');
grant execute on function viewer_is_icorn to hub_app;
