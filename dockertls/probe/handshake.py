"""Look at a live endpoint: one connection a question, with its own client, version and deadline."""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from dockertls.probe import api
from dockertls.probe.endpoint import PLAIN_PORT
from dockertls.probe.kit import Dressed, dressed, judging_context, looking_context
from dockertls.probe.observation import (
    ApiSeen,
    ClientMaterial,
    Handshake,
    Outcome,
    PlainAnswer,
    PlainOutcome,
    Version,
)
from dockertls.probe.wire import Place, Session, Wire, resolve, run

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from dockertls.probe.endpoint import Endpoint

_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(?P<name>\w+)")
_STATUS = re.compile(rb"HTTP/1\.[01] (?P<status>[1-5][0-9]{2})\b")
_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03?", re.DOTALL)
_ALERT_RECORD = b"\x15\x03"
_SHOWN = 200
_BAD_REQUEST = 400
_WANTS_TLS = re.compile(
    rb"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port|plain HTTP to an SSL-enabled server",
    re.IGNORECASE,
)
"""What Go, nginx and Apache say to plain HTTP on a port with TLS."""


@dataclass(frozen=True)
class Target:
    """An endpoint whose addresses were asked for once, and when there is no more time for it.

    Attributes:
        endpoint: what it is.
        places: its addresses, or why there are none.
        deadline: on the monotonic clock.
    """

    endpoint: Endpoint
    places: Sequence[Place] | OSError
    deadline: float

    @classmethod
    async def of(cls, endpoint: Endpoint, patience: float) -> Target:
        """Ask for its addresses; there are so many seconds for all that is done with it."""
        deadline = time.monotonic() + patience
        try:
            return cls(endpoint, await resolve(endpoint, deadline), deadline)
        except OSError as error:
            return cls(endpoint, error, deadline)

    async def wire(self) -> Wire:
        """A connection. Raises OSError."""
        if isinstance(self.places, OSError):
            raise self.places
        return await Wire.to(self.places, self.deadline)

    def request(self, path: str = "/_ping") -> bytes:
        """A GET, as bytes."""
        return api.request(path, self.endpoint.authority)

    def neighbour(self, patience: float) -> Target:
        """The port where the docker CLI looks without TLS; it has so many seconds at most."""
        endpoint = replace(self.endpoint, port=PLAIN_PORT)
        places = self.places
        if not isinstance(places, OSError):
            places = [cast("Place", (family, (address[0], PLAIN_PORT, *address[2:]))) for family, address in places]
        return Target(endpoint, places, min(self.deadline, time.monotonic() + patience))


def look(endpoint: Endpoint, material: ClientMaterial, *, version: Version, timeout: float) -> Handshake:
    """One connection that takes whatever server certificate there is, and a GET /_ping over it.

    Weak keys and digests are let pass on both sides, since the question is what the server does.

    Args:
        endpoint: whom to look at.
        material: the client to come as; its CA is not used.
        version: the only one that is offered.
        timeout: seconds for all of it.
    """
    return _alone(endpoint, dressed(partial(looking_context, material, version)), timeout)


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
    return _alone(endpoint, dressed(partial(judging_context, ClientMaterial(ca), strict=strict)), timeout)


def _alone(endpoint: Endpoint, context: Dressed, timeout: float) -> Handshake:
    async def one() -> Handshake:
        return await attempt(await Target.of(endpoint, timeout), context)

    return run(one())


def plaintext(endpoint: Endpoint, *, timeout: float) -> PlainAnswer:
    """Ask for /_ping without TLS.

    Args:
        endpoint: whom to ask.
        timeout: seconds for all of it.
    """

    async def one() -> PlainAnswer:
        return await without_tls(await Target.of(endpoint, timeout))

    return run(one())


