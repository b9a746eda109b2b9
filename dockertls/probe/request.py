"""One request of any kind to Docker's remote API, over TLS or a unix socket: its body and its answer may be streams."""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import select
import socket
import ssl
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import quote

from dockertls.errors import Fault, Unreachable, refuse
from dockertls.plan import visible
from dockertls.probe import api

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.observation import ClientMaterial

PIECE = 64 * 1024
_METHOD = re.compile(r"[A-Za-z]{1,20}")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})
_UPGRADE = HTTPStatus.SWITCHING_PROTOCOLS


@dataclass(frozen=True)
class Body:
    """What is sent.

    Attributes:
        pieces: of it, in their order.
        size: of all, in bytes; None: it is not known before the end, and goes in chunks (RFC 9112, section 7.1).
    """

    pieces: Iterator[bytes] = field(compare=False)
    size: int | None = None


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        method: such as "GET".
        path: with its query.
        headers: names and values.
        body: None: there is none.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Body | None = None

    @classmethod
    def of(
        cls, line: tuple[str, str], query: Sequence[str], headers: Sequence[str], body: Body | None, kind: str
    ) -> Call:
        """From a command line.

        Args:
            line: method, in letters, and path, which may have a query of its own.
            query: `KEY=VALUE` each, not encoded.
            headers: `Name: value` each.
            body: what is sent.
            kind: its media type, where no header says another.

        Raises:
            Refused: with every fault.
        """
        method, path = line
        named = [tuple(part.strip() for part in one.partition(":")[::2]) for one in headers]
        refuse("the request", (*_line_faults(method, path), *_query_faults(query), *_field_faults(headers, named)))
        more = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, _, value in map(_split, query))
        joined = path + (("&" if "?" in path else "?") + more if more else "")
        known = {name.lower() for name, _ in named}
        typed = [("Content-Type", kind)] if body and "content-type" not in known else []
        return cls(method.upper(), joined, (*typed, *cast("list[tuple[str, str]]", named)), body)


