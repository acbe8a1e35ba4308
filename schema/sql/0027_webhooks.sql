-- Webhooks: where an organisation has its events sent, how far it has been told, and in what order that is.

-- Of one referral, who comes later is told later, also where its transaction was begun first: it waited for the other's lock. So an
-- event counts as of the younger of both transactions, and the order of (xid, id) is that of the steps.
create index on event (xid, id) where ordinal is not null or kind = 'retraction.made';
grant select (referral_id, xid) on event to hub_access;
create policy steps on event for select to hub_access using (true);
grant create on schema hub to hub_access;
set local role hub_access;
create or replace function event_step() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  new.ordinal := (select max(e.ordinal) from referral_event e where e.referral_id = new.referral_id);
  -- (What lies beyond this cluster's transactions came with a restored backup.)
  new.xid := greatest(new.xid, (select max(e.xid) from event e where e.referral_id = new.referral_id and e.xid < pg_snapshot_xmax(pg_current_snapshot())));
  return new;
end $$;
set local role hub_owner;
revoke create on schema hub from hub_access;

create table webhook (
  id uuid primary key,
  -- Of its advisory lock; told to nobody.
  number int generated always as identity unique,
  organisation int not null references organisation,
  url text not null,
  events referral_event_kind[] not null,
  purpose text not null,
  created_at timestamptz not null,
  -- How far it has been told. It begins with whatever was not settled when it was made.
  xid xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
  event bigint not null default 0,
  last_delivery_at timestamptz,
  failures int not null default 0,
  last_problem text,
  failing_since timestamptz,
  next_try_at timestamptz,
  -- Paused, it can be resumed; ended, because it answered 410 Gone or its organisation was suspended, it cannot.
  paused_at timestamptz,
  ended_at timestamptz
);
create index on webhook (organisation);

-- What signs its messages, sealed. Whoever makes it is told, once, by the answer; no request ever reads it.
create table webhook_secret (
  webhook_id uuid primary key references webhook on delete cascade,
  sealed bytea not null,
  kek text not null,
  wrapped bytea not null
);
create trigger refuse_destroyed_epoch after insert or update on webhook_secret for each row execute function refuse_destroyed_epoch('kek');

alter table webhook enable row level security, force row level security;
alter table webhook_secret enable row level security, force row level security;

-- Its own organisation's, and only with the scope.
grant select (id, organisation, url, events, created_at, last_delivery_at, failures, last_problem, paused_at, ended_at) on webhook to hub_app;
grant insert (id, organisation, url, events, purpose, created_at) on webhook to hub_app;
grant update (failures, failing_since, next_try_at, paused_at) on webhook to hub_app;
grant delete on webhook to hub_app;
create policy own on webhook to hub_app
  using ((select viewer_has('access:manage')) and organisation = (select viewer_org()))
  with check ((select viewer_has('access:manage')) and organisation = (select viewer_org()) and ended_at is null and paused_at is null);
grant insert on webhook_secret to hub_app;
create policy made on webhook_secret for insert to hub_app with check ((select viewer_has('access:manage')) and exists (select from webhook w where w.id = webhook_id));
create policy webhooks on event for insert to hub_app with check (organisation = (select viewer_org()) and (select viewer_has('access:manage'))
  and referral_id is null and case_id is null and retraction_id is null and audience is null and kind in ('webhook.created', 'webhook.resumed', 'webhook.deleted'));

-- The worker delivers. What an organisation may be told it reads as that organisation, under the very policies that a request of it is
-- read under, and of a step only that it was; each message is a read, and leaves its record.
grant select (id, number, organisation, url, events, purpose, xid, event, failures, failing_since, next_try_at, paused_at, ended_at) on webhook to hub_worker;
grant update (xid, event, last_delivery_at, failures, last_problem, failing_since, next_try_at, paused_at, ended_at) on webhook to hub_worker;
create policy deliver on webhook to hub_worker using (true) with check (true);
grant select (webhook_id, sealed, kek, wrapped), update (kek, wrapped), maintain on webhook_secret to hub_worker;
create policy deliver on webhook_secret to hub_worker using (true) with check (true);
grant select (suspended_at) on organisation to hub_worker;
grant select (referral_id, ordinal, kind) on referral_event to hub_worker;
alter policy visible on referral_event to hub_app, hub_worker;
alter policy own on referral_access to hub_app, hub_worker;
grant select (id, kind, subject, icorn_subject) on retraction to hub_worker;
alter policy owing on retraction to hub_app, hub_worker;
-- It counts receipts for the operator as nobody, and reads what is retracted as somebody.
alter policy counted on retraction using ((select viewer_org()) is null);
grant execute on function viewer_is_icorn to hub_worker;
grant insert (organisation, client, usr, action, operation, purpose, outcome, subjects, categories, proof) on audit to hub_worker;
create policy told on audit for insert to hub_worker with check (organisation = (select viewer_org()) and proof = (select viewer_proof())
  and client = (select viewer_client()) and client like 'webhook\_%' and action like 'webhook %' and categories <@ '{OVERVIEW}');
grant insert (kind, organisation, at) on event to hub_worker;
create policy webhooks_given_up on event for insert to hub_worker with check (kind in ('webhook.paused', 'webhook.ended')
  and referral_id is null and case_id is null and retraction_id is null and audience is null);

-- With its organisation a webhook ends for good, as what people approved does.
create function webhooks_end() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  update webhook set ended_at = hub_now() where organisation = new.id and ended_at is null;
  return null;
end $$;
grant select (organisation, ended_at), update (ended_at) on webhook to hub_access;
create policy suspension on webhook to hub_access using (true) with check (true);
create trigger webhooks_end after update of suspended_at on organisation for each row
  when (old.suspended_at is null and new.suspended_at is not null) execute function webhooks_end();
grant create on schema hub to hub_access;
alter function webhooks_end owner to hub_access;
revoke create on schema hub from hub_access;
