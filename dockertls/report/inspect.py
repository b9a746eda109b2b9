"""What a file of certificates and keys holds, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from dockertls.errors import DockerTLSError, Refused
from dockertls.pki.keys import is_encrypted, key_fingerprint, kind_of, load_certificates, load_private
from dockertls.pki.pem import pem_blocks
from dockertls.plan import visible
from dockertls.report.certificates import as_json, details, moment, names_in
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

T = TypeVar("T")


@dataclass(frozen=True)
class Thing:
    """One thing in a file.

    Attributes:
        kind: "certificate", "private key", "request" or "revocation list".
        data: what is worth knowing, for JSON.
        table: the same for people.
    """

    kind: str
    data: Mapping[str, object]
    table: Table


def things(content: bytes, name: str, now: datetime) -> tuple[Thing, ...]:
    """Everything in a PEM file, in its order; or the certificate in a DER file.

    Args:
        content: of the file.
        name: of the file, for errors.
        now: to say how many days are left.

    Raises:
        Refused: if nothing in it is known, or a part of it is damaged.
    """
    found = tuple(_things(content, name, now))
    if found:
        return found
    try:
        certificate = x509.load_der_x509_certificate(content)
    except ValueError:
        raise Refused(
            f"{visible(name)} holds no certificate, key, request or revocation list",
            "inspect reads PEM files, and a certificate in DER",
        ) from None
    return (_certificate(certificate, now),)


def _things(content: bytes, name: str, now: datetime) -> Iterator[Thing]:
    for block in pem_blocks(content):
        for ending, read in READERS.items():
            if block.label.endswith(ending):
                yield read(block.text + b"\n", f"{visible(name)}: {block.label.lower()}", now)
                break


def _certificate(certificate: x509.Certificate, now: datetime) -> Thing:
    return Thing("certificate", as_json(certificate, now), details(certificate, now))


def _read_certificate(pem: bytes, name: str, now: datetime) -> Thing:
    return _certificate(load_certificates(pem, name=name)[0], now)


def _read_key(pem: bytes, name: str, _now: datetime) -> Thing:
    """Of an encrypted key nothing is known but that it is encrypted: no passphrase is asked for."""
    if is_encrypted(pem):
        return _listed("private key", {"encrypted": True})
    key = load_private(pem, name=name)
    return _listed("private key", {"encrypted": False, "key": kind_of(key), "spki_sha256": key_fingerprint(key)})


def _read_request(pem: bytes, name: str, _now: datetime) -> Thing:
    request = _loaded(x509.load_pem_x509_csr, pem, name)
    return _listed(
        "request",
        {
            "subject": visible(request.subject.rfc4514_string()),
            "names": list(names_in(request.extensions)),
            "key": kind_of(request.public_key()),
            "signature": "good" if request.is_signature_valid else "bad",
        },
    )


def _read_list(pem: bytes, name: str, _now: datetime) -> Thing:
    revoked = _loaded(x509.load_pem_x509_crl, pem, name)
    until = revoked.next_update_utc
    return _listed(
        "revocation list",
        {
            "issuer": visible(revoked.issuer.rfc4514_string()),
            "issued": moment(revoked.last_update_utc),
            "next_update": moment(until) if until else None,
            "revoked": [f"{one.serial_number:x}" for one in revoked],
        },
    )


def _loaded(load: Callable[[bytes], T], pem: bytes, name: str) -> T:
    try:
        return load(pem)
    except (ValueError, UnsupportedAlgorithm, DockerTLSError) as error:
        raise Refused(f"{visible(name)} is damaged: {visible(str(error))}", "fetch it again") from error


def _listed(kind: str, data: dict[str, object]) -> Thing:
    rows = tuple(Row((f"  {key.replace('_', ' ')}", _text(value))) for key, value in data.items())
    return Thing(kind, data, Table((), rows))


def _text(value: object) -> str:
    match value:
        case list():
            return ", ".join(map(str, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
    return str(value)


READERS: Mapping[str, Callable[[bytes, str, datetime], Thing]] = MappingProxyType(
    {
        "CERTIFICATE REQUEST": _read_request,
        "CERTIFICATE": _read_certificate,
        "PRIVATE KEY": _read_key,
        "X509 CRL": _read_list,
    }
)
"""What reads a block, by the end of its label (RFC 7468)."""
