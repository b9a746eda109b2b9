"""What must hold of a host and its store at any time, and what "wholly old" and "wholly new" mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.host import LocalHost
from dockertls.journal import history
from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.pki.profiles import issued_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.program import Place

Nodes = dict[str, tuple[object, ...]]

STATE = "var/lib/dockertls"
STORE = "etc/dockertls"
PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----")


def pairs(place: Place) -> Iterator[tuple[Path, Path]]:
    """Every certificate that has a name, and its key: of each generation of the store, and where they are used."""
    for certificate in (*place.store.glob("ca/[0-9]*/cert.pem"), *place.store.glob("*/*/[0-9]*/cert.pem")):
        yield certificate, certificate.with_name("key.pem")
    yield place.root / "etc/docker/server-cert.pem", place.root / "etc/docker/tls/current/server-key.pem"
    for folder in (place.root / "root/.docker", *place.root.glob("home/*/.docker")):
        yield folder / "cert.pem", folder / "key.pem"


def assert_whole(place: Place) -> None:
    """Every pair that has a name belongs together and to the authority beside it, and nothing staged lies about."""
    for certificate, key in pairs(place):
        if certificate.exists():
            leaf = load_certificates(certificate.read_bytes())[0]
            assert matches(leaf, load_private(key.read_bytes())), certificate
            authority = certificate.with_name("ca.pem")
            assert not authority.exists() or issued_by(leaf, load_certificates(authority.read_bytes())[0]), certificate
    for link in (*place.store.rglob("current"), *place.root.glob("etc/docker/*.pem")):
        assert link.exists(), f"{link} leads nowhere"
    assert not staged(place)
    assert_closed(place)
    for folder, mode in (("var", 0o755), ("var/lib", 0o755), (STATE, 0o700)):
        path = place.root / folder
        assert not path.exists() or path.stat().st_mode & 0o777 == mode, path


def assert_closed(place: Place) -> None:
    """At any moment, no key can be read by anybody but its owner, and systemd is not told to listen without TLS."""
    units = place.root / "etc/systemd/system"
    if any(b"\nListenStream=" in path.read_bytes() for path in units.glob("docker.socket.d/*.conf")):
        flags = (*units.glob("docker.service.d/*.conf"), *place.root.glob("etc/*/docker"))
        assert any(b"--tlsverify" in path.read_bytes() for path in flags if path.is_file())
        assert (place.root / "etc/docker/server-key.pem").exists()
    for path in (path for path in place.root.rglob("*") if path.is_file() and not path.is_symlink()):
        secret = b"PRIVATE KEY-----" in path.read_bytes() or path.is_relative_to(place.root / STATE)
        assert not secret or path.stat().st_mode & 0o777 == 0o600, path


def staged(place: Place) -> list[Path]:
    """What a run has left that it would have renamed or removed."""
    state = place.root / STATE
    names = [path for path in place.root.rglob("*") if ".dockertls-" in path.name]
    return [*names, *state.glob("*journal*")]


def host(place: Place) -> Nodes:
    """Every node but those of the store, the lock and the history."""
    return {path: node for path, node in place.untouched.items() if not path.startswith(STORE)}


def store(place: Place) -> Nodes:
    return {path: node for path, node in place.snapshot.items() if path.startswith(STORE)}


def assert_appended(before: Nodes, after: Nodes) -> None:
    """Nothing that was in the store is gone or changed, but which generation is in use."""
    kept = {path: node for path, node in before.items() if not path.endswith(("/current", "/trust.pem"))}
    assert kept == {path: after.get(path) for path in kept}


def entries(place: Place) -> int:
    """How many entries the history has."""
    return len(history(LocalHost(str(place.root))))


@dataclass(frozen=True)
class Course:
    """A host before and after a run that nothing disturbed, and how many entries its history has then."""

    old: Nodes
    new: Nodes
    entries: int

    def assert_old(self, place: Place) -> None:
        assert host(place) == self.old

    def assert_new(self, place: Place) -> None:
        """Byte for byte, but for what is random: what the run issues is another certificate each time."""
        made = {path for path, node in self.new.items() if node != self.old.get(path)}
        assert _masked(host(place), made) == _masked(self.new, made)

    def is_new(self, place: Place) -> bool:
        """Whether the history says that the run was done."""
        return entries(place) == self.entries

    def assert_either(self, place: Place) -> None:
        (self.assert_new if self.is_new(place) else self.assert_old)(place)


def _masked(nodes: Nodes, made: set[str]) -> Nodes:
    return {path: tuple(map(_mask, node)) if path in made else node for path, node in nodes.items()}


def _mask(part: object) -> object:
    found = PEM.findall(part) if isinstance(part, bytes) else []
    return found or part
