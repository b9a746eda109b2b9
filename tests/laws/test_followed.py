"""A system that follows its files when it is told to, killed or refused at every call: it never listens without TLS.

The system is a folder of the host, /run/now, and what makes it follow /etc/d are real commands, run in a chroot.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply, history, recover
from dockertls.host import LocalHost
from dockertls.plan import Change, Command, File, Plan
from dockertls.undo import plan_undo, undoable
from tests.e2e.faults import ERRORS, filling
from tests.e2e.program import forked
from tests.e2e.scenarios import MEMORY, everywhere, some
from tests.e2e.strace import failing, killed, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.program import Ran
    from tests.e2e.strace import Point

pytestmark = pytest.mark.needs("busybox", "root", "strace")
RUN = Run(datetime(2026, 11, 23, tzinfo=UTC), who="law")
HERE = LocalHost("/")
TLS, LISTENER = Path("/etc/d/tls"), Path("/etc/d/listener")
OLD = {"tls": b"1", "listener": b"1"}


def command(*words: str) -> Command:
    return Command(("/bin/busybox", *words), "as systemctl would")


FOLLOW = (command("rm", "-rf", "/run/now"), command("cp", "-a", "/etc/d", "/run/now"))
CLOSE = (command("rm", "-f", "/run/now/listener"),)
OPENED = Plan(
    "open",
    (Change(TLS, None, File(b"1"), "TLS"), Change(LISTENER, None, File(b"1"), "it listens", back=CLOSE)),
    (),
    FOLLOW,
)
CHANGED = Plan(
    "change",
    (Change(TLS, File(b"1"), File(b"2"), "TLS"), Change(LISTENER, File(b"1"), File(b"2"), "it listens")),
    (),
    FOLLOW,
)


def undo() -> None:
    apply(plan_undo(HERE, undoable(history(HERE))[-1:]), HERE, replace(RUN, undoes=(1,)))


@dataclass(frozen=True)
class Case:
    """What is done, on a system that is open already or is not, and what it is then."""

    act: Callable[[], object]
    opened: bool
    after: dict[str, bytes]

    @property
    def before(self) -> dict[str, bytes]:
        return OLD if self.opened else {}

    @contextmanager
    def host(self, folder: DiskPath, name: str) -> Iterator[DiskPath]:
        root = folder / name
        for path in ("bin", "dev", "etc/d", "run/now", "var/lib/dockertls"):
            (root / path).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin")
        os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        try:
            if self.opened:
                ran = inside(root, partial(apply, OPENED, HERE, RUN))
                assert ran.code == 0, ran
            yield root
        finally:
            shutil.rmtree(root)

    def assert_either(self, root: DiskPath, *, followed: bool = True) -> None:
        done = len(history(LocalHost(str(root)))) > self.opened
        assert nodes(root / "etc/d") == (self.after if done else self.before)
        assert not followed or nodes(root / "run/now") == nodes(root / "etc/d")
        assert_safe(root)
        assert not {path.name for path in (root / "var/lib/dockertls").iterdir()} - {"lock", "history"}


CASES = {
    "open": Case(partial(apply, OPENED, HERE, RUN), opened=False, after=OLD),
    "change": Case(partial(apply, CHANGED, HERE, RUN), opened=True, after={"tls": b"2", "listener": b"2"}),
    "undo": Case(undo, opened=True, after={}),
}


def entered(root: DiskPath, act: Callable[[], object]) -> Callable[[], object]:
    """The same, where the root is the host's."""

    def enter() -> object:
        os.chroot(root)
        os.chdir("/")
        return act()

    return enter


def inside(root: DiskPath, act: Callable[[], object]) -> Ran:
    return forked(entered(root, act))


def nodes(folder: DiskPath) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_safe(root: DiskPath) -> None:
    """What listens has its TLS, now and if it were started again."""
    if (root / "run/now/listener").exists():
        assert (root / "run/now/tls").exists()
        assert (root / "etc/d/tls").exists()
    if (root / "etc/d/listener").exists():
        assert (root / "etc/d/tls").exists()


