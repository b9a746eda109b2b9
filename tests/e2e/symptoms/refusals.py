"""Daemons that refuse a client: what every client says, and what the daemon's log says, of an older and a newer one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dockertls.probe.observation import ClientMaterial
from tests.e2e.symptoms.clients import DOCKERS, Asked, Where, curl, docker, docker_py, gnutls, openssl, python
from tests.e2e.symptoms.papers import ENDED, STRANGE, TO_COME, Papers, authority, pem, with_extensions
from tests.e2e.symptoms.producer import Producer
from tests.e2e.symptoms.stage import DAEMONS, OLDER, TLS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from tests.e2e.symptoms.stage import Stage


@dataclass(frozen=True)
class Refused:
    """Who is refused, and how that is explained.

    Attributes:
        name: what is wrong with him.
        logged: the row of what the daemon's log says.
        alerted: the row of the alert that a newer daemon sends; an older one always says bad certificate.
        show: what he has.
    """

    name: str
    logged: str
    alerted: str
    show: Callable[[Papers], ClientMaterial]

    def where(self, stage: Stage, program: str) -> Where:
        files = stage.once((self.name, "client"), lambda: stage.files(self.show(stage.papers)))
        return Where("127.0.0.1", stage.secure(program).port, files)


REFUSED: tuple[Refused, ...] = (
    Refused("nobody", "no-client-certificate", "no-client-certificate",
            lambda papers: ClientMaterial(pem(papers.ours))),
    Refused("stranger", "unknown-issuer", "unknown-issuer", lambda papers: papers.stranger),
    Refused("twin", "same-name-authority", "unknown-issuer",
            lambda papers: papers.material(papers.asks(papers.twin), papers.ours, papers.twin)),
    Refused("ended", "client-expired", "client-expired", lambda papers: papers.material(papers.asks(**ENDED))),
    Refused("to-come", "not-yet-valid", "client-expired", lambda papers: papers.material(papers.asks(**TO_COME))),
    Refused("server", "client-purpose", "client-refused", lambda papers: papers.server),
    Refused("strange-extension", "critical-extension", "client-refused",
            lambda papers: papers.material(with_extensions(papers.asks(), STRANGE))),
    Refused("no-intermediate", "unknown-issuer", "unknown-issuer",
            lambda papers: papers.material(papers.asks(authority("middle", papers.ours)))),
)  # fmt: skip

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CLIENTS: Mapping[str, tuple[tuple[str, ...], Callable[[Stage, Where], Asked]]] = {
    **{f"docker{number or ''}": (("docker",), docker(program)) for number, program in enumerate(DOCKERS)},
    "curl-1.2": (("curl",), curl("--tls-max", "1.2")),
    "curl-1.3": (("curl",), curl("--tlsv1.3")),
    "python-1.2": ((), python(V12)),
    "python-1.3": ((), python(V13)),
    "openssl-1.2": (("openssl",), openssl("-tls1_2")),
    "gnutls-1.2": (("gnutls",), gnutls("--priority=NORMAL:-VERS-TLS1.3")),
    "docker-py": ((), docker_py),
}


def _racing(client: str) -> tuple[str, ...]:
    """With TLS 1.3 most clients write at once what they have to say; what the daemon says then may be lost."""
    return () if client.endswith("1.2") or client.startswith("python") else ("closed",)


def _logged(one: Refused, program: str, stage: Stage) -> Asked:
    where = one.where(stage, program)
    return Asked(False, stage.secure(program).told(lambda: python(V13)(stage, where)))


def _row(one: Refused, daemon: str, client: str) -> str:
    if daemon == "older":
        return "client-refused"
    if one.name == "nobody" and client.endswith("1.2"):
        return "client-refused"  # TLS 1.2 has no alert that says more
    if client.startswith("docker") and client != "docker-py" and one.alerted == "unknown-issuer":
        return "unknown-issuer" if one.name == "twin" else "no-client-certificate"  # Go keeps a stranger's to itself
    return one.alerted


def _asking(one: Refused, program: str, ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    return ask(stage, one.where(stage, program))


def _distrusting(program: str, ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    """What the log of a good daemon says of a client that has the wrong ca.pem."""
    daemon = stage.secure(program)
    files = stage.once("distrusting", lambda: stage.files(stage.papers.client, ca=pem(stage.papers.others)))
    return Asked(False, daemon.told(lambda: ask(stage, Where("127.0.0.1", daemon.port, files))))


def _ended_daemon(ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    """What the log of a daemon says whose certificate has expired."""
    ended = stage.once("ended", lambda: stage.papers.material(stage.papers.serves(**ENDED)))
    daemon = stage.daemon(OLDER, *TLS, shown=ended)
    where = Where("127.0.0.1", daemon.port, stage.once("good", lambda: stage.files(stage.papers.client)))
    return Asked(False, daemon.told(lambda: ask(stage, where)))


BY_PROXY = {
    one: row
    for one in REFUSED
    for name, row in (
        ("nobody", "no-client-certificate"),
        ("ended", "client-expired"),
        ("twin", "unknown-issuer"),
        ("server", "client-purpose"),
    )
    if one.name == name
}
"""What OpenSSL's alerts say, where a proxy with OpenSSL stands before dockerd."""


