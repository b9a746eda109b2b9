"""A clock that is wrong, an authority that has ended, names that are mixed up: it is told, and nothing is made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
import typer

from dockertls.cli.console import Console
from dockertls.cli.decided import Restart
from dockertls.cli.issuing import client_requests, issue_all, make_authority, server_requests
from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
from dockertls.cli.renewing import Renew, renew_certificates
from dockertls.cli.rotating import Rotate, Rotator
from dockertls.cli.rotation import rotate
from dockertls.cli.session import Session
from dockertls.cli.signing import Signer
from dockertls.errors import DockerTLSError, NotReady, Refused
from dockertls.host import LocalHost
from dockertls.pki.constraints import told
from tests.e2e.program import snapshot

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
YES, LOOK = ChangeOptions(yes=True), ChangeOptions(check=True)
ALL = Renew((), (), every=True, within=None, new_key=False)


def signer(session: Session, change: ChangeOptions = YES, days: int | None = None) -> Signer:
    return Signer(session, KeyOptions(days=days), PassphraseOptions(no_passphrase=True), change)


def issue(session: Session, *names: str, change: ChangeOptions = YES) -> None:
    issue_all(session, signer(session, change), client_requests(names), change)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """An authority that lives for 30 days, a server and a client."""
    (tmp_path / "etc").mkdir()
    made = Session(Console(quiet=True), LocalHost(str(tmp_path)), PurePosixPath("/etc/dockertls"), NOW, {})
    make_authority(made, signer(made, days=30), None, ["example.org"], YES)
    issue(made, "ann")
    issue_all(made, signer(made), server_requests(["web1.example.org"], ()), YES)
    return made


def at(session: Session, moment: datetime) -> Session:
    return replace(session, started=moment)


@pytest.mark.parametrize("change", [YES, LOOK], ids=["done", "looked at"])
@pytest.mark.parametrize(
    ("moment", "told_of"),
    [(NOW - 3 * DAY, "not valid before"), (NOW + 31 * DAY, "has ended"), (NOW + 9000 * DAY, "has ended")],
    ids=["clock back", "ended", "clock far ahead"],
)
def test_nothing_is_made_by_a_clock_outside_of_the_authoritys_life(
    session: Session, moment: datetime, told_of: str, change: ChangeOptions
) -> None:
    there, before = at(session, moment), snapshot(Path(session.host.root))
    for name in ("ann", "bob"):
        with pytest.raises(DockerTLSError) as caught:
            issue(there, name, change=change)
        assert told_of in caught.value.message
        assert "clock" in caught.value.hint
    with pytest.raises((typer.Exit, DockerTLSError)):
        renew_certificates(there, ALL, signer(there, change), change, Restart.SAFE)
    assert snapshot(Path(session.host.root)) == before


def test_the_way_out_of_an_authority_that_has_ended_is_one(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    late = at(session, NOW + 31 * DAY)
    with pytest.raises(NotReady) as caught:
        make_authority(late, signer(late), None, (), YES)
    assert "ca rotate --compromised" in caught.value.hint
    with pytest.raises(typer.Exit):
        renew_certificates(late, ALL, signer(late), YES, Restart.SAFE)
    assert "ca rotate --compromised" in capsys.readouterr().err
    rotator = Rotator(late, signer(late), YES, Restart.SAFE)
    rotate(late, rotator, None, Rotate(compromised=True), now=False)
    issue(late, "bob")
    assert (Path(session.host.root) / "etc/dockertls/clients/bob/0001/cert.pem").exists()


def test_a_clock_that_was_set_back_makes_nothing_that_is_there_anew(session: Session) -> None:
    """The authority is older than what was signed last."""
    later = at(session, NOW + 9 * DAY)
    issue_all(later, signer(later, days=20), client_requests(["eve"]), YES)
    before = snapshot(Path(session.host.root))
    with pytest.raises(NotReady, match="client eve is not valid before"):
        issue(at(session, NOW + DAY), "eve")
    assert snapshot(Path(session.host.root)) == before


def test_no_successor_is_made_by_a_clock_that_was_set_back(session: Session) -> None:
    early = at(session, NOW - 3 * DAY)
    with pytest.raises(NotReady, match="authority is not valid before"):
        signer(early).next_authority()


def test_a_successor_keeps_the_limits(session: Session) -> None:
    current = session.store.current("ca")
    assert current
    assert told(signer(session).next_authority().certificate) == told(current.certificate)


def test_a_leaf_ends_with_its_authority(session: Session) -> None:
    issue_all(session, signer(session, days=300), client_requests(["long"]), YES)
    leaf, authority = session.store.current("client", "long"), session.store.current("ca")
    assert leaf
    assert authority
    assert leaf.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_a_name_that_differs_in_case_alone_is_refused(session: Session) -> None:
    for names in (["Ann"], ["Bob", "bob"]):
        with pytest.raises(Refused) as caught:
            issue(session, *names)
        assert "capital letters" in caught.value.message
        assert f"take {names[0].lower() if len(names) == 1 else 'Bob'}" in caught.value.hint
    issue(session, "ann")


def test_what_is_outside_of_the_limits_is_refused_in_a_look_too(session: Session) -> None:
    for change in (YES, LOOK):
        with pytest.raises(Refused, match=r"other\.example is outside of what"):
            issue_all(session, signer(session, change), server_requests(["other.example"], ()), change)


def test_a_standby_is_told_once_a_run(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(session.host.root) / "etc/dockertls/clients/ann/current").unlink()
    issue(session, "ann")
    issue(session, "ann")
    assert capsys.readouterr().err.count("/etc/dockertls/clients/ann/current is missing") == 1
