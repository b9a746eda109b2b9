"""A dockerd of a test's own, beside others: on loopback, with files and certificates of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from dockertls.errors import Unreachable
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe import api
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.stranger import OUR_SERVER, STRANGER, stranger, visitors
from tests.e2e.newer import DOCKERD as NEWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.pki.profiles import Profile

DOCKERD = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin") or "dockerd"
DOCKERDS = (
    pytest.param(DOCKERD, id="dockerd"),
    pytest.param(str(NEWER), id="newer", marks=pytest.mark.needs("newer-dockerd")),
)
"""Their TLS libraries are eight releases of Go apart, and refuse with other alerts."""
TIMEOUT = 5.0
PATIENCE = 30.0
LOCALHOST = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))
TLS = ("--tlscacert={place}/ca.pem", "--tlscert={place}/cert.pem", "--tlskey={place}/key.pem")
SYSTEM_TRUST = '{{"tlsverify": true, "tlscert": "{place}/cert.pem", "tlskey": "{place}/key.pem"}}'
VERIFYING = ("--tlsverify", *TLS)


@dataclass(frozen=True)
class Daemon:
    """Where it listens, and what it says."""

    endpoint: Endpoint
    socket: PurePosixPath
    log: Path


@dataclass(frozen=True)
class Material:
    """An authority, and a server and a client of it; a client of another."""

    root: Issued
    server: ClientMaterial
    client: ClientMaterial
    other: ClientMaterial

    @classmethod
    def made(cls) -> Material:
        now = datetime.now(UTC)
        root = issue(Request(CA, "ours"), generate("ecdsa-p256"), None, now=now, serial=1)
        other = stranger(now=now, serials=(3, 4))
        return cls(root, leaf(SERVER, root, *LOCALHOST), leaf(CLIENT, root), other)

    @property
    def visitors(self) -> dict[str, ClientMaterial]:
        """Everybody who should not be let in."""
        now = datetime.now(UTC)
        made = visitors(self.client.ca, self.client.cert, now=now, serial=x509.random_serial_number)
        return {**made, STRANGER: self.other, OUR_SERVER: self.server}

    @property
    def ca(self) -> bytes:
        return certificate_pem([self.root.certificate])


def leaf(profile: Profile, root: Issued, *names: x509.GeneralName) -> ClientMaterial:
    key = generate("ecdsa-p256")
    made = issue(Request(profile, profile.name, names), key, root, now=datetime.now(UTC), serial=2)
    return ClientMaterial(certificate_pem([root.certificate]), certificate_pem([made.certificate]), private_pem(key))


@contextmanager
def running(
    program: str,
    material: Material,
    place: Path,
    *flags: str,
    ca: bytes | None = None,
    config: str = "{{}}",
    trusts_system: bool = False,
) -> Iterator[Daemon]:
    """A dockerd with these flags, for as long as the block lasts.

    Args:
        program: the dockerd.
        material: what its TLS files hold.
        place: an empty folder for all that it has; `{place}` in flags and configuration.
        flags: besides those of every dockerd here.
        ca: whose clients it lets in, if not those of `material`.
        config: its daemon.json, braces doubled.
        trusts_system: whether the system's own authorities are those of the test, for it alone.
    """
    files = {"ca": ca or material.ca, "cert": material.server.cert or b"", "key": material.server.key or b""}
    for name, content in files.items():
        (place / f"{name}.pem").write_bytes(content)
    (place / "daemon.json").write_text(config.format(place=place))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    daemon = Daemon(Endpoint("127.0.0.1", port), PurePosixPath(place / "d.sock"), place / "log")
    with daemon.log.open("wb") as log:
        process = subprocess.Popen(
            [program, *_argv(place, daemon), *(flag.format(place=place) for flag in flags)],
            env=_environment(place, trusts_system=trusts_system),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(process, daemon)
            yield daemon
        finally:
            process.terminate()
            process.wait(PATIENCE)
            subprocess.run(["umount", place / "data"], check=False, capture_output=True)  # dockerd leaves it mounted


def _environment(place: Path, *, trusts_system: bool) -> dict[str, str]:
    """Nothing of Docker's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER")}
    return clean | (
        {"SSL_CERT_FILE": str(place / "ca.pem"), "SSL_CERT_DIR": str(place / "none")} if trusts_system else {}
    )


def _argv(place: Path, daemon: Daemon) -> list[str]:
    own = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    return [
        *(f"--{flag}={place / name}" for flag, name in own.items()),
        f"--host=unix://{daemon.socket}",
        f"--host={daemon.endpoint.url}",
        "--iptables=false",
        "--bridge=none",
        "--storage-driver=vfs",
    ]


def _await(process: subprocess.Popen[bytes], daemon: Daemon) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            api.unix_get(daemon.socket, "/_ping", timeout=TIMEOUT)
        except Unreachable:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"dockerd did not start: {daemon.log.read_text()}")
            time.sleep(0.05)
        else:
            return
