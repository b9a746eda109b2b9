"""Ways into a file tree: each component entered by handle, links followed only where nobody could have planted them."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import Denied, NotReady, Refused
from dockertls.plan import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_LINKS = 40  # as the kernel's own limit
MAX_FILE = 32 * 1024 * 1024  # bytes: no file that Docker or this tool reads comes near it
SMALL = 8 * 1024  # bytes: almost every certificate and key is smaller
PIECE = 64 * 1024  # bytes: files of /proc refuse a large read

_ENTER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a directory is entered: a link is not, and what it is made of is not read."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How anything is read: never through a link, never waiting for a device."""


class Walk(AbstractContextManager["Walk"]):
    """A way into a file tree, each component entered by handle, links resolved as chroot would.

    It can be gone again: what the next path has in common with the place that was reached is not entered anew.
    """

    def __init__(self, base: str, start: Path) -> None:
        self._handles = [os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
        self._start = start
        self._parts: list[str] = []
        self._links = 0

    @property
    def handle(self) -> int:
        """Of the directory that was reached."""
        return self._handles[-1]

    @property
    def place(self) -> Path:
        """Where this is, without links."""
        return self._start.joinpath(*self._parts)

    def go(self, parts: Sequence[str]) -> None:
        """Enter a directory by the parts of its path. Raises FileNotFoundError, NotADirectoryError."""
        todo = self._turn(parts)
        while todo:
            self._step(todo)

    def _turn(self, parts: Sequence[str]) -> list[str]:
        """Leave what a path has not in common with this place. Returns what is still to be entered, the next last."""
        common = 0
        for part, entered in zip(parts, self._parts, strict=False):
            if part != entered:
                break
            common += 1
        self._leave(len(self._parts) - common)
        self._links = 0
        return list(reversed(parts[common:]))

    def real(self, path: Path) -> Path:
        """`path` without links, as far as it exists."""
        todo = self._turn(path.parts[1:])
        while todo:
            part = todo[-1]
            try:
                self._step(todo)
            except (FileNotFoundError, NotADirectoryError):
                return self.place.joinpath(part, *reversed(todo))
        return self.place

    def _step(self, todo: list[str]) -> None:
        part = todo.pop()
        if part == "..":
            self._leave(1)
            return
        target = self._enter(part)
        if target is None:
            return
        self._links += 1
        if self._links > MAX_LINKS:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ELOOP))  # a circle leads nowhere
        todo += reversed([piece for piece in Path(target).parts if piece != "/"])
        if target.startswith("/"):
            self._leave(len(self._parts))

    def _enter(self, part: str) -> str | None:
        """Enter a directory, or give the target of the link that is there."""
        try:
            self._handles.append(os.open(part, _ENTER, dir_fd=self.handle))
        except NotADirectoryError:
            return self._target(part)
        self._parts.append(part)
        return None

    def _target(self, part: str) -> str:
        """Where a link leads. Raises NotADirectoryError if it is none, Denied if another user could have planted it."""
        status = os.stat(part, dir_fd=self.handle, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if {status.st_uid, os.fstat(self.handle).st_uid} - {0, os.geteuid()}:
            raise Denied(
                f"{shown(self.place / part)} is a link that another user could have planted", "name the real folder"
            )
        return os.readlink(part, dir_fd=self.handle)

    def _leave(self, levels: int) -> None:
        for _ in range(min(levels, len(self._parts))):
            os.close(self._handles.pop())
            self._parts.pop()

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            os.close(handle)


class Parent(AbstractContextManager[tuple[int, str]]):
    """A handle of the directory that holds a path, and the name there; classes, for all that is done passes here."""

    def __init__(self, path: Path, walk: Walk, *, kept: bool) -> None:
        self._path, self._walk, self._kept = path, walk, kept

    def __enter__(self) -> tuple[int, str]:
        try:
            self._walk.go(self._path.parts[1:-1])
        except BaseException:
            self.__exit__()
            raise
        return self._walk.handle, self._path.name or "."

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._walk.__exit__()


@contextmanager
def opened(name: str, folder: int, flags: int = 0) -> Iterator[int]:
    """A handle to read from, never through a link, never waiting for a device."""
    handle = os.open(name, flags | _READ, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def read_all(handle: int, path: Path) -> bytes:
    """What a file holds. Raises Refused if it is larger than anything that Docker or this tool reads."""
    content = bytearray()
    while len(content) <= MAX_FILE and (piece := os.read(handle, PIECE)):
        content += piece
    if len(content) > MAX_FILE:
        raise Refused(f"{shown(path)} is larger than {MAX_FILE >> 20} MiB", "this is not a file that Docker would read")
    return bytes(content)


def is_still(handle: int, before: os.stat_result) -> bool:
    """Whether a file is as it was: of one that was written meanwhile half was read before, and half after."""
    now = os.fstat(handle)
    return (now.st_size, now.st_mtime_ns, now.st_ctime_ns) == (before.st_size, before.st_mtime_ns, before.st_ctime_ns)


HINTS = {
    errno.EACCES: "run it with sudo, or name a folder of your own with --store or --root",
    errno.EPERM: "run it with sudo; an immutable file needs `chattr -i` first",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "free some space on that file system",
    errno.EDQUOT: "the quota is used up",
    errno.ENOTDIR: "a part of the path is a file",
    errno.ELOOP: "links go round in a circle, or a link stands where none is followed",
    errno.ENOTEMPTY: "something else lies in this directory",
    errno.ENAMETOOLONG: "the name is too long for this file system",
}


class Told:
    """The operating system's refusal, in the terms of the contract."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, FileNotFoundError | FileExistsError):
            return
        raise refusal(self._path, error) from error


def refusal(path: Path, error: OSError) -> NotReady:
    """What the operating system said, in the terms of the contract."""
    number = error.errno or 0
    kind = Denied if number in {errno.EACCES, errno.EPERM, errno.EROFS} else NotReady
    reason = os.strerror(number) if number else str(error)
    return kind(f"{shown(path)}: {reason}", HINTS.get(number, "look at the host"))


class Folder(AbstractContextManager["Folder"]):
    """A directory that was entered by handle, to look at many small things in it; no link in it is followed.

    Methods raise NotReady or Denied where the operating system refuses.
    """

    def __init__(self, handle: int, *way: str) -> None:
        self._handle, self._way = handle, way

    @property
    def place(self) -> Path:
        """Where it is, as it was gone to."""
        return Path(*self._way)

    def names(self) -> tuple[str, ...]:
        """What is in it, sorted."""
        with Told(self.place), opened(".", self._handle) as handle, os.scandir(handle) as entries:
            return tuple(sorted(entry.name for entry in entries))

    def enter(self, name: str) -> Folder | None:
        """A directory in it; None: there is none of that name."""
        try:
            return Folder(os.open(name, _ENTER, dir_fd=self._handle), *self._way, name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusal(self.place / name, error) from error

    def target(self, name: str) -> str | None:
        """Where a link in it leads; None: there is no link of that name."""
        try:
            return os.readlink(name, dir_fd=self._handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:  # it is no link
                return None
            raise refusal(self.place / name, error) from error

    def content(self, name: str) -> bytes | None:
        """What a file in it holds; None: there is nothing of that name."""
        try:
            handle = os.open(name, _READ, dir_fd=self._handle)
            try:
                piece = os.read(handle, SMALL)
                return piece if len(piece) < SMALL else piece + read_all(handle, self.place / name)
            finally:
                os.close(handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal(self.place / name, error) from error

    def has_file(self, name: str) -> bool:
        """Whether there is a regular file of that name."""
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self._handle, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise refusal(self.place / name, error) from error

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
