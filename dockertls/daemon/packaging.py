"""How dockerd is started on a host: the unit in force, its drop-ins, its environment files, or the init script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.daemon import units
from dockertls.daemon.places import Places
from dockertls.daemon.started import Packaging, Part, Place, Variable, as_written, literal, named
from dockertls.daemon.units import DROP_IN, OWN, SOCKET, SOCKET_DROP_IN, Units
from dockertls.daemon.variables import Variables
from dockertls.documents.env_file import Dialect
from dockertls.documents.unit_file import CommandLine, MergedUnit, command_line
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.facts import INIT_SCRIPT, is_dockerd
from dockertls.plan import ROOT, Directory
from dockertls.platforms import SERVICE, TABLE, Init, Platform

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dockertls.facts import HostFacts

__all__ = [
    "DIALECTS",
    "DROP_IN",
    "INIT_SCRIPT",
    "OWN",
    "SERVICE",
    "SOCKET",
    "SOCKET_DROP_IN",
    "Packaging",
    "Part",
    "Place",
    "Variable",
    "literal",
    "named",
    "packaging",
]

DIALECTS: Mapping[Init, Dialect] = MappingProxyType(
    {Init.SYSTEMD: Dialect.SYSTEMD, Init.OPENRC: Dialect.SHELL, Init.SYSV: Dialect.SHELL, Init.NONE: Dialect.SHELL}
)
"""Who reads the environment file: systemd itself, else a shell."""

ROOTLESSKIT_FLAGS = "DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS"
"""The variable of a user's unit from which dockerd-rootless.sh takes flags for rootlesskit."""


def packaging(facts: HostFacts, *, without: Collection[Path] = ()) -> Packaging:
    """Find out how dockerd is started.

    Args:
        facts: gathered with the row "daemon".
        without: drop-ins to be taken as missing.
    """
    found = units.docker_units(facts)
    init = _init(facts, found)
    if init is Init.SYSTEMD:
        return _by_systemd(facts, found, without)
    if init is Init.NONE:
        return _by_nothing(facts)
    return _by_script(facts, init)


def _init(facts: HostFacts, found: Units) -> Init:
    script = facts.node(INIT_SCRIPT) is not None
    has_unit = units.fragment(facts, found, found.service) is not None
    if facts.is_directory(Path("/run/systemd/system")) if facts.runs else has_unit:
        return Init.SYSTEMD
    if script and (facts.node(Path("/run/openrc")) is not None or "openrc-run" in facts.listed(Path("/sbin"))):
        return Init.OPENRC
    return Init.SYSV if script else Init.NONE


def _by_nothing(facts: HostFacts) -> Packaging:
    program = facts.program("dockerd")
    found = f"{program} is there, but no unit and no init script that starts it"
    return Packaging(
        Init.NONE,
        installed=program is not None,
        start=Place(program or Path("/usr/bin/dockerd")),
        program=str(program or ""),
        executable=str(program or ""),
        unknown=(f"with which flags dockerd is started: {found}",) if program else (),
    )


# init scripts


def _by_script(facts: HostFacts, init: Init) -> Packaging:
    """A script cannot be read as a unit can: it is known by its signs, and its row says what it comes to."""
    script = facts.file(INIT_SCRIPT)
    text = script.content.decode(errors="replace") if script else ""
    start = Place(INIT_SCRIPT)
    row = next((row for row in TABLE if row.init is init and all(sign in text for sign in row.signs)), None)
    if row is None or row.environment is None:
        fault = Fault(f"{INIT_SCRIPT} is none of the init scripts that are known", "configure dockerd by hand")
        return Packaging(init, installed=True, start=start, faults=(fault,))
    program, *arguments = command_line(row.command).words
    variables = Variables(facts, [(row.environment, True)], {}, DIALECTS[init])
    parts = tuple(part for word in arguments for part in variables.expand(word, start))
    return Packaging(
        init,
        installed=True,
        start=start,
        program=program,
        executable=program,
        parts=parts,
        variable=variables.editable(arguments),
        units=(INIT_SCRIPT,),
        environment=variables.files,
        unseen=tuple(variables.unseen),
        faults=tuple(variables.faults),
        files=row.environment_files,
        row=row,
    )


# systemd


