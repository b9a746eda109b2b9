"""What is to be known of a private key by those who judge it and need not have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.errors import DockerTLSError, Fault
from dockertls.escaping import visible
from dockertls.pki.keys import is_encrypted, key_fingerprint, key_of, load_private

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True)
class HeldKey:
    """A file that should hold a private key.

    Attributes:
        digest: SHA-256 of its public half's SubjectPublicKeyInfo, in hex; empty: it cannot be used.
        encrypted: it is, so Docker cannot read it.
        fault: why else it cannot be used.
    """

    digest: str = ""
    encrypted: bool = False
    fault: Fault | None = None

    @classmethod
    def of(cls, pem: bytes, name: str, *, validate: bool = True) -> HeldKey:
        """What a file holds.

        Args:
            pem: the file.
            name: what messages call it.
            validate: as of `load_private`.
        """
        if is_encrypted(pem):
            return cls(encrypted=True)
        try:
            return cls(key_fingerprint(load_private(pem, name=name, validate=validate)))
        except DockerTLSError as error:
            return cls(fault=Fault(visible(error.message), error.hint))

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether it is the key of a certificate."""
        key = key_of(certificate)
        return key is not None and self.digest == key_fingerprint(key)
