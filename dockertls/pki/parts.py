"""What a file holds: certificates, keys, requests, lists of revoked certificates and PKCS#12, in PEM or in DER."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from dockertls.errors import Refused
from dockertls.escaping import visible
from dockertls.pki import ber, pkcs12
from dockertls.pki.keys import LONGEST_RSA, is_encrypted, load_any_private, readable
from dockertls.pki.pem import Piece, armoured, pieces
from dockertls.pki.profiles import MALFORMED
from dockertls.pki.requests import load_request
from dockertls.pki.revocation import load_crl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BEGIN = b"-----BEGIN "
_SHOWN = 80
_MOST_TESTED = 10  # RSA keys: to test one of 4096 bits takes a quarter of a second
READS = "inspect reads certificates, keys, requests, revocation lists and PKCS#12, in PEM and in DER"
_UNPACK = "take its certificates out: openssl pkcs7 -print_certs -in FILE -out FILE.pem"
_OF_SSH = "keys of SSH are none of TLS: dockertls client issue NAME makes a key and its certificate"
_SSH_BEGINS = (b"ssh-", b"ecdsa-sha2-", b"---- BEGIN SSH2")
NEXT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "PKCS7": _UNPACK,
        "PKCS #7 SIGNED DATA": _UNPACK,
        "CMS": _UNPACK,
        "OPENSSH PRIVATE KEY": _OF_SSH,
    }
)
"""What to do with what is none of these things, by its label."""
_NOT_LOADED = "docker does not load it: "


@dataclass(frozen=True)
class Key:
    """A private key.

    Attributes:
        syntax: the standard after which it is written.
        key: the key; None: it is encrypted, and not opened.
        encrypted: whether it is encrypted in its file.
        pem: its block; empty if it stands in a PKCS#12.
    """

    syntax: str
    key: object | None = field(repr=False)
    encrypted: bool
    pem: bytes = field(repr=False)


@dataclass(frozen=True)
class Public:
    """A public key."""

    key: object


@dataclass(frozen=True)
class Sealed:
    """A PKCS#12 that the empty passphrase does not open."""

    der: bytes = field(repr=False)


