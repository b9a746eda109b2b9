"""What was done to a host, on paper: the journal of a change under way, and the history of those that are done."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, Any, Self, assert_never

from dockertls.errors import NotReady
from dockertls.plan import KEY, Command, Directory, File, Link, Node, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockertls.host import Host
    from dockertls.plan import Change, Owner

Rooted = tuple["Change", Path | None]
"""A change, and the outermost new directory that its path lies in or is; None: in no new one."""

SCHEMA = "dockertls/journal/1"
JOURNAL, ACTIVATING = "journal.json", "journal.activating.json"
UNNAMED = ".journal.json.new"
"""A journal that is being written."""


@dataclass(frozen=True)
class Record:
    """A node on paper: what it is, and of a file its digest; the content only where a way back needs it.

    Attributes:
        kind: "none", "file", "directory" or "link".
        mode: permission bits; 0 for links.
        owner: user and group id; 0:0 for links.
        digest: SHA-256 of a file's content, hex; the target of a link.
        content: a file's content, base64.
        stored: where in the store the same content lies: keys of the store are never copied here.
        attributes: a file's extended ones, base64; only where a way back needs them.
    """

    kind: str
    mode: int = 0
    owner: Owner = (0, 0)
    digest: str = ""
    content: str | None = None
    stored: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, node: Node | None, *, content: bool = False) -> Self:
        """Write a node down, with a file's content if asked for and if the store does not hold it."""
        match node:
            case None:
                return cls("none")
            case Link(target):
                return cls("link", digest=target)
            case Directory(mode, owner):
                return cls("directory", mode, owner)
            case File():
                digest = hashlib.sha256(node.content).hexdigest()
                stored = str(node.stored) if node.stored else None
                kept = _in_base64(node.content) if content and not stored else None
                attributes = tuple((name, _in_base64(value)) for name, value in node.attributes if content)
                return cls("file", node.mode, node.owner, digest, kept, stored, attributes)
            case _:
                assert_never(node)

    @property
    def holds_key(self) -> bool:
        """Whether a private key is part of its content here."""
        return KEY in base64.b64decode(self.content or "")

    def describes(self, node: Node | None) -> bool:
        """Whether `node` is the one that was written down."""
        seen = Record.of(node)
        return (seen.kind, seen.mode, seen.owner, seen.digest) == (self.kind, self.mode, self.owner, self.digest)

    def node(self, host: Host) -> Node | None:
        """The node again, its content from here or from the store.

        Raises:
            NotReady: if neither has the content.
        """
        match self.kind:
            case "none":
                return None
            case "link":
                return Link(self.digest)
            case "directory":
                return Directory(self.mode, self.owner)
        attributes = tuple((name, base64.b64decode(value)) for name, value in self.attributes)
        return File(
            self._content(host),
            self.mode,
            self.owner,
            secret=self.stored is not None,
            stored=self._stored,
            attributes=attributes,
        )

    @property
    def _stored(self) -> Path | None:
        return Path(self.stored) if self.stored else None

    def _content(self, host: Host) -> bytes:
        if self.content is not None:
            return base64.b64decode(self.content)
        kept = host.node(self._stored) if self._stored else None
        if isinstance(kept, File) and hashlib.sha256(kept.content).hexdigest() == self.digest:
            return kept.content
        place = shown(self._stored) if self._stored else "the journal"
        raise NotReady(f"the content with SHA-256 {self.digest} is lost", f"it should lie in {place}")


def _in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True)
class Step:
    """A change on paper.

    Attributes:
        path: of the node.
        why: as in the change.
        before: what was there.
        after: what was put there.
        kept: it is never undone once it is done: it lies in the store or on the way there, or is the user's own.
        tree: it is a new directory of that kind, named here without all that is in it.
        then: as in the change.
        back: as in the change.
    """

    path: str
    why: str
    before: Record
    after: Record
    kept: bool = False
    tree: bool = False
    then: tuple[Command, ...] = ()
    back: tuple[Command, ...] = ()

    @property
    def lasting(self) -> Step:
        """Without a key that is never put back."""
        gone = self.kept and self.before.holds_key
        return replace(self, before=replace(self.before, content=None)) if gone else self


