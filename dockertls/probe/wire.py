"""A connection to an endpoint, and TLS over it; one event loop serves as many of them as are wanted.

With TLS 1.3 a client's handshake is over before the server has judged the client's certificate (RFC 8446, section
4.4.2.4), so a refusal comes with the first read. Whoever writes first races with it: the server closes, the write
resets the connection, and the alert that says why is lost. So every look reads before it writes; a server that is
content says so with a session ticket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dockertls.probe import api

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from dockertls.probe.endpoint import Endpoint

R = TypeVar("R")

MOST_BYTES = 64 * 1024
"""What is read of one connection at most."""

GRACE = 1.0
"""Seconds that a TLS 1.3 server has to refuse us, or to send a ticket, before we write: some servers send no ticket."""

_AT_ONCE = 16 * 1024
_HEAD_END = b"\r\n\r\n"
_CERTIFICATE_REQUEST = 13  # RFC 8446, section 4

Place = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]
"""The family of an address and the address, as sockets take it."""


class TooMuch(OSError):
    """The server sends more than anyone has to read."""


@dataclass(frozen=True)
class Wire:
    """A connection with one deadline and one budget of bytes for all that is done with it."""

    sock: socket.socket
    deadline: float
    received: bytearray = field(default_factory=bytearray)

    @classmethod
    async def to(cls, places: Sequence[Place], deadline: float) -> Wire:
        """Connect to the first address that takes a connection; they share the time that is left.

        Args:
            places: of the host, at least one.
            deadline: on the monotonic clock.

        Raises:
            OSError: that of the last address; TimeoutError if time is up.
        """
        last: OSError = TimeoutError("no address")
        for tried, (family, address) in enumerate(places):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                patience = api.remaining(deadline) / (len(places) - tried)
                async with asyncio.timeout(patience):
                    await asyncio.get_running_loop().sock_connect(sock, address)
            except ConnectionResetError:  # there was a connection: what follows tells of its end
                return cls(sock, deadline)
            except OSError as error:
                sock.close()
                last = _plain(error)
            except BaseException:
                sock.close()
                raise
            else:
                return cls(sock, deadline)
        raise last

    def limit(self) -> asyncio.Timeout:
        """For all that is done with it: a timer for each read and write would take a tenth of the time.

        Raises:
            TimeoutError: in the block that it is for, or at once.
        """
        return asyncio.timeout(api.remaining(self.deadline))

    async def send(self, data: bytes) -> None:
        """Send it; that the other side has gone is told by the next read, which may still find the reason."""
        with contextlib.suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def receive(self, wait: float | None = None) -> bytes:
        """What comes next; empty at the end. `wait` in seconds, if less than the limit."""
        if len(self.received) >= MOST_BYTES:
            raise TooMuch(f"more than {MOST_BYTES} bytes")
        most = min(_AT_ONCE, MOST_BYTES - len(self.received))
        data = self._at_hand(most)
        if data is None:
            async with asyncio.timeout(wait) if wait else contextlib.nullcontext():
                data = await asyncio.get_running_loop().sock_recv(self.sock, most)
        self.received.extend(data)
        return data

    def _at_hand(self, most: int) -> bytes | None:
        """What has come already: no timer is needed for it."""
        try:
            return self.sock.recv(most)
        except (BlockingIOError, InterruptedError):
            return None


class LookingObject(ssl.SSLObject):
    """TLS that remembers what the server asked of the client.

    Attributes:
        request: the body of the CertificateRequest, without its head (RFC 5246, section 7.4.4; RFC 8446, 4.3.2);
            None: there was none.
    """

    request: bytes | None = None


def hears(context: ssl.SSLContext) -> bool:
    """Let a context's objects remember what is asked of the client.

    Python has no public way to see it. The hook that it uses for its own debug output has been there since 3.8.

    Returns:
        Whether it can be heard.
    """
    if not hasattr(context, "_msg_callback"):
        return False
    context._msg_callback = _hear  # noqa: SLF001 - see above
    return True


def _hear(tls: object, direction: str, _version: int, _content: int, kind: int, data: bytes) -> None:
    if direction == "read" and kind == _CERTIFICATE_REQUEST and isinstance(tls, LookingObject):
        tls.request = data[4:]


@dataclass(frozen=True)
class Session:
    """TLS over a wire. What is read from the wire is seen here first, so what is not TLS can be told from what is."""

    wire: Wire
    tls: LookingObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    @classmethod
    def over(cls, wire: Wire, context: ssl.SSLContext, name: str) -> Session:
        """Begin TLS; `name` is what the server is told of itself (SNI)."""
        context.sslobject_class = LookingObject
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
        return cls(wire, tls if isinstance(tls, LookingObject) else LookingObject(), incoming, outgoing)

    async def handshake(self) -> tuple[str, str]:
        """Version and cipher that were agreed on."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._turn()
            except ssl.SSLError:
                await self._flush()  # the alert that we owe the server
                raise
            else:
                await self._flush()
                return self.tls.version() or "", (self.tls.cipher() or ("",))[0]

    async def settle(self) -> bytes:
        """Read before anything is written: until a refusal, a ticket, a first byte, or silence."""
        if self.tls.version() != "TLSv1.3":
            return b""
        until = time.monotonic() + min(GRACE, api.remaining(self.wire.deadline) / 2)
        heard = False  # whether there is a ticket takes long to ask: it is copied with all of the session
        with contextlib.suppress(TimeoutError):
            while True:
                try:
                    return _some(self.tls.read(1))
                except ssl.SSLWantReadError:
                    if heard and (session := self.tls.session) is not None and session.has_ticket:
                        return b""
                    await self._turn(api.remaining(until))
                    heard = True
        return b""

    async def ask(self, request: bytes, early: bytes = b"") -> bytes:
        """Send a request, and read the head of the answer and what came with it."""
        self.tls.write(request)
        await self._flush()
        answer = early
        while _HEAD_END not in answer:
            try:
                answer += _some(await self.read())
            except OSError:
                if not answer:
                    raise
                break
        return answer

    async def everything(self, request: bytes, early: bytes = b"") -> bytes:
        """Send a request, and read until the server closes."""
        answer = await self.ask(request, early)
        with contextlib.suppress(ssl.SSLError, ConnectionError):  # that it closes without a word cannot be helped
            while data := await self.read():
                answer += data
        return answer

    async def read(self) -> bytes:
        """What comes next; empty at the end."""
        while True:
            try:
                return self.tls.read(_AT_ONCE)
            except ssl.SSLWantReadError:
                await self._turn()

    async def _turn(self, wait: float | None = None) -> None:
        """Send what TLS has to say, and hear what the server does."""
        await self._flush()
        data = await self.wire.receive(wait)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    async def _flush(self) -> None:
        data = self.outgoing.read()
        if data:
            await self.wire.send(data)


