-- Sealing and erasure: epochs of the keys that wrap data keys, legal holds, periods of retention, and the one function by which
-- everything that is held of a person is destroyed.

-- When each key-encryption key came and went, and nothing of the key. made_at is null for one that was there before this was kept.
create table key_epoch (
  name text primary key,
  made_at timestamptz,
  retired_at timestamptz,
  destroyed_at timestamptz
);

-- That somebody was erased, and not who: it tells which backups still hold what was erased.
create table erasure (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  -- By ICORN's desk; otherwise its time was up.
  asked boolean not null
);

-- Not to be erased, by law or by decision: what stands, and what one asker proposed and another has yet to confirm.
create table legal_hold (
  case_id uuid primary key references case_file on delete cascade,
  held boolean not null default false,
  reason bytea,
  since timestamptz not null,
  proposed boolean,
  proposed_reason bytea,
  client text,
  usr text,
  check (num_nulls(proposed, proposed_reason, client, usr) in (0, 4)),
  check (proposed <> held)
);

-- How long after its last change a case, or a referral that never became one, is kept. A status without a row is kept.
create table retention (
  noun text not null check (noun in ('CASE', 'REFERRAL')),
  status text not null,
  keep interval not null check (keep >= '1 day'),
  primary key (noun, status)
);
insert into retention (noun, status, keep) values
  ('CASE', 'DECLINED', '90 days'), ('CASE', 'WITHDRAWN', '30 days'), ('CASE', 'CLOSED', '90 days'),
  ('REFERRAL', 'DECLINED', '30 days'), ('REFERRAL', 'WITHDRAWN', '30 days'), ('REFERRAL', 'REDIRECTED', '30 days'), ('REFERRAL', 'COMPLETED', '90 days');

-- Where a record comes from, as a digest keyed outside the database; the worker writes it. What a feed sends again of someone who was
-- erased is known by it and not stored. A record read before this was kept has a digest of nothing until it is read again.
alter table feed_record add column source_mark bytea not null default sha256(uuid_send(gen_random_uuid()));
create table feed_erased (
  mark bytea primary key
);

create index on outcome (subject) where subject is not null;
create index on case_key (kek);
create index on referral_key (kek);
create index on feed_record_key (kek);
create index on retraction_key (kek);

-- A key wrapped by a key that is gone would open nothing.
create function refuse_destroyed_epoch() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if exists (select from key_epoch e where e.name = to_jsonb(new) ->> tg_argv[0] and e.destroyed_at is not null) then
    raise exception 'this key-encryption key was destroyed' using errcode = 'object_not_in_prerequisite_state';
  end if;
  return null;
end $$;

create view overdue with (security_invoker) as
select t.noun, c.id from retention t join case_file c on t.noun = 'CASE' and t.status = c.status::text
  where c.updated_at <= hub_now() - t.keep and not exists (select from legal_hold h where h.case_id = c.id and h.held)
union all
select t.noun, r.id from retention t join referral r on t.noun = 'REFERRAL' and t.status = r.status::text
  where r.updated_at <= hub_now() - t.keep and r.case_id is null;

-- Nobody else's change of the same things is under way now, and whoever comes later finds them gone: commands take the same locks
-- (hub/commands/asker.py).
create function alone_with(things uuid[]) returns void language plpgsql set search_path = hub, pg_temp as $$
begin
  perform refuse_old_snapshots();
  perform pg_advisory_xact_lock(hashtextextended(t::text, 3)) from (select distinct unnest(things) as t order by 1) ordered;
end $$;

-- Everything of one case, or of one referral that has none: data keys, documents, blind indexes, names in audit logs, what feeds said,
-- and what replays would answer. The caller has decided that it may be, and is alone with it.
create function destroy(wanted_case uuid, wanted_referral uuid, asked boolean) returns void language plpgsql set search_path = hub, pg_temp as $$
declare
  referrals uuid[] := array(select r.id from referral r where r.id = wanted_referral or r.case_id = wanted_case);
  records uuid[] := array(select l.record from feed_record_link l where l.case_id = wanted_case);
begin
  perform alone_with(referrals);
  delete from outcome o where o.subject = wanted_case or o.subject = any (referrals)
    or o.subject in (select c.id from consent c where c.case_id = wanted_case or c.referral_id = any (referrals)
      union all select r.id from residency r where r.case_id = wanted_case
      union all select p.id from presentation p where p.case_id = wanted_case);
  if cardinality(records) > 0 then
    -- No page of a feed is being written now, and the next one will know.
    perform pg_advisory_xact_lock(hashtextextended('hub.feed_erased', 0));
    insert into feed_erased (mark) select f.source_mark from feed_record f where f.id = any (records) on conflict do nothing;
    delete from feed_quarantine q using feed_record f where f.id = any (records) and q.feed = f.feed and q.source_id = f.source_id;
    delete from feed_record f where f.id = any (records);
  end if;
  delete from referral r where r.id = any (referrals);
  delete from case_file c where c.id = wanted_case;
  insert into erasure (at, asked) values (hub_now(), destroy.asked);
end $$;

-- Erase a case for its asker, or say (false) that a legal hold forbids it. What the audit record is to name is left for the
-- statement that writes it: afterwards there is nothing to read it from.
create function erase_case(wanted uuid) returns boolean language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:erase')) then
    raise exception 'only ICORN erases' using errcode = 'insufficient_privilege';
  end if;
  perform alone_with(array[wanted]);
  if exists (select from legal_hold h where h.case_id = wanted and h.held) then
    return false;
  end if;
  if exists (select from case_access a where a.organisation = viewer_org() and a.case_id = wanted and holds(a.overview, hub_now())) then
    perform set_config('hub.erased', audit_written(wanted)::text, true);
    perform destroy(wanted, null, true);
  end if;
  return true;
