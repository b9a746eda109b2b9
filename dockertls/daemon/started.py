"""How a dockerd is started: its command line in parts, each with its place, and where its own files lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.places import SYSTEM, Places
from dockertls.documents.unit_file import PREFIXES, quote
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.platforms import RESTART, SERVICE, Init

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dockertls.documents.env_file import Dialect, EnvFile
    from dockertls.documents.passwd import User
    from dockertls.platforms import Platform

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@^+~${}%-]+")


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
        program: its first word, with what systemd knows before it (`-`, `@`, ...); of a wrapper, what that starts.
        executable: the file that is run; empty: it is not known.
        parts: its arguments.
        variable: the variable whose file may be edited to change them; None: there is none.
        socket: whether systemd's docker.socket is there.
        socket_required: whether the service always starts with it, so that `fd://` always finds listeners.
        listens: what docker.socket listens on.
        reloads: whether the service manager has a way to send SIGHUP.
        units: the files that say how it is started: units, drop-ins, the init script.
        environment: the environment files that are read, in their order; None: it is not there.
        unseen: those of them that were not looked at.
        assigned: what the unit's Environment= sets, by name.
        socket_masked: whether docker.socket is masked.
        socket_lacking: whether the service cannot start because docker.socket, which it requires, is not in force.
        faults: what keeps dockerd from starting as it is set up, or keeps us from knowing how it is started.
        unknown: what could not be told, one line each.
        specifiers: those of them of which only the words that hold a specifier are in doubt.
        untold: why nothing is known of how it is started; empty: something is.
        service: the name of its unit.
        files: every EnvironmentFile= of its unit, written as there.
        row: its row, where that alone says what a script or a wrapper comes to.
        places: where daemon.json and its certificates lie.
        local: the local socket that it makes where it is told none.
        user: whose daemon it is; None: the system's.
        rootlesskit: the flags of what opens ports for a user's daemon.
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
    environment: Mapping[Path, EnvFile | None] = field(default_factory=dict)
    unseen: tuple[Path, ...] = ()
    assigned: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    socket_masked: bool = False
    socket_lacking: bool = False
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()
    specifiers: tuple[str, ...] = ()
    untold: str = ""
    service: str = SERVICE
    files: tuple[str, ...] = ()
    row: Platform | None = None
    places: Places = SYSTEM
    local: str = "unix://"
    user: User | None = None
    rootlesskit: str = ""

    @property
    def name(self) -> str:
        """What its program is called."""
        return Path(self.program.partition(" ")[0].lstrip(PREFIXES)).name

    @property
    def reads(self) -> tuple[Path, ...]:
        """The environment files that are read, whether or not they are there."""
        return tuple(self.environment)

    @property
    def wrapped(self) -> bool:
        """Whether a program that is not ours to change starts dockerd, so that flags have no place."""
        return self.row is not None and bool(self.row.wrapper)

    @property
    def restart(self) -> tuple[str, ...]:
        """What restarts it; no words: nothing that is known."""
        return self.row.restart if self.row else RESTART[self.init]

    @property
    def forwards(self) -> tuple[str, ...]:
        """What rootlesskit forwards, such as 0.0.0.0:2376:2376/tcp; dockerd-rootless.sh splits its flags at blanks."""
        words = self.rootlesskit.split()
        apart = (words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-p", "--publish"})
        joined = (word.partition("=")[2] for word in words if word.startswith(("-p=", "--publish=")))
        return (*apart, *joined)

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
        return " ".join((self.program, *map(as_written, arguments)))

    def editable(self, part: Part) -> bool:
        """Whether a part comes from the variable that may be edited."""
        return self.variable is not None and part.written == f"${self.variable.name}"


def as_written(word: str) -> str:
    """A word of a command line, quoted where it must be, its variables and specifiers kept."""
    return word if _PLAIN.fullmatch(word) else quote(word).replace("$$", "$").replace("%%", "%")


def literal(word: str) -> str:
    """An argument as a word of a command line that stands for itself: no variable, no specifier."""
    return word.replace("$", "$$").replace("%", "%%")


def named(where: object, error: Refused) -> tuple[Fault, ...]:
    """The faults of a document, each with the document's name."""
    return tuple(Fault(f"{visible(str(where))}: {fault.message}", fault.hint) for fault in error.faults)
