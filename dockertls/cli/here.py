"""What this host has of a store's certificates: client files, dockerd's own, and what dockerd shows."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dockertls.cli.folders import recorded_dirs, usual_dirs
from dockertls.client import copies as client_copies
from dockertls.client.files import CA, CERT, KEY
from dockertls.daemon import certificates
from dockertls.daemon.packaging import packaging
from dockertls.errors import DockerTLSError
from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.pki.inventory import Entry
from dockertls.pki.keys import certificates_in, fingerprint, is_key_of, load_certificates
from dockertls.pki.names import likely_folders
from dockertls.pki.profiles import issued_by
from dockertls.report.standing import BROKEN, MISSING, UNKNOWN, Copy, Found, Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.cli.session import Session
    from dockertls.client.copies import ClientCopy
    from dockertls.errors import Fault
    from dockertls.facts import HostFacts
    from dockertls.pki.inventory import Authorities
    from dockertls.pki.revocation import Revocations
    from dockertls.pki.rotation import Rotation
    from dockertls.pki.store import StoreState
    from dockertls.plan import File

Name = tuple[str, str]
"""The role and the folder of a certificate."""


@dataclass(frozen=True)
class Aims:
    """What copies are measured by.

    Attributes:
        known: every authority that the store ever had.
        rotation: the one that runs; None: none does, or its file is damaged.
        trusts: fingerprints of the authorities that a role shall trust now; None: that cannot be told.
        faults: what of this could not be read, by the name of its file.
        revocations: what was revoked; None: that cannot be told.
    """

    known: Authorities
    rotation: Rotation | None
    trusts: Mapping[str, frozenset[str] | None]
    faults: Mapping[str, Fault]
    revocations: Revocations | None

    def revoked(self, certificate: x509.Certificate | None) -> str:
        """When a certificate was revoked, and why; empty: it was not, as far as that can be told."""
        if certificate is None or self.revocations is None or not self.revocations.of_authority:
            return ""
        found = self.revocations.of(certificate)
        return f"revoked at {found.moment} ({found.reason})" if found else ""

    @cached_property
    def ours(self) -> frozenset[str]:
        """Fingerprints of every authority that the store ever had."""
        return frozenset(map(fingerprint, self.known.certificates))

    @property
    def shown(self) -> Iterator[Entry]:
        """The authorities that are in use, and what is wrong with their folder itself."""
        used = {self.known.signs, *((self.rotation.old, self.rotation.new) if self.rotation else ())}
        for number, chain in self.known.entries.items():
            if number in used or not self.known.signs:
                yield from chain
        for name, fault in self.faults.items():
            yield Entry("ca", name, fault=fault)


@dataclass(frozen=True)
class Here:
    """What this host has.

    Attributes:
        found: copies of the store's certificates, by whose they are.
        served: what its dockerd shows; None: nothing that has to do with the store.
        strays: what has gone wrong, and cannot be said of one certificate.
    """

    found: Mapping[Name, Sequence[Found]]
    served: Served | None
    strays: tuple[Copy, ...]


def look(session: Session, store: StoreState, aims: Aims) -> Here:
    """Find every copy on this host."""
    seen = (*_clients(session, store, aims), *_daemon(session, store, aims))
    found: defaultdict[Name, list[Found]] = defaultdict(list)
    for one in seen:
        if isinstance(one, Found):
            found[one.role, one.name].append(one)
    shown = next((one for one in seen if isinstance(one, Served)), None)
    return Here(found, shown, tuple(one for one in seen if isinstance(one, Copy)))


# clients


def _clients(session: Session, store: StoreState, aims: Aims) -> Iterator[Found | Copy]:
    """Client files, in every folder that is known."""
    recorded: tuple[Path, ...] = ()
    try:
        recorded = recorded_dirs(session)
    except DockerTLSError as error:
        yield Copy("disk", str(session.host.state), UNKNOWN, error.message)
    folders = tuple(dict.fromkeys((*usual_dirs(session), *recorded)))
    facts = session.facts(trees=client_copies.wanted(folders), bears=True)
    held: set[Path] = set()
    for copy in client_copies.client_copies(facts, folders):
        one = _client(copy, store, aims)
        if one or _trusts_us(copy, aims):  # a revocation takes certificate and key away, and leaves ca.pem
            held.add(copy.docker_dir)
        yield from (one,) if one else ()
    for folder in recorded:
        if folder not in held:
            yield Copy("disk", visible(str(folder)), MISSING, "a client was installed there, and its files are gone")


def _client(copy: ClientCopy, store: StoreState, aims: Aims) -> Found | Copy | None:
    """What one place holds; None: nothing of this store."""
    kind, certificate = "context" if copy.context else "disk", copy.certificate
    found = _whose(store, aims, "client", certificate) if certificate else None
    if copy.fault and (found or certificate is None):
        return Copy(kind, copy.place, UNKNOWN, copy.fault)
    if certificate is None:
        ours = bool({CERT, KEY} & copy.files.keys()) and _trusts_us(copy, aims)
        return Copy(kind, copy.place, BROKEN, f"its {CERT} is missing or cannot be read") if ours else None
    trusts = _fingerprints(copy.files.get(CA))
    return found and replace(found, kind=kind, place=copy.place, has_key=copy.is_pair, trusts=trusts)


def _trusts_us(copy: ClientCopy, aims: Aims) -> bool:
    return bool((_fingerprints(copy.files.get(CA)) or frozenset()) & aims.ours)


def _whose(store: StoreState, aims: Aims, role: str, certificate: x509.Certificate) -> Found | None:
    """Whose certificate of the store it is or was; None: it has nothing to do with it."""
    likely, revoked = next(iter(likely_folders(role, certificate)), ""), aims.revoked(certificate)
    try:
        generation = store.whose(role, certificate)
    except DockerTLSError as error:
        return Found(role, likely, "", "", "", fault=error.message)
    if generation:
        return Found(role, generation.name, "", "", generation.path.name, revoked=revoked)
    ours = any(issued_by(certificate, authority) for authority in aims.known.certificates)
    return Found(role, likely, "", "", "", revoked=revoked) if ours else None


def _fingerprints(file: File | None) -> frozenset[str] | None:
    """Of every certificate of a file; None: there is none that can be read."""
    return frozenset(map(fingerprint, certificates_in(file.content))) or None if file else None


# the daemon


def _daemon(session: Session, store: StoreState, aims: Aims) -> Iterator[Found | Copy | Served]:
    """What is installed for dockerd, and what it shows."""
    try:
        facts = session.facts("daemon", "certificates", bears=True)
        disk = _installed(facts, store, aims)
    except (NotSeen, DockerTLSError) as error:
        yield Copy("disk", "dockerd", UNKNOWN, visible(str(error)))
        return
    yield from (disk,) if disk else ()
    try:
        shown = _shown(session, facts, store, aims, disk if isinstance(disk, Found) else None)
        yield from (shown,) if shown else ()
    except (NotSeen, DockerTLSError) as error:
        yield Copy("served", "dockerd", UNKNOWN, visible(str(error)))


def _installed(facts: HostFacts, store: StoreState, aims: Aims) -> Found | Copy | None:
    """The server's certificate where dockerd reads it. Raises NotSeen."""
    places = packaging(facts).places
    ca, cert, key = (certificates.installed(facts, places, name) for name in certificates.MODES)
    place, trusts = str(places.pem_dir), _fingerprints(ca)
    ours = facts.node(places.current) is not None or bool((trusts or frozenset()) & aims.ours)
    if cert is None:
        return Copy("disk", place, MISSING, f"there is no {certificates.CERT} that can be read") if ours else None
    try:
        certificate = load_certificates(cert.content, name=certificates.CERT)[0]
    except DockerTLSError as error:
        return Copy("disk", place, BROKEN, error.message) if ours else None
    found = _whose(store, aims, "server", certificate)
    return found and replace(
        found, kind="disk", place=place, has_key=key is not None and is_key_of(key.content, certificate), trusts=trusts
    )


