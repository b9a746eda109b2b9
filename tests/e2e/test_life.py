"""The life of certificates on a file tree: renewed, rotated, handed out, as a user does it, and what is said of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import load_pem_x509_certificate

from dockertls.pki.profiles import CLIENT, SERVER
from tests.e2e.openssl import openssl
from tests.e2e.program import Place
from tests.e2e.test_guards import authority, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.x509 import Certificate

    from dockertls.pki.profiles import Profile

NOT_READY, REFUSED, DUE, USAGE = 4, 3, 1, 2
DOCKER = "root/.docker"
ALL = ("renew", "--all", "--yes")
NOW = ("ca", "rotate", "--now", "--no-passphrase", "--yes")
START = ("ca", "rotate", "start", "--no-passphrase", "--yes")
NEXT = ("ca", "rotate", "next", "--yes")


def leaf(path: Path) -> Certificate:
    return load_pem_x509_certificate(path.read_bytes())


def life(certificate: Certificate) -> timedelta:
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc


def verified(place: Place) -> None:
    """Client and daemon believe each other, by OpenSSL's word."""
    etc, own = place.root / "etc/docker/tls/current", place.root / DOCKER
    for authorities, certificate, purpose in (
        (own / "ca.pem", etc / "server-cert.pem", "sslserver"),
        (etc / "ca.pem", own / "cert.pem", "sslclient"),
    ):
        asked: list[str | Path] = [
            "openssl",
            "verify",
            "-x509_strict",
            "-purpose",
            purpose,
            "-CAfile",
            authorities,
            certificate,
        ]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def ended(place: Place, name: str, profile: Profile) -> None:
    """Let the certificate in use of a name be one that has ended."""
    ours = authority(place)
    put(place, name, profile, ours, at=ours.certificate.not_valid_before_utc, life=timedelta(minutes=10))


def asked(folder: Path, name: str) -> Path:
    """A request with a key of its own."""
    csr, kind = folder / "asked.csr", ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    names = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    openssl("req", "-new", *kind, "-nodes", *names, "-keyout", folder / "asked.key", "-out", csr)
    return csr


# renewal


def test_a_successor_has_the_same_key_names_and_life_and_lies_wherever_the_last_one_did(fresh: Place) -> None:
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    fresh.done("bootstrap", "web1", "--client", "ann", "--days", "40", "--yes")
    fresh.done("client", "install", "ann", "--docker-dir", "/srv/ci/.docker", "--yes")
    folders = (DOCKER, "srv/ci/.docker", "etc/docker/tls/current")
    (fresh.root / "srv/ci/.docker/cert.pem").chmod(0o640)
    old = leaf(fresh.root / DOCKER / "cert.pem")
    assert fresh.done("renew", "--yes").out == "nothing is due\n"
    assert fresh.run("renew", "--within", "41d", "--check").code == 1

    told = fresh.done("--json", "renew", "--within", "41d", "--days", "90", "--yes").document["data"]
    assert [(one["role"], one["name"]) for one in told["renewed"]] == [("server", "web1"), ("client", "ann")]
    new = leaf(fresh.root / DOCKER / "cert.pem")
    assert (new.public_key(), new.subject) == (old.public_key(), old.subject)
    assert new.serial_number != old.serial_number
    assert leaf(fresh.root / "srv/ci/.docker/cert.pem") == new
    assert (fresh.root / "srv/ci/.docker/cert.pem").stat().st_mode & 0o777 == 0o640
    assert leaf(fresh.root / folders[2] / "server-cert.pem").public_key() is not None
    assert fresh.run("status").code == 0
    verified(fresh)
    assert fresh.done("renew", "--within", "41d", "--yes").out == "nothing is due\n"

    fresh.done("renew", "ann", "--new-key", "--yes")
    newest = leaf(fresh.root / DOCKER / "cert.pem")
    assert newest.public_key() != new.public_key()
    assert (
        newest.not_valid_after_utc - newest.not_valid_before_utc == new.not_valid_after_utc - new.not_valid_before_utc
    )
    verified(fresh)


def test_a_certificate_that_ends_with_its_authority_is_told_and_not_made_again(fresh: Place) -> None:
    fresh.done("bootstrap", "web1", "--days", "20", "--no-passphrase", "--yes")
    before = fresh.untouched
    ran = fresh.run("renew", "--within", "30d", "--yes")
    assert ran.code == DUE
    assert "ca rotate" in ran.err
    assert fresh.untouched == before


