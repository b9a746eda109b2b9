"""A linter of RFC 5280 has nothing to say of what is issued, whatever its profile, key and authority."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from dockertls.pki.constraints import parse_limits
from dockertls.pki.issue import Issued, Request, ca_name, issue
from dockertls.pki.keys import KINDS, PrivateKey, generate, load_certificates, public_of
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER, TABLE
from dockertls.pki.revocation import LIFETIME, REASONS, Revoked, crl
from tests.e2e.linting import NAME_FORM, WAIVED, besides_waived, linted, linted_chain, linted_list
from tests.e2e.openssl import P256, RSA, Signer
from tests.unit.pki.by_hand import ROOT, SERVER_LEAF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.program import Place

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
LIMITS = parse_limits(["example.org", "10.0.0.0/8", "fd00::/8"])
HOSTS = ("web1.example.org", "localhost", "*.wild.example.org", "xn--bcher-kva.example.org", "a_b.example.org")
ADDRESSES = ("10.0.0.5", "::1")
LONG = f"{'x' * 60}.{'y' * 60}.example.org"
AUTHORITIES = ("root", "limited", "below", "limited-below", "ending")

REQUESTS = {
    "server": Request(SERVER, HOSTS[0], parse_names((*HOSTS, *ADDRESSES))),
    "server-by-address": Request(SERVER, ADDRESSES[0], parse_names(ADDRESSES)),
    "server-of-a-long-name": Request(SERVER, LONG, parse_names([LONG])),
    "server-for-long": Request(SERVER, HOSTS[0], parse_names(HOSTS[:1]), SERVER.longest),
    "client": Request(CLIENT, "Zoë"),
    "client-for-a-day": Request(CLIENT, "ann@example.org", lifetime=DAY),
    "client-with-names": Request(CLIENT, "build", parse_names(HOSTS[:1])),
}


@cache
def key(kind: str, who: str) -> PrivateKey:  # noqa: ARG001 - each role has its own key
    return ec.generate_private_key(ec.SECP521R1()) if kind == "ecdsa-p521" else generate(kind)


@dataclass(frozen=True)
class Authority:
    """One that issues, and the root above it."""

    issuer: Issued
    root: x509.Certificate

    def issue(self, kind: str, what: str) -> Issued:
        return issue(REQUESTS[what], public_of(key(kind, "leaf")), self.issuer, now=NOW, serial=1 << 158)


def authority(kind: str, sort: str) -> Authority:
    """Of one's own or imported. But for `ending` it ends after 2050, when dates are written in another way."""
    limits = LIMITS if sort.startswith("limited") else None
    life = DAY if sort == "ending" else CA.longest
    profile = replace(CA, path_length=None) if sort.endswith("below") else CA
    request = Request(profile, ca_name(NOW, f"{kind} {sort}"), (), life, limits)
    root = issue(request, key(kind, "root"), None, now=NOW, serial=(1 << 159) - 1)
    if not sort.endswith("below"):
        return Authority(root, root.certificate)
    below = issue(Request(CA, f"{sort} {kind}", limits=limits), key(kind, "middle"), root, now=NOW, serial=2)
    return Authority(replace(below, chain=(root.certificate,)), root.certificate)


@pytest.fixture(scope="module", params=[(kind, sort) for kind in (*KINDS, "ecdsa-p521") for sort in AUTHORITIES])
def signing(request: pytest.FixtureRequest) -> tuple[str, Authority]:
    kind, sort = request.param
    return kind, authority(kind, sort)


def paths(kind: str, signing: Authority) -> Iterator[tuple[x509.Certificate, ...]]:
    """All that one authority issues, for keys of every kind, each with those above it, the root too."""
    others = [(other, what) for other in KINDS if other != kind for what in ("server", "client")]
    for leaf_kind, what in [*((kind, what) for what in REQUESTS), *others]:
        leaf = signing.issue(leaf_kind, what)
        yield (leaf.certificate, *leaf.chain, signing.root)


def test_every_profile_is_linted() -> None:
    assert {CA.name, *(one.profile.name for one in REQUESTS.values())} == set(TABLE)


def test_the_linter_has_nothing_to_say_of_certificates_and_their_chains(signing: tuple[str, Authority]) -> None:
    for path in paths(*signing):
        assert [finding for one in path for finding in besides_waived(linted(one))] == []
        assert linted_chain(path) == []


def test_what_is_waived_is_there_for_its_reason_alone(signing: tuple[str, Authority]) -> None:
    """Else the waiver would be kept when it is needed no more."""
    kind, issuing = signing
    found = linted(issuing.issue(kind, "server").certificate)
    assert {code for code, _ in found} == {NAME_FORM} == set(WAIVED)
    assert {told.split('"')[1] for _, told in found} == {"localhost", "*.wild.example.org"}
    assert linted(issuing.issue(kind, "server-for-long").certificate) == []


def test_the_linter_has_nothing_to_say_of_revocation_lists(signing: tuple[str, Authority]) -> None:
    _, issuing = signing
    every = [Revoked(serial, "client ann", NOW, reason) for serial, reason in enumerate(REASONS, 1)]
    for revoked, lifetime in (([], LIFETIME), (every, LIFETIME), (every, CA.longest)):
        assert linted_list(crl(revoked, issuing.issuer, now=NOW, number=1 << 70, lifetime=lifetime)) == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("sort", [P256, RSA], ids=["ecdsa-p256", "rsa-2048"])
def test_the_linter_has_nothing_to_say_of_a_store_whose_authority_was_imported(
    fresh: Place, tmp_path: Path, sort: tuple[str, ...]
) -> None:
    root = Signer.root(tmp_path, "root", *sort)
    middle = root.below("middle")
    fresh.done("ca", "import", middle.cert, middle.key, "--chain", root.cert, "--no-passphrase", "--yes")
    fresh.done("server", "issue", "web1.example.org", "--yes")
    fresh.done("client", "issue", "ann", "bob", "--key", "rsa-2048", "--yes")
    fresh.done("client", "revoke", "bob", "--reason", "keyCompromise", "--yes")
    chains = [load_certificates(file.read_bytes()) for file in fresh.store.glob("*/*/0001/cert.pem")]
    assert [len(chain) for chain in chains] == [2, 2, 2]
    for chain in chains:
        assert [finding for one in chain for finding in besides_waived(linted(one))] == []
        assert linted_chain((*chain, *load_certificates(root.cert.read_bytes()))) == []
    assert linted_list(x509.load_pem_x509_crl((fresh.store / "ca/0001/crl.pem").read_bytes())) == []


def test_the_linter_is_awake() -> None:
    no_usage = replace(ROOT, extensions=ROOT.extensions[:1])
    assert "pkix.ca_certificate_no_ku_extension" in {code for code, _ in linted(no_usage.certificate)}
    assert {code for code, _ in linted_chain((SERVER_LEAF.certificate, ROOT.certificate))} == {
        "pkix.issuer_and_subject_dn_not_binary_equal",
        "pkix.issuer_and_subject_key_identifier_not_equal",
        "pkix.signature_verification_failed",
    }
    bare = x509.CertificateRevocationListBuilder(ROOT.subject, NOW, NOW + DAY).sign(ROOT.key, hashes.SHA256())
    assert {code for code, _ in linted_list(bare)} == {
        "pkix.crl_number_missing",
        "pkix.authority_key_identifier_missing",
    }
