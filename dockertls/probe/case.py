"""What every question about an endpoint is judged by, and how a look is told in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, NotApplicable, Severity, Unknown, Verdict
from dockertls.probe.observation import Handshake, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography import x509

    from dockertls.probe.observation import Observation, Version
    from dockertls.probe.remedies import Remedy

_CERTIFICATE_ALERTS = frozenset(
    {
        "bad_certificate",
        "certificate_expired",
        "certificate_required",
        "certificate_revoked",
        "certificate_unknown",
        "unknown_ca",
        "unsupported_certificate",
    }
)
_SUCCESS = range(200, 300)
_GREETING = 40  # bytes
_WHO_LISTENS = "check host and port; on the host, ss -ltnp tells who listens there"
READ_THE_LOG = "read dockerd's log: journalctl -u docker"
NOT_ASKED = NotApplicable("not asked: passive")


class Needs(Enum):
    """What must have been seen for a question to make sense."""

    NOTHING = 0
    CONNECTION = 1
    TLS = 2
    CERTIFICATE = 3


@dataclass(frozen=True)
class Case:
    """What every question is judged by.

    Attributes:
        seen: of the endpoint.
        roots: the authorities that the client trusts.
        client: the client's certificate, issuing ones after it; empty: it has none.
        current: those of which one should be served, or why that is not known.
        chain: what the server showed, its own certificate first; empty if nothing can be read.
        fault: why nothing can be said of the server's certificate; empty if something can.
        certificate: what is to be said of it, by the finding's id.
        unfit: whether the client's files are no good, which the finding `client-files` tells.
    """

    seen: Observation
    roots: Sequence[x509.Certificate]
    client: Sequence[x509.Certificate]
    current: Sequence[x509.Certificate] | str
    chain: Sequence[x509.Certificate]
    fault: str
    certificate: Mapping[str, Verdict]
    unfit: bool = False

    def evidence(self, source: str, seen: str, expected: str = "") -> Evidence:
        """Something that was seen of the endpoint."""
        return Evidence(source, self.seen.endpoint.url, seen, expected)


@dataclass(frozen=True)
class Question:
    """One row: a finding and how it is judged."""

    id: str
    title: str
    severity: Severity
    needs: Needs
    judge: Callable[[Case], Verdict]


def missing(needs: Needs, case: Case) -> Verdict | None:
    """Why a question makes no sense here; None if it does."""
    looks = case.seen.looks
    if needs is not Needs.NOTHING and not any(look.address for look in looks):
        return Unknown("there is no connection", "reachable")
    if needs in (Needs.TLS, Needs.CERTIFICATE) and not any(spoken(look) for look in looks):
        if any(look.outcome is Outcome.NOT_TLS for look in looks):
            return NotApplicable("the port does not speak TLS")
        return Unknown("no handshake came far enough", "tls-version")
    if needs is Needs.CERTIFICATE and case.fault:
        return Unknown(f"the server's certificate: {case.fault}")
    return None


def of_version(seen: Observation, version: Version) -> tuple[Handshake, ...]:
    """The looks that were pinned to a version."""
    return tuple(dict(pair.both)[version] for pair in seen.pairs)


def spoken(look: Handshake) -> bool:
    """Whether the server went as far as certificates, and so speaks the version."""
    return bool(look.protocol or look.chain or look.alert in _CERTIFICATE_ALERTS)


def let_in(look: Handshake) -> bool:
    """Whether the client was let in, and the API answered it."""
    return look.outcome is Outcome.ACCEPTED and look.status in _SUCCESS


def told(look: Handshake) -> str:
    """One look in a few words."""
    if look.outcome is Outcome.ACCEPTED:
        said = f"status {look.status}" if look.status else "an answer that is no HTTP"
        return f"{look.outcome.value}, {said}"
    if look.alert:
        return f"{look.outcome.value} (alert {visible(look.alert)})"
    detail = visible(look.answer[:40].decode("latin-1")) if look.answer else look.reason
    return f"{look.outcome.value} ({visible(detail)})" if detail else look.outcome.value


def no_dockerd(looks: Sequence[Handshake]) -> tuple[str, str] | None:
    """Cause and remedy where what answers speaks neither TLS nor HTTP; None: it may be dockerd."""
    foreign = [look for look in looks if look.outcome is Outcome.NOT_TLS]
    if not foreign or any(look.status for look in foreign):
        return None
    said = foreign[0].answer[:_GREETING].decode("latin-1").strip()
    who = "an SSH server answers" if said.startswith("SSH-") else "what answers speaks neither TLS nor HTTP"
    return f"no dockerd listens there: {who} ({visible(said)})", _WHO_LISTENS


def failed(evidence: tuple[Evidence, ...], known: Remedy | None, otherwise: str) -> Failed:
    """A failure that the table of remedies explains; else by its own words."""
    return Failed(evidence, *why(known, otherwise))


def why(known: Remedy | None, otherwise: str) -> tuple[str, str]:
    """Cause and remedy."""
    return (known.cause, known.remedy) if known else (visible(otherwise), READ_THE_LOG)
