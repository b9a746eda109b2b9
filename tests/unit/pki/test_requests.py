"""Requests: what ours ask for, and what is taken over of somebody else's."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.errors import Refused
from dockertls.pki.issue import Request
from dockertls.pki.keys import generate
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CLIENT, SERVER, Profile
from dockertls.pki.requests import Asked, judge_request, load_request, make_request, names_asked, request_pem
from tests.unit.pki.by_hand import LEAF_KEY, MIDDLE, SIGNS, Extensions, limits, subject, uses

NAMES = parse_names(["web1.example", "10.0.0.5", "*.web1.example"])
WEB = subject("web1.example")
SHORT_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be refused
DSA_KEY = dsa.generate_private_key(1024)  # noqa: S505 - as above


def csr(
    name: x509.Name = WEB,
    extensions: Extensions = (),
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | None = None,
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(name)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(key or LEAF_KEY, hashes.SHA256())


def san(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(names), False


def forged(request: x509.CertificateSigningRequest) -> x509.CertificateSigningRequest:
    """The request after somebody has changed its subject."""
    changed = request.public_bytes(Encoding.DER).replace(b"web1.example", b"web9.example", 1)
    return x509.load_der_x509_csr(changed)


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"])
def test_our_own_request_asks_for_what_the_profile_says(kind: str) -> None:
    key = generate(kind)
    request = load_request(request_pem(make_request(Request(SERVER, "web1.example", NAMES), key)))
    assert request.is_signature_valid
    assert (request.subject, names_asked(request)) == (WEB, NAMES)
    found = {type(one.value): one.value for one in request.extensions}
    assert found[x509.KeyUsage] == SERVER.usage
    assert list(found[x509.ExtendedKeyUsage]) == [Eku.SERVER_AUTH]
    assert judge_request(request, SERVER, named=False) == Asked(
        key.public_key(), ("web1.example", "10.0.0.5", "*.web1.example"), ()
    )


def test_a_clients_request_has_its_name_alone() -> None:
    request = make_request(Request(CLIENT, "Zoë"), LEAF_KEY)
    assert names_asked(request) == ()
    assert judge_request(request, CLIENT, named=False) == Asked(LEAF_KEY.public_key(), ("Zoë",), ())


def test_a_name_too_long_for_a_subject_is_among_the_alternative_names() -> None:
    long = "a" * 60 + "." + "b" * 60
    request = make_request(Request(SERVER, long, parse_names([long])), LEAF_KEY)
    assert request.subject == x509.Name([])
    assert judge_request(request, SERVER, named=False).names == (long,)


def test_the_name_that_is_the_common_name_comes_first() -> None:
    request = csr(WEB, (san(x509.DNSName("a.example"), x509.DNSName("WEB1.example")),))
    assert judge_request(request, SERVER, named=False).names == ("web1.example", "a.example")


def test_what_else_is_asked_for_is_left_out_and_said() -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"")
    asks: Extensions = (san(NAMES[0]), limits(), SIGNS, uses(Eku.SERVER_AUTH, Eku.CLIENT_AUTH), (odd, False))
    asked = judge_request(csr(WEB, asks), SERVER, named=False)
    assert asked.names == ("web1.example",)
    assert asked.left_out == (
        "to be an authority (CA:TRUE)",
        "the extension KeyUsage",
        "the extension ExtendedKeyUsage",
        "the extension 1.2.3",
    )


def test_names_that_are_said_otherwise_are_not_looked_at() -> None:
    asked = judge_request(csr(WEB, (san(x509.DNSName("a b"), x509.RFC822Name("x@y")),)), SERVER, named=True)
    assert (asked.names, asked.left_out) == ((), ("the name a b", "the name email:x@y"))


FAULTS: dict[str, tuple[x509.CertificateSigningRequest, Profile, list[str]]] = {
    "no names": (csr(x509.Name([])), SERVER, ["it asks for no subject alternative names"]),
    "only a common name": (csr(), SERVER, ["its common name, web1.example, is not one"]),
    "bad names": (
        csr(WEB, (san(x509.DNSName("a b"), x509.DNSName("good.example"), x509.DNSName("x..y")),)),
        SERVER,
        ['"a b"', '"x..y"'],
    ),
    "odd names": (
        csr(WEB, (san(x509.RFC822Name("x@y.z"), x509.UniformResourceIdentifier("http://h"), NAMES[0]),)),
        SERVER,
        ["email:x@y.z", "URI:http://h"],
    ),
    "nobody": (csr(x509.Name([])), CLIENT, ["it has no common name"]),
    "two names": (
        csr(x509.Name([*subject("a"), *subject("b")])), CLIENT, ["it has 2 common names"],
    ),
    "a path": (csr(subject("x/y")), CLIENT, ["/ cannot be part of it"]),
    "short key": (csr(WEB, (san(NAMES[0]),), SHORT_KEY), SERVER, ["too short"]),
    "odd curve": (csr(WEB, (san(NAMES[0]),), ec.generate_private_key(ec.SECP224R1())), SERVER, ["docker cannot use"]),
    "DSA": (csr(WEB, (san(NAMES[0]),), DSA_KEY), SERVER, ["docker cannot use"]),
    "forged": (forged(csr(WEB, (san(NAMES[0]),))), SERVER, ["it is not signed with its own key"]),
    "all of it": (
        forged(csr(WEB, (san(x509.DNSName("a b"), x509.RFC822Name("x@y.z")),))),
        SERVER,
        ["it is not signed with its own key", "email:x@y.z", '"a b"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_everything_that_speaks_against_a_request_is_told_at_once(name: str) -> None:
    request, profile, expected = FAULTS[name]
    with pytest.raises(Refused) as refused:
        judge_request(request, profile, named=False)
    faults = refused.value.faults
    assert len(faults) == len(expected)
    assert all(fault.hint for fault in faults)
    for text in expected:
        assert any(text in fault.message for fault in faults), faults


GOOD = request_pem(csr())
FILES = {
    "empty": (b"", "holds no certificate request"),
    "binary": (csr().public_bytes(Encoding.DER), "holds no certificate request"),
    "a certificate": (MIDDLE.certificate.public_bytes(Encoding.PEM), "holds no certificate request"),
    "cut off": (GOOD[:-40], "holds no certificate request"),
    "two": (GOOD + GOOD, "holds 2 certificate requests"),
    "damaged": (GOOD.replace(b"\nM", b"\nA", 1), "cannot be read"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_request_is_refused(name: str) -> None:
    content, told = FILES[name]
    with pytest.raises(Refused, match=told) as refused:
        load_request(content, name="x.csr")
    assert refused.value.message.startswith("x.csr ")
    assert refused.value.hint


def test_the_label_of_older_tools_is_known() -> None:
    request = load_request(GOOD.replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"))
    assert request.public_key() == LEAF_KEY.public_key()
