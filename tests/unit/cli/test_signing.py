"""One authority signs all of a run, however often a plan is made anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import apply
from dockertls.cli.console import Console
from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
from dockertls.cli.session import Session
from dockertls.cli.signing import LeafRequest, Signer
from dockertls.errors import NotReady
from dockertls.host import LocalHost
from dockertls.pki.revocation import RECORD, Revoked, record
from dockertls.plan import Change, File, Plan

if TYPE_CHECKING:
    from cryptography import x509

ANN = LeafRequest("client", "ann", "ann")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    store = PurePosixPath("/etc/dockertls")
    return Session(Console(quiet=True), LocalHost(str(tmp_path)), store, datetime.now(UTC), {})


def signer(session: Session) -> Signer:
    return Signer(session, KeyOptions(), PassphraseOptions(no_passphrase=True), ChangeOptions())


def issued_by(leaf: x509.Certificate, authority: x509.Certificate) -> None:
    leaf.verify_directly_issued_by(authority)


def test_the_second_plan_has_the_same_authority_and_it_signs(session: Session) -> None:
    signs = signer(session)
    first = signs.authority_in_use()
    issued_by(signs.leaf(ANN, first.generation).generation.certificate, first.generation.certificate)
    second = signs.authority_in_use()
    assert second.generation.cert_pem == first.generation.cert_pem
    issued_by(signs.leaf(ANN, second.generation).generation.certificate, second.generation.certificate)


def test_an_authority_that_another_run_made_meanwhile_signs(session: Session) -> None:
    slow, fast = signer(session), signer(session)
    given_up = slow.authority_in_use()
    (Path(session.host.root) / "etc").mkdir()
    apply(fast.authority_in_use().plan, session.host, session.run())
    kept = slow.authority_in_use()
    assert kept.generation.cert_pem != given_up.generation.cert_pem
    assert not kept.plan
    issued_by(slow.leaf(ANN, kept.generation).generation.certificate, kept.generation.certificate)


def test_a_revoked_certificate_has_no_successor(session: Session) -> None:
    signs = signer(session)
    (Path(session.host.root) / "etc").mkdir()
    authority = signs.authority_in_use()
    apply(authority.plan, session.host, session.run())
    ann = signs.leaf(ANN, authority.generation)
    apply(ann.plan, session.host, session.run())
    assert signs.renewed(ann.generation, authority.generation).plan
    revoked = Revoked(ann.generation.certificate.serial_number, "client ann", session.started)
    change = Change(authority.generation.path / RECORD, None, File(record([revoked]), 0o600), "revoked")
    apply(Plan("revoked", (change,)), session.host, session.run())
    with pytest.raises(NotReady, match="was revoked"):
        signs.renewed(ann.generation, authority.generation)
    assert signs.leaf_in_use(authority.generation, ANN).plan, "a new one, of a new key"
