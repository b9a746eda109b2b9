"""The one description of a change to a host: nodes, changes, commands, and the plan that holds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, assert_never

from dockertls.escaping import visible
from dockertls.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Owner = tuple[int, int]
"""User id and group id, in this order."""

ROOT: Owner = (0, 0)

Attributes = tuple[tuple[str, bytes], ...]
"""Names and values of extended attributes."""

ACL = "system.posix_acl_access"
KEY = b"PRIVATE KEY-----"
"""A file that holds this is a secret, whoever made it."""

CREDENTIALS = tuple(Path("/etc") / name for name in ("credstore", "credstore.encrypted"))
"""Where services' passphrases lie (systemd.exec(5)): nothing of them is shown."""


@dataclass(frozen=True)
class File:
    """A regular file; mode and owner are part of the value.

    Attributes:
        content: all of its bytes.
        mode: permission bits.
        owner: user and group id.
        secret: never show the content. Not compared: a file does not become another by being secret.
        stored: a place in the store that holds the same bytes, so that a journal can name it instead of keeping a copy.
        attributes: extended ones, such as an SELinux context or an ACL, by name. Not compared.
        names: how many names it has on its file system (hard links). Not compared.
    """

    content: bytes = field(repr=False)
    mode: int = 0o644
    owner: Owner = ROOT
    secret: bool = field(default=False, compare=False)
    stored: Path | None = field(default=None, compare=False)
    attributes: Attributes = field(default=(), compare=False, repr=False)
    names: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Directory:
    """A directory; what it holds are nodes of their own."""

    mode: int = 0o755
    owner: Owner = ROOT


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Node = File | Directory | Link


@dataclass(frozen=True)
class Status:
    """What anything is that has a name, from outside.

    Attributes:
        kind: "file", "directory", "link", "socket" or "other".
        mode: permission bits.
        owner: user and group id.
        device: number of the file system that it lies on.
        changed: when it last changed: content, owner, mode or name; seconds, UTC.
    """

    kind: str
    mode: int
    owner: Owner
    device: int = 0
    changed: float = 0.0


@dataclass(frozen=True)
class Change:
    """One node at one path, before and after: create, edit, chmod, relink or delete.

    Attributes:
        path: absolute, as the host names it.
        before: what must be there now; None: nothing.
        after: what shall be there; None: nothing.
        why: one line for people, such as "server certificate for web1".
        then: run when the change is made and durable, before the next one is.
        back: run when it is taken back, before anything else is: a listener is closed before its TLS may go.
    """

    path: Path
    before: Node | None
    after: Node | None
    why: str
    then: tuple[Command, ...] = ()
    back: tuple[Command, ...] = ()

    def inverse(self) -> Change:
        """The change that takes this one back."""
        return replace(self, before=self.after, after=self.before, then=self.back, back=self.then)

    @property
    def heir(self) -> Node | None:
        """What shall be there, with the extended attributes of what it replaces; but a secret takes no ACL over."""
        if not isinstance(self.before, File) or not isinstance(self.after, File) or self.after.attributes:
            return self.after
        secret = _is_secret(self.after)
        inherited = tuple(one for one in self.before.attributes if not (secret and one[0] == ACL))
        return replace(self.after, attributes=inherited)


@dataclass(frozen=True)
class Command:
    """A command to run on the host, without a shell.

    Attributes:
        argv: program and arguments.
        why: one line for people.
        tolerated: its failure is reported and stops nothing.
    """

    argv: tuple[str, ...]
    why: str
    tolerated: bool = False


