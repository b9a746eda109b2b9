"""Certificates whose time is over, that a change would bring back into use."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dockertls.errors import Refused
from dockertls.pki.keys import load_certificates
from dockertls.pki.paths import subject_of
from dockertls.pki.profiles import issued_by, may_sign
from dockertls.plan import File, Link, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.store import Generation, StoreState
    from dockertls.plan import Change, Node, Plan


def bygone(plan: Plan, store: StoreState, now: datetime) -> tuple[str, ...]:
    """Name what a plan would bring back although it is revoked, has expired, or is of a retired authority.

    Only certificates of the store's own authorities are judged: what others made is theirs.

    Args:
        plan: what would be done; a link of it may name a generation that is there already.
        store: whose certificates they are.
        now: with a time zone.

    Returns:
        A line for each place and certificate, such as `/root/.docker/cert.pem: CN=ann was revoked at ...`.

    Raises:
        NotReady, Refused: if the store cannot be read.
    """
    authorities, revocations = store.generations("ca"), store.revocations()
    retired = _retired(store, authorities)
    lines: list[str] = []
    for change in plan.changes:
        for certificate in _brought(change, store):
            revoked = revocations.of(certificate)
            reason = f"was revoked at {revoked.moment}" if revoked else _past(certificate, authorities, retired, now)
            if reason:
                lines.append(f"{shown(change.path)}: {subject_of(certificate)} {reason}")
    return tuple(dict.fromkeys(lines))


def _retired(store: StoreState, authorities: tuple[Generation, ...]) -> frozenset[Generation]:
    """Who came before the authority in use and is trusted no more.

    The one that an aborted rotation was to lead to was never in use.
    """
    current = store.current("ca")
    earlier = (one for one in authorities if current and one.number < current.number)
    return frozenset(one for one in earlier if not store.trusts(one))


def _past(
    certificate: x509.Certificate, authorities: tuple[Generation, ...], retired: frozenset[Generation], now: datetime
) -> str:
    """Why the time of a certificate is over; empty: it is not, or it is of none of these authorities."""
    own = next((one for one in authorities if _is_of(certificate, one.certificate)), None)
    if own in retired:
        return "is of an authority that is trusted no more"
    end = certificate.not_valid_after_utc
    return f"has ended at {end:%Y-%m-%dT%H:%M:%SZ}" if own and not may_sign(certificate) and end <= now else ""


def _is_of(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    return certificate == authority or issued_by(certificate, authority)


def _brought(change: Change, store: StoreState) -> Iterator[x509.Certificate]:
    """Certificates that are in use after a change and were not before it."""
    before = {certificate for node in _behind(change, change.before, store) for certificate in _held(node)}
    for node in _behind(change, change.after, store):
        yield from (certificate for certificate in _held(node) if certificate not in before)


def _behind(change: Change, node: Node | None, store: StoreState) -> Iterator[File]:
    """The file itself; of the link that says which generation is in use, the files of that one."""
    if isinstance(node, File):
        yield node
    if isinstance(node, Link) and node.target.isdigit():
        folder = change.path.with_name(node.target)
        nodes = (store.host.node(folder / name) for name in store.host.names(folder))
        yield from (one for one in nodes if isinstance(one, File))


def _held(file: File) -> tuple[x509.Certificate, ...]:
    """Certificates of a file; none where it holds none that can be read."""
    with suppress(Refused):
        return load_certificates(file.content)
    return ()
