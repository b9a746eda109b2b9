"""Certificates of the store that must not be put into use: refused before anything of the host is touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, load_certificates, load_private, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockertls.pki.profiles import Profile
    from tests.e2e.program import Place

NOW = datetime.now(UTC)
MONTH = timedelta(days=30)


def authority(place: Place) -> Issued:
    folder = place.store / "ca/0001"
    (certificate,) = load_certificates((folder / "cert.pem").read_bytes())
    return Issued(certificate, (), load_private((folder / "key.pem").read_bytes(), name="the key"))


def stranger() -> Issued:
    return issue(Request(CA, "stranger"), generate("ecdsa-p256"), None, now=NOW, serial=1)


def put(place: Place, name: str, profile: Profile, by: Issued, *, at: datetime = NOW, life: timedelta = MONTH) -> None:
    """Let the store's certificate in use be another one, with its key."""
    names = parse_names(["web1", "localhost", "127.0.0.1", "::1"]) if profile is SERVER else ()
    made = issue(Request(profile, "web1", names, life), generate("ecdsa-p256"), by, now=at, serial=7)
    assert made.key is not None
    folder = place.store / name / "0001"
    (folder / "cert.pem").write_bytes(certificate_pem([made.certificate]))
    (folder / "key.pem").write_bytes(private_pem(made.key))


def expired(place: Place) -> None:
    ours = authority(place)
    put(place, "servers/web1", SERVER, ours, at=ours.certificate.not_valid_before_utc, life=timedelta(minutes=10))


def of_another_authority(place: Place) -> None:
    put(place, "servers/web1", SERVER, stranger())


def of_a_client(place: Place) -> None:
    put(place, "servers/web1", CLIENT, authority(place))


def without_its_key(place: Place) -> None:
    (place.store / "servers/web1/0001/key.pem").write_bytes(private_pem(generate("ecdsa-p256")))


def client_without_its_key(place: Place) -> None:
    put(place, "servers/web1", SERVER, authority(place))
    (place.store / "clients/ann/0001/key.pem").write_bytes(private_pem(generate("ecdsa-p256")))


BAD: dict[Callable[[Place], None], str] = {
    expired: "the server's certificate, expiry: it has ended",
    of_another_authority: "the server's certificate, chain: ",
    of_a_client: "the server's certificate, purpose: it is for clientAuth",
    without_its_key: "key.pem is not the key of cert.pem beside it",
    client_without_its_key: "the client's key is not the key of its certificate",
}
COMMANDS = {
    "server install": ("server", "install", "web1"),
    "daemon configure": ("daemon", "configure", "--server", "web1", "--port", "2377"),
}


@pytest.mark.parametrize("injure", BAD, ids=lambda injure: injure.__name__)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", ["--yes", "--dry-run"])
def test_what_would_not_work_is_refused_before_anything_is_touched(
    secured: Place, command: str, injure: Callable[[Place], None], how: str
) -> None:
    injure(secured)
    before = secured.untouched
    ran = secured.run(*COMMANDS[command], "--replace", how)
    assert (ran.code, secured.untouched) == (3, before), ran
    assert BAD[injure] in ran.err
    assert secured.run("--json", *COMMANDS[command], "--replace", how).document["error"]["kind"] == "refused"


def test_a_certificate_that_is_good_goes_through(secured: Place) -> None:
    put(secured, "servers/web1", SERVER, authority(secured))
    secured.done(*COMMANDS["server install"], "--yes")
    assert "nothing to do" in secured.done(*COMMANDS["server install"], "--yes").err


def test_an_address_to_listen_on_that_the_certificate_is_not_for(secured: Place) -> None:
    """The client would be told to use it; without a name given, the certificate in use is kept."""
    before = secured.untouched
    ran = secured.run("bootstrap", "--client", "ann", "--listen", "192.0.2.7", "--yes")
    assert (ran.code, secured.untouched) == (3, before), ran
    assert "not for 192.0.2.7" in ran.err
    assert "issue it again with 192.0.2.7 among its names" in ran.err


def test_names_that_a_certificate_lacks_are_told_and_no_reason_to_refuse_it(secured: Place) -> None:
    secured.done("server", "issue", "web7", "--yes")
    ran = secured.done("server", "install", "web7", "--yes")
    assert "the certificate is not for" in ran.err
    assert "127.0.0.1" in ran.err
