"""Request + key + issuer + clock + serial -> a certificate as RFC 5280 and every client of Docker want it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from dockertls.errors import Fault, refuse
from dockertls.escaping import visible
from dockertls.pki.constraints import limits_hosts, outside
from dockertls.pki.keys import PrivateKey, PublicKey, as_private, matches, public_of
from dockertls.pki.profiles import BACKDATE, extension, may_sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dockertls.pki.profiles import Profile

SERIAL_BITS = 159
"""A positive INTEGER of at most 20 octets (RFC 5280, section 4.1.2.2)."""

PUT_IN_ITS_PLACE = "if this machine's clock is right, put a new one in its place: dockertls ca rotate --compromised"
"""What to do about an authority that has ended: nobody believes it any more, so there is nobody to wait for."""

_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        profile: its kind.
        common_name: of the subject; left out of a certificate with names if it is longer than 64 bytes.
        names: subject alternative names.
        lifetime: from now on; None: what the profile says. Never beyond the issuer's end.
        limits: what an authority may issue for; None: anything.
    """

    profile: Profile
    common_name: str
    names: tuple[x509.GeneralName, ...] = ()
    lifetime: timedelta | None = None
    limits: x509.NameConstraints | None = None


@dataclass(frozen=True)
class Issued:
    """A certificate and what belongs to it.

    Attributes:
        certificate: the certificate.
        chain: what is sent after it: intermediate authorities, the nearest first, never the root; of who issues, all
            that is above it, the root too: their limits bind what is issued.
        key: its private key; None where only its holder has it.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    key: PrivateKey | None = field(default=None, repr=False)


def issue(
    request: Request, key: PrivateKey | PublicKey, issuer: Issued | None, *, now: datetime, serial: int
) -> Issued:
    """Make a certificate.

    Args:
        request: what is asked for.
        key: the subject's; a public key is enough but for a self-signed authority.
        issuer: who signs; None: the authority signs itself.
        now: with a time zone.
        serial: 1 to 2**159 - 1, at random.

    Raises:
        Refused: with everything that speaks against it: request, serial, issuer.
    """
    signer = as_private(key) if issuer is None else issuer.key
    faults = (*_request_faults(request, serial), *_issuer_faults(request, issuer, now), *_signer_faults(signer))
    refuse(f'{request.profile.name} certificate for "{visible(request.common_name)}"', faults)
    builder = _builder(request, public_of(key), issuer, now, serial)
    return Issued(_signed(builder, signer), _chain(issuer), as_private(key))


def ca_name(now: datetime, tag: str) -> str:
    """The common name of a new authority, like no other's: two of one name could not be told apart.

    Args:
        now: the day is part of it.
        tag: a few random characters, such as `a1b2c3d4`.
    """
    return f"dockertls CA {now:%Y-%m-%d} {tag}"


def subject_name(request: Request) -> x509.Name:
    """The subject that a request is for: its common name, nothing where that is too long."""
    if _too_long(request.common_name):
        return x509.Name(())
    return x509.Name((x509.NameAttribute(NameOID.COMMON_NAME, request.common_name),))


def digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that a key signs with; None for Ed25519, which has its own (RFC 8410)."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return None
        case ec.EllipticCurvePrivateKey() if key.curve.key_size > hashes.SHA384.digest_size * 8:
            return hashes.SHA512()
        case ec.EllipticCurvePrivateKey() if key.curve.key_size > hashes.SHA256.digest_size * 8:
            return hashes.SHA384()
        case ec.EllipticCurvePrivateKey() | rsa.RSAPrivateKey():
            return hashes.SHA256()


def _builder(
    request: Request, key: PublicKey, issuer: Issued | None, now: datetime, serial: int
) -> x509.CertificateBuilder:
    authority = None if issuer is None else issuer.certificate
    subject = _subject(request, issuer)
    start, end = _validity(request, authority, now)
    signer = subject if authority is None else authority.subject
    builder = x509.CertificateBuilder(signer, subject, key, serial, start, end)
    for value, critical in _extensions(request, key, authority, named=bool(subject.rdns)):
        builder = builder.add_extension(value, critical=critical)
    return builder


def _extensions(
    request: Request, key: PublicKey, issuer: x509.Certificate | None, *, named: bool
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Every extension, and whether it is critical: names are where they alone say whose certificate it is."""
    profile = request.profile
    yield x509.BasicConstraints(profile.is_ca, profile.path_length), True
    yield profile.usage, True
    if profile.purposes:
        yield x509.ExtendedKeyUsage([purpose.oid for purpose in profile.purposes]), False
    if request.names:
        yield x509.SubjectAlternativeName(request.names), not named
    if request.limits is not None:
        yield request.limits, True
    yield x509.SubjectKeyIdentifier.from_public_key(key), False
    if issuer is not None:
        yield authority_identifier(issuer), False


