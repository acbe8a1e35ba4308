-- What opens a case to an organisation (agreements, emergencies), what the person says to it (consents), and what stops everything (freezes).

create table agreement (
  id uuid primary key default gen_random_uuid(),
  organisation int not null references organisation,
  purpose text not null,
  categories category[] not null check (not 'ASSESSMENT' = any(categories)),
  origins text[],
  disciplines discipline[],
  valid_from timestamptz not null,
  valid_until timestamptz,
  approved_at timestamptz,
  ended_at timestamptz
);
create index on agreement (organisation);

create table agreement_approval (
  agreement uuid not null references agreement on delete cascade,
  organisation int not null references organisation,
  approver text not null,
  at timestamptz not null,
  primary key (agreement, organisation)
);

-- organisation null is every partner, and is only ever set by saying so. What a partner wrote down that the person allows opens a
-- case only once ICORN has accepted it: `accepted` is set where ICORN opens a case from a referral, with the consents that came along.
create table consent (
  id uuid primary key,
  case_id uuid references case_file on delete cascade,
  referral_id uuid references referral on delete cascade,
  decision consent_decision not null,
  organisation int references organisation,
  categories category[] not null check (not 'ASSESSMENT' = any(categories)),
  given_on date not null,
  valid_until date,
  withdrawn_at timestamptz,
  recorded_by int not null references organisation,
  accepted boolean not null default false,
  evidence bytea,
  withdrawal_reason bytea,
  check (case_id is not null or referral_id is not null)
);
create index on consent (case_id);
create index on consent (referral_id);

create function consent_period(c consent) returns tstzrange language sql immutable parallel safe
  return period(midnight(c.given_on), least(midnight(c.valid_until + 1), c.withdrawn_at));
create function agreement_period(a agreement) returns tstzrange language sql immutable parallel safe
  return case when a.approved_at is null then 'empty' else period(greatest(a.valid_from, a.approved_at), least(a.valid_until, a.ended_at)) end;
create function agreement_state(a agreement, at timestamptz) returns agreement_status language sql immutable parallel safe
  return case when a.ended_at <= at then 'ENDED' when a.valid_until <= at then 'EXPIRED' when a.approved_at is null then 'PROPOSED' else 'ACTIVE' end::agreement_status;
grant execute on function consent_period, agreement_period, agreement_state to hub_app, hub_access;

-- Each breaking is a row of its own: what is open is what all of them open together, so a second one adds categories and time.
create table emergency (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  organisation int not null references organisation,
  categories category[] not null check (cardinality(categories) > 0 and not 'ASSESSMENT' = any(categories)),
  asked_at timestamptz not null,
  client text not null,
  usr text not null default '',
  reason bytea,
  approved_at timestamptz,
  approver text,
  approver_usr text,
  check ((approved_at is null) = (approver is null)),
  -- Two people: whoever asks never approves.
  check (approver <> client)
);
create index on emergency (case_id);
create index on emergency (organisation);

-- It opens when it is asked for; for a sealed case when ICORN approves it, and until then not at all. A request waits no longer than
-- the glass would be open.
create function emergency_hours() returns interval language sql immutable parallel safe return interval '12 hours';
create function emergency_period(e emergency, sealed boolean) returns tstzrange language sql immutable parallel safe
  return case when sealed and e.approved_at is null then 'empty'
    else period(coalesce(e.approved_at, e.asked_at), coalesce(e.approved_at, e.asked_at) + emergency_hours()) end;
create function emergency_waits(e emergency, sealed boolean, at timestamptz) returns boolean language sql immutable parallel safe
  return sealed and e.approved_at is null and at < e.asked_at + emergency_hours();
grant execute on function emergency_hours, emergency_period, emergency_waits to hub_app, hub_access;

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

do $$
declare noun text;
begin
  foreach noun in array array['agreement', 'agreement_approval', 'consent', 'emergency', 'frozen'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
end $$;
