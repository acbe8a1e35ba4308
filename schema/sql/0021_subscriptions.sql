-- What subscriptions stand on: an outbox that is read in an order without gaps, and a call that there is something to read.

-- As with audit records: below the oldest transaction still under way no event can appear any more, so whoever reads up to there
-- has seen everything, however late a transaction commits. `ordinal` is the referral's step that an event tells of.
alter table event add column xid xid8 not null default pg_current_xact_id(), add column ordinal int;
create index on event (xid);

-- Transaction, step and audience of an event are the database's to say.
revoke insert on event from hub_app;
grant insert (kind, organisation, referral_id, case_id, retraction_id, at) on event to hub_app;
grant select (referral_id, ordinal) on referral_event to hub_access;
create policy steps on referral_event for select to hub_access using (true);
create function event_step() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  new.ordinal := (select max(e.ordinal) from referral_event e where e.referral_id = new.referral_id);
  return new;
end $$;
create trigger step before insert on event for each row when (new.referral_id is not null and new.kind like 'referral.%') execute function event_step();
grant create on schema hub to hub_access;
alter function event_step owner to hub_access;
revoke create on schema hub from hub_access;

-- Any role of the database may LISTEN to any channel, and NOTIFY on it, so a call carries nothing: who hears it learns that something
-- was committed, and who calls falsely has processes look once more. What there is to see is read from the tables, by right.
create function call_listeners() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  perform pg_notify(tg_argv[0], '');
  return null;
end $$;
create trigger call_listeners after insert on event for each statement execute function call_listeners('hub_event');
-- Whoever has a connection open may have lost the right to it.
create trigger call_listeners after insert on revoked_token for each statement execute function call_listeners('hub_standing');
create trigger call_listeners after delete or update of status, scopes, documents_only on client for each statement execute function call_listeners('hub_standing');
create trigger call_listeners after delete or update of status, scopes on usr for each statement execute function call_listeners('hub_standing');
create trigger call_listeners after update of suspended_at on organisation for each statement execute function call_listeners('hub_standing');
create trigger call_listeners after delete on trusted_document for each statement execute function call_listeners('hub_standing');