def _by_systemd(facts: HostFacts, found: Units, without: Collection[Path]) -> Packaging:
    path = units.fragment(facts, found, found.service)
    if path is None:
        return _by_nothing(facts)
    base = Packaging(Init.SYSTEMD, installed=True, start=Place(path), service=found.service, user=found.user)
    if units.is_masked(facts, path):
        fault = Fault(f"{found.service} is masked ({path})", f"run `systemctl unmask {found.service}`")
        return replace(base, faults=(fault,))
    if found.user and len(names := [user.name for user in units.owners(facts)]) > 1:
        told = visible(", ".join(names))
        return replace(base, faults=(Fault(f"several users have a Docker of their own: {told}", "run it as one"),))
    try:
        service = units.unit(facts, found, found.service, without)
        return _started(base, facts, found, service or MergedUnit(()), units.unit(facts, found, SOCKET, without))
    except Refused as error:
        return replace(base, faults=error.faults)


def _started(
    base: Packaging, facts: HostFacts, found: Units, service: MergedUnit, socket: MergedUnit | None
) -> Packaging:
    """The packaging of a unit whose files can be read. Raises Refused."""
    lines = service.get_all("Service", "ExecStart")
    start = units.place_of(lines[-1]) if lines else base.start
    listens = socket.get_all("Socket", "ListenStream") if socket else ()
    base = replace(
        base,
        start=start,
        socket=socket is not None,
        socket_required=socket is not None and units.names_socket(service),
        socket_masked=units.is_masked(facts, units.fragment(facts, found, SOCKET)),
        socket_lacking=socket is None and units.requires_socket(service),
        units=tuple(Path(path) for one in (service, socket) if one for path in one.names),
        listens=tuple((item.value, units.place_of(item)) for item in listens),
        reloads=bool(service.get_all("Service", "ExecReload")),
        files=units.environment_files(service),
    )
    if len(lines) != 1:
        what = "more than one ExecStart=" if lines else "no ExecStart="
        hint = "a drop-in that replaces it needs an empty `ExecStart=` before its own; see `systemctl cat docker`"
        return replace(base, faults=(Fault(f"{start}: {base.service} has {what}", hint),))
    try:
        return _with_arguments(base, facts, service, command_line(lines[0].value))
    except Refused as error:
        return replace(base, faults=named(start, error))


def _with_arguments(base: Packaging, facts: HostFacts, service: MergedUnit, line: CommandLine) -> Packaging:
    """The packaging with what its command line says. Raises Refused."""
    row = _wrapper(base, line.words)
    if row is None and not is_dockerd(Path(line.words[0]).name):
        hint = "how it starts dockerd is not known: configure it by hand"
        return replace(base, faults=(Fault(f"{base.start} runs {visible(line.words[0])}, not dockerd", hint),))
    files = [(Path(file.removeprefix("-")), file.startswith("-")) for file in base.files]
    variables = Variables(facts, files, units.environment(service), Dialect.SYSTEMD, expands=":" not in line.prefixes)
    leading = (2 if "@" in line.prefixes else 1) + (len(row.wrapper.split()) - 1 if row else 0)
    arguments = line.words[leading:]
    program, *given = command_line(row.command).words if row else (_program(line, leading),)
    specifiers = tuple(dict.fromkeys(f"what systemd puts in place of {one} ({base.start})" for one in line.specifiers))
    found = replace(
        base,
        program=program,
        executable=program if row else line.words[0],
        parts=tuple(part for word in (*given, *arguments) for part in variables.expand(word, base.start)),
        variable=None if row else variables.editable(arguments),
        environment=variables.files,
        unseen=tuple(variables.unseen),
        assigned=variables.unit,
        faults=tuple(variables.faults),
        unknown=(*variables.unknown, *specifiers),
        specifiers=specifiers,
    )
    return _with_row(found, facts, row, variables) if row else found


def _program(line: CommandLine, leading: int) -> str:
    return " ".join((line.prefixes + as_written(line.words[0]), *map(as_written, line.words[1:leading])))


def _with_row(found: Packaging, facts: HostFacts, row: Platform, variables: Variables) -> Packaging:
    """The packaging of a wrapper, with what its row says of it."""
    if found.user is None:
        return replace(found, row=row, places=Places.of(row))
    home = facts.node(facts.place(found.user.home))
    places = Places.of(row, found.user.home, home.owner if isinstance(home, Directory) else ROOT)
    flags, _ = variables.value(ROOTLESSKIT_FLAGS) or ("", found.start)
    local = f"unix:///run/user/{found.user.uid}/docker.sock"
    return replace(found, row=row, places=places, local=local, rootlesskit=flags)


def _wrapper(base: Packaging, words: tuple[str, ...]) -> Platform | None:
    """The row of what a unit starts instead of dockerd."""
    of_user, name = base.user is not None, Path(words[0]).name
    for row in (row for row in TABLE if row.wrapper and row.unit == base.service and row.rootless == of_user):
        program, *arguments = row.wrapper.split()
        if name == Path(program).name and words[1 : 1 + len(arguments)] == tuple(arguments):
            return row
    return None
