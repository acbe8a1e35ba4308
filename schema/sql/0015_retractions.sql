-- Withdrawal travels: whoever loses access to what it had received is told so in the same transaction, and owes a receipt.
--
-- Received is what the audit log says this organisation was answered with; lost is what was open to it and is not any more. Two are
-- left out: ICORN, which keeps the cases, and the sender of a referral, who is not told to delete what it wrote itself.
-- What is retracted and not acknowledged is not retracted again; more categories get a retraction of their own, so that a receipt
-- never covers what came after it was written. What was received before a receipt is covered by it; what is read after that and
-- lost again is retracted again.

-- It outlives the case: it names whom it concerns by the pairwise ids of its organisation and of ICORN, and points at nothing.
create table retraction (
  id uuid primary key,
  organisation int not null references organisation on delete cascade,
  kind text not null check (kind in ('case', 'referral')),
  subject uuid not null,
  icorn_subject uuid,
  categories category[] not null,
  at timestamptz not null,
  acknowledged_at timestamptz,
  note bytea
);
create index on retraction (organisation, subject);
create index on retraction (organisation, at, id);
create index on retraction (at, id) where acknowledged_at is null;

-- A note is sealed under a key of its retraction: the case's may be gone.
create table retraction_key (
  retraction_id uuid primary key references retraction on delete cascade,
  kek text not null,
  wrapped bytea not null
);

-- Whom an event is for, where not everyone who takes part is told; and the retraction that it tells of.
alter table event add column audience int references organisation, add column retraction_id uuid references retraction on delete cascade;

-- When the next of a row's periods ends by itself: from then on there may be something to retract that nobody decided.
alter table case_access add column lapses timestamptz;
alter table referral_access add column lapses timestamptz;
create index on case_access (lapses);
create index on referral_access (lapses);

create function next_end(variadic periods tstzmultirange[]) returns timestamptz language sql stable parallel safe
  return (select min(upper(r)) from unnest(periods) p(period), unnest(p.period) r where upper(r) > hub_now());
create function note_case_lapse() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  new.lapses := next_end(new.overview, new.profile, new.identity, new.contact, new.whereabouts, new.threat, new.health, new.family, new.assessment);
  return new;
end $$;
create function note_referral_lapse() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  new.lapses := next_end(new.visible, new.profile, new.identity, new.contact, new.whereabouts, new.threat, new.health, new.family);
  return new;
end $$;

-- From here on there may be records that have no entry yet; from the beginning, where the mark came with a restored backup.
create function audit_reached() returns xid8 language sql stable set search_path = hub, pg_temp
  return coalesce((select h.xid from audit_horizon h where h.xid < pg_snapshot_xmax(pg_current_snapshot())), '0');

-- Was this organisation answered with a category of a case or referral after a time? Asked of the log's entries, and of the records
-- that the worker has not made entries of yet.
create function received(org int, about uuid, wanted category, since timestamptz) returns boolean language sql stable set search_path = hub, pg_temp
  return exists (
    select from audit_pseudonym n join audit_event e on e.reader = org and e.subject = n.pseudonym
    where n.organisation = org and (n.case_id = about or n.referral_id = about) and e.organisation = org
      and e.basis & 127 * basis_bit(wanted, 'ICORN') <> 0
      and (since is null or exists (select from audit_leaf l join audit a on a.id = l.audit_id
        where l.organisation = org and l.leaf_index = e.leaf_index and a.at > since)))
  or exists (
    select from audit a, unnest(a.subjects) s
    where a.xid >= audit_reached() and a.organisation = org and s.basis & 127 * basis_bit(wanted, 'ICORN') <> 0 and (since is null or a.at > since)
      and s.subject in (select n.pseudonym from audit_pseudonym n where n.organisation = org and (n.case_id = about or n.referral_id = about)));