def test_a_copied_certificate_gets_no_key(fresh: Place) -> None:
    """A user who copied a certificate, which is no secret, and put a key of his own beside it is handed nothing."""
    fresh.done("bootstrap", "web1", "--no-passphrase", "--yes")
    fresh.put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nmallory:x:1000:1000::/home/mallory:/bin/sh\n")
    own = fresh.root / DOCKER
    for name in ("ca.pem", "cert.pem"):
        fresh.put(f"home/mallory/.docker/{name}", (own / name).read_bytes())
    fresh.put("home/mallory/.docker/key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    before = {path: path.read_bytes() for path in (fresh.root / "home/mallory/.docker").iterdir()}
    fresh.done(*ALL)
    fresh.done("renew", "client", "--new-key", "--yes")
    assert {path: path.read_bytes() for path in before} == before


def test_a_copy_of_another_user_is_renewed_and_keeps_its_owner(fresh: Place) -> None:
    fresh.done("bootstrap", "web1", "--no-passphrase", "--yes")
    fresh.put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n")
    for name in ("ca.pem", "cert.pem", "key.pem"):
        path = fresh.put(f"home/bob/.docker/{name}", (fresh.root / DOCKER / name).read_bytes())
        path.chmod(0o600)
    owner = (fresh.root / "home/bob/.docker/key.pem").stat().st_uid
    fresh.done(*ALL)
    assert leaf(fresh.root / "home/bob/.docker/cert.pem") == leaf(fresh.root / DOCKER / "cert.pem")
    assert (fresh.root / "home/bob/.docker/cert.pem").stat().st_uid == owner


# copies that cannot follow

USERS = "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n"
BOB = "home/bob/.docker"


@pytest.fixture
def shared(secured: Place) -> Place:
    """A host of which bob is a user, with a copy of ann's files."""
    secured.put("etc/passwd", USERS)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        secured.put(f"{BOB}/{name}", (secured.root / DOCKER / name).read_bytes()).chmod(0o600)
    return secured


def _linked(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _huge(path: Path) -> None:
    os.truncate(path, 64 << 20)


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
@pytest.mark.parametrize("spoil", [_linked, _a_directory, _a_pipe, _huge])
def test_a_place_that_cannot_follow_is_told_and_stops_nobody_else(
    shared: Place, spoil: Callable[[Path], None], name: str
) -> None:
    spoil(shared.root / BOB / name)
    ran = shared.done("--json", *ALL, "--new-key")
    told = ran.document["data"]
    assert [one["name"] for one in told["renewed"]] == ["web1", "ann"]
    assert [one["place"] for one in told["unseen"]] == ["/home/bob/.docker"]
    assert f"/{BOB}/{name} is " in told["unseen"][0]["why"]
    assert "warning: /home/bob/.docker is left as it is: " in ran.err
    verified(shared)
    blocked = shared.run(*NOW)
    assert (blocked.code, "folder /home/bob/.docker would lose access" in blocked.err) == (NOT_READY, True), blocked


def test_a_place_where_only_a_certificate_lies_is_told(shared: Place) -> None:
    (shared.root / BOB / "key.pem").unlink()
    told = shared.done("--json", "renew", "--yes").document["data"]["unseen"]
    assert told == [{"place": "/home/bob/.docker", "why": "the key of client ann is not beside its certificate"}]


def test_a_place_that_is_not_given_what_is_new_is_told_once(shared: Place) -> None:
    kept = {path.name: path.read_bytes() for path in (shared.root / BOB).iterdir()}
    shared.done("renew", "ann", "--new-key", "--yes")
    for name, content in kept.items():
        shared.put(f"{BOB}/{name}", content)
    ran = shared.done("--json", "renew", "--yes")
    (one,) = ran.document["data"]["unseen"]
    assert (one["place"], "whose key was replaced" in one["why"]) == ("/home/bob/.docker", True)
    assert ran.err.count("whose key was replaced") == 1


def test_files_of_others_are_nobodys_business_here(shared: Place, tmp_path: Path) -> None:
    other = Place.recorded("debian", tmp_path / "other")
    other.done("bootstrap", "web2", "--no-passphrase", "--yes")
    shared.put(f"{BOB}/cert.pem", (other.root / DOCKER / "cert.pem").read_bytes())
    _linked(shared.root / BOB / "ca.pem")
    assert shared.done("--json", "renew", "--yes").document["data"]["unseen"] == []
    assert shared.run("status").code == 0


def test_a_context_cannot_forge_a_line(shared: Place) -> None:
    name = "x\x1b[31m\nwarning: all is well"
    folder = hashlib.sha256(name.encode()).hexdigest()
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://web1:2376"}}}
    shared.put(f"{BOB}/contexts/meta/{folder}/meta.json", json.dumps(meta))
    (shared.root / BOB / "contexts/tls").mkdir()
    (shared.root / BOB / f"contexts/tls/{folder}").symlink_to("/home/bob")
    place = r"context x\x1b[31m\nwarning: all is well in /home/bob/.docker"
    for words in (("renew", "--yes"), NOW, ("status",), ("client", "revoke", "ann", "--dry-run")):
        ran = shared.run(*words)
        assert "\x1b" not in ran.out + ran.err
        assert not [line for line in (ran.out + ran.err).splitlines() if line.startswith("warning: all")], words
    assert place in shared.done("renew", "--yes").err
    shared.done(*NOW, "--lock-out", place)


def test_a_key_that_others_could_read_is_told_and_closed(shared: Place) -> None:
    key = shared.root / BOB / "key.pem"
    key.chmod(0o644)
    ran = shared.done("renew", "ann", "--new-key", "--yes")
    assert "others could read the key.pem in /home/bob/.docker (mode 0644)" in ran.err
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == (shared.root / DOCKER / "key.pem").read_bytes()
    assert "others could read" not in shared.done("renew", "--yes").err


# whose certificate has ended, or whose key is elsewhere


def test_access_that_has_ended_comes_back_only_if_it_is_asked_for(shared: Place) -> None:
    ended(shared, "clients/ann", CLIENT)
    before = shared.untouched
    ran = shared.done("--json", "renew", "--yes")
    data = ran.document["data"]
    assert ([one["name"] for one in data["ended"]], data["skipped"], data["renewed"]) == (["ann"], [], [])
    assert "note: client ann ended and stays so; if it shall live: dockertls renew NAME" in ran.err
    assert shared.untouched == before
    assert [one["name"] for one in shared.done("--json", *ALL).document["data"]["renewed"]] == ["web1"]
    assert "client ann" in shared.done("renew", "ann", "--yes").out
    assert shared.done("--json", "renew", "--yes").document["data"]["ended"] == []


def test_a_server_that_has_ended_is_renewed_and_a_rotation_says_so(secured: Place) -> None:
    ended(secured, "servers/web1", SERVER)
    for name in ("cert", "key"):
        content = (secured.store / f"servers/web1/0001/{name}.pem").read_bytes()
        (secured.root / f"etc/docker/tls/0001/server-{name}.pem").write_bytes(content)
    ran = secured.run(*START)
    assert (ran.code, "dockertls renew NAME" in ran.err) == (REFUSED, True), ran
    secured.done("renew", "web1", "--yes")
    secured.done(*START)
    verified(secured)


def test_a_key_that_is_elsewhere_is_not_made_anew_here(secured: Place, tmp_path: Path) -> None:
    secured.done("client", "sign", asked(tmp_path, "eve"), "--yes")
    before = secured.untouched
    ran = secured.run("renew", "eve", "--new-key", "--yes")
    assert (ran.code, secured.untouched) == (DUE, before), ran
    assert "its key is elsewhere: make a request there: `dockertls client csr eve`" in ran.err
    secured.done("renew", "eve", "--within", "9999d", "--yes")


@pytest.mark.parametrize(("role", "name"), [("server", "web1"), ("client", "ann")])
def test_a_name_whose_key_is_here_is_not_signed_for_another(
    secured: Place, tmp_path: Path, role: str, name: str
) -> None:
    csr = asked(tmp_path, name)
    before = secured.untouched
    ran = secured.run(role, "sign", csr, "--yes")
    assert (ran.code, secured.untouched) == (REFUSED, before), ran
    assert f"dockertls renew {name}" in ran.err
    secured.done(role, "sign", csr, "--name", "another", "--yes")
    secured.done(*ALL)


def test_a_name_whose_key_here_was_revoked_can_be_signed(secured: Place, tmp_path: Path) -> None:
    csr = asked(tmp_path, "ann")
    secured.done("client", "revoke", "ann", "--yes")
    secured.done("client", "sign", csr, "--yes")
    assert {path.name for path in (secured.store / "clients/ann/current").iterdir()} == {"cert.pem"}


def test_in_a_file_tree_a_hook_is_told_of_and_not_run(secured: Place, tmp_path: Path) -> None:
    hook, ran = tmp_path / "hook", tmp_path / "ran"
    hook.write_text(f"#!/bin/sh\n: >{ran}\n")
    hook.chmod(0o755)
    words = ("renew", "--all", "--deploy-hook", hook, "--yes")
    assert f"still to be run: {hook}" in secured.done(*words).out
    assert [str(hook)] in secured.done("--json", *words).document["data"]["pending"]
    assert not ran.exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("renew", "nobody"), NOT_READY, "nobody"),
        (("renew", "--within", "3x"), USAGE, "30d"),
        (("renew", "--within", "-1d"), USAGE, "30d"),
        (("renew", "web1", "--all"), USAGE, "--all"),
        (("renew", "--deploy-hook", "/no/such"), NOT_READY, "/no/such"),
        (("renew", "no body!"), 3, "no body!"),
        (("ca", "rotate", "sideways"), USAGE, "start, next, status, abort"),
        (("ca", "rotate", "start", "--now"), USAGE, "--now"),
        (("ca", "rotate", "next"), NOT_READY, "start"),
        (("ca", "rotate", "abort"), NOT_READY, "start"),
        (("ca", "rotate", "start", "--restart", "never", "--no-passphrase"), USAGE, "restart"),
        (("ca", "rotate", "start", "--lock-out", "nobody", "--no-passphrase"), 3, "nobody"),
        (("client", "confirm", "ann"), NOT_READY, "handed out"),
        (("client", "confirm", "nobody"), NOT_READY, "nobody"),
        (("server", "confirm", "web9"), NOT_READY, "web9"),
    ],
)
def test_bad_input_is_told_with_what_to_do(secured: Place, words: tuple[str, ...], code: int, told: str) -> None:
    before = secured.untouched
    ran = secured.run(*words, "--yes")
    assert ran.code == code, ran
    assert told in ran.err
    assert secured.run("--json", *words, "--yes").document["error"]["exit"] == code
    assert secured.untouched == before


