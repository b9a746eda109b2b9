"""What a docker-machine left: taken over whole, or everything that speaks against it told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.client.docker_machine import CA, CA_KEY, CERT, KEY, Left, judge, wanted
from dockertls.errors import Refused
from dockertls.pki.keys import PrivateKey, certificate_pem, load_private, private_pem
from tests.unit.pki.by_hand import DAY, LEAF_KEY, MIDDLE_KEY, NOW, ROOT_KEY, ByHand, limits, subject, uses

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=True,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
AUTHORITY = ByHand(subject("", "ann"), subject("", "ann"), extensions=(limits(), (USAGE, True)))
CLIENT = ByHand(
    subject("", "ann.<bootstrap>"),
    subject("", "ann"),
    MIDDLE_KEY,
    extensions=(uses(Eku.CLIENT_AUTH),),
    end=NOW + 90 * DAY,
)


def server(name: str, address: str) -> ByHand:
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")])
    return replace(
        CLIENT, subject=subject("", f"ann.{name}"), key=LEAF_KEY, extensions=(uses(Eku.SERVER_AUTH), (names, False))
    )


def pem(by_hand: ByHand) -> bytes:
    return certificate_pem([by_hand.certificate])


def machine(name: str, by_hand: ByHand, address: str = "10.0.0.5", key: PrivateKey = LEAF_KEY) -> dict[str, bytes]:
    config = json.dumps({"Driver": {"IPAddress": address, "MachineName": name}}).encode()
    files = {"server.pem": pem(by_hand), "server-key.pem": private_pem(key), "config.json": config}
    return {f"machines/{name}/{file}": content for file, content in files.items()}


CERTS = {CA: pem(AUTHORITY), CA_KEY: private_pem(ROOT_KEY), CERT: pem(CLIENT), KEY: private_pem(MIDDLE_KEY)}
TREE = CERTS | machine("web1", server("web1", "10.0.0.5")) | machine("web_2", server("web2", "10.0.0.6"), "10.0.0.6")
MACHINES = ("web1", "web_2")


def left(files: Mapping[str, bytes], machines: tuple[str, ...] = MACHINES) -> Left:
    return judge(files, machines, lambda content, name: load_private(content, name=name), NOW)


def told(files: Mapping[str, bytes], machines: tuple[str, ...] = MACHINES) -> list[str]:
    with pytest.raises(Refused) as refused:
        left(files, machines)
    assert all(fault.hint for fault in refused.value.faults)
    return [fault.message for fault in refused.value.faults]


def test_every_file_that_is_read_is_named_before() -> None:
    assert set(TREE) == set(wanted(MACHINES))


def test_authority_client_and_machines_are_taken_over() -> None:
    found = left(TREE)
    assert certificate_pem([found.authority]) == TREE[CA]
    assert found.key is not None
    assert [(leaf.role, leaf.name, leaf.address) for leaf in found.leaves] == [
        ("client", "docker-machine", ""),
        ("server", "web1", "10.0.0.5"),
        ("server", "web_2", "10.0.0.6"),
    ]


def test_what_they_lack_is_said_once() -> None:
    notes = left(TREE).notes
    assert len(notes) == len(set(notes))
    for text in ("no common name", "no key identifiers", "O=ann: Python 3.13 and later refuse it"):
        assert sum(text in note for note in notes) == 1, notes


def test_a_machine_that_has_ended_is_taken_over_and_named() -> None:
    ended = replace(server("web1", "10.0.0.5"), start=NOW - 9 * DAY, end=NOW - timedelta(hours=1))
    found = left(TREE | machine("web1", ended))
    assert [leaf.name for leaf in found.leaves] == ["docker-machine", "web1", "web_2"]
    assert any(note.startswith("machines/web1: it has ended at") for note in found.notes)


def test_a_machine_without_a_certificate_is_left_out_and_named() -> None:
    found = left(CERTS, ("gone",))
    assert [leaf.name for leaf in found.leaves] == ["docker-machine"]
    assert "machines/gone: it has no certificate, and was left out" in found.notes


def test_a_machine_whose_name_no_server_can_have_is_known_by_its_address() -> None:
    found = left(CERTS | machine("a b", server("x", "10.0.0.5")), ("a b",))
    assert found.leaves[-1].name == "10.0.0.5"


def test_an_authority_without_its_key_signs_elsewhere() -> None:
    assert left({path: content for path, content in TREE.items() if path != CA_KEY}).key is None


OTHER = replace(AUTHORITY, subject=subject("", "bob"), issuer=subject("", "bob"))
FAULTS: dict[str, tuple[dict[str, bytes], list[str]]] = {
    "no authority": ({CA: b""}, ["certs/ca.pem is empty"]),
    "damaged key": ({CA_KEY: b"xx"}, ["certs/ca-key.pem is not PEM"]),
    "another key": ({CA_KEY: private_pem(LEAF_KEY)}, ["the key is not that of the certificate"]),
    "ended": (
        {CA: pem(replace(AUTHORITY, end=NOW - DAY / 2))},
        ["it has ended at 2026-11-24T00:00:00Z"],
    ),
    "another client": ({KEY: private_pem(LEAF_KEY)}, ["certs/key.pem is not the key of certs/cert.pem"]),
    "half a machine": ({"machines/web1/server-key.pem": b""}, ["machines/web1/server-key.pem is empty"]),
    "another authority's machine": (
        {"machines/web1/server.pem": pem(replace(server("web1", "10.0.0.5"), issuer=subject("", "bob")))},
        ["machines/web1: its issuer is neither trusted nor sent along"],
    ),
    "files swapped": (
        {"machines/web1/server.pem": pem(replace(CLIENT, key=LEAF_KEY))},
        ["web1: it is for clientAuth, not for serverAuth"],
    ),
    "all of it": (
        {
            CA_KEY: b"xx",
            CERT: b"",
            "machines/web1/server.pem": b"xx",
            "machines/web_2/server-key.pem": private_pem(ROOT_KEY),
        },
        [
            "certs/ca-key.pem is not PEM",
            "certs/cert.pem is empty",
            "machines/web1/server.pem is not PEM",
            "machines/web_2/server-key.pem is not the key of machines/web_2/server.pem",
        ],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_everything_that_cannot_be_taken_over_is_named(name: str) -> None:
    files, expected = FAULTS[name]
    messages = told(TREE | files)
    for text in expected:
        assert any(text in message for message in messages), messages


def test_two_machines_of_one_name_are_refused() -> None:
    files = CERTS | machine("Web1", server("a", "10.0.0.5")) | machine("web1", server("b", "10.0.0.6"))
    assert told(files, ("Web1", "web1")) == ["2 machines would be the server web1"]


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b'{"Driver": 1}', b'{"Driver": {"IPAddress": 5}}'])
def test_a_config_that_cannot_be_read_is_missed_only_where_the_name_does_not_do(config: bytes) -> None:
    files = TREE | {"machines/web1/config.json": config}
    assert left(files).leaves[1].name == "web1"
    odd = CERTS | machine("a b", server("x", "10.0.0.5")) | {"machines/a b/config.json": config}
    assert told(odd, ("a b",)) == ["machines/a b: a server cannot be called so, and has no address"]
