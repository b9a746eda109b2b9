"""The way to a machine: look at a node, make, rename, remove, run a command, lock. No other file touches disks."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, assert_never

from dockertls.errors import Locked, NotReady
from dockertls.plan import (
    ROOT,
    Attributes,
    Command,
    Directory,
    File,
    Link,
    Node,
    Owner,
    Status,
    beside,
    is_beside,
    shown,
)
from dockertls.ways import Folder, Parent, Told, Walk, is_still, opened, read_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FEW_FILES = 64  # up to here each file is flushed by itself: a busy host's whole file system can take long
LOCK_PATIENCE = 10.0  # seconds
READINGS = 5  # of a file that is written meanwhile
COMMAND_PATIENCE = 300.0  # seconds: stopping dockerd waits for its containers
NOBODY_WRITES = 0o755  # in a directory that has not got its owner yet
OF_CONTENT = frozenset({"security.capability", "security.evm", "security.ima"})  # no other content may have them
NOT_FOUND = 127  # the exit code that a shell gives to a program that is not there
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFSOCK: "socket"}
NONE: Mapping[str, str] = MappingProxyType({})
FOREIGN_STATE = frozenset({"DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT", "DOCKER_CONFIG"})


@dataclass(frozen=True)
class Output:
    """What a command answered."""

    code: int
    out: str
    err: str


class Host(Protocol):
    """A machine as `gather` and `apply` see it; every path is absolute and the machine's own.

    Methods raise NotReady or Denied where the operating system refuses, FileNotFoundError where a parent is missing
    and FileExistsError where something is in the way.
    """

    @property
    def runs(self) -> bool:
        """Whether `run` runs commands; False for a file tree that is no running machine."""

    @property
    def state(self) -> Path:
        """Where lock, journal and history lie."""

    @property
    def self_owner(self) -> Owner:
        """Owner of what is made without a wish of its own."""

    def node(self, path: Path, *, content: bool = True) -> Node | None:
        """What is at `path` itself; a link there is not followed. None: nothing.

        Args:
            path: of the node.
            content: whether a file is read; if not, it has no content.
        """

    def names(self, path: Path) -> tuple[str, ...]:
        """Names in a directory, sorted; none if there is no directory."""

    def folder(self, path: Path) -> AbstractContextManager[Folder | None]:
        """A directory, entered once to look at much that is in it; None: there is none."""

    def real(self, path: Path) -> Path:
        """`path` with every link followed, as far as it exists."""

    def status(self, path: Path) -> Status | None:
        """What is at `path` itself, from outside: a socket, too. None: nothing."""

    def is_sealed(self, folder: Path, names: Iterable[str]) -> bool:
        """Whether files of these names in a directory cannot be replaced: read-only, immutable, closed to us, gone."""

    def make(self, path: Path, node: Node) -> None:
        """Create a node where nothing is, with mode, owner and extended attributes."""

    def alter(self, path: Path, node: Directory) -> None:
        """Give a directory another mode and owner."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a node another name in one step; what has that name is replaced."""

    def remove(self, path: Path) -> None:
        """Remove a file, a link or an empty directory."""

    def discard(self, path: Path) -> None:
        """Remove a staged node with all that is in it; nothing there is fine."""

    def sync(self, paths: Iterable[Path]) -> None:
        """Make the content of files, and the names in directories, durable."""

    def near(self) -> AbstractContextManager[Host]:
        """The same machine, for many nodes that lie near each other: the way to one is kept open for the next."""

    def run(self, command: Command, variables: Mapping[str, str] = NONE, given: bytes = b"") -> Output:
        """Run a command and wait for it.

        Args:
            command: what is run.
            variables: of its environment, beside the usual ones.
            given: its standard input; it may be a secret, and is kept nowhere.
        """

    def lock(self, name: str = "lock") -> AbstractContextManager[None]:
        """Hold a lock of the host; that of `apply`, if none is named. Raises Locked."""

    def hold(self, folder: Path) -> AbstractContextManager[None]:
        """Hold the lock of a directory itself, or of the nearest that is there. Raises Locked."""


