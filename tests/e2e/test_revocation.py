"""A revoked certificate, before judges that read lists, and on a host that must not have it again."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.pki.issue import Issued
from dockertls.pki.keys import KINDS, load_certificates, load_private
from dockertls.pki.revocation import crl
from tests.e2e.lab import PROGRAM
from tests.e2e.linting import linted_list
from tests.e2e.program import PATIENCE, Place, command, dockertls, environment
from tests.e2e.rotating import SIGNED, refused, secured
from tests.e2e.test_rotation import carried_over

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = ("client", "install", "bob", "--context", "web", "--endpoint", "tcp://web1:2376", "--yes")


def openssl(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, words)], check=False, capture_output=True, text=True)


def leaf(place: Place, role: str, name: str, number: str = "current") -> Path:
    return place.store / f"{role}s/{name}/{number}/cert.pem"


def serial(certificate: Path) -> str:
    return openssl("x509", "-noout", "-serial", "-in", certificate).stdout.strip().partition("=")[2]


def crl_file(place: Place) -> Path:
    return place.store / "ca/0001/crl.pem"


def verified(place: Place, certificate: Path, *, authority: str = "0001") -> str:
    """What OpenSSL says of a certificate when it reads the list."""
    ca = place.store / f"ca/{authority}/cert.pem"
    ran = openssl("verify", "-x509_strict", "-crl_check", "-CRLfile", crl_file(place), "-CAfile", ca, certificate)
    return "OK" if ran.returncode == 0 else ran.stdout + ran.stderr


def number(place: Place) -> int:
    told = openssl("crl", "-noout", "-crlnumber", "-in", crl_file(place)).stdout
    return int(told.strip().partition("=")[2], 16)


@pytest.fixture
def two(house: Place, tmp_path: Path) -> Place:
    """A host with two clients: ann in ~/.docker, bob in a docker context."""
    place = house.copied(tmp_path / "root")
    place.done("client", "issue", "bob", "--yes")
    place.done(*CONTEXT)
    return place


# the list


@pytest.mark.needs("openssl")
def test_openssl_refuses_who_is_revoked_and_nobody_else(two: Place) -> None:
    two.done("client", "revoke", "ann", "--reason", "keyCompromise", "--yes")
    assert "certificate revoked" in verified(two, leaf(two, "client", "ann"))
    assert verified(two, leaf(two, "client", "bob")) == "OK"
    assert verified(two, leaf(two, "server", "web1")) == "OK"
    text = openssl("crl", "-noout", "-text", "-in", crl_file(two)).stdout
    assert f"Serial Number: {serial(leaf(two, 'client', 'ann'))}" in text
    assert "Key Compromise" in text
    ca = two.store / "ca/0001/cert.pem"
    assert "verify OK" in openssl("crl", "-noout", "-CAfile", ca, "-in", crl_file(two)).stderr


@pytest.mark.needs("openssl")
def test_the_number_of_the_list_grows_by_one_and_its_end_is_in_thirty_days(two: Place) -> None:
    for expected, words in enumerate((("ca", "crl"), ("client", "revoke", "ann"), ("client", "revoke", "bob")), 1):
        two.done(*words, "--yes")
        assert number(two) == expected
    assert "certificate revoked" in verified(two, leaf(two, "client", "ann"))
    assert "certificate revoked" in verified(two, leaf(two, "client", "bob"))
    dates = openssl("crl", "-noout", "-lastupdate", "-nextupdate", "-dateopt", "iso_8601", "-in", crl_file(two)).stdout
    began, until = (datetime.fromisoformat(line.partition("=")[2]) for line in dates.split("\n")[:2])
    assert until - began == timedelta(days=30)


@pytest.mark.needs("openssl", "gnutls")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_authority_signs_a_list_that_judges_accept(kind: str, fresh: Place) -> None:
    fresh.done("ca", "init", "--key", kind, "--no-passphrase", "--yes")
    fresh.done("client", "issue", "ann", "bob", "--yes")
    fresh.done("client", "revoke", "ann", "--reason", "superseded", "--yes")
    assert "certificate revoked" in verified(fresh, leaf(fresh, "client", "ann"))
    assert verified(fresh, leaf(fresh, "client", "bob")) == "OK"
    argv = ["certtool", "--verify-crl", f"--load-ca-certificate={fresh.store / 'ca/0001/cert.pem'}"]
    gnutls = subprocess.run([*argv, f"--infile={crl_file(fresh)}"], check=False, capture_output=True, text=True)
    assert "Verification output: Verified." in gnutls.stdout, gnutls
    assert linted_list(x509.load_pem_x509_crl(crl_file(fresh).read_bytes())) == []


@pytest.mark.needs("openssl")
def test_the_list_is_shown_and_printed(two: Place) -> None:
    two.done("client", "revoke", "ann", "--yes")
    shown = two.done("ca", "crl").out
    assert serial(leaf(two, "client", "ann")).lower().lstrip("0") in shown
    assert "client ann" in shown
    assert two.done("ca", "crl", "--pem").out == crl_file(two).read_text()
    (listed,) = two.done("--json", "ca", "crl").document["data"]
    assert (listed["number"], listed["new"], listed["pem"]) == (1, False, crl_file(two).read_text())
    assert [(one["name"], one["reason"]) for one in listed["revoked"]] == [("client ann", "unspecified")]
    (inspected,) = two.done("--json", "inspect", crl_file(two)).document["data"]
    assert inspected["revoked"] == [listed["revoked"][0]["serial"]]


@pytest.mark.parametrize(("minutes", "due"), [(120, False), (80, True)])
def test_a_list_whose_end_is_near_is_signed_again(two: Place, minutes: int, due: bool) -> None:
    """The authority is valid since an hour before it was made, and so can be its list."""
    (certificate,) = load_certificates((two.store / "ca/0001/cert.pem").read_bytes())
    issuer = Issued(certificate, (), load_private((two.store / "ca/0001/key.pem").read_bytes()))
    began, lifetime = certificate.not_valid_before_utc, timedelta(minutes=minutes)
    old = crl((), issuer, now=began, number=41, lifetime=lifetime)
    crl_file(two).write_bytes(old.public_bytes(Encoding.PEM))
    assert two.run("ca", "crl", "--check").code == int(due)
    (listed,) = two.done("--json", "ca", "crl", "--yes").document["data"]
    assert listed["number"] == (42 if due else 41)


# what it does to a host


def test_the_copies_of_this_host_go_and_only_they(two: Place) -> None:
    before = set(two.untouched)
    ran = two.done("--json", "client", "revoke", "ann", "--yes").document["data"]
    gone = {"root/.docker/cert.pem", "root/.docker/key.pem"}
    assert before - set(two.untouched) == gone
    assert {path.lstrip("/") for path in ran["removed"]} == gone
    assert set(two.untouched) - before == {f"etc/dockertls/ca/0001/{name}" for name in ("revoked.json", "crl.pem")}
    gone = two.done("--json", "client", "revoke", "bob", "--yes").document["data"]["removed"]
    assert [path.startswith("/root/.docker/contexts/tls/") for path in gone] == [True, True]


def test_a_copy_in_a_folder_that_was_named_goes_too(two: Place) -> None:
    two.done("client", "install", "ann", "--docker-dir", "/srv/ann", "--yes")
    two.done("client", "revoke", "ann", "--yes")
    assert sorted(path.name for path in (two.root / "srv/ann").iterdir()) == ["ca.pem"]


def test_what_it_costs_is_told_before_and_what_it_is_worth_after(two: Place) -> None:
    asked = two.run("client", "revoke", "ann")
    assert asked.code == 4
    assert "/root/.docker is of no use to docker then: ann's certificate goes" in asked.err
    for _ in range(2):
        told = two.done("--quiet", "client", "revoke", "ann", "--yes").err
        assert "dockerd reads no revocation list" in told
        assert "until the authority is rotated (dockertls ca rotate), or the certificate expires at 20" in told
    data = two.done("--json", "client", "revoke", "ann", "--yes").document["data"]
    assert "dockerd reads no revocation list" in data["warnings"][0]


def test_a_second_revocation_keeps_the_first_ones_time_and_reason(two: Place) -> None:
    first = two.done("--json", "client", "revoke", "ann", "--reason", "superseded", "--yes").document["data"]
    after = two.snapshot
    again = two.done("--json", "client", "revoke", "ann", "--reason", "keyCompromise", "--yes").document["data"]
    assert two.snapshot == after
    assert [one | {"new": True} for one in again["revoked"]] == first["revoked"]
    assert (first["revoked"][0]["new"], again["revoked"][0]["new"]) == (True, False)


NEVER = {
    "install": ("client", "install", "ann", "--yes"),
    "context": ("client", "install", "ann", "--context", "x1", "--endpoint", "tcp://web1:2376", "--yes"),
    "export": ("client", "export", "ann", "--output", "-"),
}


@pytest.mark.parametrize("name", NEVER)
def test_it_is_never_installed_again(two: Place, name: str) -> None:
    two.done("client", "revoke", "ann", "--yes")
    before = two.untouched
    ran = two.run(*NEVER[name])
    assert (ran.code, ran.out) == (4, "")
    assert "issue a new one: dockertls client issue ann" in ran.err
    assert two.untouched == before


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    "words", [("client", "issue", "ann"), ("bootstrap", "web1", "--client", "ann")], ids=["issue", "bootstrap"]
)
def test_a_new_certificate_takes_its_place(two: Place, words: tuple[str, ...]) -> None:
    two.done("client", "revoke", "ann", "--yes")
    two.done(*words, "--yes")
    two.done("client", "install", "ann", "--yes")
    installed = two.root / "root/.docker/cert.pem"
    assert installed.read_bytes() == leaf(two, "client", "ann", "0002").read_bytes()
    assert verified(two, installed) == "OK"
    key = load_private(leaf(two, "client", "ann", "0002").with_name("key.pem").read_bytes())
    assert key != load_private(leaf(two, "client", "ann", "0001").with_name("key.pem").read_bytes())
    after = two.snapshot
    assert two.done(*words, "--check").out.strip() == "nothing to do"
    assert two.snapshot == after


def test_it_is_not_renewed(two: Place) -> None:
    two.done("client", "revoke", "ann", "--yes")
    renewed = two.done("--json", "renew", "--all", "--yes").document["data"]["renewed"]
    assert [(one["role"], one["name"]) for one in renewed] == [("server", "web1"), ("client", "bob")]
    ran = two.run("renew", "ann", "--new-key", "--yes")
    assert ran.code == 1
    assert "it was revoked: issue a new one: dockertls client issue ann" in ran.err


def test_status_tells_of_it(two: Place) -> None:
    two.done("client", "revoke", "bob", "--yes")
    states = {row["name"]: row["state"] for row in two.done("--json", "status").document["data"]["certificates"]}
    assert states == {"web1": "good", "ann": "good", "bob": "revoked"}
    two.done("client", "revoke", serial(leaf(two, "server", "web1")), "--yes")
    ran = two.run("status")
    assert (ran.code, "revoked" in ran.out) == (1, True), "dockerd serves it still"


def test_undo_does_not_bring_it_back(two: Place) -> None:
    two.done("client", "revoke", "ann", "--yes")
    before = two.snapshot
    ran = two.run("--json", "undo", "--yes")
    assert ran.code == 4
    assert "/root/.docker/cert.pem: CN=ann was revoked at" in ran.document["error"]["message"]
    assert two.snapshot == before


def test_an_undo_of_what_came_before_does_not_bring_it_back_either(two: Place) -> None:
    two.done("client", "install", "bob", "--yes")
    number = json.loads(two.done("--json", "history").out)["data"][-1]["id"]
    two.done("client", "revoke", "ann", "--yes")
    ran = two.run("undo", str(number), "--yes")
    assert ran.code == 4
    assert "CN=ann was revoked" in ran.err
    assert (two.root / "root/.docker/cert.pem").read_bytes() == leaf(two, "client", "bob").read_bytes()


@pytest.mark.needs("openssl")
def test_two_at_once_are_both_recorded(two: Place) -> None:
    words = [command(*two.words, "client", "revoke", name, "--yes") for name in ("ann", "bob")]
    runs = [
        subprocess.Popen(one, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in words
    ]
    assert [one.wait(PATIENCE) for one in runs] == [0, 0]
    for name in ("ann", "bob"):
        assert "certificate revoked" in verified(two, leaf(two, "client", name))
    assert number(two) == 2


# until the authority is rotated


def test_a_rotation_does_not_wait_for_the_revoked_nor_take_them_along(two: Place, tmp_path: Path) -> None:
    two.done("client", "export", "bob", "--output", tmp_path / "bob.tar")
    words = ("ca", "rotate", "--now", "--no-passphrase", "--yes")
    waits = two.run(*words)
    assert (waits.code, "client bob" in waits.err) == (4, True)
    two.done("client", "revoke", "bob", "--yes")
    two.done(*words)
    assert leaf(two, "client", "ann").resolve().parent.name == "0002"
    assert leaf(two, "client", "bob").resolve().parent.name == "0001"
    assert verified(two, leaf(two, "client", "bob"), authority="0002") != "OK"
    told = two.done("client", "revoke", "bob", "--yes").err
    assert "nothing to do" in told
    assert "dockerd reads no" not in told, "it is refused now"


def test_undo_does_not_bring_the_old_authority_back(two: Place) -> None:
    two.done("ca", "rotate", "--now", "--no-passphrase", "--yes")
    before = two.snapshot
    ran = two.run("undo", "--yes")
    assert (ran.code, "is of an authority that is trusted no more" in ran.err) == (4, True)
    assert two.snapshot == before


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_dockerd_lets_the_revoked_in_until_the_authority_is_rotated() -> None:
    with secured() as (lab, _):
        lab.output(*PROGRAM, "client", "issue", "ann", *SIGNED)
        carried_over(lab, "ann", "/root/ann-files")
        told = lab.dockertls("client", "revoke", "ann", *SIGNED)
        assert (told.returncode, "dockerd reads no revocation list" in told.stderr) == (0, True)
        assert not refused(lab, "/root/ann-files")
        lab.output(*PROGRAM, "ca", "rotate", "--now", *SIGNED)
        assert refused(lab, "/root/ann-files")
        assert not refused(lab, "/root/.docker")


# by the serial number


@pytest.mark.needs("openssl")
def test_a_serial_number_is_one_certificate(two: Place) -> None:
    two.done("client", "issue", "ann", "--days", "30", "--yes")
    first, second = (leaf(two, "client", "ann", one) for one in ("0001", "0002"))
    digits = serial(first)  # most have 40 of them
    pairs = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    two.done("client", "revoke", pairs, "--yes")
    assert "certificate revoked" in verified(two, first)
    assert verified(two, second) == "OK"
    assert not (two.root / "root/.docker/key.pem").exists(), "it was the first one that lay there"
    two.done("client", "install", "ann", "--yes")
    two.done("client", "revoke", "ann", "--yes")
    assert "certificate revoked" in verified(two, second)


@pytest.mark.needs("openssl")
def test_a_servers_certificate_is_revoked_by_its_serial_number(two: Place) -> None:
    named = two.run("client", "revoke", "web1", "--yes")
    assert (named.code, "serial number" in named.err) == (4, True)
    ran = two.done("client", "revoke", serial(leaf(two, "server", "web1")), "--yes")
    assert "docker's clients read no revocation list" in ran.err
    assert "certificate revoked" in verified(two, leaf(two, "server", "web1"))
    assert (two.root / "etc/docker/server-cert.pem").exists(), "dockerd would not start without it"
    refused = two.run("server", "install", "web1", "--yes")
    assert (refused.code, "dockertls server issue web1" in refused.err) == (4, True)
    two.done("server", "issue", "web1", "--yes")
    assert verified(two, leaf(two, "server", "web1")) == "OK"


def test_the_authority_itself_cannot_be_revoked(two: Place) -> None:
    ran = two.run("client", "revoke", serial(two.store / "ca/0001/cert.pem"), "--yes")
    assert ran.code == 4
    assert "dockertls ca rotate" in ran.err


# where something is missing or damaged


def test_without_the_authoritys_key_it_is_recorded_and_no_list_says_it(two: Place) -> None:
    (two.store / "ca/0001/key.pem").unlink()
    ran = two.done("client", "revoke", "ann", "--yes")
    assert "it is recorded, but no list says it" in ran.err
    assert not crl_file(two).exists()
    assert two.run("client", "install", "ann", "--yes").code == 4
    assert not (two.root / "root/.docker/key.pem").exists()
    assert "nothing to do" in two.done("client", "revoke", "ann", "--yes").err
    listed = two.run("--json", "ca", "crl", "--yes")
    assert listed.code == 4
    assert "key is not here" in listed.document["error"]["message"]


@pytest.mark.needs("openssl")
def test_the_list_follows_when_the_key_is_back(two: Place) -> None:
    key = two.store / "ca/0001/key.pem"
    content = key.read_bytes()
    key.unlink()
    two.done("client", "revoke", "ann", "--yes")
    key.write_bytes(content)
    two.done("ca", "crl", "--yes")
    assert "certificate revoked" in verified(two, leaf(two, "client", "ann"))


DAMAGED = {
    "install": ("client", "install", "bob", "--yes"),
    "export": ("client", "export", "bob", "--output", "/nonexistent/bob.tar"),
    "revoke": ("client", "revoke", "bob", "--yes"),
    "issue": ("client", "issue", "bob", "--yes"),
    "list": ("ca", "crl", "--yes"),
    "undo": ("undo", "--yes"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_record_is_not_taken_for_an_empty_one(two: Place, name: str) -> None:
    two.done("client", "revoke", "ann", "--yes")
    path = two.store / "ca/0001/revoked.json"
    path.write_text(path.read_text().replace("client ann", "").replace("unspecified", "held"))
    before = two.untouched
    ran = two.run("--json", *DAMAGED[name])
    assert ran.code == 3
    assert "revoked.json" in ran.document["error"]["message"]
    assert two.untouched == before


def test_a_damaged_list_is_not_written_over(two: Place) -> None:
    two.done("ca", "crl", "--yes")
    crl_file(two).write_text("-----BEGIN X509 CRL-----\n")
    before = two.untouched
    for words in (("ca", "crl"), ("client", "revoke", "ann")):
        ran = two.run(*words, "--yes")
        assert (ran.code, "move it away" in ran.err) == (3, True)
    assert two.untouched == before


def test_there_is_no_list_without_an_authority(fresh: Place) -> None:
    ran = fresh.run("ca", "crl")
    assert (ran.code, "dockertls ca init" in ran.err) == (4, True)
    assert fresh.run("client", "revoke", "ann", "--yes").code == 4


# with a passphrase


@pytest.mark.needs("openssl")
def test_an_encrypted_authority_signs_for_its_passphrase_alone(fresh: Place, tmp_path: Path) -> None:
    secret, wrong = tmp_path / "secret", tmp_path / "wrong"
    secret.write_text("correct horse\n")
    wrong.write_text("battery staple\n")
    right = ("--passphrase-file", secret)
    fresh.done("ca", "init", "--yes", *right)
    fresh.done("client", "issue", "ann", "--yes", *right)
    fresh.done("client", "install", "ann", "--yes")
    before = fresh.untouched
    assert fresh.run("client", "revoke", "ann", "--check").code == 1, "a look needs no passphrase"
    for words, code in (((), 4), (("--passphrase-file", wrong), 3)):
        assert fresh.run("client", "revoke", "ann", "--yes", *words).code == code
    assert fresh.untouched == before
    fresh.done("client", "revoke", "ann", "--yes", *right)
    assert "certificate revoked" in verified(fresh, leaf(fresh, "client", "ann"))
    assert "nothing to do" in fresh.done("client", "revoke", "ann", "--yes").err, "no passphrase for nothing"
    assert "nothing to do" in fresh.done("ca", "crl", "--yes").err


def test_neither_the_key_nor_its_bytes_are_told(two: Place) -> None:
    secret = leaf(two, "client", "ann").with_name("key.pem").read_text().split("\n")[1]
    shown = two.run("--verbose", "client", "revoke", "ann", "--dry-run")
    done = two.done("--verbose", "client", "revoke", "ann", "--yes")
    journal = b"".join(path.read_bytes() for path in (two.root / "var/lib/dockertls/history").iterdir())
    assert secret not in shown.out + shown.err + done.out + done.err
    assert secret.encode() not in journal


def test_a_store_beside_the_tree_is_revoked_in_alike(fresh: Place, tmp_path: Path) -> None:
    place = Place(fresh.root, ("--store", str(tmp_path / "store")))
    place.done("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--yes")
    place.done("client", "revoke", "ann", "--yes")
    listed = dockertls("--json", "inspect", tmp_path / "store/ca/0001/crl.pem").document["data"]
    assert len(listed[0]["revoked"]) == 1
    assert not (fresh.root / "root/.docker/cert.pem").exists()
    assert place.run("undo", "--yes").code == 4
