"""Authorities, clients and hosts to plan for, made in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath as Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dockertls.client.files import ClientFiles
from dockertls.facts import HostFacts
from dockertls.plan import Directory, File, Node, Plan

FactsOf = Callable[[Mapping[str, Node]], HostFacts]
After = Callable[[Mapping[str, Node], Plan], dict[str, Node]]
Issue = Callable[..., "Holder"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWD = File(b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nnobody:x:65534:65534::/:/x\n")


@dataclass(frozen=True)
class Holder:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def issued(name: str, issuer: Holder | None = None, *, is_ca: bool = False) -> Holder:
    """A certificate for `name`, by `issuer` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@dataclass(frozen=True)
class People:
    """Our authority, and another one, each with a client."""

    authority: Holder
    client: Holder
    stranger: Holder
    strangers_client: Holder

    @property
    def files(self) -> ClientFiles:
        return ClientFiles(self.authority.pem, self.client.pem, self.client.key_pem, Path("/store/clients/ann/0001"))

    @property
    def strangers_files(self) -> ClientFiles:
        holder = self.strangers_client
        return ClientFiles(self.stranger.pem, holder.pem, holder.key_pem, Path("/store/clients/bob/0001"))


@pytest.fixture(scope="session")
def people() -> People:
    authority, stranger = issued("our CA", is_ca=True), issued("Corp CA", is_ca=True)
    return People(authority, issued("ann", authority), stranger, issued("bob", stranger))


@pytest.fixture(scope="session")
def issue() -> Issue:
    return issued


@pytest.fixture(scope="session")
def host() -> FactsOf:
    return facts_of


def facts_of(nodes: Mapping[str, Node]) -> HostFacts:
    """Facts of a host that holds these nodes, the directories that they need, a root and /home/ann."""
    files: dict[Path, Node | None] = {Path("/etc/passwd"): PASSWD, Path("/home/ann"): Directory(0o755, (1000, 1000))}
    files |= {Path(path): node for path, node in nodes.items()}
    for path in tuple(files):
        for parent in path.parents:
            files.setdefault(parent, Directory())
    folders = [path for path, node in files.items() if isinstance(node, Directory)]
    names = {path: tuple(sorted(child.name for child in files if child.parent == path != child)) for path in folders}
    return HostFacts(NOW, files=files, names={Path("/home/ann/.docker/contexts/meta"): (), **names})


@pytest.fixture(scope="session")
def after() -> After:
    """What is there when a plan is carried out."""

    def carried_out(nodes: Mapping[str, Node], plan: Plan) -> dict[str, Node]:
        result = dict(nodes)
        for change in plan.changes:
            assert nodes.get(str(change.path)) == change.before, change.path
            if change.after is None:
                del result[str(change.path)]
            else:
                result[str(change.path)] = change.after
        return result

    return carried_out
