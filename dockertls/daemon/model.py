"""The host that a packaging makes, as facts: what `snippet` configures, and tests too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.packaging import DIALECTS, INIT_SCRIPT, SERVICE, SOCKET
from dockertls.documents.env_file import EnvFile
from dockertls.facts import PROGRAM_DIRS, UNIT_DIRS, UNITS, HostFacts
from dockertls.plan import Directory, File
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.plan import Node
    from dockertls.platforms import Platform

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
UNIT_DIR = UNIT_DIRS[3]


def as_packaged(row: Platform, existing: str = "") -> HostFacts:
    """Facts of a host on which nothing was done but to install Docker; see `packaged_files`."""
    return from_files(packaged_files(row, existing))


def packaged_files(row: Platform, existing: str = "") -> dict[Path, str]:
    """The files that say how dockerd is started where nothing was done but to install Docker.

    Args:
        row: the packaging.
        existing: the words that its variable has.

    Raises:
        Refused: if the words are not what the variable's reader would take.
    """
    files = {Path(row.command.partition(" ")[0]): ""}
    if row.init is Init.SYSTEMD:
        files |= _units(row)
    else:
        files[INIT_SCRIPT] = "\n".join(row.signs)
    if row.init is Init.OPENRC:
        files[Path("/sbin/openrc-run")] = ""
    if row.environment and existing:
        dialect = DIALECTS[row.init]
        files[row.environment] = EnvFile.parse("", dialect, name=str(row.environment)).set(row.variable, existing).text
    return files


def _units(row: Platform) -> dict[Path, str]:
    environment = f"EnvironmentFile=-{row.environment}\n" if row.environment else ""
    service = f"[Service]\n{environment}ExecStart={row.command}\nExecReload=/bin/kill -s HUP $MAINPID\n"
    if "fd://" not in row.command:
        return {UNIT_DIR / SERVICE: service}
    socket = "[Socket]\nListenStream=/run/docker.sock\n"
    return {UNIT_DIR / SERVICE: f"[Unit]\nRequires={SOCKET}\n\n{service}", UNIT_DIR / SOCKET: socket}


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
