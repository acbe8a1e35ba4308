-- Feeds: how sister organisations' own systems are read, and the hub's replica of their records, sealed like cases.

create table feed (
  id int generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,40}$'),
  organisation int not null references organisation,
  kind feed_kind not null,
  settings jsonb not null,
  mapping jsonb not null,
  every interval not null default '15 minutes' check (every >= '10 seconds'),
  -- Changes are asked for from this long before the watermark: a sister's commits may become visible late.
  overlap interval not null default '15 minutes' check (overlap >= '0'),
  -- Timestamps alone lose records, so everything is read again this often.
  full_every interval not null default '1 day',
  -- A pass that would remove more than this share of the records (and more than one) removes none and asks.
  removal_share real not null default 0.25 check (removal_share between 0 and 1),
  paused boolean not null default false,
  state feed_state not null default 'UNAVAILABLE',
  -- The pass under way, kept so that a crash goes on where it stopped: {"number", "full", "started", "cursor", ...}.
  cursor jsonb,
  passes bigint not null default 0,
  -- In the sister's own time: everything it changed before this has been read.
  watermark timestamptz,
  -- Digest of the settings and mapping the replica was made with: another one means that everything is read again.
  rules bytea,
  attempted_at timestamptz,
  -- When the last complete pass began: the replica is at least as fresh as this.
  last_synced_at timestamptz,
  last_full_at timestamptz,
  last_problem text check (last_problem ~ '^[A-Z_]+$')
);
create index on feed (organisation);

-- Ids are derived from the feed's code and the source's id, so a replica made anew has the same ones.
create table feed_record (
  id uuid primary key,
  feed int not null references feed on delete cascade,
  source_id text not null,
  source_url text,
  -- Keyed, so that it cannot be used to guess content; null when nothing is held.
  content_hash bytea,
  discipline discipline,
  origin country_code,
  risk_level risk_level,
  urgency urgency,
  submitted_at timestamptz,
  updated_at timestamptz,
  fetched_at timestamptz not null,
  present boolean not null default true,
  -- The pass that saw it last: what a complete full pass has not seen is gone.
  seen bigint not null,
  unique (feed, source_id)
) with (fillfactor = 90);
create index feed_record_newest on feed_record (feed, updated_at desc, id) where present;

create table feed_record_key (
  record uuid primary key references feed_record on delete cascade,
  kek text not null,
  wrapped bytea not null
);

create table feed_record_person (
  record uuid not null references feed_record on delete cascade,
  category category not null check (category not in ('OVERVIEW', 'ASSESSMENT')),
  key_version int not null,
  sealed bytea not null,
  primary key (record, category)
);

-- That a record speaks of a case's person: a decision of ICORN's staff. `reason` is sealed under the case's key.
create table feed_record_link (
  record uuid primary key references feed_record on delete cascade,
  case_id uuid not null references case_file on delete cascade,
  linked_at timestamptz not null default hub_now(),
  linked_by int not null references organisation,
  linked_by_client text,
  reason bytea
);
create index on feed_record_link (case_id, record);

-- Records that could not be mapped, waiting for a better mapping. The reason is a code and a place, never content.
create table feed_quarantine (
  id uuid primary key default gen_random_uuid(),
  feed int not null references feed on delete cascade,
  source_id text,
  reason text not null,
  since timestamptz not null,
  seen bigint not null,
  unique nulls not distinct (feed, source_id)
);
create index on feed_quarantine (feed, since, id);

alter table feed enable row level security;
alter table feed force row level security;
alter table feed_record enable row level security;
alter table feed_record force row level security;
alter table feed_record_key enable row level security;
alter table feed_record_key force row level security;
alter table feed_record_person enable row level security;
alter table feed_record_person force row level security;
alter table feed_record_link enable row level security;
alter table feed_record_link force row level security;
alter table feed_quarantine enable row level security;
alter table feed_quarantine force row level security;

-- The worker replicates: it writes sealed documents and has no use for reading them; links are not its to see.
grant select on feed to hub_worker;
grant update (state, cursor, passes, watermark, rules, attempted_at, last_synced_at, last_full_at, last_problem) on feed to hub_worker;
create policy replicate on feed for select to hub_worker using (true);
create policy replicate_state on feed for update to hub_worker using (true);
grant select, insert, update on feed_record to hub_worker;
create policy replicate on feed_record to hub_worker using (true) with check (true);
grant select (record), insert, delete on feed_record_key to hub_worker;
create policy replicate on feed_record_key to hub_worker using (true) with check (true);
grant select (record, category), insert, delete on feed_record_person to hub_worker;
create policy replicate on feed_record_person to hub_worker using (true) with check (true);
grant select, insert, update, delete on feed_quarantine to hub_worker;
create policy replicate on feed_quarantine to hub_worker using (true) with check (true);
