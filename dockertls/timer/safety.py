"""Whether what root will run every day is out of everybody else's reach."""

from __future__ import annotations

import stat
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import Fault
from dockertls.plan import Directory, File, Link, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.facts import HostFacts

PASSING = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run", "/proc")))  # noqa: S108 - to be refused
CACHE = ".cache"
"""What lies in such a folder may be gone tomorrow: pipx and uv run programs from there that are not installed."""
PROGRAM, HOOK = "the program", "the hook"
WHERE = {
    PROGRAM: "install dockertls where only root writes, such as /opt/dockertls, and run it from there",
    HOOK: "put it where only root writes, such as /usr/local/sbin",
}
OTHERS = 0o077


def program_faults(facts: HostFacts, path: Path, uid: int, what: str) -> tuple[Fault, ...]:
    """What stands against running a file every day.

    Args:
        facts: that hold `path`.
        path: of a program, or of a folder of its modules.
        uid: who will run it, 0 or a user.
        what: PROGRAM or HOOK.

    Returns:
        One fault for each place that is not safe; none if all are.
    """
    hint = WHERE[what]
    if any(path.is_relative_to(one) for one in PASSING) or CACHE in path.parts:
        return (Fault(f"{what} {shown(path)} lies where nothing stays", hint),)
    node = facts.node(facts.place(path)) if facts.node(path) else None
    if node is None:
        return (Fault(f"{what} {shown(path)} is not there", hint),)
    open_to = dict.fromkeys(place for place in way(facts, path) if _is_open(facts, place, uid))
    return tuple(
        Fault(f"{what} {shown(path)} can be changed by others: {shown(place)} is theirs to write", hint)
        for place in open_to
    )


def secret_faults(facts: HostFacts, path: Path, uid: int) -> tuple[Fault, ...]:
    """What stands against reading a passphrase from a file every day.

    Args:
        facts: that hold `path`.
        path: of the file.
        uid: who will read it.
    """
    what = f"the passphrase file {shown(path)}"
    file = facts.file(path)
    if file is None:
        return (Fault(f"{what} is not there", "make it, with mode 0600"),)
    if any(path.is_relative_to(one) for one in PASSING):
        return (Fault(f"{what} lies where nothing stays", "put it into a folder such as /root"),)
    if file.mode & OTHERS or file.owner[0] != uid:
        owner = "root" if uid == 0 else "you"
        return (Fault(f"{what} is not {owner}'s alone", f"chown it to {owner}, and chmod 0600"),)
    places = [place for place in way(facts, path) if _is_open(facts, place, uid)]
    return tuple(
        Fault(f"{what} can be replaced by others: {shown(place)} is theirs to write", "put it into a folder of root's")
        for place in dict.fromkeys(places)
    )


def way(facts: HostFacts, path: Path) -> Iterator[Path]:
    """Every place that decides what a path names: its folders, and those of what links on the way lead to."""
    for place in (*reversed(path.parents), path):
        yield place
        if isinstance(facts.node(place), Link) and facts.place(place) != place:
            yield from way(facts, facts.place(place))


def _is_open(facts: HostFacts, place: Path, uid: int) -> bool:
    """Whether somebody but root and the user may change it, or what it holds; a sticky folder guards what it holds."""
    node = facts.node(place)
    if not isinstance(node, File | Directory):
        return False
    owner, group = node.owner
    by_group = bool(node.mode & stat.S_IWGRP) and group not in {0, uid}
    by_all = bool(node.mode & stat.S_IWOTH)
    guarded = isinstance(node, Directory) and bool(node.mode & stat.S_ISVTX)
    return owner not in {0, uid} or ((by_group or by_all) and not guarded)
