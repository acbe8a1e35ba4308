"""Key files in tests, and the operator who changes them as from a shell."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path

from auth.client import HubClient, over_httpx
from tests.conftest import Database
from tests.hub.shell import Run, Said
from tests.world import KEYRING, World


def key_file(folder: Path, name: str = "keys.json") -> Path:
    """Write the file of the keys that tests seal with."""
    keks, roots = ({n: b64encode(key).decode() for n, key in keys.items()} for keys in (KEYRING.keks, KEYRING.roots))
    file = folder / name
    file.write_text(json.dumps({"keks": keks, "current": KEYRING.current, **roots}))
    file.chmod(0o600)
    return file


def urls(database: Database, keys: Path) -> dict[str, str]:
    """What an operator's shell has set."""
    names = {"DATABASE": "app", "AUTH_DATABASE": "auth", "WORKER_DATABASE": "worker"}
    dsns = {f"HUB_{name}_URL": database.dsn(f"hub_{role}") for name, role in names.items()}
    return {**dsns, "HUB_KEYS_FILE": str(keys)}


async def epochs(hub: Run, world: World, file: Path, *command: str) -> Said:
    """Run `hub epochs ...`."""
    return await asyncio.to_thread(hub, "epochs", *command, **urls(world.database, file))


def beside(world: World, other: World, *clients: str) -> World:
    """Let clients of one hub process ask another one."""
    other.organisations |= world.organisations
    for name in clients:
        known = world.clients[name].credentials
        other.clients[name] = HubClient(known, over_httpx(other.http), clock=lambda: other.now)
    return other
