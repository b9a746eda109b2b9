"""Judge the certificate that somebody signed for a request of ours, before the store takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.errors import Fault, refuse
from dockertls.escaping import visible
from dockertls.findings import Failed, Warned
from dockertls.pki.keys import matches
from dockertls.pki.names import display
from dockertls.pki.paths import names_of, paths, subject_of
from dockertls.pki.profiles import Purpose, extension
from dockertls.pki.requests import common_names, names_asked
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dockertls.findings import Finding
    from dockertls.pki.keys import PrivateKey
    from dockertls.pki.paths import Path

_AGAIN = "have the request signed again"
_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "chain": "have it signed by the store's authority (dockertls ca show); give intermediate certificates along",
        "name": f"{_AGAIN}, with every name that it asks for; or make another request with `csr`",
        "expiry": f"{_AGAIN}, and look at the clocks of both machines",
        "purpose": f"{_AGAIN}, for the use that it asks for",
        "key-strength": _AGAIN,
        "signature": f"{_AGAIN}, with SHA-256",
    }
)
"""What to do about a finding that failed."""


@dataclass(frozen=True)
class Pair:
    """A request of ours, and the key that it is for."""

    request: x509.CertificateSigningRequest
    key: PrivateKey


@dataclass(frozen=True)
class Accepted:
    """A certificate that may be taken.

    Attributes:
        path: the certificate and the intermediate ones above it, the root left out.
        notes: what the user should know of it, one line each.
    """

    path: Path
    notes: tuple[str, ...]


def accept(
    answer: Sequence[x509.Certificate],
    asked: Pair,
    authority: Sequence[x509.Certificate],
    *,
    purpose: Purpose,
    now: datetime,
    name: str = "the certificate",
) -> Accepted:
    """Judge what came back for a request.

    Args:
        answer: the signed certificate, and intermediate ones, in any order.
        asked: what it should answer.
        authority: the store's, those above it after it, its root last.
        purpose: what it shall be used for.
        now: with a time zone.
        name: what messages call it.

    Raises:
        Refused: with everything that speaks against it: key, chain, names, use, times.
    """
    leaf = _answering(answer, asked.key)
    findings = verify(
        leaf, (*answer, *authority), authority[-1:],
        now=now, purpose=purpose, names=tuple(map(display, names_asked(asked.request))), fail=timedelta(),
    )  # fmt: skip
    path = _path(leaf, answer, authority)
    refuse(name, (*_own_faults(leaf, asked, purpose), *_finding_faults(findings, leaf, path, authority[0])))
    return Accepted(path[:-1], tuple(_notes(leaf, asked, findings)))


def _answering(answer: Sequence[x509.Certificate], key: PrivateKey) -> x509.Certificate:
    """The certificate of the request's key; if there is none, the one that is most likely meant."""
    own = [one for one in answer if matches(one, key)]
    return next(iter((*own, *(one for one in answer if not _is_authority(one)), *answer)))


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints, usage = extension(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
    return bool((constraints and constraints.ca) or (usage and usage.key_cert_sign))


def _path(leaf: x509.Certificate, answer: Sequence[x509.Certificate], authority: Sequence[x509.Certificate]) -> Path:
    """The way from a certificate by the store's authority to its root; empty: there is none."""
    below = paths(leaf, answer, authority[:1])
    return (*below[0], *authority[1:]) if below else ()


def _own_faults(leaf: x509.Certificate, asked: Pair, purpose: Purpose) -> Iterator[Fault]:
    if not matches(leaf, asked.key):
        yield Fault("it is for another key than that of the request", "give the answer to the request that is pending")
    if _is_authority(leaf):
        yield Fault(
            "it is an authority's certificate (CA:TRUE or keyCertSign)", f"{_AGAIN}, as that of a {_who(purpose)}"
        )
    expected, found = common_names(asked.request.subject), common_names(leaf.subject)
    if purpose is Purpose.CLIENT and expected != found:
        told = ", ".join(map(visible, found)) or "nobody"
        hint = f"{_AGAIN}, with its subject kept: docker's authorization plugins know a client by that name"
        yield Fault(f"it is for {told}, not for {', '.join(map(visible, expected))}", hint)


def _who(purpose: Purpose) -> str:
    return "server" if purpose is Purpose.SERVER else "client"


def _finding_faults(
    findings: Sequence[Finding], leaf: x509.Certificate, path: Path, authority: x509.Certificate
) -> Iterator[Fault]:
    failed = {finding.id: finding.verdict.cause for finding in findings if isinstance(finding.verdict, Failed)}
    issuer = visible(leaf.issuer.rfc4514_string())
    if not path and leaf.issuer == authority.subject:
        failed["chain"] = f"it names {issuer} as its issuer, and the store's authority of that name did not sign it"
    elif not path and "chain" not in failed:
        failed["chain"] = f"it was issued by {issuer}, not by the store's authority {subject_of(authority)}"
    for id_, cause in failed.items():
        yield Fault(cause, _HINTS[id_])


def _notes(leaf: x509.Certificate, asked: Pair, findings: Sequence[Finding]) -> Iterator[str]:
    yield from (finding.verdict.cause for finding in findings if isinstance(finding.verdict, Warned))
    more = [display(one) for one in names_of(leaf) if one not in names_asked(asked.request)]
    if more:
        yield f"it is also for {', '.join(more)}, which was not asked for"
