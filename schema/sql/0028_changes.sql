-- What changed for each organisation, so that a copy can be kept true: of each case and referral, and of each part of it that is seen or
-- not seen by itself, the latest change, in an order in which nothing appears later that was to be read before.
--
-- A change is there only if it could be seen: coming to see something, or to see it otherwise, and seeing it no more. What an organisation
-- sees now is noted (`state`, null for nothing), and it is a change when that is not what was noted before, whatever else was decided.

create table change (
  organisation int not null references organisation on delete cascade,
  about uuid not null,
  aspect text not null,
  name text not null,
  -- Null until there has been anything to see.
  xid xid8,
  at timestamptz not null,
  state bigint[],
  -- When time alone makes a difference next.
  due timestamptz,
  primary key (organisation, about, aspect)
);
create index on change (organisation, aspect, xid, name);
create index on change (due);
create index on change (about);
alter table change enable row level security, force row level security;

create function next_turn(variadic periods tstzmultirange[]) returns timestamptz language sql stable parallel safe
  return (select min(t) from unnest(periods) p(period), unnest(p.period) r, unnest(array[lower(r), upper(r)]) t where t > hub_now());
create function opened(variadic periods tstzmultirange[]) returns bigint language sql stable parallel safe
  return (select coalesce(sum(1::bigint << n::int), 0) from unnest(periods) with ordinality p(period, n) where period @> hub_now());

-- Where a change stands: in its transaction.
create function change_place() returns xid8 language sql stable return pg_current_xact_id();

-- Note anew what organisations see of cases or referrals.
create function note_changes(kind text, orgs int[], abouts uuid[]) returns void language plpgsql set search_path = hub, pg_temp as $$
begin
  with named as materialized (select distinct n.organisation, n.about from unnest(orgs, abouts) n(organisation, about)
  ), seen as (
    select a.organisation, a.case_id as about, 'case_' || a.pairwise as name,
      case when holds(a.overview, hub_now()) then array[opened(a.overview, a.profile, a.identity, a.contact, a.whereabouts, a.threat, a.health, a.family, a.assessment),
        coalesce(a.basis[width_bucket(hub_now(), a.basis_from)], 0)] end as state,
      least(next_turn(a.overview, a.profile, a.identity, a.contact, a.whereabouts, a.threat, a.health, a.family, a.assessment),
        (select min(t) from unnest(a.basis_from) t where t > hub_now())) as due
    from named n join case_access a on a.organisation = n.organisation and a.case_id = n.about where kind = 'case'
    union all
    select a.organisation, a.referral_id, 'referral_' || a.pairwise,
      case when holds(a.visible, hub_now()) then array[opened(a.visible, a.profile, a.identity, a.contact, a.whereabouts, a.threat, a.health, a.family), a.basis] end,
      next_turn(a.visible, a.profile, a.identity, a.contact, a.whereabouts, a.threat, a.health, a.family)
    from named n join referral_access a on a.organisation = n.organisation and a.referral_id = n.about where kind = 'referral'
  ), gone as (
    update change c set state = null, due = null,
        xid = case when c.state is null then c.xid else change_place() end, at = case when c.state is null then c.at else hub_now() end
      from named n where c.organisation = n.organisation and c.about = n.about and c.aspect = kind
        and not exists (select from seen s where s.organisation = n.organisation and s.about = n.about)
  )
  insert into change as c (organisation, about, aspect, name, xid, at, state, due)
    select s.organisation, s.about, kind, s.name, case when s.state is not null then change_place() end, hub_now(), s.state, s.due from seen s
    on conflict (organisation, about, aspect) do update set state = excluded.state, due = excluded.due,
      xid = case when c.state is distinct from excluded.state then change_place() else c.xid end,
      at = case when c.state is distinct from excluded.state then excluded.at else c.at end
    where (c.state, c.due) is distinct from (excluded.state, excluded.due);
end $$;

create function access_changed() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  what text := split_part(tg_table_name, '_', 1);
  orgs int[];
  abouts uuid[];
begin
  if tg_op = 'DELETE' then
    select array_agg(r.organisation), array_agg(coalesce(r.j ->> 'case_id', r.j ->> 'referral_id')::uuid) into orgs, abouts
      from (select o.organisation, to_jsonb(o) as j from old_rows o) r;
  elsif what = 'case' then
    execute 'select array_agg(n.organisation), array_agg(n.case_id) from new_rows n' into orgs, abouts;
  else
    execute 'select array_agg(n.organisation), array_agg(n.referral_id) from new_rows n' into orgs, abouts;
  end if;
  if orgs is not null then perform note_changes(what, orgs, abouts); end if;
  return null;
end $$;

-- What was edited in place is a change for whoever sees it now. Whoever edits waits first for what changes access of many, as everybody does.
create function edited() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  changed jsonb := to_jsonb(coalesce(new, old));
  what text := case when tg_table_name like 'case\_%' then 'case' else 'referral' end;
  noun text := case when tg_table_name in ('case_file', 'referral', 'referral_event', 'message') then ''
    else lower(coalesce(changed ->> 'category', split_part(tg_table_name, '_', 2))) end;
  subject uuid := coalesce(changed ->> 'case_id', changed ->> 'referral_id', changed ->> 'id')::uuid;
