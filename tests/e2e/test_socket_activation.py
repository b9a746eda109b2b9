"""A port that systemd holds and TLS as flags: whatever becomes of daemon.json, plain HTTP is never answered."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.handshake import look, plaintext
from dockertls.probe.observation import ClientMaterial, Outcome, PlainAnswer, PlainOutcome
from dockertls.probe.stranger import stranger
from tests.e2e.lab import until
from tests.e2e.newer import DOCKERD as NEWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.pki.issue import Issued
    from dockertls.pki.profiles import Profile

pytestmark = pytest.mark.needs("dockerd", "socket-activate")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short name: the sockets of a dockerd and its containerd lie below it."""
    with tempfile.TemporaryDirectory(prefix="dtls-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


DOCKERDS = (
    pytest.param(shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin") or "dockerd", id="dockerd"),
    pytest.param(str(NEWER), id="newer", marks=pytest.mark.needs("newer-dockerd")),
)
TIMEOUT = 15.0
TLS = ("--tlsverify", "--tlscacert={place}/ca.pem", "--tlscert={place}/cert.pem", "--tlskey={place}/key.pem")

SERVES = ("", "{}", '{"debug": true}', '{"tls": false}', '{"tls": true}', '{"foo": {"tls": false}}', "null")
"""What something else may write into daemon.json: TLS stays as the flags say it."""

REFUSES = (
    '{"tlsverify": false}',
    '{"tlsverify": true}',
    '{"tlsverify": null}',
    '{"foo": {"tlsverify": false}}',
    '{"foo": {"tlscacert": "PLACE/other.pem"}}',
    '{"tlscacert": "PLACE/other.pem"}',
    '{"tlscacert": ""}',
    '{"tlscert": "PLACE/cert.pem"}',
    '{"hosts": []}',
    '{"hosts": ["fd://"]}',
    '{"hosts": ["tcp://127.0.0.1:2375"]}',
    '{"TLS": false}',
    "{",
)
"""And what makes dockerd refuse to start."""


@dataclass(frozen=True)
class Seen:
    """What became of a dockerd that was started by its first caller, who spoke plain HTTP.

    Attributes:
        first: what that caller was told.
        runs: whether dockerd still ran then.
        later: what the next such caller was told.
        good: what became of a client of ours.
        nobody: what became of one without a certificate.
        stranger: what became of one of an authority that nobody knows.
    """

    first: PlainAnswer
    runs: bool
    later: PlainAnswer
    good: Outcome
    nobody: Outcome
    stranger: Outcome


def leaf(profile: Profile, root: Issued, *names: x509.GeneralName) -> tuple[bytes, bytes]:
    key = generate("ecdsa-p256")
    made = issue(Request(profile, profile.name, names), key, root, now=datetime.now(UTC), serial=2)
    return certificate_pem([made.certificate]), private_pem(key)


ROOT = issue(Request(CA, "ours"), generate("ecdsa-p256"), None, now=datetime.now(UTC), serial=1)
CA_PEM = certificate_pem([ROOT.certificate])
CERT, KEY = leaf(SERVER, ROOT, x509.IPAddress(ip_address("127.0.0.1")))
OURS = ClientMaterial(CA_PEM, *leaf(CLIENT, ROOT))
OTHER = stranger(now=datetime.now(UTC), serials=(3, 4))


def activated(dockerd: str, place: Path, document: str, flags: tuple[str, ...]) -> Seen:
    """Let systemd's own stand-in hold a port, and call it."""
    files = {"ca.pem": CA_PEM, "other.pem": OTHER.ca, "cert.pem": CERT, "key.pem": KEY}
    for name, content in files.items():
        (place / name).write_bytes(content)
    (place / "daemon.json").write_text(document.replace("PLACE", str(place)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = Endpoint("127.0.0.1", int(free.getsockname()[1]))
    with _held(dockerd, place, endpoint, [flag.format(place=place) for flag in flags]) as process:
        first = plaintext(endpoint, timeout=TIMEOUT)
        if first.outcome is PlainOutcome.CLOSED:
            process.wait(TIMEOUT)
        runs = process.poll() is None
        later = plaintext(endpoint, timeout=TIMEOUT)
        clients = (OURS, ClientMaterial(CA_PEM), OTHER)
        looks = [look(endpoint, client, version="TLSv1.3", timeout=TIMEOUT).outcome for client in clients]
    return Seen(first, runs, later, *looks)


@contextlib.contextmanager
def _held(dockerd: str, place: Path, endpoint: Endpoint, flags: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    own = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    aloof = ("--iptables=false", "--ip-forward=false", "--ip-masq=false", "--bridge=none", "--storage-driver=vfs")
    command = [dockerd, "--host=fd://", *(f"--{flag}={place / name}" for flag, name in own.items()), *aloof, *flags]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"{endpoint.host}:{endpoint.port}", "-l", place / "d.sock", *command],
            env={"PATH": os.environ["PATH"], "HOME": str(place)},
            stdout=log,
            stderr=log,
        )
        try:
            until((place / "d.sock").is_socket, "nobody listens")
            yield process
        finally:
            process.terminate()
            process.wait(TIMEOUT)
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((place / "exec/containerd/containerd.pid").read_text()), signal.SIGTERM)


@pytest.mark.parametrize("document", SERVES)
@pytest.mark.parametrize("dockerd", DOCKERDS)
def test_tls_stays_on(dockerd: str, document: str, tmp_path: Path) -> None:
    seen = activated(dockerd, tmp_path, document, TLS)
    if not seen.runs:  # an empty file is one that the older one cannot read
        assert document == ""
        assert seen.first.outcome is PlainOutcome.CLOSED
        return
    assert (seen.first.outcome, seen.later.outcome) == (PlainOutcome.REFUSED, PlainOutcome.REFUSED)
    assert seen.good is Outcome.ACCEPTED
    assert {seen.nobody, seen.stranger} == {Outcome.REFUSED_AFTER_HANDSHAKE}


@pytest.mark.parametrize("document", REFUSES)
@pytest.mark.parametrize("dockerd", DOCKERDS)
def test_dockerd_does_not_start(dockerd: str, document: str, tmp_path: Path) -> None:
    seen = activated(dockerd, tmp_path, document, TLS)
    assert not seen.runs
    assert seen.first.outcome is PlainOutcome.CLOSED
    assert seen.later.outcome is PlainOutcome.UNREACHABLE
    assert "unable to configure the Docker daemon" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("dockerd", DOCKERDS)
def test_without_the_flags_it_is_open_and_so_they_come_first(dockerd: str, tmp_path: Path) -> None:
    """Why TLS is in place before a port is, and why it leaves after it."""
    seen = activated(dockerd, tmp_path, json.dumps({"debug": True}), ())
    assert (seen.first.outcome, seen.first.status) == (PlainOutcome.ANSWERED, 200)
