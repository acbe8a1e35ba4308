-- What opens a case to an organisation (agreements), and what the person says to it (consents).

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

do $$
declare noun text;
begin
  foreach noun in array array['agreement', 'agreement_approval', 'consent'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
end $$;
