"""What a look at an endpoint saw: values only, so that judging them needs no connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        request: what the server asked of the client: a CertificateRequest's body (RFC 5246, 7.4.4; RFC 8446, 4.3.2);
            None: nothing, or it was not listened for.
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
    request: bytes | None = None
    elapsed: float = field(default=0.0, compare=False)


class PlainOutcome(Enum):
    """What a plain HTTP request to the TLS port was answered with."""

    UNREACHABLE = "no connection"
    TIMED_OUT = "no answer"
    CLOSED = "closed without a word"
    ALERT = "a TLS alert"
    REFUSED = "the port wants TLS"
    BAD_REQUEST = "a plain HTTP refusal that does not speak of TLS"
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
        errno: the operating system's number where the connection failed.
        connected: whether there was a connection.
        elapsed: seconds.
    """

    outcome: PlainOutcome
    status: int | None = None
    answer: bytes = b""
    reason: str = ""
    errno: int | None = None
    connected: bool = False
    elapsed: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class ApiSeen:
    """What the API says to the good client, its server verified as docker does it.

    Attributes:
        status: of GET /_ping; None if there was no answer.
        server: "Version" of GET /version.
        api: "ApiVersion" of GET /version.
        fault: why there was no answer, empty if there was.
        date: of the answer, as the server's clock has it (RFC 9110, section 6.6.1); empty: it named none.
        software: that gave the answer, as its header Server has it; dockerd's begins with "Docker/".
        heard: when it came, by this clock, Unix time.
    """

    status: int | None = None
    server: str = ""
    api: str = ""
    fault: str = ""
    date: str = ""
    software: str = ""
    heard: float = field(default=0.0, compare=False)


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
        strict: the server's chain against the user's CA file as Python 3.13 asks it (X509_V_FLAG_X509_STRICT),
            whatever the time is, names left out.
        verified: the same, as everybody else asks it.
        api: GET /version as docker does it, everything verified.
        none: with no certificate; None: nothing was asked but what the client itself would ask, as of all below.
        visitors: others who should not be let in, by their names in `stranger.WHO`.
        hears: whether it could be heard what the server asks of a client without a certificate.
        legacy: with TLS 1.0 and 1.1.
        weak: with TLS 1.2 and suites that nobody should use any more.
        plaintext: without TLS.
        neighbour: the port where the docker CLI looks without TLS (2375); None: it is the endpoint's own, too.
    """

    endpoint: Endpoint
    good: Pair
    strict: Handshake
    verified: Handshake
    api: ApiSeen
    none: Pair | None = None
    visitors: Mapping[str, Pair] = field(default_factory=dict)
    hears: bool = True
    legacy: Handshake | None = None
    weak: Handshake | None = None
    plaintext: PlainAnswer | None = None
    neighbour: PlainAnswer | None = None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The looks with either version, the good client's first."""
        return (self.good, *((self.none,) if self.none else ()), *self.visitors.values())

    @property
    def looks(self) -> tuple[Handshake, ...]:
        """All connections that tried a version of TLS that dockerd has, the good client's first."""
        return (*(look for pair in self.pairs for _, look in pair.both), self.verified, self.strict)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What the server showed, DER, its own certificate first; empty if nothing was seen."""
        return next((look.chain for look in self.looks if look.chain), ())
