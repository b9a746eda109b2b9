"""Connections that come while dockerd is restarted: with style socket none is refused."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, host
from tests.e2e.shapes import BOOTSTRAP, NAME, PHRASE, SHAPES, prepared

if TYPE_CHECKING:
    import subprocess

    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker")

SIGNED = ("--passphrase-file", PHRASE, "--yes")
RATE, SECONDS, RESTARTS = 50, 12, 4
RESTART = "systemctl reset-failed docker.service docker.socket; systemctl restart docker.service"


def begun(lab: Lab) -> subprocess.Popen[bytes]:
    words = ("--rate", str(RATE), "--seconds", str(SECONDS), "/root/.docker")
    return lab.start(sys.executable, "-m", "tests.e2e.load", *words)


def ended(load: subprocess.Popen[bytes]) -> dict[str, int]:
    out, err = load.communicate(timeout=120)
    assert load.returncode == 0, err.decode()
    seen: dict[str, int] = json.loads(out)
    assert sum(seen.values()) == RATE * SECONDS
    return seen


def assert_none_refused(seen: dict[str, int]) -> None:
    """Those in flight as the old dockerd ends are cut by releases before 24: the busier the machine, the more."""
    assert seen.get("refused", 0) == 0, seen
    assert seen["answered"] > RATE * SECONDS / 2, seen


@pytest.mark.parametrize("shape", ["debian", "docker-ce"])
def test_a_restart_refuses_no_connection(shape: str) -> None:
    with host("lambda", SHAPES[shape].laid_out) as lab:
        prepared(lab).output(*PROGRAM, *BOOTSTRAP)
        load = begun(lab)
        for _ in range(RESTARTS):
            lab.shell(RESTART)
        assert_none_refused(ended(load))

        lab.output(*PROGRAM, "server", "issue", NAME, "--san", "127.0.0.1", "--san", "192.0.2.1", *SIGNED)
        load = begun(lab)
        lab.output(*PROGRAM, "server", "install", NAME, "--yes")
        assert_none_refused(ended(load))
