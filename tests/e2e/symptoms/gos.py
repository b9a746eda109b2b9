"""What a release of Go says that is built into neither dockerd here."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from cryptography import x509

from tests.e2e.older_go import PROGRAM
from tests.e2e.symptoms.clients import Asked
from tests.e2e.symptoms.producer import Producer

if TYPE_CHECKING:
    from tests.e2e.symptoms.stage import Stage


def _loaded(*names: str) -> Producer:
    dotted = any(name.endswith(".") for name in names)
    row = "trailing-dot" if dotted else ""

    def make(stage: Stage) -> Asked:
        shown = stage.papers.material(stage.papers.named(*map(x509.DNSName, names)))
        place = stage.files(shown)
        done = subprocess.run(
            [PROGRAM, place / "cert.pem", place / "key.pem"], capture_output=True, text=True, check=False
        )
        return Asked(done.returncode == 0, done.stderr)

    return Producer(row, f"go-{'-'.join(names)}", make, ("older-go",))


PRODUCERS = (_loaded("localhost."), _loaded("localhost", "web1.example."), _loaded("localhost", "web1.example"))
