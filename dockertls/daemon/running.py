"""The dockerds that run on a host, which of them is the one that its files start, and what a restart would change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon import redaction
from dockertls.daemon.environment import variables
from dockertls.daemon.flags import parse
from dockertls.daemon.packaging import SERVICE, SOCKET
from dockertls.daemon.reading import MATERIAL
from dockertls.escaping import visible
from dockertls.facts import PIDOF, PROC, PROCESS_ID, SYSTEMCTL_SHOW, NotGathered, process_ids
from dockertls.plan import File, Link
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockertls.daemon.flags import Flags
    from dockertls.daemon.reading import Reading
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.host import Output

PID_FILE = Path("/var/run/docker.pid")
TICKS = 100  # a second, in /proc; on every architecture that Linux runs on
INEXACT = 2  # seconds: the kernel tells its own start in whole ones, and dockerd reads its files a little later
START_TICK = 19  # its place after the program's name (proc(5), field 22)
OF_CLIENTS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG")
_UNIT = re.compile(r"^(?:0:|\d+:name=systemd):.*?/([^/\n]+\.(?:service|scope))", re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """A dockerd that runs.

    Attributes:
        pid: its number.
        words: its command line, the program's name first.
        started: when, UTC; None: it is not known.
        unit: what systemd counts it to; empty: nothing that is known.
        in_container: it runs in a process namespace of its own.
        environment: what it was started with; None: it is not to be seen.
        replaced: its program's file is no longer there: it was replaced since.
    """

    pid: int
    words: tuple[str, ...]
    started: datetime | None = None
    unit: str = ""
    in_container: bool = False
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    replaced: bool = False

    @property
    def variables_of_clients(self) -> tuple[str, ...]:
        """Those of its variables that mean something to clients, and to dockerd nothing or something else."""
        return tuple(name for name in OF_CLIENTS if (self.environment or {}).get(name))

    @property
    def shown(self) -> tuple[str, ...]:
        """Its command line, without what may be a credential."""
        return (*self.words[:1], *redaction.arguments(self.flags))

    @cached_property
    def flags(self) -> Flags:
        """Its command line, without the program."""
        return parse(self.words[1:])


@dataclass(frozen=True)
class Running:
    """What runs.

    Attributes:
        own: the dockerd that the host's files start; None: it does not run, or it is not known.
        told_by: who says that it is this one.
        others: every other one.
        units: what systemd knows of Docker's units, by name.
        service: the name of the one that starts it.
        unknown: what could not be told, one line each.
        hidden: why the dockerd that systemd started was not seen; empty: it was, or none runs.
    """

    own: Process | None = None
    told_by: str = ""
    others: tuple[Process, ...] = ()
    units: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    service: str = SERVICE
    unknown: tuple[str, ...] = ()
    hidden: str = ""

    @property
    def idle(self) -> str:
        """Why none runs, as far as systemd knows; empty: nothing is known."""
        state = self.units.get(self.service, {}).get("ActiveState", "")
        waiting = self.units.get(SOCKET, {}).get("ActiveState") == "active"
        return state and f"{self.service} is {state}{'; a connection to its socket starts it' if waiting else ''}"


@dataclass(frozen=True)
class Difference:
    """Something that a restart would change.

    Attributes:
        what: an option, a variable, a file.
        why: how that is known, or who would say so.
        runs: the value with which it runs; None: none, or it is not to be told.
        would: the value that it would get; None: likewise.
    """

    what: str
    why: str
    runs: Json = None
    would: Json = None


def running(reading: Reading, *, peer: int | None = None) -> Running:
    """Find out which dockerds run.

    Args:
        reading: of facts with the row "running" and the pidfile.
        peer: the process that answers on the local socket, where that was asked.
    """
    facts = reading.facts
    if not facts.runs:
        return Running(unknown=("whether dockerd runs: this is a file tree",))
    service = reading.packaging.service
    answer = facts.outputs.get(PIDOF)
    units = {} if reading.packaging.user else _units(facts)  # a user's own systemd is another one
    main = next(map(int, process_ids(units.get(service, {}).get("MainPID", ""))), 0)
    named = dict.fromkeys(filter(None, (main, *map(int, process_ids(answer.out if answer else "")))))
    found = {pid: one for pid in named if (one := _process(facts, pid))}
    own, told_by = (main, f"{service}'s main process") if units else _own(reading, found, peer)
    others = tuple(one for pid, one in found.items() if pid != own)
    asked = bool(units) or bool(reading.packaging.user and own)  # a user's own systemd is not asked
    hidden = tuple(_hidden(facts, main, [pid for pid in named if pid not in found]))
    unknown = (*hidden, *_unanswered(reading, answer, asked=asked))
    here = found.get(own or 0)
    return Running(here, told_by, others, units, service, unknown, "" if here else next(iter(hidden), ""))


def _hidden(facts: HostFacts, main: int, missing: Iterable[int]) -> Iterator[str]:
    """The processes that were named and not seen; one that only pidof named may just have ended."""
    for pid in missing:
        cmdline = PROC / str(pid) / "cmdline"
        if pid == main or not facts.lacks(cmdline):
            yield f"process {pid} was not seen, which may be a dockerd"


def _unanswered(reading: Reading, answer: Output | None, *, asked: bool) -> Iterator[str]:
    if answer is None or answer.code not in {0, 1}:
        yield "whether other dockerds run: there is no pidof here"
    if reading.packaging.init is Init.SYSTEMD and not asked:
        yield f"what systemd knows of {reading.packaging.service}: it does not answer"


def _own(reading: Reading, found: Mapping[int, Process], peer: int | None) -> tuple[int | None, str]:
    """Which of them the host's files start, where systemd does not tell: by its pidfile, by its socket."""
    named = _named(reading)
    if named in found:
        return named, f"{pid_file(reading)} names it"
    return (peer, "it answers on the local socket") if peer in found else (None, "")


