-- Referrals: one organisation hands a person to another. What was said of the person is sealed under the referral's own key.

create table referral (
  id uuid primary key,
  sender int not null references organisation,
  recipient int not null references organisation,
  status referral_status not null default 'SUBMITTED',
  urgency urgency not null,
  discipline discipline not null,
  origin country_code,
  submitted_at timestamptz not null,
  updated_at timestamptz not null,
  client text not null,
  usr text not null default '',
  client_reference text,
  shared_categories category[] not null check (not 'ASSESSMENT' = any(shared_categories)),
  decline_reason decline_reason,
  case_id uuid references case_file on delete cascade,
  pseudonym uuid not null default gen_random_uuid(),
  reason bytea,
  -- What tells two records of one person alike; sealed, as a name would be.
  linkage bytea,
  unique (sender, client, usr, client_reference)
);
create index on referral (case_id);
create index on referral (sender);
create index on referral (recipient);

create table referral_key (
  referral_id uuid primary key references referral on delete cascade,
  kek text not null,
  wrapped bytea not null
);

create table referral_person (
  referral_id uuid not null references referral on delete cascade,
  category category not null,
  key_version int not null default 1,
  sealed bytea not null,
  primary key (referral_id, category)
);

create table referral_event (
  referral_id uuid not null references referral on delete cascade,
  ordinal int not null,
  kind referral_event_kind not null,
  status referral_status not null,
  organisation int not null references organisation,
  at timestamptz not null,
  note bytea,
  primary key (referral_id, ordinal)
);

create table message (
  referral_id uuid not null references referral on delete cascade,
  ordinal int not null,
  organisation int not null references organisation,
  at timestamptz not null,
  body bytea not null,
  primary key (referral_id, ordinal)
);

do $$
declare noun text;
begin
  foreach noun in array array['referral', 'referral_key', 'referral_person', 'referral_event', 'message'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
end $$;
