-- Agreements by both sides' own hands: proposed, signed by each, replaced as a whole, ended by either, and warned of before they run out.

-- A changed agreement is a new one beside the one it replaces, of the same organisation. `warned_days` is the last warning given of its end.
alter table agreement
  add column version int not null default 1,
  add column replaces uuid,
  add column warned_days int,
  add unique (id, organisation),
  add foreign key (replaces, organisation) references agreement (id, organisation) on delete set null (replaces);
create index on agreement (replaces);
alter table agreement_approval add column client text, add column usr text;

-- Which side ended it, and why: sealed under a key of its own.
create table agreement_end (
  agreement uuid primary key references agreement on delete cascade,
  organisation int not null references organisation,
  reason bytea not null,
  kek text not null,
  wrapped bytea not null
);
create index on agreement_end (kek);
create trigger refuse_destroyed_epoch after insert or update on agreement_end for each row execute function refuse_destroyed_epoch('kek');
alter table agreement_end enable row level security, force row level security;

alter table event add column agreement_id uuid references agreement on delete cascade;

-- Either side proposes, signs for itself alone, and ends. That it counts is said by no side, but below.
grant select, insert on agreement_end to hub_app;
grant insert (id, organisation, purpose, categories, origins, disciplines, valid_from, valid_until, version, replaces), update (ended_at) on agreement to hub_app;
grant insert (agreement, organisation, approver, client, usr, at) on agreement_approval to hub_app;
grant insert (agreement_id) on event to hub_app;
create policy propose on agreement for insert to hub_app with check ((select viewer_has('access:manage'))
  and (organisation = (select viewer_org()) or (select viewer_is_icorn())) and id <> '00000000-0000-0000-0000-000000000000'
  and exists (select from organisation o where o.id = agreement.organisation and o.kind <> 'ICORN'));
create policy over on agreement for update to hub_app
  using ((select viewer_has('access:manage')) and (organisation = (select viewer_org()) or (select viewer_is_icorn())) and (ended_at is null or ended_at > (select hub_now())))
  with check (ended_at = (select hub_now()));
create policy sign on agreement_approval for insert to hub_app with check ((select viewer_has('access:manage')) and organisation = (select viewer_org())
  and client = (select viewer_client()) and usr = coalesce((select viewer_user()), '') and at = (select hub_now())
  and exists (select from agreement a where a.id = agreement and agreement_state(a, (select hub_now())) = 'PROPOSED'));
create policy parties on agreement_end for select to hub_app using (exists (select from agreement a where a.id = agreement));
create policy over on agreement_end for insert to hub_app with check ((select viewer_has('access:manage')) and organisation = (select viewer_org())
  and exists (select from agreement a where a.id = agreement and agreement_state(a, (select hub_now())) in ('PROPOSED', 'ACTIVE')));
create policy agreed on event for insert to hub_app with check (organisation = (select viewer_org()) and agreement_id is not null);
create policy of_agreements on event as restrictive for insert to hub_app with check (case when kind ~ '^agreement[.]' or agreement_id is not null then
    (select viewer_has('access:manage')) and kind in ('agreement.proposed', 'agreement.approved', 'agreement.ended')
    and num_nonnulls(case_id, referral_id, retraction_id, audience) = 0 and exists (select from agreement a where a.id = agreement_id)
  else true end);

grant insert, update on agreement to hub_access;
create policy access_sets on agreement to hub_access using (true) with check (true);

-- The second signature opens it, and closes what it replaces, in one statement and one refresh: no moment lies between them in which
-- a case is lost to be retracted. Where it begins later, the earlier one lasts until then.
create function agreement_signed() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  signed agreement;
begin
  select * into signed from agreement a where a.id = new.agreement for update;
  if signed.approved_at is null and 2 = (
      select count(*) from agreement_approval s join organisation o on o.id = s.organisation
      where s.agreement = signed.id and (o.id = signed.organisation or o.kind = 'ICORN')) then
    update agreement a set approved_at = case when a.id = signed.id then hub_now() else a.approved_at end,
        ended_at = case when a.id = signed.id then a.ended_at else least(a.ended_at, greatest(signed.valid_from, hub_now())) end
      where a.id = signed.id or a.id = signed.replaces and agreement_state(a, hub_now()) = 'ACTIVE';
  end if;
  return null;
