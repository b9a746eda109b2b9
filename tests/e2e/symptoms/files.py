"""Files that are wrong, and settings of dockerd that are: what dockerd and every client say when they read them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dockertls.pki.keys import generate, private_pem
from tests.e2e.symptoms.clients import DOCKERS, POWERLESS, Asked, Where, curl, docker, docker_py, openssl, python
from tests.e2e.symptoms.producer import Producer
from tests.e2e.symptoms.stage import DAEMONS, OLDER, TLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.probe.observation import ClientMaterial
    from tests.e2e.symptoms.stage import Stage


@dataclass(frozen=True)
class Wrong:
    """Files that are wrong, and how that is explained.

    Attributes:
        name: what is wrong.
        row: of dockerd and most clients.
        change: what ca.pem, cert.pem and key.pem hold instead; None: they are not there.
        others: the row of clients that say something else; empty: they do not read that file.
    """

    name: str
    row: str
    change: Callable[[ClientMaterial, Stage], Mapping[str, bytes | None]]
    others: Mapping[str, str]

    def row_of(self, client: str) -> str:
        return self.others.get(client, self.row)


def _encrypted(material: ClientMaterial, how: PrivateFormat) -> bytes:
    key = load_pem_private_key(material.key or b"", None)
    return key.private_bytes(Encoding.PEM, how, BestAvailableEncryption(b"secret"))


def _der(material: ClientMaterial) -> bytes:
    return x509.load_pem_x509_certificate(material.cert or b"").public_bytes(Encoding.DER)


def _another_key(material: ClientMaterial, stage: Stage) -> bytes | None:
    papers = stage.papers
    return papers.client.key if material == papers.server else papers.server.key


WRONG: tuple[Wrong, ...] = (
    Wrong("no-pair", "pair-mismatch", lambda has, stage: {"key": _another_key(has, stage)}, {}),
    Wrong("another-kind", "pair-mismatch", lambda *_: {"key": private_pem(generate("rsa-2048"))}, {}),
    Wrong("pkcs8", "encrypted-key", lambda has, _: {"key": _encrypted(has, PrivateFormat.PKCS8)},
          {"python": "not-pem", "curl": "encrypted-key"}),
    Wrong("traditional", "encrypted-key", lambda has, _: {"key": _encrypted(has, PrivateFormat.TraditionalOpenSSL)},
          {"python": "not-pem"}),
    Wrong("swapped", "swapped-files", lambda has, _: {"cert": has.key, "key": has.cert},
          dict.fromkeys(("curl", "python", "docker-py", "openssl"), "not-pem")),
    Wrong("certificate-as-key", "swapped-files", lambda has, _: {"key": has.cert},
          {"curl": "pair-mismatch", "python": "not-pem", "docker-py": "not-pem", "openssl": "not-pem"}),
    Wrong("der", "not-pem", lambda has, _: {"cert": _der(has)}, {"openssl": ""}),
    Wrong("mark", "not-pem", lambda has, _: {"cert": b"\xef\xbb\xbf" + (has.cert or b"")},
          dict.fromkeys(("curl", "python", "docker-py", "openssl"), "")),
    Wrong("empty", "not-pem", lambda *_: {"cert": b""}, {}),
    Wrong("empty-ca", "not-pem", lambda *_: {"ca": b""}, {"curl": "ca-file-missing"}),
    Wrong("no-ca", "ca-file-missing", lambda *_: {"ca": None}, {"docker": "file-missing", "python": "file-missing",
                                                                 "openssl": "file-missing"}),
    Wrong("no-certificate", "file-missing", lambda *_: {"cert": None},
          dict.fromkeys(("docker", "python", "openssl", "curl"), "client-refused")),
    Wrong("no-key", "file-missing", lambda *_: {"key": None}, {"docker": "client-refused", "curl": "pair-mismatch"}),
)  # fmt: skip

CLIENTS: Mapping[str, tuple[tuple[str, ...], Callable[[Stage, Where], Asked]]] = {
    **{f"docker{number or ''}": (("docker",), docker(program)) for number, program in enumerate(DOCKERS)},
    "curl": (("curl",), curl()),
    "openssl": (("openssl",), openssl("-tls1_2")),
    "python": ((), python()),
    "docker-py": ((), docker_py),
}


def _reading(wrong: Wrong, ask: Callable[[Stage, Where], Asked], stage: Stage) -> Asked:
    has = stage.papers.client
    return ask(stage, Where("127.0.0.1", stage.secure().port, stage.files(has, **wrong.change(has, stage))))


def _starting(wrong: Wrong, program: str, stage: Stage) -> Asked:
    return Asked(False, stage.fails(program, *TLS, other=wrong.change(stage.papers.server, stage)))


def _fails(program: str, flags: tuple[str, ...], settings: str, stage: Stage) -> Asked:
    return Asked(False, stage.fails(program, *flags, settings=settings))


IN_FILE = '"tlsverify": true, "tlscacert": "{at}/ca.pem", "tlscert": "{at}/cert.pem", "tlskey": "{at}/key.pem"'
TCP = "--host=tcp://127.0.0.1:2376"

STARTS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("ca-file-missing", "no-tlscacert", (TLS[0], *TLS[2:]), "{}"),
    ("file-missing", "other-path", (*TLS[:2], "--tlscert={at}/other.pem", TLS[3]), "{}"),
    ("file-missing", "relative-path", (*TLS[:2], "--tlscert=cert.pem", TLS[3]), "{}"),
    ("file-missing", "path-in-file", (), f"{{{IN_FILE}}}".replace("cert.pem", "other.pem")),
    ("tls-flags-lost", "flags-and-file", (*TLS[1:], TCP), '{"tlsverify": true}'),
    ("given-twice", "hosts", (), '{"hosts": ["fd://"]}'),
    ("given-twice", "tls", TLS, f"{{{IN_FILE}}}"),
    ("quoted-boolean", "tlsverify", (), '{"tlsverify": "true"}'),
    ("wrong-type", "labels", (), '{"labels": "a=b"}'),
    ("wrong-type", "list", (), "[]"),
    ("unknown-option", "flag", ("--tlsverfy",), "{}"),
    ("unknown-option", "key", (), '{"tlsverfy": true}'),
    ("broken-json", "comma", (), '{"debug": true,}'),
    ("broken-json", "comment", (), "{ // ours\n}"),
    ("broken-json", "no-quotes", (), "{debug: true}"),
    ("broken-json", "cut-off", (), '{"debug": true'),
    ("broken-json", "no-comma", (), '{"debug": true "tls": true}'),
    ("settings-missing", "no-file", ("--config-file={at}/none.json",), "{}"),
    ("address-not-here", "documentation", (*TLS, "--host=tcp://192.0.2.1:2376"), "{}"),
    ("no-activation", "by-hand", ("--host=fd://",), "{}"),
    ("bind-format", "http", ("--host=http://127.0.0.1:2375",), "{}"),
    ("bind-format", "no-number", ("--host=tcp://127.0.0.1:x",), "{}"),
)
"""The row, what is wrong, dockerd's flags and its daemon.json."""


