-- Partners and their access, by the API: organisations, their people and their clients. Whoever manages these is bound here to the same
-- rules as in the hub's code: its own organisation (ICORN: every one), and never more than the asker holds itself.

-- When a client last got a token, to the hour: enough to see one that nobody uses.
alter table client add column created_at timestamptz not null default hub_now(),
  add column last_used_at timestamptz check (last_used_at = date_trunc('hour', last_used_at, 'UTC'));
grant select (last_used_at), update (last_used_at) on client to hub_auth;
-- An organisation or a client that a command made, which is known by a name and not by a UUID.
alter table outcome add column named text;
grant update (named) on outcome to hub_app;
-- Somebody who was let go leaves the address free: who comes back is a new user, and nobody comes back as the old one.
alter table usr drop constraint usr_organisation_email_digest_key;
create unique index usr_address on usr (organisation, email_digest) where status <> 'DISABLED';

-- May the asker manage clients and people at all: by its scope and, where a person asks, as an admin.
grant execute on function viewer_is_icorn to hub_access;
grant select (roles, standing) on usr to hub_access;
create function viewer_administers() returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return viewer_has('access:manage') and (viewer_user() is null or exists (
    select from usr u where u.id = case when pg_input_is_valid(viewer_user(), 'uuid') then viewer_user()::uuid end
      and u.organisation = viewer_org() and u.status = 'ACTIVE' and u.roles && '{PARTNER_ADMIN,ICORN_ADMIN}'::text[]));
-- And of this organisation: one's own, or as ICORN any.
create function viewer_manages(whose int) returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return viewer_administers() and (whose = viewer_org() or viewer_is_icorn());
-- Which of these scopes the asker cannot give to anybody there: it does not hold them, or they are above that organisation's ceiling.
create function ungrantable(whose int, wanted text[]) returns text[]
  language sql stable security definer set search_path = hub, pg_temp
  return array(select s from unnest(wanted) s where not viewer_has(s) or s <> all (scope_ceiling(whose, wanted)) order by s);
-- Roles that fit the organisation; an admin is made by a person who is one: a machine has no role that it could pass on.
create function may_give_roles(whose int, wanted text[]) returns boolean
  language sql stable security definer set search_path = hub, pg_temp
  return not exists (select from unnest(wanted) r, organisation o where o.id = whose and (r in ('ICORN_STAFF', 'ICORN_ADMIN')) <> (o.kind = 'ICORN'))
    and (viewer_user() is not null or not wanted && '{PARTNER_ADMIN,ICORN_ADMIN}'::text[]);

-- An invitation: whoever was invited and has not come yet gets a new one, and what is said of them now; older ones end.
grant usage on schema auth to hub_access;
grant select, insert, delete on auth.invitation to hub_access;
create policy access on auth.invitation to hub_access using (true) with check (true);
grant insert (id, organisation, roles, scopes, email_digest, kek, wrapped, sealed), update (roles, scopes, kek, wrapped, sealed) on usr to hub_access;
create policy invites on usr for insert to hub_access with check (true);
create policy invites_again on usr for update to hub_access using (true) with check (true);
create function invite_user(
    its_id uuid, its_organisation int, its_roles text[], its_scopes text[], address bytea, its_kek text, its_wrapped bytea, its_sealed bytea,
    secret bytea, good_until timestamptz) returns boolean
  language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  insert into usr as u (id, organisation, roles, scopes, email_digest, kek, wrapped, sealed)
    values (its_id, its_organisation, its_roles, its_scopes, address, its_kek, its_wrapped, its_sealed)
    on conflict (id) do update set roles = its_roles, scopes = its_scopes, kek = its_kek, wrapped = its_wrapped, sealed = its_sealed
      where u.status = 'INVITED' and u.organisation = its_organisation;
  if not found then
    return false;
  end if;
  delete from auth.invitation where usr = its_id;
  insert into auth.invitation (digest, usr, until) values (secret, its_id, good_until);
  return true;
end $$;
-- By the API: within what the asker may give. Whoever was in before and lost every passkey is let in again by two admins, and not so.
create function viewer_invites_user(
    its_id uuid, its_organisation int, its_roles text[], its_scopes text[], address bytea, its_kek text, its_wrapped bytea, its_sealed bytea,
    secret bytea, good_until timestamptz) returns boolean
  language sql volatile security definer set search_path = hub, pg_temp
  return case when viewer_manages(its_organisation) and cardinality(ungrantable(its_organisation, its_scopes)) = 0
      and may_give_roles(its_organisation, its_roles) and not exists (select from usr u where u.id = its_id and u.standing > 0)
    then invite_user(its_id, its_organisation, its_roles, its_scopes, address, its_kek, its_wrapped, its_sealed, secret, good_until) else false end;
-- The first admin of a partner comes with it: whoever may add organisations invites one where there is nobody yet.
create function viewer_invites_first_admin(
    its_id uuid, its_organisation int, its_roles text[], its_scopes text[], address bytea, its_kek text, its_wrapped bytea, its_sealed bytea,
    secret bytea, good_until timestamptz) returns boolean
  language sql volatile security definer set search_path = hub, pg_temp
  return case when viewer_is_icorn() and viewer_has('organisations:manage') and its_roles = '{PARTNER_ADMIN}'::text[]
      and exists (select from organisation o where o.id = its_organisation and o.kind <> 'ICORN')
      and not exists (select from usr u where u.organisation = its_organisation)
    then invite_user(its_id, its_organisation, its_roles, its_scopes, address, its_kek, its_wrapped, its_sealed, secret, good_until) else false end;
grant execute on function invite_user to hub_auth;
grant execute on function viewer_administers, viewer_manages, ungrantable, may_give_roles, viewer_invites_user, viewer_invites_first_admin to hub_app;