class Repeated(ValueError):
    """A plan names one path twice: a bug in whoever made the plan."""


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they are made, and what makes them take effect.

    A change that changes nothing is left out. `bool(plan)` says whether there is anything to do.

    Attributes:
        title: one line for people and the history.
        changes: made in this order; taken back in reverse.
        guards: commands that must succeed before the first change.
        activation: commands that make the running system follow its files.

    Raises:
        Repeated: if a path is named twice.
    """

    title: str
    changes: tuple[Change, ...] = ()
    guards: tuple[Command, ...] = ()
    activation: tuple[Command, ...] = ()

    def __post_init__(self) -> None:
        effective = tuple(change for change in self.changes if change.before != change.after)
        object.__setattr__(self, "changes", effective)
        seen: set[Path] = set()
        for change in effective:
            if change.path in seen:
                raise Repeated(f"{self.title}: {change.path} is named twice")
            seen.add(change.path)

    def __bool__(self) -> bool:
        return bool(self.changes or self.activation)

    @property
    def commands(self) -> tuple[Command, ...]:
        """All that is run while it is carried out, in that order."""
        return (*(command for change in self.changes for command in change.then), *self.activation)

    def __add__(self, other: Plan) -> Plan:
        """Both plans as one, this one first; a directory that both of them make is made once."""
        return combined(self.title or other.title, (self, other))

    def inverse(self) -> Plan:
        """The plan that takes this one back: every change turned round, in reverse; the same activation."""
        turned = tuple(change.inverse() for change in reversed(self.changes))
        return Plan(f"undo: {self.title}", turned, (), self.activation)

    def diff(self) -> str:
        """Unified diff of every change, for people; empty exactly when there is nothing to do.

        Secrets and certificates are shown by the beginning of their SHA-256; control characters are escaped.
        """
        parts = [_diff(change) + _told(change.then) for change in self.changes]
        return "".join((*parts, _told(self.activation)))


def combined(title: str, plans: Sequence[Plan]) -> Plan:
    """Plans as one, in their order; a directory that several of them make is made once.

    Args:
        title: of the whole.
        plans: made from the same state of the host.

    Raises:
        Repeated: if two of them name one path for anything else.
    """
    made: set[tuple[Path, Node | None]] = set()
    changes: list[Change] = []
    for change in (change for plan in plans for change in plan.changes):
        if isinstance(change.after, Directory):
            if (change.path, change.after) in made:
                continue
            made.add((change.path, change.after))
        changes.append(change)
    guards, activation = (
        (command for plan in plans for command in plan.guards),
        (c for p in plans for c in p.activation),
    )
    return Plan(title, tuple(changes), _once(guards), _once(activation))


def _once(commands: Iterable[Command]) -> tuple[Command, ...]:
    return tuple(dict.fromkeys(commands))


def _told(commands: Iterable[Command]) -> str:
    return "".join(f"run {' '.join(command.argv)}  ({command.why})\n" for command in commands)


def _diff(change: Change) -> str:
    """One line for what is made or removed, and for an edit the lines that differ."""
    secret = change.path.parent in CREDENTIALS or any(_is_secret(node) for node in (change.before, change.after))
    before, after = (_lines(node, secret=secret) for node in (change.before, change.after))
    if change.before is None or change.after is None:
        return _whole(change, before or after)
    if before[0] == after[0]:  # the mode is told where it changes
        before, after = before[1:], after[1:]
    import difflib  # noqa: PLC0415 - slow to load, and most runs show no diff of an edit

    body = [*_other_names(change.before), *list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]]
    return f"change {shown(change.path)}  ({change.why})\n" + "".join(f"  {line}\n" for line in body)


def _other_names(node: Node) -> list[str]:
    """What is to be known of a file that is another one's hard link."""
    if not isinstance(node, File) or node.names == 1:
        return []
    return [f"(a hard link, one of {node.names}: the others keep what is there now)"]


def _whole(change: Change, lines: list[str]) -> str:
    """A node that comes or goes; what can be said in a line is, and the text of a file follows."""
    verb, sign = ("delete", "-") if change.after is None else ("create", "+")
    head, *text = lines
    short = len(text) == 1
    tail = f"  {text[0]}" if short else ""
    return f"{verb} {shown(change.path)}  {head}{tail}\n" + "".join(
        f"  {sign}{line}\n" for line in ([] if short else text)
    )


def _is_secret(node: Node | None) -> bool:
    return isinstance(node, File) and (node.secret or KEY in node.content)


def _lines(node: Node | None, *, secret: bool) -> list[str]:
    match node:
        case None:
            return []
        case Link(target):
            return [f"-> {visible(target)}"]
        case Directory(mode, owner):
            return [f"folder {mode:04o}{_owned(owner)}"]
        case File(content, mode, owner):
            return [f"{mode:04o}{_owned(owner)}", *_content(content, secret=secret)]
        case _:
            assert_never(node)


def _owned(owner: Owner) -> str:
    return "" if owner == ROOT else f" {owner[0]}:{owner[1]}"


def _content(content: bytes, *, secret: bool) -> list[str]:
    """The lines that a diff may show, credentials masked: a digest for secrets, certificates and what is no text."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    if secret:
        return [f"secret {digest}"]
    if content.startswith(b"-----BEGIN ") or not _is_text(content):
        return [f"{_noun(content)} {digest}"]
    *lines, last = (visible(masked(line)) for line in content.decode().split("\n"))
    return lines + ([last, "(no newline at the end)"] if last else [])


def _noun(content: bytes) -> str:
    count = content.count(b"-----BEGIN CERTIFICATE-----")
    if count:
        return "certificate" if count == 1 else f"{count} certificates"
    return "PEM" if content.startswith(b"-----BEGIN ") else "binary"


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def beside(path: Path) -> Path:
    """The same path where a host is a file tree and the path does not lie in it.

    It is written with two slashes at its beginning: POSIX leaves their meaning open, and to Linux they are one.
    """
    return Path(f"/{path}")


def is_beside(path: Path) -> bool:
    """Whether a path does not lie in the host's file tree."""
    return path.root == "//"


def shown(path: Path) -> str:
    """A path for people and programs to read, as it would be typed."""
    return visible(str(path).removeprefix("/") if is_beside(path) else str(path))
