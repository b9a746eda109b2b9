"""dockerode from the npm registry, by the lock file beside the client: no install script is run.

`python3 -m tests.e2e.dockerode` fetches it; tests only look whether it is there.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.newer import CACHE

CLIENTS = Path(__file__).with_name("clients")
LOCK = CLIENTS / "package-lock.json"
PLACE = CACHE / f"dockerode-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
MODULES = PLACE / "node_modules"


def fetch() -> None:
    """Download it, and give it its name when all of it is there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work) / "dockerode"
        folder.mkdir()
        for file in ("package.json", LOCK.name):
            shutil.copy(CLIENTS / file, folder)
        options = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", f"--cache={work}/cache"]
        subprocess.run(["npm", "ci", *options], check=True, cwd=folder)
        folder.rename(PLACE)


if __name__ == "__main__":
    if not MODULES.exists():
        fetch()
    sys.exit(0 if MODULES.exists() else 1)
