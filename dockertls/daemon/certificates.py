"""The server's certificate where dockerd reads it: a generation in its folder tls, and one link that says which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import NotReady, Refused
from dockertls.escaping import visible
from dockertls.facts import missing_directories
from dockertls.pki.keys import fingerprint, load_certificates
from dockertls.pki.paths import paths
from dockertls.plan import Change, Directory, File, Link, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.places import Places
    from dockertls.facts import HostFacts
    from dockertls.plan import Owner

CA, CERT, KEY = "ca.pem", "server-cert.pem", "server-key.pem"
MODES: Mapping[str, int] = MappingProxyType({CA: 0o644, CERT: 0o644, KEY: 0o600})
"""The files of a generation. The familiar names, as /etc/docker/ca.pem, are links to them: what dockerd is told."""


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

    def node(self, name: str, owner: Owner) -> File:
        """One of the files as it shall lie on the host."""
        content = {CA: self.ca, CERT: self.cert, KEY: self.key}[name]
        secret = name == KEY
        return File(content, MODES[name], owner, secret=secret, stored=self.stored / "key.pem" if secret else None)


def install(
    facts: HostFacts, files: ServerFiles, places: Places, *, replace_foreign: bool, known: Collection[str]
) -> Plan:
    """Put a server's certificate where dockerd reads it: certificate, key and authorities change by one rename.

    Args:
        facts: with the row "certificates".
        files: what to put there.
        places: where.
        replace_foreign: whether files of another authority may be replaced.
        known: fingerprints of this store's authorities.

    Returns:
        The plan, empty where all is as it shall be.

    Raises:
        NotReady: files of another authority are there; says who would lose access.
    """
    if not replace_foreign:
        _keep_foreign(facts, files, places, known)
    owner = places.owner
    changes = [
        Change(folder, None, Directory(0o755, owner), "Docker's configuration")
        for folder in missing_directories(facts, places.pem_dir)
    ]
    if not facts.is_directory(places.tls_dir):
        before = facts.node(places.tls_dir)
        changes.append(Change(places.tls_dir, before, Directory(0o700, owner), "certificates for dockerd"))
    changes += _generation(facts, files, places)
    changes += [_familiar(facts, places.pem_dir / name) for name in MODES]
    return Plan("certificate for dockerd", tuple(changes))


def installed(facts: HostFacts, places: Places, name: str) -> File | None:
    """What dockerd is told for a file of MODES, by our own links where it is told one; None: nothing.

    Args:
        facts: with the row "certificates".
        places: where its files lie.
        name: of the file.
    """
    number = _number(facts, places)
    if number and facts.node(places.pem_dir / name) == _link(name):
        return facts.file(places.tls_dir / number / name)
    return facts.file(places.pem_dir / name)


def _number(facts: HostFacts, places: Places) -> str:
    """The generation in use; empty: there is none of our own making."""
    link = facts.node(places.current)
    return link.target if isinstance(link, Link) and link.target.isdigit() else ""


def _generation(facts: HostFacts, files: ServerFiles, places: Places) -> Iterator[Change]:
    """The generation in use if it is the wanted one, else a new one and the link to it."""
    folder, used = places.tls_dir, _number(facts, places)
    nodes = {name: files.node(name, places.owner) for name in MODES}
    if used and all(facts.node(folder / used / name) == node for name, node in nodes.items()):
        return
    numbers = [int(name) for name in facts.listed(folder) if name.isdigit()]
    number = f"{max(numbers, default=0) + 1:04}"
    yield Change(folder / number, None, Directory(0o700, places.owner), "certificates for dockerd")
    for name, node in nodes.items():
        yield Change(folder / number / name, None, node, f"{name} for dockerd")
    yield Change(places.current, facts.node(places.current), Link(number), "the certificates in use")


def _link(name: str) -> Link:
    return Link(f"tls/current/{name}")


def _familiar(facts: HostFacts, path: Path) -> Change:
    before = facts.node(path)
    if isinstance(before, File) and path.name == KEY:
        before = replace(before, secret=True)
    return Change(path, before, _link(path.name), "what dockerd is told")


def _keep_foreign(facts: HostFacts, files: ServerFiles, places: Places, known: Collection[str]) -> None:
    """Refuse to replace what another authority made: the authorities that are trusted, or the certificate."""
    folder = places.pem_dir
    file, served = (installed(facts, places, name) for name in (CA, CERT))
    present = {name: facts.node(folder / name) for name in MODES}
    names = [name for name, node in present.items() if node not in (None, _link(name))]
    ours = file is not None and _is_ours(file.content, known, files.ca)
    trusted = files.ca + (file.content if file and ours else b"")
    if (file is None and not names) or (ours and (served is None or _is_signed(served.content, trusted))):
        return
    found = ", ".join(str(folder / name) for name in names)
    raise NotReady(
        f"{found}: of another authority ({_whose(served if ours else file)}), whose clients would lose access",
        "give --replace (undo brings the files back); nothing was done",
    )


def _is_ours(pem: bytes, known: Collection[str], kept: bytes) -> bool:
    """Whether nobody is trusted but this store's authorities, and whom the new file trusts as well."""
    try:
        stay = {*known, *map(fingerprint, load_certificates(kept, name="the store"))}
        return all(fingerprint(certificate) in stay for certificate in load_certificates(pem, name=CA))
    except Refused:
        return False


def _is_signed(pem: bytes, ca: bytes) -> bool:
    """Whether one of the authorities issued the certificate that is served, by itself or by an intermediate one."""
    try:
        leaf, *chain = load_certificates(pem, name=CERT)
        return bool(paths(leaf, chain, load_certificates(ca, name="the store")))
    except Refused:
        return False


def _whose(file: File | None) -> str:
    if file is None:
        return f"there is no {CA}"
    try:
        certificates = load_certificates(file.content, name="what is there")
    except Refused:
        certificates = ()
    subjects = ", ".join(visible(certificate.subject.rfc4514_string()) for certificate in certificates)
    return subjects or "it cannot be read"
