"""Which packaging of Docker a host has: what its unit runs decides, and os-release only between equals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.flags import parse
from dockertls.daemon.packaging import packaging
from dockertls.daemon.units import docker_units, drop_ins, own_drop_ins
from dockertls.documents.env_file import Dialect, EnvFile
from dockertls.documents.unit_file import command_line
from dockertls.errors import Refused
from dockertls.escaping import visible
from dockertls.facts import NotGathered
from dockertls.platforms import TABLE, Init, Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dockertls.daemon.packaging import Packaging
    from dockertls.facts import HostFacts

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Recognition:
    """What a host's packaging was taken for.

    Attributes:
        id: of its row; "unknown" if it is none of the table.
        title: for people.
        how: what it is known by, or what was found where it is unknown; one line.
        row: its row; None: it is unknown.
    """

    id: str
    title: str
    how: str
    row: Platform | None = None


@dataclass(frozen=True)
class _Shape:
    """What of a command line and its unit tells one packaging from another.

    Attributes:
        program: what is run.
        hosts: the values of its host flags.
        variables: the variables that it uses, each a word of its own.
        files: the environment files that are read, without a dash.
        presets: the keys of its other flags.
    """

    program: str
    hosts: tuple[str, ...]
    variables: frozenset[str]
    files: frozenset[str]
    presets: frozenset[str]

    @classmethod
    def of(cls, program: str, arguments: Sequence[str], files: Iterable[str]) -> _Shape:
        variables = frozenset(word for word in arguments if word.startswith("$"))
        flags = parse([word for word in arguments if word not in variables])
        return cls(
            program,
            tuple(item.text for item in flags.of("hosts")),
            variables,
            frozenset(file.removeprefix("-") for file in files),
            frozenset(item.key for item in flags.occurrences) - {"hosts"},
        )

    def far(self, other: _Shape) -> int:
        """In how many things another shape with the same program and hosts differs."""
        pairs = ((self.variables, other.variables), (self.files, other.files), (self.presets, other.presets))
        return sum(len(ours ^ theirs) for ours, theirs in pairs)


def recognise(facts: HostFacts) -> Recognition:
    """Find out which packaging a host has.

    The unit in force decides; where somebody's drop-in made it another one, the unit as it was packaged does.

    Args:
        facts: gathered with the row "daemon".
    """
    found = packaging(facts, without=own_drop_ins(facts))
    if not found.installed:
        return Recognition(UNKNOWN, "no Docker", "no unit, no init script and no dockerd was found")
    if found.row:
        return Recognition(found.row.id, found.row.title, f"by {found.start.path}", found.row)
    if found.init is not Init.SYSTEMD:
        return _unknown(found)
    units = docker_units(facts)
    packaged = packaging(facts, without=drop_ins(facts, units, units.service))
    for one, changed in ((found, ""), (packaged, f", which {found.start.path} changes")):
        if rows := _closest(_shape(one), facts):
            return _chosen(rows, facts, f"by what {one.start.path} runs{changed}")
    return _unknown(found)


def _shape(found: Packaging) -> _Shape:
    return _Shape.of(found.program, [part.written for part in found.parts], found.files)


def _closest(shape: _Shape, facts: HostFacts) -> tuple[Platform, ...]:
    """The rows that a unit may be of; several if their units are the same."""
    distances: dict[int, list[Platform]] = {}
    for row in TABLE:
        if row.init is Init.SYSTEMD and not row.wrapper and (row.mark is None or _is_there(facts, row.mark)):
            program, *arguments = command_line(row.command).words
            other = _Shape.of(program, arguments, row.environment_files)
            if _decides(row, shape, other):
                distances.setdefault(shape.far(other), []).append(row)
    return tuple(distances[min(distances)]) if distances else ()


def _decides(row: Platform, shape: _Shape, other: _Shape) -> bool:
    """Whether what matters for the configuration is that of the row: program, hosts, and the variable with its file."""
    if (shape.program, shape.hosts) != (other.program, other.hosts):
        return False
    if row.environment is None:
        return not shape.variables
    return f"${row.variable}" in shape.variables and str(row.environment) in shape.files


def _chosen(rows: tuple[Platform, ...], facts: HostFacts, how: str) -> Recognition:
    """One of the rows with the same unit: the one that left its mark, else the one that is at home on this host."""
    if len(rows) == 1:
        return Recognition(rows[0].id, rows[0].title, how, rows[0])
    marked = next((row for row in rows if row.mark), None)
    if marked:
        return Recognition(marked.id, marked.title, f"{how}, and by {marked.mark}", marked)
    ids = os_ids(facts)
    row = next((row for name in ids for row in rows if name in row.os_ids), None)
    if row:
        return Recognition(row.id, row.title, f"{how}, and by os-release, which says {visible(ids[0])}", row)
    others = ", ".join(row.title for row in rows[1:])
    return Recognition(rows[0].id, rows[0].title, f"{how}; it is the unit of others too: {others}", rows[0])


def _unknown(found: Packaging) -> Recognition:
    """What was found, so that somebody can make a row of it."""
    variables = [part.written for part in found.parts if part.written.startswith("$")]
    if found.init is Init.NONE:
        return Recognition(UNKNOWN, "a packaging that is not known", "; ".join(found.unknown))
    parts = (
        f"{found.start} runs {visible(found.program) or 'nothing that could be read'}",
        f"variables: {visible(', '.join(variables)) or 'none'}",
        f"environment files: {visible(', '.join(found.files)) or 'none'}",
    )
    return Recognition(UNKNOWN, "a packaging that is not known", "; ".join(parts))


def _is_there(facts: HostFacts, mark: Path) -> bool:
    try:
        return facts.node(mark) is not None
    except NotGathered:
        return False


def os_ids(facts: HostFacts) -> tuple[str, ...]:
    """What os-release calls this system, and what that is like, nearest first (os-release(5)).

    Args:
        facts: gathered with the row "daemon".
    """
    file = next((file for path in OS_RELEASE if (file := facts.file(path))), None)
    if file is None:
        return ()
    try:
        said = EnvFile.decode(file.content, Dialect.SHELL, "os-release")
        values = ((said.get(name) or "") if name in said.variables else "" for name in ("ID", "ID_LIKE"))
        return tuple(word for value in values for word in value.split())
    except Refused:
        return ()
