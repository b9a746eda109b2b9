"""What each kind of certificate is for, how long it lives, and the extensions that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKDATE = timedelta(hours=1)
"""How long before its issue a certificate is valid already: hosts whose clock is slow accept it at once."""


class Purpose(Enum):
    """What a leaf is used for: one of the extended key usages of RFC 5280, section 4.2.1.12."""

    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH

    @property
    def oid(self) -> x509.ObjectIdentifier:
        """The extended key usage."""
        return self.value

    @property
    def word(self) -> str:
        """Its name in RFC 5280."""
        return "serverAuth" if self is Purpose.SERVER else "clientAuth"

    @property
    def other(self) -> Purpose:
        """What a certificate of this purpose must not be used for."""
        return Purpose.CLIENT if self is Purpose.SERVER else Purpose.SERVER


@dataclass(frozen=True)
class Profile:
    """One kind of certificate.

    Attributes:
        name: its name on the command line and in the store.
        usage: the critical keyUsage.
        purposes: the extendedKeyUsage; none on an authority, whose leaves it would restrict.
        lifetime: what is taken if nothing is asked for.
        longest: the most that may be asked for.
        is_ca: whether it signs certificates.
        path_length: how many authorities may stand between it and a leaf; None: any number.
        needs_names: whether it is of no use without subject alternative names.
    """

    name: str
    usage: x509.KeyUsage
    purposes: tuple[Purpose, ...]
    lifetime: timedelta
    longest: timedelta
    is_ca: bool = False
    path_length: int | None = None
    needs_names: bool = False


def _usage(*, digital_signature: bool = False, signs: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


_YEAR = timedelta(days=365, hours=6)
_DECADE = timedelta(days=3652)
_LEAF = timedelta(days=397)
_LONGEST_LEAF = timedelta(days=825)
"""The most that Apple's clients accept of a certificate of a private authority."""

CA = Profile("ca", _usage(signs=True), (), _DECADE, 30 * _YEAR, is_ca=True, path_length=0)
SERVER = Profile("server", _usage(digital_signature=True), (Purpose.SERVER,), _LEAF, _LONGEST_LEAF, needs_names=True)
CLIENT = Profile("client", _usage(digital_signature=True), (Purpose.CLIENT,), _LEAF, _LONGEST_LEAF)

TABLE: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in (CA, SERVER, CLIENT)})
"""Every profile by its name."""

MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate, a request or a list raises if it is not as RFC 5280 says, or of a kind not known here."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """The extension of one kind; None if the certificate has none.

    Raises:
        ValueError: if the certificate's extensions cannot be read.
    """
    found = (one.value for one in certificate.extensions if one.oid == kind.oid)
    return cast("_Extension | None", next(found, None))


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether it is an authority's (RFC 5280, section 4.2.1.9); older ones have no keyUsage."""
    constraints, usage = extension(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether name and signature say that one certificate issued the other."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