@dataclass(frozen=True)
class Entry:
    """One run of `apply`, under way or done.

    Attributes:
        id: number in the history, from 1.
        title: the plan's title.
        at: when it began, UTC.
        who: who ran it.
        group: entries of one command share it; they are undone together.
        undoes: ids of the entries that this one took back.
        steps: the changes, in order.
        activation: what makes the host follow its files.
        activating: whether activation has begun: then a way back has to activate, too.
    """

    id: int
    title: str
    at: datetime
    who: str
    group: str
    undoes: tuple[int, ...]
    steps: tuple[Step, ...]
    activation: tuple[Command, ...]
    activating: bool = False

    @property
    def mark(self) -> str:
        """What its nodes have in their names until they get their own; unique, for hosts may share a store."""
        return f"{self.id}-{self.at:%y%m%d%H%M%S%f}"

    @property
    def lasting(self) -> Entry:
        """What of it is history when it is done: no key that an undo has no use for."""
        return replace(self, steps=tuple(step.lasting for step in self.steps))

    @property
    def text(self) -> str:
        """As JSON, a line a step."""
        fields = (
            {"schema": SCHEMA} | vars(self) | {"at": self.at.isoformat(), "activation": [*map(vars, self.activation)]}
        )
        del fields["activating"]  # the journal's name says it
        lines = ",\n".join(json.dumps(_on_paper(step)) for step in fields.pop("steps"))
        return f'{json.dumps(fields)[:-1]}, "steps": [\n{lines}\n]}}\n'

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Read an entry back.

        Raises:
            NotReady: if this is not an entry that this version wrote.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            _expect(data.pop("schema"))
            steps = tuple(_step(step) for step in data.pop("steps"))
            commands = _commands(data.pop("activation"))
            at = datetime.fromisoformat(data.pop("at"))
            return cls(**data | {"undoes": tuple(data["undoes"])}, at=at, steps=steps, activation=commands)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotReady(
                f"{name} is not a journal that this version can read ({error})", "move it away by hand"
            ) from error


def _expect(schema: object) -> None:
    if schema != SCHEMA:
        raise ValueError(f"schema {schema!r}")


def _on_paper(step: Step) -> dict[str, object]:
    commands = {key: [*map(vars, found)] for key in ("then", "back") if (found := vars(step)[key])}
    return vars(step) | {"before": vars(step.before), "after": vars(step.after)} | commands


def _step(data: dict[str, Any]) -> Step:
    records = {key: _record(data[key]) for key in ("before", "after")}
    commands = {key: _commands(data.get(key, ())) for key in ("then", "back")}
    return Step(**(data | records | commands))


def _record(data: dict[str, Any]) -> Record:
    attributes = tuple((name, value) for name, value in data.get("attributes", ()))
    return Record(**(data | {"owner": tuple(data["owner"]), "attributes": attributes}))


def _commands(data: Iterable[dict[str, Any]]) -> tuple[Command, ...]:
    return tuple(Command(**(item | {"argv": tuple(item["argv"])})) for item in data)


def steps_of(rooted: Iterable[Rooted], append_only: tuple[Path, ...]) -> tuple[Step, ...]:
    """Write changes down; of a new directory in an append-only place only its own name.

    Args:
        rooted: the changes in the plan's order, each with the outermost new directory that it lies in, if there is one.
        append_only: paths of what is never undone once it is done: the store.
    """
    steps: list[Step] = []
    compacted: set[Path] = set()
    for change, root in rooted:
        if root in compacted:
            continue
        kept = lasts(change.path, append_only)
        compact = kept and root is change.path and change.before is None
        if compact:
            compacted.add(change.path)
        before, after = Record.of(change.before, content=True), Record.of(change.after)
        steps.append(Step(str(change.path), change.why, before, after, kept, compact, change.then, change.back))
    return tuple(steps)


def lasts(path: Path, append_only: Sequence[Path]) -> bool:
    """Whether a path lies in an append-only place, or on the way there."""
    return any(path.is_relative_to(one) or one.is_relative_to(path) for one in append_only)


