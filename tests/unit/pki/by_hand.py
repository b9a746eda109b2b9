"""Certificates and requests made by hand, so that they can be wrong in one thing, or in many."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.pki.keys import PrivateKey, generate
from dockertls.pki.profiles import CA, SERVER

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT_KEY, MIDDLE_KEY, LEAF_KEY = (generate("ecdsa-p256") for _ in range(3))
Extensions = tuple[tuple[x509.ExtensionType, bool], ...]


def subject(common_name: str = "", organization: str = "") -> x509.Name:
    parts = {x509.NameOID.ORGANIZATION_NAME: organization, x509.NameOID.COMMON_NAME: common_name}
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items() if text])


def limits(*, ca: bool = True, path_length: int | None = None) -> tuple[x509.ExtensionType, bool]:
    return x509.BasicConstraints(ca=ca, path_length=path_length), True


def uses(*purposes: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage(purposes), False


def identifier(key: PrivateKey) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False


def issuer_identifier(key: PrivateKey) -> tuple[x509.ExtensionType, bool]:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False


SIGNS = (CA.usage, True)
SERVES = (SERVER.usage, True)


@dataclass(frozen=True)
class ByHand:
    """A certificate as it shall be; its defaults are those of a good root."""

    subject: x509.Name = field(default_factory=lambda: subject("root"))
    issuer: x509.Name = field(default_factory=lambda: subject("root"))
    key: PrivateKey = ROOT_KEY
    signer: PrivateKey = ROOT_KEY
    extensions: Extensions = (limits(), SIGNS, identifier(ROOT_KEY))
    start: datetime = NOW - DAY
    end: datetime = NOW + 900 * DAY

    @property
    def certificate(self) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            self.issuer, self.subject, self.key.public_key(), x509.random_serial_number(), self.start, self.end
        )
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical=critical)
        return builder.sign(
            self.signer, None if isinstance(self.signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        )


ROOT = ByHand()
MIDDLE = ByHand(
    subject("middle"), key=MIDDLE_KEY,
    extensions=(limits(path_length=0), SIGNS, identifier(MIDDLE_KEY), issuer_identifier(ROOT_KEY)),
)  # fmt: skip
SERVER_LEAF = ByHand(
    subject("web1"), subject("middle"), LEAF_KEY, MIDDLE_KEY, end=NOW + 300 * DAY,
    extensions=(
        limits(ca=False), SERVES, uses(Eku.SERVER_AUTH), issuer_identifier(MIDDLE_KEY),
        (x509.SubjectAlternativeName([x509.DNSName("web1"), x509.DNSName("web1.example")]), False),
    ),
)  # fmt: skip
CLIENT_LEAF = ByHand(
    subject("ann"), subject("middle"), LEAF_KEY, MIDDLE_KEY, end=NOW + 300 * DAY,
    extensions=(limits(ca=False), SERVES, uses(Eku.CLIENT_AUTH), issuer_identifier(MIDDLE_KEY)),
)  # fmt: skip
