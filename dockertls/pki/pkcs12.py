"""PKCS#12 (RFC 7292): the files of browsers, Java and Windows, opened and looked into."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InternalError
from cryptography.hazmat.primitives.serialization import pkcs12

from dockertls.errors import Refused
from dockertls.pki import ber
from dockertls.pki.paths import unreadable
from dockertls.pki.profiles import MALFORMED

if TYPE_CHECKING:
    from cryptography import x509

_MOST_ROUNDS = 10_000_000
"""Of all that is encrypted in a file, together: some seconds for each passphrase that is tried."""

_OLD_WAYS = bytes.fromhex("2a864886f70d010c01")
"""How the identifiers of RC2, RC4 and 3DES for PKCS#12 begin (RFC 7292, appendix C): 1.2.840.113549.1.12.1."""


@dataclass(frozen=True)
class Opened:
    """What a PKCS#12 holds.

    Attributes:
        name: what its maker calls it; empty: nothing.
        certificates: in its order, the one with the key first.
        key: the private key; None: there is none.
        damaged: why a certificate cannot be read, one text each.
        protected: whether it takes a passphrase.
    """

    name: str
    certificates: tuple[x509.Certificate, ...]
    key: object | None = field(repr=False)
    damaged: tuple[str, ...]
    protected: bool


def in_old_ways(der: bytes) -> bool:
    """Whether something in it is encrypted as macOS and OpenSSL before 3.0 did it, with RC2 or 3DES."""
    return _OLD_WAYS in der


def opened(der: bytes, passphrase: bytes, *, name: str) -> Opened | None:
    """Open it.

    Args:
        der: the file.
        passphrase: empty where there is none.
        name: what messages call it.

    Returns:
        None: the passphrase does not open it, or it is damaged, which cannot be told apart.

    Raises:
        Refused: if opening it would take too long, or it is encrypted in a way that is not known here.
    """
    refuse_work(ber.rounds(der), name=name)
    try:
        found = _read(der, passphrase)
    except ValueError:
        return None
    except (*MALFORMED, RuntimeError, InternalError) as error:
        raise Refused(f"{name} cannot be read: it is encrypted in a way that is not known here", _again(der)) from error
    held = [one.certificate for one in (found.cert, *found.additional_certs) if one is not None]
    label = found.cert.friendly_name if found.cert else None
    return _looked_into(held, found.key, (label or b"").decode(errors="replace"), protected=bool(passphrase))


def _read(der: bytes, passphrase: bytes) -> pkcs12.PKCS12KeyAndCertificates:
    """What stands in it, which may be BER, as macOS and Mozilla wrote it: to read that is no matter for a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return pkcs12.load_pkcs12(der, passphrase or None)


def refuse_work(asked: int, *, name: str) -> None:
    """Raises Refused if something asks for so many rounds of key derivation that it would take minutes."""
    if asked > _MOST_ROUNDS:
        raise Refused(f"{name} asks for {asked} rounds of key derivation", "make it again: openssl pkcs12 -export")


def not_opened(der: bytes, *, name: str) -> Refused:
    """The error for a passphrase that does not open it."""
    return Refused(f"the passphrase does not open {name}, or it is damaged", _again(der))


def _again(der: bytes) -> str:
    if in_old_ways(der):
        return (
            "give the passphrase that it was made with; if that is right, its RC2 or 3DES is not read here: "
            "openssl pkcs12 -legacy -in FILE -out FILE.pem turns it into PEM"
        )
    return "give the passphrase that it was made with"


def _looked_into(held: list[x509.Certificate], key: object | None, name: str, *, protected: bool) -> Opened:
    reasons = [unreadable(one) for one in held]
    good = tuple(one for one, reason in zip(held, reasons, strict=True) if not reason)
    return Opened(name, good, key, tuple(filter(None, reasons)), protected)
