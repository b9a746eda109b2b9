"""Small file trees for the laws: strategies that make them, and the way onto a disk and back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from dockertls.errors import NotReady
from dockertls.host import LocalHost
from dockertls.plan import Change, Directory, File, Link, Node, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Tree = dict[Path, Node]

NAMES = ("a", "b", "c")
OWNERS = ((0, 0), (1, 1), (1000, 1001)) if os.geteuid() == 0 else ((0, 0),)
STATE = Path("/var/lib/dockertls")

modes = st.sampled_from([0o600, 0o644, 0o640, 0o755, 0o444, 0o4755])
owners = st.sampled_from(OWNERS)
contents = st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode), st.just(b"x" * 3000))
files = st.builds(File, contents, modes, owners, st.booleans())
links = st.builds(Link, st.sampled_from(["a", "../b", "/nowhere", "/a/b"]))
directories = st.builds(Directory, st.sampled_from([0o700, 0o755, 0o2750]), owners)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A tree under /t, at most three levels deep; every node's parent is a directory of it."""
    tree: Tree = {Path("/t"): Directory()}
    folders = [Path("/t")]
    for _ in range(draw(st.integers(0, 7))):
        path = draw(st.sampled_from(folders)) / draw(st.sampled_from(NAMES))
        if path in tree or len(path.parts) > 5:
            continue
        tree[path] = draw(st.one_of(files, links, directories))
        if isinstance(tree[path], Directory):
            folders.append(path)
    return tree


def plan_between(before: Mapping[Path, Node], after: Mapping[Path, Node]) -> Plan:
    """What turns one tree into the other: children go before their parents and come after them."""
    gone = sorted(before.keys() - after.keys(), reverse=True)
    kept = sorted(after)
    return Plan("law", tuple(Change(path, before.get(path), after.get(path), "law") for path in (*gone, *kept)))


def write(host: LocalHost, tree: Mapping[Path, Node]) -> None:
    for path in sorted(tree):
        host.make(path, tree[path])


def read(host: LocalHost) -> Tree:
    """All that is on the disk but the state of dockertls itself."""
    root = DiskPath(host.root)
    found = (Path("/") / path.relative_to(root) for path in root.rglob("*"))
    paths = (path for path in found if path.parts[1] != "var")
    return {path: node for path in paths if (node := host.node(path)) is not None}


class Killed(BaseException):
    """The process is gone: nothing that it would do afterwards happens."""


@dataclass(frozen=True)
class Flaky(LocalHost):
    """A host whose nth change fails; with `killed`, every later one, too."""

    nth: int = 0
    killed: bool = False
    calls: list[str] = field(default_factory=list)

    def _count(self, what: str) -> None:
        self.calls.append(what)
        if self.killed and len(self.calls) >= self.nth:
            raise Killed
        if len(self.calls) == self.nth:
            raise NotReady(f"the disk said no at change {self.nth} ({what})")

    def make(self, path: Path, node: Node) -> None:
        self._count("make")
        super().make(path, node)

    def alter(self, path: Path, node: Directory) -> None:
        self._count("alter")
        super().alter(path, node)

    def rename(self, old: Path, new: Path) -> None:
        self._count("rename")
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._count("remove")
        super().remove(path)

    def discard(self, path: Path) -> None:
        if self.killed and len(self.calls) >= self.nth:
            raise Killed
        super().discard(path)

    def sync(self, paths: Iterable[Path]) -> None:
        self._count("sync")
        super().sync(paths)
