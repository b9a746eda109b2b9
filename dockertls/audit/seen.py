"""What checks judge: all that is known of one dockerd, or of a host on which there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.material import Served, material_of
from dockertls.audit.sockets import Listening, listening
from dockertls.audit.watching import rules_of
from dockertls.client.copies import ClientCopy, client_copies
from dockertls.daemon.releases import parse as release_from
from dockertls.daemon.releases import told
from dockertls.escaping import visible
from dockertls.findings import NotApplicable, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.reading import Reading
    from dockertls.daemon.releases import Release
    from dockertls.daemon.running import Process, Running
    from dockertls.documents.audit_rules import Rules
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.findings import Finding, Verdict
    from dockertls.pki.held import HeldKey
    from dockertls.probe.endpoint import Endpoint

_RELEASE_PARTS = 3


@dataclass(frozen=True)
class Answers:
    """What a dockerd's own API says of it.

    Attributes:
        info: of GET /info; empty: it was not told.
        version: of GET /version.
        bridge: of GET /networks/bridge.
        published: the ports of the host that its containers publish, of GET /containers/json.
        fault: why something of it was not told; empty: all was.
    """

    info: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    version: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    bridge: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    published: frozenset[int] = frozenset()
    fault: str = "the API was not asked"

    @property
    def swarm(self) -> bool:
        """Whether it takes part in a swarm."""
        said = self.info.get("Swarm")
        return isinstance(said, dict) and said.get("LocalNodeState") == "active"

    @property
    def security(self) -> tuple[str, ...]:
        """The daemon's SecurityOptions, such as "name=rootless"."""
        said = self.info.get("SecurityOptions")
        return tuple(map(str, said)) if isinstance(said, list) else ()

    def has(self, name: str) -> bool:
        """Whether a security option of that name is on."""
        return any(one.split(",")[0] == f"name={name}" for one in self.security)


@dataclass(frozen=True)
class Live:
    """What a look at one endpoint of a dockerd came to.

    Attributes:
        endpoint: as it is reached from the host itself.
        findings: those of `dockertls check`, by id.
    """

    endpoint: Endpoint
    findings: Mapping[str, Finding]


@dataclass(frozen=True)
class Expected:
    """What is expected of a host, as far as it is not the same everywhere; a policy says so.

    Attributes:
        members: who may use the daemon's socket by being in its group; None: nobody said.
        warn: a certificate that expires within this is warned of.
        fail: a certificate that expires within this fails.
        least_rsa: bits of the weakest RSA key that passes.
        strict_files: files of TLS are to have the modes of the CIS benchmark: 0444, and keys 0400.
    """

    members: frozenset[str] | None = None
    warn: timedelta = timedelta(days=30)
    fail: timedelta = timedelta(days=7)
    least_rsa: int = 2048
    strict_files: bool = False


@dataclass(frozen=True)
class Seen:
    """All that is known of one dockerd.

    Attributes:
        reading: what files say to it; of a dockerd that the host's files do not start, its command line.
        running: what runs on the host.
        process: the dockerd that is judged; None: it does not run, or nothing is known of it.
        answers: of its API.
        live: of its endpoints.
        expected: of the host.
        keys: what each private key among the files is.
        untried: why endpoints were not looked at, one line each.
        docker_dirs: where clients' files were looked for.
        verdicts: what checks said of it already, by their ids: some are asked twice.
    """

    reading: Reading
    running: Running
    process: Process | None = None
    answers: Answers = field(default_factory=Answers)
    live: tuple[Live, ...] = ()
    expected: Expected = field(default_factory=Expected)
    keys: Mapping[Path, HeldKey] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    untried: tuple[str, ...] = ()
    docker_dirs: tuple[Path, ...] = ()
    verdicts: dict[str, Verdict] = field(default_factory=dict, compare=False, repr=False)

    @property
    def facts(self) -> HostFacts:
        """What was gathered of the host."""
        return self.reading.facts

    @cached_property
    def absent(self) -> NotApplicable | Unknown | None:
        """Why there is nothing to judge; None: there is a dockerd, or one that is set up."""
        if self.process or self.reading.packaging.installed:
            return None
        if self.running.unknown:
            return Unknown(f"there is no Docker here that is set up, and {self.running.unknown[0]}")
        return NotApplicable("there is no Docker on this host")

    @property
    def doubt(self) -> Unknown | None:
        """Why it is not known in full what is said to it; None: it is."""
        return _first(self.reading.unknown)

    @property
    def unread(self) -> Unknown | None:
        """Why options may be said to it that were not seen; None: none are."""
        return _first(self.reading.unread)

    @property
    def unstarted(self) -> Unknown | None:
        """Why it is not known what starts it; None: it is."""
        why = self.reading.packaging.untold
        return Unknown(visible(why)) if why else None

    @property
    def hidden(self) -> Unknown | None:
        """Why the dockerd that the host's files started is not known; None: it is, or none runs."""
        return Unknown(self.running.hidden) if self.process is None and self.running.hidden else None

    @property
    def is_own(self) -> bool:
        """Whether it is the one that the host's files start."""
        return self.process is None or self.process is self.running.own

    @property
    def apart(self) -> Unknown | None:
        """Why the files that it is told are not those of the host."""
        if self.is_own or not (self.process and self.process.in_container):
            return None
        return Unknown("it runs in a container, with files of its own")

    @property
    def name(self) -> str:
        """Which one it is, for people: its unit, or its process."""
        return self.reading.packaging.service

    @cached_property
    def served(self) -> Served:
        """Its certificate, its key and its authorities."""
        return Served(material_of(self.reading, self.process), self.facts, self.keys, self.expected)

    @property
    def idle(self) -> NotApplicable | None:
        """Why it answers nothing, where that is as it should be: it does not run."""
        if not self.facts.runs:
            return NotApplicable("this is a file tree: nothing runs in it")
        if self.process or self.running.unknown:
            return None
        return NotApplicable(self.running.idle or "it does not run")

    @cached_property
    def copies(self) -> tuple[ClientCopy, ...]:
        """The clients' files on the host."""
        return client_copies(self.facts, self.docker_dirs)

    @cached_property
    def listening(self) -> Listening:
        """What the process listens on, by the kernel's tables."""
        return listening(self.facts, self.process.pid) if self.process else Listening(unknown="it does not run")

    @cached_property
    def rules(self) -> tuple[Rules, str]:
        """What the kernel's audit watches; see `rules_of`."""
        return rules_of(self.facts)

    @cached_property
    def release(self) -> Release | None:
        """Which release it is: by its API, else by its program. None: it is not known."""
        said = self.answers.version.get("Version") or self.answers.info.get("ServerVersion")
        found = told(f"version {said}") if said else None
        return found[:_RELEASE_PARTS] if found else self.reading.release

    def before(self, release: str) -> bool | None:
        """Whether it is older than a release; None: that is not known."""
        return None if self.release is None else self.release < release_from(release)

    @property
    def rootless(self) -> bool:
        """Whether it is a user's own."""
        return self.answers.has("rootless") or self.reading.packaging.user is not None


def _first(doubts: tuple[str, ...]) -> Unknown | None:
    return Unknown(visible(doubts[0])) if doubts else None
