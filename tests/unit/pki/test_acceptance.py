"""What comes back for a request: taken only if it is what was asked for, and everything against it told at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.errors import Refused
from dockertls.pki.acceptance import Accepted, Pair, accept
from dockertls.pki.issue import Request
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CLIENT, SERVER, Purpose
from dockertls.pki.requests import make_request
from tests.unit.pki.by_hand import (
    CLIENT_LEAF,
    DAY,
    LEAF_KEY,
    MIDDLE,
    NOW,
    ROOT,
    ROOT_KEY,
    SERVER_LEAF,
    SIGNS,
    ByHand,
    issuer_identifier,
    limits,
    subject,
    uses,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER_ASKED = Pair(make_request(Request(SERVER, "web1", parse_names(["web1", "web1.example"])), LEAF_KEY), LEAF_KEY)
CLIENT_ASKED = Pair(make_request(Request(CLIENT, "ann"), LEAF_KEY), LEAF_KEY)
ROOT_CERTIFICATE, MIDDLE_CERTIFICATE = ROOT.certificate, MIDDLE.certificate
SERVER_CERTIFICATE, CLIENT_CERTIFICATE = SERVER_LEAF.certificate, CLIENT_LEAF.certificate
OF_MIDDLE, OF_ROOT = (MIDDLE_CERTIFICATE, ROOT_CERTIFICATE), (ROOT_CERTIFICATE,)


def taken(
    *answer: x509.Certificate, authority: Sequence[x509.Certificate] = OF_MIDDLE, client: bool = False
) -> Accepted:
    asked, purpose = (CLIENT_ASKED, Purpose.CLIENT) if client else (SERVER_ASKED, Purpose.SERVER)
    return accept(answer, asked, authority, purpose=purpose, now=NOW, name="web1.pem")


def told(
    *answer: x509.Certificate, authority: Sequence[x509.Certificate] = OF_MIDDLE, client: bool = False
) -> list[str]:
    with pytest.raises(Refused) as refused:
        taken(*answer, authority=authority, client=client)
    assert refused.value.message.startswith("web1.pem: ")
    assert all(fault.hint for fault in refused.value.faults)
    return [fault.message for fault in refused.value.faults]


def test_what_the_authority_signed_is_taken_with_the_intermediate_one() -> None:
    assert taken(SERVER_CERTIFICATE) == Accepted((SERVER_CERTIFICATE, MIDDLE_CERTIFICATE), ())
    assert taken(CLIENT_CERTIFICATE, client=True) == Accepted((CLIENT_CERTIFICATE, MIDDLE_CERTIFICATE), ())


@pytest.mark.parametrize("answer", [*permutations([SERVER_CERTIFICATE, MIDDLE_CERTIFICATE, ROOT_CERTIFICATE])])
def test_the_answer_may_be_in_any_order_and_the_root_is_left_out(answer: tuple[x509.Certificate, ...]) -> None:
    for authority in (OF_MIDDLE, OF_ROOT):
        assert taken(*answer, authority=authority).path == (SERVER_CERTIFICATE, MIDDLE_CERTIFICATE)


def test_an_intermediate_that_nobody_has_is_missed() -> None:
    assert "neither trusted nor sent along" in told(SERVER_CERTIFICATE, authority=OF_ROOT)[0]


OTHER = replace(
    ROOT, subject=subject("other"), key=ROOT_KEY, extensions=(limits(path_length=0), SIGNS, issuer_identifier(ROOT_KEY))
)
BY_OTHER = replace(SERVER_LEAF, issuer=subject("other"), signer=ROOT_KEY)


def with_names(*names: str) -> ByHand:
    given = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return replace(SERVER_LEAF, extensions=(*SERVER_LEAF.extensions[:4], (given, False)))


SERVERS: dict[str, tuple[tuple[ByHand, ...], list[str]]] = {
    "another key": ((replace(SERVER_LEAF, key=ROOT_KEY),), ["it is for another key than that of the request"]),
    "another use": ((CLIENT_LEAF,), ["it has no subject alternative names", "for clientAuth, not for serverAuth"]),
    "a name lacks": ((with_names("web1"),), ["it is for web1, not for web1.example"]),
    "ended": ((replace(SERVER_LEAF, start=NOW - 9 * DAY, end=NOW - DAY),), ["it has ended at"]),
    "not yet": ((replace(SERVER_LEAF, start=NOW + DAY),), ["it is not valid before"]),
    "another authority": ((replace(SERVER_LEAF, signer=ROOT_KEY),), ["did not sign it"]),
    "under the same root": ((BY_OTHER, OTHER), ["issued by CN=other, not by the store's authority CN=middle"]),
    "self-signed": ((replace(SERVER_LEAF, issuer=subject("web1"), signer=LEAF_KEY),), ["it is self-signed"]),
    "an authority": (
        (replace(SERVER_LEAF, extensions=(limits(), SIGNS, *SERVER_LEAF.extensions[2:])),),
        ["it is an authority's certificate"],
    ),
}
CLIENTS: dict[str, tuple[ByHand, list[str]]] = {
    "another use": (replace(SERVER_LEAF, subject=subject("ann")), ["for serverAuth, not for clientAuth"]),
    "another client": (replace(CLIENT_LEAF, subject=subject("eve")), ["it is for eve, not for ann"]),
    "nobody": (replace(CLIENT_LEAF, subject=subject("", "Acme")), ["it is for nobody, not for ann"]),
    "all of it": (
        replace(
            CLIENT_LEAF,
            key=ROOT_KEY,
            signer=ROOT_KEY,
            subject=subject("eve"),
            end=NOW - DAY / 2,
            extensions=(limits(), SIGNS, uses(Eku.SERVER_AUTH)),
        ),
        ["another key", "an authority's", "it is for eve", "did not sign it", "it has ended", "not for clientAuth"],
    ),
}


def same(messages: list[str], expected: list[str]) -> None:
    assert len(messages) == len(expected), messages
    for text in expected:
        assert any(text in message for message in messages), messages


@pytest.mark.parametrize("name", SERVERS)
def test_everything_against_a_servers_certificate_is_told_at_once(name: str) -> None:
    answer, expected = SERVERS[name]
    same(told(*(one.certificate for one in answer)), expected)


@pytest.mark.parametrize("name", CLIENTS)
def test_everything_against_a_clients_certificate_is_told_at_once(name: str) -> None:
    answer, expected = CLIENTS[name]
    same(told(answer.certificate, client=True), expected)


def test_what_is_odd_and_no_fault_is_noted() -> None:
    names = with_names("web1", "web1.example", "more.example").extensions[4]
    both = (*SERVER_LEAF.extensions[:2], uses(Eku.SERVER_AUTH, Eku.CLIENT_AUTH), SERVER_LEAF.extensions[3], names)
    notes = taken(replace(SERVER_LEAF, end=NOW + 9 * DAY, extensions=both).certificate).notes
    same(list(notes), ["in 9 days", "it may be used as clientAuth", "it is also for more.example"])
