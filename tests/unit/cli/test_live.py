"""The proof that ends a change, against the stand-in: it holds, or it says why it does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockertls.cli.installing import from_here
from dockertls.cli.live import Proof, is_served
from dockertls.errors import NotReady
from dockertls.findings import NotApplicable, Passed, Unknown
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import PrivateKey, certificate_pem, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.standin import stand_in

NOW = datetime.now(UTC)
WITHOUT_A_CLIENT = {
    "reachable",
    "tls-version",
    "chain",
    "name",
    "expiry",
    "purpose",
    "key-strength",
    "signature",
    "client-required",
    "legacy-refused",
    "plaintext-refused",
    "plaintext-port-closed",
    "served-is-current",
}
OF_A_STAND_IN = {"accepted-authorities": Unknown, "purpose-required": NotApplicable}
"""It cannot name whom it lets in, and nobody hands the proof a server's key."""
"""What can be told of a daemon where there is nobody whom it lets in."""


def made(request: Request, issuer: Issued | None, serial: int) -> tuple[Issued, bytes, bytes]:
    key: PrivateKey = generate("ecdsa-p256")
    issued = issue(request, key, issuer, now=NOW, serial=serial)
    return issued, certificate_pem([issued.certificate]), private_pem(key)


ROOT, CA_PEM, ROOT_KEY = made(Request(CA, "ours"), None, 1)
OTHER, OTHER_PEM, OTHER_KEY = made(Request(CA, "theirs"), None, 2)
SERVED, CERT, KEY = made(Request(SERVER, "h", tuple(parse_names(["localhost", "127.0.0.1"]))), ROOT, 3)
MISNAMED, WRONG_CERT, WRONG_KEY = made(Request(SERVER, "h", tuple(parse_names(["elsewhere.example"]))), ROOT, 4)
ANN, CLIENT_CERT, CLIENT_KEY = made(Request(CLIENT, "ann"), ROOT, 5)
MATERIAL = ClientMaterial(CA_PEM, CLIENT_CERT, CLIENT_KEY)


def test_a_daemon_as_it_shall_be_is_proven() -> None:
    with stand_in(CA_PEM, CERT, KEY) as endpoint:
        proof = Proof(endpoint, MATERIAL, NOW, SERVED.certificate)
        proof()
        odd = {one.id: type(one.verdict) for one in proof.findings if not isinstance(one.verdict, Passed)}
        assert odd == OF_A_STAND_IN
        assert {"served-is-current", "api"} < {finding.id for finding in proof.findings}
        assert is_served(endpoint, MATERIAL, SERVED.certificate)
        assert not is_served(endpoint, MATERIAL, MISNAMED.certificate)


@pytest.mark.parametrize(
    ("files", "material", "told"),
    [
        ((CA_PEM, WRONG_CERT, WRONG_KEY), MATERIAL, "name: "),
        ((CA_PEM, CERT, KEY), ClientMaterial(OTHER_PEM, CLIENT_CERT, CLIENT_KEY), "chain: "),
        ((OTHER_PEM, CERT, KEY), MATERIAL, "api: "),
    ],
    ids=["wrong name", "server of another authority", "client of another authority"],
)
def test_a_daemon_that_is_not_is_told(files: tuple[bytes, bytes, bytes], material: ClientMaterial, told: str) -> None:
    with stand_in(*files) as endpoint, pytest.raises(NotReady, match=f"the live check of .*{told}"):
        Proof(endpoint, material, NOW, SERVED.certificate)()


def test_a_daemon_that_serves_another_certificate_is_told() -> None:
    with stand_in(CA_PEM, CERT, KEY) as endpoint, pytest.raises(NotReady, match="served-is-current: another"):
        Proof(endpoint, MATERIAL, NOW, MISNAMED.certificate)()


def test_without_a_client_what_can_be_proven_is() -> None:
    nobody = ClientMaterial(CA_PEM)
    with stand_in(CA_PEM, CERT, KEY) as endpoint:
        proof = Proof(endpoint, nobody, NOW, SERVED.certificate)
        proof()
        assert {finding.id for finding in proof.findings if isinstance(finding.verdict, Passed)} == WITHOUT_A_CLIENT
        assert is_served(endpoint, nobody, SERVED.certificate)
        with pytest.raises(NotReady, match="served-is-current"):
            Proof(endpoint, nobody, NOW, MISNAMED.certificate)()


def test_the_daemon_is_called_by_a_name_that_its_certificate_is_for() -> None:
    assert from_here("127.0.0.1", 2376, SERVED.certificate).url == "tcp://127.0.0.1:2376"
    called = from_here("127.0.0.1", 2376, MISNAMED.certificate)
    assert (called.url, called.via) == ("tcp://elsewhere.example:2376", "127.0.0.1")
    wildcard, _, _ = made(Request(SERVER, "h", tuple(parse_names(["*.example.net"]))), ROOT, 6)
    assert from_here("127.0.0.1", 2376, wildcard.certificate).host == "any.example.net"


def test_a_name_that_nobody_resolves_takes_nothing_back() -> None:
    with stand_in(CA_PEM, WRONG_CERT, WRONG_KEY) as endpoint:
        called = from_here(endpoint.host, endpoint.port, MISNAMED.certificate)
        proof = Proof(called, MATERIAL, NOW, MISNAMED.certificate)
        proof()
        odd = {one.id: type(one.verdict) for one in proof.findings if not isinstance(one.verdict, Passed)}
        assert odd == OF_A_STAND_IN
