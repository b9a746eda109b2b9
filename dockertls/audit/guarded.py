"""TABLE of the files and sockets of Docker's that nobody but their owner may change, or read: bit by bit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.endpoints import sockets
from dockertls.daemon.units import SOCKET as SOCKET_UNIT
from dockertls.daemon.units import inside
from dockertls.documents.passwd import as_id, parse_groups
from dockertls.facts import GROUP, PROC, UNIT_DIRS, NotGathered, NotSeen
from dockertls.look import NAMES
from dockertls.plan import Directory, File, Link
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockertls.audit.seen import Seen
    from dockertls.documents.json_file import Json
    from dockertls.documents.passwd import Group
    from dockertls.plan import Owner, Status

NOT_WRITTEN, PLAIN, SECRET, SOCKET, SEALED = 0o022, 0o133, 0o177, 0o117, 0o333
"""Bits that nobody shall have: to write for others; besides, to run; to do anything for others; likewise and to run,
of a socket; to write or run for anybody."""
STICKY = 0o1000
STRICT_KEY = 0o377
"""Of a key by the CIS benchmark: nothing but 0400."""
_SUFFIXES = frozenset({".crt", ".cert", ".pem"})
_CONTAINERD = Path("/run/containerd/containerd.sock")


@dataclass(frozen=True)
class Guarded:
    """One file, directory or socket.

    Attributes:
        path: of it; what a link leads to is meant.
        denied: bits of its mode that it must not have.
        owner: user whose it must be.
        group: whose it must be; None: the owner's own, or root's; ANY: whichever it is.
        mended: whether `harden` may see to it; a directory of the whole host's is its administrator's.
    """

    path: Path
    denied: int
    owner: int = 0
    group: int | None = None
    mended: bool = True

    @property
    def group_wanted(self) -> int:
        """Whose it should be."""
        return self.owner if self.group in {None, ANY} else self.group or 0


ANY = -1
"""Whichever group."""


SUBORDINATE = 100_000
"""Where ids begin that a user may give to his containers (login.defs, SUB_GID_MIN): nobody else has one."""


def _is_right_group(one: Guarded, group: int) -> bool:
    if one.group is not None:
        return group == one.group
    return group in {0, one.owner} or (bool(one.owner) and group >= SUBORDINATE)


def owner_of(seen: Seen) -> Owner:
    """Whose a dockerd's own files must be."""
    return seen.reading.packaging.places.owner


def unit_files(seen: Seen) -> Iterator[Guarded]:
    """Units, sockets' units, and every drop-in; the init script, which is run; and where others could be put."""
    found = seen.reading.packaging
    for path in found.units:
        yield Guarded(path, NOT_WRITTEN if path.parts[:3] == ("/", "etc", "init.d") else PLAIN, owner_of(seen)[0])
    yield from ways(seen, *found.units, mended=False)
    if found.units and found.init is Init.SYSTEMD and not found.user:
        drop_ins = (inside(UNIT_DIRS, f"{name}.d") for name in (found.service, SOCKET_UNIT))
        for place in (*UNIT_DIRS, *chain.from_iterable(drop_ins)):
            yield Guarded(place, NOT_WRITTEN, 0, ANY, mended=False)


def folder(seen: Seen) -> Iterator[Guarded]:
    """Docker's own folder."""
    yield Guarded(seen.reading.packaging.places.config.parent, NOT_WRITTEN, owner_of(seen)[0])


def registries(seen: Seen) -> Iterator[Guarded]:
    """Certificates and keys for registries. Raises NotSeen, after all that were seen."""
    top = registries_at(seen)
    for path in _below(seen, top):
        bits = _forbidden(seen, path)
        if bits:
            yield Guarded(path, bits, owner_of(seen)[0])
    unlisted = (why for path, why in seen.facts.unseen.items() if path.name == NAMES and path.is_relative_to(top))
    if reason := next(unlisted, ""):
        raise NotSeen(reason)


def _below(seen: Seen, top: Path) -> Iterator[Path]:
    """A directory and all that was listed below it."""
    yield top
    for name in seen.facts.names.get(top, ()):
        yield from _below(seen, top / name)


