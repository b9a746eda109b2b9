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