def pid_file(reading: Reading) -> Path:
    """Where dockerd writes its process id."""
    said = reading.both().get("pidfile")
    return Path(str(said.value)) if said else PID_FILE


def _named(reading: Reading) -> int | None:
    """The process that the pidfile names."""
    try:
        file = reading.facts.file(pid_file(reading))
    except NotGathered:
        return None
    text = file.content.decode(errors="replace").strip() if file else ""
    return int(text) if PROCESS_ID.fullmatch(text) else None


def _units(facts: HostFacts) -> dict[str, dict[str, str]]:
    answer = facts.outputs.get(SYSTEMCTL_SHOW)
    blocks = (
        [dict(_pairs(block.splitlines())) for block in answer.out.split("\n\n")] if answer and answer.code == 0 else []
    )
    return {block["Id"]: block for block in blocks if "Id" in block}


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, _, value = line.partition("=")
        yield key, value


def _process(facts: HostFacts, pid: int) -> Process | None:
    """What is known of a process; None: it is gone."""
    words = _words(_content(facts, pid, "cmdline"))
    if not words:
        return None
    status, environ = _content(facts, pid, "status"), _content(facts, pid, "environ")
    unit = _UNIT.search(_content(facts, pid, "cgroup") or "")
    exe = facts.files.get(PROC / str(pid) / "exe")
    return Process(
        pid,
        words,
        _started(facts, pid),
        unit[1] if unit else "",
        in_container=any(len(line.split()) > 2 for line in (status or "").splitlines() if line.startswith("NSpid:")),  # noqa: PLR2004 - its name and one number
        environment=None if environ is None else dict(_pairs(_words(environ))),
        replaced=isinstance(exe, Link) and exe.target.endswith(" (deleted)"),
    )


def _content(facts: HostFacts, pid: int, name: str) -> str | None:
    """A file of a process; None: it was not to be seen."""
    node = facts.files.get(PROC / str(pid) / name)
    return node.content.decode(errors="replace") if isinstance(node, File) else None


def _words(content: str | None) -> tuple[str, ...]:
    return tuple((content or "").split("\0")[:-1])


def _started(facts: HostFacts, pid: int) -> datetime | None:
    """When a process began, to the second or so."""
    machine = facts.files.get(PROC / "stat")
    fields = (_content(facts, pid, "stat") or "").rpartition(")")[2].split()
    booted = re.search(rb"^btime (\d+)$", machine.content, re.MULTILINE) if isinstance(machine, File) else None
    if not booted or len(fields) <= START_TICK:
        return None
    try:
        return datetime.fromtimestamp(int(booted[1]), UTC) + timedelta(seconds=int(fields[START_TICK]) / TICKS)
    except (ValueError, OverflowError, OSError):
        return None


# what a restart would change


