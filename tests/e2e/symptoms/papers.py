"""Certificates that are good, and certificates that are wrong in one thing each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.probe.observation import ClientMaterial
from tests.e2e import openssl
from tests.unit.pki.by_hand import SERVES, SIGNS, ByHand, identifier, issuer_identifier, limits, subject, uses

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
LOCAL = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))
STRANGE = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True)
ENDED: dict[str, Any] = {"end": NOW - timedelta(hours=5)}
TO_COME: dict[str, Any] = {"start": NOW + timedelta(hours=5)}


def san(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(names), False


def authority(name: str, issuer: ByHand | None = None, **changes: Any) -> ByHand:  # noqa: ANN401 - fields of ByHand
    """An authority of its own, or one that another signed."""
    key = generate("ecdsa-p256")
    above = (issuer_identifier(issuer.key),) if issuer else ()
    extensions = (limits(), SIGNS, identifier(key), *above)
    signer = (issuer.subject, key, issuer.key) if issuer else (subject(name), key, key)
    made = ByHand(subject(name), *signer, extensions, NOW - 400 * DAY, NOW + 900 * DAY)
    return replace(made, **changes)


def with_extensions(made: ByHand, *more: tuple[x509.ExtensionType, bool], without: type | None = None) -> ByHand:
    """The same with these extensions in addition, and without those of a kind."""
    kept = tuple(one for one in made.extensions if without is None or not isinstance(one[0], without))
    return replace(made, extensions=(*kept, *more))


@dataclass(frozen=True)
class Papers:
    """An authority of ours and one of others, one that has our name and another key, and what they issue."""

    folder: Path
    ours: ByHand = field(default_factory=lambda: authority("ours"))
    others: ByHand = field(default_factory=lambda: authority("others"))
    twin: ByHand = field(default_factory=lambda: authority("ours"))

    def leaf(self, purpose: x509.ObjectIdentifier, issuer: ByHand | None = None, **changes: Any) -> ByHand:  # noqa: ANN401 - fields of ByHand
        signer, key = issuer or self.ours, changes.pop("key", None) or generate("ecdsa-p256")
        names = (san(*LOCAL),) if purpose == Eku.SERVER_AUTH else ()
        extensions = (limits(ca=False), SERVES, uses(purpose), identifier(key), issuer_identifier(signer.key), *names)
        made = ByHand(subject("leaf"), signer.subject, key, signer.key, extensions, NOW - DAY, NOW + 90 * DAY)
        return replace(made, **changes)

    def serves(self, issuer: ByHand | None = None, **changes: Any) -> ByHand:  # noqa: ANN401 - fields of ByHand
        return self.leaf(Eku.SERVER_AUTH, issuer, **changes)

    def asks(self, issuer: ByHand | None = None, **changes: Any) -> ByHand:  # noqa: ANN401 - fields of ByHand
        return self.leaf(Eku.CLIENT_AUTH, issuer, **changes)

    def named(self, *names: x509.GeneralName, called: str = "leaf") -> ByHand:
        """A server's with these names and no others."""
        more = (san(*names),) if names else ()
        return with_extensions(self.serves(subject=subject(called)), *more, without=x509.SubjectAlternativeName)

    def material(self, made: ByHand, ca: ByHand | None = None, *chain: ByHand) -> ClientMaterial:
        """Files of who shows this, and the authority that he trusts, or that is to be trusted."""
        sent = certificate_pem([made.certificate, *(one.certificate for one in chain)])
        return ClientMaterial(pem(ca or self.ours), sent, private_pem(made.key))

    @cached_property
    def server(self) -> ClientMaterial:
        return self.material(self.serves())

    @cached_property
    def client(self) -> ClientMaterial:
        return self.material(self.asks())

    @cached_property
    def stranger(self) -> ClientMaterial:
        """A client of the others, who trusts ours; its chain is sent along, so that it cannot be overlooked."""
        return self.material(self.asks(self.others), self.ours, self.others)

    @cached_property
    def short_key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is short is the point

    def signed(self, *how: str, kind: tuple[str, ...] = openssl.P256) -> ClientMaterial:
        """A server's as openssl makes it: with a digest or a kind of key that no library would take."""
        name = f"openssl{sum(1 for _ in self.folder.iterdir())}"
        folder = self.folder / name
        folder.mkdir()
        root = openssl.Signer.root(folder, "root", *openssl.RSA)
        key, csr = folder / "leaf.key", folder / "leaf.csr"
        openssl.openssl("req", "-new", *kind, "-nodes", "-keyout", key, "-out", csr, "-subj", "/CN=leaf")
        names = f"{openssl.SERVER}subjectAltName=DNS:localhost,IP:127.0.0.1\n"
        leaf = root.sign(csr, names, folder / "leaf.pem", "-days", 90, *how)
        return ClientMaterial(root.cert.read_bytes(), leaf.read_bytes(), key.read_bytes())


def pem(made: ByHand) -> bytes:
    return certificate_pem([made.certificate])
