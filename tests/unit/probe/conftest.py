"""Certificates made in memory, and servers in threads that do what a test wants."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from ipaddress import ip_address

import pytest
from cryptography import x509

from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT, SERVER, Profile
from dockertls.probe import api
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.stranger import OUR_SERVER, STRANGER, visitors

Behaviour = Callable[[socket.socket], None]
Serve = Callable[[Behaviour], Endpoint]
LOCALHOST: tuple[x509.GeneralName, ...] = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


@dataclass(frozen=True)
class Authority:
    """An authority, and what it issues."""

    root: Issued
    now: datetime

    @classmethod
    def named(cls, name: str, now: datetime) -> Authority:
        key = generate("ecdsa-p256")
        return cls(issue(Request(CA, name), key, None, now=now, serial=1), now)

    @property
    def pem(self) -> bytes:
        return certificate_pem([self.root.certificate])

    def leaf(
        self,
        profile: Profile,
        names: tuple[x509.GeneralName, ...] = (),
        *,
        days: int = 90,
        ago: int = 0,
        key: str = "ecdsa-p256",
    ) -> Issued:
        request = Request(profile, "leaf", names, timedelta(days=days))
        now = self.now - timedelta(days=ago)
        return issue(request, generate(key), self.root, now=now, serial=2)

    def client(self) -> ClientMaterial:
        return material(self.pem, self.leaf(CLIENT))


def material(ca: bytes, issued: Issued) -> ClientMaterial:
    assert issued.key is not None
    return ClientMaterial(ca, certificate_pem([issued.certificate]), private_pem(issued.key))


@dataclass(frozen=True)
class World:
    """Two authorities that know nothing of each other; made long ago, so that leaves can have expired."""

    ours: Authority
    theirs: Authority
    good: ClientMaterial
    stranger: ClientMaterial
    server: ClientMaterial

    def visitors(self) -> dict[str, ClientMaterial]:
        """Everybody who should not be let in, a server of ours among them."""
        made = visitors(self.good.ca, self.good.cert, now=self.ours.now, serial=x509.random_serial_number)
        return {**made, STRANGER: self.stranger, OUR_SERVER: self.server}

    def their_server(self) -> ClientMaterial:
        """A server of the others."""
        return material(self.theirs.pem, self.theirs.leaf(SERVER, LOCALHOST))

    def served(
        self,
        profile: Profile = SERVER,
        names: tuple[x509.GeneralName, ...] = LOCALHOST,
        *,
        days: int = 90,
        ago: int = 0,
    ) -> ClientMaterial:
        """What a server of ours shows."""
        return material(self.ours.pem, self.ours.leaf(profile, names, days=days, ago=ago))


@pytest.fixture(scope="session")
def world() -> World:
    now = datetime.now(UTC)
    ours, theirs = (
        Authority(Authority.named(name, now - timedelta(days=400)).root, now) for name in ("ours", "theirs")
    )
    server = material(ours.pem, ours.leaf(SERVER, LOCALHOST))
    return World(ours, theirs, ours.client(), theirs.client(), server)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Listen on a free port and hand each caller to the behaviour; everything is closed at the end."""
    with contextlib.ExitStack() as stack:

        def start(behaviour: Behaviour) -> Endpoint:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            calls: list[threading.Thread] = []
            accepting = threading.Thread(target=_accept, args=(listener, behaviour, calls))
            accepting.start()

            def stop() -> None:
                listener.shutdown(socket.SHUT_RDWR)
                for thread in (accepting, *calls):
                    thread.join()

            stack.callback(stop)
            return Endpoint("127.0.0.1", listener.getsockname()[1])

        yield start


def _accept(listener: socket.socket, behaviour: Behaviour, calls: list[threading.Thread]) -> None:
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        thread = threading.Thread(target=_call, args=(caller, behaviour))
        calls.append(thread)
        thread.start()


def _call(caller: socket.socket, behaviour: Behaviour) -> None:
    with caller, contextlib.suppress(OSError):
        caller.settimeout(5)
        behaviour(caller)


Https = Callable[..., Behaviour]


@pytest.fixture
def https() -> Https:
    """A server that speaks TLS and answers everything with 200, set up as the test wants."""

    def made(
        shown: ClientMaterial,
        *,
        ask: ssl.VerifyMode = ssl.CERT_REQUIRED,
        trust: bytes | None = None,
        lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        status: str = "200 OK",
        tickets: int = 2,
    ) -> Behaviour:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = api.ConnectedSocket
        context.minimum_version, context.maximum_version = lowest, highest
        context.num_tickets = tickets
        context.verify_mode = ask
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        api.load_authorities(context, shown.ca if trust is None else trust)
        api.load_pair(context, shown.cert, shown.key)

        def behave(caller: socket.socket) -> None:
            with context.wrap_socket(caller, server_side=True) as tls:
                asked = tls.recv(4096)
                body = b'{"Version": "test", "ApiVersion": "1.41"}' if b"/version" in asked else b"OK"
                head = f"HTTP/1.1 {status}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Length: {len(body)}\r\n\r\n"
                tls.sendall(head.encode() + body)

        return behave

    return made
