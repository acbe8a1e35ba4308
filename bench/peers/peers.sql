-- What a peer needs to answer the same questions of the same tables: a role, the same restriction to a partner's rows, and nothing else.
create role peer login;
grant connect on database bench to peer;
grant usage on schema hub to peer;
grant select on hub.case_access, hub.referral_access, hub.case_file, hub.residency, hub.city, hub.organisation to peer;
create schema peer;
grant usage on schema peer to peer;
create function peer.organisation() returns int language sql stable parallel safe return nullif(current_setting('peer.organisation', true), '')::int;
grant execute on function peer.organisation, hub.holds, hub.hub_now to peer;
create policy peer on hub.case_access for select to peer
  using (organisation = (select peer.organisation()) and overview @> statement_timestamp());
create policy peer on hub.referral_access for select to peer
  using (organisation = (select peer.organisation()) and visible @> statement_timestamp());
create policy peer on hub.case_file for select to peer using (exists (
  select from hub.case_access a where a.organisation = (select peer.organisation()) and a.case_id = id and a.overview @> statement_timestamp()));
create policy peer on hub.residency for select to peer using (exists (
  select from hub.case_access a where a.organisation = (select peer.organisation()) and a.case_id = residency.case_id and a.whereabouts @> statement_timestamp()));
create policy peer on hub.city for select to peer using (true);
create policy peer on hub.organisation for select to peer using (true);
-- The bare insert: a referral in clear, with no key, consent, event, access or log beside it.
create table peer.submission (
  id uuid primary key default gen_random_uuid(),
  sender int not null,
  recipient int not null default 1,
  status text not null default 'SUBMITTED',
  urgency hub.urgency not null,
  discipline hub.discipline not null,
  reason text not null,
  submitted_at timestamptz not null default now()
);
alter table peer.submission enable row level security;
grant select, insert on peer.submission to peer;
create policy own on peer.submission to peer using (sender = (select peer.organisation())) with check (sender = (select peer.organisation()));
-- How PostGraphile learns which rows belong together where no constraint says so.
comment on table hub.referral_access is E'@foreignKey (organisation, case_id) references hub.case_access (organisation, case_id)\n@foreignKey (sender) references hub.organisation (id)';
