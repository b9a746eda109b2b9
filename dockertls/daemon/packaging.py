"""How dockerd is started on a host: the unit in force, its drop-ins, its environment files, or the init script."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.documents.env_file import Dialect, EnvFile, split
from dockertls.documents.unit_file import Assignment, CommandLine, MergedUnit, UnitFile, command_line, merged, quote
from dockertls.errors import Fault, Refused
from dockertls.facts import ENVIRONMENT_FILES, UNIT_DIRS, NotGathered, NotSeen, is_dockerd
from dockertls.plan import File, Link, visible
from dockertls.platforms import TABLE, Init

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dockertls.facts import HostFacts

SERVICE = "docker.service"
SOCKET = "docker.socket"
INIT_SCRIPT = Path("/etc/init.d/docker")
DROP_IN = UNIT_DIRS[0] / f"{SERVICE}.d" / "zz-dockertls.conf"
SOCKET_DROP_IN = UNIT_DIRS[0] / f"{SOCKET}.d" / "zz-dockertls.conf"
OWN = frozenset({DROP_IN, SOCKET_DROP_IN})
"""The drop-ins that are this tool's own; every other one is somebody else's and is never edited.

They are read after the override.conf that `systemctl edit` makes, and keep what it says.
"""

DIALECTS: Mapping[Init, Dialect] = MappingProxyType(
    {Init.SYSTEMD: Dialect.SYSTEMD, Init.OPENRC: Dialect.SHELL, Init.SYSV: Dialect.SHELL, Init.NONE: Dialect.SHELL}
)
"""Who reads the environment file: systemd itself, else a shell."""

KNOWN_VARIABLES = tuple(dict.fromkeys(row.variable for row in TABLE if row.variable))
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@^+~${}%-]+")
_DOLLAR = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Place:
    """Where something stands: file, line (0: the file as a whole) and the name there."""

    path: Path
    line: int = 0
    name: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else str(self.path)
        return visible(f"{where} {self.name}" if self.name else where)


@dataclass(frozen=True)
class Part:
    """Arguments of dockerd that stand in one place.

    Attributes:
        words: the arguments, without quotes.
        place: where they stand.
        written: the word of the command line that became these arguments, such as `$OPTIONS`.
    """

    words: tuple[str, ...]
    place: Place
    written: str


@dataclass(frozen=True)
class Variable:
    """A variable of an environment file whose words become arguments of dockerd.

    Attributes:
        name: such as DOCKER_OPTS.
        file: the file that sets it, or the one that would be read for it.
        dialect: who reads that file.
        value: as the reader takes it, quotes removed; None: it is not set.
    """

    name: str
    file: Path
    dialect: Dialect
    value: str | None


@dataclass(frozen=True)
class Packaging:
    """How dockerd is started.

    Attributes:
        init: what starts it.
        installed: whether there is any Docker at all.
        start: where the command line stands.
        program: its first word, with what systemd knows before it (`-`, `@`, ...).
        executable: the file that is run; empty: it is not known.
        parts: its arguments.
        variable: the variable whose file may be edited to change them; None: there is none.
        socket: whether systemd's docker.socket is there.
        socket_required: whether the service always starts with it, so that `fd://` always finds listeners.
        listens: what docker.socket listens on.
        reloads: whether the service manager has a way to send SIGHUP.
        units: the files that say how it is started: units, drop-ins, the init script.
        reads: the environment files that are read, whether or not they are there.
        unseen: those of them that were not looked at.
        assigned: what the unit's Environment= sets, by name.
        socket_masked: whether docker.socket is masked.
        socket_lacking: whether the service cannot start because docker.socket, which it requires, is not in force.
        faults: what keeps dockerd from starting as it is set up, or keeps us from knowing how it is started.
        unknown: what could not be told, one line each.
    """

    init: Init
    installed: bool
    start: Place
    program: str = ""
    executable: str = ""
    parts: tuple[Part, ...] = ()
    variable: Variable | None = None
    socket: bool = False
    socket_required: bool = False
    listens: tuple[tuple[str, Place], ...] = ()
    reloads: bool = False
    units: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    unseen: tuple[Path, ...] = ()
    assigned: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    socket_masked: bool = False
    socket_lacking: bool = False
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Dockerd's arguments."""
        return tuple(word for part in self.parts for word in part.words)

    def place_of(self, index: int) -> Place:
        """Where one of `words` stands."""
        places = [part.place for part in self.parts for _ in part.words]
        return places[index]

    def line_of(self, arguments: Collection[str]) -> str:
        """The value of an ExecStart= with the same program and other arguments, variables kept."""
        return " ".join((self.program, *map(_as_written, arguments)))

    def editable(self, part: Part) -> bool:
        """Whether a part comes from the variable that may be edited."""
        return self.variable is not None and part.written == f"${self.variable.name}"


