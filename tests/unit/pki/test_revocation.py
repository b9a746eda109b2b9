"""What is revoked: its record, which is read strictly, and the list that is signed from it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.errors import Refused
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import KINDS, generate
from dockertls.pki.profiles import CA, CLIENT, extension
from dockertls.pki.revocation import (
    LIFETIME,
    REASONS,
    Revocations,
    Revoked,
    crl,
    is_current,
    load_crl,
    number_of,
    parse_record,
    parse_serial,
    record,
    unable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
MOMENT = NOW.replace(microsecond=0)
DAY = timedelta(days=1)
PATH = PurePosixPath("/etc/dockertls/ca/0001/revoked.json")
KEY = generate("ecdsa-p256")
AUTHORITY = issue(Request(CA, "dockertls CA test"), KEY, None, now=NOW, serial=7)
ANN = Revoked(0xAB12, "client ann", MOMENT - DAY, "keyCompromise")
BOB = Revoked((1 << 159) - 1, "client bob", MOMENT)


def listed(
    *revoked: Revoked, issuer: Issued = AUTHORITY, number: int = 1, lifetime: timedelta = LIFETIME
) -> x509.CertificateRevocationList:
    return crl(revoked, issuer, now=NOW, number=number, lifetime=lifetime)


def pem(found: x509.CertificateRevocationList) -> bytes:
    return found.public_bytes(Encoding.PEM)


# serial numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ab12", 0xAB12),
        ("AB12", 0xAB12),
        ("0xAB12", 0xAB12),
        ("ab:12", 0xAB12),
        ("AB:12", 0xAB12),
        ("00ab12", 0xAB12),
        ("00:ab:12", 0xAB12),
        ("b12", 0xB12),
        ("10", 16),
        ("f" * 40, (1 << 160) - 1),
        ("", None),
        ("0", None),
        ("00", None),
        ("-5", None),
        ("ab:1", None),
        ("ab:", None),
        ("a:b1", None),
        ("ab 12", None),
        ("xyz", None),
        ("f" * 43, None),
        ("\u0661\u0662", None),
    ],
)
def test_a_serial_number_is_read_as_programs_print_it(text: str, number: int | None) -> None:
    assert parse_serial(text) == number


# the record


def test_a_record_is_read_back() -> None:
    assert parse_record(record((ANN, BOB)), PATH) == (ANN, BOB)
    assert parse_record(record(()), PATH) == ()


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_kept(reason: str) -> None:
    assert parse_record(record([replace(ANN, reason=reason)]), PATH)[0].reason == reason


def test_what_only_takes_back_is_no_reason() -> None:
    assert not {"certificateHold", "removeFromCRL"} & set(REASONS)


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    data = json.loads(record((ANN, BOB)))
    change(data)
    return json.dumps(data).encode()


DAMAGES = {
    "empty": b"",
    "cut off": record((ANN,))[:-9],
    "a list": b"[]",
    "no list in it": b'{"schema": "dockertls/revoked/1"}',
    "another version": record(()).replace(b"revoked/1", b"revoked/2"),
    "more than it knows": edited(lambda data: data.update(held=[])),
    "rows are no list": edited(lambda data: data.update(revoked={})),
    "a row is no object": edited(lambda data: data["revoked"].append("ab12")),
    "a row lacks something": edited(lambda data: data["revoked"][0].pop("at")),
    "a row has more": edited(lambda data: data["revoked"][0].update(note="x")),
    "a number for a text": edited(lambda data: data["revoked"][0].update(serial=5)),
    "no serial": edited(lambda data: data["revoked"][0].update(serial="xyz")),
    "no name": edited(lambda data: data["revoked"][0].update(name="")),
    "no time": edited(lambda data: data["revoked"][0].update(at="yesterday")),
    "no reason": edited(lambda data: data["revoked"][0].update(reason="certificateHold")),
    "one twice": edited(lambda data: data["revoked"].append(data["revoked"][0])),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_record_is_refused_and_never_taken_for_empty(name: str) -> None:
    with pytest.raises(Refused, match=r"ca/0001/revoked\.json") as refused:
        parse_record(DAMAGES[name], PATH)
    assert "backup" in refused.value.hint


def test_every_fault_of_a_record_is_told_at_once() -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["revoked"][0].update(serial="x", reason="y")
        data["revoked"][1].update(at="z")

    with pytest.raises(Refused) as refused:
        parse_record(edited(spoil), PATH)
    assert [fault.message for fault in refused.value.faults] == [
        "entry 1 makes no sense: serial x, reason y",
        "entry 2 makes no sense: at z",
    ]


# looking up


def test_a_certificate_is_looked_up_by_who_issued_it_not_by_its_number_alone() -> None:
    other = issue(Request(CA, "another"), generate("ecdsa-p256"), None, now=NOW, serial=8)
    namesake = issue(Request(CA, "dockertls CA test"), generate("ecdsa-p256"), None, now=NOW, serial=7)
    mine, others, of_namesake = (
        issue(Request(CLIENT, "ann"), generate("ecdsa-p256"), one, now=NOW, serial=ANN.serial).certificate
        for one in (AUTHORITY, other, namesake)
    )
    revocations = Revocations({AUTHORITY.certificate: (BOB, ANN)})
    assert revocations.of(mine) == ANN
    assert revocations.of(others) is None
    assert revocations.of(of_namesake) is None


# the list


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_signed_by_its_authority_whatever_its_key(kind: str) -> None:
    issuer = issue(Request(CA, "root"), generate(kind), None, now=NOW, serial=7)
    found = listed(ANN, issuer=issuer)
    key = issuer.certificate.public_key()
    assert found.is_signature_valid(key)  # type: ignore[arg-type] # one that signs
    assert found.issuer == issuer.certificate.subject
    expected = {"ed25519": None, "ecdsa-p384": "sha384"}.get(kind, "sha256")
    used = found.signature_hash_algorithm
    assert (used and used.name) == expected


def test_a_list_says_what_was_revoked_when_and_why() -> None:
    found = listed(ANN, BOB, number=5)
    assert (found.last_update_utc, found.next_update_utc) == (MOMENT, MOMENT + 30 * DAY)
    assert {type(one.value).__name__: one.critical for one in found.extensions} == {
        "AuthorityKeyIdentifier": False,
        "CRLNumber": False,
    }
    authority = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    issuing = extension(AUTHORITY.certificate, x509.SubjectKeyIdentifier)
    assert issuing is not None
    assert authority.key_identifier == issuing.digest
    assert number_of(found) == 5
    ann, bob = found
    assert (ann.serial_number, ann.revocation_date_utc) == (ANN.serial, ANN.at)
    assert [one.value for one in ann.extensions] == [x509.CRLReason(x509.ReasonFlags.key_compromise)]
    assert (bob.serial_number, list(bob.extensions)) == (BOB.serial, []), "unspecified is left out"


def test_an_empty_list_is_one() -> None:
    assert list(listed()) == []
    assert number_of(None) == 0


def test_no_list_outlives_its_authority() -> None:
    short = issue(Request(CA, "short", lifetime=7 * DAY), KEY, None, now=NOW, serial=7)
    assert listed(issuer=short).next_update_utc == short.certificate.not_valid_after_utc == MOMENT + 7 * DAY


def without_crl_sign() -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    real = AUTHORITY.certificate
    builder = x509.CertificateBuilder(
        real.subject, real.subject, KEY.public_key(), 9, real.not_valid_before_utc, real.not_valid_after_utc
    )
    return builder.add_extension(usage, critical=True).sign(KEY, hashes.SHA256())


def test_all_that_speaks_against_a_list_is_told_at_once() -> None:
    issuer = Issued(without_crl_sign(), (), None)
    with pytest.raises(Refused) as refused:
        crl((), issuer, now=NOW + 9999 * DAY, number=1)
    messages = [fault.message for fault in refused.value.faults]
    assert [word for word in ("key is not here", "cRLSign", "has ended") if word not in " ".join(messages)] == []
    assert all(fault.hint for fault in refused.value.faults)
    early = unable(AUTHORITY.certificate, NOW - 9 * DAY, has_key=True)
    assert ["not valid before" in fault.message for fault in early] == [True]
    assert list(unable(AUTHORITY.certificate, NOW, has_key=True)) == []


def test_a_key_of_somebody_else_signs_nothing() -> None:
    with pytest.raises(Refused, match="not that of its certificate"):
        listed(issuer=replace(AUTHORITY, key=generate("ecdsa-p256")))


def current(found: x509.CertificateRevocationList, *revoked: Revoked, after: timedelta = timedelta(0)) -> bool:
    return is_current(found, AUTHORITY.certificate, revoked, NOW + after)


def test_a_list_is_kept_while_it_says_what_it_should_and_its_end_is_far() -> None:
    found = load_crl(pem(listed(ANN, BOB)), "crl.pem")
    assert current(found, ANN, BOB)
    assert current(found, BOB, ANN)
    assert current(found, ANN, BOB, after=19 * DAY)
    assert not current(found, ANN, BOB, after=21 * DAY)
    assert not current(found, ANN)
    assert not current(found, ANN, replace(BOB, reason="superseded"))
    assert not current(found, ANN, replace(BOB, at=BOB.at - DAY))
    assert not is_current(listed(issuer=replace_issuer()), AUTHORITY.certificate, (), NOW)


def replace_issuer() -> Issued:
    """Another authority of the same name."""
    return issue(Request(CA, "dockertls CA test"), generate("ecdsa-p256"), None, now=NOW, serial=7)


def test_the_last_list_of_an_authority_is_not_signed_again_for_its_end() -> None:
    short = issue(Request(CA, "dockertls CA test", lifetime=7 * DAY), KEY, None, now=NOW, serial=7)
    assert is_current(listed(issuer=short), short.certificate, (), NOW + 6 * DAY)


@pytest.mark.parametrize("content", [b"", b"hello", pem(listed()).replace(b"\nMI", b"\nAA"), pem(listed())[:-40]])
def test_a_damaged_list_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"crl\.pem is damaged") as refused:
        load_crl(content, "crl.pem")
    assert "move it away" in refused.value.hint


def test_a_list_without_a_number_counts_as_none() -> None:
    subject = AUTHORITY.certificate.subject
    bare = x509.CertificateRevocationListBuilder(subject, MOMENT, MOMENT + DAY).sign(KEY, hashes.SHA256())
    assert number_of(load_crl(pem(bare), "crl.pem")) == 0