async def attempt(target: Target, context: Dressed) -> Handshake:
    """One connection with TLS, and a GET /_ping over it."""
    if isinstance(context, str):
        return Handshake(Outcome.UNUSABLE, reason=context)
    start = time.monotonic()
    try:
        wire = await target.wire()
    except OSError as error:
        outcome = Outcome.TIMED_OUT if isinstance(error, TimeoutError) else Outcome.UNREACHABLE
        ended = Handshake(outcome, reason=api.reason_of(error), errno=error.errno)
    else:
        with wire.sock:
            ended = await _run(Session.over(wire, context, target.endpoint.name), target.request())
    return replace(ended, elapsed=time.monotonic() - start)


async def _run(session: Session, request: bytes) -> Handshake:
    address = _peer(session.wire.sock)
    agreed = ("", "")
    try:
        async with session.wire.limit():
            agreed = await session.handshake()
            ended = _answered(await session.ask(request, await session.settle()))
    except OSError as error:
        refused = Outcome.REFUSED_AFTER_HANDSHAKE if any(agreed) else Outcome.HANDSHAKE_REFUSED
        ended = _ended(error, refused, bytes(session.wire.received))
    protocol, cipher = agreed
    certified = _certified(ended, session.tls)
    return replace(certified, address=address, protocol=protocol, cipher=cipher, request=session.tls.request)


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


async def version_of(target: Target, context: Dressed) -> tuple[ApiSeen, bool]:
    """What the API says to a client that verifies everything, as docker does it: a fault is told, not raised.

    Returns:
        What it says, and whether the server's certificate was believed.
    """
    if isinstance(context, str):
        return ApiSeen(fault=context), False
    believed = False
    try:
        wire = await target.wire()
        with wire.sock:
            session = Session.over(wire, context, target.endpoint.name)
            async with wire.limit():
                await session.handshake()
                believed = True
                early = await session.settle()
                answer = await session.everything(target.request("/version"), early)
    except OSError as error:
        return ApiSeen(fault=api.reason_of(error)), believed
    return replace(api.read_version(answer, target.endpoint.url), heard=time.time()), believed


async def without_tls(target: Target) -> PlainAnswer:
    """Ask for /_ping in plain text."""
    start = time.monotonic()
    try:
        wire = await target.wire()
    except OSError as error:
        outcome = PlainOutcome.TIMED_OUT if isinstance(error, TimeoutError) else PlainOutcome.UNREACHABLE
        reason, elapsed = api.reason_of(error), time.monotonic() - start
        return PlainAnswer(outcome, reason=reason, errno=error.errno, elapsed=elapsed)
    with wire.sock:
        ended = await _converse(wire, target.request())
    seen = _plain(bytes(wire.received), ended)
    return replace(seen, connected=True, elapsed=time.monotonic() - start)


async def _converse(wire: Wire, request: bytes) -> OSError | None:
    """Ask in plain text and read until there is enough; why it ended, if not by itself."""
    try:
        async with wire.limit():
            await wire.send(request)
            while len(wire.received) < _SHOWN and await wire.receive():
                if wire.received.startswith(_ALERT_RECORD):
                    break
    except OSError as error:
        return error
    return None


def _plain(received: bytes, ended: OSError | None) -> PlainAnswer:
    """What a plain answer means: with 400 others than those who ask for TLS say that they do not understand."""
    status = _status(received)
    answer = received[:_SHOWN]
    reason = api.reason_of(ended) if ended else ""
    if received.startswith(_ALERT_RECORD):
        return PlainAnswer(PlainOutcome.ALERT, answer=answer)
    if status is not None:
        return PlainAnswer(_of_http(status, received), status, answer)
    if received:
        return PlainAnswer(PlainOutcome.GARBAGE, answer=answer, reason=reason)
    silent = isinstance(ended, TimeoutError)
    return PlainAnswer(PlainOutcome.TIMED_OUT if silent else PlainOutcome.CLOSED, reason=reason)


def _of_http(status: int, received: bytes) -> PlainOutcome:
    if status != _BAD_REQUEST:
        return PlainOutcome.ANSWERED
    return PlainOutcome.REFUSED if _WANTS_TLS.search(received) else PlainOutcome.BAD_REQUEST
