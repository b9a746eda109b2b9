"""Renewal and rotation are killed on a real host under load, and run again: nobody is refused, no container ends."""

from __future__ import annotations

import random
import sys
import time
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.rotation import LAST
from tests.e2e.lab import JOURNALS, KILLED, PROGRAM
from tests.e2e.rotating import SIGNED, Load, assert_nobody_was_refused, refused, secured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "curl")

ROTATE = ("ca", "rotate", "--now", *SIGNED)
RENEW = ("renew", "--all", *SIGNED)
HOOK, TOLD = "/opt/lab/hook", "/opt/lab/told"
HOOK_TEXT = f"#!/bin/sh\n: >{TOLD}\n"
TIMED_OUT = 137
SHORTEST = 0.5  # of the time that a change takes with the start of the program
LONGEST = {"ca": 2.4, "renew": 1.2}  # a rotation is several changes
FOREVER = 100.0  # seconds
DEATHS = 8  # by chance, then the run is left alone

ENDING = """
import os, signal, sys
from dockertls.cli.app import run
from dockertls.host import LocalHost

rename = LocalHost.rename

def ending(self, old, new):
    rename(self, old, new)
    if new.parent.name == "history":
        os.kill(os.getpid(), signal.SIGKILL)

LocalHost.rename = ending
run(sys.argv[1:])
"""
"""A run that kills itself when a change has become history: at the boundary of a phase."""


def ends_at_a_boundary(lab: Lab, *words: str) -> bool:
    """Run a command that dies after its first change. Returns whether it died."""
    done = lab.run(sys.executable, "-c", ENDING, *words)
    assert done.returncode in {0, KILLED}, done.stderr
    return done.returncode == KILLED


def ends_after(lab: Lab, seconds: float, *words: str) -> bool:
    """Run a command that is killed after a time, but nothing that it runs. Returns whether it was killed."""
    done = lab.run("timeout", "--foreground", "--signal=KILL", f"{seconds:.2f}", *PROGRAM, *words)
    assert done.returncode in {0, TIMED_OUT}, done.stderr
    return done.returncode == TIMED_OUT


def is_settled(lab: Lab, authority: str) -> bool:
    """Whether an authority is the one in use, and no change and no rotation is under way."""
    ca = lab.path("/etc/dockertls/ca")
    left = (*map(lab.path, JOURNALS), ca / "rotation.json")
    return str((ca / "current").readlink()) == authority and not any(path.exists() for path in left)


def rotated(lab: Lab, authority: str, runs: Callable[[], bool]) -> int:
    """Rotate to an authority, again as often as a run dies. Returns how often one did."""
    deaths = 0
    while not is_settled(lab, authority):
        died = runs()
        assert died or is_settled(lab, authority)
        deaths += died
        assert deaths <= DEATHS
    return deaths


def test_killed_and_run_again_nobody_is_refused() -> None:
    chance = random.Random(4)  # noqa: S311 - moments, not secrets
    with secured() as (lab, container):
        lab.shell("cp -a /root/.docker /root/first")
        loads = [Load(lab, "/root/.docker"), Load(lab, "/root/.docker")]

        begun = time.monotonic()
        boundaries = rotated(lab, "0002", lambda: ends_at_a_boundary(lab, *ROTATE))
        assert boundaries >= LAST.number
        lab.shell("cp -a /root/.docker /root/second")
        moments = _moments(chance, (time.monotonic() - begun) / boundaries, LONGEST["ca"])
        assert rotated(lab, "0003", lambda: ends_after(lab, next(moments), *ROTATE, "--name", "third")) > 1

        begun = time.monotonic()
        lab.output(*PROGRAM, *RENEW)
        moments = _moments(chance, time.monotonic() - begun, LONGEST["renew"])
        assert sum(ends_after(lab, next(moments), *RENEW) for _ in range(DEATHS)) > 1
        lab.write(HOOK, HOOK_TEXT, 0o755)
        assert ends_at_a_boundary(lab, *RENEW, "--deploy-hook", HOOK)
        assert not lab.path(TOLD).exists()
        lab.output(*PROGRAM, "renew", *SIGNED, "--deploy-hook", HOOK)
        assert lab.path(TOLD).exists()

        for load in loads:
            assert_nobody_was_refused(load.stopped())
        assert refused(lab, "/root/first")
        assert refused(lab, "/root/second")
        assert not refused(lab, "/root/.docker")
        assert lab.container_pid("lasting") == container
        assert lab.dockertls("status").returncode == 0
        lab.output(*PROGRAM, "check", "127.0.0.1")
        assert lab.output(*PROGRAM, "renew", "--check", *SIGNED) == "nothing to do"


def _moments(chance: random.Random, span: float, longest: float) -> Iterator[float]:
    """When to kill a run, in seconds from its start; at last when it is over by itself."""
    yield from (span * chance.uniform(SHORTEST, longest) for _ in range(DEATHS))
    yield from repeat(FOREVER)
