from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from dockertls.errors import Refused
from dockertls.pki.issue import Issued, Request, ca_name, issue
from dockertls.pki.keys import generate, matches
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER, TABLE, extension

if TYPE_CHECKING:
    from dockertls.pki.profiles import Profile

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
MOMENT = NOW.replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY = generate("ecdsa-p256")
AUTHORITY = issue(Request(CA, "dockertls CA test"), generate("ecdsa-p256"), None, now=NOW, serial=7)
NAMES = parse_names(["web1.example", "10.0.0.5"])


def server(name: str = "web1.example", *, issuer: Issued = AUTHORITY, now: datetime = NOW, days: int = 397) -> Issued:
    return issue(Request(SERVER, name, NAMES, days * DAY), KEY, issuer, now=now, serial=9)


def critical(certificate: x509.Certificate) -> dict[str, bool]:
    return {type(one.value).__name__: one.critical for one in certificate.extensions}


def common_name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def test_the_table_has_the_three_profiles_by_name() -> None:
    assert set(TABLE) == {"ca", "server", "client"}
    assert all(profile.lifetime <= profile.longest for profile in TABLE.values())
    assert [profile.name for profile in TABLE.values() if profile.is_ca] == ["ca"]


def test_an_authority() -> None:
    certificate = AUTHORITY.certificate
    assert certificate.subject == certificate.issuer
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (MOMENT - HOUR, MOMENT + 3652 * DAY)
    assert certificate.serial_number == 7
    assert critical(certificate) == {"BasicConstraints": True, "KeyUsage": True, "SubjectKeyIdentifier": False}
    assert extension(certificate, x509.BasicConstraints) == x509.BasicConstraints(ca=True, path_length=0)
    usage = extension(certificate, x509.KeyUsage)
    assert usage is not None
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.digital_signature
    assert AUTHORITY.chain == ()


@pytest.mark.parametrize(
    ("profile", "use"), [(SERVER, ExtendedKeyUsageOID.SERVER_AUTH), (CLIENT, ExtendedKeyUsageOID.CLIENT_AUTH)]
)
def test_a_leaf(profile: Profile, use: x509.ObjectIdentifier) -> None:
    names = NAMES if profile is SERVER else ()
    issued = issue(Request(profile, "web1", names), KEY, AUTHORITY, now=NOW, serial=9)
    certificate = issued.certificate
    expected = {
        "BasicConstraints": True,
        "KeyUsage": True,
        "ExtendedKeyUsage": False,
        "SubjectKeyIdentifier": False,
        "AuthorityKeyIdentifier": False,
    }
    assert critical(certificate) == expected | ({"SubjectAlternativeName": False} if names else {})
    assert list(extension(certificate, x509.ExtendedKeyUsage) or ()) == [use]
    assert extension(certificate, x509.BasicConstraints) == x509.BasicConstraints(ca=False, path_length=None)
    usage = extension(certificate, x509.KeyUsage)
    assert usage is not None
    assert usage.digital_signature
    assert not usage.key_encipherment
    assert not usage.key_cert_sign
    authority = extension(certificate, x509.AuthorityKeyIdentifier)
    issuing = extension(AUTHORITY.certificate, x509.SubjectKeyIdentifier)
    assert authority is not None
    assert issuing is not None
    assert authority.key_identifier == issuing.digest
    assert authority.authority_cert_serial_number is None
    assert certificate.not_valid_after_utc == MOMENT + 397 * DAY
    assert tuple(extension(certificate, x509.SubjectAlternativeName) or ()) == names
    assert common_name(certificate) == "CN=web1"
    assert (issued.chain, issued.key) == ((), KEY)
    assert matches(certificate, KEY)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("ecdsa-p256", hashes.SHA256),
        ("ecdsa-p384", hashes.SHA384),
        ("ed25519", type(None)),
        ("rsa-2048", hashes.SHA256),
    ],
)
def test_each_kind_of_key_signs_with_the_hash_that_is_as_strong(kind: str, algorithm: type[object]) -> None:
    certificate = issue(Request(CA, "x"), generate(kind), None, now=NOW, serial=1).certificate
    assert isinstance(certificate.signature_hash_algorithm, algorithm)
    certificate.verify_directly_issued_by(certificate)


def test_a_public_key_is_enough_for_a_leaf_and_not_for_a_root() -> None:
    issued = issue(Request(CLIENT, "alice"), KEY.public_key(), AUTHORITY, now=NOW, serial=9)
    assert issued.key is None
    assert matches(issued.certificate, KEY)
    with pytest.raises(Refused, match="private key that signs it is not here"):
        issue(Request(CA, "x"), KEY.public_key(), None, now=NOW, serial=9)


def test_a_leaf_lives_inside_its_authority() -> None:
    start, end = AUTHORITY.certificate.not_valid_before_utc, AUTHORITY.certificate.not_valid_after_utc
    young = server(now=start + timedelta(minutes=5)).certificate
    assert young.not_valid_before_utc == start
    old = server(now=end - 10 * DAY).certificate
    assert old.not_valid_after_utc == end
    assert server(now=start)
    assert server(now=end)


