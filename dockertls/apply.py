"""The one place where a host is changed: a plan is applied whole or not at all, and can be taken back."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, NoReturn

from dockertls.errors import DockerTLSError, Drifted, NotReady, UndoFailed, Undone
from dockertls.journal import (
    Entry,
    drop_finished,
    drop_unnamed,
    finish,
    forget,
    history,
    is_left,
    journal_path,
    lasts,
    mark_activating,
    next_id,
    steps_of,
    unfinished,
    write_journal,
)
from dockertls.plan import Change, Command, Directory, Link, Plan, is_beside, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from dockertls.host import Host
    from dockertls.journal import Rooted, Step
    from dockertls.plan import Node

SHOWN = 12  # lines of a failed command's output


@dataclass(frozen=True)
class Run:
    """What apply has to know beside the plan.

    Attributes:
        now: the time to write into the history, UTC.
        who: who runs it, for the history.
        group: a name that the entries of one command share.
        append_only: where what is done is never undone later: the store's folder, a file that the user asked for.
        undoes: ids of history entries that this plan takes back.
        activate: whether the activation is run; if not, it is written down all the same: undo has to run it.
    """

    now: datetime
    who: str = ""
    group: str = ""
    append_only: tuple[Path, ...] = ()
    undoes: tuple[int, ...] = ()
    activate: bool = True

    def activates(self, host: Host) -> bool:
        """Whether anything is run."""
        return host.runs and self.activate


@dataclass(frozen=True)
class Receipt:
    """Proof of an applied plan.

    Attributes:
        id: its number in the history; 0 if there was nothing to do.
        plan: what was done; `apply(receipt.plan.inverse(), host, ...)` takes it back.
        at: when, UTC.
        not_run: commands that would have been run if the host were a running machine.
    """

    id: int
    plan: Plan
    at: datetime
    not_run: tuple[Command, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was done."""
        return bool(self.id)

    @property
    def undo(self) -> int | None:
        """What `undo` takes it back by; None: there is nothing to take back."""
        return self.id or None


def apply(
    plan: Plan,
    host: Host,
    run: Run,
    *,
    guards: Sequence[Callable[[], None]] = (),
    proof: Callable[[], None] | None = None,
) -> Receipt:
    """Carry out a plan, wholly or not at all.

    Args:
        plan: what to do.
        host: where.
        run: clock, and names for the history.
        guards: asked before anything is touched; each raises if something does not hold.
        proof: asked after activation; if it raises, everything is taken back.

    Raises:
        Locked, Drifted, NotReady: nothing was done.
        Undone: it failed, and the host is as it was.
        UndoFailed: it failed, and taking it back failed, too.
    """
    if not plan:
        return Receipt(0, plan, run.now)
    with _locked(host, run.append_only):
        recover_locked(host)
        rooted = _rooted(plan)
        _refuse_drift(plan, host, rooted)
        for guard in guards:
            guard()
        if host.runs:
            _run_all(plan.guards, host)
        entry = _entry(plan, host, run, rooted)
        touched = False
        try:
            write_journal(host, entry)
            _stage(rooted, host, entry.mark)
            touched = True
            _carry_out(plan, host, entry, rooted, run)
            if proof:
                proof()
            finish(host, entry)
        except BaseException as error:  # noqa: BLE001 - whatever it was, an interrupt too: it is taken back, then raised
            _fail(error, host, touched=touched)
    return Receipt(entry.id, plan, run.now, () if run.activates(host) else plan.commands)


@contextmanager
def _locked(host: Host, append_only: Sequence[Path]) -> Iterator[None]:
    """Hold the host, and the store where it does not lie on it: runs on several file trees may share one."""
    with host.lock(), ExitStack() as stores:
        for folder in append_only:
            if is_beside(folder):
                stores.enter_context(host.hold(folder))
        yield


def recover(host: Host) -> str | None:
    """Take back what a killed run left half done.

    Returns:
        The title of what was taken back; None: there was nothing.

    Raises:
        UndoFailed: if it could not be taken back.
    """
    if not is_left(host):
        return None
    with host.lock():
        return recover_locked(host)


def recover_locked(host: Host) -> str | None:
    """As `recover`, for who holds the lock."""
    drop_unnamed(host)
    entry = unfinished(host)
    if entry is None:
        drop_finished(host)
        return None
    entry = _without_shared(entry, host)
    _take_back(entry, host, f"an earlier run ({entry.title}) was killed")
    return entry.title


def _without_shared(entry: Entry, host: Host) -> Entry:
    """Leave what a killed run put into a store that other hosts use, too: they may rely on it by now.

    Only what never got its name goes.
    """
    shared = tuple(step for step in entry.steps if step.kept and is_beside(Path(step.path)))
    for step in shared:
        host.discard(_staged(Path(step.path), entry.mark))
    return replace(entry, steps=tuple(step for step in entry.steps if step not in shared))


