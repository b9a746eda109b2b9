"""The life of certificates on a file tree: renewed, rotated, handed out, as a user does it, and what is said of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import load_pem_x509_certificate

from tests.e2e.program import Place

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from cryptography.x509 import Certificate

NOT_READY, DUE, USAGE = 4, 1, 2
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
