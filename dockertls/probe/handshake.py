"""Look at a live endpoint: one TLS connection a question, with its own client, version and deadline.

With TLS 1.3 a client's handshake is over before the server has judged the client's certificate (RFC 8446, section
4.4.2.4), so a refusal comes with the first read. Whoever writes first races with it: the server closes, the write
resets the connection, and the alert that says why is lost. So every look reads before it writes; a server that is
content says so with a session ticket.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dockertls.probe import api
from dockertls.probe.observation import (
    ClientMaterial,
    Handshake,
    Observation,
    Outcome,
    Pair,
    PlainAnswer,
    PlainOutcome,
    Version,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from dockertls.probe.endpoint import Endpoint

MOST_BYTES = 64 * 1024
"""What is read of one connection at most."""

GRACE = 1.0
"""Seconds that a TLS 1.3 server has to refuse us, or to send a ticket, before we write: some servers send no ticket."""

_VERSIONS: Mapping[Version, ssl.TLSVersion] = MappingProxyType(
    {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
)
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME: expiry is a question of its own."""

_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(?P<name>\w+)")
_STATUS = re.compile(rb"HTTP/1\.[01] (?P<status>[1-5][0-9]{2})\b")
_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03?", re.DOTALL)
_ALERT_RECORD = b"\x15\x03"
_HEAD_END = b"\r\n\r\n"
_SHOWN = 200
_BAD_REQUEST = 400


class _TooMuch(OSError):
    """The server sends more than anyone has to read."""


@dataclass(frozen=True)
class _Wire:
    """A connection with one deadline and one budget of bytes for all that is done with it."""

    sock: socket.socket
    deadline: float
    received: bytearray = field(default_factory=bytearray)

    def send(self, data: bytes) -> None:
        """Send it; that the other side has gone is told by the next read, which may still find the reason."""
        self.sock.settimeout(api.remaining(self.deadline))
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def receive(self, wait: float | None = None) -> bytes:
        """What comes next; empty at the end. `wait` in seconds, if less than what is left."""
        left = api.remaining(self.deadline)
        self.sock.settimeout(left if wait is None else min(wait, left))
        if len(self.received) >= MOST_BYTES:
            raise _TooMuch(f"more than {MOST_BYTES} bytes")
        data = self.sock.recv(min(16 * 1024, MOST_BYTES - len(self.received)))
        self.received.extend(data)
        return data


