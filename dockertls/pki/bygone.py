"""Certificates whose time is over, that a change would bring back into use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dockertls.errors import Refused
from dockertls.pki.keys import load_certificates
from dockertls.pki.paths import subject_of
from dockertls.pki.profiles import issued_by, may_sign
from dockertls.pki.standby import every_authority
from dockertls.pki.store import FOLDERS
from dockertls.plan import File, Link, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.revocation import Revocations
    from dockertls.pki.store import Generation, StoreState
    from dockertls.plan import Change, Node, Plan

_RETIRED = "is of an authority that is trusted no more"


def bygone(plan: Plan, store: StoreState, now: datetime) -> tuple[str, ...]:
    """Name what a plan would bring back although it is revoked, has expired, or is of an authority not trusted now.

    Whose authority it is, its folder says; where that is gone, the certificates that it issued and the folders that
    only this program writes. What others made is theirs.

    Args:
        plan: what would be done; a link of it may name a generation that is there already.
        store: whose certificates they are.
        now: with a time zone.

    Returns:
        A line for each place and certificate, such as `/root/.docker/cert.pem: CN=ann was revoked at ...`.

    Raises:
        NotReady, Refused: if the store cannot be read.
    """
    judge = _Judge(store, now)
    lines: list[str] = []
    for change in plan.changes:
        for certificate in _brought(change, store):
            reason = judge.reason(certificate, for_daemon=bool(_generation_of(change.after)))
            if reason:
                lines.append(f"{shown(change.path)}: {subject_of(certificate)} {reason}")
    return tuple(dict.fromkeys(lines))


def touched(plan: Plan, store: StoreState) -> tuple[str, ...]:
    """The places of a plan where other certificates would be in use than before."""
    both = ((change, change.inverse()) for change in plan.changes)
    return tuple(shown(one.path) for one, back in both if any(_brought(one, store)) or any(_brought(back, store)))


@dataclass(frozen=True)
class _Judge:
    """What is known of a store, read when it is needed."""

    store: StoreState
    now: datetime

    @cached_property
    def _revocations(self) -> Revocations:
        return self.store.revocations()

    @cached_property
    def _authorities(self) -> tuple[Generation, ...]:
        return every_authority(self.store)

    @cached_property
    def _trusted(self) -> frozenset[x509.Certificate]:
        return frozenset(one for role in FOLDERS for one in self.store.trusted(role))

    def reason(self, certificate: x509.Certificate, *, for_daemon: bool) -> str:
        """Why a certificate must not come back; empty: it may.

        Args:
            certificate: that would be in use again.
            for_daemon: whether it lies in a folder that this program alone makes for dockerd.
        """
        if revoked := self._revocations.of(certificate):
            return f"was revoked at {revoked.moment}"
        own = [one for one in self._authorities if _is_of(certificate, one)]
        if own and not any(self.store.trusts(one) for one in own):
            return _RETIRED
        if not own:
            return _RETIRED if self._is_lost(certificate, for_daemon=for_daemon) else ""
        end = certificate.not_valid_after_utc
        return f"has ended at {end:%Y-%m-%dT%H:%M:%SZ}" if not may_sign(certificate) and end <= self.now else ""

    def _is_lost(self, certificate: x509.Certificate, *, for_daemon: bool) -> bool:
        """Whether it is, or is of, an authority that this store had, and whose folder is gone."""
        if not may_sign(certificate):
            return any(self.store.whose(role, certificate) for role in FOLDERS)
        return certificate not in self._trusted and (for_daemon or self._has_issued(certificate))

    def _has_issued(self, authority: x509.Certificate) -> bool:
        with self.store.near() as near:
            names = ((role, name) for role in FOLDERS for name in near.names(role))
            return any(one.is_of(authority) for role, name in names for one in near.readable(role, name))


def _is_of(certificate: x509.Certificate, authority: Generation) -> bool:
    """Whether it is an authority, one above it, or issued by it."""
    name = shown(authority.path / "cert.pem")
    above = load_certificates(authority.cert_pem, name=name)
    return certificate in above or issued_by(certificate, authority.certificate)


def _brought(change: Change, store: StoreState) -> Iterator[x509.Certificate]:
    """Certificates that are in use after a change and were not before it."""
    before = {certificate for node in _behind(change, change.before, store) for certificate in _held(node)}
    for node in _behind(change, change.after, store):
        yield from (certificate for certificate in _held(node) if certificate not in before)


def _generation_of(node: Node | None) -> str:
    """The generation that a link says is in use; empty: it is no such link."""
    return node.target if isinstance(node, Link) and node.target.isdigit() else ""


def _behind(change: Change, node: Node | None, store: StoreState) -> Iterator[File]:
    """The file itself; of the link that says which generation is in use, the files of that one."""
    if isinstance(node, File):
        yield node
    if number := _generation_of(node):
        folder = change.path.with_name(number)
        nodes = (store.host.node(folder / name) for name in store.host.names(folder))
        yield from (one for one in nodes if isinstance(one, File))


def _held(file: File) -> tuple[x509.Certificate, ...]:
    """Certificates of a file; none where it holds none that can be read."""
    with suppress(Refused):
        return load_certificates(file.content)
    return ()
