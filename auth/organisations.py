"""This module adds organisations, changes them and stops them: one statement each, for operators' commands and for the API.

Who may do it is the database's matter: an administrator, or the request role within its row policies.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from auth.database import Database

_CODE: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")
_LONGEST_NAME: Final = 200
_LONGEST_WEBSITE: Final = 500
# A city that receives people and is not there yet is made with its organisation, under the same code.
_ADD: Final = """
with place as (
    insert into hub.city (code, name, country) select $1::text, $2::text, $5::text where $5::text is not null on conflict (code) do nothing returning id
)
insert into hub.organisation (code, name, kind, website, city)
select $1::text, $2::text, $3::text::hub.organisation_kind, $4::text,
    coalesce((select id from place), (select id from hub.city where code = case when $5::text is null then $6::text else $1::text end))
on conflict (code) do nothing returning id
"""
# The database keeps the time when it was first stopped.
_SUSPEND: Final = """
update hub.organisation set suspended_at = case when $2 then hub.hub_now() end where code = $1 returning kind::text
"""


async def add(
    database: Database,
    *,
    code: str,
    name: str,
    kind: str,
    website: str | None = None,
    country: str | None = None,
    city: str | None = None,
) -> int | None:
    """Add an organisation, with a city of its own in `country`, or of a `city` that is there; return its number, None where the code is taken."""
    found: int | None = await database.fetchval(_ADD, code, name.strip(), kind, website, country, city)
    return found


async def suspend(database: Database, code: str, *, suspended: bool) -> str | None:
    """Stop an organisation with the next statement of any process, or let it in again; return its kind, None where there is none."""
    found: str | None = await database.fetchval(_SUSPEND, code, suspended)
    return found


def code_problems(code: str) -> list[str]:
    """Say what is wrong with an organisation's short name."""
    return [] if _CODE.fullmatch(code) else ["code: a-z, 0-9 and dash, 2 to 41 of them, as pen-centre"]


def name_problems(name: str) -> list[str]:
    """Say what is wrong with what an organisation is called."""
    good = 1 <= len(name.strip()) <= _LONGEST_NAME and name.isprintable()
    return [] if good else [f"name: 1 to {_LONGEST_NAME} printable characters"]


def website_problems(website: str) -> list[str]:
    """Say what is wrong with an organisation's public address."""
    try:
        parts = urlsplit(website)
        good = parts.scheme == "https" and bool(parts.hostname) and len(website) <= _LONGEST_WEBSITE
    except ValueError:
        good = False
    return (
        []
        if good and website.isprintable() and " " not in website
        else ["website: an address such as https://pen.example"]
    )
