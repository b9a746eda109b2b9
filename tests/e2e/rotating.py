"""What tests of a certificate's life share: a secured host with a container, and a load of connections."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.lab import PROGRAM, host
from tests.e2e.shapes import BOOTSTRAP, PHRASE, SHAPES, prepared

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.e2e.lab import Lab

SIGNED = ("--passphrase-file", PHRASE, "--yes")
ENDPOINT = "tcp://127.0.0.1:2376"
CURL_REFUSED = frozenset({35, 55, 56})
"""How curl ends when the server turns it away in the handshake, or right after it."""
HALF = 25  # connections a second, of each of two clients


class Load:
    """Fresh connections of one client until it is stopped, with the files that lie in a folder at each moment."""

    def __init__(self, lab: Lab, folder: str) -> None:
        words = ("--rate", str(HALF), "--seconds", "600", "--until", f"{folder}/stop", folder)
        self._lab, self._folder = lab, folder
        self._process: subprocess.Popen[bytes] = lab.start(sys.executable, "-m", "tests.e2e.load", *words)

    def stopped(self) -> dict[str, int]:
        """How many were answered, refused, rejected and cut."""
        self._lab.write(f"{self._folder}/stop", "")
        out, err = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, err.decode()
        seen: dict[str, int] = json.loads(out)
        return seen


def assert_nobody_was_refused(seen: dict[str, int]) -> None:
    """Those in flight as the old dockerd ends are cut by releases before 24; nothing else may go wrong."""
    assert seen.get("refused", 0) == seen.get("rejected", 0) == 0, seen
    assert seen["answered"] > 10 * seen.get("cut", 0), seen


def refused(lab: Lab, folder: str) -> bool:
    """Whether a client is kept out, who trusts the server that there is."""
    files = f"--cacert /root/.docker/ca.pem --cert {folder}/cert.pem --key {folder}/key.pem"
    seen = lab.run("bash", "-c", f"curl -sS {files} https://127.0.0.1:2376/_ping")
    assert seen.returncode in {0, *CURL_REFUSED}, seen.stderr
    return seen.returncode != 0


@contextmanager
def secured() -> Iterator[tuple[Lab, str]]:
    """A host with a container, secured; and the process id of the container."""
    with host("lambda", SHAPES["debian"].laid_out) as lab:
        prepared(lab).output(*PROGRAM, *BOOTSTRAP)
        lab.image()
        yield lab, lab.container("lasting")
