"""Judge an authority that was made elsewhere, before the store takes it: everything that speaks against it, at once."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.errors import Fault
from dockertls.escaping import visible
from dockertls.findings import Failed
from dockertls.pki.keys import matches
from dockertls.pki.paths import flaws, paths, pickiness, subject_of
from dockertls.pki.profiles import Purpose, issued_by
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dockertls.pki.keys import PrivateKey
    from dockertls.pki.paths import Path

_NOW = timedelta()
_ANOTHER = "import another authority, or make one: dockertls ca init"

_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "expiry": "set the clock if it is wrong; else " + _ANOTHER,
        "purpose": "an authority for docker must be free to sign servers and clients; " + _ANOTHER,
        "key-strength": _ANOTHER,
        "signature": "have it signed again with SHA-256, or " + _ANOTHER,
    }
)
"""What to do about a finding that failed; what is not here is asked elsewhere."""


def path_to_root(certificate: x509.Certificate, others: Sequence[x509.Certificate], now: datetime) -> Path:
    """A certificate and those above it, the root last; as far as they are there.

    Args:
        certificate: where it begins.
        others: what was handed over with it, in any order; whatever else is among them is left alone.
        now: of several ways, one that is valid is taken.
    """
    roots = [one for one in (certificate, *others) if issued_by(one, one)]
    found = paths(certificate, others, roots)
    if found:
        return min(found, key=lambda path: (len(flaws(path)), not all(_is_valid(one, now) for one in path)))
    path: Path = (certificate,)
    while above := [one for one in others if one not in path and issued_by(path[-1], one)]:
        path = (*path, above[0])
    return path


def authority_faults(path: Path, key: PrivateKey | None, now: datetime) -> tuple[Fault, ...]:
    """What speaks against an authority.

    Args:
        path: its certificate and those above it, as `path_to_root` gave them.
        key: its private key; None: it is not here.
        now: with a time zone.
    """
    return tuple(dict.fromkeys((*_own_faults(path, key), *_path_faults(path), *_findings(path, now))))


def authority_notes(path: Path) -> tuple[str, ...]:
    """What the user should know of an authority that is taken, one line each."""
    found = pickiness((path[0], *path))
    return tuple(dict.fromkeys(f"{flaw.place}: {flaw.cause}" for flaw in found))


def not_above(path: Path, others: Iterable[x509.Certificate]) -> tuple[str, ...]:
    """The subjects of certificates that were handed over and do not belong to a path."""
    return tuple(dict.fromkeys(subject_of(one) for one in others if one not in path))


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _own_faults(path: Path, key: PrivateKey | None) -> Iterator[Fault]:
    authority, last = path[0], path[-1]
    if authority.version is x509.Version.v1:
        yield Fault("it is of version 1 of X.509, which does not say whose certificate it is", _ANOTHER)
    if not authority.subject.rdns:
        yield Fault("it has no subject, and could issue nothing", _ANOTHER)
    if key is not None and not matches(authority, key):
        yield Fault("the key is not that of the certificate", "give the two that belong together")
    if not issued_by(last, last):
        issuer = visible(last.issuer.rfc4514_string()) or "(no name)"
        hint = "give it in a file with --chain: OpenSSL and Python trust no authority without its root"
        yield Fault(f"the certificate of {issuer}, who issued {subject_of(last)}, is missing", hint)


def _path_faults(path: Path) -> Iterator[Fault]:
    """What is wrong with it as an issuer: it is judged as if it had signed a certificate like itself."""
    for flaw in flaws((path[0], *path)):
        yield Fault(f"{flaw.place}: {flaw.cause}", _ANOTHER)


def _findings(path: Path, now: datetime) -> Iterator[Fault]:
    for purpose in Purpose:
        for finding in verify(path[0], path[1:], path[-1:], now=now, purpose=purpose, warn=_NOW, fail=_NOW):
            if isinstance(finding.verdict, Failed) and finding.id in _HINTS:
                yield Fault(finding.verdict.cause, _HINTS[finding.id])
