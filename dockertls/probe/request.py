"""One request to a daemon's remote API, over mutual TLS or its unix socket; the answer is handed on as it comes."""

from __future__ import annotations

import contextlib
import io
import select
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from dockertls.errors import Refused, Unreachable
from dockertls.probe import api
from dockertls.probe.endpoint import UnixSocket
from dockertls.probe.message import BLOCK, CutOff, Garbled, body_of, head_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.probe.api import Pems
    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.message import ApiRequest, Body, Head, Reader

ERROR = 400
SWITCHED = 101
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds, seconds and times (tcp(7)): a host that is gone is noticed though a stream may be silent for days."""


class Unusable(Refused):
    """The client's own certificate, key or CA file cannot be used."""


@dataclass(frozen=True)
class Answer:
    """An answer whose head has come.

    Attributes:
        head: status and headers.
        source: who gives it, for error messages.
    """

    head: Head
    source: str
    _reader: Reader = field(repr=False, compare=False)

    def parts(self) -> Iterator[bytes]:
        """The body, part by part as it comes; whatever is wrong with it is found at its place.

        Raises:
            Unreachable: if it ends before its end, or cannot be read.
        """
        coming = body_of(self.head, self._reader)
        while True:
            with _told(self.source), _begun():
                part = next(coming, None)
            if part is None:
                return
            yield part


@contextlib.contextmanager
def asked(
    target: Endpoint | UnixSocket,
    material: Pems | None,
    request: ApiRequest,
    body: Body | None,
    *,
    timeout: float,
) -> Iterator[Answer]:
    """Ask, and hold the connection while the block lasts.

    Args:
        target: whom to ask.
        material: the client's files; not looked at for a unix socket. Nothing is taken from the environment or from the
            system's roots.
        request: what to ask.
        body: what goes with it; it is read while it is sent.
        timeout: seconds for name, connection and handshake; seconds in which some of the body must be taken, and in
            which the head of the answer must come. A body that is no error may then last as long as it likes.

    Yields:
        The answer.

    Raises:
        Refused: if the answer is no answer but another protocol (attach).
        Unusable: if the client's own files cannot be used.
        Unreachable: if there is no connection, no handshake or no answer in time.
    """
    context = None if isinstance(target, UnixSocket) else _context(material)
    with contextlib.ExitStack() as stack:
        with _told(target.url):
            sock = stack.enter_context(_connected(target, context, time.monotonic() + timeout))
            wire = _Wire(sock, request.sent(target.authority, body), timeout)
            reader = io.BufferedReader(wire, BLOCK)
            head = head_of(reader, request.method)
        if head.status == SWITCHED:
            hint = "use the docker CLI to attach; `exec` and `attach` answer here what they say, and take no input"
            raise Refused(f"{target.url}: {request.target} wants to go on in another protocol", hint)
        wire.settle(failed=head.status >= ERROR)
        yield Answer(head, target.url, reader)


def _context(material: Pems | None) -> ssl.SSLContext:
    if material is None:
        raise Unusable("there are no files of a client", "name them with --cert-path DIR")
    try:
        return api.verifying_context(material)
    except (OSError, ValueError) as error:
        hint = "see what is wrong with them: dockertls inspect FILE"
        raise Unusable(f"the client's files cannot be used: {api.reason_of(error)}", hint) from error


def _connected(target: Endpoint | UnixSocket, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """A connection, with TLS if there is a context for it; the caller closes it."""
    if isinstance(target, UnixSocket):
        return _local(target, deadline)
    plain = api.connect(target, deadline)
    with contextlib.ExitStack() as undo:
        undo.callback(plain.close)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            plain.setsockopt(socket.IPPROTO_TCP, cast("int", getattr(socket, name)), value)
        plain.settimeout(api.remaining(deadline))
        # An end without TLS's own word for it may have been made by anybody on the way.
        tls = cast("ssl.SSLContext", context).wrap_socket(
            plain, server_hostname=target.name.encode(), suppress_ragged_eofs=False
        )
        undo.pop_all()
    return tls


def _local(target: UnixSocket, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(api.remaining(deadline))
        sock.connect(target.path)
    except OSError:
        sock.close()
        raise
    return sock


class _Wire(io.RawIOBase):
    """Both directions of a connection: whoever waits for the answer sends what is left of the request.

    So a daemon may answer before it has read all, and refuse before that; and no side waits for the other one to read.
    """

    def __init__(self, sock: socket.socket, outgoing: Iterator[bytes], patience: float) -> None:
        sock.setblocking(False)
        self._sock, self._outgoing, self._patience = sock, outgoing, patience
        self._unsent = memoryview(b"")
        self._deadline: float | None = time.monotonic() + patience

    def readable(self) -> bool:
        return True

    def settle(self, *, failed: bool) -> None:
        """The head has come: an error has to follow at once, and nothing more is sent; anything else takes its time."""
        self._deadline = time.monotonic() + self._patience if failed else None
        if failed:
            self._stop_sending()

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while True:
            try:
                return self._sock.recv_into(view)
            except (ssl.SSLWantReadError, BlockingIOError):
                wanted = select.POLLIN
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            more = self._send()
            if more is not None:
                self._wait(wanted | more)

    def _send(self) -> int | None:
        """Send as much as the other side takes at once.

        Returns:
            What else to wait for; None: something was sent, and an answer may have come.
        """
        self._unsent = self._unsent or memoryview(next(self._outgoing, b""))
        if not self._unsent:
            return 0
        try:
            sent = self._sock.send(self._unsent)
        except (ssl.SSLWantWriteError, BlockingIOError):
            return select.POLLOUT
        except ssl.SSLWantReadError:
            return select.POLLIN
        except (ConnectionError, ssl.SSLEOFError):
            self._stop_sending()  # whoever refuses us may be gone by now; why can still be read
            return 0
        self._unsent = self._unsent[sent:]
        self._deadline = time.monotonic() + self._patience if self._deadline is not None else None
        return None

    def _stop_sending(self) -> None:
        self._outgoing, self._unsent = iter(()), memoryview(b"")

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._sock, events)
        left = None if self._deadline is None else api.remaining(self._deadline) * 1000
        if not poll.poll(left):
            raise TimeoutError("timed out")


@contextlib.contextmanager
def _begun() -> Iterator[None]:
    """That a connection ends means another thing once the answer has begun: whoever asks had been let in."""
    try:
        yield
    except (CutOff, ConnectionError, ssl.SSLEOFError) as error:
        raise CutOff(f"the answer was cut off: {api.reason_of(error)}") from error


@contextlib.contextmanager
def _told(source: str) -> Iterator[None]:
    """As `api.told`; what is no HTTP is none of dockerd's."""
    with api.told(source):
        try:
            yield
        except Garbled as error:
            raise Unreachable(f"{source}: {error}", "is it dockerd that listens there?") from error
