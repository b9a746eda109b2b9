from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dockertls.errors import Refused
from dockertls.pki import keys
from dockertls.pki.envelope import EncryptedPrivateKeyInfo
from dockertls.pki.issue import Request, issue
from dockertls.pki.pem import armoured
from dockertls.pki.profiles import CA

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEY = keys.generate("ecdsa-p256")
PLAIN = keys.private_pem(KEY)
SECRET = keys.private_pem(KEY, b"correct horse")
OLD_SECRET = KEY.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"correct horse")
)
CERTIFICATE = issue(Request(CA, "ca"), KEY, None, now=NOW, serial=1).certificate
PEM = keys.certificate_pem([CERTIFICATE])
VERSION_5 = CERTIFICATE.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x04", 1)


def same(one: keys.PrivateKey, other: keys.PrivateKey) -> bool:
    return keys.private_pem(one) == keys.private_pem(other)


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"])
def test_a_key_is_made_written_and_read(kind: str) -> None:
    key = keys.generate(kind)
    assert keys.kind_of(key) == kind
    assert keys.kind_of(key.public_key()) == kind
    assert same(keys.load_private(keys.private_pem(key)), key)


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(Refused, match="rsa-1024") as refused:
        keys.generate("rsa-1024")
    assert all(kind in refused.value.hint for kind in keys.KINDS)


def test_an_encrypted_key_opens_with_its_passphrase_and_takes_600000_rounds() -> None:
    assert keys.is_encrypted(SECRET)
    assert not keys.is_encrypted(PLAIN)
    assert keys.kdf_rounds(SECRET) == 600_000
    assert same(keys.load_private(SECRET, b"correct horse"), KEY)
    assert load_pem_private_key(SECRET, b"correct horse")
    assert max(map(len, SECRET.splitlines())) == 64


def test_rounds_of_other_peoples_keys_are_read() -> None:
    weak = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    assert keys.kdf_rounds(weak) == 2048
    for pem in (PLAIN, OLD_SECRET, PEM, b""):
        with pytest.raises(Refused, match="not encrypted with PBKDF2"):
            keys.kdf_rounds(pem)


def test_no_two_files_share_salt_or_iv() -> None:
    assert len({keys.private_pem(KEY, b"x") for _ in range(2)}) == 2


def test_the_older_encryption_is_known_too() -> None:
    assert keys.is_encrypted(OLD_SECRET)
    assert same(keys.load_private(OLD_SECRET, b"correct horse"), KEY)


def test_a_passphrase_is_not_looked_at_where_nothing_is_encrypted() -> None:
    assert same(keys.load_private(PLAIN, b"whatever"), KEY)


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(Refused, match="passphrase is empty"):
        keys.private_pem(KEY, b"")


