-- A referral's life: who may change it at all, what passes on when it is redirected, and what must be read before it is accepted.
-- Which step leads where stands in one table, hub/commands/lifecycle.py; here stands what no step may do, whoever takes it.

alter table message add column id uuid not null default gen_random_uuid() unique;
-- What came of a redirection: the referral that it passed on.
alter table referral add column redirected_from uuid references referral on delete set null;
create index on referral (redirected_from);
-- Since when a document is another than the one that was submitted.
alter table referral_person add column replaced_at timestamptz;

create function lives(status referral_status) returns boolean language sql immutable parallel safe
  return status in ('SUBMITTED', 'RECEIVED', 'INFORMATION_REQUESTED', 'IN_REVIEW', 'ACCEPTED');
grant execute on function lives to hub_app, hub_access;

-- What has ended does not come to life again. Only its sender takes a referral back or gives what was asked for; all else is the
-- recipient's. That it came of another is the database's to say.
create function keep_referral() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if tg_op = 'INSERT' and new.redirected_from is not null or tg_op = 'UPDATE'
      and (new.status, new.decline_reason, new.updated_at) is distinct from (old.status, old.decline_reason, old.updated_at)
      and not (lives(old.status) and (new.status = old.status or case viewer_org()
        when old.sender then new.status = 'WITHDRAWN' or old.status = 'INFORMATION_REQUESTED' and new.status = 'IN_REVIEW'
        when old.recipient then new.status not in ('SUBMITTED', 'WITHDRAWN')
        else false end)) then
    raise exception 'this step is not the asker''s to take' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger keep_referral before insert or update on referral for each row when (current_user = 'hub_app') execute function keep_referral();

grant update (status, updated_at, decline_reason) on referral to hub_app;
create policy takes on referral for update to hub_app using ((select viewer_has('referrals:respond') or viewer_has('referrals:submit'))
  and (select viewer_org()) in (sender, recipient));
create policy takes on referral_event for insert to hub_app with check ((select viewer_has('referrals:respond') or viewer_has('referrals:submit'))
  and organisation = (select viewer_org()) and kind <> 'SUBMITTED' and ordinal > 1 and at = (select hub_now())
  and exists (select from referral r where r.id = referral_id and (select viewer_org()) in (r.sender, r.recipient) and r.status = referral_event.status));
grant insert on message to hub_app;
create policy writes on message for insert to hub_app with check ((select viewer_has('referrals:respond') or viewer_has('referrals:submit'))
  and organisation = (select viewer_org()) and at = (select hub_now())
  and exists (select from referral r where r.id = referral_id and (select viewer_org()) in (r.sender, r.recipient) and lives(r.status)));
create policy answers on event for insert to hub_app with check (organisation = (select viewer_org()) and retraction_id is null and audience is null
  and case_id is null and kind ~ '^referral[.]' and (select viewer_has('referrals:respond')));

-- Which of these categories do the decisions on a referral not let go to an organisation now? An ALLOW counts that its sender or
-- ICORN wrote down, a DENY whoever did; of what was decided about a case ICORN alone is told. For whoever takes no part: all of them.
create function not_agreed(wanted uuid, whom int, asked category[]) returns category[] language sql stable security definer set search_path = hub, pg_temp as $$
  select coalesce(array_agg(k order by k), '{}') from unnest(asked) k where not exists (
    select from referral r cross join lateral (
      select bool_and(c.decision = 'ALLOW') as said from consent c
      where (c.referral_id = r.id or viewer_is_icorn() and c.case_id = r.case_id) and (c.organisation is null or c.organisation = whom)
        and k = any (c.categories) and consent_period(c) @> hub_now()
        and (c.decision = 'DENY' or c.recorded_by = r.sender or c.recorded_by = (select o.id from organisation o where o.kind = 'ICORN'))) c
    where r.id = wanted and viewer_org() in (r.sender, r.recipient) and viewer_has('referrals:read') and c.said
      and not (viewer_is_icorn() and exists (select from hold h where h.case_id = r.case_id and h.organisation = whom and period(h.starts, h.ended_at) @> hub_now()))) $$;

-- What the recipient asked for, from the sender, within the person's consent: documents that are added, or take another's place.
create function give_information(wanted uuid, given category[], documents bytea[]) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not viewer_has('referrals:read', 'referrals:respond') or not exists (
      select from referral r where r.id = wanted and r.sender = viewer_org() and r.status = 'INFORMATION_REQUESTED'
        and not_agreed(r.id, r.recipient, given) = '{}') then
    raise exception 'this is not the asker''s to give' using errcode = 'insufficient_privilege';
  end if;
  insert into referral_person (referral_id, category, sealed) select wanted, u.k, u.document from unnest(given, documents) u(k, document)
    on conflict (referral_id, category) do update set sealed = excluded.sealed, replaced_at = hub_now();
  update referral r set shared_categories = array(select k from unnest(r.shared_categories || given) k group by k order by k) where r.id = wanted;
end $$;

-- A redirected referral begins anew, as its sender's, with the documents that were passed on, sealed under a key of its own. Nothing
-- tells its recipient that somebody had it before. What is known to be a case stays one, so that what was decided about it holds.
create function redirect_referral(wanted uuid, made uuid, whom int, kek text, wrapped bytea, reason bytea, linkage bytea, given category[], documents bytea[])
  returns void language plpgsql security definer set search_path = hub, pg_temp as $$