def _forbidden(seen: Seen, path: Path) -> int:
    """The bits that something among the registries' files must not have; 0: it may have any."""
    node = seen.facts.files.get(path)
    if node is None and path not in seen.facts.unseen:
        return 0
    if isinstance(node, Directory):
        return NOT_WRITTEN
    if path.suffix == ".key":
        return SECRET
    if path.suffix in _SUFFIXES:
        return SEALED if seen.expected.strict_files else PLAIN
    return 0 if isinstance(node, File) else NOT_WRITTEN  # what was not seen may be a directory, and a link lead to one


def registries_at(seen: Seen) -> Path:
    """Where they lie."""
    return seen.reading.packaging.places.config.parent / "certs.d"


def authority_and_certificate(seen: Seen) -> Iterator[Guarded]:
    """What dockerd is told of TLS that is no secret."""
    files = seen.served.files
    for path in (files.ca, files.cert):
        if path:
            yield Guarded(path, SEALED if seen.expected.strict_files else PLAIN, owner_of(seen)[0])


def key(seen: Seen) -> Iterator[Guarded]:
    """The key, and every directory on the way to it, to which others could bring another one."""
    path = seen.served.files.key
    if path:
        yield Guarded(path, STRICT_KEY if seen.expected.strict_files else SECRET, owner_of(seen)[0])
        yield from ways(seen, path)


def ways(seen: Seen, *paths: Path, mended: bool = True) -> Iterator[Guarded]:
    """The directories on the way to files, and to where they really lie."""
    nearest = dict.fromkeys(end.parent for path in paths for end in (path, seen.facts.place(path)))
    for parent in dict.fromkeys(place for folder in nearest for place in (folder, *folder.parents)):
        yield Guarded(parent, NOT_WRITTEN, owner_of(seen)[0], ANY, mended)


def local_sockets(seen: Seen) -> Iterator[Guarded]:
    """Whoever can write to one is root; of the group that dockerd is told, else docker. Raises NotSeen."""
    paths = sockets(seen.reading)
    for path in paths:
        yield Guarded(path, SOCKET, owner_of(seen)[0], group_id(seen))
    yield from ways(seen, *(path for path in paths if _is_there(seen, path)), mended=False)
    _set_to(seen, "hosts")  # where they were not seen, there may be others


def group_id(seen: Seen) -> int | None:
    """The group that may use the socket; None: root alone, or the owner of a user's own. Raises NotSeen."""
    if seen.reading.packaging.user:
        return None
    name = str(_set_to(seen, "group") or "docker")
    groups = {group.name: group.gid for group in groups_of(seen)}
    return groups.get(name, as_id(name))


def groups_of(seen: Seen) -> tuple[Group, ...]:
    """The groups of the host. Raises NotSeen."""
    file = seen.facts.file(GROUP)
    return parse_groups(file.content.decode(errors="replace")) if file else ()


def _set_to(seen: Seen, key: str) -> Json:
    """What an option is set to; None: it is not. Raises NotSeen where a file that may set it was not seen."""
    found = seen.reading.both().get(key)
    if found is None and seen.unread:
        raise NotSeen(seen.unread.reason)
    return found.value if found else None


def configuration(seen: Seen) -> Iterator[Guarded]:
    """The daemon.json that it reads, and the way to it."""
    if _is_there(seen, seen.reading.config):
        yield Guarded(seen.reading.config, PLAIN, owner_of(seen)[0])
        yield from ways(seen, seen.reading.config)


def _is_there(seen: Seen, path: Path) -> bool:
    """Whether something is there, or may be."""
    try:
        return not seen.facts.lacks(path) and status_of(seen, path) is not None
    except NotGathered:
        return True


def environment(seen: Seen) -> Iterator[Guarded]:
    """Files from which it gets flags, and those that other packagings would read."""
    from_row = (Path("/etc/default/docker"), Path("/etc/sysconfig/docker"))
    paths = dict.fromkeys((*seen.reading.packaging.reads, *from_row))
    for path in paths:
        yield Guarded(path, PLAIN)
    yield from ways(seen, *(path for path in paths if _is_there(seen, path)), mended=False)


def containerd(seen: Seen) -> Iterator[Guarded]:
    """Who can write to it starts containers as root. Raises NotSeen, after the usual one."""
    yield Guarded(_CONTAINERD, SOCKET, owner_of(seen)[0])
    given, root = _set_to(seen, "containerd"), Path(str(_set_to(seen, "exec-root") or "/var/run/docker"))
    for path in dict.fromkeys((Path(str(given or _CONTAINERD)), root / "containerd/containerd.sock")):
        if path != _CONTAINERD:
            yield Guarded(path, SOCKET, owner_of(seen)[0])