end $$;
create trigger signed after insert on agreement_approval for each row execute function agreement_signed();

-- What ends takes along whatever was to replace it and has not begun: nobody who closes a door leaves another that somebody may open.
create function agreement_over() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  update agreement a set ended_at = hub_now()
    where a.replaces = new.id and (a.ended_at is null or a.ended_at > hub_now())
      and (a.approved_at is null or greatest(a.valid_from, a.approved_at) > new.ended_at);
  return null;
end $$;
create trigger over after update of ended_at on agreement for each row
  when (new.ended_at is not null and new.ended_at is distinct from old.ended_at) execute function agreement_over();

-- Access follows what an agreement opens: a proposal opens nothing, and so nothing is worked out for it, nor while one is tried out.
create function agreement_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  org int;
  orgs int[];
begin
  if exists (select from agreement a where a.id = '00000000-0000-0000-0000-000000000000') then return null; end if;
  if tg_op = 'INSERT' then
    orgs := array(select n.organisation from new_rows n where n.approved_at is not null);
  elsif tg_op = 'DELETE' then
    orgs := array(select o.organisation from old_rows o where o.approved_at is not null);
  else
    orgs := array(
      select unnest(array[o.organisation, n.organisation]) from old_rows o join new_rows n on n.id = o.id
      where num_nonnulls(o.approved_at, n.approved_at) > 0
        and (o.organisation, o.categories, o.origins, o.disciplines, o.valid_from, o.valid_until, o.approved_at, o.ended_at)
          is distinct from (n.organisation, n.categories, n.origins, n.disciplines, n.valid_from, n.valid_until, n.approved_at, n.ended_at));
  end if;
  for org in select distinct unnest(orgs) order by 1 loop
    perform refresh_case_access(null, org);
  end loop;
  return null;
end $$;
drop trigger access_follows_insert on agreement;
drop trigger access_follows_update on agreement;
drop trigger access_follows_delete on agreement;
create trigger access_follows_insert after insert on agreement referencing new table as new_rows for each statement execute function agreement_follows();
create trigger access_follows_update after update on agreement referencing old table as old_rows new table as new_rows for each statement execute function agreement_follows();
create trigger access_follows_delete after delete on agreement referencing old table as old_rows for each statement execute function agreement_follows();

-- Thirty days before an agreement runs out, and seven, both sides are told, once each.
create function warn_of_expiry() returns int language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  warned int;
begin
  with due as (
    update agreement a set warned_days = w.days from agreement b
      cross join lateral (select case when b.valid_until <= hub_now() + interval '7 days' then 7 else 30 end as days) w
      where a.id = b.id and agreement_state(b, hub_now()) = 'ACTIVE' and b.valid_until <= hub_now() + interval '30 days'
        and (b.ended_at is null or b.ended_at > b.valid_until) and (b.warned_days is null or b.warned_days > w.days)
      returning a.id, a.organisation)
  insert into event (kind, organisation, agreement_id, at) select 'agreement.expiring', d.organisation, d.id, hub_now() from due d;
  get diagnostics warned = row_count;
  return warned;
end $$;

-- What an agreement would open and close, by the very rule: it is put there, looked at, and taken back before anybody can see it. For
-- ICORN alone, and of the cases that it sees: to a partner the counts would tell of cases that are not there for it.
create function simulate_agreement(org int, kinds text[], places text[], arts text[], starts timestamptz, ends timestamptz, earlier uuid)
  returns table (category category, opens int, closes int) language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  moment timestamptz := greatest(starts, hub_now());
