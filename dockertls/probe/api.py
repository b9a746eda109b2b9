"""Ask a daemon's remote API over mutual TLS or over its unix socket; every request is bounded in time and in size."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from dockertls.errors import Unreachable
from dockertls.escaping import visible
from dockertls.pki.pem import CERTIFICATE, der, is_hidden, is_whole, pem_blocks
from dockertls.probe.endpoint import UNIX, as_address
from dockertls.probe.message import ApiRequest, body_of, head_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath as Path

    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.message import Reader
    from dockertls.probe.observation import ApiSeen

    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of a body that are read at most."""

_OK = 200


class Pems(Protocol):
    """What a client has, as `ClientMaterial` has it."""

    @property
    def ca(self) -> bytes:
        """The authorities that it trusts."""

    @property
    def cert(self) -> bytes | None:
        """Its certificate; None: it shows none."""

    @property
    def key(self) -> bytes | None:
        """The key of it."""


@dataclass(frozen=True)
class ApiAnswer:
    """One HTTP answer.

    Attributes:
        status: such as 200.
        headers: name in lower case and value, as they came.
        body: all of it.
        source: who gave it, for error messages.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source: str = field(default="", compare=False)

    def json(self) -> Json:
        """The body, decoded.

        Raises:
            Unreachable: if the body is no JSON: whatever answered is not dockerd.
        """
        import json  # noqa: PLC0415 - as below

        try:
            return cast("Json", json.loads(self.body))
        except (ValueError, RecursionError):
            start = visible(self.body[:60].decode("utf-8", "replace"))
            raise Unreachable(
                f"{self.source}: the answer is no JSON: {start!r}", "is it dockerd that listens there?"
            ) from None


def unix_get(socket_path: Path, path: str, *, timeout: float) -> ApiAnswer:
    """One GET over a unix socket, such as /run/docker.sock.

    Args:
        socket_path: of the socket.
        path: such as "/info".
        timeout: seconds for all of it.

    Raises:
        Refused: if the path cannot stand in a request.
        Unreachable: if nobody listens, we may not ask, or there is no answer of at most 8 MiB in time.
    """
    head = request(path, "docker")
    deadline = time.monotonic() + timeout
    source = f"unix://{visible(str(socket_path))}"
    with told(source), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(str(socket_path))
        return _exchange(sock, head, deadline, source)


def peer(socket_path: Path, *, timeout: float) -> int | None:
    """The process that listens on a unix socket (unix(7), SO_PEERCRED): systemd, where it holds the socket.

    Returns:
        None: nobody listens, or we may not ask.
    """
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(str(socket_path))
        import struct  # noqa: PLC0415 - as below

        process, _, _ = struct.unpack(
            "3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        )
        return int(process)
    return None


def read_version(answer: bytes, source: str) -> ApiSeen:
    """What an answer to GET /version says: a fault is told, not raised.

    Args:
        answer: head and body, whole, as they came.
        source: who gave it, for error messages.
    """
    from dockertls.probe.observation import ApiSeen  # noqa: PLC0415 - as below

    try:
        got = _read(io.BytesIO(answer), source)
        if got.status != _OK:
            return ApiSeen(got.status, date=_header(got, "date"), software=_header(got, "server"))
        told = got.json()
    except (ValueError, Unreachable) as error:
        return ApiSeen(fault=reason_of(error))
    known = told if isinstance(told, dict) else {}
    server, version_of_api = (visible(str(known.get(key, ""))) for key in ("Version", "ApiVersion"))
    return ApiSeen(got.status, server, version_of_api, date=_header(got, "date"), software=_header(got, "server"))


def _header(answer: ApiAnswer, wanted: str) -> str:
    return visible(next((value for name, value in answer.headers if name == wanted), ""))


def connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    """A TCP connection to the first address of the host that takes one.

    Args:
        endpoint: whom to call.
        deadline: on the monotonic clock; the addresses share what is left until then.

    Raises:
        OSError: that of the last address; TimeoutError if time is up.
    """
    addresses = _resolve(endpoint, deadline)
    last: OSError = TimeoutError("no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(remaining(deadline) / (len(addresses) - tried))
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


def remaining(deadline: float) -> float:
    """Seconds until a moment of the monotonic clock.

    Raises:
        TimeoutError: if it is over.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class ConnectedSocket(ssl.SSLSocket):
    """A TLS socket of a connection that lives, for `SSLContext.sslsocket_class`.

    Where the peer's reset comes before the handshake begins, Python's own either hands out a socket that speaks no TLS,
    or leaves it open: `wrap_socket` has taken the descriptor over, and nobody else can close it.
    """

    def getpeername(self) -> object:
        """Whom we are connected to.

        Raises:
            ConnectionResetError: nobody, and the socket is closed.
        """
        try:
            return super().getpeername()
        except OSError as error:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from error


