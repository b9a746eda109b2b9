"""All that is said to dockerd, by its command line and by daemon.json, each thing with its place."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.daemon.flags import Flags, Occurrence, parse
from dockertls.daemon.hosts import is_fd, is_tcp, streamed
from dockertls.daemon.options import MERGED_KEYS, WHOLE_KEYS, join_values
from dockertls.daemon.packaging import Packaging, Place, named, packaging
from dockertls.daemon.settings import Source
from dockertls.documents.json_file import JsonFile
from dockertls.errors import Fault, Refused
from dockertls.facts import NotGathered
from dockertls.plan import visible
from dockertls.platforms import DAEMON_JSON

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.facts import HostFacts

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
        file: its keys and values as dockerd sees them, flattened; empty where there is none.
        document: the file itself; None: there is none, or it cannot be read.
        faults: what is wrong with the file as a file.
    """

    packaging: Packaging
    flags: Flags
    config: Path
    document: JsonFile | None
    file: Mapping[str, Source]
    faults: tuple[Fault, ...] = ()

    def origin(self, item: Occurrence) -> Place:
        """Where a flag stands."""
        return self.packaging.place_of(item.start)

    def by_flags(self) -> Mapping[str, Source]:
        """What the flags say together, by daemon.json key."""
        places: dict[str, dict[str, None]] = {}
        for item in self.flags.occurrences:
            places.setdefault(item.key, {})[str(self.origin(item))] = None
        return {key: Source(value, ", ".join(places[key])) for key, value in self.flags.values().items()}

    def opened(self) -> tuple[tuple[str, str], ...]:
        """The tcp hosts that are opened, each with who says so: by dockerd itself, and by systemd for it."""
        said = self.both().get("hosts")
        hosts = hosts_of(said)
        own = [(host, said.origin) for host in hosts if said and is_tcp(host)]
        handed = self.packaging.listens if any(map(is_fd, hosts)) else ()
        return (*own, *((host, str(place)) for listen, place in handed if (host := streamed(listen))))

    def both(self) -> Mapping[str, Source]:
        """Flags and file together; where they contradict, which dockerd refuses, the flag."""
        flags = self.by_flags()
        merged = {
            key: Source(join_values(self.file[key].value, said.value), f"{self.file[key].origin}, {said.origin}")
            for key, said in flags.items()
            if key in MERGED_KEYS and key in self.file
        }
        return MappingProxyType({**self.file, **flags, **merged})


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
    found = packaging(facts, without=without)
    flags = parse(found.words)
    named = flags.values().get("config-file")
    config = DAEMON_JSON if named is None else type(DAEMON_JSON)(str(named))
    document, faults = _document(facts, config)
    return Reading(found, flags, config, document, _flattened(document, config), faults)


def _document(facts: HostFacts, config: Path) -> tuple[JsonFile | None, tuple[Fault, ...]]:
    try:
        file = facts.file(config)
    except NotGathered:
        return None, (Fault(f"dockerd reads {visible(str(config))}", "what is there was not looked at: do it by hand"),)
    if file is None:
        return None, ()
    try:
        return JsonFile.decode(file.content, str(config)), ()
    except Refused as error:
        return None, named(config, error)


def _flattened(document: JsonFile | None, config: Path) -> Mapping[str, Source]:
    """Keys as dockerd sees them: an object is its keys, unless it is one of the values that are objects."""
    said: dict[str, Source] = {}
    if document is None:
        return said
    for key in document.keys:
        value = document.get(key)
        origin = str(Place(config, document.line(key)))
        inner = value if isinstance(value, dict) and key not in WHOLE_KEYS else {key: value}
        said |= {name: Source(item, origin) for name, item in inner.items()}
    return said
