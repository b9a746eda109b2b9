"""What is planted in homes and stores gets nobody in, and nobody is left behind without a word."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Place
from tests.e2e.test_life import DOCKER, NEXT, NOT_READY, NOW, START, leaf

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("ca.pem", "cert.pem", "key.pem")
USERS = "root:x:0:0:root:/root:/bin/sh\nmallory:x:1000:1000::/home/mallory:/bin/sh\n"
EMERGENCY = ("ca", "rotate", "--compromised", "--no-passphrase", "--yes")


def taken(place: Place, name: str = "ann") -> dict[str, bytes]:
    """A pair as somebody else may have it."""
    current = place.root / f"etc/dockertls/clients/{name}/current"
    found = {file: (current / file).read_bytes() for file in FILES[1:]}
    return found | {"ca.pem": (place.root / "etc/dockertls/ca/trust.pem").read_bytes()}


def planted(place: Place, pair: dict[str, bytes], folder: str = "home/mallory/.docker") -> Path:
    place.put("etc/passwd", USERS)
    for name, content in pair.items():
        place.put(f"{folder}/{name}", content)
    return place.root / folder


def unchanged(folder: Path, pair: dict[str, bytes]) -> bool:
    return {name: (folder / name).read_bytes() for name in FILES} == pair


def test_a_revoked_pair_in_a_home_is_not_exchanged_for_a_new_one(secured: Place) -> None:
    stolen = taken(secured)
    secured.done("client", "revoke", "ann", "--yes")
    secured.done("client", "issue", "ann", "--yes")
    folder = planted(secured, stolen)
    ran = secured.done("renew", "--all", "--yes")
    assert unchanged(folder, stolen)
    assert "revoked" in ran.err
    secured.done(*NOW)
    assert unchanged(folder, stolen)


def test_a_pair_whose_key_was_replaced_is_not_exchanged(secured: Place) -> None:
    stolen = taken(secured)
    secured.done("renew", "ann", "--new-key", "--yes")
    folder = planted(secured, stolen)
    ran = secured.done("renew", "--all", "--yes")
    assert unchanged(folder, stolen)
    assert "key was replaced" in ran.err


def test_a_pair_of_an_authority_that_was_dropped_is_not_exchanged(secured: Place) -> None:
    stolen = taken(secured)
    secured.done(*EMERGENCY)
    folder = planted(secured, stolen)
    secured.done("renew", "--all", "--yes")
    assert unchanged(folder, stolen)


def test_a_pair_that_has_its_key_still_follows(secured: Place) -> None:
    folder = planted(secured, taken(secured))
    secured.done("renew", "--all", "--new-key", "--yes")
    assert leaf(folder / "cert.pem") == leaf(secured.root / DOCKER / "cert.pem")
    secured.done(*NOW)
    assert leaf(folder / "cert.pem") == leaf(secured.root / DOCKER / "cert.pem")


def test_in_an_emergency_every_key_is_new(secured: Place) -> None:
    before = {name: leaf(secured.root / name).public_key() for name in (f"{DOCKER}/cert.pem",)}
    server = leaf(secured.root / "etc/docker/tls/current/server-cert.pem").public_key()
    secured.done(*START)
    secured.done(*NEXT)
    secured.done(*EMERGENCY)
    assert all(leaf(secured.root / name).public_key() != key for name, key in before.items())
    assert leaf(secured.root / "etc/docker/tls/current/server-cert.pem").public_key() != server
    assert (secured.root / "etc/dockertls/ca/trust.pem").read_text().count("BEGIN") == 1
    assert (secured.root / "etc/dockertls/ca/current").readlink().name == "0003"
    again = secured.run(*EMERGENCY)
    assert again.code == NOT_READY


def test_who_is_locked_out_gets_nothing_new(secured: Place, tmp_path: Path) -> None:
    secured.done("client", "issue", "bob", "--yes")
    secured.done("client", "export", "bob", "--output", tmp_path / "bob.tar")
    secured.done(*NOW, "--lock-out", "bob")
    assert not (secured.root / "etc/dockertls/clients/bob/0002").exists()


def test_a_name_of_two_is_not_locked_out_by_halves(secured: Place, tmp_path: Path) -> None:
    secured.done("client", "issue", "twin", "--yes")
    secured.done("client", "export", "twin", "--output", tmp_path / "twin.tar")
    secured.done("server", "issue", "twin", "--yes")
    ran = secured.run(*START, "--lock-out", "twin")
    assert ran.code == 3
    assert "client:twin" in ran.err
    assert "server:twin" in ran.err
    secured.done(*START, "--lock-out", "client:twin")
    assert "server twin" in secured.run(*NEXT).err


def test_nobody_confirms_what_was_never_handed_out(secured: Place, tmp_path: Path) -> None:
    secured.done("client", "export", "ann", "--output", tmp_path / "ann.tar")
    secured.done(*START)
    secured.done("client", "confirm", "ann", "--yes")
    secured.done(*NEXT)
    refused = secured.run("client", "confirm", "ann", "--yes")
    assert refused.code == NOT_READY
    assert "client export ann" in refused.err
    secured.done("client", "export", "ann", "--output", tmp_path / "ann.tar", "--force")
    secured.done("client", "confirm", "ann", "--yes")
    secured.done(*NEXT)


def test_a_confirmation_counts_for_the_trust_that_went_out(secured: Place, tmp_path: Path) -> None:
    """The bundle is of before the rotation: its holder does not know the new authority, whatever is trusted now."""
    secured.done("client", "export", "ann", "--output", tmp_path / "ann.tar")
    secured.done(*START)
    secured.done("client", "confirm", "ann", "--yes")
    (row,) = [one for one in secured.done("--json", "ca", "rotate").document["data"]["parties"] if one["name"] == "ann"]
    assert row["trusts"] == ["old"]


def test_a_server_that_moved_to_another_host_is_waited_for(secured: Place) -> None:
    secured.done("server", "issue", "web9", "--yes")
    secured.done("server", "install", "web9", "--yes")
    secured.done("server", "install", "web1", "--yes")
    refused = secured.run(*NOW)
    assert refused.code == NOT_READY
    assert "server web9" in refused.err


def test_of_a_client_that_is_nowhere_it_is_said(secured: Place) -> None:
    secured.done("client", "issue", "ghost", "--yes")
    secured.done(*START)
    assert "no copy of it is known" in secured.done("ca", "rotate").out


def test_a_store_by_another_name_is_the_same_store(fresh: Place, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    by_name, by_link = (Place(fresh.root, ("--store", str(tmp_path / name))) for name in ("store", "link"))
    by_name.done("bootstrap", "web1", "--no-passphrase", "--yes")
    by_link.done("client", "install", "client", "--docker-dir", "/srv/app", "--yes")
    by_name.done("renew", "--all", "--yes")
    assert leaf(fresh.root / "srv/app/cert.pem") == leaf(fresh.root / DOCKER / "cert.pem")


def test_a_client_of_two_hosts_with_one_store_is_waited_for(fresh: Place, tmp_path: Path) -> None:
    shutil.copytree(fresh.root, tmp_path / "second", symlinks=True)
    first, second = (Place(root, ("--store", str(tmp_path / "store"))) for root in (fresh.root, tmp_path / "second"))
    first.done("bootstrap", "web1", "--no-passphrase", "--yes")
    second.done("bootstrap", "web2", "--no-passphrase", "--yes")
    refused = first.run(*NOW)
    assert refused.code == NOT_READY
    assert "client client" in refused.err
    assert "server web2" in refused.err


@pytest.mark.parametrize("words", [NOW, EMERGENCY])
def test_what_is_done_twice_in_a_row_is_seldom_meant(secured: Place, words: tuple[str, ...]) -> None:
    secured.done(*words)
    before = secured.untouched
    assert secured.run(*words).code == NOT_READY
    assert secured.untouched == before


def test_odd_files_of_somebody_elses_certificate_hold_nobody_up(secured: Place, tmp_path: Path) -> None:
    other = Place.recorded("debian", tmp_path / "other")
    other.done("bootstrap", "web9", "--client", "eve", "--no-passphrase", "--yes")
    folder = planted(secured, taken(other, "eve"))
    (folder / "key.pem").unlink()
    (folder / "key.pem").symlink_to("/home/mallory/elsewhere")
    secured.done(*START)


def test_odd_files_beside_a_certificate_of_ours_are_waited_for(secured: Place) -> None:
    folder = planted(secured, taken(secured))
    (folder / "key.pem").unlink()
    (folder / "key.pem").symlink_to("/home/mallory/elsewhere")
    refused = secured.run(*START)
    assert refused.code == NOT_READY
    assert "folder /home/mallory/.docker" in refused.err
    secured.done(*START, "--lock-out", "/home/mallory/.docker")


def test_a_damaged_generation_that_is_not_in_use_stops_no_rotation(secured: Place) -> None:
    secured.done("client", "issue", "bob", "--yes")
    secured.done("renew", "bob", "--new-key", "--yes")
    damaged = secured.root / "etc/dockertls/clients/bob/0001/cert.pem"
    damaged.write_bytes(damaged.read_bytes()[:50])
    secured.done(*NOW)
