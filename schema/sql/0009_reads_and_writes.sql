-- The second wall: what the request role may read and write, row by row, decided from case_access and the token's scopes.

create function sees_case(wanted uuid) returns boolean language sql stable parallel safe
  return exists (select from case_access a where a.organisation = (select viewer_org()) and a.case_id = wanted and holds(a.overview, (select hub_now())));
grant execute on function sees_case to hub_app;

grant select on case_file, case_key, case_name_digest, residency, share, hold, case_profile, case_identity, case_contact, case_whereabouts,
  case_threat, case_health, case_family, case_assessment, referral, referral_key, referral_person, referral_event, message,
  agreement, agreement_approval, consent to hub_app;

create policy visible on case_file for select to hub_app using ((select viewer_has('cases:read')) and exists (
  select from case_access a where a.organisation = (select viewer_org()) and a.case_id = case_file.id and holds(a.overview, (select hub_now()))));
create policy visible on case_key for select to hub_app using ((select viewer_has('cases:read')) and exists (
  select from case_access a where a.organisation = (select viewer_org()) and a.case_id = case_key.case_id and holds(a.overview, (select hub_now()))));
create policy visible on case_name_digest for select to hub_app using ((select viewer_has('cases:read', 'cases:identity')) and exists (
  select from case_access a where a.organisation = (select viewer_org()) and a.case_id = case_name_digest.case_id and holds(a.identity, (select hub_now()))));
create policy visible on residency for select to hub_app using ((select viewer_has('cases:read', 'cases:whereabouts', 'residencies:read')) and exists (
  select from case_access a where a.organisation = (select viewer_org()) and a.case_id = residency.case_id and holds(a.whereabouts, (select hub_now()))));

do $$
declare noun text;
begin
  foreach noun in array array['profile', 'identity', 'contact', 'whereabouts', 'threat', 'health', 'family', 'assessment'] loop
    execute format($f$create policy visible on case_%1$s for select to hub_app using ((select viewer_has('cases:read', 'cases:%1$s')) and exists (
      select from case_access a where a.organisation = (select viewer_org()) and a.case_id = case_%1$s.case_id and holds(a.%1$s, (select hub_now()))))$f$, noun);
  end loop;
  -- ICORN's desk writes cases; nobody else does.
  foreach noun in array array['case_file', 'case_key', 'case_name_digest', 'case_profile', 'case_identity', 'case_contact', 'case_whereabouts',
      'case_threat', 'case_health', 'case_family', 'case_assessment', 'residency', 'share', 'hold'] loop
    execute format('grant insert on %I to hub_app', noun);
    execute format('create policy desk_adds on %I for insert to hub_app with check ((select viewer_is_icorn() and viewer_has(''cases:write'')))', noun);
  end loop;
  foreach noun in array array['share', 'hold'] loop
    execute format('create policy desk on %I for select to hub_app using ((select viewer_is_icorn() and viewer_has(''cases:write'')))', noun);
  end loop;
end $$;
grant update (ended_at, end_reason) on hold to hub_app;
create policy desk_changes on hold for update to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));

create policy visible on referral for select to hub_app using ((select viewer_has('referrals:read')) and exists (
  select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = referral.id and holds(a.visible, (select hub_now()))));
create policy asker on referral for select to hub_app using ((select viewer_has('referrals:submit'))
  and sender = (select viewer_org()) and client = (select viewer_client()) and usr = coalesce((select viewer_user()), ''));
create policy visible on referral_key for select to hub_app using ((select viewer_has('referrals:read')) and exists (
  select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = referral_key.referral_id and holds(a.visible, (select hub_now()))));
create policy visible on referral_event for select to hub_app using ((select viewer_has('referrals:read')) and exists (
  select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = referral_event.referral_id and holds(a.visible, (select hub_now()))));
create policy visible on message for select to hub_app using ((select viewer_has('referrals:read')) and exists (
  select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = message.referral_id and holds(a.visible, (select hub_now()))));
create policy visible on referral_person for select to hub_app using ((select viewer_has('referrals:read'))
  and viewer_has('cases:' || lower(category::text)) and exists (
  select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = referral_person.referral_id
    and case category when 'PROFILE' then a.profile when 'IDENTITY' then a.identity when 'CONTACT' then a.contact
      when 'WHEREABOUTS' then a.whereabouts when 'THREAT' then a.threat when 'HEALTH' then a.health when 'FAMILY' then a.family end @> (select hub_now())));

grant insert on referral, referral_key, referral_person, referral_event to hub_app;
grant update (case_id) on referral to hub_app;
create policy submit on referral for insert to hub_app with check ((select viewer_has('referrals:submit')) and sender = (select viewer_org())
  and client = (select viewer_client()) and usr = coalesce((select viewer_user()), '') and status = 'SUBMITTED' and case_id is null);
