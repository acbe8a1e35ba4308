"""This module times what happens once: a hub that starts, an agreement that opens 100,000 cases, and consents withdrawn."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.compare import free_port

CASES = 100_000
MORE_CASES = """
set session_replication_role = replica;
with made as (
  insert into case_file (id, status, discipline, origin, risk_level, opened_on, updated_at)
    select uuidv7(), 'APPLICANT', 'WRITER', 'ZZ', 'HIGH', date '2022-01-01', now() from generate_series(1, $1::int) returning id)
insert into consent (id, case_id, decision, organisation, categories, given_on, recorded_by)
  select gen_random_uuid(), id, 'ALLOW', null, '{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}', '2022-01-01', 1 from made;
set session_replication_role = origin;
"""
OPENS_ALL = """
insert into agreement (organisation, purpose, categories, valid_from, approved_at)
  values ($1, 'PROTECTION', '{OVERVIEW,PROFILE,IDENTITY,WHEREABOUTS}', '2022-01-01', '2022-01-01')
"""


async def ready(dsns: dict[str, str], keys: Path, times: int = 5) -> float:
    """Give the seconds from `hub serve` to a hub that says it is ready, its database up."""
    found = []
    for _ in range(times):
        port = free_port()
        told = {
            **os.environ,
            "HUB_ISSUER": f"http://127.0.0.1:{port}",
            "HUB_PORT": str(port),
            "HUB_DATABASE_URL": dsns["hub_app"],
            "HUB_AUTH_DATABASE_URL": dsns["hub_auth"],
            "HUB_WORKER_DATABASE_URL": dsns["hub_worker"],
            "HUB_KEYS_FILE": str(keys),
            "HUB_LOG_LEVEL": "ERROR",
        }
        begun = time.perf_counter()
        process = subprocess.Popen([Path(sys.executable).parent / "hub", "serve"], env=told)  # noqa: ASYNC220, S603 our own, at once
        try:
            while b" 200 " not in await _asked(port):
                await asyncio.sleep(0.01)
                if process.poll() is not None:
                    raise RuntimeError("hub serve ended instead of serving.")
            found.append(time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait()
    return statistics.median(found)


async def _asked(port: int) -> bytes:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        told = await reader.readline()
        writer.close()
    except OSError:
        return b""
    return told


async def agreement(admin: Any) -> float:
    """Give the seconds that an agreement takes which opens 100,000 cases to one organisation, all that follows included."""
    there = await admin.fetchval("select count(*) from case_file")
    await admin.execute(MORE_CASES.replace("$1", str(CASES - there)))
    await admin.execute("analyze case_file, consent")
    fresh = await admin.fetchval(
        "insert into organisation (code, name, kind) values ('fresh', 'Fresh', 'SISTER') returning id"
    )
    begun = time.perf_counter()
    await admin.execute(OPENS_ALL, fresh)
    lasted = time.perf_counter() - begun
    opened = await admin.fetchval("select count(*) from case_access where organisation = $1", fresh)
    if opened != CASES:
        raise RuntimeError(f"The agreement opened {opened} cases and not {CASES}.")
    return lasted


async def withdrawal(admin: Any, times: int = 30) -> float:
    """Give the seconds that withdrawing a consent takes, after which nobody sees the case who saw it by that consent."""
    found = []
    for row in await admin.fetch(
        "select id from consent where withdrawn_at is null and case_id is not null order by id limit $1", times
    ):
        begun = time.perf_counter()
        await admin.execute("update consent set withdrawn_at = hub_now() where id = $1", row["id"])
        found.append(time.perf_counter() - begun)
    return statistics.median(found)
