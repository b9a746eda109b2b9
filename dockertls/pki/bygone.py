"""Certificates whose time is over, that a change would bring back into use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dockertls.pki.keys import certificates_in, load_certificates
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

    Whose authority it is, its folder says; where that is gone, the certificates that it issued, or what lies beside it
    in a generation of dockerd's. What others made is theirs.

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
        written_here = judge.wrote(change)
        for certificate in _brought(change, store):
            reason = judge.reason(certificate, written_here=written_here)
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

    def wrote(self, change: Change) -> bool:
        """Whether a link leads to a generation that was made with this store: something in it is of the store."""
        if not _generation_of(change.after):
            return False
        there = (one for file in _behind(change, change.after, self.store) for one in certificates_in(file.content))
        return any(self._own(one) or self._is_leaf(one) for one in there)

    def reason(self, certificate: x509.Certificate, *, written_here: bool) -> str:
        """Why a certificate must not come back; empty: it may.

        Args:
            certificate: that would be in use again.
            written_here: whether it lies in a generation that was made with this store: who is trusted there was
                trusted by the store, too.
        """
        if revoked := self._revocations.of(certificate):
            return f"was revoked at {revoked.moment}"
        own = self._own(certificate)
        if own and not any(self.store.trusts(one) for one in own):
            return _RETIRED
        if not own:
            return _RETIRED if self._is_lost(certificate, written_here=written_here) else ""
        end = certificate.not_valid_after_utc
        return f"has ended at {end:%Y-%m-%dT%H:%M:%SZ}" if not may_sign(certificate) and end <= self.now else ""

    def _own(self, certificate: x509.Certificate) -> list[Generation]:
        """The store's authorities that it is, or is of."""
        return [one for one in self._authorities if _is_of(certificate, one)]

    def _is_leaf(self, certificate: x509.Certificate) -> bool:
        return any(self.store.whose(role, certificate) for role in FOLDERS)

    def _is_lost(self, certificate: x509.Certificate, *, written_here: bool) -> bool:
        """Whether it is, or is of, an authority that this store had, and whose folder is gone."""
        if not may_sign(certificate):
            return self._is_leaf(certificate)
        return certificate not in self._trusted and (written_here or self._has_issued(certificate))

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
    before = {one for file in _behind(change, change.before, store) for one in certificates_in(file.content)}
    after = (one for file in _behind(change, change.after, store) for one in certificates_in(file.content))
    yield from (one for one in after if one not in before)


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
