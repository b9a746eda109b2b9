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

    from cryptography.x509 import Certificate

    from tests.e2e.program import Place

Nodes = dict[str, tuple[object, ...]]

STATE = "var/lib/dockertls"
STORE = "etc/dockertls"
PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
TIME = re.compile(rb"\d{4}-\d\d-\d\dT[\d:]+Z")


def pairs(place: Place) -> Iterator[tuple[Path, Path]]:
    """Every certificate that has a name, and its key: of each generation of the store, and where they are used."""
    for certificate in (*place.store.glob("ca/[0-9]*/cert.pem"), *place.store.glob("*/*/[0-9]*/cert.pem")):
        yield certificate, certificate.with_name("key.pem")
    for certificate in place.root.glob("etc/docker/tls/[0-9]*/server-cert.pem"):
        yield certificate, certificate.with_name("server-key.pem")
    yield place.root / "etc/docker/server-cert.pem", place.root / "etc/docker/tls/current/server-key.pem"
    for folder in client_folders(place):
        yield folder / "cert.pem", folder / "key.pem"


def client_folders(place: Place) -> Iterator[Path]:
    """Where clients look for their files."""
    for folder in (place.root / "root/.docker", *place.root.glob("home/*/.docker")):
        yield folder
        yield from folder.glob("contexts/tls/*/docker")


def assert_paired(place: Place) -> None:
    """Every certificate that has a name belongs to the key beside it, and to an authority that is trusted there."""
    for certificate, key in pairs(place):
        if certificate.exists():
            (leaf, *_), authorities = read(certificate), read(certificate.with_name("ca.pem"))
            assert matches(leaf, load_private(key.read_bytes())), certificate
            assert not authorities or any(issued_by(leaf, one) for one in authorities), certificate


def assert_acquainted(place: Place) -> None:
    """Each client of this host trusts what dockerd is to show, and dockerd is to trust what he shows."""
    daemon = place.root / "etc/docker"
    served, trusted = read(daemon / "server-cert.pem"), read(daemon / "ca.pem")
    for folder in client_folders(place) if served else ():
        shown, believed = read(folder / "cert.pem"), read(folder / "ca.pem")
        assert not shown or any(issued_by(shown[0], one) for one in trusted), folder
        assert not believed or any(issued_by(served[0], one) for one in believed), folder


def read(path: Path) -> tuple[Certificate, ...]:
    """The certificates of a file; none if it is not there."""
    return load_certificates(path.read_bytes()) if path.exists() else ()


def assert_deployed(place: Place) -> None:
    """What the store says is in use is what lies on the host."""
    daemon, client = place.root / "etc/docker", place.root / "root/.docker"
    assert read(daemon / "server-cert.pem") == read(place.store / "servers/web1/current/cert.pem")
    assert read(daemon / "ca.pem") == read(place.store / "ca/trust.pem")
    assert read(client / "cert.pem") == read(place.store / "clients/ann/current/cert.pem")


def assert_whole(place: Place) -> None:
    """All belongs together, and nothing staged lies about."""
    assert_paired(place)
    assert_acquainted(place)
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


MOVING = re.compile(rf"({STORE}/)?(ca/(current|trust\.pem|rotation\.json)|(servers|clients)/[^/]+/current)")
"""What of a store may change or go: which generations are in use, who is trusted, and how far a rotation is."""


def assert_appended(before: Nodes, after: Nodes) -> None:
    """Nothing that was in the store is gone or changed, but what moves."""
    kept = {path: node for path, node in before.items() if not MOVING.fullmatch(path)}
    assert kept == {path: after.get(path) for path in kept}


def entries(place: Place) -> int:
    """How many entries the history has."""
    return len(history(LocalHost(str(place.root))))


@dataclass(frozen=True)
class State:
    """A host and its store between two changes.

    Attributes:
        host: every node of the host.
        store: every node of the store.
        entries: how many entries the history has.
    """

    host: Nodes
    store: Nodes
    entries: int

    @classmethod
    def of(cls, place: Place) -> State:
        return cls(host(place), store(place), entries(place))


@dataclass(frozen=True)
class Course:
    """A host before a run that nothing disturbs, after each change that the run makes, and after the last of them."""

    states: tuple[State, ...]

    @property
    def old(self) -> State:
        return self.states[0]

    @property
    def new(self) -> State:
        return self.states[-1]

    def reached(self, place: Place) -> State:
        """What is to be found there, by what the history says."""
        return self.states[entries(place) - self.old.entries]

    def is_new(self, place: Place) -> bool:
        """Whether the history says that the run was done."""
        return self.reached(place) is self.new

    def assert_old(self, place: Place) -> None:
        assert host(place) == self.old.host

    def assert_new(self, place: Place) -> None:
        """Byte for byte, but for what is random: what the run issues is another certificate each time."""
        self._assert_at(self.new, place)

    def assert_reached(self, place: Place) -> None:
        """Host and store are what the history says, and nothing in between."""
        state = self.reached(place)
        self._assert_at(state, place)
        _assert_same(store(place), state.store, self.old.store)
        assert_appended(self.old.store, store(place))

    def _assert_at(self, state: State, place: Place) -> None:
        _assert_same(host(place), state.host, self.old.host)


def _assert_same(found: Nodes, expected: Nodes, old: Nodes) -> None:
    made = {path for path, node in expected.items() if node != old.get(path)}
    assert _masked(found, made) == _masked(expected, made)


def _masked(nodes: Nodes, made: set[str]) -> Nodes:
    return {path: tuple(map(_mask, node)) if path in made else node for path, node in nodes.items()}


def _mask(part: object) -> object:
    if not isinstance(part, bytes):
        return part
    return PEM.findall(part) or TIME.sub(b"", part)