# rotation


def test_phases_follow_each_other_and_each_leaves_both_sides_able_to_talk(secured: Place) -> None:
    old = leaf(secured.root / "etc/dockertls/ca/0001/cert.pem")
    assert secured.run(*START[:3], "--check", "--no-passphrase").code == 1
    secured.done(*START)
    verified(secured)
    assert secured.run(*START).code == NOT_READY
    seen = []
    for _ in range(4):
        seen.append(secured.done("--json", "ca", "rotate").document["data"]["next"]["phase"])
        secured.done(*NEXT)
        verified(secured)
    assert seen == [2, 3, 4, 5]
    new = leaf(secured.root / "etc/dockertls/ca/current/cert.pem")
    assert new != old
    for place in ("etc/dockertls/ca/trust.pem", f"{DOCKER}/ca.pem", "etc/docker/ca.pem"):
        content = (
            (secured.root / "etc/docker/tls/current/ca.pem") if place == "etc/docker/ca.pem" else secured.root / place
        )
        assert content.read_text().count("BEGIN CERTIFICATE") == 1
        assert leaf(content) == new
    assert not (secured.root / "etc/dockertls/ca/rotation.json").exists()
    assert secured.run(*NEXT).code == NOT_READY
    assert secured.run("status").code == 0
    secured.done("client", "issue", "carl", "--yes")
    leaf(secured.root / "etc/dockertls/clients/carl/current/cert.pem").verify_directly_issued_by(new)


