-- The roles, and the two schemas they meet in. Run by an administrator in the hub's own database before the
-- migrations, as often as one likes. It holds no password: hub/migrate.py sets those.

do $roles$
declare
    role_name text;
begin
    foreach role_name in array array['hub_owner', 'hub_access', 'hub_migrate', 'hub_app', 'hub_auth', 'hub_worker'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I', role_name);
        end if;
    end loop;
end
$roles$;

-- Owns the schemas, the tables and the views.
alter role hub_owner nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;
-- Owns the allow-listed SECURITY DEFINER functions, and has row policies of its own.
alter role hub_access nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;
-- Applies migrations, after SET ROLE hub_owner.
alter role hub_migrate login nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;
-- Answers requests.
alter role hub_app login nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;
-- The authorization server.
alter role hub_auth login nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;
-- Feed sync, audit sequencing, pruning.
alter role hub_worker login nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit;

-- The only memberships there are. hub_owner may become hub_access so that a migration can hand a function over.
grant hub_owner, hub_access to hub_migrate with inherit false, set true;
grant hub_access to hub_owner with inherit false, set true;

do $database$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant create on database %I to hub_owner', current_database());
    execute format('grant connect on database %I to hub_migrate, hub_app, hub_auth, hub_worker', current_database());
end
$database$;

create schema if not exists hub authorization hub_owner;
create schema if not exists auth authorization hub_owner;
revoke all on schema public, hub, auth from public;
grant usage on schema hub to hub_access, hub_app, hub_auth, hub_worker;
grant usage on schema auth to hub_auth;

-- A function is everyone's to call unless this is said: each migration grants what it means to grant.
alter default privileges for role hub_owner revoke execute on functions from public;
alter default privileges for role hub_access revoke execute on functions from public;