def _busy(program: str, stage: Stage) -> Asked:
    with socket.create_server(("127.0.0.1", 0)) as other:
        return Asked(False, stage.fails(program, *TLS, f"--host=tcp://127.0.0.1:{other.getsockname()[1]}"))


def _odd_curve(program: str, stage: Stage) -> Asked:
    """A certificate that dockerd cannot load."""
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    shown = stage.once("odd curve", lambda: stage.papers.signed(kind=kind))
    return Asked(False, stage.fails(program, *TLS, other={"cert": shown.cert, "key": shown.key}))


def _unusable(program: str, kind: tuple[str, ...], stage: Stage) -> Asked:
    """A certificate that dockerd loads, and cannot use."""
    daemon = stage.daemon(program, *TLS, shown=stage.once(kind, lambda: stage.papers.signed(kind=kind)))
    where = Where("127.0.0.1", daemon.port, stage.files(stage.papers.client))
    return Asked(False, daemon.told(lambda: docker(DOCKERS[0])(stage, where)))


def _open(program: str, wanted: str, stage: Stage) -> Asked:
    """What a dockerd that is open to everybody says of it in its log."""
    daemon = stage.daemon(program, "--tls=false")
    return Asked(False, "\n".join(line for line in daemon.log.read_text().splitlines() if wanted in line))


def _open_info(program: str, client: str, stage: Stage) -> Asked:
    """What `docker info` warns of."""
    daemon = stage.daemon(program, "--tls=false")
    return Asked(False, stage.ran(client, "info", env={"DOCKER_HOST": daemon.url}).stdout)


def _unreadable(argv: Callable[[Where], tuple[object, ...]], stage: Stage) -> Asked:
    """Files that only somebody else may read."""
    files = stage.files(stage.papers.client)
    for file in files.iterdir():
        file.chmod(0)
    where = Where("127.0.0.1", stage.secure().port, files)
    return Asked(False, stage.run(*POWERLESS, *argv(where), env=where.environment))


def _docker_argv(client: str, _: Where) -> tuple[object, ...]:
    return client, "ps"


def _curl_argv(where: Where) -> tuple[object, ...]:
    return ("curl", "-sS", *where.own("--cacert", "--cert", "--key"), where.url)


P224 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-224")
ASKED = ("openssl", "docker")
RSA512 = ("-newkey", "rsa:512")

PRODUCERS: tuple[Producer, ...] = (
    *(
        Producer(wrong.row, f"dockerd-{daemon}-{wrong.name}", partial(_starting, wrong, program), needs)
        for daemon, (program, needs) in DAEMONS.items()
        for wrong in WRONG
    ),
    *(
        Producer(
            wrong.row_of("docker" if client == "docker1" else client),
            f"{client}-{wrong.name}",
            partial(_reading, wrong, ask),
            ("dockerd", *more),
        )
        for wrong in WRONG
        for client, (more, ask) in CLIENTS.items()
    ),
    *(
        Producer(row, f"dockerd-{daemon}-{name}", partial(_fails, program, flags, settings), needs)
        for daemon, (program, needs) in DAEMONS.items()
        for row, name, flags, settings in STARTS
    ),
    *(
        producer
        for daemon, (program, needs) in DAEMONS.items()
        for producer in (
            Producer("address-in-use", f"dockerd-{daemon}", partial(_busy, program), needs),
            Producer("key-kind", f"dockerd-{daemon}-secp256k1", partial(_odd_curve, program), (*needs, "openssl")),
            Producer("key-kind", f"log-{daemon}-p224", partial(_unusable, program, P224), (*needs, *ASKED)),
            Producer("key-kind", f"log-{daemon}-rsa512", partial(_unusable, program, RSA512), (*needs, *ASKED)),
            Producer("insecure-listener", f"log-{daemon}", partial(_open, program, "insecure"), needs),
        )
    ),
    *(
        Producer("insecure-listener", f"docker-info{number}", partial(_open_info, OLDER, client), ("dockerd", "docker"))
        for number, client in enumerate(DOCKERS)
    ),
    *(
        Producer("file-unreadable", f"docker{number}", partial(_unreadable, partial(_docker_argv, client)),
                 ("dockerd", "docker", "setpriv"))
        for number, client in enumerate(DOCKERS)
    ),
    Producer("file-unreadable", "curl", partial(_unreadable, _curl_argv), ("dockerd", "curl", "setpriv")),
)  # fmt: skip