def programs(seen: Seen) -> Iterator[Guarded]:
    """What runs as root, and what it keeps. Raises NotSeen, after all that were seen."""
    unseen: list[NotSeen] = []
    found: list[Path] = []
    for name in ("dockerd", "containerd", "runc"):
        try:
            found += program(seen, name)
        except NotSeen as error:
            unseen.append(error)
    yield from (Guarded(path, NOT_WRITTEN, 0, ANY) for path in found)
    yield from ways(seen, *found, mended=False)
    yield Guarded(data_root(seen), NOT_WRITTEN, owner_of(seen)[0], ANY)
    if unseen:
        raise unseen[0]


def program(seen: Seen, name: str) -> Iterator[Path]:
    """A program, by the process and by the usual places. Raises NotSeen."""
    runs = _running(seen) if name == "dockerd" else None
    if runs:
        yield runs
    found = seen.facts.program(name)
    if found and found != runs:
        yield found


def _running(seen: Seen) -> Path | None:
    """The dockerd that runs, whatever it is called."""
    link = seen.facts.files.get(PROC / str(seen.process.pid) / "exe") if seen.process else None
    target = link.target if isinstance(link, Link) else ""
    return Path(target) if target.startswith("/") and not target.endswith(" (deleted)") else None


def data_root(seen: Seen) -> Path:
    """Where it keeps images, containers and volumes. Raises NotSeen."""
    user = seen.reading.packaging.user
    default = str(user.home / ".local/share/docker") if user else "/var/lib/docker"
    found = Path(str(seen.answers.info.get("DockerRootDir") or _set_to(seen, "data-root") or default))
    return found if found.is_absolute() else Path(default)


TABLE: Mapping[str, Callable[[Seen], Iterator[Guarded]]] = MappingProxyType(
    {
        "TLS-09": key,
        "TLS-10": authority_and_certificate,
        "FS-01": unit_files,
        "FS-02": folder,
        "FS-03": registries,
        "FS-05": local_sockets,
        "FS-06": configuration,
        "FS-07": environment,
        "FS-08": containerd,
        "FS-09": programs,
    }
)
"""By the id of the check."""


def to_stat(seen: Seen) -> tuple[Path, ...]:
    """The paths that have to be seen from outside.

    Args:
        seen: of a first look.
    """
    found: list[Path] = []
    for rows in TABLE.values():
        with suppress(NotSeen):  # those before it stay
            found += (one.path for one in rows(seen))
    with suppress(NotSeen):
        where = data_root(seen)
        found += (where, where.parent)
    return tuple(dict.fromkeys(path for path in found if path.is_absolute()))


def status_of(seen: Seen, path: Path) -> Status | File | Directory | None:
    """What a path names, from outside; None: nothing. Raises NotSeen, NotGathered."""
    status = seen.facts.statuses.get(path)
    if status or path in seen.facts.statuses:
        return status
    if path in seen.facts.unseen:
        raise NotSeen(seen.facts.unseen[path])
    node = seen.facts.node(seen.facts.place(path))
    if isinstance(node, Link):
        raise NotSeen(f"where {path} leads was not looked at")
    return node


def righted(one: Guarded, status: Status | File | Directory) -> tuple[int, Owner]:
    """The mode and the owner that it should have: the owner stays where he is right."""
    return status.mode & ~one.denied, (one.owner, one.group_wanted) if any(_owned(one, status)) else status.owner


def wrong(one: Guarded, status: Status | File | Directory) -> str:
    """What is wrong with mode and owner, for people; empty: nothing is.

    In a sticky directory such as /tmp nobody takes away what is not his own.
    """
    owned = tuple(_owned(one, status))
    sticky = one.group == ANY and status.mode & STICKY and not owned
    mode = (f"mode {status.mode:04o}",) if status.mode & one.denied and not sticky else ()
    return ", ".join((*mode, *owned))


def _owned(one: Guarded, status: Status | File | Directory) -> Iterator[str]:
    """By whom it must not be owned, and is."""
    user, group = status.owner
    if user not in {one.owner, 0}:
        yield f"owner {user}"
    if one.group != ANY and not _is_right_group(one, group):
        yield f"group {group}"
