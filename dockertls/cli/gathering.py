"""Gather all that an audit judges: the host's files and processes, then what each dockerd answers and shows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography.x509 import random_serial_number

from dockertls.audit.checks.audit_rules import paths as watched_paths
from dockertls.audit.endpoints import sockets, to_look_at
from dockertls.audit.gathered import WANTED, Asked, Gathered, dockerds, keys_in
from dockertls.audit.guarded import registries_at, to_stat
from dockertls.audit.material import certificates_at, content_of, material_of, usual_authority
from dockertls.audit.seen import Answers, Expected, Live, Seen
from dockertls.audit.sockets import SYSTEMD
from dockertls.cli.folders import usual_dirs
from dockertls.client import copies
from dockertls.client.files import CERT, KEY
from dockertls.daemon.hostnames import own_names
from dockertls.daemon.reading import read_as_seen
from dockertls.daemon.running import pid_file, read_at_start, running
from dockertls.daemon.workable import files
from dockertls.errors import DockerTLSError
from dockertls.escaping import visible
from dockertls.facts import STORE, NotGathered
from dockertls.pki.keys import each_certificate
from dockertls.pki.profiles import issued_by
from dockertls.platforms import Init
from dockertls.probe.api import peer, unix_get
from dockertls.probe.grade import grade
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.observing import observe
from dockertls.probe.stranger import OUR_SERVER, visitors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.audit.material import Material
    from dockertls.cli.session import Session
    from dockertls.daemon.reading import Reading
    from dockertls.daemon.running import Process
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.probe.endpoint import Endpoint

QUESTIONS = ("/info", "/version", "/networks/bridge", "/containers/json")
OK = 200


def gather_host(session: Session, *, timeout: float) -> Gathered:
    """All that is known of this host, or of the file tree.

    Args:
        session: of this run.
        timeout: seconds for each question, and for each endpoint.
    """
    folders = usual_dirs(session)
    first = session.facts(*WANTED, bears=True)
    peered = _peer(first)
    facts = _second(session, folders, first, peered)
    found = Gathered(_name(facts), facts, keys_in(facts), peer=peered, docker_dirs=folders)
    return replace(found, asked=MappingProxyType(dict(_asked(found, timeout))))


def _peer(first: HostFacts) -> int | None:
    """Who answers on the local socket; never asked of systemd's own, which starts dockerd at a question."""
    reading = read_as_seen(first)
    here, found = running(reading), reading.packaging
    if here.own or not here.others or (found.init is Init.SYSTEMD and not found.user):
        return None
    return next((pid for path in sockets(reading) if (pid := peer(path, timeout=1))), None)


def _second(session: Session, folders: tuple[Path, ...], first: HostFacts, peered: int | None) -> HostFacts:
    """A second look, at what the first one names, too."""
    here, found = dockerds(first, peered)
    also = [
        path
        for reading, process in found
        for path in (
            reading.config,
            pid_file(reading),
            *material_of(reading, process).paths,
            *files(reading),
            usual_authority(reading),
        )
    ]
    dates = [path for reading, _ in found for path in (*read_at_start(reading), pid_file(reading))]
    looked = [Seen(reading, here, process, docker_dirs=folders) for reading, process in found]
    stats = [path for one in looked for path in (*to_stat(one), *watched_paths(one)) if path.is_absolute()]
    trees = [*copies.wanted(folders), *map(registries_at, looked), session.store_path / "ca", STORE / "ca"]
    absolute = tuple(path for path in also if path.is_absolute())
    return session.facts(trees=trees, also=absolute, dates=dates, stats=stats, bears=True, beside=first)


def _name(facts: HostFacts) -> str:
    """The host's own; empty: it cannot be told."""
    with suppress(NotGathered):
        return own_names(facts).names[0]
    return ""


def _asked(found: Gathered, timeout: float) -> Iterator[tuple[int, Asked]]:
    for reading, process in dockerds(found.facts, found.peer)[1]:
        if process:
            answers = _answers(reading, process, timeout)
            endpoints, untried = to_look_at(reading, process, answers)
            looks = _Looks(found, material_of(reading, process), timeout)
            yield process.pid, Asked(answers, tuple(map(looks.at, endpoints)), untried)