def before_proxy(one: Refused, stage: Stage) -> Where:
    """A server that asks for certificates, and hears out whom it refuses: so no client misses the alert."""
    files = stage.once((one.name, "client"), lambda: stage.files(one.show(stage.papers)))
    return Where("127.0.0.1", stage.once("proxy before dockerd", lambda: _proxy(stage)), files)


def _proxy(stage: Stage) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = stage.files(stage.papers.server)
    context.load_cert_chain(own / "cert.pem", own / "key.pem")
    context.load_verify_locations(own / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED

    def behave(caller: socket.socket) -> None:
        with caller.dup() as line:
            try:
                context.wrap_socket(caller, server_side=True).close()
            except ssl.SSLError:
                while line.recv(4096):
                    pass

    return stage.serve(behave)


def _by_proxy(one: Refused, ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    return ask(stage, before_proxy(one, stage))


PRODUCERS: tuple[Producer, ...] = (
    *(
        Producer(one.logged, f"log-{daemon}-{one.name}", partial(_logged, one, program), needs)
        for daemon, (program, needs) in DAEMONS.items()
        for one in REFUSED
    ),
    *(
        Producer(
            _row(one, daemon, client),
            f"{client}-{daemon}-{one.name}",
            partial(_asking, one, program, ask),
            (*needs, *more),
            _racing(client),
        )
        for daemon, (program, needs) in DAEMONS.items()
        for one in REFUSED
        if daemon == "newer" or one.name in ("nobody", "stranger", "server")
        for client, (more, ask) in CLIENTS.items()
        if (one.name, client) != ("nobody", "docker-py")  # from_env() wants a certificate
    ),
    *(
        Producer(row, f"log-{daemon}-{client}-distrusts", partial(_distrusting, program, ask), (*needs, *more))
        for daemon, (program, needs) in DAEMONS.items()
        for client, row, more, ask in (
            ("docker", "server-distrusted", ("docker",), docker(DOCKERS[0])),
            ("curl-1.2", "wrong-ca", ("curl",), curl("--tls-max", "1.2")),
            ("curl-1.3", "server-distrusted", ("curl",), curl("--tlsv1.3")),
            ("python", "server-distrusted", (), python(V13)),
        )
    ),
    *(
        Producer(row, f"{client}-proxy-{one.name}", partial(_by_proxy, one, ask), needs)
        for one, row in BY_PROXY.items()
        for client, (needs, ask) in CLIENTS.items()
        if client.startswith("docker") or client.endswith("1.3")
        if (one.name, client) != ("nobody", "docker-py")
    ),
    Producer("expired", "log-curl-1.2-ended", partial(_ended_daemon, curl("--tls-max", "1.2")), ("dockerd", "curl")),
)
