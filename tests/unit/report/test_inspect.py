"""What is told of a file: for people, as JSON, and as PEM."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PublicFormat, pkcs12

from dockertls.pki.fitness import Role
from dockertls.pki.issue import Issued
from dockertls.pki.keys import certificate_pem, fingerprint, generate, key_fingerprint, private_pem
from dockertls.pki.parts import opened, parts_in
from dockertls.pki.revocation import Revoked, crl
from dockertls.report.inspect import Inspection, Terms, inspected, public_pem
from tests.unit.pki.by_hand import DAY, LEAF_KEY, MIDDLE, NOW, ROOT, ROOT_KEY, SERVER_LEAF, ByHand, subject

if TYPE_CHECKING:
    from dockertls.report.things import Thing

LEAF, MID, TOP = SERVER_LEAF.certificate, MIDDLE.certificate, ROOT.certificate
KEY = private_pem(LEAF_KEY)


def look(content: bytes, terms: Terms | None = None) -> Inspection:
    return inspected(parts_in(content, "x"), terms or Terms(NOW))


def shown(thing: Thing) -> dict[str, str]:
    return {row.cells[0].strip(): row.cells[1] for row in thing.table.rows}


def test_a_server_and_its_chain_and_key() -> None:
    found = look(certificate_pem([LEAF, MID]) + KEY)
    server, middle, key = found.things
    assert found.ok
    lines = shown(server)
    assert lines["for"] == "server"
    assert lines["names"] == "web1, web1.example"
    assert (lines["signature"], lines["key"]) == ("sha256", "ecdsa-p256")
    assert lines["valid until"].endswith("(300 days left)")
    assert server.data["fingerprint_sha256"] == fingerprint(LEAF)
    assert server.data["spki_sha256"] == key.data["spki_sha256"] == key_fingerprint(LEAF_KEY)
    assert (middle.data["for"], middle.data["root"]) == ("authority", False)
    assert (key.data["certificates"], shown(key)["pair with"]) == ([1], "certificate 1")
    assert found.whole is not None
    assert found.whole.kind == "chain"
    assert found.whole.data["in_order"] is True
    assert shown(found.whole)["leads to"] == "CN=root, which is not there"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (certificate_pem([LEAF]) + private_pem(ROOT_KEY), "not the key of the certificate beside it"),
        (certificate_pem([MID, LEAF]) + KEY, "it is the key of certificate 2"),
    ],
)
def test_a_key_that_does_not_belong_to_the_first_certificate(content: bytes, told: str) -> None:
    found = look(content)
    assert not found.ok
    key = next(thing for thing in found.things if thing.kind == "private key")
    assert key.is_unfit
    assert told in str(key.document["faults"])


def test_an_end_is_told_in_days_and_is_a_fault_when_it_has_come() -> None:
    made = replace(SERVER_LEAF, start=NOW - 9 * DAY, end=NOW - 2 * DAY)
    found = look(certificate_pem([made.certificate]))
    assert shown(found.things[0])["valid until"].endswith("(ended 2 days ago)")
    assert not found.ok
    assert [row.style for row in found.things[0].table.rows if row.cells[0] == "  fault"] == ["red"]
    assert look(certificate_pem([replace(SERVER_LEAF, end=NOW + DAY).certificate])).ok, "a warning alone"


def test_a_purpose_that_is_asked_for_is_that_of_the_first_certificate() -> None:
    content = certificate_pem([LEAF, MID])
    found = look(content, Terms(NOW, Role.CLIENT))
    assert [thing.data["judged_as"] for thing in found.things] == ["client", "authority"]
    assert not found.ok
    everything = look(content, Terms(NOW, Role.AUTHORITY))
    assert [thing.data["judged_as"] for thing in everything.things] == ["authority", "authority"]
    assert shown(everything.things[0])["for"] == "server; judged as authority"


def test_the_name_of_a_host_counts_for_the_first_certificate() -> None:
    content = certificate_pem([LEAF, MID])
    assert look(content, Terms(NOW, Role.SERVER, ("web1",))).ok
    assert not look(content, Terms(NOW, Role.SERVER, ("web2",))).ok


def test_what_is_damaged_is_among_the_rest() -> None:
    pem = certificate_pem([TOP])
    found = look(pem + pem[:80] + pem[120:] + certificate_pem([MID]))
    assert [thing.kind for thing in found.all] == ["certificate", "damaged", "certificate", "bundle"]
    assert [thing.number for thing in found.things] == [1, 1, 2]
    assert not found.ok
    assert "docker passes over it" in str(found.things[1].document)


def test_a_list_of_revoked_certificates() -> None:
    revoked = tuple(Revoked(0xABC0 + number, f"client {number}", NOW, "keyCompromise") for number in range(30))
    listed = crl(revoked, Issued(TOP, key=ROOT_KEY), now=NOW, number=7)
    (thing,) = look(listed.public_bytes(Encoding.PEM)).things
    assert thing.data["revoked"] == [one.hex for one in revoked]
    assert thing.data["entries"] == [
        {"serial": one.hex, "at": "2026-11-24T12:00:00Z", "reason": "keyCompromise"} for one in revoked
    ]
    lines = shown(thing)
    assert (lines["list number"], lines["revoked"], lines["issuer"]) == ("7", "30", "CN=root")
    assert sum(name.startswith(("abc", "abd")) for name in lines) == 20
    assert lines["and"].startswith("10 more")


def test_a_request_and_its_key() -> None:
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("web1")).sign(LEAF_KEY, hashes.SHA256())
    asked, key = look(request.public_bytes(Encoding.PEM) + KEY).things
    assert (asked.kind, asked.data["signature"], asked.data["signature_hash"]) == ("request", "good", "sha256")
    assert (key.data["requests"], key.data["certificates"]) == ([1], [])
    assert key.findings == ()


def test_a_pkcs12_is_in_no_order_and_its_root_is_in_place() -> None:
    content = pkcs12.serialize_key_and_certificates(
        b"we\x1bb", LEAF_KEY, LEAF, [TOP, MID], BestAvailableEncryption(b"x")
    )
    found = inspected(opened(parts_in(content, "x"), b"x", "x"), Terms(NOW))
    assert [thing.kind for thing in found.all] == [
        "pkcs12", "certificate", "certificate", "certificate", "private key", "chain",
    ]  # fmt: skip
    assert found.ok
    assert found.things[0].data["name"] == "we\\x1bb"
    assert not any(thing.findings for thing in found.all)


def test_the_other_forms_are_told() -> None:
    (binary,) = look(LEAF.public_bytes(Encoding.DER)).things
    assert "it is binary (DER), and docker reads PEM" in str(binary.document["faults"])
    assert not binary.is_unfit
    (marked,) = look(b"\xef\xbb\xbf" + certificate_pem([LEAF])).things
    assert marked.is_unfit


def hostile() -> ByHand:
    name = subject("we\x1b[31mb1\n\u202e", "a" * 60)
    names = x509.SubjectAlternativeName([x509.DNSName("a\x1b]0;x\x07b"), x509.RFC822Name("a\x1bb@c")])
    return replace(SERVER_LEAF, subject=name, issuer=name, extensions=((names, False), *SERVER_LEAF.extensions[:3]))


def test_nothing_of_a_certificate_is_told_as_it_is() -> None:
    found = look(certificate_pem([hostile().certificate, TOP]))
    text = json.dumps([thing.document for thing in found.all], ensure_ascii=False)
    cells = "".join(cell for thing in found.all for row in thing.table.rows for cell in row.cells)
    assert cells.isprintable()
    assert text.isprintable()


def test_a_name_of_any_length_is_cut_for_people() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"host{number}.example") for number in range(5000)])
    made = replace(SERVER_LEAF, extensions=((names, False), *SERVER_LEAF.extensions[:4]))
    (thing,) = look(certificate_pem([made.certificate])).things
    assert len(str(thing.data["names"])) > 50_000
    assert max(len(text) for text in shown(thing).values()) < 3000


def test_what_is_public_is_printed_and_no_key() -> None:
    public = generate("ed25519").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = b"# a note\n" + certificate_pem([LEAF]).replace(b"\n", b"\r\n") + KEY + certificate_pem([MID]) + public
    parts = parts_in(text, "x")
    assert b"".join(map(public_pem, parts)) == certificate_pem([LEAF, MID]) + public
    assert "PRIVATE" not in str([thing.document for thing in inspected(parts, Terms(NOW)).all])
