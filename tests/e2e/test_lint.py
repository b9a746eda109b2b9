"""A linter of RFC 5280 has nothing to say of what is issued, whatever its profile, key and authority."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dockertls.pki.keys import load_certificates
from dockertls.pki.profiles import CA, TABLE
from dockertls.pki.revocation import LIFETIME, REASONS, Revoked, crl
from tests.e2e.issued import DAY, NOW, REQUESTS, SIGNERS, SORTS, Authority, authority
from tests.e2e.linting import NAME_FORM, WAIVED, besides_waived, linted, linted_chain, linted_list
from tests.e2e.openssl import P256, RSA, Signer
from tests.unit.pki.by_hand import ROOT, SERVER_LEAF

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.program import Place


@pytest.fixture(scope="module", params=product(SIGNERS, SORTS), ids="-".join)
def issuing(request: pytest.FixtureRequest) -> Authority:
    return authority(*request.param)


def test_every_profile_is_linted() -> None:
    assert {CA.name, *(one.profile.name for one in REQUESTS.values())} == set(TABLE)


def test_the_linter_has_nothing_to_say_of_certificates_and_their_chains(issuing: Authority) -> None:
    for _, leaf in issuing.everything():
        path = (leaf.certificate, *leaf.chain, issuing.root)
        assert [finding for one in path for finding in besides_waived(linted(one))] == []
        assert linted_chain(path) == []


def test_what_is_waived_is_there_for_its_reason_alone(issuing: Authority) -> None:
    """Else the waiver would be kept when it is needed no more."""
    found = linted(issuing.issue(issuing.kind, "server").certificate)
    assert {code for code, _ in found} == {NAME_FORM} == set(WAIVED)
    assert {told.split('"')[1] for _, told in found} == {"localhost", "*.wild.example.org"}
    assert linted(issuing.issue(issuing.kind, "server-for-long").certificate) == []


def test_the_linter_has_nothing_to_say_of_revocation_lists(issuing: Authority) -> None:
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