def test_at_once_twice_is_two_rotations(secured: Place) -> None:
    secured.done(*NOW)
    verified(secured)
    again = secured.run(*NOW)
    assert again.code == NOT_READY
    assert "--name" in again.err
    secured.done(*NOW, "--name", "another one")
    verified(secured)
    assert (secured.root / "etc/dockertls/ca/current").readlink().name == "0003"


def test_abort_goes_back_to_the_certificates_that_were(secured: Place) -> None:
    own = secured.root / DOCKER
    before = {name: (own / name).read_bytes() for name in ("ca.pem", "cert.pem", "key.pem")}
    server = (secured.root / "etc/docker/tls/current/server-cert.pem").read_bytes()
    for words in (START, NEXT, NEXT):
        secured.done(*words)
    assert (own / "cert.pem").read_bytes() != before["cert.pem"]
    secured.done("ca", "rotate", "abort", "--yes")
    assert {name: (own / name).read_bytes() for name in before} == before
    assert (secured.root / "etc/docker/tls/current/server-cert.pem").read_bytes() == server
    assert secured.run("status").code == 0


def test_what_was_dropped_is_not_gone_back_to(secured: Place) -> None:
    for words in (START, NEXT, NEXT, NEXT):
        secured.done(*words)
    ran = secured.run("ca", "rotate", "abort", "--yes")
    assert ran.code == NOT_READY
    assert "next" in ran.err