def packaging(facts: HostFacts, *, without: Collection[Path] = ()) -> Packaging:
    """Find out how dockerd is started.

    Args:
        facts: gathered with the row "daemon".
        without: drop-ins to be taken as missing.
    """
    init = _init(facts)
    if init is Init.SYSTEMD:
        return _by_systemd(facts, without)
    if init is Init.NONE:
        return _by_nothing(facts)
    return _by_script(facts, init)


def _init(facts: HostFacts) -> Init:
    script = facts.node(INIT_SCRIPT) is not None
    if facts.is_directory(Path("/run/systemd/system")) if facts.runs else _fragment(facts, SERVICE) is not None:
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
    files = _Environment(facts, [(row.environment, True)], {}, init)
    parts = tuple(part for word in arguments for part in files.expand(word, start))
    return Packaging(
        init,
        installed=True,
        start=start,
        program=program,
        executable=program,
        parts=parts,
        variable=files.editable(arguments),
        units=(INIT_SCRIPT,),
        reads=tuple(files.files),
        unseen=tuple(files.unseen),
        faults=tuple(files.faults),
    )


# systemd


def _by_systemd(facts: HostFacts, without: Collection[Path]) -> Packaging:
    path = _fragment(facts, SERVICE)
    if path is None:
        return _by_nothing(facts)
    start = Place(path)
    if _is_masked(facts, path):
        fault = Fault(f"{SERVICE} is masked ({path})", f"run `systemctl unmask {SERVICE}`")
        return Packaging(Init.SYSTEMD, installed=True, start=start, faults=(fault,))
    try:
        return _started(facts, _unit(facts, SERVICE, without), _socket(facts, without), start)
    except Refused as error:
        return Packaging(Init.SYSTEMD, installed=True, start=start, faults=error.faults)


def _started(facts: HostFacts, unit: MergedUnit, socket: MergedUnit | None, start: Place) -> Packaging:
    """The packaging of a unit whose files can be read. Raises Refused."""
    lines = unit.get_all("Service", "ExecStart")
    start = _place(lines[-1]) if lines else start
    listens = socket.get_all("Socket", "ListenStream") if socket else ()
    base = Packaging(
        Init.SYSTEMD,
        installed=True,
        start=start,
        socket=socket is not None,
        socket_required=socket is not None and _names_socket(unit),
        units=tuple(Path(path) for one in (unit, socket) if one for path in one.names),
        socket_masked=_socket_masked(facts),
        socket_lacking=socket is None and _requires_socket(unit),
        listens=tuple((item.value, _place(item)) for item in listens),
        reloads=bool(unit.get_all("Service", "ExecReload")),
    )
    if len(lines) != 1:
        what = "more than one ExecStart=" if lines else "no ExecStart="
        hint = "a drop-in that replaces it needs an empty `ExecStart=` before its own; see `systemctl cat docker`"
        return replace(base, faults=(Fault(f"{start}: {SERVICE} has {what}", hint),))
    try:
        return _with_arguments(base, facts, unit, command_line(lines[0].value))
    except Refused as error:
        return replace(base, faults=named(start, error))