@pytest.fixture
def folder() -> Iterator[DiskPath]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        yield DiskPath(made)


def points_of(case: Case, folder: DiskPath) -> tuple[Point, ...]:
    with case.host(folder, "first") as root:
        ran = inside(root, case.act)
        assert ran.code == 0, ran
        case.assert_either(root)
    with case.host(folder, "undisturbed") as root:
        return traced(entered(root, case.act), root).points


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_call(name: str, folder: DiskPath, every: int) -> None:
    case = CASES[name]
    everywhere(lambda point: _killed(case, folder, point, every), some(points_of(case, folder), every), folder)


def _killed(case: Case, folder: DiskPath, point: Point, every: int) -> None:
    for meanwhile in ((), FOLLOW):  # somebody else may make the system follow what lies there half-way
        with _left(case, folder, point, meanwhile) as root:
            again = traced(entered(root, recovered), root).points
            case.assert_either(root, followed=not meanwhile)
        for second in some(again, every):
            with _left(case, folder, point, meanwhile) as root:
                killed(entered(root, recovered), root, second)
                assert_safe(root)
                assert inside(root, recovered).code == 0
                case.assert_either(root, followed=not meanwhile)


def recovered() -> None:
    recover(HERE)


@contextmanager
def _left(case: Case, folder: DiskPath, point: Point, meanwhile: tuple[Command, ...]) -> Iterator[DiskPath]:
    """What a killed run left."""
    with case.host(folder, f"killed-{point.at}") as root:
        killed(entered(root, case.act), root, point)
        assert_safe(root)
        inside(root, lambda: [HERE.run(one) for one in meanwhile])
        assert_safe(root)
        yield root


@pytest.mark.parametrize("name", CASES)
def test_refused_at_any_call(name: str, folder: DiskPath, every: int) -> None:
    case = CASES[name]
    everywhere(lambda point: _refused(case, folder, point), some(points_of(case, folder), every), folder)


def _refused(case: Case, folder: DiskPath, point: Point) -> None:
    for error in ERRORS[point.call]:
        with case.host(folder, f"refused-{point.at}") as root:
            failing(entered(root, case.act), root, point, error)
            assert_safe(root)
            case.assert_either(root)


def test_what_cannot_be_closed_keeps_its_tls(folder: DiskPath) -> None:
    tls, listener = OPENED.changes
    failing_plan = replace(OPENED, changes=(tls, replace(listener, back=(command("false"),))))
    failing_plan = replace(failing_plan, activation=(*FOLLOW, command("false")))
    with CASES["open"].host(folder, "root") as root:
        ran = inside(root, partial(apply, failing_plan, HERE, RUN))
        assert "UndoFailed" in ran.err
        assert (root / "run/now/listener").exists()
        assert_safe(root)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("where", ["var", "etc"])
@pytest.mark.parametrize("what", ["size", "nr_inodes"])
def test_no_room(name: str, folder: DiskPath, where: str, what: str) -> None:
    """What was run and cannot be noted for want of room, or is taken back where there is none, is a trap."""
    case = CASES[name]
    for room in range(9):
        with case.host(folder, str(room)) as root, filling(root / where, what, room):
            ran = inside(root, case.act)
            assert_safe(root)
            case.assert_either(root)
            assert ran.code == 0 or "No space left" in ran.err, ran


@pytest.mark.parametrize("what", ["size", "nr_inodes"])
def test_what_is_refused_when_it_runs_is_taken_back_without_room(folder: DiskPath, what: str) -> None:
    case = CASES["change"]
    refuses_new = command("sh", "-c", 'test "$(/bin/busybox cat /etc/d/tls)" = 1')
    plan = replace(CHANGED, activation=(*FOLLOW, refuses_new))
    for room in range(9):
        with case.host(folder, str(room)) as root, filling(root / "etc", what, room):
            ran = inside(root, partial(apply, plan, HERE, RUN))
            assert ("everything was put back" in ran.err) != ("No space left" in ran.err), ran
            case.assert_either(root)
            assert nodes(root / "etc/d") == OLD