def journal_path(host: Host) -> Path:
    """Where the journal of the change under way lies: under ACTIVATING once something may have been run."""
    return host.state / (ACTIVATING if ACTIVATING in host.names(host.state) else JOURNAL)


def history_path(host: Host) -> Path:
    """Where the entries of what is done lie."""
    return host.state / "history"


def unfinished(host: Host) -> Entry | None:
    """The entry of a change that was begun and not finished, if there is one."""
    path = journal_path(host)
    node = host.node(path)
    if not isinstance(node, File):
        return None
    entry = Entry.parse(node.content.decode(errors="replace"), str(path))
    if host.node(_in_history(host, entry)) is not None:
        return None  # it is done: the run was killed before it removed the journal
    return replace(entry, activating=entry.activating or path.name == ACTIVATING)


def is_left(host: Host) -> bool:
    """Whether a killed run left something: a journal, or one that it had not yet finished writing."""
    return not {JOURNAL, ACTIVATING, UNNAMED}.isdisjoint(host.names(host.state))


def drop_unnamed(host: Host) -> None:
    """Remove a journal that never got its name: what it is about was not begun."""
    host.discard(host.state / UNNAMED)


def drop_finished(host: Host) -> None:
    """Remove the journal of a change that is done."""
    if is_left(host):
        host.discard(journal_path(host))
        host.sync([host.state])


def history(host: Host) -> tuple[Entry, ...]:
    """All that was done, oldest first.

    Raises:
        NotReady: if an entry cannot be read.
    """
    folder = history_path(host)
    nodes = ((folder / name, host.node(folder / name)) for name in host.names(folder) if _is_entry(name))
    return tuple(Entry.parse(n.content.decode(errors="replace"), str(path)) for path, n in nodes if isinstance(n, File))


def next_id(host: Host) -> int:
    """The number of the next entry."""
    numbers = [int(name.removesuffix(".json")) for name in host.names(history_path(host)) if _is_entry(name)]
    return max(numbers, default=0) + 1


def _is_entry(name: str) -> bool:
    return name.endswith(".json") and name.removesuffix(".json").isdigit()


def write_journal(host: Host, entry: Entry) -> None:
    """Put the journal in its place, whole and durable, readable by its owner alone."""
    _write_then_name(host, entry, host.state / JOURNAL)
    host.sync([host.state])


def _write_then_name(host: Host, entry: Entry, place: Path) -> None:
    staged = host.state / UNNAMED
    try:
        host.make(staged, File(entry.text.encode(), 0o600, host.self_owner, secret=True))
        host.sync([staged])
        host.rename(staged, place)
    except BaseException:
        with suppress(NotReady):
            drop_unnamed(host)
        raise


def finish(host: Host, entry: Entry) -> None:
    """The journal becomes history by one rename: from here on the change is done.

    All that was changed is durable already. If the rename is not and the power fails, the change is taken back. A
    key that is gone for good is no part of the history: it would be found there.
    """
    folder = history_path(host)
    if host.node(folder) is None:
        host.make(folder, Directory(0o700, host.self_owner))
    if entry.lasting == entry:
        host.rename(journal_path(host), _in_history(host, entry))
    else:
        _write_then_name(host, entry.lasting, _in_history(host, entry))
    with suppress(NotReady):
        host.sync([folder, folder.parent])
    if entry.lasting != entry:
        with suppress(NotReady):  # the next run removes it
            forget(host)


def _in_history(host: Host, entry: Entry) -> Path:
    return history_path(host) / f"{entry.id:06}.json"


def forget(host: Host) -> None:
    """Remove the journal: the host is as it was."""
    host.remove(journal_path(host))
    with suppress(NotReady):  # a journal that comes back after a power failure finds nothing to take back
        host.sync([host.state])


def mark_activating(host: Host, entry: Entry) -> Entry:
    """Note that something may have been run, before it is. By name: that asks a full disk for nothing."""
    if not entry.activating:
        host.rename(host.state / JOURNAL, host.state / ACTIVATING)
        host.sync([host.state])
    return replace(entry, activating=True)