begin
  if tg_table_name = 'referral' then subject := (changed ->> 'id')::uuid; end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('hub.' || what || '_access', 0));
  execute format('insert into change as c (organisation, about, aspect, name, xid, at)
    select a.organisation, $1, $2, $3 || ''_'' || a.pairwise, change_place(), hub_now() from %I a where a.%I = $1 and holds(a.%I, hub_now())
    on conflict (organisation, about, aspect) do update set xid = excluded.xid, at = excluded.at where c.xid is distinct from excluded.xid',
    what || '_access', what || '_id', case when noun <> '' then noun when what = 'case' then 'overview' else 'visible' end)
    using subject, concat_ws('.', what, nullif(noun, '')), what;
  return null;
end $$;

-- What time alone has changed: told within a minute, by the worker.
create function note_turns() returns int language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  turned int := 0;
  one record;
begin
  for one in
    select d.aspect, array_agg(d.organisation) as orgs, array_agg(d.about) as abouts from (
      select c.aspect, c.organisation, c.about from change c where c.due <= hub_now() order by c.due limit 500 for update skip locked) d group by d.aspect
  loop
    perform note_changes(one.aspect, one.orgs, one.abouts);
    turned := turned + cardinality(one.orgs);
  end loop;
  return turned;
end $$;

-- Of what is erased there remains, for whoever saw it, that it is gone, by the name that it had there; nothing that leads from one to the other.
create function forget_changes() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  delete from change c where c.about = old.id and (c.xid is null or c.aspect not in ('case', 'referral'));
  update change c set about = gen_random_uuid() where c.about = old.id;
  return null;
end $$;
-- By their names these come after those of the foreign keys, by which all that was about it goes first.
create trigger zz_forget_changes after delete on case_file for each row execute function forget_changes();
create trigger zz_forget_changes after delete on referral for each row execute function forget_changes();

grant execute on function note_turns to hub_worker;
do $$
declare
  noun text;
  routine regprocedure;
begin
  foreach noun in array array['case_access', 'referral_access'] loop
    execute format('create trigger changes_follow_insert after insert on %I referencing new table as new_rows for each statement execute function access_changed()', noun);
    execute format('create trigger changes_follow_update after update on %I referencing new table as new_rows for each statement execute function access_changed()', noun);
    execute format('create trigger changes_follow_delete after delete on %I referencing old table as old_rows for each statement execute function access_changed()', noun);
  end loop;
  foreach noun in array array['case_profile', 'case_identity', 'case_contact', 'case_whereabouts', 'case_threat', 'case_health', 'case_family', 'case_assessment',
      'referral_person', 'referral_event', 'message'] loop
    execute format('create trigger changes_follow after insert or update on %I for each row execute function edited()', noun);
  end loop;
  create trigger changes_follow after update on case_file for each row when (old is distinct from new) execute function edited();
  create trigger changes_follow after update on referral for each row when (old is distinct from new) execute function edited();
  grant select, insert, update, delete on change to hub_access;
  create policy access on change to hub_access using (true) with check (true);
  grant create on schema hub to hub_access;
  for routine in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'hub'::regnamespace and p.proname in
      ('change_place', 'next_turn', 'opened', 'note_changes', 'access_changed', 'edited', 'note_turns', 'forget_changes') loop
    execute format('alter function %s owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;

-- Below the oldest transaction still under way nothing can appear any more: whoever reads up to there misses nothing.
create function aspects() returns text[] language sql stable parallel safe return array(
  select k || case c when 'OVERVIEW' then '' else '.' || lower(c::text) end from (values ('case', 'cases:read'), ('referral', 'referrals:read')) w(k, scope), unnest(enum_range(null::category)) c
  where viewer_has('changes:read', w.scope) and (c = 'OVERVIEW' or viewer_has('cases:' || lower(c::text))));
create function seen_now(state bigint[], category text) returns boolean language sql stable parallel safe
  return coalesce(state[1] >> (array_position(enum_range(null::category), upper(category)::category)) & 1 = 1, false);
grant execute on function aspects, seen_now to hub_app;
grant select (organisation, about, aspect, name, xid, at, state) on change to hub_app;
create policy own on change for select to hub_app using (organisation = (select viewer_org()) and xid < (select pg_snapshot_xmin(pg_current_snapshot()))
  and aspect = any ((select aspects())::text[]) and (aspect in ('case', 'referral')
    or exists (select from case_access a where a.organisation = change.organisation and a.case_id = about and case split_part(aspect, '.', 2)
      when 'profile' then a.profile when 'identity' then a.identity when 'contact' then a.contact when 'whereabouts' then a.whereabouts when 'threat' then a.threat
      when 'health' then a.health when 'family' then a.family else a.assessment end @> (select hub_now()))
    or exists (select from referral_access a where a.organisation = change.organisation and a.referral_id = about and case split_part(aspect, '.', 2)
      when 'profile' then a.profile when 'identity' then a.identity when 'contact' then a.contact when 'whereabouts' then a.whereabouts when 'threat' then a.threat
      when 'health' then a.health when 'family' then a.family end @> (select hub_now()))));

-- What is there already is as if it had come just now.
set local role hub_access;
select note_changes('case', array_agg(organisation), array_agg(case_id)) from case_access having count(*) > 0;
select note_changes('referral', array_agg(organisation), array_agg(referral_id)) from referral_access having count(*) > 0;
set local role hub_owner;
