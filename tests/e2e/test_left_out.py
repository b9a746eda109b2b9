"""A store that lacks something: an authority that was moved away, a damaged generation, a record that is no file."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import Certificate, load_pem_x509_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.program import Place

NOT_READY, DUE = 4, 1
NOW = ("ca", "rotate", "--now", "--no-passphrase", "--yes")
START = ("ca", "rotate", "start", "--no-passphrase", "--yes")
NEXT = ("ca", "rotate", "next", "--yes")
ALL = ("renew", "--all", "--yes")
AGAIN = ("renew", "--within", "9999d", "--yes")


def leaf(folder: Path) -> Certificate:
    return load_pem_x509_certificate((folder / "cert.pem").read_bytes())


# an authority that is gone


def test_the_old_key_may_go_and_its_certificate_has_to_stay(secured: Place) -> None:
    told = secured.done(*NOW).err
    assert "shred -u /etc/dockertls/ca/0001/key.pem" in told
    assert "cert.pem and revoked.json" in told
    assert "archive" not in told
    (secured.store / "ca/0001/key.pem").unlink()
    assert "CN=" in secured.run("undo", "--yes").err
    secured.done(*ALL)
    secured.done("client", "revoke", "ann", "--yes")


@pytest.mark.parametrize("rotation", [NOW, ("ca", "rotate", "--compromised", "--no-passphrase", "--yes")])
def test_undo_does_not_bring_an_authority_back_whose_folder_is_gone(secured: Place, rotation: tuple[str, ...]) -> None:
    secured.done(*rotation)
    shutil.rmtree(secured.store / "ca/0001")
    before = secured.snapshot
    ran = secured.run("undo", "--yes")
    assert ran.code == NOT_READY, ran
    assert "/etc/docker/tls/current: CN=" in ran.err
    assert "is of an authority that is trusted no more" in ran.err
    assert secured.snapshot == before


def test_what_was_there_before_the_bootstrap_comes_back(fresh: Place, house: Place) -> None:
    foreign = (house.store / "ca/0001/cert.pem").read_bytes()
    for path in ("etc/docker/ca.pem", "root/.docker/ca.pem"):
        fresh.put(path, foreign)
    fresh.done("bootstrap", "web1", "--no-passphrase", "--replace", "--yes")
    assert (fresh.root / "etc/docker/ca.pem").is_symlink()
    fresh.done("undo", "--yes")
    for path in ("etc/docker/ca.pem", "root/.docker/ca.pem"):
        assert (fresh.root / path).read_bytes() == foreign


def test_the_authority_of_an_aborted_rotation_is_not_trusted_again(secured: Place) -> None:
    secured.done(*START)
    secured.done("ca", "rotate", "abort", "--yes")
    before = secured.snapshot
    ran = secured.run("undo", "--yes")
    assert (ran.code, "trusted no more" in ran.err) == (NOT_READY, True), ran
    assert secured.snapshot == before


@pytest.mark.parametrize("empty", [True, False])
def test_a_client_is_revoked_though_an_earlier_authority_of_his_is_gone(secured: Place, *, empty: bool) -> None:
    secured.done(*NOW)
    shutil.rmtree(secured.store / "ca/0001")
    if empty:
        (secured.store / "ca/0001").mkdir()
    told = secured.done("--json", "client", "revoke", "ann", "--yes").document["data"]
    assert [one["path"] for one in told["revoked"]] == ["/etc/dockertls/clients/ann/0002"]
    assert "the authority of /etc/dockertls/clients/ann/0001/cert.pem is not in" in "".join(told["warnings"])
    assert "was revoked" in secured.run("renew", "ann", "--within", "9999d", "--yes").err


def test_where_no_authority_of_a_client_is_here_nothing_is_revoked(secured: Place) -> None:
    secured.done("client", "issue", "bob", "--yes")
    secured.done("client", "revoke", "bob", "--yes")
    secured.done(*NOW)
    shutil.rmtree(secured.store / "ca/0001")
    ran = secured.run("client", "revoke", "bob", "--yes")
    assert (ran.code, "clients/bob/0001/cert.pem" in ran.err) == (NOT_READY, True)


def test_an_empty_folder_of_a_retired_authority_stops_nothing(secured: Place) -> None:
    secured.done(*NOW)
    shutil.rmtree(secured.store / "ca/0001")
    (secured.store / "ca/0001").mkdir()
    ran = secured.done(*ALL)
    assert "/etc/dockertls/ca/0001 is left out" in ran.err
    secured.done("ca", "rotate", "status")
    assert secured.run("status").code == 0


def test_the_authority_of_a_rotation_is_not_left_out(secured: Place) -> None:
    secured.done(*START)
    (secured.store / "ca/0002/cert.pem").unlink()
    ran = secured.run(*ALL)
    assert (ran.code, "ca/0002/cert.pem is missing" in ran.err) == (NOT_READY, True), ran


# undo in a rotation


def test_undo_does_not_go_round_the_guards_of_a_rotation(secured: Place) -> None:
    for words in (START, NEXT):
        secured.done(*words)
        before = secured.snapshot
        ran = secured.run("undo", "--yes")
        assert (ran.code, "dockertls ca rotate abort" in ran.err) == (NOT_READY, True), ran
        assert secured.snapshot == before


def test_what_has_nothing_to_do_with_certificates_is_undone_in_a_rotation(secured: Place) -> None:
    secured.done(*START)
    before = secured.untouched
    secured.done("daemon", "configure", "--server", "web1", "--listen", "10.0.0.1", "--yes")
    assert secured.untouched != before
    secured.done("undo", "--yes")
    assert secured.untouched == before


# keys that were revoked


def test_a_key_whose_certificate_was_revoked_gets_no_other(secured: Place) -> None:
    ann = secured.store / "clients/ann"
    secured.done(*AGAIN)
    assert leaf(ann / "0002").public_key() == leaf(ann / "0001").public_key()
    secured.done("client", "revoke", f"{leaf(ann / '0001').serial_number:x}", "--yes")
    ran = secured.done(*AGAIN)
    assert "client ann gets a new key: /etc/dockertls/clients/ann/0001/cert.pem" in ran.err
    assert leaf(ann / "0003").public_key() != leaf(ann / "0001").public_key()
    assert leaf(secured.root / "root/.docker") == leaf(ann / "0003")
    assert "new key" not in secured.done(*AGAIN).err
    assert leaf(ann / "0004").public_key() == leaf(ann / "0003").public_key()


def test_nor_does_it_when_the_authority_is_rotated(secured: Place) -> None:
    ann = secured.store / "clients/ann"
    secured.done("renew", "ann", "--within", "9999d", "--yes")
    secured.done("client", "revoke", f"{leaf(ann / '0001').serial_number:x}", "--yes")
    assert "client ann gets a new key" in secured.done(*NOW).err
    assert leaf(ann / "current").public_key() != leaf(ann / "0001").public_key()


def test_where_that_key_is_elsewhere_the_others_are_renewed(secured: Place, tmp_path: Path) -> None:
    other = secured.copied(tmp_path / "other")
    csr = tmp_path / "bob.csr"
    other.done("client", "csr", "bob", "--output", csr, "--yes")
    secured.done("client", "sign", csr, "--yes")
    secured.done("renew", "bob", "--within", "9999d", "--yes")
    bob = secured.store / "clients/bob"
    secured.done("client", "revoke", f"{leaf(bob / '0001').serial_number:x}", "--yes")
    ran = secured.run("--json", *AGAIN)
    told = ran.document["data"]
    assert ran.code == DUE
    assert [(one["name"], "dockertls client csr bob" in one["why"]) for one in told["skipped"]] == [("bob", True)]
    assert [one["name"] for one in told["renewed"]] == ["web1", "ann"]


# what is there and is no file


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ca/0001/revoked.json", ("client", "revoke", "ann", "--yes")),
        ("ca/0001/revoked.json", ("ca", "crl", "--yes")),
        ("ca/rotation.json", ("ca", "rotate", "status")),
        ("ca/rotation.json", START),
        ("clients/ann/elsewhere.json", START),
        ("hooks.json", (*ALL, "--deploy-hook", "/bin/true")),
    ],
)
@pytest.mark.parametrize("kind", ["link", "directory"])
def test_a_record_that_is_no_file_is_not_taken_for_none(
    secured: Place, path: str, words: tuple[str, ...], kind: str
) -> None:
    place = secured.store / path
    if kind == "link":
        place.symlink_to("/dev/null")
    else:
        place.mkdir()
    before = secured.untouched
    ran = secured.run(*words)
    assert (ran.code, f"{path} is no regular file" in ran.err) == (NOT_READY, True), ran
    assert secured.untouched == before


# generations that are damaged


@pytest.mark.parametrize("harm", ["half", "damaged"])
def test_one_damaged_generation_stops_nobody_else(secured: Place, harm: str) -> None:
    ann = secured.store / "clients/ann"
    secured.done(*AGAIN)
    if harm == "half":
        (ann / "0001/cert.pem").unlink()
    else:
        (ann / "0001/cert.pem").write_bytes((ann / "0001/cert.pem").read_bytes()[:50])
    assert secured.done(*ALL).out.count("client ann") == 1
    told = secured.done("--json", "client", "revoke", "ann", "--yes").document["data"]
    assert [one["path"] for one in told["revoked"]] == [f"/etc/dockertls/clients/ann/000{n}" for n in (2, 3)]
    assert "/etc/dockertls/clients/ann/0001 is left out" in "".join(told["warnings"])


def test_where_all_that_a_client_has_is_damaged_it_is_said_what(secured: Place) -> None:
    path = secured.store / "clients/ann/0001/cert.pem"
    path.unlink()
    ran = secured.run("client", "revoke", "ann", "--yes")
    assert (ran.code, "clients/ann/0001/cert.pem is missing" in ran.err) == (NOT_READY, True)


# no authority at all


def test_where_there_is_no_authority_nothing_is_renewed_and_it_is_said(fresh: Place) -> None:
    ran = fresh.run("renew", "--yes")
    assert (ran.code, "dockertls bootstrap" in ran.err) == (NOT_READY, True), ran
    assert fresh.run("--json", "renew", "--yes").document["error"]["exit"] == NOT_READY
