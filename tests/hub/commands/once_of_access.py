"""This module has an example of every mutation that changes who may ask."""

from typing import Any, Final
from uuid import uuid4

from tests.hub.commands.kit import done
from tests.hub.commands.test_feeds import NEW as FORM
from tests.hub.person import person
from tests.world import EVERY_SCOPE, World, key_of

Given = dict[str, Any]
NEW: Final = {"organisation": "organisation_pen-centre", "name": "New", "scopes": ["cases:read"]}


def _keys() -> Given:
    return {"keys": [key_of("new").as_dict(private=False, kid=uuid4().hex)]}


async def _helper(world: World) -> Given:
    name = f"helper-{uuid4().hex}"
    await world.client(name, "pen-centre", ["cases:read"])
    return {"client": f"client_{name}"}


async def _colleague(world: World) -> Given:
    name = f"sara-{uuid4().hex}"
    known = {row["id"] for row in await world.admin.fetch("select id from usr")}
    await person(world, name, "pen", "pen-centre", EVERY_SCOPE)
    (new,) = {row["id"] for row in await world.admin.fetch("select id from usr")} - known
    return {"user": f"user_{new}"}


async def organisation(_: World) -> Given:
    """Let a partner in."""
    code = f"new-{uuid4().hex}"
    return {"code": code, "name": "New", "kind": "SISTER", "firstAdminEmail": f"a@{code}.example", "firstAdminName": "A"}  # fmt: skip


async def renamed(_: World) -> Given:
    """Call a partner something else."""
    return {"organisation": "organisation_pen-centre", "name": f"Renamed {uuid4()}"}


async def client(_: World) -> Given:
    """Register a program."""
    return {**NEW, "jwks": _keys()}


async def client_changed(world: World) -> Given:
    """Give a program other keys and another name."""
    return {**await _helper(world), "jwks": _keys(), "name": "Renamed"}


async def client_ended(world: World) -> Given:
    """End a program."""
    return {**await _helper(world), "reason": "Lost"}


async def user(_: World) -> Given:
    """Let a colleague in."""
    return {**NEW, "email": f"b-{uuid4().hex}@pen.example", "roles": ["PARTNER_STAFF"]}


async def user_changed(world: World) -> Given:
    """Call a colleague something else."""
    return {**await _colleague(world), "name": "Renamed"}


async def user_ended(world: World) -> Given:
    """Let a colleague go."""
    return {**await _colleague(world), "reason": "Left"}


async def _webhook(world: World, **changed: Any) -> Given:
    made, pen = uuid4(), world.organisations["pen-centre"]
    await world.admin.execute("delete from webhook")
    await world.insert("webhook", id=made, organisation=pen, url="https://a.example/", events=[], purpose="AUDIT", created_at="2026-05-01T00:00:00Z", **changed)  # fmt: skip
    return {"webhook": f"webhook_{made}"}


async def webhook(world: World) -> Given:
    """Have events sent."""
    await world.admin.execute("delete from webhook")
    return {"organisation": "organisation_pen-centre", "url": "https://b.example/hook", "events": ["ACCEPTED"]}


async def webhook_resumed(world: World) -> Given:
    """Go on sending after a pause."""
    return await _webhook(world, paused_at="2026-05-05T00:00:00Z")


async def webhook_deleted(world: World) -> Given:
    """Send nothing more."""
    return await _webhook(world)


async def proposed(_: World) -> Given:
    """Propose an agreement."""
    return {"organisation": "organisation_pen-centre", "purpose": "PROTECTION", "categories": ["OVERVIEW"]}


async def signed(world: World) -> Given:
    """Sign what was proposed."""
    made = uuid4()
    await world.agreement("pen-centre", id=made, approved_at=None)
    return {"agreement": f"agreement_{made}"}


async def agreement_ended(world: World) -> Given:
    """End what was proposed."""
    return {**await signed(world), "reason": "r"}


async def feed(_: World) -> Given:
    """Connect a sister's system."""
    code = f"form{uuid4().hex[:12]}"
    secrets = {"auth": {"scheme": "token", "secret": f"{code}_token"}, "doorbell": f"{code}_bell"}
    return {**FORM, "code": code, "settings": {**FORM["settings"], **secrets}}


async def _feed(world: World) -> Given:
    given = await feed(world)
    await done(world, "desk", "createFeed", given)
    return {"feed": f"feed_{given['code']}"}


async def feed_changed(world: World) -> Given:
    """Have a feed pulled less often."""
    return {**await _feed(world), "every": "PT1H"}


async def feed_rung(world: World) -> Given:
    """Have a feed pulled now."""
    return await _feed(world)
