"""The host that a packaging makes, as facts: what `snippet` configures, and tests too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.packaging import DIALECTS, INIT_SCRIPT, SOCKET
from dockertls.documents.env_file import EnvFile
from dockertls.documents.passwd import User
from dockertls.errors import Refused
from dockertls.escaping import visible
from dockertls.facts import PASSWD, PROGRAM_DIRS, UNIT_DIRS, UNITS, USER_UNIT_DIRS, HostFacts
from dockertls.plan import Directory, File
from dockertls.platforms import BY_NAME, Init, at_home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.plan import Node
    from dockertls.platforms import Platform

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
UNIT_DIR = UNIT_DIRS[3]
ANN = User("ann", 1000, 1000, Path("/home/ann"))
"""Whose daemon it is where nobody is named: the first ordinary user of a host has these numbers."""


def known_platform(name: str) -> Platform:
    """The row of that name. Raises Refused if there is none."""
    row = BY_NAME.get(name)
    if row is None:
        known = ", ".join(sorted(BY_NAME))
        raise Refused(f"{visible(name)} is not a packaging that is known", f"take one of: {known}")
    return row


def as_packaged(row: Platform, existing: str = "", user: User | None = None) -> HostFacts:
    """Facts of a host on which nothing was done but to install Docker; see `packaged_files`."""
    return from_files(packaged_files(row, existing, user))


def packaged_files(row: Platform, existing: str = "", user: User | None = None) -> dict[Path, str]:
    """The files that say how dockerd is started where nothing was done but to install Docker.

    Args:
        row: the packaging.
        existing: the words that its variable has.
        user: whose daemon it is, if it is a user's own.

    Raises:
        Refused: if the words are not what the variable's reader would take.
    """
    files = {Path(row.command.partition(" ")[0]): ""} | ({row.mark: ""} if row.mark else {})
    if row.init is Init.SYSTEMD:
        files |= _units(row, user or ANN)
    else:
        files[INIT_SCRIPT] = "\n".join(row.signs)
    if row.init is Init.OPENRC:
        files[Path("/sbin/openrc-run")] = ""
    files |= {Path(name): "" for name in row.environment_files if not name.startswith("-")}
    if row.environment and existing:
        dialect = DIALECTS[row.init]
        files[row.environment] = EnvFile.parse("", dialect, name=str(row.environment)).set(row.variable, existing).text
    return files


def _units(row: Platform, user: User) -> dict[Path, str]:
    environment = "".join(f"EnvironmentFile={name}\n" for name in row.environment_files)
    start = row.wrapper or row.command
    reload = "" if row.wrapper and not row.rootless else "ExecReload=/bin/kill -s HUP $MAINPID\n"
    service = f"[Service]\n{environment}ExecStart={start}\n{reload}"
    if row.rootless:
        passwd = f"{user.name}:x:{user.uid}:{user.gid}::{user.home}:\n"
        return {PASSWD: passwd, at_home(USER_UNIT_DIRS[0], user.home) / row.unit: service}
    if "fd://" not in start:
        return {UNIT_DIR / row.unit: service}
    socket = "[Socket]\nListenStream=/run/docker.sock\n"
    return {UNIT_DIR / row.unit: f"[Unit]\nRequires={SOCKET}\n\n{service}", UNIT_DIR / SOCKET: socket}


def from_files(files: Mapping[Path, str]) -> HostFacts:
    """Facts of a file tree that holds these texts and nothing else."""
    nodes: dict[Path, Node | None] = {path: File(text.encode()) for path, text in files.items()}
    asked = [*PROGRAM_DIRS, *UNIT_DIRS, *(folder / f"{unit}.d" for folder in UNIT_DIRS for unit in UNITS)]
    names: dict[Path, set[str]] = {folder: set() for folder in asked}
    for path in files:
        for child, parent in zip((path, *path.parents), path.parents, strict=False):
            nodes[parent] = Directory()
            names.setdefault(parent, set()).add(child.name)
    return HostFacts(
        NEVER, runs=False, files=nodes, names={path: tuple(sorted(found)) for path, found in names.items()}
    )
