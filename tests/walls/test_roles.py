"""What each role of the database may do at all, whatever rows it would see."""

import pytest

from tests.conftest import Database

RIGHTS = {
    "hub_auth": {
        "budget": "INSERT SELECT UPDATE", "client": "INSERT SELECT UPDATE", "client_limit": "INSERT SELECT UPDATE", "organisation": "SELECT",
        "revoked_token": "INSERT SELECT", "trusted_document": "DELETE INSERT SELECT", "usr": "INSERT SELECT UPDATE",
    },
    "hub_worker": {
        "agreement": "SELECT", "agreement_end": "SELECT UPDATE",
        "audit": "INSERT SELECT", "audit_event": "INSERT SELECT", "audit_head": "INSERT SELECT", "audit_horizon": "INSERT SELECT UPDATE",
        "audit_key": "INSERT SELECT UPDATE", "audit_leaf": "INSERT SELECT", "case_access": "DELETE SELECT", "case_key": "SELECT UPDATE", "erasure": "SELECT", "event": "INSERT SELECT", "feed": "SELECT UPDATE",
        "feed_erased": "SELECT", "feed_quarantine": "DELETE INSERT SELECT UPDATE", "feed_record": "INSERT SELECT UPDATE",
        "feed_record_key": "DELETE INSERT SELECT UPDATE", "key_epoch": "INSERT SELECT UPDATE", "referral_key": "SELECT UPDATE",
        "feed_record_person": "DELETE INSERT SELECT", "feed_version": "SELECT", "migration": "SELECT", "organisation": "SELECT", "referral_access": "DELETE SELECT", "referral_event": "SELECT",
        "retraction": "SELECT", "retraction_key": "SELECT UPDATE", "revoked_token": "DELETE SELECT", "seen_proof": "DELETE SELECT", "statistics_cell": "INSERT SELECT", "statistics_release": "INSERT SELECT",
        "usr": "SELECT UPDATE", "webhook": "SELECT UPDATE", "webhook_secret": "SELECT UPDATE",
    },
}  # fmt: skip


@pytest.mark.parametrize("role", RIGHTS)
async def test_the_other_roles_have_what_they_need_and_no_more(database: Database, role: str) -> None:
    """No case, referral or consent is in reach of the authorization server or the worker, whatever they run: of keys, the wrapped; of a referral's steps, for the worker, that they were."""
    admin = await database.connect("postgres")
    found = await admin.fetch(
        "select relname, string_agg(p, ' ' order by p) as rights from pg_class c,"
        " unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p"
        " where relnamespace = 'hub'::regnamespace and relkind in ('r', 'p', 'v') and relname <> 'test_clock' and (has_table_privilege($1, c.oid, p)"
        " or p in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege($1, c.oid, p)) group by 1",
        role,
    )

    assert {row["relname"]: row["rights"] for row in found} == RIGHTS[role]


async def test_of_a_referrals_steps_the_worker_reads_that_they_were(database: Database) -> None:
    """Nothing that anybody wrote, not who did it, and not what came of it."""
    admin = await database.connect("postgres")
    found = await admin.fetch(
        "select attname from pg_attribute where attrelid = 'hub.referral_event'::regclass and attnum > 0 and has_column_privilege('hub_worker', attrelid, attnum, 'SELECT')"
    )

    assert {row["attname"] for row in found} == {"referral_id", "ordinal", "kind"}


async def test_the_authorization_server_changes_of_a_client_how_it_may_ask_and_nothing_else(database: Database) -> None:
    """Not whose it is, nor what it may ever do; and when it was last there."""
    admin = await database.connect("postgres")
    found = await admin.fetch(
        "select attname from pg_attribute where attrelid = 'hub.client'::regclass and attnum > 0 and has_column_privilege('hub_auth', attrelid, attnum, 'UPDATE')"
    )

    assert {row["attname"] for row in found} == {"documents_only", "last_used_at", "text_in_urls"}


async def test_the_role_of_requests_can_neither_empty_a_table_nor_refer_to_one(database: Database) -> None:
    """TRUNCATE and REFERENCES know no row policies, and no view of the policy is open to it."""
    admin = await database.connect("postgres")
    found = await admin.fetch(
        "select relname, p from pg_class c, unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) p where relnamespace = 'hub'::regnamespace"
        " and relkind in ('r', 'p') and has_table_privilege('hub_app', c.oid, p)"
        " union all select relname, 'SELECT' from pg_class c where relnamespace = 'hub'::regnamespace and relkind = 'v' and has_any_column_privilege('hub_app', c.oid, 'SELECT')"
    )

    assert found == []