begin
  if not (viewer_is_icorn() and viewer_has('access:manage', 'cases:read')) then return; end if;
  begin
    insert into agreement (id, organisation, purpose, categories, origins, disciplines, valid_from, valid_until, approved_at)
      values ('00000000-0000-0000-0000-000000000000', org, 'ADMINISTRATION', array_remove(kinds, 'ASSESSMENT')::category[], places, arts::discipline[], moment, ends, hub_now());
    update agreement a set ended_at = moment where a.id = earlier and a.organisation = org and agreement_state(a, hub_now()) = 'ACTIVE';
    return query
      select t.k, count(*) filter (where t.would and not t."is")::int, count(*) filter (where t."is" and not t.would)::int
      from (
        select u.k, holds(u."is", moment) as "is", holds(u.would, moment) as would
        from (select * from case_access c where c.organisation = org) n
        full join (select * from case_access_rule r where r.organisation = org) r on r.case_id = n.case_id
        join case_access v on v.organisation = viewer_org() and v.case_id = coalesce(n.case_id, r.case_id) and holds(v.overview, hub_now())
        cross join lateral unnest(enum_range(null::category),
          array[n.overview, n.profile, n.identity, n.contact, n.whereabouts, n.threat, n.health, n.family, n.assessment],
          array[r.overview, r.profile, r.identity, r.contact, r.whereabouts, r.threat, r.health, r.family, r.assessment]) u(k, "is", would)) t
      group by t.k;
    raise exception using errcode = 'HUB01';
  exception when sqlstate 'HUB01' then
    return;
  end;
end $$;

-- The rule of one case for one organisation: what is open, and on what bases.
create function disclosure(org int, wanted uuid) returns table (category category, open boolean, basis disclosure_basis[])
  language sql stable as $$
  select k, coalesce(case k when 'OVERVIEW' then a.overview when 'PROFILE' then a.profile when 'IDENTITY' then a.identity
      when 'CONTACT' then a.contact when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat when 'HEALTH' then a.health
      when 'FAMILY' then a.family else a.assessment end @> hub_now(), false), b.basis
  from unnest(enum_range(null::category)) k
  left join case_access a on a.organisation = org and a.case_id = wanted
  cross join lateral (select array_agg(distinct c.basis) as basis from case_basis c
    where c.organisation = org and c.case_id = wanted and c.category = k and c.period @> hub_now()) b $$;

-- Why an organisation sees, or does not see, each category of a case: for ICORN, which is told a hold, a freeze and a seal from a
-- missing basis. What stops everything is told first; whether the person has agreed is then not said.
create function explain_access(org int, wanted uuid) returns table (category category, visible boolean, bases disclosure_basis[], missing text[])
  language sql stable security definer set search_path = hub, pg_temp as $$
  select d.category, d.open, coalesce(d.basis, '{}'), case when d.open then '{}' else array_remove(array[
      case when d.basis is null then 'BASIS' end,
      case when d.basis is null and f.sealed then 'SEAL' end,
      case when s.held then 'HOLD' end,
      case when s.frozen then 'FREEZE' end,
      case when d.basis is not null and not s.held and not s.frozen then case when d.category = 'OVERVIEW' or o.open then 'CONSENT' else 'OVERVIEW' end end], null) end
  from case_file f
  cross join lateral (select
    exists (select from hold h where h.case_id = f.id and h.organisation = org and period(h.starts, h.ended_at) @> hub_now()) as held,
    exists (select from frozen z where (z.case_id = f.id or z.country = f.origin) and period(z.starts, z.ended_at) @> hub_now()) as frozen) s
  cross join lateral disclosure(org, f.id) d
  cross join lateral (select n.overview @> hub_now() as open from (values (1)) one
    left join case_access n on n.organisation = org and n.case_id = f.id) o
  where f.id = wanted and viewer_is_icorn() and viewer_has('access:explain', 'cases:read')
    and exists (select from case_access v where v.organisation = viewer_org() and v.case_id = f.id and v.overview @> hub_now()) $$;

