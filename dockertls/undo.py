"""What of the history can be taken back, and the plan that does it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import Drifted
from dockertls.plan import Change, Directory, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockertls.host import Host
    from dockertls.journal import Entry, Step
    from dockertls.plan import Command, Node


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
        entries: oldest first; of one group, or with all that came later.

    Raises:
        Drifted: if something is not as the entries left it.
    """
    steps: dict[Path, Step] = {}
    for step in (step for entry in entries for step in entry.steps if not step.kept):
        path = Path(step.path)
        steps[path] = _as_one(steps.get(path, step), step)
    paths = _way_back(entries, steps)
    present = {path: _present(path, host, steps) for path in paths}
    drifted = [shown(path) for path in paths if not steps[path].after.describes(present[path])]
    if drifted:
        raise Drifted(
            f"changed since: {', '.join(drifted)}",
            f"put that back; what dockertls changed later goes along with `dockertls undo {entries[0].id} --since`",
        )
    found = ((path, present[path], steps[path]) for path in paths)
    changes = [Change(path, node, step.before.node(host), step.why, step.back, step.then) for path, node, step in found]
    activation = tuple(command for entry in reversed(entries) for command in entry.activation)
    more = len({entry.group or str(entry.id) for entry in entries}) - 1
    title = f"undo: {entries[-1].title}" + (f" and {more} more" if more else "")
    return Plan(title, _keep_occupied(changes, host), (), _once(activation))


def _once(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Each command once, the last time that it is asked for; not at all where a later one does the same and more."""
    found = tuple(reversed(dict.fromkeys(reversed(commands))))
    return tuple(one for at, one in enumerate(found) if not any(_covers(other, one) for other in found[at + 1 :]))


def _covers(command: Command, other: Command) -> bool:
    return command.argv[:2] == other.argv[:2] and set(command.argv) > set(other.argv)


def _as_one(step: Step, later: Step) -> Step:
    """Two steps of one path; what either has run is run: a listener that was changed is closed all the same."""
    return replace(step, after=later.after, then=later.then or step.then, back=later.back or step.back)


def _way_back(entries: Sequence[Entry], steps: Mapping[Path, Step]) -> list[Path]:
    """The paths, the last one first; but a listener is closed before anything of its TLS may go."""
    ranks = _ranks(entries, steps)
    closing = {path for path, step in steps.items() if step.back and step.before.kind == "none"}
    return sorted(steps, key=lambda path: (path in closing, ranks[path]), reverse=True)


def _ranks(entries: Sequence[Entry], steps: Mapping[Path, Step]) -> Mapping[Path, tuple[int, ...]]:
    """The order in which the paths were made what they are, directories before what lies in them.

    What a later entry put into a directory that an earlier one made goes with that directory: a generation of
    certificates is taken away after all that names it.
    """
    ranks: dict[Path, tuple[int, ...]] = {}
    made: set[Path] = set()
    for entry in entries:
        for path in (path for step in entry.steps if (path := Path(step.path)) in steps and path not in ranks):
            folder = next((parent for parent in path.parents if parent in made), None)
            ranks[path] = (*(ranks[folder] if folder else ()), len(ranks))
        made |= {path for path in ranks if steps[path].after.kind == "directory"}
    return ranks


def _present(path: Path, host: Host, steps: Mapping[Path, Step]) -> Node | None:
    """What is at `path` now; nothing where its directory was replaced, whatever a link there would lead to."""
    if any(parent in steps and steps[parent].after.kind != "directory" for parent in path.parents):
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
