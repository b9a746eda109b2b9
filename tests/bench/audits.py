"""What an audit costs: of a host whose dockerd runs with TLS, and of what was gathered of a thousand hosts."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
from typing import TYPE_CHECKING

from dockertls.audit.catalogue import judged
from dockertls.audit.gathered import seen
from dockertls.audit.loaded import parse
from dockertls.audit.seen import Expected
from tests.bench import environment
from tests.bench.checks import CACHE
from tests.bench.figures import Figure
from tests.bench.fleet import documents
from tests.bench.rounds import medians
from tests.e2e.lab import host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.lab import Lab

WHOLE_TARGET, JUDGING_TARGET = 0.9, 5.0  # seconds
HOSTS = 1_000
FASTER = 3.0  # times
BENCH = CACHE / "docker-bench-security"
"""A checkout of it, which no registry of packages has."""
SECTIONS = "host_configuration,docker_daemon_configuration,docker_daemon_configuration_files"
RIVAL = ("sh", "-c", f"cd {BENCH} && exec sh docker-bench-security.sh -b -c {SECTIONS}")
WORDS = {"audit": ("audit",), "facts": ("facts",), "check": ("check",)}


def audit_figures(scale: float) -> list[Figure]:
    """All of it on one host, handshakes included, beside gathering and looking alone, and a rival."""
    with host("audited") as lab:
        lab.output(str(environment.DOCKERTLS), "bootstrap", "audited", "--no-passphrase", "--yes")

        def run(*argv: str) -> Callable[[], Callable[[], None]]:
            return lambda: lambda: _ignore(lab.run(*argv, environment={"PYTHONPATH": ""}).stdout)

        own = [run(str(environment.DOCKERTLS), *words) for words in WORDS.values()]
        rivals = [run(*RIVAL)] if _is_there(lab) else []
        whole, gathering, checking, *theirs = medians("audit", max(3, round(21 * scale)), *own, *rivals)
    told = f"{whole:.3f} s; facts alone {gathering:.3f} s, check alone {checking:.3f} s"
    figures = [Figure("audit of a live host, whole process", told, whole, WHOLE_TARGET, "s")]
    title = "audit, times as fast as docker-bench-security, sections 1 to 3"
    beside = [(f"{whole:.3f} s, docker-bench-security {one:.2f} s", one / whole) for one in theirs]
    return figures + [Figure(title, *row, FASTER, more_is_better=True) for row in beside]


def _is_there(lab: Lab) -> bool:
    """Whether docker-bench-security can be run there, and says something."""
    found = "[PASS]" in lab.run(*RIVAL).stdout
    if not found:
        sys.stderr.write(f"audit: left out, docker-bench-security is not at {BENCH}\n")
    return found


def judging_figure(folder: Path) -> Figure:
    """A process a core judges files that `dockertls facts` wrote, one after the other."""
    place = environment.fresh(folder)
    paths = [place / f"{number}.json" for number in range(HOSTS)]
    for path, document in zip(paths, documents(HOSTS), strict=True):
        path.write_text(document)
    begin = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(initializer=gc.freeze) as pool:  # as Python advises where one forks
        verdicts = sum(pool.map(_verdicts, paths, chunksize=20))
    taken = time.perf_counter() - begin
    told = f"{verdicts:,} verdicts in {taken:.1f} s on {multiprocessing.cpu_count()} cores"
    return Figure(f"judging the facts of {HOSTS:,} hosts", told, taken, JUDGING_TARGET, "s")


def _verdicts(path: Path) -> int:
    return len(list(judged(seen(parse(path.read_bytes(), str(path)), Expected()))))


def _ignore(_: str) -> None:
    pass