@dataclass(frozen=True)
class _Session:
    """TLS over a wire. What is read from the wire is seen here first, so what is not TLS can be told from what is."""

    wire: _Wire
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    @classmethod
    def over(cls, wire: _Wire, context: ssl.SSLContext, name: str) -> _Session:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        return cls(wire, context.wrap_bio(incoming, outgoing, server_hostname=name), incoming, outgoing)

    def handshake(self) -> tuple[str, str]:
        """Version and cipher that were agreed on."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._turn()
            except ssl.SSLError:
                self._flush()  # the alert that we owe the server
                raise
            else:
                self._flush()
                return self.tls.version() or "", (self.tls.cipher() or ("",))[0]

    def settle(self) -> bytes:
        """Read before anything is written: until a refusal, a ticket, a first byte, or silence."""
        if self.tls.version() != "TLSv1.3":
            return b""
        wait = min(GRACE, api.remaining(self.wire.deadline) / 2)
        until = time.monotonic() + wait
        with contextlib.suppress(TimeoutError):
            while True:
                try:
                    return self._some(self.tls.read(1))
                except ssl.SSLWantReadError:
                    if self.tls.session is not None and self.tls.session.has_ticket:
                        return b""
                    self._turn(api.remaining(until))
        return b""

    def ask(self, request: bytes, early: bytes) -> bytes:
        """Send a request, and read the head of the answer and what came with it."""
        self.tls.write(request)
        self._flush()
        answer = early
        while _HEAD_END not in answer:
            try:
                answer += self._some(self._read())
            except OSError:
                if not answer:
                    raise
                break
        return answer

    def _read(self) -> bytes:
        while True:
            try:
                return self.tls.read(16 * 1024)
            except ssl.SSLWantReadError:
                self._turn()

    def _some(self, data: bytes) -> bytes:
        if not data:
            raise ConnectionAbortedError("closed by the server")
        return data

    def _turn(self, wait: float | None = None) -> None:
        """Send what TLS has to say, and hear what the server does."""
        self._flush()
        data = self.wire.receive(wait)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def _flush(self) -> None:
        data = self.outgoing.read()
        if data:
            self.wire.send(data)


def look(endpoint: Endpoint, material: ClientMaterial, *, version: Version, timeout: float) -> Handshake:
    """One connection that takes whatever server certificate there is, and a GET /_ping over it.

    Weak keys and digests are let pass on both sides, since the question is what the server does.

    Args:
        endpoint: whom to look at.
        material: the client to come as; its CA is not used.
        version: the only one that is offered.
        timeout: seconds for all of it.
    """
    return _attempt(endpoint, partial(_looking_context, material, version), timeout)


def verify_chain(endpoint: Endpoint, ca: bytes, *, timeout: float, strict: bool = False) -> Handshake:
    """One connection without a client certificate that asks OpenSSL whether a CA file verifies the server's chain.

    Names and times are left out. The CA file may hold an intermediate authority alone, as Go and curl take it.

    Args:
        endpoint: whom to look at.
        ca: PEM of what is trusted; the system's roots and the environment have no say.
        timeout: seconds for all of it.
        strict: ask for what RFC 5280 wants of certificates too, as Python does from 3.13 on.

    Returns:
        verify_code is 0 where it verifies, whatever the server thinks of the client.
    """
    return _attempt(endpoint, partial(_chain_context, ca, strict=strict), timeout)


def plaintext(endpoint: Endpoint, *, timeout: float) -> PlainAnswer:
    """Ask for /_ping without TLS.

    Args:
        endpoint: whom to ask.
        timeout: seconds for all of it.
    """
    start = time.monotonic()
    try:
        wire = _Wire(api.connect(endpoint, start + timeout), start + timeout)
    except OSError as error:
        outcome = PlainOutcome.TIMED_OUT if isinstance(error, TimeoutError) else PlainOutcome.UNREACHABLE
        return PlainAnswer(outcome, reason=api.reason_of(error), elapsed=time.monotonic() - start)
    with wire.sock:
        ended = _converse(wire, _ping(endpoint))
    return replace(_plain(bytes(wire.received), ended), elapsed=time.monotonic() - start)


def observe(endpoint: Endpoint, material: ClientMaterial, stranger: ClientMaterial, *, timeout: float) -> Observation:
    """Every look at once: it takes as long as the slowest.

    Args:
        endpoint: whom to look at.
        material: the user's own files.
        stranger: a client of an authority that nobody knows.
        timeout: seconds that each look has.
    """
    nobody = ClientMaterial(material.ca)
    with ThreadPoolExecutor(max_workers=10, thread_name_prefix="look") as pool:
        looks = [
            pool.submit(look, endpoint, client, version=version, timeout=timeout)
            for client in (material, nobody, stranger)
            for version in _VERSIONS
        ]
        verified = pool.submit(verify_chain, endpoint, material.ca, timeout=timeout)
        strict = pool.submit(verify_chain, endpoint, material.ca, timeout=timeout, strict=True)
        plain = pool.submit(plaintext, endpoint, timeout=timeout)
        asked = pool.submit(api.seen, endpoint, material, timeout=timeout)
        good12, good13, none12, none13, stranger12, stranger13 = (one.result() for one in looks)
        return Observation(
            endpoint,
            good=Pair(good12, good13),
            none=Pair(none12, none13),
            stranger=Pair(stranger12, stranger13),
            verified=verified.result(),
            strict=strict.result(),
            plaintext=plain.result(),
            api=asked.result(),
        )


def _looking_context(material: ClientMaterial, version: Version) -> ssl.SSLContext:
    context = api.bare_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    api.load_pair(context, material.cert, material.key)
    return context


def _chain_context(ca: bytes, *, strict: bool) -> ssl.SSLContext:
    context = api.bare_context()
    context.check_hostname = False
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.verify_flags |= _NO_CHECK_TIME | ssl.VERIFY_X509_PARTIAL_CHAIN
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    api.load_authorities(context, ca)
    return context


def _attempt(endpoint: Endpoint, make_context: Callable[[], ssl.SSLContext], timeout: float) -> Handshake:
    start = time.monotonic()
    try:
        context = make_context()
    except (OSError, ValueError) as error:
        return Handshake(Outcome.UNUSABLE, reason=api.reason_of(error))
    try:
        wire = _Wire(api.connect(endpoint, start + timeout), start + timeout)
    except OSError as error:
        outcome = Outcome.TIMED_OUT if isinstance(error, TimeoutError) else Outcome.UNREACHABLE
        ended = Handshake(outcome, reason=api.reason_of(error), errno=error.errno)
    else:
        with wire.sock:
            ended = _run(_Session.over(wire, context, endpoint.name), _ping(endpoint))
    return replace(ended, elapsed=time.monotonic() - start)


def _run(session: _Session, request: bytes) -> Handshake:
    address = _peer(session.wire.sock)
    agreed = ("", "")
    try:
        agreed = session.handshake()
        ended = _answered(session.ask(request, session.settle()))
    except OSError as error:
        refused = Outcome.REFUSED_AFTER_HANDSHAKE if any(agreed) else Outcome.HANDSHAKE_REFUSED
        ended = _ended(error, refused, bytes(session.wire.received))
    protocol, cipher = agreed
    return replace(_certified(ended, session.tls), address=address, protocol=protocol, cipher=cipher)


def _peer(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return "closed at once"


def _answered(answer: bytes) -> Handshake:
    return Handshake(Outcome.ACCEPTED, status=_status(answer), answer=answer[:_SHOWN])


def _certified(seen: Handshake, tls: ssl.SSLObject) -> Handshake:
    """With the server's chain and what OpenSSL thinks of it, however the connection ended."""
    chain = _chain(tls)
    code = seen.verify_code
    if tls.context.verify_mode is ssl.CERT_REQUIRED and chain and seen.outcome is not Outcome.UNACCEPTABLE:
        code = 0  # OpenSSL goes no further with a chain that does not verify
    return replace(seen, chain=chain, verify_code=code)


