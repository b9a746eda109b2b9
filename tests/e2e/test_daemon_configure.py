"""What `configure` writes on each packaging, given to a real dockerd: it starts, and only our clients get in."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dockertls.apply import Run, apply
from dockertls.daemon.configure import Style, Wanted, configure
from dockertls.host import LocalHost
from dockertls.rows import gather
from tests.roots.recorded import planted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.daemon.configure import Configuration

UNITS = ("usr/lib/systemd/system", "lib/systemd/system")
UNUSABLE = ("--containerd", "--exec-opt", "--userland-proxy-path", "-p")  # they need containerd, systemd, another path
ETC, SNAP, HOME = "etc/docker", "var/snap/docker/2963", "home/ann/.config/docker"
CONFIG = {"snap": f"{SNAP}/config/daemon.json", "rootless": f"{HOME}/daemon.json"}
FOLDER = {"snap": f"{SNAP}/etc/docker", "rootless": HOME}
"""Where a packaging's daemon.json lies, and its PEM files, if not in /etc/docker."""
TOLD = {"rootless": f"/{HOME}"}
"""What its dockerd calls the folder of its PEM files."""
SCRIPTS = {
    "etc/conf.d/docker": "DOCKER_OPTS",
    "etc/default/docker": "DOCKER_OPTS",
    "etc/sysconfig/docker": "other_args",
}
"""The file that an init script reads, and its variable."""
PATIENCE = 20.0  # seconds until dockerd is up, on a busy machine

pytestmark = pytest.mark.needs("dockerd", "curl")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short name: the sockets of a dockerd and its containerd lie below it."""
    with tempfile.TemporaryDirectory(prefix="dtls-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Machine:
    """A file tree of a packaging, with certificates in place, and a port of its own."""

    packaging: str
    root: Path
    port: int

    @property
    def config(self) -> Path:
        return self.root / CONFIG.get(self.packaging, f"{ETC}/daemon.json")

    @property
    def folder(self) -> Path:
        return self.root / FOLDER.get(self.packaging, ETC)

    @property
    def told(self) -> str:
        return TOLD.get(self.packaging, f"/{ETC}")

    @property
    def host(self) -> LocalHost:
        return LocalHost(root=str(self.root))

    @property
    def wanted(self) -> Wanted:
        folder = PurePosixPath(self.told)
        return Wanted(folder / "ca.pem", folder / "server-cert.pem", folder / "server-key.pem", port=self.port)

    def configure(self, style: Style) -> Configuration:
        wanted = self.wanted
        facts = gather(self.host, ("daemon",), now=datetime.now(UTC))
        return configure(facts, Wanted(wanted.ca, wanted.cert, wanted.key, port=self.port, style=style))


def machine(tmp_path: Path, packaging: str) -> Machine:
    root = planted(packaging, tmp_path / "root")
    folder = root / FOLDER.get(packaging, ETC)
    folder.mkdir(parents=True, exist_ok=True)
    make_certificates(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Machine(packaging, root, free.getsockname()[1])


def make_certificates(folder: Path) -> None:
    now = datetime.now(UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def sign(name: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> x509.Certificate:
        builder = x509.CertificateBuilder(authority, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority_key, hashes.SHA256())

    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    write(folder / "ca.pem", sign(authority, authority_key, x509.BasicConstraints(ca=True, path_length=None)))
    for name, purpose in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("client", ExtendedKeyUsageOID.CLIENT_AUTH)):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        write(folder / f"{name}-cert.pem", sign(subject, key, names, x509.ExtendedKeyUsage([purpose])))
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        content = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        (folder / f"{name}-key.pem").write_bytes(content)


def write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def assigned(root: Path, key: str) -> list[str]:
    """What the tree's docker.service assigns to a key, read without the code under test."""
    files = [root / folder / "docker.service" for folder in UNITS]
    drop_ins = sorted((root / "etc/systemd/system/docker.service.d").glob("*.conf"))
    texts = [file.read_text().replace("\\\n", " ") for file in (*filter(Path.exists, files), *drop_ins)]
    lines = [line for text in texts for line in text.splitlines()]
    return [line.removeprefix(f"{key}=") for line in lines if line.startswith(f"{key}=")]


def sourced(file: Path, variable: str) -> str:
    """A variable's value as a real shell takes it from the file."""
    script = f'. "$1"; printf %s "${{{variable}-}}"'
    return subprocess.run(["sh", "-euc", script, "sh", file], capture_output=True, text=True, check=True).stdout


def command_line(root: Path) -> list[str]:
    """dockerd's arguments as the tree's init system would give them."""
    if (root / "var/snap").exists() or (root / "home").exists():
        return []  # a wrapper gives none that matters here
    if not any((root / folder).exists() for folder in UNITS):
        found = [(root / file, name) for file, name in SCRIPTS.items() if (root / file).exists()]
        return [word for file, name in found for word in sourced(file, name).split()]
    files = [root / name.lstrip("-/") for name in assigned(root, "EnvironmentFile")]
    words: list[str] = []
    for word in shlex.split(assigned(root, "ExecStart")[-1])[1:]:
        if word.startswith("$"):
            words += [part for file in files if file.exists() for part in shlex.split(sourced(file, word[1:]))]
        else:
            words.append(word)
    return words


