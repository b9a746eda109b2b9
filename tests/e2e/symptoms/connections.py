"""Connections that do not come about, are cut, or join two that speak past each other."""

from __future__ import annotations

import queue
import socket
import ssl
import sys
import threading
import traceback
import warnings
from functools import partial
from typing import TYPE_CHECKING

from tests.e2e.symptoms.clients import (
    DOCKER_PY,
    DOCKERS,
    PLAIN_CLIENTS,
    POWERLESS,
    WAIT,
    Asked,
    Where,
    curl,
    docker_py,
    openssl,
    unshared,
)  # fmt: skip
from tests.e2e.symptoms.papers import pem
from tests.e2e.symptoms.producer import Producer
from tests.e2e.symptoms.stage import DAEMONS, OLDER, PATIENCE, TLS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.symptoms.stage import Stage

UNROUTED = "ip link set lo up; ip route add unreachable 192.0.2.0/24"
HOSTS_ALONE = 'mount --bind "$1" /etc/nsswitch.conf; shift'
"""Names are looked up in /etc/hosts and nowhere else."""
RESET = b"\x01\0\0\0\0\0\0\0"
"""SO_LINGER: closed at once, with a reset."""


def _files(stage: Stage) -> Where:
    """A good client, who is told another address each time."""
    files = stage.once("good", lambda: stage.files(stage.papers.client))
    return Where("127.0.0.1", 0, files)


def _at(port: int, stage: Stage) -> Where:
    return Where("127.0.0.1", port, _files(stage).files)


def _plain(stage: Stage) -> Where:
    return _at(stage.daemon(OLDER, "--tls=false").port, stage)


def _nobody(stage: Stage) -> Where:
    return _at(free_port(), stage)


def _cut(stage: Stage) -> Where:
    return _at(stage.once("cut", lambda: stage.serve(lambda caller: caller.recv(9999))), stage)


def _reset(stage: Stage) -> Where:
    def behave(caller: socket.socket) -> None:
        caller.recv(1)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    return _at(stage.once("reset", lambda: stage.serve(behave)), stage)


def silent(stage: Stage) -> Where:
    def make() -> int:
        over = threading.Event()
        port = stage.serve(lambda _: over.wait(10 * WAIT))
        stage.stack.callback(over.set)
        return port

    return _at(stage.once("silent", make), stage)


def _old(stage: Stage) -> Where:
    """A server that knows nothing newer than TLS 1.1."""
    return _at(stage.once("old", lambda: stage.https(stage.papers.server, _only_old)), stage)


def _only_old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _picky(stage: Stage) -> Where:
    """A server that takes only a cipher which its certificate cannot be used with."""
    return _at(stage.once("picky", lambda: stage.https(stage.papers.server, _odd_cipher)), stage)


