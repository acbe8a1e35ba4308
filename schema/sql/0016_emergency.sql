-- Break-glass: categories of one case opened to an organisation for twelve hours, because it says that it must. Consent still counts, a
-- hold beats it, and everyone the case belongs to is told at once.

-- Each breaking is a row of its own: what is open is what all of them open together, so a second one adds categories and time.
create table emergency (
  id uuid primary key,
  case_id uuid not null references case_file on delete cascade,
  organisation int not null references organisation,
  categories category[] not null check (cardinality(categories) > 0 and not 'ASSESSMENT' = any(categories)),
  asked_at timestamptz not null,
  client text not null,
  usr text not null default '',
  reason bytea,
  approved_at timestamptz,
  approver text,
  approver_usr text,
  check ((approved_at is null) = (approver is null)),
  -- Two people: whoever asks never approves.
  check (approver <> client)
);
create index on emergency (case_id);
create index on emergency (organisation);

-- It opens when it is asked for; for a sealed case when ICORN approves it, and until then not at all. A request waits no longer than
-- the glass would be open.
create function emergency_hours() returns interval language sql immutable parallel safe return interval '12 hours';
create function emergency_period(e emergency, sealed boolean) returns tstzrange language sql immutable parallel safe
  return case when sealed and e.approved_at is null then 'empty'
    else period(coalesce(e.approved_at, e.asked_at), coalesce(e.approved_at, e.asked_at) + emergency_hours()) end;
create function emergency_waits(e emergency, sealed boolean, at timestamptz) returns boolean language sql immutable parallel safe
  return sealed and e.approved_at is null and at < e.asked_at + emergency_hours();
grant execute on function emergency_hours, emergency_period, emergency_waits to hub_app, hub_access;

create or replace view case_basis with (security_invoker) as
select 'ICORN'::disclosure_basis as basis, o.id as organisation, c.id as case_id, k as category, tstzrange(null, null) as period
  from organisation o, case_file c, unnest(enum_range(null::category)) k
  where o.kind = 'ICORN'
union all
select 'AGREEMENT', a.organisation, c.id, k, agreement_period(a)
  from agreement a
  join case_file c on not c.sealed
    and (a.origins is null or c.origin = any (a.origins))
    and (a.disciplines is null or c.discipline = any (a.disciplines)), unnest(a.categories) k
union all
select 'REFERRER', r.sender, r.case_id, 'OVERVIEW', tstzrange(null, null)
  from referral r
  where r.case_id is not null
union all
select 'RECIPIENT', r.recipient, r.case_id, k, tstzrange(null, null)
  from referral r, unnest(r.shared_categories) k
  where r.case_id is not null and r.status in ('SUBMITTED', 'RECEIVED', 'INFORMATION_REQUESTED', 'IN_REVIEW', 'ACCEPTED')
union all
select 'PRESENTED', p.organisation, p.case_id, k, period(p.presented_at, p.until)
  from presentation p, unnest(p.categories) k
  where p.status = 'OPEN'
union all
select 'SHARE', s.organisation, s.case_id, k, period(s.starts, least(s.until, s.ended_at))
  from share s, unnest(s.categories) k
union all
select 'EMERGENCY', e.organisation, e.case_id, k, emergency_period(e, c.sealed)
  from emergency e join case_file c on c.id = e.case_id, unnest(e.categories) k;

-- The case's owners are told in the same transaction: ICORN, and the referrers who see the case. That it waits for an approval, and
-- so is sealed, is not told to referrers; of the approval only ICORN and whoever asked are told.
create function emergency_told() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  insert into event (kind, organisation, audience, case_id, at)
    select case tg_op when 'INSERT' then 'emergency.asked' else 'emergency.approved' end, coalesce(viewer_org(), new.organisation), o.id, new.case_id, hub_now()
    from organisation o
    where o.kind = 'ICORN' or case tg_op
      when 'UPDATE' then o.id = new.organisation
      else o.id <> new.organisation and exists (select from referral r join case_access a on a.organisation = r.sender and a.case_id = r.case_id
        where r.case_id = new.case_id and r.sender = o.id and holds(a.overview, hub_now())) end
    order by o.id;
  return null;
end $$;

-- Does the viewer see a case by anything but an emergency? Glass broken through glass would never end.
create function sees_case_anyway(wanted uuid) returns boolean language sql stable parallel safe
  return exists (select from case_access a where a.organisation = (select viewer_org()) and a.case_id = wanted and holds(a.overview, (select hub_now()))
    and a.basis[width_bucket((select hub_now()), a.basis_from)] & 127 & ~basis_bit('OVERVIEW', 'EMERGENCY') <> 0);
grant execute on function sees_case_anyway to hub_app;

alter table emergency enable row level security, force row level security;
grant select on emergency to hub_access;
create policy access on emergency for select to hub_access using (true);

-- An organisation reads its own, ICORN all; either only with the scope, and of a case that it sees.
grant select, insert (id, case_id, organisation, categories, asked_at, client, usr, reason), update (approved_at, approver, approver_usr) on emergency to hub_app;
create policy visible on emergency for select to hub_app using ((select viewer_has('cases:read', 'cases:emergency'))
  and (organisation = (select viewer_org()) or (select viewer_is_icorn())) and sees_case(case_id));
create policy ask on emergency for insert to hub_app with check ((select viewer_has('cases:read', 'cases:emergency'))
  and organisation = (select viewer_org()) and not (select viewer_is_icorn()) and client = (select viewer_client()) and usr = coalesce((select viewer_user()), '')
  and asked_at = (select hub_now()) and sees_case_anyway(case_id));
create policy approve on emergency for update to hub_app
  using ((select viewer_is_icorn() and viewer_has('cases:read', 'cases:emergency')) and approved_at is null and sees_case(case_id))
  with check (approved_at = (select hub_now()) and approver = (select viewer_client()) and approver_usr = coalesce((select viewer_user()), ''));

-- Whoever makes a trigger must be able to call its function.
set local role hub_access;
grant execute on function access_follows to hub_owner;
set local role hub_owner;
create trigger access_follows_insert after insert on emergency referencing new table as new_rows for each statement execute function access_follows();
create trigger access_follows_update after update on emergency referencing old table as old_rows new table as new_rows for each statement execute function access_follows();
create trigger access_follows_delete after delete on emergency referencing old table as old_rows for each statement execute function access_follows();
create trigger told after insert or update of approved_at on emergency for each row execute function emergency_told();
grant create on schema hub to hub_access;
alter function emergency_told owner to hub_access;
set local role hub_access;
revoke execute on function access_follows from hub_owner;
set local role hub_owner;
revoke create on schema hub from hub_access;
