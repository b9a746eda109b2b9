"""One look at a host: what the rows of `facts` ask for, each thing once, and where links lead."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import NotReady, Refused
from dockertls.plan import Command, Directory, Link, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.host import Host, Output
    from dockertls.plan import Node, Status

MASK = Path("/dev/null")
"""Where a link leads that says: as if nothing were here (systemd.unit(5))."""
NAMES = "*"
"""Stands for the names in a directory, where they are what is not seen."""
DEEPEST = 32
"""Levels of directories in a tree that are looked at; nothing of Docker's lies half as deep."""


class Look:
    """Collects what the rows ask for."""

    def __init__(self, host: Host, *, bears: bool) -> None:
        self.host = host
        self.bears = bears
        self.asker = host.self_owner[0] if host.runs else 0
        self.files: dict[Path, Node | None] = {}
        self.links: dict[Path, Path] = {}
        self.names: dict[Path, tuple[str, ...]] = {}
        self.outputs: dict[tuple[str, ...], Output | None] = {}
        self.changed: dict[Path, float] = {}
        self.statuses: dict[Path, Status | None] = {}
        self.unseen: dict[Path, str] = {}
        self.bare: set[Path] = set()

    @contextmanager
    def bearing(self, path: Path, *, bears: bool = False) -> Iterator[None]:
        """What the host refuses is noted and borne, if that is wanted of all, or of this."""
        try:
            yield
        except (NotReady, Refused) as error:  # refused is what is too large
            if not (self.bears or bears):
                raise
            self.unseen.setdefault(path, error.message)

    def see(self, path: Path, *, follow: bool = True) -> Node | None:
        """Look at a path, at every directory on the way, and at the end of a link."""
        for parent in reversed(path.parents):
            if self._see(parent) is None:
                if parent in self.unseen:
                    self.unseen[path] = self.unseen[parent]
                else:
                    self.files[path] = None
                return None
        return self._see(path, follow=follow)

    def _see(self, path: Path, *, follow: bool = True) -> Node | None:
        if path not in self.files and path not in self.unseen:
            with self.bearing(path):
                self.files[path] = self.host.node(path, content=path not in self.bare)
                if isinstance(self.files[path], Link) and follow:
                    end = self.host.real(path)
                    self.links[path] = end
                    self.bare |= {end} if path in self.bare else set()
                    if end == MASK:
                        self.files.setdefault(end, None)
                    else:
                        self.see(end)
        return self.files.get(path)

    def names_in(self, path: Path) -> tuple[str, ...]:
        """List a directory."""
        self.see(path)
        if path not in self.names:
            with self.bearing(path / NAMES):
                self.names[path] = self.host.names(path)
        return self.names.get(path, ())

    def tree(self, path: Path, *, follow: bool = True, levels: int = DEEPEST) -> None:
        """See a directory and all below it; links in it are not followed into other directories."""
        if isinstance(self.see(path, follow=follow), Directory):
            if not levels:
                with self.bearing(path / NAMES):
                    raise NotReady(f"{shown(path)} lies too deep to be looked at", "move it away and run again")
            for name in self.names_in(path) if levels else ():
                self.tree(path / name, follow=follow, levels=levels - 1)
        if path / NAMES not in self.unseen:
            self.names.setdefault(path, ())

    def ask(self, *argv: str) -> Output | None:
        """Run a command that changes nothing."""
        if argv not in self.outputs:
            self.outputs[argv] = self.host.run(Command(argv, "look")) if self.host.runs else None
        return self.outputs[argv]

    def peek(self, path: Path) -> Node | None:
        """See what may be gone, or another's, at any moment, as a process is."""
        if path not in self.files:
            with self.bearing(path, bears=True):
                self.files[path] = self.host.node(path)
        return self.files.get(path)

    def date(self, path: Path) -> None:
        """See when what a path names changed; a link changes with its end, and when it is led elsewhere."""
        if "\0" in str(path) or not str(path).isprintable():
            return  # no file system has it, or nobody could write it
        with self.bearing(path):
            seen = [self.host.status(place) for place in {path, self.host.real(path)}]
            if None not in seen:
                self.changed[path] = max(one.changed for one in seen if one)

    def stat(self, path: Path) -> None:
        """See what a path names, through links, from outside, if it is to be seen."""
        if path not in self.statuses:
            with self.bearing(path, bears=True):
                self.statuses[path] = self.host.status(self.host.real(path))