def _odd_cipher(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA256")


def _asking(where: Callable[[Stage], Where], ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    return ask(stage, where(stage))


def _logged(program: str, call: Callable[[Stage, Where], object], stage: Stage) -> Asked:
    daemon = stage.secure(program)
    return Asked(False, daemon.told(lambda: call(stage, _at(daemon.port, stage))))


def _says(content: bytes) -> Callable[[Stage, Where], object]:
    def call(_: Stage, where: Where) -> None:
        with socket.create_connection((where.host, where.port)) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    return call


def _host(program: tuple[object, ...], address: str, stage: Stage, **extra: str) -> Asked:
    """A client that is told this address."""
    env = {**_files(stage).environment, "DOCKER_HOST": address, **extra}
    return Asked(False, stage.run(*program, env=env))


def _without_tls(program: tuple[object, ...], stage: Stage) -> Asked:
    return Asked(False, stage.run(*program, env={"DOCKER_HOST": stage.secure().url}))


def _unrouted(program: tuple[object, ...], address: str, stage: Stage) -> Asked:
    env = {**_files(stage).environment, "DOCKER_HOST": f"tcp://{address}:2376"}
    return Asked(False, stage.run(*unshared("--net", script=UNROUTED, program=program), env=env))


def _nameless(program: tuple[object, ...], stage: Stage) -> Asked:
    """A client, or a daemon, where nobody knows the name web9."""
    lookups = stage.folder / "nsswitch"
    lookups.write_text("hosts: files\n")
    env = {**_files(stage).environment, "DOCKER_HOST": "tcp://web9:2376"}
    return Asked(False, stage.run(*unshared("--mount", script=HOSTS_ALONE, program=(lookups, *program)), env=env))


def _nameless_daemon(program: str, stage: Stage) -> Asked:
    place = stage.files(stage.papers.server)
    (place / "daemon.json").write_text("{}")
    flags = [flag.format(at=place) for flag in TLS]
    own = (f"--config-file={place}/daemon.json", f"--data-root={place}/data", f"--pidfile={place}/pid")
    return _nameless((program, *own, *flags, "--host=tcp://web9:2376"), stage)


def _denied(program: tuple[object, ...], stage: Stage) -> Asked:
    """A socket that only somebody else may use."""

    def make() -> str:
        path = stage.folder / "denied.sock"
        listener = stage.stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        return f"unix://{path}"

    return Asked(False, stage.run(*POWERLESS, *program, env={"DOCKER_HOST": stage.once("denied", make)}))


def _no_socket(program: tuple[object, ...], stage: Stage) -> Asked:
    return Asked(False, stage.run(*program, env={"DOCKER_HOST": f"unix://{stage.folder}/none.sock"}))


def _proxied(program: tuple[object, ...], stage: Stage) -> Asked:
    """A proxy that lets nobody pass."""

    def behave(caller: socket.socket) -> None:
        caller.recv(9999)
        caller.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    proxy = stage.once("proxy", lambda: stage.serve(behave))
    return _host(program, "tcp://web9.example:2376", stage, HTTPS_PROXY=f"http://127.0.0.1:{proxy}")


def _bundle(stage: Stage, content: bytes | None) -> Asked:
    """docker-py with another CA file in the environment."""
    bundle = stage.place("bundle") / "ca.pem"
    if content:
        bundle.write_bytes(content)
    return docker_py(stage, _at(stage.secure().port, stage), REQUESTS_CA_BUNDLE=str(bundle))


def _answering(name: str, answer: bytes, stage: Stage) -> Where:
    """A TLS server with a certificate of ours, that says the same to everybody and closes the connection."""

    def make() -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = stage.files(stage.papers.server)
        context.load_cert_chain(files / "cert.pem", files / "key.pem")

        def behave(caller: socket.socket) -> None:
            with context.wrap_socket(caller, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(answer)

        return stage.serve(behave)

    return _at(stage.once(name, make), stage)


def _not_docker(ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    """A web server."""
    page = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>"
    return ask(stage, _answering("web", page, stage))


def _half(stage: Stage) -> Where:
    """A daemon that ends amid each of its answers."""
    half = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[{\r\n"
    return _answering("half", half, stage)


def _speaking(program: tuple[object, ...], version: str, stage: Stage) -> Asked:
    """A client that is told to speak this version of the API."""
    env = {**_at(stage.secure().port, stage).environment, "DOCKER_API_VERSION": version}
    return Asked(False, stage.run(*program, env=env))


def _no_base_url(stage: Stage) -> Asked:
    files = _files(stage).files
    tls = f"docker.tls.TLSConfig(ca_cert='{files}/ca.pem', verify=True)"
    return Asked(False, stage.run(sys.executable, "-c", f"import docker; docker.APIClient(tls={tls})"))


def _sharing_nothing(stage: Stage) -> Asked:
    """What an OpenSSL server says to a client that offers no curve which it takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files, told = _files(stage).files, queue.SimpleQueue[str]()
    context.load_cert_chain(files / "cert.pem", files / "key.pem")
    context.set_ecdh_curve("prime256v1")

    def behave(caller: socket.socket) -> None:
        try:
            context.wrap_socket(caller, server_side=True)
        except ssl.SSLError:
            told.put(traceback.format_exc())

    openssl("-tls1_3", "-groups", "X448")(stage, _at(stage.serve(behave), stage))
    return Asked(False, told.get(timeout=PATIENCE))


PYTHON_DOCKER = (sys.executable, "-c", DOCKER_PY)
NEWER_API = "import docker; docker.from_env(version='1.99').version()"
GO = tuple((f"docker{number or ''}", (program, "ps")) for number, program in enumerate(DOCKERS))
PROGRAMS = (*((name, argv, ("docker",)) for name, argv in GO), ("docker-py", PYTHON_DOCKER, ()))
ODD_CIPHER = ("--tls-max", "1.2", "--ciphers", "AES128-SHA256")
OLD_TLS = ("--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0")

WHERE: tuple[tuple[str, str, Callable[[Stage], Where]], ...] = (
    ("tls-to-plain", "plain", _plain),
    ("refused", "nobody", _nobody),
    ("closed", "cut", _cut),
    ("closed", "reset", _reset),
    ("protocol-version", "old", _old),
    ("no-common-cipher", "picky", _picky),
)
"""The row, what is there, and where."""

PRODUCERS: tuple[Producer, ...] = (
    *(
        Producer(
            "not-connected" if (client, row) == ("curl", "refused") else row,
            f"{client}-{name}",
            partial(_asking, where, ask),
            ("dockerd", *needs),
        )
        for row, name, where in WHERE
        for client, (needs, ask) in PLAIN_CLIENTS.items()
        if (client, name) != ("gnutls", "old")  # it takes what is old
    ),
    *(
        Producer("timed-out", f"{client}-silent", partial(_asking, silent, ask), needs)
        for client, (needs, ask) in PLAIN_CLIENTS.items()
        if client in ("curl", "python", "docker-py")
    ),
    *(
        producer
        for daemon, (program, needs) in DAEMONS.items()
        for producer in (
            Producer("not-a-handshake", f"log-{daemon}-ssh", partial(_logged, program, _says(b"SSH-2.0-x\r\n")), needs),
            Producer("not-a-handshake", f"log-{daemon}-scan", partial(_logged, program, _says(b"")), needs),
            Producer("protocol-version", f"log-{daemon}-curl",
                     partial(_logged, program, curl(*OLD_TLS)), (*needs, "curl")),
            Producer("no-common-cipher", f"log-{daemon}-cipher",
                     partial(_logged, program, openssl("-tls1_2", "-cipher", "AES128-SHA256")), (*needs, "openssl")),
            Producer("no-common-cipher", f"log-{daemon}-curve",
                     partial(_logged, program, openssl("-tls1_3", "-groups", "X448")), (*needs, "openssl")),
            Producer("name-unknown", f"dockerd-{daemon}", partial(_nameless_daemon, program), (*needs, "root")),
        )
    ),
    Producer("protocol-version", "curl-1.1", lambda stage: curl(*OLD_TLS)(stage, _at(stage.secure().port, stage)),
             ("dockerd", "curl")),
    Producer("no-common-cipher", "openssl-curve",
             lambda stage: openssl("-tls1_3", "-groups", "X448")(stage, _at(stage.secure().port, stage)),
             ("dockerd", "openssl")),
    Producer("no-common-cipher", "curl-cipher",
             lambda stage: curl(*ODD_CIPHER)(stage, _at(stage.secure().port, stage)),
             ("dockerd", "curl")),
    Producer("no-common-cipher", "python-server", _sharing_nothing, ("openssl",)),
    *(
        producer
        for name, argv, needs in PROGRAMS
        for producer in (
            Producer("plain-to-tls", name, partial(_without_tls, argv), ("dockerd", *needs)),
            Producer("bind-format", name, partial(_host, argv, "https://web1:2376" if needs else "ftp://web1"), needs),
            Producer("no-route", f"{name}-unreachable", partial(_unrouted, argv, "198.51.100.1"), (*needs, "root")),
            Producer("no-route", f"{name}-no-host", partial(_unrouted, argv, "192.0.2.1"), (*needs, "root")),
            Producer("name-unknown", name, partial(_nameless, argv), (*needs, "root")),
            Producer("socket-denied", name, partial(_denied, argv), (*needs, "root", "setpriv")),
            Producer("socket-missing", name, partial(_no_socket, argv), needs),
            Producer("proxy", name, partial(_proxied, argv), needs),
        )
    ),
    *(Producer("wrong-port", name, partial(_host, argv, "tcp://127.0.0.1"), ("docker",)) for name, argv in GO),
    *(
        Producer("not-docker", name, partial(_not_docker, PLAIN_CLIENTS[name][1]), needs)
        for name, _, needs in PROGRAMS
    ),
    *(
        Producer("cut-off", client, partial(_asking, _half, ask), needs)
        for client, (needs, ask) in PLAIN_CLIENTS.items()
        if client not in ("openssl", "gnutls", "python")  # they know nothing of HTTP
    ),
    *(
        Producer(row, name, partial(_speaking, argv, version), ("dockerd", "docker"))
        for row, version in (("api-too-new", "1.99"), ("api-too-old", "1.5"))
        for name, argv in GO
    ),
    Producer("api-too-new", "docker-py", partial(_speaking, (sys.executable, "-c", NEWER_API), ""), ("dockerd",)),
    Producer("plain-to-tls", "curl",
             lambda stage: Asked(False, stage.ran("curl", "-s", f"http://127.0.0.1:{stage.secure().port}/").stdout),
             ("dockerd", "curl")),
    Producer("not-connected", "curl-no-host",
             partial(_unrouted, ("curl", "-sS", "https://192.0.2.1:2376/"), "192.0.2.1"), ("curl", "root")),
    Producer("name-unknown", "curl", partial(_nameless, ("curl", "-sS", "https://web9:2376/")), ("curl", "root")),
    Producer("name-unknown", "openssl", partial(_nameless, ("openssl", "s_client", "-connect", "web9:2376")),
             ("openssl", "root")),
    Producer("proxy", "curl", partial(_proxied, ("curl", "-sS", "https://web9.example:2376/")), ("curl",)),
    Producer("no-port", "docker-py", partial(_host, PYTHON_DOCKER, "tcp://127.0.0.1")),
    Producer("no-base-url", "docker-py", _no_base_url),
    Producer("wrong-ca", "docker-py-bundle", lambda stage: _bundle(stage, pem(stage.papers.others)), ("dockerd",)),
    Producer("environment-bundle", "docker-py-no-bundle", lambda stage: _bundle(stage, None), ("dockerd",)),
)  # fmt: skip
