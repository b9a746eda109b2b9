"""strace, attached to a process: counts its changes of the file system, kills it at one, or lets one fail."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e.program import Ran, forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CHANGES = (
    "chmod", "chown", "creat", "fallocate", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fdatasync",
    "fremovexattr", "fsetxattr", "fsync", "ftruncate", "futimesat", "lchown", "link", "linkat", "lremovexattr",
    "lsetxattr", "mkdir", "mkdirat", "mknod", "mknodat", "mount", "open", "openat", "openat2", "pwrite64", "pwritev",
    "pwritev2", "removexattr", "rename", "renameat", "renameat2", "rmdir", "sendfile", "setxattr", "symlink",
    "symlinkat", "sync", "syncfs", "truncate", "unlink", "unlinkat", "utime", "utimensat", "utimes", "write", "writev",
    "copy_file_range",
)  # fmt: skip
"""Every system call that changes a file system or makes a change durable; of the opening ones, those that create."""
STARTS = ("clone", "clone3", "fork", "vfork")  # a command is run
OPENING = {"open", "openat", "openat2", "creat"}
ANYWHERE = {"sync", *STARTS}  # they name no file
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*?)(?:\) += .*)?$")
NAMED = re.compile(r'<([^>]*)>|"([^"]*)"')
HISTORY = re.compile(r"/history \d+\.json$")
MARK = re.compile(r"\.dockertls-\d+-\d+")


@dataclass(frozen=True, order=True)
class Point:
    """One change of the file system, or the start of a command, by one process.

    Attributes:
        at: its number among all of them.
        call: the system call's name.
        nth: its number among the process's calls of that name.
        names: what it names, the folder's own path taken away.
    """

    at: int
    call: str
    nth: int
    names: str

    @property
    def ends_a_change(self) -> bool:
        """Whether a journal becomes history by it."""
        return self.call == "renameat" and HISTORY.search(self.names) is not None

    def __str__(self) -> str:
        return f"{self.at}: {self.call} {self.nth} ({self.names})"


@dataclass(frozen=True)
class Traced:
    """A run, and what it changed in a folder until it ended."""

    ran: Ran
    points: tuple[Point, ...]


def traced(
    act: Callable[[], object], folder: Path, *, env: Mapping[str, str] | None = None, inject: str = ""
) -> Traced:
    """Let a process act with strace attached from its first call on.

    Args:
        act: what it does, as for `forked`.
        folder: whose changes are counted.
        env: as for `forked`.
        inject: as strace takes it, such as `fsync:error=EIO:when=3`.
    """
    with tempfile.NamedTemporaryFile() as log:
        what = f"trace={','.join(f'?{call}' for call in (*CHANGES, *STARTS))}"
        options = ["-e", f"inject={inject}"] if inject else []

        @contextmanager
        def watched(number: int) -> Iterator[None]:
            argv = ["strace", "-y", "-s", "0", "-o", log.name, "-e", what, *options, "-p", str(number)]
            with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as strace:
                assert strace.stderr
                first = strace.stderr.readline()
                assert "attached" in first, first
                yield

        ran = forked(act, env=env, watched=watched)
        return Traced(ran, tuple(_points(log.read().decode(), str(folder))))


def killed(act: Callable[[], object], folder: Path, point: Point, *, env: Mapping[str, str] | None = None) -> None:
    """Kill a process as it enters a call, which is then not carried out."""
    run = traced(act, folder, env=env, inject=f"{point.call}:signal=SIGKILL:when={point.nth}")
    assert run.ran.code == -signal.SIGKILL, (point, run.ran)
    assert run.points[-1] == point, f"it was killed at {run.points[-1]}, not at {point}"


def failing(
    act: Callable[[], object],
    folder: Path,
    point: Point,
    error: str,
    *,
    lasting: bool = False,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Let a call of a process fail.

    Args:
        act: what it does, as for `forked`.
        folder: whose changes are counted.
        point: the call.
        error: such as ENOSPC.
        lasting: whether every later call of that name fails as well.
        env: as for `forked`.
    """
    when = f"{point.nth}{'+' if lasting else ''}"
    run = traced(act, folder, env=env, inject=f"{point.call}:error={error}:when={when}")
    assert run.points[point.at] == point, f"{run.points[point.at]} failed, not {point}"
    return run.ran


def _points(log: str, folder: str) -> Iterator[Point]:
    seen: Counter[str] = Counter()
    at = 0
    for line in log.splitlines():
        if not (found := LINE.match(line)):
            continue
        call, rest = found.groups()
        seen[call] += 1
        changes = call not in OPENING or "O_CREAT" in rest or "O_TRUNC" in rest
        if changes and (folder in rest or call in ANYWHERE):
            named = (handle or text for handle, text in NAMED.findall(rest))
            yield Point(at, call, seen[call], MARK.sub(".dockertls-N", " ".join(named).replace(folder, "")))
            at += 1
