"""Figures of a store that has grown: one certificate more, and a thousand renewed."""

from __future__ import annotations

import os
import shutil
from itertools import count
from typing import TYPE_CHECKING

from tests.bench import environment
from tests.bench.figures import Figure
from tests.bench.rounds import medians

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GROWN = 10_000
GROWN_TARGET = 1.3  # times what one takes in a store that is empty
DUE = 1_000
DUE_TARGET = 500.0  # certificates a second


def life_figures(folder: Path, scale: float) -> list[Figure]:
    """Both, in file trees below a folder."""
    return [_one_more(folder, scale), _renewed(folder, scale)]


def _words(root: Path, *words: str) -> list[str]:
    return [str(environment.DOCKERTLS), "--root", str(root), *words, "--yes"]


def _store(folder: Path, name: str, clients: int, *options: str) -> Path:
    """A file tree with a store that holds so many clients."""
    root = folder / name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    environment.run(_words(root, "ca", "init", "--no-passphrase"), root)
    for first in range(0, clients, DUE):
        names = [f"c{number:05}" for number in range(first, min(clients, first + DUE))]
        environment.run(_words(root, "client", "issue", *names, *options), root)
    return root


def _one_more(folder: Path, scale: float) -> Figure:
    """One certificate into an empty store and into one of ten thousand, in turn."""
    numbers = count()
    roots = (_store(folder, "empty", 0), _store(folder, "grown", GROWN))

    def issuing(root: Path) -> Callable[[], Callable[[], None]]:
        def prepare() -> Callable[[], None]:
            argv = _words(root, "client", "issue", f"more{next(numbers)}")
            return lambda: environment.run(argv, root)

        return prepare

    empty, grown = medians("one more", max(3, round(31 * scale)), *map(issuing, roots))
    seen = f"empty store {empty:.3f} s, {GROWN:,} certificates {grown:.3f} s"
    return Figure(f"one more into {GROWN:,}", seen, grown / empty, GROWN_TARGET)


def _renewed(folder: Path, scale: float) -> Figure:
    """A thousand that are due, start-up included; on a copy of its own each time.

    None is removed on the way: ext4 makes the next files slowly where many were removed in the last minute.
    """
    ready, numbers = _store(folder, "due", DUE, "--days", "30"), count()

    def prepare() -> Callable[[], None]:
        root = folder / f"renewed-{next(numbers)}"
        shutil.copytree(ready, root, symlinks=True)
        os.sync()  # what the copy left to be written is not the run's
        argv = _words(root, "renew", "--within", "5w", "--days", "397")
        return lambda: environment.run(argv, root)

    (taken,) = medians("renewals", max(3, round(9 * scale)), prepare)
    made = sum(1 for _ in folder.glob("renewed-*/etc/dockertls/clients/*/0002/cert.pem"))
    if made != (wanted := DUE * next(numbers)):
        raise SystemExit(f"{made} of {wanted} were renewed")
    return Figure(f"renew {DUE:,} that are due", f"{taken:.2f} s", DUE / taken, DUE_TARGET, "/s", more_is_better=True)
