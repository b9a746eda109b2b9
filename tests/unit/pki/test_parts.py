"""What files hold, in every form in which they come, and in which they should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)

from dockertls.errors import Refused
from dockertls.pki.keys import certificate_pem, private_pem
from dockertls.pki.parts import READS, Damaged, Key, Other, Public, Sealed, is_sealed, opened, parts_in
from dockertls.pki.pem import armoured
from dockertls.pki.pkcs12 import Opened
from tests.unit.pki.by_hand import LEAF_KEY, MIDDLE, NOW, ROOT, ROOT_KEY, SERVER_LEAF, subject

if TYPE_CHECKING:
    from dockertls.pki.parts import Value

ROOT_CERTIFICATE, LEAF = ROOT.certificate, SERVER_LEAF.certificate
PEM = certificate_pem([ROOT_CERTIFICATE])
DER = ROOT_CERTIFICATE.public_bytes(Encoding.DER)
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(subject("web1")).sign(LEAF_KEY, hashes.SHA256())
LIST = x509.CertificateRevocationListBuilder(ROOT_CERTIFICATE.subject, NOW, NOW).sign(ROOT_KEY, hashes.SHA256())
RSA_KEY = rsa.generate_private_key(65537, 2048)
SECRET = b"correct horse"


def packed(passphrase: bytes = SECRET) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"we\x1bb", LEAF_KEY, LEAF, [MIDDLE.certificate], encryption)


def values(content: bytes) -> list[Value]:
    return [part.value for part in parts_in(content, "x")]


KINDS: dict[str, tuple[object, type]] = {
    "certificate": (ROOT_CERTIFICATE, x509.Certificate),
    "request": (REQUEST, x509.CertificateSigningRequest),
    "list": (LIST, x509.CertificateRevocationList),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_what_is_signed_is_read_in_pem_and_der(kind: str, encoding: Encoding) -> None:
    made, cls = KINDS[kind]
    assert isinstance(made, x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList)
    (part,) = parts_in(made.public_bytes(encoding), "x")
    assert isinstance(part.value, cls)
    assert part.value == made
    assert (part.form, part.fault) == ("PEM" if encoding is Encoding.PEM else "DER", "")


PRIVATE = {
    "PKCS#8": (LEAF_KEY, PrivateFormat.PKCS8),
    "PKCS#8 of RSA": (RSA_KEY, PrivateFormat.PKCS8),
    "SEC1": (LEAF_KEY, PrivateFormat.TraditionalOpenSSL),
    "PKCS#1": (RSA_KEY, PrivateFormat.TraditionalOpenSSL),
}


@pytest.mark.parametrize("way", PRIVATE)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_private_keys_of_every_syntax(way: str, encoding: Encoding) -> None:
    key, form = PRIVATE[way]
    (found,) = values(key.private_bytes(encoding, form, NoEncryption()))
    assert isinstance(found, Key)
    assert (found.syntax, found.encrypted) == (way.partition(" ")[0], False)
    assert type(found.key) is type(key)
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize("key", [x25519.X25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()])
def test_keys_that_docker_cannot_use_are_known(key: x25519.X25519PrivateKey | ed448.Ed448PrivateKey) -> None:
    (found,) = values(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert isinstance(found, Key)
    assert type(found.key) is type(key)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_public_keys(encoding: Encoding, form: PublicFormat) -> None:
    (found,) = values(RSA_KEY.public_key().public_bytes(encoding, form))
    assert isinstance(found, Public)
    assert found.key == RSA_KEY.public_key()


ENCRYPTED = {
    "PKCS#8": private_pem(LEAF_KEY, SECRET),
    "PKCS#8 in DER": LEAF_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET)),
    "SEC1": LEAF_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(SECRET)),
}


@pytest.mark.parametrize("way", ENCRYPTED)
def test_an_encrypted_key_is_told_of_and_opened_with_its_passphrase(way: str) -> None:
    parts = parts_in(ENCRYPTED[way], "x")
    assert all(map(is_sealed, parts))
    (found,) = (part.value for part in opened(parts, SECRET, "x"))
    assert isinstance(found, Key)
    assert isinstance(found.key, ec.EllipticCurvePrivateKey)
    assert found.encrypted
    with pytest.raises(Refused, match="does not open x"):
        opened(parts, b"battery staple", "x")


@pytest.mark.parametrize("content", [packed(), armoured("PKCS12", packed())])
def test_a_pkcs12_is_opened_with_its_passphrase(content: bytes) -> None:
    parts = parts_in(content, "x")
    assert [type(part.value) for part in parts] == [Sealed]
    with pytest.raises(Refused, match="does not open x"):
        opened(parts, b"battery staple", "x")
    whole, *inside = (part.value for part in opened(parts, SECRET, "x"))
    assert isinstance(whole, Opened)
    assert whole.name == "we\x1bb"
    assert [type(one) for one in inside] == [x509.Certificate, x509.Certificate, Key]
    assert inside[0] == LEAF


def test_a_pkcs12_without_a_passphrase_is_open() -> None:
    assert [type(one) for one in values(packed(b""))] == [Opened, x509.Certificate, x509.Certificate, Key]


def test_a_pkcs12_that_would_take_hours_is_refused() -> None:
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(65_536).build(SECRET)
    content = pkcs12.serialize_key_and_certificates(None, LEAF_KEY, LEAF, None, encryption)
    assert isinstance(parts_in(content, "x")[0].value, Sealed)
    asked = b"\x02\x03\x01\x00\x00"
    assert content.count(asked) == 2, "for the certificate, and for the key"
    with pytest.raises(Refused, match="rounds of key derivation"):
        parts_in(content.replace(asked, b"\x02\x03\x7f\xff\xff"), "x")


def test_a_file_full_of_pkcs12_is_no_way_around_that() -> None:
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2_000_000).build(SECRET)
    block = armoured("PKCS12", pkcs12.serialize_key_and_certificates(None, LEAF_KEY, LEAF, None, encryption))
    assert isinstance(parts_in(block, "x")[0].value, Sealed)
    with pytest.raises(Refused, match=r"x asks for \d+ rounds of key derivation"):
        parts_in(block * 3, "x")


@pytest.mark.filterwarnings("error")
def test_a_pkcs12_with_something_after_it_is_read_without_a_word_of_python_s() -> None:
    parts = opened(parts_in(packed() + b"more", "x"), SECRET, "x")
    assert [type(part.value) for part in parts] == [Opened, x509.Certificate, x509.Certificate, Key]


TRUST = bytes.fromhex("300c300a06082b06010505070301")  # for servers, as openssl x509 -addtrust serverAuth adds it
NOT_LOADED = {
    "byte order mark": (b"\xef\xbb\xbf" + PEM, "byte order mark"),
    "UTF-16": (PEM.decode().encode("utf-16"), "UTF-16"),
    "indented": (b"".join(b"    " + line for line in PEM.splitlines(keepends=True)), "indented"),
    "text before BEGIN": (b"ca: " + PEM, "not on a line by itself"),
    "text after END": (PEM.rstrip() + b" # ours\n", "not on a line by itself"),
    "trusted": (armoured("TRUSTED CERTIFICATE", DER + TRUST), "OpenSSL"),
    "older label": (PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), "must say CERTIFICATE"),
}  # fmt: skip


@pytest.mark.parametrize("way", NOT_LOADED)
def test_what_docker_passes_over_is_read_and_told(way: str) -> None:
    content, told = NOT_LOADED[way]
    (part,) = parts_in(content, "x")
    assert part.value == ROOT_CERTIFICATE
    assert part.fault.startswith("docker does not load it: ")
    assert told in part.fault


def test_two_blocks_without_a_line_break_between_them() -> None:
    parts = parts_in(PEM.rstrip() + certificate_pem([LEAF]) + PEM, "x")
    assert [part.value for part in parts] == [ROOT_CERTIFICATE, LEAF, ROOT_CERTIFICATE]
    assert ["line break" in part.fault for part in parts] == [True, True, False]


@pytest.mark.parametrize(
    "content", [PEM.replace(b"\n", b"\r\n"), b"subject=CN = x\n\n" + PEM, PEM.rstrip(), PEM + b"end"]
)
def test_what_docker_loads_has_no_fault(content: bytes) -> None:
    assert [part.fault for part in parts_in(content, "x")] == [""]


def test_a_damaged_certificate_of_a_bundle_is_one_of_its_parts() -> None:
    first, second, third = values(PEM + PEM[:80] + PEM[120:] + certificate_pem([LEAF]))
    assert (first, third) == (ROOT_CERTIFICATE, LEAF)
    assert isinstance(second, Damaged)
    assert second.what == "certificate"
    assert values(PEM + PEM[:60])[1] == Damaged("certificate", "it is cut off: it has no END line")


def test_a_key_whose_numbers_do_not_fit_together_is_damaged() -> None:
    numbers = RSA_KEY.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    pem = wrong.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Refused, match="the private key cannot be read: its numbers do not fit together"):
        parts_in(pem, "x")
    found = values(pem * 30 + PEM)
    assert sum(isinstance(one, Damaged) for one in found) == 10, "the first ones, lest it take minutes"


def test_what_is_not_for_tls_is_named() -> None:
    assert values(armoured("EC PARAMETERS", b"\x06\x01*") + PEM) == [Other("EC PARAMETERS"), ROOT_CERTIFICATE]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "x is empty"),
        (b" \n", "x is empty"),
        (b"hello", "x holds no certificate"),
        (b"\x00\xff" * 99, "x holds no certificate"),
        (DER[:-1], "x is binary, and none of the things that are known here, or it is cut off"),
        (b"\x30\x80" * 100_000, "x is binary"),
        (armoured("OPENSSH PRIVATE KEY", b"openssh-key-v1"), 'x holds "OPENSSH PRIVATE KEY", which is none of these'),
        (PEM[:-30], "x: the certificate cannot be read: it is cut off"),
        (b"-----BEGIN CERTIFICATE-----\n" * 20_000, "and 19999 more"),
        (armoured("X509 CRL", b"\0\0\0"), "x: the revocation list cannot be read"),
        (armoured("PRIVATE KEY", b"\x30\0"), "x: the private key cannot be read"),
        (armoured("PKCS12", b"\x30\0"), "x: the PKCS#12 cannot be read"),
        (b"-----BEGIN " + b"A" * 1_000_000 + b"-----\n", "which is none of these"),
    ],
)
def test_what_holds_nothing_that_can_be_read_is_refused_in_a_line(content: bytes, told: str) -> None:
    with pytest.raises(Refused) as refused:
        parts_in(content, "x")
    assert told in refused.value.message
    assert len(refused.value.message) < 300
    assert "\n" not in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("content", "step"),
    [
        (pkcs7.serialize_certificates([LEAF], Encoding.PEM), "openssl pkcs7 -print_certs -in FILE -out FILE.pem"),
        (
            pkcs7.serialize_certificates([LEAF], Encoding.DER),
            "openssl pkcs7 -print_certs -inform DER -in FILE -out FILE.pem",
        ),
        (armoured("OPENSSH PRIVATE KEY", b"openssh-key-v1"), "keys of SSH are none of TLS"),
        (b"ssh-ed25519 AAAAC3Nz ann@web1\n", "keys of SSH are none of TLS"),
        (armoured("EC PARAMETERS", b"\x06\x01*"), READS),
    ],
)
def test_what_is_none_of_these_has_a_next_step(content: bytes, step: str) -> None:
    with pytest.raises(Refused) as refused:
        parts_in(content, "x")
    assert step in refused.value.hint