def _with_arguments(base: Packaging, facts: HostFacts, unit: MergedUnit, line: CommandLine) -> Packaging:
    """The packaging with what its command line says. Raises Refused."""
    if not is_dockerd(Path(line.words[0]).name):
        hint = "how it starts dockerd is not known: configure it by hand"
        return replace(base, faults=(Fault(f"{base.start} runs {visible(line.words[0])}, not dockerd", hint),))
    leading = 2 if "@" in line.prefixes else 1
    files = _Environment(facts, _environment_files(unit), _environment(unit), Init.SYSTEMD)
    files.expands = ":" not in line.prefixes
    arguments = line.words[leading:]
    specifiers = dict.fromkeys(f"what systemd puts in place of {one} ({base.start})" for one in line.specifiers)
    return replace(
        base,
        program=" ".join((line.prefixes + _as_written(line.words[0]), *map(_as_written, line.words[1:leading]))),
        executable=line.words[0],
        parts=tuple(part for word in arguments for part in files.expand(word, base.start)),
        variable=files.editable(arguments),
        reads=tuple(files.files),
        unseen=tuple(files.unseen),
        assigned=files.unit,
        faults=tuple(files.faults),
        unknown=(*files.unknown, *specifiers),
    )


def _as_written(word: str) -> str:
    """A word of a command line, quoted where it must be, its variables and specifiers kept."""
    return word if _PLAIN.fullmatch(word) else quote(word).replace("$$", "$").replace("%%", "%")


def literal(word: str) -> str:
    """An argument as a word of a command line that stands for itself: no variable, no specifier."""
    return word.replace("$", "$$").replace("%", "%%")


def _place(item: Assignment) -> Place:
    return Place(Path(item.origin), item.line, item.key)


def _names_socket(unit: MergedUnit) -> bool:
    """Whether the service is started with its socket, so that there always are listeners to take."""
    names = (item.value.split() for item in unit.get_all("Service", "Sockets"))
    return _requires_socket(unit) or any(SOCKET in found for found in names)


def _requires_socket(unit: MergedUnit) -> bool:
    """Whether the service is not started without its socket."""
    found = (item.value.split() for key in ("Requires", "BindsTo") for item in unit.get_all("Unit", key))
    return any(SOCKET in names for names in found)


def _fragment(facts: HostFacts, unit: str) -> Path | None:
    """The file of a unit in the strongest folder that has one."""
    return next((folder / unit for folder in UNIT_DIRS if facts.node(folder / unit) is not None), None)


def _is_masked(facts: HostFacts, path: Path) -> bool:
    """Whether a unit or drop-in is masked: a link to /dev/null, or an empty file (systemd.unit(5))."""
    node, file = facts.node(path), facts.file(path)
    nowhere = isinstance(node, Link) and Path("/dev/null") in {Path(node.target), facts.place(path)}
    return nowhere or (file is not None and not file.content)


def _unit(facts: HostFacts, name: str, without: Collection[Path]) -> MergedUnit:
    """A unit with its drop-ins. Raises Refused."""
    path = _fragment(facts, name)
    drop_ins: dict[str, Path] = {}
    for folder in reversed(UNIT_DIRS):
        inside = folder / f"{name}.d"
        drop_ins |= {file: inside / file for file in facts.listed(inside) if file.endswith(".conf")}
    paths = [drop_ins[file] for file in sorted(drop_ins) if drop_ins[file] not in without]
    files = {place: facts.file(place) for place in ([path] if path else []) + paths if not _is_masked(facts, place)}
    return merged([_decoded(place, file) for place, file in files.items() if file])


def _decoded(place: Path, file: File) -> UnitFile:
    try:
        return UnitFile.decode(file.content, str(place))
    except Refused as error:
        raise Refused(error.message, error.hint, faults=named(place, error)) from error


def named(where: object, error: Refused) -> tuple[Fault, ...]:
    """The faults of a document, each with the document's name."""
    return tuple(Fault(f"{visible(str(where))}: {fault.message}", fault.hint) for fault in error.faults)


def _socket(facts: HostFacts, without: Collection[Path]) -> MergedUnit | None:
    """docker.socket; None: it is not there, or masked. Raises Refused."""
    path = _fragment(facts, SOCKET)
    return None if path is None or _is_masked(facts, path) else _unit(facts, SOCKET, without)


def _socket_masked(facts: HostFacts) -> bool:
    path = _fragment(facts, SOCKET)
    return path is not None and _is_masked(facts, path)