def public_pem() -> bytes:
    return KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def openssh_pem() -> bytes:
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def pkcs8(key: dsa.DSAPrivateKey | ed448.Ed448PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("pem", "passphrase", "message"),
    [
        (SECRET, b"wrong", "the passphrase does not open web1"),
        (OLD_SECRET, b"wrong", "the passphrase does not open web1"),
        (SECRET, None, "web1 is encrypted, and there is no passphrase"),
        (SECRET, b"", "web1 is encrypted, and there is no passphrase"),
        (OLD_SECRET, None, "web1 is encrypted, and there is no passphrase"),
        (b"", None, "web1 is empty"),
        (b"\n \n", None, "web1 is empty"),
        (PLAIN[:100], None, "web1 is cut off"),
        (PLAIN[:60] + PLAIN[90:], None, "web1 is damaged"),
        (SECRET[:100] + SECRET[140:], b"correct horse", "web1 is damaged"),
        (SECRET.replace(b"M", b"!", 1), b"correct horse", "web1 is damaged"),
        (KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), None, "web1 is binary"),
        (b"\xef\xbb\xbf" + PLAIN, None, "byte order mark"),
        (PLAIN.decode().encode("utf-16"), None, "byte order mark"),
        (PEM, None, "web1 holds a certificate, not a private key"),
        (public_pem(), None, "web1 holds a public key, not a private key"),
        (openssh_pem(), None, "web1 holds a key of OpenSSH, not a private key"),
        (b"hello", None, "web1 is not PEM"),
        (bytes(range(256)), None, "web1 is not PEM"),
        (PLAIN + PLAIN, None, "web1 holds 2 keys"),
        (pkcs8(ed448.Ed448PrivateKey.generate()), None, "Ed448, which docker cannot use"),
        (pkcs8(ec.generate_private_key(ec.SECP256K1())), None, "secp256k1, which docker cannot use"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_usable_key_is_named(pem: bytes, passphrase: bytes | None, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        keys.load_private(pem, passphrase, name="web1")
    assert refused.value.hint


@pytest.mark.parametrize("rounds", [0, -1, 1 << 40])
def test_a_file_that_asks_for_no_work_or_for_hours_of_it_is_refused(rounds: int) -> None:
    der = base64.b64decode(b"".join(SECRET.splitlines()[1:-1]))
    info = asn1.decode_der(EncryptedPrivateKeyInfo, der)
    info.scheme.parameters.derivation.parameters.rounds = rounds
    pem = armoured("ENCRYPTED PRIVATE KEY", asn1.encode_der(info))
    with pytest.raises(Refused, match=f"asks for {rounds} rounds"):
        keys.load_private(pem, b"x")


def value(tag: int, *parts: bytes) -> bytes:
    """A value of DER of less than 64 KiB."""
    content = b"".join(parts)
    length = len(content).to_bytes(2)
    return (
        bytes([tag, *([0x82, *length] if length[0] else [0x81, length[1]] if len(content) > 127 else [length[1]])])
        + content
    )


def number(one: int) -> bytes:
    return value(0x02, one.to_bytes(one.bit_length() // 8 + 1))


SALT = value(0x04, b"saltsalt")
OF_3DES, OF_MD5, PBES2 = (
    bytes.fromhex(oid) for oid in ("060a2a864886f70d010c0103", "06092a864886f70d010503", "06092a864886f70d01050d")
)
AES = value(0x30, bytes.fromhex("060960864801650304012a"), value(0x04, bytes(16)))


def by_scrypt(*numbers: int) -> bytes:
    """What PBES2 says of its passphrase: cost, block size and parallelization of scrypt."""
    parameters = value(0x30, SALT, *map(number, numbers))
    return value(0x30, PBES2, value(0x30, value(0x30, bytes.fromhex("06092b06010401da47040b"), parameters), AES))


def enveloped(algorithm: bytes) -> bytes:
    return armoured("ENCRYPTED PRIVATE KEY", value(0x30, algorithm, value(0x04, bytes(64))))


@pytest.mark.parametrize(
    "algorithm",
    [
        value(0x30, OF_3DES, value(0x30, SALT, number(2**31 - 1))),
        value(0x30, OF_MD5, value(0x30, SALT, number(2**31 - 1))),
        by_scrypt(1 << 22, 8, 1),
        by_scrypt(1 << 14, 8, 4000),
    ],
    ids=["3DES", "MD5", "4 GiB of memory", "minutes"],
)  # fmt: skip
def test_no_other_way_of_encryption_keeps_us_busy_for_hours_either(algorithm: bytes) -> None:
    with pytest.raises(Refused, match="rounds of key derivation"):
        keys.load_private(enveloped(algorithm), b"x")


def test_other_ways_of_encryption_are_tried() -> None:
    for algorithm in (
        by_scrypt(1 << 14, 8, 1),
        by_scrypt(3, 8, 1),
        value(0x30, OF_3DES, value(0x30, SALT, number(2048))),
    ):
        with pytest.raises(Refused, match="does not open web1"):
            keys.load_private(enveloped(algorithm), b"x", name="web1")


def test_a_key_beside_certificates_and_parameters_is_found() -> None:
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert same(keys.load_private(parameters + PEM + b"text\n" + PLAIN.replace(b"\n", b"\r\n")), KEY)


def test_certificates_of_a_bundle_are_read_in_order_with_text_between() -> None:
    other = issue(Request(CA, "other"), KEY, None, now=NOW, serial=2).certificate
    bundle = b"subject=x\n" + PEM + b"\n# and\r\n" + keys.certificate_pem([other]).replace(b"\n", b"\r\n") + PLAIN
    assert keys.load_certificates(bundle) == (CERTIFICATE, other)


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"", "ca.pem is empty"),
        (PEM[:-30], "ca.pem is cut off"),
        (PEM + PEM[:-30], "ca.pem is cut off"),
        (PEM[:100] + b"\n" + PEM, "ca.pem is cut off"),
        (b"-----BEGIN CERTIFICATE-----\n" * 20_000, "ca.pem is cut off"),
        (PEM.rstrip(b"\n") + PEM, "ca.pem is cut off, or a line between two blocks is missing"),
        (CERTIFICATE.public_bytes(Encoding.DER), "ca.pem is binary"),
        (b"\xef\xbb\xbf" + PEM, "byte order mark"),
        (PLAIN, "ca.pem holds a private key, not a certificate"),
        (SECRET, "ca.pem holds an encrypted private key, not a certificate"),
        (PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), "only OpenSSL reads"),
        (PEM + PEM[:80] + PEM[120:], "certificate 2 cannot be read"),
        (PEM.replace(b"MII", b"!!!"), "certificate 1 cannot be read"),
        (armoured("CERTIFICATE", VERSION_5), "certificate 1 cannot be read"),
        (b"\x1b]0;x", "ca.pem is not PEM"),
    ],
)
def test_what_is_no_certificate_is_named(pem: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        keys.load_certificates(pem, name="ca.pem")
    assert refused.value.hint


def test_fingerprints() -> None:
    text = keys.fingerprint(CERTIFICATE)
    assert len(text) == 95
    assert set(text) <= set("0123456789ABCDEF:")
    assert (
        keys.key_fingerprint(KEY)
        == keys.key_fingerprint(KEY.public_key())
        == keys.key_fingerprint(CERTIFICATE.public_key())
    )
    assert keys.key_fingerprint(keys.generate("ed25519")) != keys.key_fingerprint(KEY)


def test_a_certificate_and_its_key_match() -> None:
    assert keys.matches(CERTIFICATE, KEY)
    assert keys.matches(CERTIFICATE, KEY.public_key())
    assert not keys.matches(CERTIFICATE, keys.generate("ecdsa-p256"))
    assert not keys.matches(CERTIFICATE, keys.generate("ed25519"))


OLD, NEW = b"old horse", b"new staple"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return keys.private_pem(keys.load_private(PLAIN), OLD)


def test_a_key_gets_another_passphrase_and_stays_the_same(sealed: bytes) -> None:
    anew = keys.sealed_anew(sealed, OLD, NEW, name="k")
    assert (keys.private_pem(keys.load_private(anew, NEW)), keys.kdf_rounds(anew)) == (PLAIN, 600_000)
    with pytest.raises(Refused, match="does not open k"):
        keys.load_private(anew, OLD, name="k")


def test_a_key_is_encrypted_or_not_any_more(sealed: bytes) -> None:
    assert keys.private_pem(keys.load_private(keys.sealed_anew(PLAIN, None, NEW, name="k"), NEW)) == PLAIN
    assert keys.sealed_anew(sealed, OLD, None, name="k") == PLAIN


def test_what_is_as_it_shall_be_keeps_its_bytes(sealed: bytes) -> None:
    assert keys.sealed_anew(sealed, OLD, OLD, name="k") == sealed
    assert keys.sealed_anew(sealed, b"forgotten", OLD, name="k") == sealed, "the second run"
    assert keys.sealed_anew(PLAIN, None, None, name="k") == PLAIN


@pytest.mark.parametrize(("old", "new"), [(b"wrong", NEW), (b"wrong", None), (b"", NEW)])
def test_who_does_not_know_the_passphrase_changes_nothing(sealed: bytes, old: bytes, new: bytes | None) -> None:
    with pytest.raises(Refused):
        keys.sealed_anew(sealed, old, new, name="k")


@pytest.mark.parametrize("pem", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_gets_no_passphrase(pem: bytes) -> None:
    with pytest.raises(Refused):
        keys.sealed_anew(pem, OLD, NEW, name="k")