def usable(words: list[str]) -> list[str]:
    """The words without those flags that only work on the packaging's own machine."""
    kept = iter(words)
    return [word for word in kept if not (word.split("=")[0] in UNUSABLE and ("=" in word or next(kept)))]


def here(text: str, machine: Machine, local: Path) -> str:
    """Text whose paths and local socket are the test's."""
    return re.sub(r'(fd|unix)://[^"]*', f"unix://{local}", text).replace(f"{machine.told}/", f"{machine.folder}/")


def listeners(root: Path, local: Path) -> list[str]:
    """What listens in systemd's place, if the tree has systemd listen on a port; read without the code under test."""
    drop_ins = sorted((root / "etc/systemd/system/docker.socket.d").glob("*.conf"))
    lines = [line for file in drop_ins for line in file.read_text().splitlines()]
    ports = [line.removeprefix("ListenStream=") for line in lines if line.startswith("ListenStream=")]
    options = [word for listen in (str(local), *ports) for word in ("-l", listen)]
    return ["systemd-socket-activate", *options] if ports else []


@contextmanager
def running(machine: Machine, scratch: Path) -> Iterator[Path]:
    """A real dockerd with the tree's command line and daemon.json; its paths and its local socket are the test's."""
    local, root, config = scratch / "d.sock", machine.root, machine.config
    settings = json.loads(here(config.read_text(), machine, local)) if config.exists() else {}
    (scratch / "daemon.json").write_text(json.dumps(settings))
    handed_over = listeners(root, local)
    words = [here(word, machine, local) for word in usable(command_line(root))]
    if handed_over:  # systemd's own way to hand listeners over, without a systemd
        words = [word.replace(f"unix://{local}", "fd://") for word in words]
    own = ["--config-file", scratch / "daemon.json", "--data-root", scratch / "data", "--exec-root", scratch / "exec"]
    own += ["-p", scratch / "pid", "--iptables=false", "--bridge=none", "--storage-driver=vfs"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    log = (scratch / "log").open("w")
    argv = [*handed_over, shutil.which("dockerd") or "", *map(str, own), *words]
    with log, subprocess.Popen(argv, env=clean, stdout=log, stderr=log) as process:
        try:
            wait_for(local, process, scratch / "log")
            yield local
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def wait_for(local: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while curl("--unix-socket", str(local), "http://docker/_ping") != "OK":
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def curl(*words: str) -> str:
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--noproxy", "*", *words], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else f"curl {done.returncode}: {done.stderr}"


CASES = [
    ("debian", Style.SOCKET),
    ("debian", Style.ENV),
    ("debian", Style.JSON),
    ("debian", Style.DROP_IN),
    ("docker-ce", Style.SOCKET),
    ("docker-ce", Style.JSON),
    ("docker-ce", Style.DROP_IN),
    ("alpine", Style.ENV),
    ("alpine", Style.JSON),
    ("fedora", Style.SOCKET),
    ("fedora", Style.ENV),
    ("fedora", Style.JSON),
    ("fedora", Style.DROP_IN),
    ("sysv-debian", Style.ENV),
    ("sysv-redhat", Style.ENV),
    ("gentoo", Style.ENV),
    ("amazon", Style.SOCKET),
    ("amazon", Style.ENV),
    ("opensuse", Style.ENV),
    ("opensuse", Style.JSON),
    ("openeuler", Style.SOCKET),
    ("openeuler", Style.ENV),
    ("azurelinux", Style.JSON),
    ("ubuntu", Style.SOCKET),
    ("snap", Style.JSON),
    ("rootless", Style.JSON),
]


@pytest.mark.parametrize(("packaging", "style"), CASES)
def test_dockerd_starts_with_what_was_written_and_asks_for_certificates(
    packaging: str, style: Style, tmp_path: Path
) -> None:
    here = machine(tmp_path, packaging)
    receipt = apply(here.configure(style).plan, here.host, Run(datetime.now(UTC)))
    assert receipt.not_run, "a file tree restarts nothing"
    assert not here.configure(Style.AUTO).plan
    certificates = here.folder
    url = f"https://127.0.0.1:{here.port}/_ping"
    trust = ("--cacert", str(certificates / "ca.pem"))
    client = ("--cert", str(certificates / "client-cert.pem"), "--key", str(certificates / "client-key.pem"))
    with running(here, tmp_path) as local:
        assert curl("--unix-socket", str(local), "http://docker/_ping") == "OK"
        assert curl(*trust, *client, url) == "OK"
        assert "alert" in curl(*trust, url)
        assert "HTTP request to an HTTPS server" in curl(url.replace("https", "http"))
