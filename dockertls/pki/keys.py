"""Keys and certificates as files: kinds, encryption at rest, fingerprints, and what can be wrong with one."""

from __future__ import annotations

import binascii
import hashlib
import warnings
from contextlib import contextmanager
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.pki import ber
from dockertls.pki.pem import CERTIFICATE, ENCRYPTED, armoured, der, is_hidden, is_whole, pem_blocks, without
from dockertls.pki.profiles import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from dockertls.pki.pem import Block

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

KINDS: Mapping[str, Callable[[], PrivateKey]] = MappingProxyType(
    {
        "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
        "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
        "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    }
)
"""Every kind of key that is made, and what makes it."""

DEFAULT_KIND = "ecdsa-p256"

CURVES: Mapping[str, str] = MappingProxyType({"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"})
"""The curves that Go's TLS knows, by their name in RFC 5480, and as NIST calls them."""

_MOST_ROUNDS = 100_000_000
_MOST_OTHERWISE = 10_000_000
"""Rounds of older ways than PBKDF2, each of which takes five times as long, and the work of scrypt."""

_STRONG_RSA = 2048
LONGEST_RSA = 8192
"""Go refuses to check a signature of a longer key, which would keep it busy."""

GOOD_KEYS = f"ECDSA P-256 to P-521, Ed25519, or RSA of {_STRONG_RSA} to {LONGEST_RSA} bits"
"""The keys that every client of Docker takes."""


def generate(kind: str) -> PrivateKey:
    """Make a new key.

    Args:
        kind: one of `KINDS`.

    Raises:
        Refused: if there is no such kind.
    """
    if kind not in KINDS:
        raise Refused(f'there is no kind of key "{visible(kind)}"', f"take one of {', '.join(KINDS)}")
    return KINDS[kind]()


def kind_of(key: PrivateKey | CertificatePublicKeyTypes) -> str:
    """The kind of a key, as in `KINDS` where it is one of them: `rsa-1024` and `ecdsa-secp256k1` are told as well."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return f"rsa-{key.key_size}"
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return f"ecdsa-{CURVES.get(key.curve.name, key.curve.name)}"
        case _:
            return type(key).__name__.lower().removesuffix("privatekey").removesuffix("publickey")


def weakness(key: object) -> str:
    """What speaks against a public key, for people; empty: it is one of `GOOD_KEYS`."""
    match key:
        case rsa.RSAPublicKey() if key.key_size < _STRONG_RSA:
            return "its key is too short: curl and Python refuse it, others may not"
        case rsa.RSAPublicKey() if key.key_size > LONGEST_RSA:
            return "its key is so long that docker refuses it"
        case rsa.RSAPublicKey() | ed25519.Ed25519PublicKey():
            return ""
        case ec.EllipticCurvePublicKey() if key.curve.name in CURVES:
            return ""
    return "its key is of a kind that docker cannot use"


def public_of(key: PrivateKey | PublicKey) -> PublicKey:
    """The public half of a key."""
    return key.public_key() if isinstance(key, PrivateKey) else key


def key_of(one: x509.Certificate | x509.CertificateSigningRequest) -> CertificatePublicKeyTypes | None:
    """The key that a certificate, or a request for one, is about, of whatever kind; None: it cannot be read."""
    try:
        return one.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def key_kind(certificate: x509.Certificate) -> str:
    """The kind of its key; of one that cannot be read, the identifier of its algorithm."""
    key = key_of(certificate)
    return kind_of(key) if key else certificate.public_key_algorithm_oid.dotted_string


def public_key(certificate: x509.Certificate) -> PublicKey:
    """The key that a certificate is about.

    Raises:
        Refused: if it is none that Docker can use.
    """
    key = key_of(certificate)
    if isinstance(key, PublicKey):
        return key
    raise Refused(f"its key is {key_kind(certificate)}, which docker cannot use", f"take one of {', '.join(KINDS)}")


def as_private(key: PrivateKey | PublicKey) -> PrivateKey | None:
    """The key if it is a private one."""
    return key if isinstance(key, PrivateKey) else None


def private_pem(key: PrivateKey, passphrase: bytes | None = None) -> bytes:
    """PKCS#8 (RFC 5958) in PEM.

    Args:
        key: the key.
        passphrase: encrypts it with AES-256-CBC under 600,000 rounds of PBKDF2-HMAC-SHA256; None: not encrypted.

    Raises:
        Refused: if the passphrase is empty.
    """
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if not passphrase:
        raise Refused("the passphrase is empty", "give one, or ask for a key without (--no-passphrase)")
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    from dockertls.pki import envelope  # noqa: PLC0415 - see there

    return armoured(ENCRYPTED, envelope.encrypted(plain, passphrase))


def kdf_rounds(pem: bytes) -> int:
    """How many rounds of PBKDF2 an encrypted key takes to open.

    Raises:
        Refused: if it is no key that is encrypted by PKCS#8 with PBKDF2.
    """
    block = next((block for block in pem_blocks(pem) if block.label == ENCRYPTED), None)
    rounds = None if block is None else _rounds(block)
    if rounds is None:
        raise Refused(
            "the key is not encrypted with PBKDF2",
            "encrypt it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 600000`",
        )
    return rounds


def is_encrypted(pem: bytes) -> bool:
    """Whether a file holds an encrypted key, by PKCS#8 or in OpenSSL's older way."""
    return any(map(is_hidden, pem_blocks(pem)))


def load_private(
    pem: bytes, passphrase: bytes | None = None, *, name: str = "the key", validate: bool = True
) -> PrivateKey:
    """Read a private key.

    Args:
        pem: the file. A certificate beside the key is left alone.
        passphrase: what opens it; not looked at if it is not encrypted.
        name: what messages call the file.
        validate: whether the numbers of an RSA key are tested, which takes 35 to 254 ms; False for one's own keys.

    Raises:
        Refused: saying what the file is instead.
    """
    return _supported(load_any_private(pem, passphrase, name=name, validate=validate), name)


def load_any_private(
    pem: bytes, passphrase: bytes | None = None, *, name: str = "the key", validate: bool = True
) -> object:
    """As `load_private`, one that Docker cannot use too, such as an X25519PrivateKey."""
    block = _key_block(pem, name)
    if not is_hidden(block):
        return _opened(block, None, _damaged(name), validate=validate)
    if not passphrase:
        hint = "give its passphrase (--passphrase-file), or decrypt it: openssl pkey -in FILE -out FILE.plain"
        raise Refused(f"{name} is encrypted, and there is no passphrase", hint)
    _check_envelope(block, name)
    wrong = Refused(f"the passphrase does not open {name}", "give the passphrase that it was encrypted with")
    return _opened(block, passphrase, wrong, validate=validate)


def sealed_anew(pem: bytes, old: bytes | None, new: bytes | None, *, name: str) -> bytes:
    """The same key under another passphrase; the same bytes if that one opens it already.

    Args:
        pem: the file.
        old: what opens it; not looked at if it is not encrypted.
        new: what shall open it; None: it shall not be encrypted.
        name: what messages call the file.

    Raises:
        Refused: if neither passphrase opens it, or it holds no key.
    """
    if not is_encrypted(pem):
        key = load_private(pem, name=name, validate=False)
        return pem if new is None else private_pem(key, new)
    done = new is not None and not _opens(pem, old) and _opens(pem, new)
    key = load_private(pem, new if done else old, name=name, validate=False)
    return pem if done or old == new else private_pem(key, new)


def _opens(pem: bytes, passphrase: bytes | None) -> bool:
    try:
        return bool(load_private(pem, passphrase, validate=False))
    except Refused:
        return False


def load_certificates(pem: bytes, *, name: str = "the file") -> tuple[x509.Certificate, ...]:
    """Read every certificate of a file, in its order; text around them and a key beside them are left alone.

    Args:
        pem: the file.
        name: what messages call it.

    Raises:
        Refused: if there is none, or one of them cannot be read: docker and OpenSSL would pass over it without a word.
    """
    blocks = pem_blocks(pem)
    found = [block for block in blocks if block.label == CERTIFICATE]
    if not found:
        raise without("certificate", pem, blocks, name)
    if not is_whole(pem, blocks):
        raise Refused(f"{name} is cut off, or a line between two blocks is missing", "copy it again")
    read, faults = _each(found)
    if faults:
        message = "; ".join(fault.message for fault in faults)
        raise Refused(f"{name}: {message}", faults[0].hint, faults=faults)
    return read


def each_certificate(pem: bytes) -> tuple[tuple[x509.Certificate, ...], tuple[Fault, ...]]:
    """The certificates of a file that can be read, and what is wrong with the others."""
    blocks = pem_blocks(pem)
    read, faults = _each([block for block in blocks if block.label == CERTIFICATE])
    if not is_whole(pem, blocks):
        faults = (*faults, Fault("it is cut off, or a line between two blocks is missing", "copy it again"))
    return read, faults


def _each(found: Sequence[Block]) -> tuple[tuple[x509.Certificate, ...], tuple[Fault, ...]]:
    read = [_certificate(block, number) for number, block in enumerate(found, start=1)]
    return tuple(one for one in read if not isinstance(one, Fault)), tuple(
        one for one in read if isinstance(one, Fault)
    )


def certificates_in(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Every certificate of what may be anything; none where `load_certificates` refuses it."""
    try:
        return load_certificates(pem)
    except Refused:
        return ()


def certificate_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    """Certificates as PEM, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as `openssl x509 -fingerprint -sha256` prints it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def key_fingerprint(key: PrivateKey | CertificatePublicKeyTypes) -> str:
    """SHA-256 of a SubjectPublicKeyInfo in hex: the same for a private key and for its public half."""
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def matches(certificate: x509.Certificate, key: PrivateKey | PublicKey) -> bool:
    """Whether a certificate is about this key."""
    return key_of(certificate) == public_of(key)


def is_key_of(pem: bytes, certificate: x509.Certificate) -> bool:
    """Whether what may be anything is the private key of a certificate, and not encrypted."""
    try:
        return matches(certificate, load_private(pem, validate=False))
    except Refused:
        return False


def _key_block(pem: bytes, name: str) -> Block:
    blocks = pem_blocks(pem)
    found = [block for block in blocks if block.label.endswith("PRIVATE KEY") and block.label[:7] != "OPENSSH"]
    if not found:
        raise without("private key", pem, blocks, name)
    if len(found) > 1:
        raise Refused(f"{name} holds {len(found)} keys", "leave the one that belongs to the certificate")
    return found[0]


def _damaged(name: str) -> Refused:
    return Refused(f"{name} is damaged: it cannot be decoded", "copy it again from where it was made")


def _opened(block: Block, passphrase: bytes | None, refusal: Refused, *, validate: bool) -> object:
    try:
        return load_pem_private_key(block.text, passphrase, unsafe_skip_rsa_key_validation=not validate)
    except UnsupportedAlgorithm as error:
        hint = "make a new key: dockertls makes " + ", ".join(KINDS)
        raise Refused(f"the key is of a kind that is not known here: {visible(str(error))}", hint) from error
    except (ValueError, TypeError, InternalError) as error:  # the last of scrypt with numbers that it cannot have
        raise refusal from error


def _supported(key: object, name: str) -> PrivateKey:
    """The key if Go's TLS can use one of its kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in CURVES:
        raise Refused(f"{name} is on the curve {key.curve.name}, which docker cannot use", "make a new key")
    if not isinstance(key, PrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey")
        raise Refused(f"{name} is a key for {kind}, which docker cannot use", f"take one of {', '.join(KINDS)}")
    return key


def _check_envelope(block: Block, name: str) -> None:
    """Tell a damaged file from a wrong passphrase, and do not let a file keep us busy for hours."""
    if block.label != ENCRYPTED:
        return
    try:
        decoded = _der(block)
    except (ValueError, binascii.Error) as error:
        raise _damaged(name) from error
    rounds = _rounds(block)
    if rounds is not None and not 0 < rounds <= _MOST_ROUNDS:
        raise Refused(f"{name} asks for {rounds} rounds of PBKDF2", f"encrypt it again with at most {_MOST_ROUNDS}")
    if rounds is None and (asked := ber.rounds(decoded)) > _MOST_OTHERWISE:
        hint = f"encrypt it again with PBKDF2, or with at most {_MOST_OTHERWISE}"
        raise Refused(f"{name} asks for {asked} rounds of key derivation", hint)


def _der(block: Block) -> bytes:
    """The DER of a block, whose length must be what its head says.

    Raises:
        ValueError: if it is not base64, or is cut off.
    """
    from dockertls.pki import envelope  # noqa: PLC0415 - see there

    decoded = der(block)
    envelope.check(decoded)
    return decoded


def _rounds(block: Block) -> int | None:
    """The rounds of a block; None if it is encrypted in another way, or cannot be read."""
    from dockertls.pki import envelope  # noqa: PLC0415 - see there

    try:
        return envelope.rounds(_der(block))
    except (ValueError, binascii.Error):
        return None


def _certificate(block: Block, number: int) -> x509.Certificate | Fault:
    """The certificate, all of whose names and extensions can be read; or what is wrong with it."""
    try:
        return _certificate_of(block.text)
    except MALFORMED as error:
        reason = visible(str(error)).split(". See")[0]
        return Fault(f"certificate {number} cannot be read: {reason}", "copy it again from where it was made")


@lru_cache(maxsize=256)
def _certificate_of(text: bytes) -> x509.Certificate:
    """Of a block in PEM; many questions are asked of one certificate. Raises one of `MALFORMED`."""
    return readable(partial(x509.load_pem_x509_certificate, text))


def readable(load: Callable[[], x509.Certificate]) -> x509.Certificate:
    """A certificate of which everything can be read. Raises one of `MALFORMED`."""
    with _any_serial():
        certificate = load()
        _ = certificate.subject, certificate.issuer, certificate.extensions
    return certificate


def serial_of(certificate: x509.Certificate) -> int:
    """Its serial number, which need not be positive."""
    with _any_serial():
        return certificate.serial_number


@contextmanager
def _any_serial() -> Iterator[None]:
    """A serial number that is not positive is a finding, not a line on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield
