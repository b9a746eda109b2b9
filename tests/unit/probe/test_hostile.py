"""Servers that are old, weak or hostile: what is seen of them, in bounded time and memory."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from dockertls.findings import Failed, Passed, Unknown, Warned
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import SERVER
from dockertls.probe import api
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.handshake import look
from dockertls.probe.observation import ClientMaterial, Outcome
from dockertls.probe.observing import observe
from dockertls.probe.wire import MOST_BYTES
from tests.unit.probe.conftest import LOCALHOST
from tests.unit.probe.test_looking import judged, verdicts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.findings import Verdict
    from tests.unit.probe.conftest import Behaviour, Https, Serve, World

TIMEOUT = 5.0


def served(shown: ClientMaterial, trust: bytes, **how: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = api.ConnectedSocket
    context.verify_mode = ssl.CERT_REQUIRED
    api.load_authorities(context, trust)
    api.load_pair(context, shown.cert, shown.key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, value in how.items():
            setattr(context, name, value)
    return context


def over(context: ssl.SSLContext, answer: bytes) -> Behaviour:
    def behave(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(answer)

    return behave


@pytest.mark.parametrize(("ask", "told"), [(ssl.CERT_REQUIRED, "TLS before 1.2"), (ssl.CERT_NONE, "TLSv1.1")])
def test_a_server_that_still_speaks_old_versions(
    world: World, serve: Serve, https: Https, ask: ssl.VerifyMode, told: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = https(world.server, lowest=ssl.TLSVersion.TLSv1, ask=ask)
    found = judged(serve(old), world)["legacy-refused"]
    assert isinstance(found, Failed), found
    assert told in found.cause


@pytest.mark.parametrize(("ask", "told"), [(ssl.CERT_REQUIRED, "one of them"), (ssl.CERT_NONE, "AES128-GCM-SHA256")])
def test_a_server_with_weak_suites(world: World, serve: Serve, ask: ssl.VerifyMode, told: str) -> None:
    """RSA key exchange has no forward secrecy: who gets the key later reads all of it."""
    rsa = world.ours.leaf(SERVER, LOCALHOST, key="rsa-2048")
    assert rsa.key is not None
    shown = ClientMaterial(world.ours.pem, certificate_pem([rsa.certificate]), private_pem(rsa.key))
    context = served(shown, world.ours.pem, verify_mode=ask)
    context.set_ciphers("AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    found = judged(serve(over(context, b"HTTP/1.1 200 OK\r\n\r\nOK")), world)["tls-version"]
    assert isinstance(found, Failed)
    assert told in found.evidence[0].seen


def test_a_chain_of_200_kilobytes(world: World, serve: Serve) -> None:
    filler = (world.server.cert or b"") * 350
    long = ClientMaterial(world.server.ca, (world.server.cert or b"") + filler, world.server.key)
    assert len(filler) > 3 * MOST_BYTES
    context = served(long, world.ours.pem)
    endpoint = serve(over(context, b""))
    assert look(endpoint, world.good, version="TLSv1.2", timeout=TIMEOUT).outcome in (
        Outcome.UNACCEPTABLE,
        Outcome.CLOSED,
    )
    verdicts = judged(endpoint, world)
    assert not isinstance(verdicts["chain"], Passed)
    assert not isinstance(verdicts["stranger-refused"], Passed)


ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"X-Header: endless\r\n" * 60_000


@pytest.mark.parametrize(
    "answer",
    [
        ENDLESS,
        b"HTTP/1.1 200 OK\r\nX: " + b"long" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"{" * 1_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"\x00" * 1000,
        b"HTTP/9.9 abc\r\n\r\n",
    ],
)
def test_answers_that_are_none(world: World, serve: Serve, answer: bytes) -> None:
    verdicts = judged(serve(over(served(world.server, world.ours.pem), answer)), world)
    assert isinstance(verdicts["chain"], Passed)
    assert isinstance(verdicts["api"], Failed)
    assert "\x1b" not in str(verdicts)


def test_odd_bytes_in_names_never_reach_the_terminal(world: World, serve: Serve) -> None:
    key = generate("ecdsa-p256")
    root_key = world.ours.root.key
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "\x1b]0;owned\x07\x1b[2J\u202eevil")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        world.ours.root.certificate.subject, subject, key.public_key(), 7, now - timedelta(1), now + timedelta(90)
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName("\x1b[31m.example")]), critical=False)
    certificate = builder.sign(root_key, SHA256())
    shown = ClientMaterial(world.ours.pem, certificate_pem([certificate]), private_pem(key))
    verdicts = judged(serve(over(served(shown, world.ours.pem), b"")), world)
    assert isinstance(verdicts["name"], Failed)
    told = str({name: _texts(verdict) for name, verdict in verdicts.items()})
    assert not {"\x1b", "\x07", "\u202e"} & set(told)


def _texts(verdict: object) -> list[str]:
    evidence = getattr(verdict, "evidence", ())
    return [*(one.seen for one in evidence), getattr(verdict, "cause", ""), getattr(verdict, "reason", "")]


@pytest.fixture
def next_door() -> Iterator[socket.socket]:
    """Port 2375 of an address of the loopback that nobody else has."""
    with socket.create_server(("127.0.75.23", 2375)) as listening:
        yield listening


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nOK", Failed),
        (b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", Warned),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Unknown),
    ],
)
def test_the_port_next_door(world: World, next_door: socket.socket, answer: bytes, kind: type[Verdict]) -> None:
    def serve() -> None:
        caller, _ = next_door.accept()
        with caller:
            caller.recv(4096)
            caller.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    seen = observe(Endpoint("127.0.75.23", 1), world.good, world.visitors(), timeout=TIMEOUT)
    thread.join()
    assert seen.neighbour is not None
    assert seen.neighbour.connected
    found = verdicts_of(seen, world)["plaintext-port-closed"]
    assert isinstance(found, kind)
