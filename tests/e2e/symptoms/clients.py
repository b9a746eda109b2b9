"""The clients that people use, each asking a daemon or a server, and what they print when it does not work."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.e2e.symptoms.stage import Stage

WAIT = 2.0  # seconds: for an answer that is to come at once, or never
DOCKERS = tuple(
    dict.fromkeys(found for found in (shutil.which("docker"), "/usr/bin/docker") if found and Path(found).exists())
) or ("docker",)
"""The machine's own, and Debian's where that is another."""
DOCKER_PY = f"import docker; print(docker.from_env(timeout={WAIT}).ping())"
JAVA = Path(__file__).with_name("Ask.java")
POWERLESS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Runs a program as root that may not read what its owner may not."""


@dataclass(frozen=True)
class Asked:
    """How a client fared: whether it got an answer, and what it printed."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Where:
    """Whom a client asks, and with which files."""

    host: str
    port: int
    files: Path

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/_ping"

    @property
    def environment(self) -> dict[str, str]:
        host = f"tcp://{self.host}:{self.port}"
        return {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(self.files)}

    def own(self, ca: str, cert: str, key: str) -> list[object]:
        """The options that name the files, without the client's own where it has none."""
        pair = (
            [cert, self.files / "cert.pem", key, self.files / "key.pem"] if (self.files / "cert.pem").exists() else []
        )
        return [ca, self.files / "ca.pem", *pair]


def _asked(stage: Stage, *argv: object, env: Mapping[str, str] | None = None) -> Asked:
    done = stage.ran(*argv, env=env)
    return Asked(done.returncode == 0, done.stdout)


def docker(program: str, *words: str) -> Callable[[Stage, Where], Asked]:
    return lambda stage, where: _asked(stage, program, *(words or ("ps",)), env=where.environment)


def curl(*options: str) -> Callable[[Stage, Where], Asked]:
    return lambda stage, where: _asked(
        stage, "curl", "-sS", "-m", WAIT, *options, *where.own("--cacert", "--cert", "--key"), where.url
    )


def openssl(*options: str) -> Callable[[Stage, Where], Asked]:
    def ask(stage: Stage, where: Where) -> Asked:
        named = "-verify_ip" if where.host[0].isdigit() else "-verify_hostname"
        own = (named, where.host, "-verify_return_error", *where.own("-CAfile", "-cert", "-key"))
        return _asked(stage, "openssl", "s_client", "-connect", f"{where.host}:{where.port}", *own, *options)

    return ask


def gnutls(*options: str) -> Callable[[Stage, Where], Asked]:
    def ask(stage: Stage, where: Where) -> Asked:
        own = where.own("--x509cafile", "--x509certfile", "--x509keyfile")
        return _asked(stage, "gnutls-cli", *own, *options, "-p", where.port, where.host)

    return ask


def docker_py(stage: Stage, where: Where, **extra: str) -> Asked:
    return _asked(stage, sys.executable, "-c", DOCKER_PY, env=where.environment | extra)


def python(version: ssl.TLSVersion | None = None, *, strict: bool = False) -> Callable[[Stage, Where], Asked]:
    """Python's ssl, in a program that reads before it writes, so that an alert is never lost."""

    def ask(_: Stage, where: Where) -> Asked:
        try:
            return Asked(_python(where, version, strict=strict), "")
        except (OSError, ValueError):
            return Asked(False, traceback.format_exc())

    return ask


def _python(where: Where, version: ssl.TLSVersion | None, *, strict: bool) -> bool:
    context = ssl.create_default_context(cafile=str(where.files / "ca.pem"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 does by itself
    if version:
        context.minimum_version = context.maximum_version = version
    if (where.files / "cert.pem").exists():
        context.load_cert_chain(where.files / "cert.pem", where.files / "key.pem", password=lambda: "")
    with (
        socket.create_connection((where.host, where.port), timeout=WAIT) as connection,
        context.wrap_socket(connection, server_hostname=where.host) as tls,
    ):
        refused, _, _ = select.select([tls], [], [], 0.1)
        if refused:
            tls.setblocking(False)
            try:
                tls.recv(1)
            except ssl.SSLWantReadError:
                tls.settimeout(WAIT)
        tls.sendall(f"GET /_ping HTTP/1.0\r\nHost: {where.host}\r\n\r\n".encode())
        return bool(tls.recv(1))


def java(key: object, cases: Mapping[object, Callable[[Stage], Where]]) -> Callable[[Stage], Asked]:
    """One of these cases; the first that is asked for runs all of them, since a Java takes a second to start."""

    def run(stage: Stage) -> dict[object, str]:
        asked = [ask(stage) for ask in cases.values()]
        text = stage.ran("java", JAVA, *(word for where in asked for word in (where.url, where.files))).stdout
        answers = text.split("#ask\n")[1:]
        assert len(answers) == len(cases), text
        return dict(zip(cases, answers, strict=True))

    def ask(stage: Stage) -> Asked:
        text: str = stage.once("java", lambda: run(stage))[key]
        return Asked(text.strip().isdigit(), text)

    return ask


def unshared(*options: str, script: str, program: tuple[object, ...]) -> list[object]:
    """A program in namespaces of its own that a script has prepared."""
    return ["unshare", *options, "sh", "-c", f'{script}; exec "$@"', "sh", *program]


PLAIN_CLIENTS: dict[str, tuple[tuple[str, ...], Callable[[Stage, Where], Asked]]] = {
    **{f"docker{number or ''}": (("docker",), docker(program)) for number, program in enumerate(DOCKERS)},
    "curl": (("curl",), curl()),
    "openssl": (("openssl",), openssl()),
    "gnutls": (("gnutls",), gnutls()),
    "python": ((), python()),
    "docker-py": ((), docker_py),
}
"""Those that are asked one by one: what they need of the machine, and how they ask."""
