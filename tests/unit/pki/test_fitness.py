"""What certificates, keys, requests and lists are good for, and what is wrong with each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.findings import Failed, Finding
from dockertls.pki.fitness import (
    Role,
    judge_asked,
    judge_certificate,
    judge_key,
    judge_list,
    judge_path,
    role_of,
)
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import generate
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER
from tests.unit.pki.by_hand import (
    CLIENT_LEAF,
    DAY,
    LEAF_KEY,
    MIDDLE,
    MIDDLE_KEY,
    NOW,
    ROOT,
    ROOT_KEY,
    SERVER_LEAF,
    SERVES,
    ByHand,
    identifier,
    issuer_identifier,
    limits,
    subject,
    uses,
)

NAMES = (x509.SubjectAlternativeName([x509.DNSName("web1")]), False)


def without(made: ByHand, kind: type[x509.ExtensionType]) -> ByHand:
    return replace(made, extensions=tuple(one for one in made.extensions if not isinstance(one[0], kind)))


def changed(made: ByHand, *extensions: tuple[x509.ExtensionType, bool]) -> ByHand:
    """The same with these extensions in place of those of their kinds."""
    kinds = tuple(type(value) for value, _ in extensions)
    kept = (one for one in made.extensions if not isinstance(one[0], kinds))
    return replace(made, extensions=(*kept, *extensions))


def told(found: tuple[Finding, ...]) -> set[str]:
    """What failed and, in brackets, what warns."""
    return {one.id if isinstance(one.verdict, Failed) else f"({one.id})" for one in found}


def test_what_is_issued_here_has_no_fault() -> None:
    root = issue(Request(CA, "root"), ROOT_KEY, None, now=NOW, serial=1)
    server = issue(Request(SERVER, "web1", parse_names(["web1", "10.0.0.5"])), LEAF_KEY, root, now=NOW, serial=2)
    client = issue(Request(CLIENT, "ann"), LEAF_KEY, root, now=NOW, serial=3)
    for issued, role in ((root, Role.AUTHORITY), (server, Role.SERVER), (client, Role.CLIENT)):
        assert role_of(issued.certificate) is role
        assert judge_certificate(issued.certificate, role, now=NOW) == ()
    assert judge_path((server.certificate, root.certificate)) == ()
    assert judge_certificate(server.certificate, Role.SERVER, now=NOW, hosts=("10.0.0.5",)) == ()


@pytest.mark.parametrize(
    ("extensions", "role"),
    [
        ((uses(Eku.SERVER_AUTH),), Role.SERVER),
        ((uses(Eku.CLIENT_AUTH),), Role.CLIENT),
        ((uses(Eku.CLIENT_AUTH, Eku.SERVER_AUTH),), Role.BOTH),
        ((uses(Eku.ANY_EXTENDED_KEY_USAGE),), Role.ANY),
        ((), Role.ANY),
        ((uses(Eku.EMAIL_PROTECTION),), Role.NOTHING),
        ((limits(), uses(Eku.SERVER_AUTH)), Role.AUTHORITY),
        ((limits(ca=False), (CA.usage, True)), Role.ANY),
        (((CA.usage, True),), Role.AUTHORITY),
    ],
)
def test_roles(extensions: tuple[tuple[x509.ExtensionType, bool], ...], role: Role) -> None:
    assert role_of(replace(SERVER_LEAF, extensions=extensions).certificate) is role


CRL_ALONE = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=False, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it shall be weak
CURVE = ec.generate_private_key(ec.SECP256K1())
LEAVES: dict[str, tuple[ByHand, set[str]]] = {
    "good server": (SERVER_LEAF, set()),
    "good client": (CLIENT_LEAF, set()),
    "expired": (replace(SERVER_LEAF, start=NOW - 9 * DAY, end=NOW - DAY), {"expiry"}),
    "not yet valid": (replace(SERVER_LEAF, start=NOW + DAY), {"expiry"}),
    "ends within a week": (replace(SERVER_LEAF, end=NOW + 5 * DAY), {"(expiry)"}),
    "both sides": (changed(SERVER_LEAF, uses(Eku.SERVER_AUTH, Eku.CLIENT_AUTH)), {"(purpose)"}),
    "any side": (without(SERVER_LEAF, x509.ExtendedKeyUsage), {"(purpose)"}),
    "any side, no names": (without(CLIENT_LEAF, x509.ExtendedKeyUsage), {"(purpose)"}),
    "for e-mail": (changed(SERVER_LEAF, uses(Eku.EMAIL_PROTECTION)), {"purpose"}),
    "no names": (without(SERVER_LEAF, x509.SubjectAlternativeName), {"name"}),
    "address as name": (
        changed(SERVER_LEAF, (x509.SubjectAlternativeName([x509.DNSName("10.0.0.5")]), False)),
        {"(name)"},
    ),
    "dot at the end": (changed(SERVER_LEAF, (x509.SubjectAlternativeName([x509.DNSName("a.b.")]), False)), {"(name)"}),
    "no issuer's identifier": (without(SERVER_LEAF, x509.AuthorityKeyIdentifier), {"(form)"}),
    "unknown critical extension": (changed(SERVER_LEAF, UNKNOWN), {"form"}),
    "weak key": (replace(SERVER_LEAF, key=WEAK), {"key-strength"}),
    "key that docker cannot use": (replace(SERVER_LEAF, key=CURVE), {"key-strength"}),
    "no digitalSignature": (changed(SERVER_LEAF, (CRL_ALONE, True)), {"(purpose)"}),
    "signs, and is not marked": (
        without(changed(SERVER_LEAF, (CA.usage, True)), x509.BasicConstraints),
        {"form", "(form)", "(purpose)"},
    ),
}


@pytest.mark.parametrize("way", LEAVES)
def test_faults_of_leaves(way: str) -> None:
    made, expected = LEAVES[way]
    certificate = made.certificate
    assert told(judge_certificate(certificate, role_of(certificate), now=NOW)) == expected


def test_a_signature_with_sha1_is_a_fault_of_a_leaf_and_not_of_a_root() -> None:
    builder = x509.CertificateBuilder(
        subject("root"), subject("root"), ROOT_KEY.public_key(), 7, NOW - DAY, NOW + 99 * DAY
    )
    for value, critical in ROOT.extensions:
        builder = builder.add_extension(value, critical=critical)
    certificate = builder.sign(ROOT_KEY, hashes.SHA224())
    assert told(judge_certificate(certificate, Role.AUTHORITY, now=NOW)) == set()
    assert "signature" in told(judge_certificate(certificate, Role.SERVER, now=NOW))


AUTHORITIES: dict[str, tuple[ByHand, set[str]]] = {
    "good root": (ROOT, set()),
    "good intermediate": (MIDDLE, set()),
    "expired": (replace(ROOT, start=NOW - 9 * DAY, end=NOW - DAY), {"expiry"}),
    "no keyUsage": (without(ROOT, x509.KeyUsage), {"(form)"}),
    "no subject's identifier": (without(ROOT, x509.SubjectKeyIdentifier), {"(form)"}),
    "basicConstraints not critical": (changed(ROOT, (limits()[0], False)), {"(form)"}),
    "no basicConstraints": (without(ROOT, x509.BasicConstraints), {"form"}),
    "may not sign": (changed(ROOT, SERVES), {"form"}),
    "no issuer's identifier": (without(MIDDLE, x509.AuthorityKeyIdentifier), {"(form)"}),
    "limited to servers": (changed(MIDDLE, uses(Eku.SERVER_AUTH)), {"(purpose)"}),
    "limited to e-mail": (changed(MIDDLE, uses(Eku.EMAIL_PROTECTION)), {"purpose"}),
    "weak key": (replace(ROOT, key=WEAK), {"key-strength"}),
    "a leaf": (SERVER_LEAF, {"form", "(form)", "(purpose)"}),
}


@pytest.mark.parametrize("way", AUTHORITIES)
def test_faults_of_authorities(way: str) -> None:
    made, expected = AUTHORITIES[way]
    found = judge_certificate(made.certificate, Role.AUTHORITY, now=NOW)
    assert told(found) == expected
    assert not any("renew" in str(one.verdict) for one in found), "an authority is not renewed"


def test_a_certificate_is_judged_for_another_purpose_and_by_the_name_that_is_used() -> None:
    server, client = SERVER_LEAF.certificate, CLIENT_LEAF.certificate
    assert told(judge_certificate(server, Role.CLIENT, now=NOW)) == {"purpose"}
    assert told(judge_certificate(client, Role.SERVER, now=NOW)) == {"purpose", "name"}
    assert told(judge_certificate(server, Role.SERVER, now=NOW, hosts=("web9",))) == {"name"}


def test_what_is_wrong_with_a_path_is_told_once() -> None:
    tree = x509.NameConstraints([x509.DNSName("example.org")], None)
    middle = changed(MIDDLE, (tree, True)).certificate
    assert told(judge_path((SERVER_LEAF.certificate, middle))) == {"path"}
    bad = without(SERVER_LEAF, x509.AuthorityKeyIdentifier).certificate
    assert judge_path((bad, MIDDLE.certificate, ROOT.certificate)) == ()


def test_keys() -> None:
    assert judge_key(LEAF_KEY.public_key()) == ()
    assert told(judge_key(WEAK.public_key())) == {"key-strength"}
    assert told(judge_key(CURVE.public_key())) == {"key-strength"}
    assert told(judge_key(None)) == {"key-strength"}


def asked(*extensions: tuple[x509.ExtensionType, bool], key: object = LEAF_KEY) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject("web1"))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(key, hashes.SHA256())  # type: ignore[arg-type] # any key


@pytest.mark.parametrize(
    ("request_", "role", "expected"),
    [
        (asked(NAMES), None, set()),
        (asked(NAMES, uses(Eku.SERVER_AUTH)), None, set()),
        (asked(), None, set()),
        (asked(), Role.SERVER, {"request"}),
        (asked(), Role.CLIENT, set()),
        (asked(uses(Eku.SERVER_AUTH)), None, {"request"}),
        (asked(NAMES, key=WEAK), None, {"request"}),
    ],
)
def test_requests(request_: x509.CertificateSigningRequest, role: Role | None, expected: set[str]) -> None:
    assert told(judge_asked(request_, role)) == expected


@pytest.mark.parametrize(
    ("issued", "until", "expected"),
    [
        (-1, 1, set()),
        (-9, -1, {"expiry"}),
        (1, 2, {"expiry"}),
    ],
)
def test_lists(issued: int, until: int, expected: set[str]) -> None:
    builder = x509.CertificateRevocationListBuilder(
        subject("root"), NOW + timedelta(days=issued), NOW + timedelta(days=until)
    )
    assert told(judge_list(builder.sign(ROOT_KEY, hashes.SHA256()), NOW)) == expected


def test_another_authority_of_the_same_name_has_its_own_identifier() -> None:
    other = generate("ecdsa-p256")
    made = changed(MIDDLE, identifier(MIDDLE_KEY), issuer_identifier(other))
    assert judge_certificate(made.certificate, Role.AUTHORITY, now=NOW) == ()
