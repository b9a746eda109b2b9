"""Hosts that are up: what a look at one costs, and what a restart of its dockerd refuses, style by style in turn."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.bench import environment
from tests.bench.figures import Figure
from tests.bench.rounds import medians
from tests.e2e.lab import host
from tests.e2e.shapes import BOOTSTRAP, NAME, SHAPES, prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.lab import Lab

SHOW_TARGET, DRY_RUN_TARGET = 0.4, 0.5  # seconds
RATE, SECONDS = 50, 3  # connections a second, and how long around one restart
RESTARTS = 20
STYLES = ("socket", "env")
OTHER_FILES = {"/etc/sysconfig/docker": 'OPTIONS="--debug"\n', "/etc/conf.d/docker": 'DOCKER_OPTS="--debug"\n'}
"""Of other packagings: nobody reads them here, and each is looked at."""
RESTART = "sleep 1; systemctl reset-failed docker.service docker.socket; systemctl restart docker.service"


def host_figures(scale: float) -> list[Figure]:
    """All of them, on two hosts that differ in the style alone."""
    with ExitStack() as stack:
        labs = {style: stack.enter_context(host(style, SHAPES["debian"].laid_out)) for style in STYLES}
        for style, lab in labs.items():
            prepared(lab).output(str(environment.DOCKERTLS), *BOOTSTRAP, "--style", style)
        return [*_looks(labs["socket"], scale), *_refused(labs, scale)]


def _looks(lab: Lab, scale: float) -> list[Figure]:
    for path, text in OTHER_FILES.items():
        lab.write(path, text)
    commands = {
        "daemon show": (("daemon", "show"), SHOW_TARGET),
        "daemon configure --dry-run": (("daemon", "configure", "--server", NAME, "--dry-run"), DRY_RUN_TARGET),
    }
    runs = [_inside(lab, *words) for words, _ in commands.values()]
    times = medians("looks", max(3, round(21 * scale)), *runs)
    return [
        Figure(f"{title}, on a host with every file", f"{taken:.3f} s", taken, target, "s")
        for (title, (_, target)), taken in zip(commands.items(), times, strict=True)
    ]


def _inside(lab: Lab, *words: str) -> Callable[[], Callable[[], None]]:
    """As it is installed: compiled, and not from this tree."""
    installed = {"PYTHONPATH": ""}
    return lambda: lambda: _ignore(lab.output(str(environment.DOCKERTLS), *words, environment=installed))


def _ignore(_: object) -> None:
    """What was said does not matter here."""


def _refused(labs: dict[str, Lab], scale: float) -> list[Figure]:
    """Connections that were refused over all restarts; those cut in flight are told apart."""
    restarts = max(2, round(RESTARTS * scale))
    seen: dict[str, Counter[str]] = {style: Counter() for style in labs}
    for number in range(restarts):
        sys.stderr.write(f"\rrestarts: {number}/{restarts} ")
        sys.stderr.flush()
        for style, lab in labs.items():
            seen[style] += _around_a_restart(lab)
    sys.stderr.write("\n")
    title = f"refused over {restarts} restarts at {RATE}/s"
    targets = {"socket": 0.0}
    return [
        Figure(f"{title}, style {style}", _told(counts), float(counts["refused"]), targets.get(style))
        for style, counts in seen.items()
    ]


def _around_a_restart(lab: Lab) -> Counter[str]:
    words = ("--rate", str(RATE), "--seconds", str(SECONDS), "/root/.docker")
    load = lab.start(sys.executable, "-m", "tests.e2e.load", *words)
    lab.shell(RESTART)
    return Counter(json.loads(load.communicate(timeout=120)[0]))


def _told(counts: Counter[str]) -> str:
    return f"{counts['refused']} refused, {counts['cut']} cut in flight, of {counts.total()}"