grant select on agreement to hub_worker;
create policy told on agreement for select to hub_worker using (true);
grant execute on function agreement_state, warn_of_expiry to hub_worker;
grant execute on function simulate_agreement, explain_access to hub_app;
grant select (agreement, kek, wrapped), update (kek, wrapped), maintain on agreement_end to hub_worker;
create policy rewrap_reads on agreement_end for select to hub_worker using (true);
create policy rewrap on agreement_end for update to hub_worker using (true);

do $$
declare routine regprocedure;
begin
  grant create on schema hub to hub_access;
  for routine in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'hub'::regnamespace and p.proname in
      ('agreement_signed', 'agreement_over', 'agreement_follows', 'warn_of_expiry', 'simulate_agreement', 'disclosure', 'explain_access') loop
    execute format('alter function %s owner to hub_access', routine);
  end loop;
  revoke create on schema hub from hub_access;
end $$;

-- The viewer's own: a hold or a seal looks like a missing basis.
grant create on schema hub to hub_access;
set local role hub_access;
create or replace function viewer_disclosure(wanted uuid) returns table (category category, visible boolean, basis disclosure_basis[], missing disclosure_gap[])
  language sql stable security definer set search_path = hub, pg_temp as $$
  select d.category, s.scope and d.open, coalesce(d.basis, '{}'),
    array_remove(array[
      case when not s.scope then 'SCOPE' end,
      case when not d.open then case when d.basis is null then 'BASIS' else 'CONSENT' end end], null)::disclosure_gap[]
  from disclosure(viewer_org(), wanted) d
  cross join lateral (select viewer_has('cases:' || case d.category when 'OVERVIEW' then 'read' else lower(d.category::text) end) as scope) s
  where exists (select from case_access a where a.organisation = viewer_org() and a.case_id = wanted and a.overview @> hub_now())
  order by d.category $$;
set local role hub_owner;
revoke create on schema hub from hub_access;

-- What was read a moment ago and is in no log yet was looked for again for each case and category that was lost, so that the end of an
-- agreement over many cases took as long as their product. It is looked for once, for all of them.
grant create on schema hub to hub_access;
set local role hub_access;
drop function retract_all, retract, owed, received;

-- Was this organisation answered with a category of a case or referral after a time, by the log?
create function logged(org int, about uuid, wanted category, since timestamptz) returns boolean language sql stable set search_path = hub, pg_temp
  return exists (
    select from audit_pseudonym n join audit_event e on e.reader = org and e.subject = n.pseudonym
    where n.organisation = org and (n.case_id = about or n.referral_id = about) and e.organisation = org
      and e.basis & 127 * basis_bit(wanted, 'ICORN') <> 0
      and (since is null or exists (select from audit_leaf l join audit a on a.id = l.audit_id
        where l.organisation = org and l.leaf_index = e.leaf_index and a.at > since)));

-- The same by the log, and by the records that the worker has not made entries of yet: of one case or referral.
create function received(org int, about uuid, wanted category, since timestamptz) returns boolean language sql stable set search_path = hub, pg_temp
  return logged(org, about, wanted, since) or exists (
    select from audit a, unnest(a.subjects) s
    where a.xid >= audit_reached() and a.organisation = org and s.basis & 127 * basis_bit(wanted, 'ICORN') <> 0 and (since is null or a.at > since)
      and s.subject in (select n.pseudonym from audit_pseudonym n where n.organisation = org and (n.case_id = about or n.referral_id = about)));

-- Which of these categories does an organisation hold of a case or referral and owe a receipt for, that nothing asks of it yet? `heard`
-- says when each was last answered, as far as the records know of which the worker has not made entries yet.
create function owed(org int, named uuid, about uuid, lost category[], heard timestamptz[]) returns category[] language sql stable set search_path = hub, pg_temp
  return (select array_agg(u.k order by u.k) from unnest(lost, heard) u(k, at)
    cross join lateral (
      select coalesce(bool_or(r.acknowledged_at is null), false) as open, max(greatest(r.at, r.acknowledged_at)) as since
      from retraction r where r.organisation = org and r.subject = named and u.k = any (r.categories)) before
    where not before.open and (u.at > coalesce(before.since, '-infinity') or logged(org, about, u.k, before.since)));

