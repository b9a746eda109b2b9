"""Certificates of one's own, where there are thousands: read in half the time that OpenSSL takes with their keys."""

from __future__ import annotations

import binascii
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.pki.keys import key_kind, readable
from dockertls.pki.profiles import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_LINE, _LAST_LINE = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----"
_RSA = "300d06092a864886f70d0101010500"
_HEADS: Mapping[str, bytes] = MappingProxyType(
    {
        "ecdsa-p256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
        "ecdsa-p384": bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200"),
        "ed25519": bytes.fromhex("302a300506032b6570032100"),
        "rsa-2048": bytes.fromhex(f"30820122{_RSA}0382010f003082010a0282010100"),
        "rsa-3072": bytes.fromhex(f"308201a2{_RSA}0382018f003082018a0282018100"),
        "rsa-4096": bytes.fromhex(f"30820222{_RSA}0382020f003082020a0282020100"),
    }
)
"""How a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) of each kind of `KINDS` begins, in DER."""


def load_quickly(text: bytes) -> tuple[x509.Certificate, str] | None:
    """A certificate and the kind of its key.

    The kind is told by how the key's SubjectPublicKeyInfo begins: whoever may put anything into a certificate may
    deceive it, about the name of a kind.

    Args:
        text: one PEM block, and nothing else.

    Returns:
        None if it cannot be read; `load_certificates` tells why.
    """
    if not text.startswith(_FIRST_LINE):
        return None
    try:
        der = binascii.a2b_base64(b"".join(text[len(_FIRST_LINE) : text.rfind(_LAST_LINE)].split()), strict_mode=True)
        found = readable(partial(x509.load_der_x509_certificate, der))
    except MALFORMED:
        return None
    kind = next((kind for kind, head in _HEADS.items() if head in der), None)
    return found, kind or key_kind(found)