def _environment_files(unit: MergedUnit) -> list[tuple[Path, bool]]:
    """The files that are read, and whether each may be missing."""
    values = [item.value for item in unit.get_all("Service", "EnvironmentFile")]
    return [(Path(value.removeprefix("-")), value.startswith("-")) for value in values]


def _environment(unit: MergedUnit) -> dict[str, tuple[str, Place]]:
    """What `Environment=` sets. Raises Refused."""
    found: dict[str, tuple[str, Place]] = {}
    for item in unit.get_all("Service", "Environment"):
        for word in command_line(f"env {item.value}").words[1:]:
            name, equals, value = word.partition("=")
            found |= {name: (value.replace("%%", "%"), _place(item))} if equals else {}
    return found


class _Environment:
    """The variables that a command line may use; what is wrong with their files is collected."""

    def __init__(
        self,
        facts: HostFacts,
        files: list[tuple[Path, bool]],
        unit: Mapping[str, tuple[str, Place]],
        init: Init,
    ) -> None:
        self.dialect = DIALECTS[init]
        self.unit = unit
        self.expands = True
        self.faults: list[Fault] = []
        self.unknown: list[str] = []
        self.unseen: list[Path] = []
        self.files: dict[Path, EnvFile | None] = {}
        for path, optional in files:
            try:
                self._read(facts, path, optional=optional)
            except NotGathered as error:
                self.unseen.append(path)
                why = str(error) if isinstance(error, NotSeen) else "it was not looked at"
                self.unknown.append(f"what {visible(str(path))} sets: {why}")
            except Refused as error:
                self.faults += named(path, error)

    def _read(self, facts: HostFacts, path: Path, *, optional: bool) -> None:
        file = facts.file(path)
        self.files.pop(path, None)
        self.files[path] = EnvFile.decode(file.content, self.dialect, str(path)) if file else None
        if file is None and not optional:
            hint = f"create it, or write EnvironmentFile=-{path} in the unit"
            self.faults.append(Fault(f"{visible(str(path))} is missing, and {SERVICE} does not start without it", hint))

    def _setter(self, name: str) -> tuple[Path, EnvFile] | None:
        """The file whose value for a variable counts: the last that sets it."""
        found = [(path, file) for path, file in self.files.items() if file and name in file.variables]
        return found[-1] if found else None

    def value(self, name: str) -> tuple[str, Place] | None:
        """A variable's value and where it stands; a file beats the unit."""
        found = self._setter(name)
        if found is None:
            return self.unit.get(name)
        path, file = found
        try:
            return file.get(name) or "", Place(path, file.line(name), name)
        except Refused as error:
            self.faults += [fault for fault in named(path, error) if fault not in self.faults]
            return None

    def expand(self, word: str, start: Place) -> Iterator[Part]:
        """The arguments that a word of the command line becomes (systemd.service(5), COMMAND LINES)."""
        if not self.expands:
            yield Part((word.replace("%%", "%"),), start, word)
            return
        alone = _VARIABLE.fullmatch(word)
        if alone:
            value, place = self.value(alone[1]) or ("", start)
            try:
                yield Part(split(value, self.dialect), place, word)
            except Refused as error:
                self.faults += named(place, error)
            return
        whole = _DOLLAR.sub(lambda found: self._substitute(found, start), word)
        yield Part((whole.replace("%%", "%"),), start, word)

    def _substitute(self, found: re.Match[str], start: Place) -> str:
        return (self.value(found[1]) or ("", start))[0] if found[1] else "$"

    def editable(self, arguments: Collection[str]) -> Variable | None:
        """The variable to edit: unbraced, read from a file that we know, those of known packagings first."""
        found = [match[1] for word in arguments if self.expands and (match := _VARIABLE.fullmatch(word))]
        known = [path for path in self.files if path in ENVIRONMENT_FILES]
        for name in sorted(found, key=lambda name: name not in KNOWN_VARIABLES):
            setter = self._setter(name)
            path = setter[0] if setter else None if name in self.unit else next(iter(known), None)
            if path and found.count(name) == 1:
                value = self.value(name)
                return Variable(name, path, self.dialect, value[0] if setter and value else None)
        return None