def _subject(request: Request, issuer: Issued | None) -> x509.Name:
    """The common name; nothing where it does not fit, or would make the certificate look self-signed.

    Nor where OpenSSL and GnuTLS would take it for a host that its authority must not issue for.
    """
    name = subject_name(request)
    if issuer is None:
        return name
    hosts = any(isinstance(one, x509.DNSName) for one in request.names)
    mistaken = bool(request.names) and not hosts and limits_hosts(_above(issuer))
    return x509.Name(()) if mistaken or name == issuer.certificate.subject else name


def _above(issuer: Issued) -> tuple[x509.Certificate, ...]:
    """Every authority whose limits bind what is issued."""
    return (issuer.certificate, *issuer.chain)


def _validity(request: Request, issuer: x509.Certificate | None, now: datetime) -> tuple[datetime, datetime]:
    moment = now.replace(microsecond=0)
    start, end = moment - BACKDATE, moment + _lifetime(request)
    if issuer is None:
        return start, end
    return max(start, issuer.not_valid_before_utc), min(end, issuer.not_valid_after_utc)


def authority_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The issuer's own name for its key where it has one: it need not be the usual hash."""
    identifier = extension(issuer, x509.SubjectKeyIdentifier)
    if identifier is not None:
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(cast("PublicKey", issuer.public_key()))


def _chain(issuer: Issued | None) -> tuple[x509.Certificate, ...]:
    if issuer is None or issuer.certificate.subject == issuer.certificate.issuer:
        return ()
    return tuple(one for one in _above(issuer) if one.subject != one.issuer)


def _lifetime(request: Request) -> timedelta:
    return request.profile.lifetime if request.lifetime is None else request.lifetime


def _too_long(common_name: str) -> bool:
    return len(common_name.encode()) > _LONGEST_COMMON_NAME


def _request_faults(request: Request, serial: int) -> Iterator[Fault]:
    profile, lifetime = request.profile, _lifetime(request)
    if not 0 < serial < 1 << SERIAL_BITS:
        yield Fault("the serial number is not between 1 and 2**159 - 1", "take 159 random bits")
    if not timedelta(seconds=1) <= lifetime <= profile.longest:
        yield Fault(
            f"a life of {lifetime.days} days is not between 1 and {profile.longest.days}",
            f"give --days {profile.lifetime.days}, or leave it out",
        )
    if not request.common_name:
        yield Fault("the common name is empty", "give a name")
    if not request.common_name.isprintable():
        yield Fault("the common name has control characters", "leave them out")
    if request.limits is not None and not profile.is_ca:
        yield Fault("only an authority can be limited in what it issues for", "leave the limits out")
    if profile.needs_names and not request.names:
        yield Fault("it has no names, and no client would accept it", "give the hosts and addresses it is called by")
    if _too_long(request.common_name) and not request.names:
        size = len(request.common_name.encode())
        yield Fault(f"the common name takes {size} bytes", f"take one of at most {_LONGEST_COMMON_NAME}")


def _signed(builder: x509.CertificateBuilder, signer: PrivateKey | None) -> x509.Certificate:
    key = cast("PrivateKey", signer)  # that there is one was asked first
    return builder.sign(key, digest(key))


def _signer_faults(signer: PrivateKey | None) -> Iterator[Fault]:
    if signer is None:
        yield Fault("the private key that signs it is not here", "sign where it is, with a certificate request")


def _issuer_faults(request: Request, issuer: Issued | None, now: datetime) -> Iterator[Fault]:
    if issuer is None:
        if not request.profile.is_ca:
            yield Fault("there is no authority to sign it", "make one: dockertls ca init")
        return
    authority = issuer.certificate
    yield from _authority_faults(authority, now)
    if issuer.key is not None and not matches(authority, issuer.key):
        yield Fault("the authority's key is not that of its certificate", "give the two that belong together")
    constraints = extension(authority, x509.BasicConstraints)
    if request.profile.is_ca and constraints is not None and constraints.path_length == 0:
        yield Fault("the authority may sign no other one (path length 0)", "make a root: leave the issuer out")
    if request.common_name and not request.names and subject_name(request) == authority.subject:
        yield Fault("it would have the name of its authority", "take another name")
    yield from outside(request.names, _above(issuer))


def _authority_faults(authority: x509.Certificate, now: datetime) -> Iterator[Fault]:
    start, end = authority.not_valid_before_utc, authority.not_valid_after_utc
    if now < start:
        yield Fault(f"the authority is not valid before {start:%Y-%m-%dT%H:%M:%SZ}", "set this machine's clock")
    if now > end:
        yield Fault(f"the authority has ended at {end:%Y-%m-%dT%H:%M:%SZ}", PUT_IN_ITS_PLACE)
    if not may_sign(authority):
        yield Fault("the issuer's certificate is not that of an authority", "give one with CA:TRUE and keyCertSign")
    if not authority.subject.rdns:
        yield Fault("the authority's certificate has no subject", "make a new one: dockertls ca init")
