"""The server's certificate where dockerd reads it: a generation in /etc/docker/tls, and one link that says which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import NotReady, Refused
from dockertls.facts import CURRENT, DOCKER_DIR, TLS_DIR, missing_directories
from dockertls.pki.keys import fingerprint, load_certificates
from dockertls.pki.profiles import issued_by
from dockertls.plan import ROOT, Change, Directory, File, Link, Plan, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.facts import HostFacts

CA, CERT, KEY = "ca.pem", "server-cert.pem", "server-key.pem"
MODES: Mapping[str, int] = MappingProxyType({CA: 0o644, CERT: 0o644, KEY: 0o600})
"""The files of a generation. The familiar names /etc/docker/<file> are links to them: what dockerd is told."""


@dataclass(frozen=True)
class ServerFiles:
    """What dockerd needs to serve TLS, in PEM.

    Attributes:
        ca: every authority whose clients are let in.
        cert: the server's certificate, and intermediate ones if there are any.
        key: its private key, not encrypted: dockerd reads no other.
        stored: the generation's folder of the store, which holds the same key as key.pem.
    """

    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)
    stored: Path

    def node(self, name: str) -> File:
        """One of the files as it shall lie on the host."""
        content = {CA: self.ca, CERT: self.cert, KEY: self.key}[name]
        secret = name == KEY
        return File(content, MODES[name], ROOT, secret=secret, stored=self.stored / "key.pem" if secret else None)


def told(name: str) -> Path:
    """The path that dockerd is told for a file of MODES."""
    return DOCKER_DIR / name


def install(facts: HostFacts, files: ServerFiles, *, replace_foreign: bool, known: Collection[str]) -> Plan:
    """Put a server's certificate where dockerd reads it: certificate, key and authorities change by one rename.

    Args:
        facts: with the row "certificates".
        files: what to put there.
        replace_foreign: whether files of another authority may be replaced.
        known: fingerprints of this store's authorities.

    Returns:
        The plan, empty where all is as it shall be.

    Raises:
        NotReady: files of another authority are there; says who would lose access.
    """
    if not replace_foreign:
        _keep_foreign(facts, files, known)
    changes = [
        Change(folder, None, Directory(0o755), "Docker's configuration")
        for folder in missing_directories(facts, DOCKER_DIR)
    ]
    if not facts.is_directory(TLS_DIR):
        changes.append(Change(TLS_DIR, facts.node(TLS_DIR), Directory(0o700), "certificates for dockerd"))
    changes += _generation(facts, files)
    changes += [_familiar(facts, name) for name in MODES]
    return Plan("certificate for dockerd", tuple(changes))


def _generation(facts: HostFacts, files: ServerFiles) -> Iterator[Change]:
    """The generation in use if it is the wanted one, else a new one and the link to it."""
    link = facts.node(CURRENT)
    if isinstance(link, Link) and all(facts.node(TLS_DIR / link.target / name) == files.node(name) for name in MODES):
        return
    numbers = [int(name) for name in facts.listed(TLS_DIR) if name.isdigit()]
    number = f"{max(numbers, default=0) + 1:04}"
    yield Change(TLS_DIR / number, None, Directory(0o700), "certificates for dockerd")
    for name in MODES:
        yield Change(TLS_DIR / number / name, None, files.node(name), f"{name} for dockerd")
    yield Change(CURRENT, link, Link(number), "the certificates in use")


def _link(name: str) -> Link:
    return Link(f"tls/current/{name}")


def _familiar(facts: HostFacts, name: str) -> Change:
    before = facts.node(told(name))
    if isinstance(before, File) and name == KEY:
        before = replace(before, secret=True)
    return Change(told(name), before, _link(name), "what dockerd is told")


def _keep_foreign(facts: HostFacts, files: ServerFiles, known: Collection[str]) -> None:
    """Refuse to replace what another authority made: the authorities that are trusted, or the certificate."""
    file, served = facts.file(told(CA)), facts.file(told(CERT))
    present = {name: facts.node(told(name)) for name in MODES}
    names = [name for name, node in present.items() if node not in (None, _link(name))]
    ours = file is not None and _is_ours(file.content, known)
    if not names or (ours and (served is None or _is_signed(served.content, files.ca))):
        return
    places = ", ".join(str(told(name)) for name in names)
    raise NotReady(
        f"{places}: of another authority ({_whose(served if ours else file)}), whose clients would lose access",
        "give --replace (undo brings the files back); nothing was done",
    )


def _is_ours(pem: bytes, known: Collection[str]) -> bool:
    try:
        return all(fingerprint(certificate) in known for certificate in load_certificates(pem, name=str(told(CA))))
    except Refused:
        return False


def _is_signed(pem: bytes, ca: bytes) -> bool:
    """Whether one of the authorities issued the certificate that is served."""
    try:
        leaf, *_ = load_certificates(pem, name=str(told(CERT)))
        return any(issued_by(leaf, authority) for authority in load_certificates(ca, name="the store"))
    except Refused:
        return False


def _whose(file: File | None) -> str:
    if file is None:
        return f"there is no {told(CA)}"
    try:
        certificates = load_certificates(file.content, name="what is there")
    except Refused:
        certificates = ()
    subjects = ", ".join(visible(certificate.subject.rfc4514_string()) for certificate in certificates)
    return subjects or "it cannot be read"