def _entry(plan: Plan, host: Host, run: Run, rooted: Sequence[Rooted]) -> Entry:
    steps = steps_of(rooted, run.append_only)
    return Entry(next_id(host), plan.title, run.now, run.who, run.group, run.undoes, steps, plan.activation)


# before


def _refuse_drift(plan: Plan, host: Host, rooted: Sequence[Rooted]) -> None:
    """Compare every node with what the plan was made from; what lies in a new directory cannot be there."""
    outside = (change for change, root in rooted if root is None or root is change.path)
    with host.near() as near:
        drifted = [shown(change.path) for change in outside if near.node(change.path) != change.before]
        drifted += [f"{shown(path)} (not empty)" for path in _occupied(plan, near)]
    if drifted:
        raise Drifted(
            f"changed since it was looked at: {', '.join(drifted)}", "nothing was done; run the command again"
        )


def _occupied(plan: Plan, host: Host) -> Iterator[Path]:
    """Directories to delete that hold more than the plan deletes."""
    gone = {change.path for change in plan.changes if change.after is None}
    for change in plan.changes:
        leaves = isinstance(change.before, Directory) and not isinstance(change.after, Directory)
        if leaves and any(change.path / name not in gone for name in host.names(change.path)):
            yield change.path


def _rooted(plan: Plan) -> tuple[Rooted, ...]:
    """Each change, and the outermost new directory that its path lies in or is, by identity; None: in no new one.

    Such a root is staged with all that is in it, and named at once.
    """
    roots: dict[Path, Path] = {}
    rooted: list[Rooted] = []
    for change in plan.changes:
        root = roots.get(change.path.parent)
        if isinstance(change.after, Directory) and (root or not isinstance(change.before, Directory)):
            root = roots[change.path] = root or change.path
        rooted.append((change, root))
    return tuple(rooted)


# carrying out


def _carry_out(plan: Plan, host: Host, entry: Entry, rooted: Sequence[Rooted], run: Run) -> None:
    """Name the nodes; what is to be run is, once the journal says so."""
    for commands in chain(_publish(rooted, host, entry.mark, run.append_only), (plan.activation,)):
        if commands and run.activates(host):
            entry = mark_activating(host, entry)
            _run_all(commands, host)


def _staged(path: Path, mark: str) -> Path:
    """The name beside its place under which a node waits."""
    return path.with_name(f".{path.name[:200]}.dockertls-{mark}")


def _stage(rooted: Sequence[Rooted], host: Host, mark: str) -> None:
    """Make every new node beside its place, finished but for its name, and all of it durable."""
    folders: dict[Path, Path] = {}
    made: list[Path] = []
    with host.near() as near:
        for change, root in rooted:
            path, node = change.path, change.heir
            if node is None or _alters(change):
                continue
            inside = root is not None and root is not path
            place = folders[path.parent] / path.name if inside else _staged(path, mark)
            _stage_one(change, node, place, near)
            if isinstance(node, Directory):
                folders[path] = place
            made += [] if isinstance(node, Link) else [place]
    host.sync(made)


def _stage_one(change: Change, node: Node, place: Path, host: Host) -> None:
    try:
        host.make(place, node)
    except FileExistsError as error:
        raise Drifted(f"{shown(place)} is in the way", "move it away and run again") from error
    except FileNotFoundError as error:
        raise Drifted(f"the directory of {shown(change.path)} is gone", "run the command again") from error


def _alters(change: Change) -> bool:
    return isinstance(change.before, Directory) and isinstance(change.after, Directory)


def _publish(
    rooted: Sequence[Rooted], host: Host, mark: str, append_only: Sequence[Path]
) -> Iterator[tuple[Command, ...]]:
    """Give the nodes their names in the plan's order; a directory's names are durable before a later one's change.

    But names in what is append-only wait for each other: nobody else reads it, and the journal puts it right.

    Yields what is to be run before it goes on.
    """
    waiting: dict[Path, None] = {}
    for change, root in rooted:
        if root is None or root is change.path:
            folder = change.path.parent
            if not lasts(change.path, append_only) and {*waiting} - {folder}:
                _settle(waiting, host)
            waiting[folder] = None
            _publish_one(change, host, mark)
            if not isinstance(change.after, Directory):
                waiting.pop(change.path, None)
        if change.then:
            _settle(waiting, host)
            yield change.then
    _settle(waiting, host)


def _settle(waiting: dict[Path, None], host: Host) -> None:
    if waiting:
        host.sync(waiting)
    waiting.clear()


