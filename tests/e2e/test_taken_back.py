"""Taken back with all that came later: a host is what it was before, whatever happened to its certificates since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM
from tests.e2e.program import Place
from tests.e2e.rotating import ENDPOINT, SIGNED, secured
from tests.e2e.shapes import BOOTSTRAP as LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.lab import Lab

BOOTSTRAP = ("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--yes")
ROTATE = ("ca", "rotate", "--now", "--no-passphrase", "--yes")
SINCE = ("undo", "1", "--since", "--yes")
LATER = (
    ("renew", "--all", "--yes"),
    ("client", "install", "ann", "--context", "here", "--endpoint", ENDPOINT, "--yes"),
    ROTATE,
    ("daemon", "configure", "--server", "web1", "--port", "2377", "--yes"),
    ("client", "issue", "bob", "--yes"),
    ("client", "install", "bob", "--docker-dir", "/root/bob", "--yes"),
)


def beside_the_store(place: Place) -> Mapping[str, tuple[object, ...]]:
    return {path: node for path, node in place.untouched.items() if "etc/dockertls" not in path}


@pytest.mark.parametrize("packaging", ["debian", "docker-ce", "fedora", "alpine"])
def test_a_bootstrap_and_all_that_came_later(tmp_path: Path, packaging: str) -> None:
    place = Place.recorded(packaging, tmp_path / "root")
    before = place.untouched
    place.done(*BOOTSTRAP)
    for words in LATER:
        place.done(*words)
    after = place.snapshot
    alone = place.run("undo", "1", "--yes")
    assert alone.code == 4, alone
    assert "dockertls undo 1 --since" in alone.err
    assert place.run(*SINCE[:-1], "--check").code == 1
    assert place.snapshot == after
    can = [entry["id"] for entry in place.done("--json", "history").document["data"] if entry["undoable"]]
    assert place.done("--json", *SINCE).document["data"]["undone"] == can
    assert beside_the_store(place) == before
    assert place.run(*SINCE).code == 4
    place.done(*BOOTSTRAP)
    place.done("undo", "--yes")
    assert beside_the_store(place) == before


def test_not_while_a_rotation_is_under_way_but_after_it_was_aborted(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    before = place.untouched
    place.done(*BOOTSTRAP)
    for action in ("start", "next"):
        place.done("ca", "rotate", action, "--no-passphrase", "--yes")
    under_way = place.snapshot
    ran = place.run(*SINCE)
    assert ran.code == 4
    assert "a rotation of the authority is under way" in ran.err
    assert place.snapshot == under_way
    place.done("ca", "rotate", "abort", "--no-passphrase", "--yes")
    place.done(*SINCE)
    assert beside_the_store(place) == before


def test_what_somebody_else_changed_stays(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    place.done(*BOOTSTRAP)
    place.done(*ROTATE)
    (place.root / "root/.docker/cert.pem").write_text("mine")
    before = place.snapshot
    ran = place.run(*SINCE)
    assert (ran.code, "changed since: /root/.docker/cert.pem" in ran.err) == (4, True), ran
    assert place.snapshot == before


def test_certificates_that_a_later_bootstrap_replaced_do_not_come_back(tmp_path: Path) -> None:
    """What the entry itself would bring back is looked at as ever."""
    place = Place.recorded("debian", tmp_path / "root")
    place.done(*BOOTSTRAP)
    place.done("bootstrap", "web1", "web2", *BOOTSTRAP[2:])
    place.done(*ROTATE)
    before = place.snapshot
    ran = place.run("undo", "2", "--since", "--yes")
    assert ran.code == 4
    assert "of an authority that is trusted no more" in ran.err
    assert "--since" in ran.err
    assert place.snapshot == before


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_on_a_live_host_a_container_outlives_it() -> None:
    with secured() as (lab, container):
        lab.output(*PROGRAM, "renew", "--all", *SIGNED)
        lab.output(*PROGRAM, "ca", "rotate", "--now", *SIGNED)
        assert listens(lab)
        lab.output(*PROGRAM, "undo", "1", "--since", "--yes")
        assert not listens(lab)
        assert "lasting" in lab.output("docker", "-H", "unix:///run/docker.sock", "ps")
        assert lab.container_pid("lasting") == container
        assert lab.run("test", "-e", "/root/.docker/key.pem").returncode == 1
        assert "--tlsverify" not in lab.shell("cat /etc/default/docker")
        lab.output(*PROGRAM, *LIVE)
        assert listens(lab)


def listens(lab: Lab) -> bool:
    return ":2376" in lab.output("ss", "-Hltn")
