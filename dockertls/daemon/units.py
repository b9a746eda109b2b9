"""systemd's units as they are in force: the strongest file of a name with its drop-ins, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.started import Place, named
from dockertls.documents.unit_file import Assignment, MergedUnit, UnitFile, command_line, merged
from dockertls.errors import Refused
from dockertls.facts import SERVICES, UNIT_DIRS, USER_UNIT_DIRS, users
from dockertls.plan import File, Link
from dockertls.platforms import HOME, SERVICE, at_home

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dockertls.documents.passwd import User
    from dockertls.facts import HostFacts

SOCKET = "docker.socket"
OWN_NAME = "zz-dockertls.conf"
DROP_IN = UNIT_DIRS[0] / f"{SERVICE}.d" / OWN_NAME
SOCKET_DROP_IN = UNIT_DIRS[0] / f"{SOCKET}.d" / OWN_NAME
GUARD_DROP_IN = UNIT_DIRS[2] / f"{SERVICE}.d" / "zz-dockertls-guard.conf"
"""Not in /etc: what `systemctl revert` removes there must not take it along."""
_IN_HOME = (USER_UNIT_DIRS[0] / SERVICE).relative_to(HOME)
"""Where a user's own Docker is set up, from the home on."""
OWN = frozenset({DROP_IN, SOCKET_DROP_IN, GUARD_DROP_IN})
"""The drop-ins that are this tool's own; every other one is somebody else's and is never edited.

They are read after the override.conf that `systemctl edit` makes, and keep what it says.
"""


@dataclass(frozen=True)
class Units:
    """Where the units of one daemon lie.

    Attributes:
        service: the name of its service.
        dirs: where systemd looks for it, strongest first.
        user: whose daemon it is; None: the system's.
    """

    service: str = SERVICE
    dirs: tuple[Path, ...] = UNIT_DIRS
    user: User | None = None

    @property
    def own_drop_in(self) -> Path:
        """The drop-in of its service that is this tool's own."""
        return self.dirs[0] / f"{self.service}.d" / OWN_NAME


def docker_units(facts: HostFacts) -> Units:
    """The units of the Docker that is meant: the system's; an ordinary user's own, for him or where there is no other.

    Args:
        facts: gathered with the row "daemon".
    """
    kinds = (_of_users, _system) if facts.asker else (_system, _of_users)
    return next((units for kind in kinds for units in kind(facts)), Units())


def _system(facts: HostFacts) -> Iterator[Units]:
    """Those of the system's Docker, one that is masked last."""
    there = [units for name in SERVICES if fragment(facts, units := Units(name), name)]
    yield from sorted(there, key=lambda units: is_masked(facts, fragment(facts, units, units.service)))


def owners(facts: HostFacts) -> tuple[User, ...]:
    """The users who have a Docker of their own.

    Args:
        facts: gathered with the row "daemon".
    """
    return tuple(units.user for units in _of_users(facts) if units.user)


def _of_users(facts: HostFacts) -> Iterator[Units]:
    meant = (user for user in users(facts) if user.uid and facts.asker in {0, user.uid})
    for user in meant:
        if _is_seen(facts, user.home / _IN_HOME):
            yield Units(SERVICE, tuple(at_home(folder, user.home) for folder in USER_UNIT_DIRS), user)


def _is_seen(facts: HostFacts, path: Path) -> bool:
    """Whether something is there; homes are not looked at where there is another Docker."""
    return facts.files.get(path) is not None and path not in facts.unseen


def own_drop_ins(facts: HostFacts) -> frozenset[Path]:
    """Every drop-in on this host that is this tool's own.

    Args:
        facts: gathered with the row "daemon".
    """
    return OWN | {docker_units(facts).own_drop_in}


def fragment(facts: HostFacts, units: Units, name: str) -> Path | None:
    """The file of a unit in the strongest folder that has one."""
    return next((path for path in inside(units.dirs, name) if facts.node(path) is not None), None)


@lru_cache(maxsize=64)
def inside(folders: tuple[Path, ...], name: str) -> tuple[Path, ...]:
    """Something of that name in each of some folders: the same few places are looked at again and again."""
    return tuple(folder / name for folder in folders)


def is_masked(facts: HostFacts, path: Path | None) -> bool:
    """Whether a unit or drop-in is masked: a link to /dev/null, or an empty file (systemd.unit(5))."""
    if path is None:
        return False
    node, file = facts.node(path), facts.file(path)
    nowhere = isinstance(node, Link) and Path("/dev/null") in {Path(node.target), facts.place(path)}
    return nowhere or (file is not None and not file.content)


def drop_ins(facts: HostFacts, units: Units, name: str) -> tuple[Path, ...]:
    """The drop-ins of a unit in the order in which they apply: the strongest folder's of each file name."""
    found: dict[str, Path] = {}
    for folder in reversed(inside(units.dirs, f"{name}.d")):
        found |= {file: folder / file for file in facts.listed(folder) if file.endswith(".conf")}
    return tuple(found[file] for file in sorted(found))


def unit(facts: HostFacts, units: Units, name: str, without: Collection[Path]) -> MergedUnit | None:
    """A unit with its drop-ins, but for some; None: it is not there, or masked. Raises Refused."""
    path = fragment(facts, units, name)
    if path is None or is_masked(facts, path):
        return None
    paths = [path, *(one for one in drop_ins(facts, units, name) if one not in without)]
    files = {place: facts.file(place) for place in paths if not is_masked(facts, place)}
    return merged([_decoded(place, file) for place, file in files.items() if file])


def _decoded(place: Path, file: File) -> UnitFile:
    try:
        return UnitFile.decode(file.content, str(place))
    except Refused as error:
        raise Refused(error.message, error.hint, faults=named(place, error)) from error


def place_of(item: Assignment) -> Place:
    """Where an assignment stands."""
    return Place(Path(item.origin), item.line, item.key)


def names_socket(service: MergedUnit) -> bool:
    """Whether a service is started with its socket, so that there always are listeners to take."""
    names = (item.value.split() for item in service.get_all("Service", "Sockets"))
    return requires_socket(service) or any(SOCKET in found for found in names)


def requires_socket(service: MergedUnit) -> bool:
    """Whether a service is not started without its socket."""
    found = (item.value.split() for key in ("Requires", "BindsTo") for item in service.get_all("Unit", key))
    return any(SOCKET in names for names in found)


def environment_files(service: MergedUnit) -> tuple[str, ...]:
    """Every EnvironmentFile=, written as it stands there: a dash before it says that it may be missing."""
    return tuple(item.value for item in service.get_all("Service", "EnvironmentFile"))


def environment(service: MergedUnit) -> dict[str, tuple[str, Place]]:
    """What `Environment=` sets. Raises Refused."""
    found: dict[str, tuple[str, Place]] = {}
    for item in service.get_all("Service", "Environment"):
        for word in command_line(f"env {item.value}").words[1:]:
            name, equals, value = word.partition("=")
            found |= {name: (value.replace("%%", "%"), place_of(item))} if equals else {}
    return found
