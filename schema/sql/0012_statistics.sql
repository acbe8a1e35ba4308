-- Statistics: one release a quarter, frozen. What may be told is decided when it is frozen (hub/statistics.py), and nothing else is kept.

create type case_dimension as enum ('ORIGIN', 'DISCIPLINE', 'STATUS', 'RISK_LEVEL', 'YEAR');

create table statistics_release (
  period date primary key check (period = date_trunc('quarter', period)::date),
  as_of date not null,
  smallest_cell int not null check (smallest_cell >= 10),
  -- Only the transaction that made a release fills it.
  xid xid8 not null default pg_current_xact_id()
);

-- A cell has a value in at most one dimension; the one without any is the total. No count under ten could be stored here.
create table statistics_cell (
  period date not null references statistics_release,
  origin country_code,
  discipline discipline,
  status case_status,
  risk_level risk_level,
  year int,
  count int not null check (count >= 10 and count % 10 = 0),
  check (num_nonnulls(origin, discipline, status, risk_level, year) <= 1),
  unique nulls not distinct (period, origin, discipline, status, risk_level, year)
);

do $$
declare noun text;
begin
  foreach noun in array array['statistics_release', 'statistics_cell'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
    execute format('create policy released on %I for select to hub_app using ((select viewer_has(''statistics:read'')))', noun);
    execute format('create policy keep on %I for select to hub_worker using (true)', noun);
  end loop;
end $$;
grant select (period, as_of, smallest_cell) on statistics_release to hub_app;
grant select on statistics_cell to hub_app;

-- The worker adds a release and, in the same transaction, its cells. Nobody changes or removes one.
grant select, insert (period, as_of, smallest_cell) on statistics_release to hub_worker;
grant select, insert on statistics_cell to hub_worker;
create policy keep_adds on statistics_release for insert to hub_worker with check (period = date_trunc('quarter', hub_now() at time zone 'UTC')::date);
create policy keep_adds on statistics_cell for insert to hub_worker with check (exists (
  select from statistics_release r where r.period = statistics_cell.period and r.xid = pg_current_xact_id()));

-- How many cases there are of each kind: what the rule of release starts from. The worker sees no case, and no request sees this.
create function count_cases()
  returns table (origin text, discipline text, status text, risk_level text, year int, cases int)
  language sql stable security definer set search_path = hub, pg_temp as $$
  select f.origin, f.discipline::text, f.status::text, f.risk_level::text, extract(year from f.opened_on)::int, count(*)::int
  from case_file f group by 1, 2, 3, 4, 5
$$;
grant execute on function count_cases to hub_worker;
grant create on schema hub to hub_access;
alter function count_cases owner to hub_access;
revoke create on schema hub from hub_access;
