-- Cases: an overview that names nobody, and one sealed table for each further category.
-- Row ids are random and never leave the hub: partners know a case by its pairwise id, and its children by child_name.

create table case_file (
  id uuid primary key,
  status case_status not null default 'APPLICANT',
  discipline discipline not null,
  origin country_code,
  risk_level risk_level not null,
  opened_on date not null,
  updated_at timestamptz not null,
  sealed boolean not null default false,
  version int not null default 1,
  -- How the audit log knows the case; it goes with the case, and the log stays provable.
  pseudonym uuid not null default gen_random_uuid()
);
create index on case_file (origin, discipline) where not sealed;

create table case_key (
  case_id uuid primary key references case_file on delete cascade,
  kek text not null,
  wrapped bytea not null
);

-- A keyed digest of the normalised family name: an exact match, and nothing else, without the name.
create table case_name_digest (
  case_id uuid primary key references case_file on delete cascade,
  family_name bytea not null
);
create index on case_name_digest (family_name);

-- How a partner knows a child of a case or referral: by the pairwise id of the parent and a digest that only the child's own
-- random id, which nobody is ever told, could link to another partner's.
create function child_name(parent uuid, child uuid) returns text language sql immutable parallel safe
  return parent::text || '_' || encode(substr(sha256(uuid_send(parent) || uuid_send(child)), 1, 8), 'hex');
grant execute on function child_name to hub_app;

create table residency (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  city int not null references city,
  status residency_status not null,
  starts_on date,
  ends_on date
);
create index on residency (case_id);
create index on residency (city, starts_on desc, id);

create table presentation (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  organisation int not null references organisation,
  categories category[] not null check (not 'ASSESSMENT' = any(categories)),
  status presentation_status not null default 'OPEN',
  presented_at timestamptz not null,
  until timestamptz not null
);
create index on presentation (case_id);
create index on presentation (organisation);

-- One case opened to one organisation.
create table share (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  organisation int not null references organisation,
  categories category[] not null check (not 'ASSESSMENT' = any(categories)),
  starts timestamptz not null,
  until timestamptz,
  ended_at timestamptz,
  reason bytea
);
create index on share (case_id);
create index on share (organisation);

-- This case never to this organisation, whatever else allows it.
create table hold (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  organisation int not null references organisation,
  starts timestamptz not null,
  ended_at timestamptz,
  reason bytea,
  end_reason bytea
);
create index on hold (case_id, organisation);
create index on hold (organisation);

do $$
declare noun text;
begin
  foreach noun in array array['profile', 'identity', 'contact', 'whereabouts', 'threat', 'health', 'family', 'assessment'] loop
    execute format('create table case_%s (case_id uuid primary key references case_file on delete cascade, key_version int not null default 1, sealed bytea not null)', noun);
  end loop;
  foreach noun in array array['case_file', 'case_key', 'case_name_digest', 'residency', 'presentation', 'share', 'hold', 'case_profile',
      'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family', 'case_assessment'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
end $$;