def test_a_common_name_that_is_too_long_is_left_out_and_the_names_become_critical() -> None:
    for name in ("x" * 65, "ä" * 33):
        certificate = server(name).certificate
        assert not certificate.subject.rdns
        assert critical(certificate)["SubjectAlternativeName"] is True
    assert common_name(server("x" * 64).certificate) == f"CN={'x' * 64}"


def test_a_server_named_as_its_authority_has_no_subject() -> None:
    certificate = server("dockertls CA test").certificate
    assert not certificate.subject.rdns
    assert critical(certificate)["SubjectAlternativeName"] is True


def test_an_intermediate_authority_is_sent_along() -> None:
    root = issue(Request(replace(CA, path_length=1), "root"), generate("ecdsa-p256"), None, now=NOW, serial=1)
    middle = issue(Request(CA, "middle"), generate("ecdsa-p256"), root, now=NOW, serial=2)
    assert middle.chain == ()
    assert critical(middle.certificate)["AuthorityKeyIdentifier"] is False
    assert server(issuer=middle).chain == (middle.certificate,)


def test_an_issuer_without_identifier_is_named_by_the_hash_of_its_key() -> None:
    key = generate("ecdsa-p256")
    builder = x509.CertificateBuilder(AUTHORITY.certificate.subject, AUTHORITY.certificate.subject, key.public_key())
    builder = builder.serial_number(1).not_valid_before(MOMENT - HOUR).not_valid_after(MOMENT + DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    bare = Issued(builder.sign(key, hashes.SHA256()), (), key)
    identifier = extension(server(issuer=bare).certificate, x509.AuthorityKeyIdentifier)
    expected = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    assert identifier is not None
    assert identifier.key_identifier == expected


@pytest.mark.parametrize(
    ("request_", "issuer", "now", "serial", "messages"),
    [
        (Request(CLIENT, "x"), AUTHORITY, NOW, 0, ["serial number"]),
        (Request(CLIENT, "x"), AUTHORITY, NOW, 1 << 159, ["serial number"]),
        (Request(CLIENT, "x", (), timedelta(0)), AUTHORITY, NOW, 1, ["0 days is not between 1 and 825"]),
        (Request(CLIENT, "x", (), -DAY), AUTHORITY, NOW, 1, ["-1 days is not between"]),
        (Request(CLIENT, "x", (), 826 * DAY), AUTHORITY, NOW, 1, ["826 days is not between"]),
        (Request(CA, "x", (), timedelta.max), None, NOW, 1, ["is not between 1 and 10957"]),
        (Request(CLIENT, ""), AUTHORITY, NOW, 1, ["common name is empty"]),
        (Request(CLIENT, "ann\n\x1b[31m"), AUTHORITY, NOW, 1, ["common name has control characters"]),
        (Request(CLIENT, "x" * 65), AUTHORITY, NOW, 1, ["takes 65 bytes"]),
        (Request(CA, "x" * 65), None, NOW, 1, ["takes 65 bytes"]),
        (Request(CLIENT, "dockertls CA test"), AUTHORITY, NOW, 1, ["the name of its authority"]),
        (Request(SERVER, "x"), AUTHORITY, NOW, 1, ["has no names"]),
        (Request(SERVER, "x", NAMES), None, NOW, 1, ["no authority to sign"]),
        (Request(CA, "x"), AUTHORITY, NOW, 1, ["may sign no other"]),
        (Request(CLIENT, "x"), AUTHORITY, NOW - 2 * HOUR, 1, ["not valid before 2026-11-23T11:00:00Z"]),
        (Request(CLIENT, "x"), AUTHORITY, NOW + 3652 * DAY, 1, ["ended at 2036-11-22T12:00:00Z"]),
        (Request(CLIENT, "x"), server(), NOW, 1, ["not that of an authority"]),
        (Request(CLIENT, "x"), replace(AUTHORITY, key=KEY), NOW, 1, ["not that of its certificate"]),
        (Request(CLIENT, "x"), replace(AUTHORITY, key=None), NOW, 1, ["private key that signs it is not here"]),
        (
            Request(SERVER, ""),
            replace(server(), key=generate("ed25519")),
            NOW + 400 * DAY,
            -1,
            [
                "serial",
                "common name",
                "has no names",
                "ended",
                "not that of an authority",
                "not that of its certificate",
            ],
        ),
    ],
)
def test_what_speaks_against_it_is_told_at_once(
    request_: Request, issuer: Issued | None, now: datetime, serial: int, messages: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        issue(request_, KEY, issuer, now=now, serial=serial)
    found = [fault.message for fault in refused.value.faults]
    assert [expected in message for expected, message in zip(messages, found, strict=True)] == [True] * len(messages)
    assert all(fault.hint for fault in refused.value.faults)


def test_the_name_of_an_authority_is_its_day_and_a_tag() -> None:
    assert ca_name(NOW, "a1b2c3d4") == "dockertls CA 2026-11-23 a1b2c3d4"