@dataclass(frozen=True)
class Damaged:
    """What cannot be read: what it should be, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Other:
    """What is nothing for TLS, by the label of its block."""

    label: str


Value = (
    x509.Certificate
    | x509.CertificateSigningRequest
    | x509.CertificateRevocationList
    | Key
    | Public
    | pkcs12.Opened
    | Sealed
    | Damaged
    | Other
)


@dataclass(frozen=True)
class Part:
    """One thing in a file.

    Attributes:
        value: the thing.
        form: "PEM" or "DER"; "PKCS#12" of what stands in one.
        fault: why docker passes over it as it stands there; empty: it does not.
    """

    value: Value
    form: str = "PEM"
    fault: str = ""


def parts_in(content: bytes, name: str) -> tuple[Part, ...]:
    """All that a file holds, in its order; what is damaged among it too.

    Args:
        content: of the file.
        name: of the file, for errors.

    Raises:
        Refused: if nothing in it can be read.
    """
    if _BEGIN in content or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        blocks = pieces(content)
        pkcs12.refuse_work(sum(map(_rounds, blocks)), name=name)
        found = _tested([part for piece in blocks for part in _parts(piece, "PEM")])
    else:
        found = _tested(_der_parts(content, name))
    damaged = [part.value for part in found if isinstance(part.value, Damaged)]
    if damaged and len(damaged) == len(found):
        more = f" (and {len(damaged) - 1} more)" if damaged[1:] else ""
        raise Refused(f"{name}: the {damaged[0].what} cannot be read: {damaged[0].reason}{more}", "copy it again")
    if all(isinstance(part.value, Other) for part in found):
        raise Refused(f"{name} {_instead(found, content)}", _next_step(found, content))
    return found


def _instead(others: tuple[Part, ...], content: bytes) -> str:
    """What a file is in which nothing is known."""
    labels = dict.fromkeys(part.value.label for part in others if isinstance(part.value, Other))
    if labels:
        return f'holds "{", ".join(labels)[:_SHOWN]}", which is none of these'
    return "holds no certificate, key, request or revocation list" if content.strip() else "is empty"


def _next_step(others: tuple[Part, ...], content: bytes) -> str:
    if content.startswith(_SSH_BEGINS):
        return _OF_SSH
    labels = (part.value.label for part in others if isinstance(part.value, Other))
    step = next((NEXT_STEPS[label] for label in labels if label in NEXT_STEPS), READS)
    return step.replace("-in FILE", "-inform DER -in FILE") if others and others[0].form == "DER" else step


def is_sealed(part: Part) -> bool:
    """Whether more can be told of it with a passphrase."""
    return isinstance(part.value, Sealed) or (isinstance(part.value, Key) and part.value.key is None)


def opened(parts: tuple[Part, ...], passphrase: bytes, name: str) -> tuple[Part, ...]:
    """The same with all opened that a passphrase opens.

    Raises:
        Refused: if it does not open one of them.
    """
    return tuple(open_one for part in parts for open_one in _opened(part, passphrase, name))


def _opened(part: Part, passphrase: bytes, name: str) -> tuple[Part, ...]:
    match part.value:
        case Key(key=None) as sealed:
            key = load_any_private(sealed.pem, passphrase, name=name)
            return (replace(part, value=replace(sealed, key=key)),)
        case Sealed(der):
            held = pkcs12.opened(der, passphrase, name=name)
            if held is None:
                raise pkcs12.not_opened(der, name=name)
            return _held(held)
    return (part,)


def _der_parts(content: bytes, name: str) -> tuple[Part, ...]:
    """A file of DER: the first of the things that its shape may be of which it is one."""
    labels = ber.labels_of(content)
    if not labels and content.startswith(bytes([ber.SEQUENCE])):
        raise Refused(f"{name} is binary, and none of the things that are known here, or it is cut off", READS)
    if labels == ("PKCS12",):
        return _packed(content, name)
    tried = [_parts(Piece(label, armoured(label, content)), "DER") for label in labels]
    return next((one for one in tried if not isinstance(one[0].value, Damaged)), tried[0] if tried else ())


def _packed(der: bytes, name: str) -> tuple[Part, ...]:
    held = pkcs12.opened(der, b"", name=name)
    return _held(held) if held else (Part(Sealed(der), "DER"),)


def _rounds(piece: Piece) -> int:
    """What it takes to try a PKCS#12 without a passphrase: a file may be full of them. 0: it is none."""
    try:
        return ber.rounds(_der(piece)) if piece.label == "PKCS12" else 0
    except ValueError:
        return 0


def _packed_text(piece: Piece) -> tuple[Part, ...]:
    """The same as GnuTLS's certtool writes it."""
    try:
        der = _der(piece)
    except ValueError as error:
        return (Part(Damaged("PKCS#12", str(error))),)
    if ber.labels_of(der) != ("PKCS12",):
        return (Part(Damaged("PKCS#12", "what stands in it is none")),)
    return _packed(der, "the PKCS#12")


def _held(held: pkcs12.Opened) -> tuple[Part, ...]:
    """What stands in a PKCS#12, after the thing itself."""
    inside: list[Value] = [*held.certificates, *(Damaged("certificate", reason) for reason in held.damaged)]
    if held.key is not None:
        inside.append(Key("PKCS#8", held.key, held.protected, b""))
    return (Part(held, "DER"), *(Part(one, "PKCS#12") for one in inside))


def _parts(piece: Piece, form: str) -> tuple[Part, ...]:
    """What a block is."""
    if piece.label == "PKCS12" and piece.text:
        return _packed_text(piece)
    if piece.label not in READERS:
        return (Part(Other(piece.label[:_SHOWN]), form),)
    what, load = READERS[piece.label]
    if not piece.text:
        return (Part(Damaged(what, piece.fault), form),)
    try:
        value = load(piece)
    except Refused as error:
        value = Damaged(what, error.message.removeprefix("it cannot be read: ").removeprefix("it is damaged: "))
    except MALFORMED as error:
        value = Damaged(what, visible(str(error)).split(". See")[0])
    fault = piece.fault or _FAULTS.get(piece.label, "")
    return (Part(value, form, f"{_NOT_LOADED}{fault}" if fault else ""),)


