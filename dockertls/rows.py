"""All that is ever asked of a host: a table of rows, gathered whole before anything is decided."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dockertls.documents.passwd import parse_passwd
from dockertls.documents.unit_file import UnitFile
from dockertls.errors import NotReady, Refused
from dockertls.facts import (
    ADDRESSES,
    AUDIT_DIR,
    AUDIT_RULES,
    AUDITCTL,
    CRON_PIDS,
    ENVIRONMENT_FILES,
    GROUP,
    INIT_SCRIPT,
    MOUNTS,
    PASSWD,
    PIDOF,
    PROC,
    PROCESS_FILES,
    PROGRAM_DIRS,
    ROOTLESS,
    SERVICES,
    SOCKET_TABLES,
    SYSTEMCTL_SHOW,
    SYSTEMCTL_VERSION,
    UNIT_DIRS,
    UNITS,
    USER_UNIT_DIRS,
    HostFacts,
    is_dockerd,
    process_ids,
    renewal_show,
)
from dockertls.look import Look
from dockertls.plan import Directory, File
from dockertls.platforms import HOME, TABLE, at_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from dockertls.host import Host

_PATTERN = re.compile(r"[*?\[%]")
"""What makes a path of a unit one that only systemd can tell: a pattern, or a specifier."""


def _daemon(look: Look) -> None:
    """How dockerd is started and configured."""
    _units(look, UNIT_DIRS)
    _other_units(look)
    named = [path for row in TABLE for path in (row.daemon_json, row.mark) if path and not path.is_relative_to(HOME)]
    for path in (INIT_SCRIPT, *ENVIRONMENT_FILES, *named):
        look.see(path)
    for home in _homes(look):
        _units(look, (at_home(path, home) for path in USER_UNIT_DIRS))
        look.see(at_home(ROOTLESS.daemon_json, home))
    for path in PROGRAM_DIRS:
        look.names_in(path)
    for place in ("/etc/os-release", "/usr/lib/os-release", "/run/systemd/system", "/run/openrc"):
        look.see(Path(place))


def _units(look: Look, folders: Iterable[Path]) -> None:
    """See Docker's units and drop-ins in these folders, and the environment files that they name."""
    for folder in folders:
        for unit in UNITS:
            inside = folder / f"{unit}.d"
            for path in (folder / unit, *(inside / name for name in look.names_in(inside))):
                look.see(path)
                _environment_files(look, path)


def _environment_files(look: Look, path: Path) -> None:
    node = look.files.get(look.links.get(path, path))
    with suppress(Refused, NotReady):  # whoever reads the unit says what is wrong with it
        unit = UnitFile.decode(node.content, str(path)) if isinstance(node, File) else None
        for item in unit.assignments if unit else ():
            file = item.value.removeprefix("-")
            if item.key == "EnvironmentFile" and file.startswith("/") and not _PATTERN.search(file):
                look.see(Path(file))


def _other_units(look: Look) -> None:
    """Whatever else may be a unit of some Docker."""
    for folder in UNIT_DIRS:
        for name in look.names_in(folder):
            if "docker" in name and name.endswith(".service"):
                look.see(folder / name)


def _homes(look: Look) -> tuple[Path, ...]:
    """The homes in which a user's own Docker may be set up.

    An ordinary user means his own. Other homes are looked at where there is no other Docker: there may be thousands.
    """
    look.see(PASSWD)
    file = look.files.get(look.links.get(PASSWD, PASSWD))
    known = parse_passwd(file.content.decode(errors="replace")) if isinstance(file, File) else ()
    if look.asker:
        return tuple(user.home for user in known if user.uid == look.asker)
    places = (INIT_SCRIPT, *(folder / name for folder in UNIT_DIRS for name in SERVICES))
    if any(look.see(place) for place in places):
        return ()
    return tuple(dict.fromkeys(user.home for user in known if user.uid and user.home.is_absolute()))


def _certificates(look: Look) -> None:
    """Certificates and keys that are installed for dockerd."""
    system = {row.pem_dir: True for row in TABLE if not row.rootless}
    users = {at_home(ROOTLESS.pem_dir, home): False for home in _homes(look)}
    for folder, follow in {**system, **users}.items():  # root follows no link that a user may have planted
        for name in ("ca.pem", "server-cert.pem", "server-key.pem"):
            look.see(folder / name, follow=follow)
        look.tree(folder / "tls", follow=follow)


def _version(look: Look) -> None:
    """Which release each dockerd in the usual directories is."""
    for folder in PROGRAM_DIRS:
        for name in look.names_in(folder):
            if is_dockerd(name) and folder not in look.links:
                look.ask(str(folder / name), "--version")


def _running(look: Look) -> None:
    """The dockerds that run, whoever started them, and what systemd knows of its own."""
    if isinstance(look.see(Path("/run/systemd/system")), Directory):
        look.ask(*SYSTEMCTL_SHOW)
    look.ask(*PIDOF)
    look.peek(PROC / "stat")
    for pid in _dockerds(look):
        for name in PROCESS_FILES:
            look.peek(PROC / pid / name)


def _dockerds(look: Look) -> tuple[str, ...]:
    """The processes that were named."""
    answers = [answer for argv in (SYSTEMCTL_SHOW, PIDOF) if (answer := look.outputs.get(argv))]
    return tuple(dict.fromkeys(pid for answer in answers for pid in process_ids(answer.out)))


def _sockets(look: Look) -> None:
    """Which sockets the dockerds hold, and systemd for them, in which network."""
    _running(look)
    for pid in ("self", "1", *_dockerds(look)):
        for table in SOCKET_TABLES:
            look.peek(PROC / pid / table)
        folder = PROC / pid / "fd"
        for name in look.names_in(folder) if pid != "self" else ():
            look.peek(folder / name)


def _audit(look: Look) -> None:
    """The kernel's rules of audit: those in force, and those of the files."""
    look.ask(*AUDITCTL)
    for path in (AUDIT_RULES, *(AUDIT_DIR / name for name in look.names_in(AUDIT_DIR) if name.endswith(".rules"))):
        look.see(path)


def _mounts(look: Look) -> None:
    look.peek(MOUNTS)


def _groups(look: Look) -> None:
    look.see(PASSWD)
    look.see(GROUP)


def _timer(look: Look) -> None:
    """What could run something once a day, and what systemd knows of the units that are to renew certificates."""
    for folder in PROGRAM_DIRS:
        look.names_in(folder)
    for place in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/etc/machine-id", "/etc/hostname"):
        look.see(Path(place))
    if isinstance(look.see(Path("/run/systemd/system")), Directory):
        look.ask(*SYSTEMCTL_VERSION)
        look.ask(*renewal_show(user=bool(look.asker)))
    look.ask(*CRON_PIDS)


def _names(look: Look) -> None:
    """Host name and addresses, and which interfaces are bridges or virtual."""
    for path in ("/proc/sys/kernel/hostname", "/etc/hostname", "/etc/hosts"):
        look.see(Path(path))
    answer = look.ask(*ADDRESSES)
    for line in answer.out.splitlines() if answer else ():
        words = line.split()
        if len(words) > 1:
            look.names_in(Path("/sys/class/net") / words[1].partition("@")[0])


def _users(look: Look) -> None:
    look.see(PASSWD)


def _firewall(look: Look) -> None:
    look.ask("systemctl", "is-active", "firewalld", "ufw", "nftables")
    look.see(Path("/etc/ufw/ufw.conf"))
    look.see(Path("/etc/nftables.conf"))


ROWS: Mapping[str, Callable[[Look], None]] = MappingProxyType(
    {
        "daemon": _daemon,
        "certificates": _certificates,
        "version": _version,
        "running": _running,
        "names": _names,
        "users": _users,
        "firewall": _firewall,
        "timer": _timer,
        "sockets": _sockets,
        "audit": _audit,
        "mounts": _mounts,
        "groups": _groups,
    }
)


_PARTS = ("files", "links", "names", "outputs", "changed", "statuses", "unseen")
"""What a look collects, as facts have it."""


def gather(
    host: Host,
    wanted: Sequence[str],
    *,
    trees: Sequence[Path] = (),
    also: Sequence[Path] = (),
    bare: Sequence[Path] = (),
    dates: Sequence[Path] = (),
    stats: Sequence[Path] = (),
    bears: bool = False,
    beside: HostFacts | None = None,
    now: datetime,
) -> HostFacts:
    """Ask a host for what a command needs.

    Args:
        host: the way to the machine.
        wanted: names of rows of ROWS.
        trees: directories to look at with all below them, such as a user's ~/.docker.
        also: single nodes to look at.
        bare: the same of files that are not read, whatever their size: kind, mode and owner are what matters.
        dates: nodes whose last change is to be told.
        stats: what is to be seen from outside only, sockets too; what cannot be is named and borne.
        bears: what the host does not let us see is left out and named, instead of ending the gathering.
        beside: what was seen of it a moment ago: that is told too, and not looked at again.
        now: the time to write into the facts, UTC.

    Raises:
        NotReady: what the host does not let us see.
        Refused: a file that is too large to be one of Docker's.
    """
    look = Look(host, bears=bears)
    for part in _PARTS if beside else ():
        getattr(look, part).update(getattr(beside, part))
    for name in wanted:
        ROWS[name](look)
    for tree in trees:
        look.tree(tree)
    look.bare |= set(bare)
    for path in (*also, *bare):
        look.see(path)
    for path in dates:
        look.date(path)
    for path in stats:
        look.stat(path)
    parts: dict[str, Any] = {part: MappingProxyType(getattr(look, part)) for part in _PARTS}
    return HostFacts(now, host.runs, asker=look.asker, **parts)
