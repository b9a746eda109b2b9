"""The envelope of a key at rest (RFC 5958 and 8018): how it is sealed, and how much work it takes to open.

Apart from `keys`, which imports it only for a key that is encrypted: it takes a while to load.
"""

from __future__ import annotations

import secrets

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ROUNDS = 600_000
"""Of PBKDF2-HMAC-SHA256 for a key at rest: 0.2 s for us, and as long for each guess of a thief."""

_SALT_BYTES = 16
_AES_KEY_BYTES = 32

_PBES2 = x509.ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2 = x509.ObjectIdentifier("1.2.840.113549.1.5.12")
_HMAC_SHA256 = x509.ObjectIdentifier("1.2.840.113549.2.9")
_AES256_CBC = x509.ObjectIdentifier("2.16.840.1.101.3.4.1.42")


@asn1.sequence
class _Prf:
    oid: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Pbkdf2:
    """PBKDF2-params (RFC 8018, appendix A.2), with the salt in place."""

    salt: bytes
    rounds: int
    key_length: int | None
    prf: _Prf | None


@asn1.sequence
class _Derivation:
    oid: x509.ObjectIdentifier
    parameters: _Pbkdf2


@asn1.sequence
class _Encryption:
    oid: x509.ObjectIdentifier
    iv: bytes


@asn1.sequence
class _Pbes2:
    """PBES2-params (RFC 8018, appendix A.4)."""

    derivation: _Derivation
    encryption: _Encryption


@asn1.sequence
class _Scheme:
    oid: x509.ObjectIdentifier
    parameters: _Pbes2


@asn1.sequence
class EncryptedPrivateKeyInfo:
    """RFC 5958, section 3."""

    scheme: _Scheme
    data: bytes


def encrypted(plain: bytes, passphrase: bytes) -> bytes:
    """The DER of a PKCS#8 key, encrypted with AES-256-CBC under `ROUNDS` of PBKDF2: PBES2 (RFC 8018, section 6.2)."""
    salt, iv = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(algorithms.AES.block_size // 8)
    # Not hashlib's: that of the system's OpenSSL takes nearly twice as long.
    derived = PBKDF2HMAC(hashes.SHA256(), _AES_KEY_BYTES, salt, ROUNDS).derive(passphrase)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    cipher = Cipher(algorithms.AES(derived), modes.CBC(iv)).encryptor()
    data = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    prf = _Prf(oid=_HMAC_SHA256, parameters=asn1.Null())
    parameters = _Pbkdf2(salt=salt, rounds=ROUNDS, key_length=None, prf=prf)
    scheme = _Pbes2(
        derivation=_Derivation(oid=_PBKDF2, parameters=parameters),
        encryption=_Encryption(oid=_AES256_CBC, iv=iv),
    )
    return asn1.encode_der(EncryptedPrivateKeyInfo(scheme=_Scheme(oid=_PBES2, parameters=scheme), data=data))


def check(der: bytes) -> None:
    """Raises ValueError if the length of some DER is not what its head says."""
    asn1.decode_der(asn1.TLV, der)


def rounds(der: bytes) -> int | None:
    """The rounds of PBKDF2 that an envelope asks for; None: another way to derive its key.

    Raises:
        ValueError: if it cannot be read.
    """
    derivation = asn1.decode_der(EncryptedPrivateKeyInfo, der).scheme.parameters.derivation
    return derivation.parameters.rounds if derivation.oid == _PBKDF2 else None