-- Which of these categories does an organisation hold of a case or referral and owe a receipt for, that nothing asks of it yet?
create function owed(org int, named uuid, about uuid, lost category[]) returns category[] language sql stable set search_path = hub, pg_temp
  return (select array_agg(k order by k) from unnest(lost) k
    cross join lateral (
      select coalesce(bool_or(r.acknowledged_at is null), false) as open, max(greatest(r.at, r.acknowledged_at)) as since
      from retraction r where r.organisation = org and r.subject = named and k = any (r.categories)) before
    where not before.open and received(org, about, k, before.since));

-- The one place where retractions are made.
create function retract(org int, kind text, about uuid, lost category[]) returns void language plpgsql set search_path = hub, pg_temp as $$
declare
  icorn int := (select o.id from organisation o where o.kind = 'ICORN');
  named uuid := pairwise(org, kind, about);
  wanted category[];
  made uuid;
begin
  if cardinality(lost) = 0 or org = icorn or kind = 'referral' and exists (select from referral r where r.id = about and r.sender = org)
      or owed(org, named, about, lost) is null then
    return;
  end if;
  -- Somebody else may be retracting the same: who comes second sees what the first has made.
  perform pg_advisory_xact_lock(hashtextextended(named::text, 4));
  wanted := owed(org, named, about, lost);
  if wanted is null then return; end if;
  made := pairwise(org, 'retraction ' || (select count(*) from retraction r where r.organisation = org and r.subject = named), named);
  insert into retraction (id, organisation, kind, subject, icorn_subject, categories, at)
    values (made, org, kind, named, pairwise(icorn, kind, about), wanted, hub_now());
  insert into event (kind, organisation, audience, retraction_id, at) values ('retraction.made', org, org, made, hub_now());
end $$;

-- Which categories were open until this change, or until they lapsed, and are open no longer? Periods in the order of the enum type.
create function lost(was tstzmultirange[], still tstzmultirange[], lapses timestamptz) returns category[] language sql stable parallel safe
  return (select coalesce(array_agg(u.k), '{}') from unnest(was, still, enum_range(null::category)) u(was, still, k)
    where (holds(u.was, hub_now()) or lapses <= hub_now() and coalesce(lower(u.was), '-infinity') <= hub_now() and not isempty(u.was))
      and not holds(u.still, hub_now()));

-- Of what many rows lost at once (the end of an agreement), only those of whom anything was read are looked at one by one.
create type losing as (organisation int, about uuid, lost category[]);
create function retract_all(what text, losses losing[]) returns void language plpgsql set search_path = hub, pg_temp as $$
declare
  one record;
begin
  if losses is null then return; end if;
  for one in
    with gone as materialized (select l.* from unnest(losses) l where cardinality(l.lost) > 0), recent as materialized (
      select distinct s.subject from audit a, unnest(a.subjects) s where a.xid >= audit_reached() and a.organisation in (select g.organisation from gone g))
    select g.* from gone g join audit_pseudonym n on n.organisation = g.organisation and (n.case_id = g.about or n.referral_id = g.about)
    where n.pseudonym in (select r.subject from recent r) or exists (select from audit_event e where e.reader = g.organisation and e.subject = n.pseudonym)
    order by g.about, g.organisation
  loop
    perform retract(one.organisation, what, one.about, one.lost);
  end loop;
end $$;

-- Whatever changes access changes these tables: a decision through their refresh, the end of time through the worker.
create function case_retraction_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  losses losing[];
begin
  if tg_op = 'DELETE' then
    select array_agg(row(o.organisation, o.case_id, lost(
        array[o.overview, o.profile, o.identity, o.contact, o.whereabouts, o.threat, o.health, o.family, o.assessment], '{}', o.lapses))::losing)
      into losses from old_rows o;
  else
    select array_agg(row(o.organisation, o.case_id, lost(
        array[o.overview, o.profile, o.identity, o.contact, o.whereabouts, o.threat, o.health, o.family, o.assessment],
        array[n.overview, n.profile, n.identity, n.contact, n.whereabouts, n.threat, n.health, n.family, n.assessment], o.lapses))::losing)
      into losses from old_rows o join new_rows n on n.organisation = o.organisation and n.case_id = o.case_id;
  end if;
  perform retract_all('case', losses);
  return null;
