"""This module changes where an organisation has its events sent. What is sent there is hub/webhooks' matter."""

import uuid
from typing import Any, Final

from yarl import URL

from connectors.addresses import AllowedHosts, may_connect
from hub.commands.asker import Asker, Input, Made, problems, sealed_text
from hub.commands.cases import NOT_THERE
from hub.engine.parameters import split_id
from hub.webhooks.messages import spoken

MOST: Final = 10
LONGEST: Final = 1000


async def create_webhook(asker: Asker, given: Input) -> Made:
    """Have what happens from now on sent to an address of the asker's organisation."""
    organisation = asker.principal.organisation
    url = _address(given["url"], asker.private_hosts)
    # Two at once would both be the last that there is room for.
    await asker.connection.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 5))", f"webhooks of {organisation}"
    )
    there = await asker.connection.fetchval("select count(*) from webhook where organisation = $1", organisation)
    with problems() as found:
        named = await asker.organisation(given["organisation"])
        if named is None:
            found.add("NOT_FOUND", NOT_THERE, "organisation")
        elif named.id != organisation:
            found.add("NOT_ALLOWED", "A webhook is of your own organisation.", "organisation")
        if url is None:
            found.add(
                "BAD_URL",
                f"An https address on the internet, of at most {LONGEST} characters, without a name, a password or a #.",
                "url",
            )
        if there >= MOST:
            found.add("TOO_MANY", f"An organisation has at most {MOST} webhooks: delete one first.")
    webhook = asker.new_id("webhook")
    await asker.connection.execute(
        "insert into webhook (id, organisation, url, events, purpose, created_at)"
        " values ($1, $2, $3, $4::text[]::referral_event_kind[], $5, hub_now())",
        webhook,
        organisation,
        url,
        list(dict.fromkeys(str(kind) for kind in given["events"])),
        asker.principal.purpose,
    )
    key = asker.sealing.new_key()
    secret = spoken(asker.secret("webhook secret"))
    await asker.connection.execute(
        "insert into webhook_secret (webhook_id, sealed, kek, wrapped) values ($1, $2, $3, $4)",
        webhook,
        sealed_text(asker.sealing, key.plain, f"webhook:{webhook}", "SECRET", secret),
        key.kek,
        key.wrapped,
    )
    await asker.tell("webhook.created")
    return Made(webhook, secret)


async def resume_webhook(asker: Asker, given: Input) -> uuid.UUID:
    """Try again what a paused webhook did not take, and go on from there."""
    row = await _named(asker, given["webhook"])
    with problems() as found:
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "webhook")
        elif row["ended_at"] is not None:
            found.add("ENDED", "It has ended for good: delete it, and create another.", "webhook")
        elif row["paused_at"] is None:
            found.add("NOT_PAUSED", "It is not paused: what it does not take is tried again by itself.", "webhook")
    webhook: uuid.UUID = row["id"]
    await asker.connection.execute(
        "update webhook set paused_at = null, failures = 0, failing_since = null, next_try_at = null where id = $1",
        webhook,
    )
    await asker.tell("webhook.resumed")
    return webhook


async def delete_webhook(asker: Asker, given: Input) -> uuid.UUID:
    """Send nothing more to a webhook, and forget it."""
    row = await _named(asker, given["webhook"])
    with problems() as found:
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "webhook")
    webhook: uuid.UUID = row["id"]
    await asker.connection.execute("delete from webhook where id = $1", webhook)
    await asker.tell("webhook.deleted")
    return webhook


async def _named(asker: Asker, identifier: str) -> Any:
    """Find a webhook of the asker's organisation, as it is once nobody else is deciding about it."""
    return await asker.connection.fetchrow(
        "select id, paused_at, ended_at from webhook where id = $1::text::uuid and organisation = $2 for update",
        split_id(identifier, "uuid:webhook"),
        asker.principal.organisation,
    )


def _address(text: str, private_hosts: AllowedHosts) -> str | None:
    """Give an address as it is written on requests; None for one that nothing may be sent to."""
    try:
        url = URL(text)
        fit = may_connect(url, private_hosts) and not (url.user or url.password or url.fragment)
    except ValueError:
        return None
    return str(url) if fit and len(str(url)) <= LONGEST else None