def told_files(reading: Reading) -> tuple[Path, ...]:
    """The certificates and keys that dockerd is told."""
    said = reading.both()
    places = reading.packaging.places
    return tuple(places.on_host(Path(str(said[key].value))) for key in MATERIAL if key in said)


def read_at_start(reading: Reading) -> tuple[Path, ...]:
    """The files that dockerd reads when it starts, and the links that lead to them."""
    told = told_files(reading)
    places = reading.packaging.places
    own = [places.current] if any(path.parent == places.pem_dir for path in told) else []
    return tuple(dict.fromkeys((reading.config, *told, *own)))


def restart_changes(reading: Reading, here: Running) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """What a restart of the dockerd that runs would change, and what of that could not be told.

    Args:
        reading: of facts with the times of `read_at_start`, and of the pidfile.
        here: what runs.
    """
    if here.own is None:
        return (), ()
    found = [*_options(reading, here.own), *_variables(reading, here.own), *_files(reading, here.own)]
    if here.own.replaced:
        found.append(Difference(here.own.words[0], "the program was replaced after dockerd started"))
    if _is_outdated(reading, here.units.get(here.service, {})):
        why = "its files changed: until `systemctl daemon-reload`, systemd goes by the old ones"
        found.append(Difference(here.service, why))
    return tuple(found), tuple(_untold(reading, here.own))


def _is_outdated(reading: Reading, unit: Mapping[str, str]) -> bool:
    """Whether systemd goes by other files of the service than those that are there; it does not notice new drop-ins."""
    loaded = {path.rpartition("/")[2] for path in unit.get("DropInPaths", "").split()}
    there = {path.name for path in reading.packaging.units if path.parent.name == f"{reading.packaging.service}.d"}
    known = bool(unit) and not reading.packaging.untold
    return unit.get("NeedDaemonReload") == "yes" or (known and loaded != there)


def _untold(reading: Reading, own: Process) -> Iterator[str]:
    if not _is_known(reading):
        yield "which arguments a restart would change"
    if own.environment is None:
        yield "which variables dockerd was started with: only root sees them"
    unseen = [path for path in read_at_start(reading) if path in reading.facts.unseen]
    if own.started is None or unseen:
        yield f"whether {', '.join(map(str, unseen)) or 'its files'} changed after dockerd started"


def _is_known(reading: Reading) -> bool:
    """Whether the arguments of the next start are known."""
    return not (reading.packaging.faults or reading.packaging.unknown)


def _options(reading: Reading, own: Process) -> Iterator[Difference]:
    """By what they mean: other words for the same are no difference."""
    runs, would, origins = own.flags.values(), reading.flags.values(), reading.by_flags()
    for key in dict.fromkeys((*would, *runs)) if _is_known(reading) else ():
        before, after = runs.get(key), would.get(key)
        if type(before) is not type(after) or before != after:
            why = origins[key].origin if key in origins else "no flag gives it now"
            yield Difference(key, why, redaction.value(key, before), redaction.value(key, after))


def _variables(reading: Reading, own: Process) -> Iterator[Difference]:
    """Those that files set; their values may be anything, and stay where they are."""
    used = {part.written for part in reading.packaging.parts}
    if own.environment is None:
        return
    for name, said in variables(reading).items():
        if f"${name}" not in used and own.environment.get(name) != said.value:
            how = "another value" if name in own.environment else "no value"
            yield Difference(f"variable {visible(name)}", f"{said.origin}; dockerd runs with {how}")


def _files(reading: Reading, own: Process) -> Iterator[Difference]:
    facts, read = reading.facts, _read_at(reading, own)
    for path in read_at_start(reading):
        time = facts.changed.get(path)
        if time is not None and read is not None and time > read:
            yield Difference(visible(str(path)), f"changed at {_moment(time)}, after dockerd started")
        elif time is None and path not in facts.unseen and path in told_files(reading):
            yield Difference(visible(str(path)), "is not there: dockerd would not start")


def _moment(time: float) -> str:
    """For people; file systems know years that calendars do not."""
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"second {time:.0f}"


def _read_at(reading: Reading, own: Process) -> float | None:
    """When dockerd had read its files: it writes its pidfile between the configuration and the certificates."""
    if _named(reading) == own.pid and (written := reading.facts.changed.get(pid_file(reading))):
        return written
    return own.started.timestamp() + INEXACT if own.started else None