end $$;

-- Erase what is overdue, as many as `most`; how many that were.
create function erase_overdue(most int) returns int language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  due record;
  erased int := 0;
begin
  for due in select noun, id from overdue order by id limit most loop
    perform alone_with(array[due.id]);
    -- It may have been changed, held or erased until the lock was ours.
    if exists (select from overdue o where o.id = due.id) then
      perform destroy(case due.noun when 'CASE' then due.id end, case due.noun when 'REFERRAL' then due.id end, false);
      erased := erased + 1;
    end if;
  end loop;
  return erased;
end $$;
create function count_overdue() returns int language sql stable security definer set search_path = hub, pg_temp
  return (select count(*)::int from overdue);

-- A legal hold begins and ends by two people: one proposes, another one says the same. Who says what stands already takes a
-- proposal back. A person is one person under every client; a client without one counts as itself.
create function set_legal_hold(wanted uuid, wish boolean, why bytea) returns void language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  now_held legal_hold;
  who text := coalesce(viewer_user(), '');
begin
  if not (viewer_is_icorn() and viewer_has('cases:read', 'cases:erase')) then
    raise exception 'only ICORN holds' using errcode = 'insufficient_privilege';
  end if;
  perform alone_with(array[wanted]);
  select * into now_held from legal_hold h where h.case_id = wanted;
  if now_held.proposed = wish then
    if (case when who <> '' and now_held.usr <> '' then who <> now_held.usr else viewer_client() <> now_held.client end) then
      update legal_hold h set held = wish, since = hub_now(), proposed = null, proposed_reason = null, client = null, usr = null,
        reason = h.proposed_reason where h.case_id = wanted;
    end if;
  elsif wish = coalesce(now_held.held, false) then
    update legal_hold h set proposed = null, proposed_reason = null, client = null, usr = null where h.case_id = wanted and h.proposed is not null;
  else
    update legal_hold h set proposed = wish, proposed_reason = why, client = viewer_client(), usr = who where h.case_id = wanted;
    if not found then
      insert into legal_hold (case_id, since, proposed, proposed_reason, client, usr) values (wanted, hub_now(), wish, why, viewer_client(), who);
    end if;
  end if;
end $$;

grant execute on function erase_case, set_legal_hold to hub_app;
grant execute on function erase_overdue, count_overdue to hub_worker;

do $$
declare noun text;
declare routine text;
begin
  foreach noun in array array['key_epoch', 'erasure', 'legal_hold', 'retention', 'feed_erased'] loop
    execute format('alter table %I enable row level security', noun);
    execute format('alter table %I force row level security', noun);
  end loop;
  foreach noun in array array['case_key', 'referral_key', 'feed_record_key', 'retraction_key', 'audit_key'] loop
    execute format('create trigger refuse_destroyed_epoch after insert or update on %I for each row execute function refuse_destroyed_epoch(''kek'')', noun);
    -- The worker wraps keys anew. It reads no document that one of them opens. MAINTAIN is for the lock under which it sees that
    -- nothing is wrapped by a key any more.
    execute format('grant select (kek, wrapped), update (kek, wrapped), maintain on %I to hub_worker', noun);
  end loop;
  create trigger refuse_destroyed_epoch after insert or update on auth.signing_key for each row execute function refuse_destroyed_epoch('kek_id');
  grant maintain on auth.signing_key to hub_auth;
  foreach noun in array array['case_key', 'referral_key', 'retraction_key'] loop
    execute format('create policy rewrap_reads on %I for select to hub_worker using (true)', noun);
    execute format('create policy rewrap on %I for update to hub_worker using (true)', noun);
  end loop;
  grant select (case_id) on case_key to hub_worker;
  grant select (referral_id) on referral_key to hub_worker;
  grant select (retraction_id) on retraction_key to hub_worker;

  -- What is destroyed, the role that owns the function of it sees and deletes; nobody else does.
  foreach noun in array array['case_file', 'referral', 'outcome', 'feed_record', 'feed_quarantine'] loop
    execute format('grant select, delete on %I to hub_access', noun);
    execute format('create policy destroy on %I for delete to hub_access using (true)', noun);
  end loop;
  foreach noun in array array['outcome', 'feed_record', 'feed_quarantine', 'feed_record_link', 'retention', 'key_epoch'] loop
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy access on %I for select to hub_access using (true)', noun);
  end loop;
  foreach noun in array array['erasure', 'feed_erased'] loop
    execute format('grant select, insert on %I to hub_access', noun);
    execute format('create policy access on %I to hub_access using (true) with check (true)', noun);
    execute format('grant select on %I to hub_worker', noun);
    execute format('create policy worker on %I for select to hub_worker using (true)', noun);
  end loop;
  grant select, insert, update on legal_hold to hub_access;
  create policy access on legal_hold to hub_access using (true) with check (true);
  grant select on overdue to hub_access;
  grant execute on function viewer_is_icorn to hub_access;

  grant create on schema hub to hub_access;
  foreach routine in array array['refuse_destroyed_epoch', 'alone_with', 'destroy', 'erase_case', 'erase_overdue', 'count_overdue', 'set_legal_hold'] loop
    execute format('alter function %I owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;

grant select (case_id, held, proposed, since) on legal_hold to hub_app;
create policy desk on legal_hold for select to hub_app using ((select viewer_is_icorn() and viewer_has('cases:erase')) and sees_case(case_id));
create policy erases on event for insert to hub_app with check (organisation = (select viewer_org()) and retraction_id is null and audience is null
  and kind !~ '^(retraction|emergency)[.]' and (select viewer_is_icorn() and viewer_has('cases:erase')));

grant select, insert, update on key_epoch to hub_worker;
create policy keep on key_epoch to hub_worker using (true) with check (true);