create policy desk_links on referral for update to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));
create policy submit on referral_key for insert to hub_app with check ((select viewer_has('referrals:submit'))
  and exists (select from referral r where r.id = referral_id and r.sender = (select viewer_org())));
create policy submit on referral_person for insert to hub_app with check ((select viewer_has('referrals:submit'))
  and exists (select from referral r where r.id = referral_id and r.sender = (select viewer_org())));
create policy submit on referral_event for insert to hub_app with check ((select viewer_has('referrals:submit'))
  and organisation = (select viewer_org()) and ordinal = 1 and kind = 'SUBMITTED' and status = 'SUBMITTED'
  and exists (select from referral r where r.id = referral_id and r.sender = (select viewer_org())));

create policy own on agreement for select to hub_app using (organisation = (select viewer_org()) or (select viewer_is_icorn() and viewer_has('access:manage')));
create policy own on agreement_approval for select to hub_app using (exists (select from agreement a where a.id = agreement));

-- A partner reads the consents it recorded itself, and those that allow it, or everyone, something. Denials are between the person and ICORN.
create policy visible on consent for select to hub_app using ((select viewer_has('consents:read') or viewer_has('consents:write'))
  and case when (select viewer_is_icorn()) then true
      else recorded_by = (select viewer_org()) or decision = 'ALLOW' and (organisation is null or organisation = (select viewer_org())) end
  and (exists (select from case_access a where a.organisation = (select viewer_org()) and a.case_id = consent.case_id and holds(a.overview, (select hub_now())))
    or exists (select from referral_access a where a.organisation = (select viewer_org()) and a.referral_id = consent.referral_id and holds(a.visible, (select hub_now())))));
grant insert on consent to hub_app;
grant update (case_id, accepted, withdrawn_at, withdrawal_reason) on consent to hub_app;
-- A consent speaks of a case that its recorder sees, or of the one that its referral has become.
create policy submit on consent for insert to hub_app with check (recorded_by = (select viewer_org()) and not accepted and (
  (select viewer_has('referrals:submit')) and case_id is null
    and exists (select from referral r where r.id = referral_id and r.sender = (select viewer_org()))
  or (select viewer_has('consents:write')) and case
    when referral_id is null then sees_case(case_id)
    else exists (select from referral r join referral_access a on a.referral_id = r.id
      where r.id = consent.referral_id and r.case_id is not distinct from consent.case_id) end));
create policy withdraw on consent for update to hub_app using ((select viewer_has('consents:write'))
  and (recorded_by = (select viewer_org()) or (select viewer_is_icorn())))
  with check ((select viewer_has('consents:write')) and (recorded_by = (select viewer_org()) or (select viewer_is_icorn())));
-- What has been decided is not undecided: a withdrawal is made once, and now. Only ICORN carries a consent to a case, and accepts
-- what others wrote down.
create function keep_consent() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if new.withdrawn_at is distinct from old.withdrawn_at and (old.withdrawn_at is not null or new.withdrawn_at is distinct from hub_now())
      or new.accepted is distinct from old.accepted and not (new.accepted and viewer_is_icorn())
      or new.case_id is distinct from old.case_id and not (viewer_is_icorn() and viewer_has('cases:write')) then
    raise exception 'a consent is withdrawn once, and carried to a case and accepted by ICORN' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger keep_consent before update on consent for each row when (current_user = 'hub_app') execute function keep_consent();
create policy desk_links on consent for update to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));
-- Opening a case from a referral carries its consents along, also for a desk that may not read consents.
create policy desk_carries on consent for select to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));

grant select (id, code, organisation, kind, every, state, paused, last_synced_at, last_problem) on feed to hub_app;
grant select on feed_record, feed_record_person, feed_record_key, feed_record_link to hub_app;
grant insert, delete on feed_record_link to hub_app;
create policy state on feed for select to hub_app using ((select viewer_has('feeds:read')));
create policy visible on feed_record for select to hub_app using ((select viewer_has('feeds:read')) and present
  and ((select viewer_is_icorn()) or exists (select from feed f where f.id = feed_record.feed and f.organisation = (select viewer_org()))));
create policy visible on feed_record_key for select to hub_app using (exists (select from feed_record r where r.id = record));
create policy visible on feed_record_person for select to hub_app using (viewer_has('cases:' || lower(category::text))
  and exists (select from feed_record r where r.id = record));
create policy visible on feed_record_link for select to hub_app using (exists (select from feed_record r where r.id = record) and sees_case(case_id));
create policy desk_adds on feed_record_link for insert to hub_app with check ((select viewer_is_icorn() and viewer_has('cases:write')));
create policy desk_removes on feed_record_link for delete to hub_app using ((select viewer_is_icorn() and viewer_has('cases:write')));
