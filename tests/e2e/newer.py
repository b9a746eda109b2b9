"""A newer dockerd beside the machine's own: a later Debian's package, downloaded once, unpacked and never installed.

`python3 -m tests.e2e.newer` fetches it; tests only look whether it is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("DOCKERTLS_TEST_CACHE", "/var/cache/dockertls-tests"))
SUITE = "trixie"
PLACE = CACHE / SUITE
DOCKERD = PLACE / "usr/sbin/dockerd"

SOURCE = f"""Types: deb
URIs: http://deb.debian.org/debian
Suites: {SUITE}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def fetch() -> None:
    """Download and unpack it, by an apt that knows nothing of the machine's own packages and leaves them alone."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work)
        for name in ("sources", "lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "sources/newer.sources").write_text(SOURCE)
        options = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": folder / "sources",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "--quiet", *(f"--option={key}={value}" for key, value in options.items())]
        subprocess.run([*apt, "update"], check=True, cwd=folder)
        subprocess.run([*apt, "download", "docker.io"], check=True, cwd=folder)
        package = next(folder.glob("docker.io_*.deb"))
        subprocess.run(["dpkg-deb", "--extract", package, folder / "root"], check=True)
        (folder / "root").rename(PLACE)


if __name__ == "__main__":
    if not DOCKERD.exists():
        fetch()
    sys.exit(subprocess.run([DOCKERD, "--version"], check=False).returncode)
