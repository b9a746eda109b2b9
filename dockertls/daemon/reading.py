"""All that is said to dockerd, by its command line and by daemon.json, each thing with its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.daemon.flags import Flags, Occurrence, parse
from dockertls.daemon.hosts import is_fd, is_tcp, port_of, streamed
from dockertls.daemon.options import BY_FLAG, BY_KEY, MERGED_KEYS, WHOLE_KEYS, join_values
from dockertls.daemon.packaging import Packaging, Part, Place, named, packaging
from dockertls.daemon.releases import release_of
from dockertls.daemon.settings import Source
from dockertls.documents.json_file import JsonFile, as_taken
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.facts import PROC, NotGathered, NotSeen
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dockertls.daemon.releases import Release
    from dockertls.daemon.running import Process
    from dockertls.documents.env_file import EnvFile
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.plan import File

TLS_KEYS = ("tlsverify", "tlscacert", "tlscert", "tlskey")
SWITCHES = frozenset({"tls", "tlsverify"})
MATERIAL = ("tlscacert", "tlscert", "tlskey")


@dataclass(frozen=True)
class Reading:
    """All that is said to dockerd, each thing with its place.

    Attributes:
        packaging: how it is started.
        flags: its whole command line.
        config: the daemon.json that it reads.
        file: its keys and values as dockerd takes them, flattened; empty where there is none.
        dropped: keys that dockerd lets pass, and takes no value from.
        document: the file itself; None: there is none, or it cannot be read.
        release: of this dockerd; None: it is not known.
        facts: what it was read from.
        faults: what is wrong with the file as a file.
        unknown: what could not be told, one line each.
    """

    packaging: Packaging
    flags: Flags
    config: Path
    document: JsonFile | None
    file: Mapping[str, Source]
    dropped: Mapping[str, Source]
    release: Release | None
    facts: HostFacts = field(repr=False)
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be told because a file was not seen that may say it, one line each."""
        return tuple(one for one in self.unknown if one not in self.packaging.specifiers)

    @property
    def environment_files(self) -> tuple[tuple[Path, EnvFile], ...]:
        """The environment files that are read, those that are there and can be."""
        return tuple((path, file) for path, file in self.packaging.environment.items() if file)

    @property
    def named(self) -> Mapping[str, Source]:
        """All keys of the file that dockerd compares with the flags."""
        return {**self.dropped, **self.file}

    def origin(self, item: Occurrence) -> Place:
        """Where a flag stands."""
        return self.packaging.place_of(item.start)

    def told_by(self, now: Reading) -> Reading:
        """The same, and what stays as it is is told where it stands now: a file that is only planned has no lines."""
        places = {(part.words, part.written): part.place for part in now.packaging.parts}
        parts = (
            replace(part, place=places.get((part.words, part.written), part.place)) for part in self.packaging.parts
        )
        return replace(
            self,
            packaging=replace(self.packaging, parts=tuple(parts)),
            file=_told_by(self.file, now.file),
            dropped=_told_by(self.dropped, now.dropped),
        )

    def by_flags(self) -> Mapping[str, Source]:
        """What the flags say together, by daemon.json key."""
        return self._by_flags

    @cached_property
    def _by_flags(self) -> Mapping[str, Source]:
        places: dict[str, dict[str, None]] = {}
        for item in self.flags.occurrences:
            places.setdefault(item.key, {})[str(self.origin(item))] = None
        values = self.flags.values().items()
        return MappingProxyType({key: Source(value, ", ".join(places[key])) for key, value in values})

    def opened(self) -> tuple[tuple[str, str], ...]:
        """The tcp hosts that are opened, each with who says so: by dockerd itself, and by systemd for it."""
        said = self.both().get("hosts")
        hosts = hosts_of(said)
        own = [(host, said.origin) for host in hosts if said and is_tcp(host)]
        handed = self.packaging.listens if any(map(is_fd, hosts)) else ()
        return (*own, *((host, str(place)) for listen, place in handed if (host := streamed(listen))))

    def reached(self) -> tuple[tuple[str, str], ...]:
        """The tcp hosts that are open to others: of a user's dockerd those that are forwarded to it."""
        if self.packaging.user is None:
            return self.opened()
        ports = {port_of(host) for host, _ in self.opened()}
        split = (one.partition("/")[0].rpartition(":") for one in self.packaging.forwards)
        return tuple((f"tcp://{outside}", self.packaging.service) for outside, _, port in split if port in ports)

    def both(self) -> Mapping[str, Source]:
        """Flags and file together; where they contradict, which dockerd refuses, the flag."""
        return self._both

    @cached_property
    def _both(self) -> Mapping[str, Source]:
        flags = self.by_flags()
        merged = {
            key: Source(join_values(self.file[key].value, said.value), f"{self.file[key].origin}, {said.origin}")
            for key, said in flags.items()
            if key in MERGED_KEYS and key in self.file
        }
        return MappingProxyType({**self.file, **flags, **merged})