def _ended(error: OSError, refused: Outcome, received: bytes) -> Handshake:
    """An error as an outcome. TLS's own errors are OSErrors too."""
    if received and not _TLS_RECORD.match(received):
        return Handshake(
            Outcome.NOT_TLS, answer=received[:_SHOWN], status=_status(received), reason=api.reason_of(error)
        )
    reason = api.reason_of(error)
    match error:
        case TimeoutError():
            return Handshake(Outcome.TIMED_OUT, reason=reason)
        case ssl.SSLCertVerificationError(verify_code=code, verify_message=text):
            return Handshake(Outcome.UNACCEPTABLE, verify_code=code, verify_text=text, reason=reason)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError():
            return Handshake(Outcome.CLOSED, reason=reason)
        case ssl.SSLError() if alert := _ALERT.fullmatch(reason):
            return Handshake(refused, alert=alert["name"].lower(), reason=reason)
        case _:
            return Handshake(Outcome.UNACCEPTABLE, reason=reason)


class _Certificate(Protocol):
    def public_bytes(self) -> str:
        """PEM."""


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """What the server showed, DER, its own certificate first.

    `SSLObject.get_unverified_chain` is public from Python 3.13 on; the object inside has had it since 3.10. Where it
    is missing, the first certificate alone is known, and only of a handshake that has ended well.
    """
    unverified = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", None)
    if unverified is not None:
        certificates: list[_Certificate] = unverified() or []
        return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in certificates)
    with contextlib.suppress(ValueError):
        leaf = tls.getpeercert(binary_form=True)
        return (leaf,) if leaf else ()
    return ()


def _status(answer: bytes) -> int | None:
    found = _STATUS.match(answer)
    return int(found["status"]) if found else None


def _ping(endpoint: Endpoint) -> bytes:
    return (
        f"GET /_ping HTTP/1.1\r\nHost: {endpoint.authority}\r\nUser-Agent: dockertls\r\nConnection: close\r\n\r\n"
    ).encode()


def _converse(wire: _Wire, request: bytes) -> OSError | None:
    """Ask in plain text and read until there is enough; why it ended, if not by itself."""
    try:
        wire.send(request)
        while len(wire.received) < _SHOWN and wire.receive():
            if wire.received.startswith(_ALERT_RECORD):
                break
    except OSError as error:
        return error
    return None


def _plain(received: bytes, ended: OSError | None) -> PlainAnswer:
    """What a plain answer means; 400 is how Go, nginx and Apache ask for TLS."""
    status = _status(received)
    answer = received[:_SHOWN]
    reason = api.reason_of(ended) if ended else ""
    if received.startswith(_ALERT_RECORD):
        return PlainAnswer(PlainOutcome.ALERT, answer=answer)
    if status is not None:
        outcome = PlainOutcome.REFUSED if status == _BAD_REQUEST else PlainOutcome.ANSWERED
        return PlainAnswer(outcome, status, answer)
    if received:
        return PlainAnswer(PlainOutcome.GARBAGE, answer=answer, reason=reason)
    silent = isinstance(ended, TimeoutError)
    return PlainAnswer(PlainOutcome.TIMED_OUT if silent else PlainOutcome.CLOSED, reason=reason)