end $$;
create function referral_retraction_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  losses losing[];
begin
  if tg_op = 'DELETE' then
    select array_agg(row(o.organisation, o.referral_id, lost(
        array[o.visible, o.profile, o.identity, o.contact, o.whereabouts, o.threat, o.health, o.family], '{}', o.lapses))::losing)
      into losses from old_rows o;
  else
    select array_agg(row(o.organisation, o.referral_id, lost(
        array[o.visible, o.profile, o.identity, o.contact, o.whereabouts, o.threat, o.health, o.family],
        array[n.visible, n.profile, n.identity, n.contact, n.whereabouts, n.threat, n.health, n.family], o.lapses))::losing)
      into losses from old_rows o join new_rows n on n.organisation = o.organisation and n.referral_id = o.referral_id;
  end if;
  perform retract_all('referral', losses);
  return null;
end $$;

-- A read that was under way when its access ended is not in the log yet when the retractions are made: its entry, once there, is
-- held against what is open then.
create function late_retraction_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  about record;
  still category[];
begin
  select n.case_id, n.referral_id into about from audit_pseudonym n where n.pseudonym = new.subject;
  if not found then return null; end if;
  if about.case_id is not null then
    select array_agg(k) into still from case_access a, unnest(enum_range(null::category)) k
      where a.organisation = new.organisation and a.case_id = about.case_id and case k when 'OVERVIEW' then a.overview when 'PROFILE' then a.profile
        when 'IDENTITY' then a.identity when 'CONTACT' then a.contact when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat
        when 'HEALTH' then a.health when 'FAMILY' then a.family else a.assessment end @> hub_now();
  else
    select array_agg(k) into still from referral_access a, unnest(enum_range(null::category)) k
      where a.organisation = new.organisation and a.referral_id = about.referral_id and case k when 'OVERVIEW' then a.visible when 'PROFILE' then a.profile
        when 'IDENTITY' then a.identity when 'CONTACT' then a.contact when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat
        when 'HEALTH' then a.health when 'FAMILY' then a.family end @> hub_now();
  end if;
  perform retract(new.organisation, case when about.case_id is null then 'referral' else 'case' end, coalesce(about.case_id, about.referral_id),
    array(select k from unnest(basis_categories(new.basis)) k where k <> all (coalesce(still, '{}'))));
  return null;
end $$;

-- What ended by time alone: touching a row whose time has come notes its next one, and what it lost is retracted. Rows that
-- somebody else is changing are left for the next time.
create function retract_lapsed() returns int language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  cases int;
  referrals int;
begin
  update case_access a set lapses = null from (
    select w.organisation, w.case_id from case_access w where w.lapses <= hub_now() order by w.case_id, w.organisation limit 500 for update skip locked) w
    where a.organisation = w.organisation and a.case_id = w.case_id;
  get diagnostics cases = row_count;
  update referral_access a set lapses = null from (
    select w.organisation, w.referral_id from referral_access w where w.lapses <= hub_now() order by w.referral_id, w.organisation limit 500 for update skip locked) w
    where a.organisation = w.organisation and a.referral_id = w.referral_id;
  get diagnostics referrals = row_count;
  return cases + referrals;
end $$;

-- For what is about to vanish: everyone who had received anything of it is told, and what was noted about earlier retractions of it
-- goes with it.
create function retract_before_deletion() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  noun text := case tg_table_name when 'case_file' then 'case' else 'referral' end;
  org int;
begin
  for org in select distinct n.organisation from audit_pseudonym n where n.case_id = old.id or n.referral_id = old.id order by 1 loop
    perform retract(org, noun, old.id, enum_range(null::category));
    with silenced as (
      update retraction r set note = null where r.organisation = org and r.subject = pairwise(org, noun, old.id) and r.note is not null returning r.id)
    delete from retraction_key k using silenced s where k.retraction_id = s.id;
  end loop;
  return old;
end $$;

