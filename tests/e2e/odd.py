"""Certificates that are wrong in one thing: TABLES of how they differ from good ones, to be put together at will."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.pki.keys import generate
from dockertls.pki.names import parse_names
from tests.unit.pki.by_hand import (
    DAY,
    LEAF_KEY,
    MIDDLE,
    NOW,
    ROOT,
    ROOT_KEY,
    SERVER_LEAF,
    SERVES,
    SIGNS,
    ByHand,
    Extensions,
    identifier,
    issuer_identifier,
    limits,
    subject,
    uses,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

WEB = ("web1.example", "10.0.0.5")
"""What a good server of these is called."""
OTHER_KEY = generate("ecdsa-p256")
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0")
BASIC, NAMED = (limits(ca=False), SERVES), (x509.SubjectAlternativeName(parse_names(WEB)), False)
GOOD = (*BASIC, NAMED, uses(Eku.SERVER_AUTH))


@cache
def odd_key(kind: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if kind == "p224":
        return ec.generate_private_key(ec.SECP224R1())
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - a weak key is the case


def constrained(*, permitted: Sequence[x509.GeneralName] = (), excluded: Sequence[x509.GeneralName] = ()) -> Extensions:
    return ((x509.NameConstraints(permitted or None, excluded or None), True),)


DOMAIN, OTHER_DOMAIN, BELOW = (x509.DNSName(text) for text in ("example", "other", ".web1.example"))
NETWORK, OTHER_NETWORK = (x509.IPAddress(ip_network(text)) for text in ("10.0.0.0/8", "192.168.0.0/16"))
MAPPED_NETWORK, MAPPED = x509.IPAddress(ip_network("::ffff:a00:0/104")), x509.IPAddress(ip_address("::ffff:a00:5"))
INFORMATION = x509.AuthorityInformationAccess(
    [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://a"))]
)
AUTHORITIES: dict[str, dict[str, Any]] = {
    "good": {},
    "no basicConstraints": {"extensions": (SIGNS, identifier(ROOT_KEY))},
    "CA:FALSE": {"extensions": (limits(ca=False), SIGNS)},
    "no keyCertSign": {"extensions": (limits(), SERVES)},
    "no keyUsage": {"extensions": (limits(),)},
    "no identifier": {"extensions": (limits(), SIGNS)},
    "not critical": {"extensions": ((x509.BasicConstraints(ca=True, path_length=None), False), SIGNS)},
    "path length 0": {"extensions": (limits(path_length=0), SIGNS)},
    "path length 1": {"extensions": (limits(path_length=1), SIGNS)},
    "for servers": {"extensions": (limits(), SIGNS, uses(Eku.SERVER_AUTH))},
    "for clients": {"extensions": (limits(), SIGNS, uses(Eku.CLIENT_AUTH))},
    "for any use": {"extensions": (limits(), SIGNS, uses(Eku.ANY_EXTENDED_KEY_USAGE))},
    "for mail": {"extensions": (limits(), SIGNS, uses(Eku.EMAIL_PROTECTION))},
    "unknown critical extension": {"extensions": (limits(), SIGNS, (UNKNOWN, True))},
    "unknown extension": {"extensions": (limits(), SIGNS, (UNKNOWN, False))},
    "ended": {"start": NOW - 9 * DAY, "end": NOW - DAY},
    "not begun": {"start": NOW + DAY},
    "permits the domain": {"extensions": (limits(), SIGNS, *constrained(permitted=[DOMAIN]))},
    "permits another domain": {"extensions": (limits(), SIGNS, *constrained(permitted=[OTHER_DOMAIN]))},
    "permits what is below": {"extensions": (limits(), SIGNS, *constrained(permitted=[BELOW]))},
    "permits domain and network": {"extensions": (limits(), SIGNS, *constrained(permitted=[DOMAIN, NETWORK]))},
    "permits another network": {"extensions": (limits(), SIGNS, *constrained(permitted=[DOMAIN, OTHER_NETWORK]))},
    "excludes the domain": {"extensions": (limits(), SIGNS, *constrained(excluded=[DOMAIN]))},
    "excludes the network": {"extensions": (limits(), SIGNS, *constrained(excluded=[NETWORK]))},
    "excludes others": {"extensions": (limits(), SIGNS, *constrained(excluded=[OTHER_DOMAIN, OTHER_NETWORK]))},
    "limits, but not critically": {
        "extensions": (limits(), SIGNS, (constrained(permitted=[OTHER_DOMAIN])[0][0], False))
    },
    "permits no host that could be": {"extensions": (limits(), SIGNS, *constrained(permitted=[x509.DNSName("a b")]))},
    "permits everything": {"extensions": (limits(), SIGNS, *constrained(permitted=[x509.DNSName("")]))},
    "permits an address in another's form": {"extensions": (limits(), SIGNS, *constrained(permitted=[MAPPED_NETWORK]))},
    "identifier critical": {"extensions": (limits(), SIGNS, (identifier(ROOT_KEY)[0], True))},
    "its issuer's identifier critical": {"extensions": (limits(), SIGNS, (issuer_identifier(ROOT_KEY)[0], True))},
    "limits directories": {
        "extensions": (limits(), SIGNS, *constrained(permitted=[x509.DirectoryName(subject("root"))]))
    },
}
"""Roots, and authorities below a root, by how they differ from a good one."""

LEAVES: dict[str, dict[str, Any]] = {
    "good": {},
    "no names": {"extensions": (*BASIC, uses(Eku.SERVER_AUTH))},
    "address as a host": {
        "extensions": (*BASIC, (x509.SubjectAlternativeName([x509.DNSName(text) for text in WEB]), False))
    },
    "another name": {"extensions": (*BASIC, (x509.SubjectAlternativeName([x509.DNSName("web2.example")]), False))},
    "names critical": {"subject": subject(), "extensions": (*BASIC, (NAMED[0], True), uses(Eku.SERVER_AUTH))},
    "nothing at all": {"subject": subject(), "extensions": ()},
    "no use": {"extensions": (*BASIC, NAMED)},
    "for clients": {"extensions": (*BASIC, NAMED, uses(Eku.CLIENT_AUTH))},
    "for both": {"extensions": (*BASIC, NAMED, uses(Eku.SERVER_AUTH, Eku.CLIENT_AUTH))},
    "for any use": {"extensions": (*BASIC, NAMED, uses(Eku.ANY_EXTENDED_KEY_USAGE))},
    "for mail": {"extensions": (*BASIC, NAMED, uses(Eku.EMAIL_PROTECTION))},
    "unknown critical extension": {"extensions": (*GOOD, (UNKNOWN, True))},
    "unknown extension": {"extensions": (*GOOD, (UNKNOWN, False))},
    "an authority": {"extensions": (limits(), SIGNS, NAMED, uses(Eku.SERVER_AUTH))},
    "no digitalSignature": {"extensions": (limits(ca=False), SIGNS, NAMED)},
    "identifier critical": {"extensions": (*GOOD, (identifier(LEAF_KEY)[0], True))},
    "its issuer's identifier critical": {"extensions": (*BASIC, NAMED, (issuer_identifier(ROOT_KEY)[0], True))},
    "issuer's address": {"extensions": (*BASIC, NAMED, (INFORMATION, False))},
    "issuer's address critical": {"extensions": (*BASIC, NAMED, (INFORMATION, True))},
    "limits of its own": {"extensions": (*BASIC, NAMED, *constrained(permitted=[OTHER_DOMAIN]))},
    "address in another's form": {
        "extensions": (*BASIC, (x509.SubjectAlternativeName([x509.DNSName(WEB[0]), MAPPED]), False))
    },
    "issuer by a wrong key": {"extensions": (*BASIC, NAMED, issuer_identifier(OTHER_KEY))},
    "signed by somebody else": {"signer": OTHER_KEY},
    "self-signed": {"issuer": SERVER_LEAF.subject, "signer": LEAF_KEY},
    "named like its authority": {"subject": ROOT.subject},
    "of another authority": {"issuer": subject("other"), "signer": OTHER_KEY},
    "ended": {"end": NOW - timedelta(seconds=1)},
    "ends now": {"end": NOW},
    "begins now": {"start": NOW},
    "not begun": {"start": NOW + timedelta(seconds=1)},
    "RSA of 1,024 bits": {"key": odd_key("rsa")},
    "P-224": {"key": odd_key("p224")},
}
"""Leaves, by how they differ from a good server's."""


@cache
def root(what: str) -> x509.Certificate:
    return replace(ROOT, **AUTHORITIES[what]).certificate


@cache
def below(what: str) -> x509.Certificate:
    return replace(MIDDLE, **AUTHORITIES[what]).certificate


@cache
def leaf(what: str, issuer: ByHand = ROOT) -> x509.Certificate:
    good = replace(SERVER_LEAF, issuer=issuer.subject, signer=issuer.key, extensions=GOOD)
    return replace(good, **LEAVES[what]).certificate
