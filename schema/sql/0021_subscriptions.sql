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
-- Whom an event may be told to: those who see its referral now, or whose retraction it is, and ICORN. It only spares everyone else's
-- connections all work with it; what is told is read by each reader's own rights. (A function, so that the worker need not read who
-- sees what.)
create function told_to(its_referral uuid, its_audience int) returns int[]
  language sql stable security definer set search_path = hub, pg_temp
  return array(
    select a.organisation from referral_access a where a.referral_id = its_referral and holds(a.visible, hub_now())
    union select o.id from organisation o where o.id = its_audience or its_audience is not null and o.kind = 'ICORN');
grant execute on function told_to to hub_worker;

-- May what is followed with a token still be followed: null where the token is not live, or says more than its organisation's agreements
-- give by now; false where the document is not the client's. Without a document it is asked of the token alone.
create function may_follow(its_id text, its_client text, its_organisation int, its_user text, its_scopes text[], its_document bytea, its_by_id boolean)
  returns boolean language sql stable security definer set search_path = hub, pg_temp
  return (
    select its_document is null or not c.documents_only and not its_by_id
      or exists (select from trusted_document d where d.client_id = c.client_id and d.digest = its_document)
    from client c
    where c.client_id = its_client and token_is_live(its_id, its_client, its_organisation, its_user, its_scopes)
      and its_scopes <@ scope_ceiling(its_organisation, its_scopes));
grant execute on function may_follow to hub_auth;
grant create on schema hub to hub_access;
do $$
declare routine regprocedure;
begin
  for routine in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'hub'::regnamespace and p.proname in ('event_step', 'told_to', 'may_follow') loop
    execute format('alter function %s owner to hub_access', routine);
  end loop;
end $$;
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
create trigger call_listeners after insert or update or delete on agreement for each statement execute function call_listeners('hub_standing');