def _plain(error: OSError) -> OSError:
    """In the operating system's words: asyncio has its own."""
    if isinstance(error, TimeoutError) or error.errno is None:
        return TimeoutError("timed out")
    return OSError(error.errno, os.strerror(error.errno))


def _some(data: bytes) -> bytes:
    if not data:
        raise ConnectionAbortedError("closed by the server")
    return data


def run(work: Coroutine[Any, Any, R]) -> R:
    """Run what is asynchronous to its end, on a loop in a thread of its own.

    An interrupt comes to the thread that waits, wherever it waits; amid what a loop does it could be lost, or leave a
    callback half done. What is under way is cancelled then.
    """
    begun: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = queue.SimpleQueue()

    async def told() -> R:
        begun.put((asyncio.get_running_loop(), cast("asyncio.Task[Any]", asyncio.current_task())))
        return await work

    with ThreadPoolExecutor(1, thread_name_prefix="looks") as thread:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # what is amid its start cannot be cancelled
            result = thread.submit(asyncio.run, told())
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return result.result()
        except KeyboardInterrupt:
            loop, task = begun.get()
            with contextlib.suppress(RuntimeError):  # it has ended in the meantime
                loop.call_soon_threadsafe(task.cancel)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def resolve(endpoint: Endpoint, deadline: float) -> tuple[Place, ...]:
    """The host's addresses; a name is asked for by a thread of its own: the C library's resolver knows no timeout.

    Raises:
        OSError: if it has none; TimeoutError if that is not known in time.
    """
    host = endpoint.via or endpoint.host
    with contextlib.suppress(OSError):
        return _looked_up(host, endpoint.port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Place, ...] | OSError] = loop.create_future()

    def tell(found: tuple[Place, ...] | OSError) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        try:
            found: tuple[Place, ...] | OSError = _looked_up(host, endpoint.port)
        except OSError as error:
            found = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop has ended
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        async with asyncio.timeout(api.remaining(deadline)):
            found = await answer
    except TimeoutError:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(found, OSError):
        raise found
    return found


def _looked_up(host: str, port: int, flags: int = 0) -> tuple[Place, ...]:
    answer = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple((family, address) for family, _, _, _, address in answer)  # type: ignore[misc]
