"""What a look at an endpoint saw: values only, so that judging them needs no connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dockertls.probe.endpoint import Endpoint

Version = Literal["TLSv1.2", "TLSv1.3"]


@dataclass(frozen=True)
class ClientMaterial:
    """What a client has, as in ~/.docker: PEM bytes.

    Attributes:
        ca: the authorities that it trusts, one or more certificates.
        cert: its certificate, issuing ones after it; None: it shows none.
        key: the key of `cert`, not encrypted.
    """

    ca: bytes
    cert: bytes | None = None
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ServerMaterial:
    """What dockerd reads to serve TLS: PEM bytes.

    Attributes:
        ca: the authorities whose clients are let in.
        cert: the server's certificate, issuing ones after it.
        key: the key of `cert`, not encrypted.
    """

    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)


class Outcome(Enum):
    """How one TLS connection ended."""

    UNREACHABLE = "no connection"
    TIMED_OUT = "timed out"
    NOT_TLS = "what answers does not speak TLS"
    UNUSABLE = "our own certificate, key or CA file cannot be used"
    UNACCEPTABLE = "what the server sent was refused here"
    HANDSHAKE_REFUSED = "refused in the handshake"
    REFUSED_AFTER_HANDSHAKE = "refused right after the handshake"
    CLOSED = "closed without a word"
    ACCEPTED = "let in"


@dataclass(frozen=True)
class Handshake:
    """One connection with one pinned version of TLS and one client.

    Attributes:
        outcome: how it ended.
        protocol: what was negotiated, such as "TLSv1.3"; empty if the handshake did not end well.
        cipher: OpenSSL's name of it; empty likewise.
        chain: what the server showed, DER, its own certificate first.
        verify_code: X509_V_ERR_* of OpenSSL; 0 if the chain verifies; None if it was not asked.
        alert: the TLS alert that came, such as "bad_certificate" (RFC 8446, section 6).
        reason: OpenSSL's or the operating system's word for it.
        errno: the operating system's number where a connection failed.
        status: of the answer to GET /_ping; None if what came was no HTTP.
        answer: the first bytes that came: of HTTP if let in, of what is not TLS otherwise.
        address: of the peer; empty if no connection was made.
        elapsed: seconds.
    """

    outcome: Outcome
    protocol: str = ""
    cipher: str = ""
    chain: tuple[bytes, ...] = ()
    verify_code: int | None = None
    verify_text: str = ""
    alert: str = ""
    reason: str = ""
    errno: int | None = None
    status: int | None = None
    answer: bytes = b""
    address: str = ""
    elapsed: float = field(default=0.0, compare=False)


class PlainOutcome(Enum):
    """What a plain HTTP request to the TLS port was answered with."""

    UNREACHABLE = "no connection"
    TIMED_OUT = "no answer"
    CLOSED = "closed without a word"
    ALERT = "a TLS alert"
    REFUSED = "the port wants TLS"
    ANSWERED = "an HTTP answer in plain text"
    GARBAGE = "something that is neither HTTP nor TLS"


@dataclass(frozen=True)
class PlainAnswer:
    """One plain `GET /_ping`.

    Attributes:
        outcome: what came back.
        status: of the HTTP answer; None if it was none.
        answer: the first bytes that came.
        reason: the operating system's word where nothing came.
        elapsed: seconds.
    """

    outcome: PlainOutcome
    status: int | None = None
    answer: bytes = b""
    reason: str = ""
    elapsed: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class ApiSeen:
    """What the API says to the good client, its server verified as docker does it.

    Attributes:
        status: of GET /_ping; None if there was no answer.
        server: "Version" of GET /version.
        api: "ApiVersion" of GET /version.
        fault: why there was no answer, empty if there was.
    """

    status: int | None = None
    server: str = ""
    api: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Pair:
    """The same look with either version of TLS."""

    tls12: Handshake
    tls13: Handshake

    @property
    def both(self) -> tuple[tuple[Version, Handshake], tuple[Version, Handshake]]:
        """Each look with the version it was pinned to."""
        return ("TLSv1.2", self.tls12), ("TLSv1.3", self.tls13)


@dataclass(frozen=True)
class Observation:
    """Everything that was seen of one endpoint.

    Attributes:
        endpoint: what was looked at.
        good: with the user's own certificate, the server not verified: the control of all the others.
        none: with no certificate.
        stranger: with a certificate of an authority that nobody knows.
        verified: the server's chain against the user's CA file, whatever the time is, names left out.
        strict: the same as Python 3.13 asks it (X509_V_FLAG_X509_STRICT).
        plaintext: without TLS.
        api: GET /_ping and /version as docker does it, everything verified.
    """

    endpoint: Endpoint
    good: Pair
    none: Pair
    stranger: Pair
    verified: Handshake
    strict: Handshake
    plaintext: PlainAnswer
    api: ApiSeen

    @property
    def looks(self) -> tuple[Handshake, ...]:
        """All connections that tried TLS, the good client's first."""
        pairs = (self.good, self.none, self.stranger)
        return (*(look for pair in pairs for _, look in pair.both), self.verified, self.strict)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What the server showed, DER, its own certificate first; empty if nothing was seen."""
        return next((look.chain for look in self.looks if look.chain), ())
