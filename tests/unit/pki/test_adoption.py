"""An authority that was made elsewhere: each reason against it, and all of them at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.pki.adoption import authority_faults, authority_notes, not_above, path_to_root
from tests.unit.pki.by_hand import (
    DAY,
    LEAF_KEY,
    MIDDLE,
    MIDDLE_KEY,
    NOW,
    ROOT,
    ROOT_KEY,
    SERVES,
    SIGNS,
    ByHand,
    identifier,
    limits,
    subject,
    uses,
)

if TYPE_CHECKING:
    from dockertls.pki.keys import PrivateKey

ROOT_CERTIFICATE, MIDDLE_CERTIFICATE = ROOT.certificate, MIDDLE.certificate
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be refused
ODD_CURVE = ec.generate_private_key(ec.SECP224R1())


def told(path: tuple[x509.Certificate, ...], key: PrivateKey | None = None) -> list[str]:
    faults = authority_faults(path, key, NOW)
    assert all(fault.hint for fault in faults)
    return [fault.message for fault in faults]


def test_a_root_and_an_intermediate_below_it_are_taken() -> None:
    assert told((ROOT_CERTIFICATE,), ROOT_KEY) == []
    assert told((MIDDLE_CERTIFICATE, ROOT_CERTIFICATE), MIDDLE_KEY) == []
    assert authority_notes((MIDDLE_CERTIFICATE, ROOT_CERTIFICATE)) == ()


FIRST = replace(
    ROOT, subject=subject("first"), key=LEAF_KEY, extensions=(*MIDDLE.extensions[1:2], limits())
).certificate
SECOND = replace(MIDDLE, issuer=subject("first"), signer=LEAF_KEY).certificate


@pytest.mark.parametrize(
    "others", [(FIRST, ROOT_CERTIFICATE), (ROOT_CERTIFICATE, FIRST), (FIRST, ROOT_CERTIFICATE) * 2]
)
def test_the_chain_may_come_in_any_order_and_twice(others: tuple[x509.Certificate, ...]) -> None:
    path = path_to_root(SECOND, others, NOW)
    assert path == (SECOND, FIRST, ROOT_CERTIFICATE)
    assert not_above(path, others) == ()


def test_of_several_ways_up_one_that_is_valid_is_taken() -> None:
    ended = replace(ROOT, end=NOW - DAY / 2).certificate
    for others in ((ended, ROOT_CERTIFICATE), (ROOT_CERTIFICATE, ended)):
        assert path_to_root(MIDDLE_CERTIFICATE, others, NOW) == (MIDDLE_CERTIFICATE, ROOT_CERTIFICATE)


def test_what_does_not_belong_to_the_chain_is_named() -> None:
    stranger = replace(ROOT, subject=subject("stranger"), issuer=subject("stranger")).certificate
    path = path_to_root(MIDDLE_CERTIFICATE, (stranger, ROOT_CERTIFICATE), NOW)
    assert path == (MIDDLE_CERTIFICATE, ROOT_CERTIFICATE)
    assert not_above(path, (stranger, ROOT_CERTIFICATE, stranger)) == ("CN=stranger",)


def test_the_issuer_that_is_missing_is_named_as_far_up_as_it_goes() -> None:
    assert "the certificate of CN=root, who issued CN=middle, is missing" in told(
        path_to_root(MIDDLE_CERTIFICATE, (), NOW)
    )
    path = path_to_root(SECOND, (FIRST,), NOW)
    assert path == (SECOND, FIRST)
    assert "the certificate of CN=root, who issued CN=first, is missing" in told(path)


def test_a_root_of_the_same_name_that_did_not_sign_is_no_issuer() -> None:
    other = replace(ROOT, key=LEAF_KEY, signer=LEAF_KEY).certificate
    assert "CN=root, who issued CN=middle, is missing" in told(path_to_root(MIDDLE_CERTIFICATE, (other,), NOW))[0]


FAULTY: dict[str, tuple[ByHand, str]] = {
    "no CA:TRUE": (replace(ROOT, extensions=(limits(ca=False), SERVES)), "not marked as an authority"),
    "no basicConstraints": (replace(ROOT, extensions=(SIGNS,)), "not marked as an authority"),
    "no keyCertSign": (replace(ROOT, extensions=(limits(), SERVES)), "keyUsage does not let it sign"),
    "ended": (replace(ROOT, start=NOW - 9 * DAY, end=NOW - DAY), "it has ended at 2026-11-23T12:00:00Z"),
    "not yet valid": (replace(ROOT, start=NOW + DAY), "it is not valid before 2026-11-25T12:00:00Z"),
    "clients alone": (replace(ROOT, extensions=(*ROOT.extensions, uses(Eku.CLIENT_AUTH))), "not for serverAuth"),
    "servers alone": (replace(ROOT, extensions=(*ROOT.extensions, uses(Eku.SERVER_AUTH))), "not for clientAuth"),
    "short key": (replace(ROOT, key=SHORT, signer=SHORT), "its key is too short"),
    "odd curve": (replace(ROOT, key=ODD_CURVE, signer=ODD_CURVE), "of a kind that docker cannot use"),
    "no subject": (replace(ROOT, subject=subject(), issuer=subject()), "it has no subject"),
    "unknown critical": (
        replace(
            ROOT, extensions=(*ROOT.extensions, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True))
        ),
        "unhandled critical extension",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_each_reason_against_an_authority_is_told(name: str) -> None:
    by_hand, expected = FAULTY[name]
    assert any(expected in message for message in told((by_hand.certificate,), by_hand.key))


def test_a_key_of_another_certificate_is_told() -> None:
    assert told((ROOT_CERTIFICATE,), LEAF_KEY) == ["the key is not that of the certificate"]


def test_a_root_that_allows_no_authority_below_it_is_told() -> None:
    root = replace(ROOT, extensions=(limits(path_length=0), *ROOT.extensions[1:])).certificate
    assert told((MIDDLE_CERTIFICATE, root)) == ["CN=root: more authorities stand below it than it allows"]


def test_all_faults_are_told_at_once() -> None:
    bad = replace(
        ROOT, extensions=(limits(ca=False), SERVES), start=NOW - 9 * DAY, end=NOW - DAY, key=SHORT, signer=SHORT
    )
    messages = "\n".join(told((bad.certificate,), LEAF_KEY))
    for expected in ("not marked as an authority", "it has ended", "too short", "the key is not that"):
        assert expected in messages
    assert len(messages.splitlines()) == len(set(messages.splitlines())), "each once"


def test_what_stricter_clients_refuse_is_noted() -> None:
    old = ByHand(extensions=((x509.BasicConstraints(ca=True, path_length=None), False),)).certificate
    notes = authority_notes((old,))
    assert [note.partition(": ")[2] for note in notes] == [
        "Python 3.13 and later refuse it: CA cert does not include key usage extension",
        "Python 3.13 and later refuse it: Missing Subject Key Identifier",
        "Python 3.13 and later refuse it: Basic Constraints of CA cert not marked critical",
    ]
    without = replace(MIDDLE, extensions=(limits(path_length=0), SIGNS, identifier(MIDDLE_KEY))).certificate
    assert authority_notes((without, ROOT_CERTIFICATE)) == (
        "CN=middle: Python 3.13 and later refuse it: Missing Authority Key Identifier",
    )