create trigger note_lapse before insert or update on case_access for each row execute function note_case_lapse();
create trigger note_lapse before insert or update on referral_access for each row execute function note_referral_lapse();
do $$
declare noun text;
begin
  foreach noun in array array['case', 'referral'] loop
    execute format('create trigger retraction_follows_update after update on %1$s_access referencing old table as old_rows new table as new_rows for each statement execute function %1$s_retraction_follows()', noun);
    execute format('create trigger retraction_follows_delete after delete on %1$s_access referencing old table as old_rows for each statement execute function %1$s_retraction_follows()', noun);
  end loop;
end $$;
create trigger retract_first before delete on case_file for each row execute function retract_before_deletion();
create trigger retract_first before delete on referral for each row execute function retract_before_deletion();
create trigger retraction_follows after insert on audit_event for each row
  when (new.reader = new.organisation and new.subject is not null and new.basis <> 0) execute function late_retraction_follows();

alter table retraction enable row level security, force row level security;
alter table retraction_key enable row level security, force row level security;
do $$
declare noun text;
begin
  foreach noun in array array['retraction', 'retraction_key'] loop
    execute format('grant select, insert, update, delete on %I to hub_access', noun);
    execute format('create policy access on %I to hub_access using (true) with check (true)', noun);
  end loop;
  foreach noun in array array['audit', 'audit_leaf', 'audit_event', 'audit_horizon'] loop
    execute format('grant select on %I to hub_access', noun);
    execute format('create policy received on %I for select to hub_access using (true)', noun);
  end loop;
end $$;
grant insert on event to hub_access;
create policy retracted on event for insert to hub_access with check (true);

-- An organisation reads what it must delete, ICORN what everyone must; a receipt is one's own to give, once, and now.
grant select on retraction, retraction_key to hub_app;
create policy owing on retraction for select to hub_app using ((select viewer_has('cases:read') or viewer_has('referrals:read'))
  and (organisation = (select viewer_org()) or (select viewer_is_icorn())));
create policy noted on retraction_key for select to hub_app using (exists (select from retraction r where r.id = retraction_id));
grant update (acknowledged_at, note) on retraction to hub_app;
create policy receipt on retraction for update to hub_app
  using ((select viewer_has('cases:read') or viewer_has('referrals:read')) and organisation = (select viewer_org()) and acknowledged_at is null)
  with check (organisation = (select viewer_org()) and (acknowledged_at is null or acknowledged_at = (select hub_now())));
grant insert on retraction_key to hub_app;
create policy noting on retraction_key for insert to hub_app
  with check (exists (select from retraction r where r.id = retraction_id and r.organisation = (select viewer_org()) and r.acknowledged_at is null));
create policy receipt on event for insert to hub_app with check (organisation = (select viewer_org()) and case_id is null and referral_id is null
  and audience is null and kind in ('retraction.acknowledged', 'retraction.kept')
  and exists (select from retraction r where r.id = retraction_id and r.organisation = (select viewer_org())));
-- Only the database says whom else an event is for, or that something was retracted or opened in an emergency.
drop policy own on event;
create policy own on event for insert to hub_app with check (organisation = (select viewer_org()) and retraction_id is null and audience is null
  and kind !~ '^(retraction|emergency)[.]'
  and (select viewer_has('cases:write') or viewer_has('referrals:submit') or viewer_has('consents:write')));

-- Who owes what is for the operator to see (hub doctor), without what was noted.
grant select (organisation, at, acknowledged_at) on retraction to hub_worker;
create policy counted on retraction for select to hub_worker using (true);

grant execute on function retract_lapsed to hub_worker;

do $$
declare routine regprocedure;
begin
  grant create on schema hub to hub_access;
  for routine in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'hub'::regnamespace and p.proname in
      ('next_end', 'note_case_lapse', 'note_referral_lapse', 'audit_reached', 'received', 'owed', 'retract', 'retract_all', 'lost', 'case_retraction_follows', 'referral_retraction_follows',
       'late_retraction_follows', 'retract_lapsed', 'retract_before_deletion') loop
    execute format('alter function %s owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;
-- What is there already has its next end noted.
set local role hub_access;
update case_access set pairwise = pairwise;
update referral_access set pairwise = pairwise;
set local role hub_owner;