@dataclass(frozen=True)
class LocalHost:
    """This machine, or a file tree of it.

    Args:
        root: the file tree, entered as chroot would: a link to /etc/x in it means ROOT/etc/x. A path that begins with
            two slashes (`plan.beside`) is not in the tree: a store or an output that the user named.
        home_state: where an ordinary user's lock and history lie; root's are in /var/lib/dockertls.
        ways: kept open by `near`, by the root of the paths that they are for.

    A tree that an ordinary user works on is seen as in a user namespace: all belongs to 0:0 and owners are not changed.
    Links are followed only where nobody but root, or the one who runs this, could have planted them.
    """

    root: str = "/"
    home_state: Path | None = None
    ways: Mapping[str, Walk] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def runs(self) -> bool:
        return os.path.realpath(self.root) == "/"

    @property
    def is_there(self) -> bool:
        """Whether there is such a tree."""
        return os.path.isdir(self.root)

    def beside(self, path: Path) -> Path:
        """How a path that the user named is written so that it does not lie in the tree."""
        return path if self.runs else beside(path)

    @property
    def squashed(self) -> bool:
        """Whether owners are neither seen nor set."""
        return os.geteuid() != 0 and not self.runs

    @property
    def state(self) -> Path:
        if self.home_state and self.runs and os.geteuid() != 0:
            return self.home_state
        return Path("/var/lib/dockertls")

    @property
    def self_owner(self) -> Owner:
        return ROOT if self.squashed else (os.geteuid(), os.getegid())

    # looking

    def node(self, path: Path, *, content: bool = True) -> Node | None:
        with Told(path):
            try:
                with self._parent(path) as (folder, name):
                    return self._node(folder, name, path, content=content)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def _node(self, folder: int, name: str, path: Path, *, content: bool) -> Node:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFLNK:
            return Link(os.readlink(name, dir_fd=folder))
        if kind == stat.S_IFDIR:
            return self._directory(status)
        if kind != stat.S_IFREG:
            raise NotReady(f"{shown(path)} is neither a file nor a directory nor a link", "move it away and run again")
        if not content:
            return File(b"", stat.S_IMODE(status.st_mode), self._owner(status), names=status.st_nlink)
        return self._file(folder, name, path)

    def _file(self, folder: int, name: str, path: Path) -> File:
        for _ in range(READINGS):
            with opened(name, folder) as handle:
                status, attributes = os.fstat(handle), _attributes(handle)
                content = read_all(handle, path)
                still = is_still(handle, status)
            if still:
                mode, owner = stat.S_IMODE(status.st_mode), self._owner(status)
                return File(content, mode, owner, attributes=attributes, names=status.st_nlink)
        raise NotReady(f"{shown(path)} changes while it is read", "wait until whoever writes it is done")

    def _directory(self, status: os.stat_result) -> Directory:
        return Directory(stat.S_IMODE(status.st_mode), self._owner(status))

    def _owner(self, status: os.stat_result) -> Owner:
        return ROOT if self.squashed else (status.st_uid, status.st_gid)

    def names(self, path: Path) -> tuple[str, ...]:
        with Told(path):
            try:
                with self._parent(path / ".names") as (folder, _), opened(".", folder) as handle:
                    return tuple(sorted(os.listdir(handle)))
            except (FileNotFoundError, NotADirectoryError):
                return ()

    @contextmanager
    def folder(self, path: Path) -> Iterator[Folder | None]:
        with self._new_walk(path) as walk:
            yield self._entered(walk, path)

    @staticmethod
    def _entered(walk: Walk, path: Path) -> Folder | None:
        with Told(path):
            try:
                walk.go(path.parts[1:])
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Folder(walk.handle, *path.parts)

    def real(self, path: Path) -> Path:
        with Told(path):
            if kept := self.ways.get(path.root):
                return kept.real(path)
            with self._new_walk(path) as walk:
                return walk.real(path)

    def status(self, path: Path) -> Status | None:
        with Told(path):
            try:
                with self._parent(path) as (folder, name):
                    seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return None
        kind = KINDS.get(stat.S_IFMT(seen.st_mode), "other")
        return Status(kind, stat.S_IMODE(seen.st_mode), self._owner(seen), seen.st_dev, seen.st_ctime)

    def is_sealed(self, folder: Path, names: Iterable[str]) -> bool:
        # Only to root a file that is not to be written says more than its mode.
        looked = (".", *names) if os.geteuid() == 0 else (".",)
        try:
            with Told(folder), self._parent(folder / ".names") as (handle, _):
                return not all(os.access(name, os.W_OK, dir_fd=handle) for name in looked)
        except (FileNotFoundError, NotReady):  # its owner may exchange it at any moment
            return True

    # changing

    def make(self, path: Path, node: Node) -> None:
        with Told(path), self._parent(path) as (folder, name):
            match node:
                case Link(target):
                    os.symlink(target, name, dir_fd=folder)
                case Directory():
                    os.mkdir(name, node.mode & NOBODY_WRITES, dir_fd=folder)
                    if self._directory(os.stat(name, dir_fd=folder, follow_symlinks=False)) != node:
                        self._finish(folder, name, node)
                case File():
                    self._write(folder, name, node)
                case _:
                    assert_never(node)

    def _write(self, folder: int, name: str, node: File) -> None:
        """0600 from the first byte, whatever the umask; wider only when all is written."""
        handle = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        try:
            _write_all(handle, node.content)
            self._dress(handle, node, node.attributes)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
            raise
        finally:
            os.close(handle)

    def _finish(self, folder: int, name: str, node: Directory) -> None:
        with opened(name, folder, os.O_DIRECTORY) as handle:
            self._dress(handle, node)

    def _dress(self, handle: int, node: File | Directory, attributes: Attributes = ()) -> None:
        """Owner before mode: a change of owner clears bits of the mode. By handle, never by path."""
        status = os.fstat(handle)
        foreign = not self.squashed and (status.st_uid, status.st_gid) != node.owner
        if foreign:
            os.fchown(handle, *node.owner)
        for key, value in attributes:
            with _label(key):
                os.setxattr(handle, key, value)
        if foreign or attributes or stat.S_IMODE(status.st_mode) != node.mode:  # owners and ACLs change the mode, too
            os.fchmod(handle, node.mode)

    def alter(self, path: Path, node: Directory) -> None:
        with Told(path), self._parent(path) as (folder, name):
            self._finish(folder, name, node)

    def rename(self, old: Path, new: Path) -> None:
        with Told(new), self._parent(old) as (source, name):
            if new.parent == old.parent:
                os.rename(name, new.name, src_dir_fd=source, dst_dir_fd=source)
                return
            with self._new_walk(new) as walk:
                walk.go(new.parts[1:-1])
                os.rename(name, new.name, src_dir_fd=source, dst_dir_fd=walk.handle)

    def remove(self, path: Path) -> None:
        with Told(path), self._parent(path) as (folder, name):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def discard(self, path: Path) -> None:
        with Told(path), suppress(FileNotFoundError, NotADirectoryError), self._parent(path) as (folder, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def sync(self, paths: Iterable[Path]) -> None:
        wanted = tuple(paths)
        if len(wanted) > FEW_FILES:
            os.sync()
            return
        with self.near() as near:
            for path in dict.fromkeys(wanted):
                near.flush(path)

    def flush(self, path: Path) -> None:
        """Make one file, or the names in one directory, durable; a link leads to its end."""
        with Told(path), self._parent(self.real(path)) as (folder, name), opened(name, folder) as handle:
            os.fsync(handle)

    @contextmanager
    def near(self) -> Iterator[LocalHost]:
        with self._new_walk(Path("/")) as inside, self._new_walk(Path("//")) as beside_it:
            yield replace(self, ways={"/": inside, "//": beside_it})

    # running

    def run(self, command: Command, variables: Mapping[str, str] = NONE, given: bytes = b"") -> Output:
        if not self.runs:
            raise NotReady(f"{self.root} is a file tree: nothing is run in it", "run it on the host itself")
        clean = {key: value for key, value in os.environ.items() if key not in FOREIGN_STATE} | {"LC_ALL": "C"}
        clean |= variables
        try:
            done = subprocess.run(
                command.argv,
                input=given or None,
                stdin=None if given else subprocess.DEVNULL,
                capture_output=True,
                env=clean,
                check=False,
                timeout=COMMAND_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return Output(124, "", f"no answer within {COMMAND_PATIENCE:.0f} s")
        except OSError as error:
            return Output(NOT_FOUND, "", str(error))
        return Output(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    @contextmanager
    def lock(self, name: str = "lock") -> Iterator[None]:
        """The kernel's lock: a dead process holds nothing."""
        self._make_state()
        path = self.state / name
        with Told(path), self._parent(path) as (folder, _):
            handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            _wait_for(handle, path)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def hold(self, folder: Path) -> Iterator[None]:
        place = next(path for path in (folder, *folder.parents) if isinstance(self.node(path), Directory))
        with Told(place), self._parent(place / "lock") as (parent, _), opened(".", parent) as handle:
            _wait_for(handle, place)
            yield

    def _make_state(self) -> None:
        for path in (*reversed(self.state.parents), self.state):
            if self.node(path) is None:
                with suppress(FileExistsError):
                    self.make(path, Directory(0o700 if path == self.state else 0o755, self.self_owner))

    def _parent(self, path: Path) -> Parent:
        kept = self.ways.get(path.root)
        return Parent(path, kept or self._new_walk(path), kept=kept is not None)

    def _new_walk(self, path: Path) -> Walk:
        return Walk("/" if is_beside(path) else self.root, Path(path.root))


def _attributes(handle: int) -> Attributes:
    """Extended attributes (SELinux context, ACL), but OF_CONTENT; none where there are none to be had."""
    try:
        names = os.listxattr(handle)
        return tuple((name, os.getxattr(handle, name)) for name in sorted(names) if name not in OF_CONTENT)
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.ENODATA, errno.EACCES, errno.EPERM}:
            return ()
        raise


@contextmanager
def _label(name: str) -> Iterator[None]:
    """Let go of a label that nobody enforces: where its security module does not run, only CAP_SYS_ADMIN writes it."""
    try:
        yield
    except PermissionError as error:
        if error.errno != errno.EPERM or not name.startswith("security."):
            raise


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _wait_for(handle: int, path: Path) -> None:
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                told = f"another dockertls is at work (it holds {shown(path)})"
                raise Locked(told, "wait until it is done") from None
            time.sleep(0.05)
        else:
            return