def _told_by(planned: Mapping[str, Source], now: Mapping[str, Source]) -> Mapping[str, Source]:
    """Keys with the places where those stand now that keep their value."""
    kept = {key: now[key] for key, said in planned.items() if key in now and now[key].value == said.value}
    return MappingProxyType({**planned, **kept})


def hosts_of(source: Source | None) -> tuple[str, ...]:
    """The hosts that a source names; none if it is not a list of texts."""
    value = source.value if source else None
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def read(facts: HostFacts, *, without: Collection[Path] = ()) -> Reading:
    """Read everything that is said to dockerd.

    Args:
        facts: gathered with the row "daemon".
        without: drop-ins to be taken as missing.
    """
    return _read(facts, packaging(facts, without=without))


def read_as_seen(facts: HostFacts) -> Reading:
    """As `read`; where the host does not let us see how dockerd is started, that is what is not known."""
    try:
        return read(facts)
    except NotSeen as error:
        why = f"how dockerd is started: {visible(str(error))}"
        found = Packaging(Init.NONE, True, Place(Path("/")), unknown=(why,), untold=why)
        return Reading(found, parse(()), found.places.config, None, {}, {}, None, facts, unknown=(why,))


def read_process(facts: HostFacts, process: Process) -> Reading:
    """Read what is said to a dockerd that the host's files do not start: its command line, and the file it names.

    Args:
        facts: in which the process was found, and its daemon.json was looked at.
        process: of `dockertls.daemon.running`.
    """
    place = Place(PROC / str(process.pid) / "cmdline")
    program, *words = process.words
    part = Part(tuple(words), place, "")
    named = f"process {process.pid}"
    return _read(facts, Packaging(Init.NONE, True, place, program, program, (part,), service=named))


def _read(facts: HostFacts, found: Packaging) -> Reading:
    flags = parse(found.words)
    said = flags.values().get("config-file")
    config = found.places.config if said is None else Path(str(said))
    release = release_of(facts, found.executable)
    reading = Reading(found, flags, config, None, {}, {}, release, facts, unknown=found.unknown)
    try:
        file = facts.file(config)
    except NotSeen as error:
        return replace(reading, unknown=(*found.unknown, f"what {visible(str(config))} says: {error}"))
    except NotGathered:
        fault = Fault(f"dockerd reads {visible(str(config))}", "what is there was not looked at: do it by hand")
        return replace(reading, faults=(fault,))
    if file is None and facts.is_directory(config):
        fault = Fault(f"{visible(str(config))} is a directory: dockerd does not start", "move it away")
        return replace(reading, faults=(fault,))
    return _with_config(reading, file) if file else reading


def _with_config(reading: Reading, file: File) -> Reading:
    """The reading with what daemon.json says; a file that nobody may edit is still read as dockerd reads it."""
    try:
        document = JsonFile.decode(file.content, str(reading.config))
    except Refused as error:
        members = [(key, value, 0) for key, value in as_taken(file.content).items()]
        return replace(_flattened(reading, members), faults=named(reading.config, error))
    members = [(key, document.get(key), document.line(key)) for key in document.keys]
    return replace(_flattened(reading, members), document=document)


def _flattened(reading: Reading, members: Iterable[tuple[str, Json, int]]) -> Reading:
    """Keys as dockerd sees them: an object is its keys, unless it is one of the values that are objects."""
    file: dict[str, Source] = {}
    dropped: dict[str, Source] = {}
    for key, value, line in members:
        origin = str(Place(reading.config, line))
        holder, inner = ("", {key: value}) if key in WHOLE_KEYS or not isinstance(value, dict) else (key, value)
        for name, item in inner.items():
            (file if _is_taken(name, item, holder) else dropped)[name] = Source(item, origin)
    return replace(reading, file=MappingProxyType(file), dropped=MappingProxyType(dropped))


def _is_taken(name: str, value: Json, holder: str) -> bool:
    """Whether dockerd takes a value for its key's; of an object that it does not know it takes the switches alone."""
    option = BY_KEY.get(name)
    if option is None:
        return not holder and name not in BY_FLAG
    return option.inside == holder or (not option.inside and isinstance(value, bool))