def _publish_one(change: Change, host: Host, mark: str) -> None:
    if change.after is None:
        host.remove(change.path)
    elif _alters(change) and isinstance(change.after, Directory):
        host.alter(change.path, change.after)
    else:
        if isinstance(change.before, Directory) or (change.before and isinstance(change.after, Directory)):
            host.remove(change.path)
        host.rename(_staged(change.path, mark), change.path)


def _run_all(commands: Iterable[Command], host: Host) -> None:
    for command in commands:
        output = host.run(command)
        if output.code and not command.tolerated:
            tail = "\n".join((output.err or output.out).strip().splitlines()[-SHOWN:])
            raise NotReady(f"`{' '.join(command.argv)}` failed with exit code {output.code}", tail)


# the way back


def _fail(error: BaseException, host: Host, *, touched: bool) -> NoReturn:
    """Take back what was begun, and tell of the first failure; as it came where nothing had its name yet."""
    reason = error.message if isinstance(error, DockerTLSError) else f"{error.__class__.__name__} {error}".strip()
    hint = error.hint if isinstance(error, DockerTLSError) else ""
    entry = unfinished(host)
    if entry is not None:
        _take_back(entry, host, reason)
    if not isinstance(error, Exception) or not touched:
        raise error
    raise Undone(f"{reason}; everything was put back", hint) from error


def _take_back(entry: Entry, host: Host, reason: str) -> None:
    """Bring every node back to what it was, in reverse, and remove what was staged.

    Raises:
        UndoFailed: naming the journal, which stays, and each path that could not be brought back.
    """
    made = {Path(step.path) for step in entry.steps if step.after.kind == "directory" != step.before.kind}
    troubles: list[str] = []
    for step in reversed(entry.steps):
        try:
            if not _is_unborn(Path(step.path), made, host):
                entry = _take_one_back(step, entry, host)
        except (DockerTLSError, OSError) as error:
            troubles.append(f"{shown(Path(step.path))}: {error}")
            if step.back:
                break  # what it opened may still be open, and what comes before it is what makes that safe
    troubles += [] if troubles else _end_taking_back(entry, host)
    if troubles:
        raise UndoFailed(
            f"{reason}; and taking it back failed: {'; '.join(troubles)}",
            f"the journal {journal_path(host)} says what was there; put it right, then run dockertls again",
        )


def _take_one_back(step: Step, entry: Entry, host: Host) -> Entry:
    """Restore a step, and run what has to be run then; a journal that is marked has it run again by the next try."""
    if step.back and host.runs and not entry.activating and step.after.describes(host.node(Path(step.path))):
        entry = mark_activating(host, entry)
    _restore(step, host, entry.mark)
    if entry.activating:
        _run_all(step.back, host)
    return entry


def _is_unborn(path: Path, made: Collection[Path], host: Host) -> bool:
    """Whether a directory on the way never got its name: what is in it went with it, and no link there is followed."""
    way = (parent for parent in reversed(path.parents) if parent in made)
    return any(not isinstance(host.node(parent), Directory) for parent in way)


def _end_taking_back(entry: Entry, host: Host) -> list[str]:
    """When every node is back: what runs follows them again, and the journal goes. Returns what stood against it."""
    try:
        if entry.activating:
            _run_all(entry.activation, host)
        forget(host)
    except DockerTLSError as error:
        return [f"{error.message} ({error.hint})"]
    return []


def _restore(step: Step, host: Host, mark: str) -> None:
    path = Path(step.path)
    host.discard(_staged(path, mark))
    present = host.node(path)
    if step.before.describes(present):
        return
    if step.tree:
        host.discard(path)
    elif step.after.describes(present) or _is_between(step, present):
        _put_back(path, step.before.node(host), present, host, mark)
    else:
        raise Drifted("is neither as it was nor as it was made", "somebody else changed it")
    host.sync([path.parent])


def _is_between(step: Step, present: Node | None) -> bool:
    """Whether a node is under way from what it was to what it shall be.

    Nothing is there while a directory and something else turn into each other; a directory that is altered has its
    new owner before its new mode.
    """
    both = (step.before, step.after)
    kinds = {record.kind for record in both}
    if isinstance(present, Directory):
        modes, owners = {record.mode for record in both}, {record.owner for record in both}
        return kinds == {"directory"} and present.mode in modes and present.owner in owners
    return present is None and "directory" in kinds and "none" not in kinds


def _put_back(path: Path, before: Node | None, present: Node | None, host: Host, mark: str) -> None:
    if before is None:
        host.remove(path)
        return
    if isinstance(before, Directory) and isinstance(present, Directory):
        host.alter(path, before)
        return
    staged = _staged(path, mark)
    host.make(staged, before)
    host.sync([] if isinstance(before, Link) else [staged])
    if present is not None and (isinstance(before, Directory) or isinstance(present, Directory)):
        host.remove(path)
    host.rename(staged, path)


__all__ = ["Receipt", "Run", "apply", "history", "recover"]
