"""A stand-in for dockerd, to rehearse with: mutual TLS on a loopback port, as dockerd has it, and two answers."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from email.utils import formatdate
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from dockertls.probe import api
from dockertls.probe.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 5.0
"""Seconds that a caller has."""

_LONGEST_REQUEST = 8 * 1024
_HANDSHAKE_RECORD = b"\x16"

_VERSION = {"Version": "stand-in", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux"}
_ANSWERS: Mapping[str, tuple[str, bytes]] = MappingProxyType(
    {"/_ping": ("text/plain", b"OK"), "/version": ("application/json", json.dumps(_VERSION).encode())}
)

PLAIN_REFUSAL = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
"""What Go's net/http says to plain HTTP on a TLS port (server.go, tlsHandshakeErrorResponse)."""


@contextlib.contextmanager
def stand_in(ca: bytes, cert: bytes, key: bytes) -> Iterator[Endpoint]:
    """Serve until the block ends, then close the port.

    Args:
        ca: PEM of the authorities whose clients are let in, if their certificates are for clients.
        cert: PEM of the server's certificate, issuing ones after it.
        key: PEM of its key, not encrypted.

    Yields:
        Where it listens: 127.0.0.1, on a port that was free.

    Raises:
        OSError: what OpenSSL says of files that cannot be used.
        ValueError: if there is no certificate in `ca`.
    """
    with _Server(server_context(ca, cert, key)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="stand-in")
        thread.start()
        try:
            yield Endpoint("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Caller)
        self.context = context

    def handle_error(self, _request: object, _address: object) -> None:
        """Say nothing: a caller that is refused is what a rehearsal wants to see."""


class _Caller(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        plain: socket.socket = self.request
        plain.settimeout(_PATIENCE)
        if plain.recv(1, socket.MSG_PEEK) != _HANDSHAKE_RECORD:
            plain.recv(_LONGEST_REQUEST)  # what is left unread would turn the answer into a reset
            plain.sendall(PLAIN_REFUSAL)
            return
        context = cast("_Server", self.server).context
        with context.wrap_socket(plain, server_side=True) as tls:
            tls.sendall(_answer(_first_line(tls)))


def server_context(ca: bytes, cert: bytes, key: bytes) -> ssl.SSLContext:
    """How dockerd with tlsverify meets its clients; arguments and errors as of `stand_in`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = api.ConnectedSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    api.load_authorities(context, ca)
    api.load_pair(context, cert, key)
    return context


def _first_line(tls: ssl.SSLSocket) -> str:
    request = b""
    while b"\r\n\r\n" not in request and len(request) < _LONGEST_REQUEST:
        data = tls.recv(_LONGEST_REQUEST)
        if not data:
            break
        request += data
    return request.partition(b"\r\n")[0].decode("latin-1")


def _answer(line: str) -> bytes:
    method, _, rest = line.partition(" ")
    kind, body = _ANSWERS.get(rest.partition(" ")[0], ("application/json", b""))
    found = method == "GET" and body
    status, content = ("200 OK", body) if found else ("404 Not Found", b'{"message":"the stand-in knows no such path"}')
    fields = (f"Date: {formatdate(usegmt=True)}", f"Content-Type: {kind}", f"Content-Length: {len(content)}")
    head = "\r\n".join((f"HTTP/1.1 {status}", *fields, "Connection: close\r\n\r\n"))
    return head.encode() + content
