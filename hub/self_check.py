"""This module is in charge of refusing to serve from a database whose second wall has a hole; it mends nothing."""

from collections.abc import Collection
from typing import Any, Final

from hub.postgres import OWNERS

# Each statement names what breaks one rule.
TABLES: Final = """
    select format('table %s.%s does not %s ROW LEVEL SECURITY', relnamespace::regnamespace, relname, verb)
    from pg_class, lateral (values ('ENABLE', relrowsecurity), ('FORCE', relforcerowsecurity)) as r(verb, done)
    where relnamespace in (to_regnamespace('hub'), to_regnamespace('auth')) and relkind in ('r', 'p') and not done
    union all
    select 'schema hub has no tables: run hub migrate'
    where not exists (select from pg_class where relnamespace = to_regnamespace('hub') and relkind = 'r')
"""
VIEWS: Final = """
    select format(case relkind when 'v' then 'view %s.%s lacks security_invoker'
                  else '%s.%s is of a kind that ROW LEVEL SECURITY does not cover' end,
                  relnamespace::regnamespace, relname)
    from pg_class
    where relnamespace in (to_regnamespace('hub'), to_regnamespace('auth'))
      and (relkind in ('m', 'f') or relkind = 'v' and not exists (
        select from pg_options_to_table(reloptions) where option_name = 'security_invoker' and option_value::boolean))
"""
ROLE: Final = """
    select format('role %s %s', rolname, trait)
    from pg_roles, lateral (values
        ('is a superuser', rolsuper), ('has BYPASSRLS', rolbypassrls), ('may create roles', rolcreaterole),
        ('may replicate', rolreplication)) as t(trait, present)
    where present and rolname = session_user
"""
OWNED: Final = """
    select format('role %s owns %s', session_user, pg_describe_object(classid, objid, objsubid))
    from pg_shdepend
    where deptype = 'o' and refclassid = 'pg_authid'::regclass and refobjid = session_user::text::regrole
      and dbid in (0, (select oid from pg_database where datname = current_database()))
"""
# Beyond the owners by design: any owner of anything, any role above row security, and those that PostgreSQL brings.
MEMBERSHIPS: Final = r"""
    select format('role %s is a member of %s', session_user, rolname)
    from pg_roles r
    where rolname <> session_user and pg_has_role(session_user, oid, 'MEMBER')
      and not (select rolsuper from pg_roles where rolname = session_user)
      and (rolname = any ($1::text[]) or rolname like 'pg\_%' or rolsuper or rolbypassrls or exists (
        select from pg_shdepend where deptype = 'o' and refclassid = 'pg_authid'::regclass and refobjid = r.oid))
"""
FUNCTIONS: Final = r"""
    select format('function %s.%s is SECURITY DEFINER and %s', pronamespace::regnamespace, proname, fault)
    from pg_proc, lateral (values
        ('is not on the list of those that may be', pronamespace::regnamespace || '.' || proname <> all ($1::text[])),
        ('does not pin its search_path', prosqlbody is null
            and not exists (select from unnest(proconfig) as setting where setting like 'search\_path=%')),
        ('may be called by everyone', has_function_privilege('public', oid, 'EXECUTE'))) as f(fault, present)
    where prosecdef and present and pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


async def self_check(connection: Any, definer_functions: Collection[str]) -> list[str]:
    """Return everything that is wrong with the second wall as the role of `connection` meets it; [] when it stands.

    `definer_functions` are the SECURITY DEFINER functions that may exist, each as schema.name. Serve on [] only.
    """
    found = [await connection.fetch(check) for check in (TABLES, VIEWS, ROLE, OWNED)]
    found.append(await connection.fetch(MEMBERSHIPS, list(OWNERS)))
    found.append(await connection.fetch(FUNCTIONS, list(definer_functions)))
    return [problem for problems in found for (problem,) in problems]