def _split(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def _line_faults(method: str, path: str) -> Iterator[Fault]:
    if not _METHOD.fullmatch(method):
        yield Fault(f"{visible(method)!r} is no method", "write GET, POST, PUT, DELETE or HEAD")
    if not api.PATH.fullmatch(path):
        yield Fault(f"{visible(path)!r} is no path", "write it as /containers/json, and what is not ASCII with --query")


def _query_faults(query: Sequence[str]) -> Iterator[Fault]:
    for one in query:
        if not one.partition("=")[0] or "=" not in one:
            yield Fault(f"--query {visible(one)} is not KEY=VALUE", "write --query all=1")


def _field_faults(headers: Sequence[str], named: Sequence[tuple[str, ...]]) -> Iterator[Fault]:
    for text, (name, value) in zip(headers, named, strict=True):
        if not _FIELD_NAME.fullmatch(name) or not value.isprintable() or not value.isascii() or ":" not in text:
            yield Fault(f"--header {visible(text)} is not Name: value", "printable ASCII in one line")
        elif name.lower() in _OURS:
            yield Fault(
                f"--header {name} is not yours to set", "leave it out: it follows from the endpoint and the body"
            )


class Answer:
    """An answer whose body is read as it comes.

    Attributes:
        status: such as 200.
        headers: names and values as they came.
    """

    def __init__(self, response: http.client.HTTPResponse, source: str, wire: _Patient) -> None:
        self.status = response.status
        self.headers = tuple(response.getheaders())
        self._response, self._source, self._wire = response, source, wire

    def pieces(self) -> Iterator[bytes]:
        """The body, decoded, without waiting for more than there is.

        Raises:
            Unreachable: if it is cut off.
        """
        self._wire.patience = None  # a stream may be silent for as long as it likes
        with told(self._source):
            while piece := self._response.read1(PIECE):
                yield piece
            if self._response.length:
                raise http.client.IncompleteRead(b"", self._response.length)


class _Socket(Protocol):
    def sendall(self, data: bytes) -> None: ...


@contextlib.contextmanager
def over_tls(
    endpoint: Endpoint, material: ClientMaterial, call: Call, *, timeout: float, wait: float
) -> Iterator[Answer]:
    """Ask over mutual TLS, the server verified against the client's own authorities and by its name.

    Args:
        endpoint: whom to ask.
        material: the client's files; nothing is taken from the environment or from the system's roots.
        call: what is asked.
        timeout: seconds for name, connection and handshake.
        wait: seconds for the answer to begin; 0: for ever.

    Raises:
        Unreachable: if there is no connection, no handshake, or no answer.
    """
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as opened:
        with told(endpoint.url):
            context = api.verifying_context(material)
            plain = opened.enter_context(api.connect(endpoint, deadline))
            plain.settimeout(api.remaining(deadline))
            tls = opened.enter_context(context.wrap_socket(plain, server_hostname=endpoint.name))
            _settle(tls, deadline)
            answer = _ask(tls, call, endpoint.authority, endpoint.url, wait)
        yield answer


@contextlib.contextmanager
def over_unix(socket_path: str, call: Call, *, timeout: float, wait: float) -> Iterator[Answer]:
    """Ask over a unix socket; see `over_tls`."""
    source = f"unix://{visible(socket_path)}"
    with contextlib.ExitStack() as opened:
        with told(source):
            sock = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            sock.settimeout(timeout)
            sock.connect(socket_path)
            answer = _ask(sock, call, "docker", source, wait)
        yield answer


def _settle(tls: ssl.SSLSocket, deadline: float) -> None:
    """Read before anything is written: until a refusal, a ticket, or silence; see `dockertls.probe.wire`."""
    if tls.version() != "TLSv1.3":
        return
    until = time.monotonic() + min(api.GRACE, api.remaining(deadline) / 2)
    tls.setblocking(False)
    while (left := until - time.monotonic()) > 0 and select.select([tls], [], [], left)[0]:
        try:
            if not tls.recv(1):
                raise ConnectionAbortedError("closed by the server")
            raise http.client.BadStatusLine("an answer to nothing")
        except ssl.SSLWantReadError:
            if (session := tls.session) is not None and session.has_ticket:
                return


def _ask(sock: socket.socket, call: Call, host: str, source: str, wait: float) -> Answer:
    sock.settimeout(wait or None)
    # A server that refuses us may be gone before we have sent all; why it did can still be read.
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        _send(sock, call, host)
    wire = _Patient(sock, wait or None)
    response = http.client.HTTPResponse(cast("socket.socket", wire), method=call.method)
    response.begin()
    if response.status == _UPGRADE:
        raise http.client.HTTPException("the answer takes the connection over (attach, exec): use docker for that")
    return Answer(response, source, wire)


def _send(sock: _Socket, call: Call, host: str) -> None:
    fields = [("Host", host), ("User-Agent", "dockertls"), ("Accept", "*/*"), ("Connection", "close")]
    given = {name.lower() for name, _ in call.headers}
    lines = [f"{name}: {value}" for name, value in fields if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in call.headers]
    body, chunked = call.body, call.body is not None and call.body.size is None
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif body or call.method not in {"GET", "HEAD", "DELETE"}:
        lines.append(f"Content-Length: {body.size if body else 0}")
    sock.sendall("\r\n".join((f"{call.method} {call.path} HTTP/1.1", *lines, "\r\n")).encode("ascii"))
    for piece in body.pieces if body else ():
        sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        sock.sendall(b"0\r\n\r\n")


class _Patient:
    """What http.client reads an answer from: a socket with a limit for each wait, that can be lifted."""

    def __init__(self, sock: socket.socket, patience: float | None) -> None:
        self.sock, self.patience = sock, patience

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self))


class _Raw(io.RawIOBase):
    def __init__(self, wire: _Patient) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        self._wire.sock.settimeout(self._wire.patience)
        return self._wire.sock.recv_into(memoryview(cast("bytearray", buffer)))


@contextlib.contextmanager
def told(source: str) -> Iterator[None]:
    """Every way in which a request can fail, as one error with a hint."""
    try:
        yield
    except http.client.IncompleteRead as error:
        hint = "ask again; dockerd's log says why it stopped: journalctl -u docker"
        raise Unreachable(f"{source}: the answer is cut off", hint) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(*api.explained(error, source)) from error