declare was referral;
begin
  select * into was from referral r where r.id = wanted;
  if not viewer_has('referrals:read', 'referrals:respond') or was.recipient is distinct from viewer_org() or not lives(was.status) or was.status = 'ACCEPTED'
      or whom in (was.sender, was.recipient) or not_agreed(wanted, whom, 'OVERVIEW'::category || given) <> '{}' then
    raise exception 'this is not the asker''s to pass on' using errcode = 'insufficient_privilege';
  end if;
  insert into referral (id, sender, recipient, urgency, discipline, origin, submitted_at, updated_at, client, usr, shared_categories, case_id, reason, linkage, redirected_from)
    values (made, was.sender, whom, was.urgency, was.discipline, was.origin, hub_now(), hub_now(), was.client, was.usr, 'OVERVIEW'::category || given, was.case_id, reason, linkage, wanted);
  insert into referral_key (referral_id, kek, wrapped) values (made, kek, wrapped);
  insert into referral_person (referral_id, category, sealed) select made, u.k, u.document from unnest(given, documents) u(k, document);
  insert into referral_event (referral_id, ordinal, kind, status, organisation, at) values (made, 1, 'SUBMITTED', 'SUBMITTED', was.sender, hub_now());
  -- Every decision on it follows, by the trigger below.
  update consent c set withdrawn_at = c.withdrawn_at where c.referral_id = wanted;
  insert into event (kind, organisation, referral_id, at) values ('referral.submitted', was.sender, made, hub_now());
end $$;

-- What the person decides about a referral, or takes back, holds for what came of it too: but no ALLOW that a recipient wrote down.
create function consent_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  insert into consent (id, referral_id, decision, organisation, categories, given_on, valid_until, withdrawn_at, recorded_by)
    select encode(substr(sha256(uuid_send(r.id) || uuid_send(new.id)), 1, 16), 'hex')::uuid, r.id, new.decision, new.organisation, new.categories,
      new.given_on, new.valid_until, new.withdrawn_at, new.recorded_by
    from referral r where r.redirected_from = new.referral_id
      and (new.decision = 'DENY' or new.recorded_by in (r.sender, (select o.id from organisation o where o.kind = 'ICORN')))
  on conflict (id) do update set withdrawn_at = excluded.withdrawn_at;
  return null;
end $$;
create trigger consent_follows after insert or update of withdrawn_at on consent for each row when (new.referral_id is not null) execute function consent_follows();

-- A case that is opened from what came of a redirection takes along where it came from: it is one person's, and erased with the case.
create function origin_joins_case() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  update referral r set case_id = new.case_id where r.id = new.redirected_from and r.case_id is null;
  return null;
end $$;
create trigger origin_joins_case after update of case_id on referral for each row
  when (new.redirected_from is not null and new.case_id is not null) execute function origin_joins_case();

-- Has the asker's organisation yet to read how, and whether, the person may be contacted, as the referral has it now?
create function contact_unread(wanted uuid) returns boolean language sql stable security definer set search_path = hub, pg_temp as $$
  select exists (select from referral_access a join referral_person p on p.referral_id = a.referral_id and p.category = 'CONTACT'
    where a.organisation = viewer_org() and a.referral_id = wanted and viewer_has('referrals:read', 'cases:contact') and holds(a.contact, hub_now())
      and not received(a.organisation, wanted, 'CONTACT', p.replaced_at)) $$;
grant execute on function not_agreed, give_information, redirect_referral, contact_unread to hub_app;

-- What a replay of a message would answer goes with it.
create function outcome_goes() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  delete from outcome o where o.subject = old.id;
  return null;
end $$;
create trigger outcome_goes after delete on message for each row execute function outcome_goes();

do $$
declare routine text;
begin
  grant insert on referral, referral_key, referral_person, referral_event, consent to hub_access;
  grant update (shared_categories, case_id) on referral to hub_access;
  grant update (sealed, replaced_at) on referral_person to hub_access;
  grant update (withdrawn_at) on consent to hub_access;
  foreach routine in array array['referral', 'referral_key', 'referral_person', 'referral_event', 'consent'] loop
    execute format('create policy passes_on on %I for insert to hub_access with check (true)', routine);
  end loop;
  foreach routine in array array['referral', 'referral_person', 'consent'] loop
    execute format('create policy follows on %I for update to hub_access using (true)', routine);
  end loop;
  grant create on schema hub to hub_access;
  foreach routine in array array['not_agreed', 'give_information', 'redirect_referral', 'consent_follows', 'origin_joins_case', 'contact_unread', 'outcome_goes'] loop
    execute format('alter function %I owner to hub_access', routine);
  end loop;
end $$;

-- As in 0013_audit_log.sql, and of messages too.
set local role hub_access;
create or replace function audit_written(wanted uuid) returns seen[] language sql stable security definer set search_path = hub, pg_temp as $$
  with about as (
    select wanted as id
    union select unnest(array[c.case_id, c.referral_id]) from consent c where c.id = wanted
    union select r.case_id from residency r where r.id = wanted
    union select p.case_id from presentation p where p.id = wanted
    union select m.referral_id from message m where m.id = wanted
  )
  select coalesce(array_agg(row(s.pseudonym, s.basis & 127)::seen), '{}') from (
    select a.pseudonym, coalesce(a.basis[width_bucket(hub_now(), a.basis_from)], 0) as basis from case_access a join about on a.case_id = about.id
      where a.organisation = viewer_org() and holds(a.overview, hub_now())
    union all
    select a.pseudonym, a.basis from referral_access a join about on a.referral_id = about.id
      where a.organisation = viewer_org() and holds(a.visible, hub_now())) s $$;
set local role hub_owner;
revoke create on schema hub from hub_access;
