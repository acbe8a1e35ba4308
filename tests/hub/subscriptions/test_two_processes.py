"""What ends the right to a subscription ends it in every process: by a call, and where the call is lost, by looking again."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import httpx2
import pytest

from auth.client import assertion
from tests.hub.person import person
from tests.hub.subscriptions.kit import EVENTS, Hub
from tests.hub.subscriptions.test_endings import ENDS, name_of
from tests.hub.test_ceiling import restored
from tests.hub.test_worker import heard, running
from tests.world import KEYS, key_of

AGREEMENT_ENDED = "update agreement set ended_at = hub_now()"
UNDO = (
    "update organisation set suspended_at = null",
    "update client set status = 'ACTIVE', scopes = (select scopes from client where client_id = 'desk')",
    "update agreement set ended_at = null",
)
LISTENING = "select count(*) from pg_stat_activity where query ilike 'listen %' and datname = current_database() and application_name = 'hub serve'"
LISTENERS = LISTENING.replace("count(*)", "count(pg_terminate_backend(pid))")


@pytest.fixture
async def far(hub: Hub, tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[tuple[Hub, Any]]:
    """Another process of the same hub."""
    keys, dsn = tmp_path / "keys.json", hub.world.database.dsn
    keys.write_text(KEYS)
    keys.chmod(0o600)
    given = {f"HUB_{name}_URL": dsn(role) for name, role in (("DATABASE", "hub_app"), ("AUTH_DATABASE", "hub_auth"), ("WORKER_DATABASE", "hub_worker"))}  # fmt: skip
    async with running(
        "serve", HUB_ISSUER=hub.issuer, HUB_PORT=str(unused_tcp_port), HUB_KEYS_FILE=str(keys), **given
    ) as process:
        await heard(process, "hub.serving")
        yield replace(hub, address=f"http://127.0.0.1:{unused_tcp_port}"), process


async def revoke(hub: Hub, token: str) -> None:
    """Give a token back, to this process."""
    async with httpx2.AsyncClient() as http:
        client = hub.client("pen", http)
        signed = assertion(client.credentials, key_of("pen"), time())
        form = {"token": token, "client_assertion": signed, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
        assert (await http.post(f"{hub.issuer}/oauth/revoke", data=form)).status_code == 200


async def test_it_ends_in_another_process(far: tuple[Hub, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ended it: at once by a call, and again when the connection that listens was ended in the very transaction. Then SIGTERM."""
    hub, process = far
    admin = hub.world.admin
    await restored(hub.world)
    await hub.world.agreement("pen-centre")
    found = {}
    for lost in (False, True):
        for how in ("revocation", *ENDS, "its agreement ended"):
            token = await hub.token("pen")
            async with hub.stream("pen", EVENTS, token) as stream, hub.socket("pen", token) as socket:
                await socket.follow("1", EVENTS)
                if how == "revocation" and not lost:
                    await revoke(hub, token)
                else:
                    # It listens anew a moment after it was cut off the last time.
                    while lost and not await admin.fetchval(LISTENING):  # noqa: ASYNC110 another process does
                        await asyncio.sleep(0.05)
                    async with admin.transaction():
                        sql = {**ENDS, "revocation": ENDS["its token revoked"], "its agreement ended": AGREEMENT_ENDED}
                        await admin.execute(sql[how].replace("{token}", name_of(token)))
                        assert not lost or await admin.fetchval(LISTENERS) == 1
                last, _ = await stream.next(), await stream.next()
                found[how, lost] = last["errors"][0]["extensions"]["code"], (await socket.closed())[0]
            for statement in UNDO:
                await admin.execute(statement)
    assert set(found.values()) == {("UNAUTHENTICATED", 4401)}, found

    monkeypatch.setattr("tests.hub.person.ISSUER", hub.issuer)
    hub.world.now = time()
    sara = await person(hub.world, "sara", "pen", "pen-centre", ["referrals:read"])
    key, hers = sara._proof_key, sara._token  # noqa: SLF001 she has a key of her own
    assert hers is not None
    with monkeypatch.context() as patch:
        patch.setattr("tests.hub.subscriptions.kit.key_of", lambda _: key)
        async with hub.socket("pen", hers.value) as socket:
            await admin.execute("update usr set status = 'DISABLED'")
            assert (await socket.closed())[0] == 4401

    async with hub.stream("pen", EVENTS) as stream, hub.socket("pen") as socket:
        process.send_signal(signal.SIGTERM)
        last, end, closed = await stream.next(), await stream.next(), await socket.closed()
    assert ([e["extensions"]["code"] for e in last["errors"]], end) == (["SERVICE_UNAVAILABLE"], None)
    assert closed[0] == 1001
    assert await process.wait() == 0
