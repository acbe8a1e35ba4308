-- Emergencies, both ways. Break-glass: categories of one case opened to an organisation for twelve hours, because it says that it must; a
-- hold and the person's word beat it, and everyone the case belongs to is told at once. Freezes: what they stop is stopped in the same
-- transaction.

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

create trigger told after insert or update of approved_at on emergency for each row execute function emergency_told();
grant create on schema hub to hub_access;
alter function emergency_told owner to hub_access;
revoke create on schema hub from hub_access;

-- It waits for every change of access under way before it looks what it concerns, so that nothing slips in meanwhile.
create function freeze_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare
  rows jsonb := '[]';
  cases uuid[];
  referrals uuid[];
begin
  if tg_op <> 'DELETE' then rows := rows || coalesce((select jsonb_agg(to_jsonb(n)) from new_rows n), '[]'); end if;
  if tg_op <> 'INSERT' then rows := rows || coalesce((select jsonb_agg(to_jsonb(o)) from old_rows o), '[]'); end if;
  -- Whatever takes a case away sees to its freezes, too, and mostly finds none.
  if jsonb_array_length(rows) = 0 then return null; end if;
  perform pg_advisory_xact_lock(hashtextextended('hub.case_access', 0));
  perform pg_advisory_xact_lock(hashtextextended('hub.referral_access', 0));
  select array_agg(c.id) into cases from case_file c
    where exists (select from jsonb_array_elements(rows) r where (r ->> 'case_id')::uuid = c.id or r ->> 'country' = c.origin);
  if cases is not null then perform refresh_case_access(cases, null); end if;
  select array_agg(f.id) into referrals from referral f
    where f.case_id = any (cases) or exists (select from jsonb_array_elements(rows) r where r ->> 'country' = f.origin);
  if referrals is not null then perform refresh_referral_access(referrals); end if;
  return null;
end $$;
create trigger freeze_follows_insert after insert on frozen referencing new table as new_rows for each statement execute function freeze_follows();
create trigger freeze_follows_update after update on frozen referencing old table as old_rows new table as new_rows for each statement execute function freeze_follows();
create trigger freeze_follows_delete after delete on frozen referencing old table as old_rows for each statement execute function freeze_follows();
-- A case that turns out to be of another origin takes its referrals along.
create function origin_follows() returns trigger language plpgsql security definer set search_path = hub, pg_temp as $$
declare referrals uuid[] := (select array_agg(f.id) from referral f where f.case_id = new.id);
begin
  if referrals is not null then perform refresh_referral_access(referrals); end if;
  return null;
end $$;
create trigger origin_follows after update of origin on case_file for each row
  when (old.origin is distinct from new.origin) execute function origin_follows();
grant create on schema hub to hub_access;
alter function freeze_follows owner to hub_access;
alter function origin_follows owner to hub_access;
revoke create on schema hub from hub_access;