def _certificate(piece: Piece) -> x509.Certificate:
    return readable(partial(x509.load_pem_x509_certificate, piece.text))


def _trusted(piece: Piece) -> x509.Certificate:
    """What OpenSSL alone reads: a certificate, and after it what it is trusted for."""
    return readable(partial(x509.load_der_x509_certificate, ber.first_value(_der(piece))))


def _der(piece: Piece) -> bytes:
    """What a block holds, as far as it is base64."""
    return base64.b64decode(piece.text.partition(b"\n")[2].partition(b"-----END")[0] + b"==")


def _request(piece: Piece) -> x509.CertificateSigningRequest:
    return load_request(piece.text, name="it")


def _list(piece: Piece) -> x509.CertificateRevocationList:
    return load_crl(piece.text, "it")


def _key(piece: Piece) -> Key:
    """A private key; the numbers of an RSA key are not tested yet."""
    pem = piece.text + b"\n"
    hidden = is_encrypted(pem)
    key = None if hidden else load_any_private(pem, name="it", validate=False)
    return Key(_SYNTAXES[piece.label], key, hidden, pem)


def _tested(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The same, the first RSA keys tested: a file full of them, or of long ones, must not keep us busy for minutes."""
    wanted = [number for number, part in enumerate(parts) if _is_testable(part.value)][:_MOST_TESTED]
    return tuple(_sound(part) if number in wanted else part for number, part in enumerate(parts))


def _is_testable(value: Value) -> bool:
    return isinstance(value, Key) and isinstance(value.key, rsa.RSAPrivateKey) and value.key.key_size <= LONGEST_RSA


def _sound(part: Part) -> Part:
    """A key whose numbers fit together, or what is damaged."""
    try:
        load_any_private(part.value.pem if isinstance(part.value, Key) else b"", name="it")
    except Refused:
        return replace(part, value=Damaged("private key", "its numbers do not fit together"))
    return part


def _public(piece: Piece) -> Public:
    return Public(load_pem_public_key(piece.text))


READERS: Mapping[str, tuple[str, Callable[[Piece], Value]]] = MappingProxyType(
    {
        "CERTIFICATE": ("certificate", _certificate),
        "X509 CERTIFICATE": ("certificate", _certificate),
        "TRUSTED CERTIFICATE": ("certificate", _trusted),
        "CERTIFICATE REQUEST": ("request", _request),
        "NEW CERTIFICATE REQUEST": ("request", _request),
        "X509 CRL": ("revocation list", _list),
        "PRIVATE KEY": ("private key", _key),
        "RSA PRIVATE KEY": ("private key", _key),
        "EC PRIVATE KEY": ("private key", _key),
        "DSA PRIVATE KEY": ("private key", _key),
        "ENCRYPTED PRIVATE KEY": ("private key", _key),
        "PUBLIC KEY": ("public key", _public),
        "RSA PUBLIC KEY": ("public key", _public),
    }
)
"""What reads a block, by its label (RFC 7468), and what it reads."""

_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "X509 CERTIFICATE": "its lines must say CERTIFICATE",
        "TRUSTED CERTIFICATE": "it is in a form that only OpenSSL reads: openssl x509 -in FILE -out FILE.pem",
    }
)

_SYNTAXES: Mapping[str, str] = MappingProxyType(
    {
        "PRIVATE KEY": "PKCS#8",
        "ENCRYPTED PRIVATE KEY": "PKCS#8",
        "RSA PRIVATE KEY": "PKCS#1",
        "EC PRIVATE KEY": "SEC1",
        "DSA PRIVATE KEY": "OpenSSL's own",
    }
)