-- A client's public keys. New keys are a way in with all that the client has, so whoever sets them holds all of it.
grant select, insert, update (jwks) on auth.client_key to hub_access;
create policy access on auth.client_key to hub_access using (true) with check (true);
create function viewer_reads_keys(its_client text) returns jsonb
  language sql stable security definer set search_path = hub, pg_temp
  return (select k.jwks from auth.client_key k join client c on c.client_id = k.client_id where c.client_id = its_client and viewer_manages(c.organisation));
create function viewer_sets_keys(its_client text, its_keys jsonb) returns boolean
  language plpgsql security definer set search_path = hub, pg_temp as $$
begin
  if not exists (select from client c where c.client_id = its_client and c.status = 'ACTIVE' and viewer_manages(c.organisation) and viewer_has(variadic c.scopes)) then
    return false;
  end if;
  insert into auth.client_key (client_id, jwks) values (its_client, its_keys) on conflict (client_id) do update set jwks = its_keys;
  return true;
end $$;
grant execute on function viewer_reads_keys, viewer_sets_keys to hub_app;

-- Clients and people as the request role reads and changes them. Nobody is moved, brought back, or removed.
-- (Policies are tried in the order of their names: most statements find their own client first, and ask no further.)
create policy those_managed on client for select to hub_app
  using ((select viewer_administers()) and (organisation = (select viewer_org()) or (select viewer_is_icorn())));
grant insert (client_id, organisation, name, scopes), update (name, scopes, status) on client to hub_app;
create policy manages_adds on client for insert to hub_app
  with check ((select viewer_administers()) and (organisation = (select viewer_org()) or (select viewer_is_icorn())) and cardinality(ungrantable(organisation, scopes)) = 0);
create policy manages on client for update to hub_app
  using ((select viewer_administers()) and (organisation = (select viewer_org()) or (select viewer_is_icorn())));
grant select (id, organisation, roles, scopes, status, standing, last_seen_at, email_digest, kek, wrapped, sealed), update (roles, scopes, status, sealed) on usr to hub_app;
create policy managed on usr for select to hub_app
  using ((select viewer_administers()) and (organisation = (select viewer_org()) or (select viewer_is_icorn())));
create policy manages on usr for update to hub_app
  using ((select viewer_administers()) and (organisation = (select viewer_org()) or (select viewer_is_icorn())));
create function keep_client() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if new.status is distinct from old.status and new.status <> 'DISABLED'
      or cardinality(ungrantable(new.organisation, array(select unnest(new.scopes) except select unnest(old.scopes)))) > 0 then
    raise exception 'a client is given what the asker may give, and once disabled does not come back' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create function keep_usr() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if new.status is distinct from old.status and new.status <> 'DISABLED'
      or cardinality(ungrantable(new.organisation, array(select unnest(new.scopes) except select unnest(old.scopes)))) > 0
      or not may_give_roles(new.organisation, array(select unnest(new.roles) except select unnest(old.roles))) then
    raise exception 'a user is given what the asker may give, and once disabled does not come back' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger keep_client before update on client for each row when (current_user = 'hub_app') execute function keep_client();
create trigger keep_usr before update on usr for each row when (current_user = 'hub_app') execute function keep_usr();

-- Organisations are ICORN's to add, to change, and to stop; never itself. Stopped twice, one was stopped the first time.
grant insert (code, name, kind, website, city), update (name, website, suspended_at) on organisation to hub_app;
create policy icorn_adds on organisation for insert to hub_app with check (kind <> 'ICORN' and (select viewer_is_icorn() and viewer_has('organisations:manage')));
create policy icorn_changes on organisation for update to hub_app using ((select viewer_is_icorn() and viewer_has('organisations:manage')))
  with check (kind <> 'ICORN' or suspended_at is null);
grant insert (code, name, country) on city to hub_app;
create policy icorn_adds on city for insert to hub_app with check ((select viewer_is_icorn() and viewer_has('organisations:manage')));
create or replace function organisation_leaves() returns trigger language plpgsql set search_path = hub, pg_temp as $$
begin
  if old.suspended_at is null and new.suspended_at is not null then
    new.standing := old.standing + 1;
  elsif new.suspended_at is not null then
    new.suspended_at := old.suspended_at;
  end if;
  return new;
end $$;

-- Whoever ends somebody's standing need not come near sessions and approvals: the database ends them.
grant select, update (ended_at) on auth.session to hub_access;
grant select, update (ended_at, session) on auth.approval to hub_access;
create policy access on auth.session to hub_access using (true) with check (true);
create policy access on auth.approval to hub_access using (true) with check (true);
grant insert on revoked_token to hub_access;
create policy ends on revoked_token for insert to hub_access with check (true);

create policy manages on event for insert to hub_app
  with check (organisation = (select viewer_org()) and (select viewer_has('access:manage') or viewer_has('organisations:manage'))
    and referral_id is null and case_id is null and retraction_id is null and audience is null and kind ~ '^(client|organisation|user)[.]');

grant create on schema hub, auth to hub_access;
alter function viewer_administers owner to hub_access;
alter function viewer_manages owner to hub_access;
alter function ungrantable owner to hub_access;
alter function may_give_roles owner to hub_access;
alter function invite_user owner to hub_access;
alter function viewer_invites_user owner to hub_access;
alter function viewer_invites_first_admin owner to hub_access;
alter function viewer_reads_keys owner to hub_access;
alter function viewer_sets_keys owner to hub_access;
alter function auth.standing_ends security definer;
alter function auth.standing_ends owner to hub_access;
revoke create on schema hub, auth from hub_access;