def test_copies_elsewhere_are_waited_for(secured: Place, tmp_path: Path) -> None:
    secured.done("client", "issue", "bob", "--yes")
    secured.done("client", "export", "bob", "--output", tmp_path / "bob.tar")
    secured.done("server", "issue", "web2", "--yes")
    refused = secured.run(*NOW)
    assert refused.code == NOT_READY
    assert "client bob" in refused.err
    assert "server web2" in refused.err
    assert not (secured.root / "etc/dockertls/ca/0002").exists()

    secured.done(*START)
    assert "server web2" in secured.run(*NEXT).err
    secured.done("server", "confirm", "web2", "--yes")
    assert "known already" in secured.done("server", "confirm", "web2", "--yes").out
    secured.done(*NEXT)
    assert "client bob" in secured.run(*NEXT).err
    secured.done(*NEXT, "--lock-out", "bob")
    assert "server web2" in secured.run(*NEXT).err
    secured.done("server", "confirm", "web2", "--yes")
    secured.done(*NEXT)
    secured.done(*NEXT)
    verified(secured)


def test_an_export_carries_the_trust_of_its_phase(secured: Place, tmp_path: Path) -> None:
    def authorities(name: str) -> int:
        secured.done("client", "export", "ann", "--format", "pem", "--output", tmp_path / name)
        return (tmp_path / name).read_text().count("BEGIN CERTIFICATE") - 1

    counts = [authorities("before")]
    secured.done(*START)
    for number in range(4):
        counts.append(authorities(f"in-{number}"))
        secured.done("client", "confirm", "ann", "--yes")
        secured.done(*NEXT)
    assert [*counts, authorities("after")] == [1, 2, 2, 2, 1, 1]


def test_in_an_emergency_it_is_said_who_loses_access_and_the_old_one_is_gone_at_once(
    secured: Place, tmp_path: Path
) -> None:
    secured.done("client", "issue", "bob", "--yes")
    secured.done("client", "export", "bob", "--output", tmp_path / "bob.tar")
    ran = secured.done("ca", "rotate", "--compromised", "--no-passphrase", "--yes")
    assert "client bob" in ran.err
    assert "client ann" not in ran.err
    verified(secured)
    old = leaf(secured.root / "etc/dockertls/ca/0001/cert.pem")
    for place in ("etc/dockertls/ca/trust.pem", f"{DOCKER}/ca.pem", "etc/docker/tls/current/ca.pem"):
        assert leaf(secured.root / place) != old
        assert (secured.root / place).read_text().count("BEGIN CERTIFICATE") == 1


def test_what_somebody_trusts_besides_stays(secured: Place, tmp_path: Path) -> None:
    other = Place.recorded("debian", tmp_path / "other")
    other.done("ca", "init", "--no-passphrase", "--yes")
    foreign = (other.root / "etc/dockertls/ca/0001/cert.pem").read_bytes()
    bundle = secured.root / DOCKER / "ca.pem"
    bundle.write_bytes(bundle.read_bytes() + foreign)
    secured.done(*NOW)
    assert bundle.read_bytes().endswith(foreign)
    assert bundle.read_bytes().count(b"BEGIN CERTIFICATE") == 2
