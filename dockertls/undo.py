"""What of the history can be taken back, and the plan that does it."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import Drifted
from dockertls.plan import Change, Directory, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.host import Host
    from dockertls.journal import Entry, Step
    from dockertls.plan import Node


def undone(entries: Sequence[Entry]) -> frozenset[int]:
    """Ids of the entries that later ones took back; an undo that was taken back itself does not count."""
    found: set[int] = set()
    for entry in reversed(entries):
        if entry.id not in found:
            found |= set(entry.undoes)
    return frozenset(found)


def undoable(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries that can be taken back, oldest first: something is left to undo, and they are no undo themselves."""
    gone = undone(entries)
    live = (entry for entry in entries if entry.id not in gone and not entry.undoes)
    return tuple(entry for entry in live if any(not step.kept for step in entry.steps))


def with_group(entry: Entry, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that one command made, of which `entry` is one, oldest first."""
    return tuple(other for other in entries if other == entry or (entry.group and other.group == entry.group))


def plan_undo(host: Host, entries: Sequence[Entry]) -> Plan:
    """The plan that takes entries back as one.

    What lies in the store stays, and so does a directory that holds more than was put there.

    Args:
        host: where it was done.
        entries: oldest first, of one group.

    Raises:
        Drifted: if something is not as the entries left it.
    """
    first: dict[Path, Step] = {}
    last: dict[Path, Step] = {}
    for step in (step for entry in entries for step in entry.steps if not step.kept):
        first.setdefault(Path(step.path), step)
        last[Path(step.path)] = step
    paths = list(reversed(last))
    present = {path: _present(path, host, last) for path in paths}
    drifted = [shown(path) for path in paths if not last[path].after.describes(present[path])]
    if drifted:
        raise Drifted(
            f"changed since: {', '.join(drifted)}",
            "put that back as it was left, or undo what came later first (see `dockertls history`)",
        )
    changes = [
        Change(path, present[path], first[path].before.node(host), first[path].why, last[path].back, last[path].then)
        for path in paths
    ]
    activation = dict.fromkeys(command for entry in reversed(entries) for command in entry.activation)
    return Plan(f"undo: {entries[-1].title}", _keep_occupied(changes, host), (), tuple(activation))


def _present(path: Path, host: Host, last: dict[Path, Step]) -> Node | None:
    """What is at `path` now; nothing where its directory was replaced, whatever a link there would lead to."""
    if any(parent in last and last[parent].after.kind != "directory" for parent in path.parents):
        return None
    return host.node(path)


def _keep_occupied(changes: Sequence[Change], host: Host) -> tuple[Change, ...]:
    """Leave out directories to delete in which something else lies; children come before their parents."""
    gone: set[Path] = set()
    kept: list[Change] = []
    for change in changes:
        occupied = isinstance(change.before, Directory) and change.after is None
        if occupied and any(change.path / name not in gone for name in host.names(change.path)):
            continue
        if change.after is None:
            gone.add(change.path)
        kept.append(change)
    return tuple(kept)