def bare_context() -> ssl.SSLContext:
    """A client context that trusts nobody, asks nothing of the environment and takes TLS 1.2 and 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = ConnectedSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    return context


def verifying_context(material: Pems) -> ssl.SSLContext:
    """The context of a real client: chain and name are verified, and the client's certificate is shown.

    Raises:
        OSError: what OpenSSL says of a file that cannot be used.
        ValueError: if there is no certificate in the CA file.
    """
    context = bare_context()
    load_authorities(context, material.ca)
    load_pair(context, material.cert, material.key)
    return context


def load_authorities(context: ssl.SSLContext, pem: bytes) -> None:
    """Trust these certificates.

    Raises:
        ValueError: if there is none, or one of them cannot be read.
    """
    blocks = pem_blocks(pem)
    found = [block for block in blocks if block.label == CERTIFICATE]
    if not found or not is_whole(pem, blocks):
        raise ValueError("the CA file is cut off" if found else "there is no certificate in the CA file: no start line")
    for block in found:
        try:
            context.load_verify_locations(cadata=der(block))
        except ssl.SSLError as error:
            raise ValueError(f"a certificate of the CA file cannot be read: {reason_of(error)}") from error


def load_pair(context: ssl.SSLContext, cert: bytes | None, key: bytes | None) -> None:
    """Show this certificate; the key may stand in the same PEM.

    Raises:
        OSError: what OpenSSL says of a pair that cannot be used.
        ValueError: if the key is encrypted.
    """
    if cert is None:
        return
    if any(map(is_hidden, pem_blocks(key if key is not None else cert))):
        raise ValueError("the private key is encrypted")
    with contextlib.ExitStack() as files:
        cert_path = files.enter_context(_as_file(cert))
        key_path = None if key is None else files.enter_context(_as_file(key))
        # Without a password of ours OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert_path, key_path, password=b"")


def reason_of(error: Exception) -> str:
    """What OpenSSL or the operating system says, without the decoration of Python's exceptions."""
    match error:
        case ssl.SSLCertVerificationError():
            text = f"certificate verify failed: {error.verify_message}"
        case ssl.SSLError(reason=str(reason)):
            text = reason
        case OSError(strerror=str(strerror)):
            text = strerror
        case _:
            text = str(error) or type(error).__name__
    return visible(text)


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path at which OpenSSL can read these bytes while the block lasts: in memory where that is possible."""
    if hasattr(os, "memfd_create") and os.access("/proc/self/fd", os.R_OK):
        handle, path = os.memfd_create("pem", os.MFD_CLOEXEC), None
    else:
        import tempfile  # noqa: PLC0415 - as below

        handle, path = tempfile.mkstemp(prefix="dockertls-")
    try:
        os.fchmod(handle, 0o600)
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(content)
        yield path or f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
        if path is not None:
            os.unlink(path)  # noqa: PTH108 - a path that is a string all the way through


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]


def _resolve(endpoint: Endpoint, deadline: float) -> list[_Address]:
    """The host's addresses; those of a name by a thread of its own: the C library's resolver knows no timeout."""
    host = (endpoint.via or endpoint.host).encode()  # a text would be looked at by IDNA's tables first
    if as_address(host.decode()):
        return _addresses(host, endpoint.port)
    import queue  # noqa: PLC0415 - as above
    import threading  # noqa: PLC0415 - as above

    found: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(_addresses(host, endpoint.port))
        except OSError as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = found.get(timeout=remaining(deadline))
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _addresses(host: bytes, port: int) -> list[_Address]:
    return cast("list[_Address]", socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class _Raw(io.RawIOBase):
    """What a socket receives until a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        self._sock.settimeout(remaining(self._deadline))
        return self._sock.recv_into(memoryview(cast("bytearray", buffer)))


def request(path: str, host: str) -> bytes:
    """A GET, after whose answer the server closes.

    Raises:
        Refused: if the path cannot stand in a request.
    """
    return b"".join(ApiRequest.parse("GET", path).sent(host, None))


def _exchange(sock: socket.socket, head: bytes, deadline: float, source: str) -> ApiAnswer:
    # A server that refuses us may be gone before we have sent all; why it did can still be read.
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        sock.sendall(head)
    return _read(io.BufferedReader(_Raw(sock, deadline)), source)


def _read(reader: Reader, source: str) -> ApiAnswer:
    """A whole answer. Raises ValueError: what came is none, or too large."""
    head, body = head_of(reader, "GET"), bytearray()
    for part in body_of(head, reader):
        body += part
        if len(body) > LARGEST_ANSWER:
            raise ValueError(f"the answer is larger than {LARGEST_ANSWER} bytes")
    return ApiAnswer(head.status, head.headers, bytes(body), source)


@contextlib.contextmanager
def told(source: str) -> Iterator[None]:
    """Every way in which a request can fail, as one error with a hint."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Unreachable(*_explained(error, source)) from error


def _as_docker_says(error: Exception, reason: str, source: str) -> str:
    """The words of the docker CLI where a unix socket serves nobody: it has no port on which something could listen."""
    if not source.startswith(UNIX):
        return reason
    match error:
        case ConnectionRefusedError() | FileNotFoundError():
            return f"Cannot connect to the Docker daemon at {source}"
        case PermissionError():
            return f"permission denied while trying to connect to the Docker daemon at {source}"
    return reason


def _explained(error: Exception, source: str) -> tuple[str, str]:
    """An error in one line, with its cause, and what to do about it."""
    from dockertls.probe.remedies import explain  # noqa: PLC0415 - its table is for failures

    reason = reason_of(error)
    known = explain(_as_docker_says(error, reason, source))
    if known is None:
        return f"{source}: {reason}", "look at dockerd's log: journalctl -u docker"
    return f"{source}: {known.cause} ({reason})", known.remedy