def _shown(session: Session, facts: HostFacts, store: StoreState, aims: Aims, disk: Found | None) -> Served | None:
    """What dockerd shows; None: it listens on no port, or shows nothing of this store and shall not. Raises NotSeen."""
    if not session.host.runs:
        return None
    from dockertls.cli.installing import any_client
    from dockertls.cli.live import seen_certificate
    from dockertls.daemon.control import listening
    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.observation import ClientMaterial

    port = listening(facts)
    if port is None:
        return None
    client, endpoint = ClientMaterial(b""), Endpoint(*port)
    with suppress(DockerTLSError):
        client = any_client(session)
    seen = seen_certificate(endpoint, client)
    if isinstance(seen, str):
        return Served(endpoint.url, disk.name, fault=seen) if disk else None
    found = _whose(store, aims, "server", seen)
    name = disk.name if disk and _is_told(facts) else found.name if found else ""
    number = found.number if found and found.name == name else ""
    waits = _waits(session, facts) if number and disk and disk.number == number else ()
    return Served(endpoint.url, name, number, waits=waits, revoked=aims.revoked(seen)) if name else None


def _is_told(facts: HostFacts) -> bool:
    """Whether dockerd is told the certificate that is installed."""
    from dockertls.daemon.reading import read
    from dockertls.daemon.running import told_files

    return packaging(facts).places.pem_dir / certificates.CERT in told_files(read(facts))


def _waits(session: Session, facts: HostFacts) -> tuple[str, ...]:
    """Its files that changed after dockerd read them."""
    from dockertls.cli.showing import left_for_a_restart

    places = packaging(facts).places
    own = {str(path) for path in (places.current, *(places.pem_dir / name for name in certificates.MODES))}
    with suppress(NotSeen):
        return tuple(what for what in left_for_a_restart(session) if what in own)
    return ()
