"""What is known of a host at one moment, and where on a host it is found; `rows` asks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.documents.passwd import parse_passwd
from dockertls.errors import NotReady
from dockertls.look import NAMES
from dockertls.plan import Directory, File, Link
from dockertls.platforms import HOME, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from dockertls.documents.passwd import User
    from dockertls.host import Output
    from dockertls.plan import Change, Node, Status

UNIT_DIRS = tuple(Path(folder) / "systemd/system" for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"))
"""Where systemd looks for units, strongest first (systemd.unit(5))."""
USER_UNIT_DIRS = (
    HOME / ".config/systemd/user",
    *(Path(folder) for folder in ("/etc/systemd/user", "/run/systemd/user")),
    HOME / ".local/share/systemd/user",
    *(Path(folder) for folder in ("/usr/local/lib/systemd/user", "/usr/lib/systemd/user")),
)
"""Where a user's own systemd looks for units, strongest first."""
SERVICES = tuple(dict.fromkeys(row.unit for row in TABLE))
UNITS = (*SERVICES, "docker.socket")
INIT_SCRIPT = Path("/etc/init.d/docker")
ROOTLESS = next(row for row in TABLE if row.rootless)
ENVIRONMENT_FILES = tuple(dict.fromkeys(row.environment for row in TABLE if row.environment))
PROC = Path("/proc")
PROCESS_FILES = ("cgroup", "cmdline", "cwd", "environ", "exe", "stat", "status")
SYSTEMCTL_SHOW = ("systemctl", "show", "--property=Id,ActiveState,MainPID,NeedDaemonReload,DropInPaths", *UNITS)
PIDOF = ("pidof", "dockerd", "dockerd-current")
RENEWAL = ("dockertls-renew.timer", "dockertls-renew.service")
"""The units of our own that renew certificates."""
SYSTEMCTL_VERSION = ("systemctl", "--version")
CRON_PIDS = ("pidof", "cron", "crond")
PROGRAM_DIRS = tuple(Path(folder) for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/sbin", "/snap/bin"))


PASSWD = Path("/etc/passwd")
GROUP = Path("/etc/group")
SOCKET_TABLES = ("net/tcp", "net/tcp6", "net/unix", "ns/net")
MOUNTS = PROC / "self/mountinfo"
STORE = Path("/etc/dockertls")
"""Where root's own authorities lie, unless he names another place."""
AUDITCTL = ("auditctl", "-l")
ADDRESSES = ("ip", "-o", "address")
AUDIT_DIR, AUDIT_RULES = Path("/etc/audit/rules.d"), Path("/etc/audit/audit.rules")
MOST_PARTS = 256  # of a path with every link followed: links may lead in a circle
PROCESS_ID = re.compile(r"[1-9][0-9]{0,8}")


class NotGathered(LookupError):
    """A fact was used that was not asked for: a bug in whoever named the rows."""


class NotSeen(NotGathered):
    """A fact was asked for, and the host did not tell it: where that is borne, it is said to be unknown."""


@dataclass(frozen=True)
class HostFacts:
    """What is known of a host at one moment.

    Attributes:
        taken: when, UTC.
        runs: whether it is a running machine, not a file tree.
        files: the node at each path that was looked at, links not followed; None: nothing is there.
        links: where each link that was met ends.
        names: what each directory that was listed holds.
        outputs: what each command answered; None: it was not run, this is a file tree.
        changed: when what a path names last changed, or the link that is there; of those that were asked for; seconds,
            UTC.
        statuses: what each path names, through links, from outside; None: nothing is there; of those that were asked
            for.
        unseen: what the host does not let us see, and why not; only of a gathering that bears it.
        asker: the user id of the one who looks at a running machine; 0 in a file tree.
        saved: they were read from a document: what is not in it was not seen.
    """

    taken: datetime
    runs: bool = True
    files: Mapping[Path, Node | None] = field(default_factory=dict)
    links: Mapping[Path, Path] = field(default_factory=dict)
    names: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    outputs: Mapping[tuple[str, ...], Output | None] = field(default_factory=dict)
    changed: Mapping[Path, float] = field(default_factory=dict)
    statuses: Mapping[Path, Status | None] = field(default_factory=dict)
    unseen: Mapping[Path, str] = field(default_factory=dict)
    asker: int = 0
    saved: bool = False

    def node(self, path: Path) -> Node | None:
        """What is at `path` itself. Raises NotGathered."""
        if self.unseen and path in self.unseen:
            raise NotSeen(self.unseen[path])
        node = self.files.get(path)
        if node is not None or path in self.files or self._surely_missing(path):
            return node
        raise self._untold(str(path))

    def looked_at(self, path: Path) -> Node | None:
        """What is at `path` itself; None too where nobody looked. Raises NotSeen, where it was not to be seen."""
        try:
            return self.node(path)
        except NotSeen:
            raise
        except NotGathered:
            return None

    def lacks(self, path: Path) -> bool:
        """Whether nothing is at `path`; false where that was not looked at."""
        try:
            return self.node(path) is None
        except NotGathered:
            return False

    def _surely_missing(self, path: Path) -> bool:
        """Whether a directory on the way is known to be missing, or known not to hold it."""
        inside, nearest = path, path.parent
        while nearest not in self.files:
            if nearest == inside:
                return False
            inside, nearest = nearest, nearest.parent
        node = self.files[nearest]
        return node is None or (
            isinstance(node, Directory) and nearest in self.names and inside.name not in self.names[nearest]
        )

    def status(self, path: Path) -> Status | None:
        """What a path names, from outside; None: nothing. Raises NotGathered."""
        if path in self.statuses:
            return self.statuses[path]
        raise NotSeen(self.unseen[path]) if path in self.unseen else self._untold(str(path))

    def place(self, path: Path) -> Path:
        """Where the thing that `path` names really lies: the end of a link, else `path`."""
        return self.links.get(path, path)

    def file(self, path: Path) -> File | None:
        """The regular file that `path` names, through links; None: there is none. Raises NotGathered."""
        node = self._named(path)
        return node if isinstance(node, File) else None

    def is_directory(self, path: Path) -> bool:
        """Whether `path` names a directory, through links. Raises NotGathered."""
        return isinstance(self._named(path), Directory)

    def _named(self, path: Path) -> Node | None:
        node = self.node(path)
        return self.node(self.place(path)) if isinstance(node, Link) else node

    def listed(self, path: Path) -> tuple[str, ...]:
        """Names in a directory; none if it is not there. Raises NotGathered."""
        names = self.names.get(path)
        if names is not None:
            return names
        if self.unseen and path / NAMES in self.unseen:
            raise NotSeen(self.unseen[path / NAMES])
        if self.node(path) is None:
            return ()
        raise self._untold(str(path))

    def program(self, name: str) -> Path | None:
        """Where a program lies, by the usual directories; None: in none of them. Raises NotGathered."""
        return next((folder / name for folder in PROGRAM_DIRS if name in self.listed(folder)), None)

    def output(self, *argv: str) -> Output | None:
        """What a command answered; None: it was not run. Raises NotGathered."""
        if argv not in self.outputs:
            raise self._untold(" ".join(argv))
        return self.outputs[argv]

    def _untold(self, what: str) -> NotGathered:
        """What to raise for a fact that is not there."""
        return NotSeen(f"{what} is not among the facts") if self.saved else NotGathered(what)

    def after(self, changes: Iterable[Change]) -> HostFacts:
        """What would be known once these changes are made; a link that they move leads where it then would."""
        made = {change.path: change.after for change in changes}
        files = {**self.files, **made}
        ends = {path: _end(path, files) for path, node in files.items() if isinstance(node, Link)}
        far = {path: end for path, end in self.links.items() if path not in made and _end(path, self.files) != end}
        names = {**self.names, **{path: () for path, node in made.items() if isinstance(node, Directory)}}
        for path, node in made.items():
            if path.parent in names:
                others = {name for name in names[path.parent] if name != path.name}
                names[path.parent] = tuple(sorted(others | ({path.name} if node else set())))
        return replace(self, files=files, links={**ends, **far}, names=names)


def _end(path: Path, files: Mapping[Path, Node | None]) -> Path:
    """Where a path leads by the links that are known; what is known by a way through a linked folder is left there."""
    done, rest = Path("/"), list(path.parts[1:])
    for _ in range(MOST_PARTS):
        if not rest:
            break
        part = rest.pop(0)
        node = files.get(done / part)
        if part == "..":
            done = done.parent
        elif isinstance(node, Link) and not (rest and done / part / rest[0] in files):
            rest = [*Path(node.target).parts, *rest]  # the first of an absolute one is the root
        else:
            done /= part
    return done


def is_dockerd(program: str) -> bool:
    """Whether the name of a program is that of a dockerd, not of a script that starts one."""
    return program == "dockerd" or (program.startswith("dockerd-") and not program.endswith(".sh"))


def process_ids(answer: str) -> tuple[str, ...]:
    """The processes that an answer of PIDOF names, or of SYSTEMCTL_SHOW."""
    words = (word.removeprefix("MainPID=") for line in answer.splitlines() for word in line.split())
    return tuple(word for word in words if PROCESS_ID.fullmatch(word))


def renewal_show(*, user: bool) -> tuple[str, ...]:
    """What asks systemd, or that of the user who asks, for the state of our own units; all times are UTC."""
    properties = (
        "Id,LoadState,ActiveState,NeedDaemonReload,NextElapseUSecRealtime,LastTriggerUSec,Result,ExecMainStatus,"
        "ExecMainExitTimestamp"
    )
    whose = ("--user",) if user else ()
    return ("env", "TZ=UTC", "systemctl", *whose, "show", f"--property={properties}", *RENEWAL)


def users(facts: HostFacts) -> tuple[User, ...]:
    """The users that the host's /etc/passwd names, in its order."""
    file = facts.file(PASSWD)
    return parse_passwd(file.content.decode(errors="replace")) if file else ()


def missing_directories(facts: HostFacts, path: Path) -> tuple[Path, ...]:
    """Directories on the way to `path`, itself included, that are not there yet, outermost first.

    Raises:
        NotReady: if a file stands where a directory is needed.
    """
    missing: list[Path] = []
    for folder in (path, *path.parents):
        if facts.node(folder) is None:
            missing.append(folder)
        elif facts.is_directory(folder):
            break
        else:
            raise NotReady(f"{folder} is not a directory", "move it away, or name another folder")
    return tuple(reversed(missing))