-- The one place where retractions are made: by each name that the organisation knew it by (0024_lives.sql).
create function retract(org int, kind text, about uuid, lost category[], heard timestamptz[]) returns void language plpgsql set search_path = hub, pg_temp as $$
declare
  icorn int := (select o.id from organisation o where o.kind = 'ICORN');
  one record;
  wanted category[];
  made uuid;
begin
  if cardinality(lost) = 0 or org = icorn or kind = 'referral' and exists (select from referral r where r.id = about and r.sender = org) then
    return;
  end if;
  for one in
    select pairwise(org, kind, about) as named, pairwise(icorn, kind, about) as by_icorn
    union all
    select l.pairwise, pairwise(icorn, kind, l.former) from case_alias l where l.organisation = org and l.kept = about
  loop
    continue when owed(org, one.named, about, lost, heard) is null;
    -- Somebody else may be retracting the same: who comes second sees what the first has made.
    perform pg_advisory_xact_lock(hashtextextended(one.named::text, 4));
    wanted := owed(org, one.named, about, lost, heard);
    continue when wanted is null;
    made := pairwise(org, 'retraction ' || (select count(*) from retraction r where r.organisation = org and r.subject = one.named), one.named);
    insert into retraction (id, organisation, kind, subject, icorn_subject, categories, at)
      values (made, org, kind, one.named, one.by_icorn, wanted, hub_now());
    insert into event (kind, organisation, audience, retraction_id, at) values ('retraction.made', org, org, made, hub_now());
  end loop;
end $$;

create function retract(org int, kind text, about uuid, lost category[]) returns void language plpgsql set search_path = hub, pg_temp as $$
begin
  perform retract_all(kind, array[row(org, about, lost)::losing]);
end $$;

-- Of what many rows lost at once (the end of an agreement), only those of whom anything was read are looked at one by one.
create function retract_all(what text, losses losing[]) returns void language plpgsql set search_path = hub, pg_temp as $$
declare
  one record;
begin
  if losses is null then return; end if;
  for one in
    with gone as materialized (
      select l.* from unnest(losses) l where cardinality(l.lost) > 0
    ), recent as materialized (
      select a.organisation, s.subject, k, max(a.at) as at from audit a, unnest(a.subjects) s, unnest(enum_range(null::category)) k
      where a.xid >= audit_reached() and a.organisation in (select g.organisation from gone g) and s.basis & 127 * basis_bit(k, 'ICORN') <> 0
      group by a.organisation, s.subject, k
    ), known as materialized (
      select g.*, n.pseudonym from gone g join audit_pseudonym n on n.organisation = g.organisation and n.case_id = g.about where what = 'case'
      union all
      select g.*, n.pseudonym from gone g join audit_pseudonym n on n.organisation = g.organisation and n.referral_id = g.about where what = 'referral'
    ), heard as materialized (
      select k.organisation, k.about, k.lost, u.n, max(r.at) as at
      from known k cross join lateral unnest(k.lost) with ordinality u(category, n)
      left join recent r on r.organisation = k.organisation and r.subject = k.pseudonym and r.k = u.category
      group by k.organisation, k.about, k.lost, u.n
    ), told as materialized (
      select distinct k.organisation, k.about from known k
      where k.pseudonym in (select r.subject from recent r) or exists (select from audit_event e where e.reader = k.organisation and e.subject = k.pseudonym)
    )
    select h.organisation, h.about, h.lost, array_agg(h.at order by h.n) as heard
    from heard h join told t on t.organisation = h.organisation and t.about = h.about
    group by h.organisation, h.about, h.lost order by h.about, h.organisation
  loop
    perform retract(one.organisation, what, one.about, one.lost, one.heard);
  end loop;
end $$;
set local role hub_owner;
revoke create on schema hub from hub_access;
