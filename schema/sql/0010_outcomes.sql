-- What a request leaves behind: the outcome that a retry finds, the event that follows a change, and the audit record.

-- No content: the mutation's name, a keyed digest of its input, and the outcome's id or problems.
create table outcome (
  organisation int not null references organisation,
  client text not null,
  usr text not null default '',
  key text not null,
  mutation text not null,
  input_digest bytea not null,
  subject uuid,
  problems jsonb not null default '[]',
  at timestamptz not null,
  primary key (organisation, client, usr, key)
);

-- The outbox: thin events, written in the transaction of the change they tell of.
create table event (
  id bigint generated always as identity primary key,
  kind text not null,
  organisation int not null references organisation,
  referral_id uuid references referral on delete cascade,
  case_id uuid references case_file on delete cascade,
  at timestamptz not null
);
create index on event (referral_id, id);

create table audit (
  id uuid primary key default uuidv7(),
  organisation int not null references organisation,
  client text not null,
  usr text,
  at timestamptz not null default hub_now(),
  action text not null,
  operation bytea not null,
  purpose text,
  subjects uuid[] not null,
  categories category[] not null,
  proof bytea not null
);
create index on audit (organisation, id);

-- Each organisation's log is a chain: a leaf covers its entry and everything before it. A worker appends, so reads never queue.
create table audit_leaf (
  organisation int not null references organisation,
  seq bigint not null,
  audit_id uuid not null unique references audit,
  hash bytea not null,
  primary key (organisation, seq)
);

do $$
declare noun text;
begin
  foreach noun in array array['outcome', 'event', 'audit', 'audit_leaf'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
  end loop;
end $$;

grant select, insert on outcome to hub_app;
grant update (subject, problems) on outcome to hub_app;
create policy asker on outcome to hub_app
  using (organisation = (select viewer_org()) and client = (select viewer_client()) and usr = coalesce((select viewer_user()), ''))
  with check (organisation = (select viewer_org()) and client = (select viewer_client()) and usr = coalesce((select viewer_user()), ''));

grant insert on event to hub_app;
create policy own on event for insert to hub_app with check (organisation = (select viewer_org())
  and (select viewer_has('cases:write') or viewer_has('referrals:submit') or viewer_has('consents:write')));
grant select on event to hub_worker;
create policy deliver on event for select to hub_worker using (true);

grant insert on audit to hub_app;
grant select (proof) on audit to hub_app;
create policy own on audit for insert to hub_app with check (organisation = (select viewer_org()) and proof = (select viewer_proof()));
create policy returned on audit for select to hub_app using (organisation = (select viewer_org()) and proof = (select viewer_proof()));
grant select on audit to hub_worker;
create policy sequence on audit for select to hub_worker using (true);
grant select, insert on audit_leaf to hub_worker;
create policy sequence on audit_leaf to hub_worker using (true) with check (true);
