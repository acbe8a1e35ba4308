-- How much a client may ask for where it differs from what holds for all, and what it has drawn of its budgets.

-- Null is the default, which auth/limits.py holds. The authorization server puts these into the client's tokens.
create table client_limit (
  client_id text primary key references client on delete cascade,
  cost bigint check (cost between 1 and 1000000000000000),
  depth int check (depth between 1 and 30),
  fields int check (fields between 1 and 5000),
  aliases int check (aliases between 1 and 5000),
  directives int check (directives between 1 and 5000),
  tokens int check (tokens between 1 and 20000),
  body_bytes int check (body_bytes between 1 and 4194304),
  page_size int check (page_size between 1 and 5000),
  concurrency int check (concurrency between 1 and 1000),
  statement_seconds int check (statement_seconds between 1 and 300),
  cost_per_minute bigint check (cost_per_minute between 1 and 1000000000000000),
  tokens_per_minute int check (tokens_per_minute between 1 and 10000)
);

-- One row for each client and kind of budget: what its processes have drawn in the latest minute. It says how much was asked, never
-- for what. Unlogged: a crash begins every budget anew, and drawing waits for no disk.
create unlogged table budget (
  client_id text not null references client on delete cascade,
  kind text not null check (kind in ('COST', 'TOKENS')),
  organisation int not null,
  minute bigint not null,
  drawn bigint not null check (drawn >= 0),
  primary key (client_id, kind)
) with (fillfactor = 50);

alter table client_limit enable row level security, force row level security;
alter table budget enable row level security, force row level security;

grant select, insert, update on client_limit to hub_auth;
create policy server on client_limit to hub_auth using (true) with check (true);

-- What a process takes for itself: a share, so that it seldom has to ask, or just what it needs, or nothing when that is not there.
create function portion(available bigint, need bigint) returns bigint language sql immutable parallel safe
  return case when available < need then 0 else greatest(need, available / 8) end;
grant execute on function portion to hub_app, hub_auth;

grant select, insert, update on budget to hub_app, hub_auth;
create policy own on budget to hub_app
  using (kind = 'COST' and organisation = (select viewer_org()) and client_id = (select viewer_client()))
  with check (kind = 'COST' and organisation = (select viewer_org()) and client_id = (select viewer_client()));
create policy server on budget to hub_auth using (kind = 'TOKENS') with check (kind = 'TOKENS');

-- However many queries ask for fresh records, a feed is not pulled for them more often than this.
alter table feed add column rest interval not null default '30 seconds' check (rest >= '0');
