"""Packages of npm that tests run: installed once, by exact versions and hashes, and kept in the environment."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest


def packages(pinned: Path) -> Path:
    """Give the folder node_modules of what a folder's package-lock.json pins."""
    npm = shutil.which("npm") if shutil.which("node") else None
    if npm is None:
        missing("node and npm are not on this machine")
    lock = (pinned / "package-lock.json").read_bytes()
    kept = Path(sys.prefix) / "node" / hashlib.sha256(lock).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        folder = tempfile.mkdtemp(dir=kept.parent)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, folder)
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder]
        if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 our own
            shutil.rmtree(folder)
            missing(f"npm could not install what {pinned.name}/package-lock.json pins: is the registry reachable?")
        # Of two that install at once, the second finds the same there already.
        with suppress(OSError):
            Path(folder).rename(kept)
        shutil.rmtree(folder, ignore_errors=True)
    return kept / "node_modules"


def missing(reason: str) -> None:
    """Skip what this machine cannot run; where changes are judged, nothing is skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
