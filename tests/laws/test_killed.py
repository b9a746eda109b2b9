"""Every kind of change, and commands that go with it, killed or refused at every system call that changes something.

A running system is a folder here: the commands of a plan, real ones, make it follow the host's files.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply, history, recover
from dockertls.host import LocalHost
from dockertls.plan import Directory, File, Link
from tests.e2e.scenarios import MEMORY, everywhere, some
from tests.e2e.strace import killed, traced
from tests.laws.trees import Tree, plan_between, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.strace import Point

pytestmark = pytest.mark.needs("root", "strace")
RUN = Run(datetime(2026, 11, 23, tzinfo=UTC), who="law")
SHELL = "/bin/busybox"

ONE: Tree = {
    Path("/t"): Directory(),
    Path("/t/altered"): Directory(0o755, (0, 0)),
    Path("/t/altered/kept"): File(b"kept"),
    Path("/t/emptied"): Directory(0o750, (1, 1)),
    Path("/t/emptied/gone"): File(b"gone", 0o640, (1, 1)),
    Path("/t/emptied/gone-too"): Link("gone"),
    Path("/t/file"): File(b"old", 0o640, (1000, 1001)),
    Path("/t/file-to-folder"): File(b"old", 0o600),
    Path("/t/file-to-link"): File(b"old", 0o4755),
    Path("/t/link"): Link("old"),
    Path("/t/link-to-folder"): Link("emptied"),
    Path("/t/folder-to-file"): Directory(0o700),
    Path("/t/folder-to-file/inner"): Directory(0o700),
    Path("/t/folder-to-file/inner/gone"): File(b"gone"),
}
OTHER: Tree = {
    Path("/t"): Directory(),
    Path("/t/altered"): Directory(0o2750, (1000, 1001)),
    Path("/t/altered/kept"): File(b"kept"),
    Path("/t/file"): File(b"new", 0o600, (1, 1)),
    Path("/t/file-to-folder"): Directory(0o755, (1, 1)),
    Path("/t/file-to-folder/new"): File(b"new", 0o600),
    Path("/t/file-to-link"): Link("file"),
    Path("/t/link"): Link("new"),
    Path("/t/link-to-folder"): Directory(0o700, (1, 1)),
    Path("/t/link-to-folder/new"): Link("../file"),
    Path("/t/folder-to-file"): File(b"new", 0o600),
}


@dataclass(frozen=True)
class Case:
    """A plan, and the host before and after it."""

    before: Tree
    after: Tree

    def apply(self, root: DiskPath) -> None:
        apply(plan_between(self.before, self.after), LocalHost(str(root)), RUN)

    @contextmanager
    def host(self, folder: DiskPath, name: str) -> Iterator[DiskPath]:
        root = folder / name
        root.mkdir()
        try:
            write(LocalHost(str(root)), self.before)
            yield root
        finally:
            shutil.rmtree(root)

    def assert_either(self, root: DiskPath) -> None:
        host = LocalHost(str(root))
        assert read(host) == (self.after if history(host) else self.before)
        assert recover(host) is None


CASES = {"there": Case(ONE, OTHER), "and-back": Case(OTHER, ONE), "made": Case({}, ONE), "gone": Case(ONE, {})}


@pytest.fixture
def folder() -> Iterator[DiskPath]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        yield DiskPath(made)


def points_of(case: Case, folder: DiskPath) -> tuple[Point, ...]:
    with case.host(folder, "first") as root:
        case.apply(root)
        assert read(LocalHost(str(root))) == case.after
    with case.host(folder, "undisturbed") as root:
        return traced(partial(case.apply, root), root).points


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_call(name: str, folder: DiskPath, every: int) -> None:
    case = CASES[name]
    everywhere(lambda point: _killed(case, folder, point, every), some(points_of(case, folder), every), folder)


def _killed(case: Case, folder: DiskPath, point: Point, every: int) -> None:
    with case.host(folder, f"traced-{point.at}") as root:
        killed(partial(case.apply, root), root, point)
        back = traced(lambda: recover(LocalHost(str(root))), root).points
        case.assert_either(root)
    for second in some(back, 3 * every):
        with case.host(folder, f"killed-{point.at}") as root:
            killed(partial(case.apply, root), root, point)
            killed(lambda: recover(LocalHost(str(root))), root, second)
            recover(LocalHost(str(root)))
            case.assert_either(root)