# the API


def _answers(reading: Reading, process: Process, timeout: float) -> Answers:
    """What the API says by the first unix socket at which this very dockerd answers."""
    faults: list[str] = []
    for path in sockets(reading):
        holder = peer(path, timeout=timeout)
        if holder in {process.pid, SYSTEMD}:
            return _of_socket(path, timeout)
        known = f"process {holder} answers at {visible(str(path))}" if holder else _why_not(path, timeout)
        faults.append(known)
    return Answers(fault="; ".join(faults) or "it has no unix socket")


def _why_not(path: Path, timeout: float) -> str:
    try:
        unix_get(path, "/_ping", timeout=timeout)
    except DockerTLSError as error:
        return error.message
    return f"who answers at {visible(str(path))} cannot be told"


def _of_socket(path: Path, timeout: float) -> Answers:
    got: dict[str, Json] = {}
    for question in QUESTIONS:
        try:
            answer = unix_get(path, question, timeout=timeout)
            got[question] = answer.json() if answer.status == OK else None
        except DockerTLSError as error:
            return _answered(got, error.message)
    odd = (
        ""
        if isinstance(got["/info"], dict)
        else f"unix://{visible(str(path))} says of itself nothing that dockerd says"
    )
    return _answered(got, odd)


def _answered(got: Mapping[str, Json], fault: str) -> Answers:
    info, version, bridge = (one if isinstance(one := got.get(question), dict) else {} for question in QUESTIONS[:3])
    ports = {port for one in _objects(got.get(QUESTIONS[3])) for port in _ports(one)}
    return Answers(info, version, bridge, frozenset(ports), fault)


def _ports(container: Mapping[str, Json]) -> Iterator[int]:
    for one in _objects(container.get("Ports")):
        port = one.get("PublicPort")
        if isinstance(port, int):
            yield port


def _objects(value: Json) -> Iterator[dict[str, Json]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


# the endpoints


@dataclass(frozen=True)
class _Looks:
    """How endpoints of one dockerd are looked at: as a client of its own authority, as nobody, and as strangers."""

    found: Gathered
    material: Material
    timeout: float

    def at(self, endpoint: Endpoint) -> Live:
        """Look at one and judge it."""
        facts, roots = self.found.facts, certificates_at(self.found.facts, self.material.ca)
        client = self._client
        seen = observe(endpoint, client, self._strangers, timeout=self.timeout)
        findings = grade(
            seen,
            roots,
            now=facts.taken,
            warn=Expected.warn,
            fail=Expected.fail,
            client=each_certificate(client.cert or b"")[0],
            current=certificates_at(facts, self.material.cert)[:1] or "its certificate's file was not seen",
        )
        return Live(endpoint, {one.id: one for one in findings})

    @cached_property
    def _client(self) -> ClientMaterial:
        """The first client on this host that an authority of the daemon vouches for; without one, nobody."""
        ca, roots = content_of(self.found.facts, self.material.ca), certificates_at(self.found.facts, self.material.ca)
        for copy in copies.client_copies(self.found.facts, self.found.docker_dirs):
            certificate = copy.certificate if copy.is_pair else None
            if certificate and any(issued_by(certificate, root) for root in roots):
                return ClientMaterial(ca or b"", copy.files[CERT].content, copy.files[KEY].content)
        return ClientMaterial(ca or b"")

    @cached_property
    def _strangers(self) -> dict[str, ClientMaterial]:
        """Everybody who should not be let in; the daemon's own certificate is a server's, and no client's."""
        facts, client = self.found.facts, self._client
        cert, key = content_of(facts, self.material.cert), content_of(facts, self.material.key)
        own = {OUR_SERVER: ClientMaterial(b"", cert, key)} if cert and key else {}
        return visitors(client.ca, client.cert, now=facts.taken, serial=random_serial_number) | own
