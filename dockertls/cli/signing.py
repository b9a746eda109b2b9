"""What a run needs to make certificates: the authority, loaded once and only if it signs, fresh keys and serials."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.x509 import random_serial_number

from dockertls.cli.console import PassphraseSource
from dockertls.pki.issue import Issued, Request, ca_name, issue
from dockertls.pki.keys import PrivateKey, generate, private_pem
from dockertls.pki.profiles import TABLE
from dockertls.pki.store import Generation, new_generation, plan_authority, plan_generation
from dockertls.plan import Plan

if TYPE_CHECKING:
    from cryptography import x509

    from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
    from dockertls.cli.session import Session


@dataclass(frozen=True)
class Made:
    """A generation and the plan that stores it; the plan is empty if it was there already."""

    generation: Generation
    plan: Plan


@dataclass(frozen=True)
class LeafRequest:
    """A certificate that is wanted.

    Attributes:
        role: "server" or "client".
        folder: its folder's name in the store.
        common_name: of its subject.
        names: its subject alternative names.
    """

    role: str
    folder: str
    common_name: str
    names: tuple[x509.GeneralName, ...] = ()


class Signer:
    """Signs for one run: one authority, one question for its passphrase."""

    def __init__(
        self, session: Session, keys: KeyOptions, passphrase: PassphraseOptions, change: ChangeOptions
    ) -> None:
        self._session, self._keys, self._passphrase, self._change = session, keys, passphrase, change
        self._new: Issued | None = None

    @property
    def _lifetime(self) -> timedelta | None:
        return timedelta(days=self._keys.days) if self._keys.days else None

    @cached_property
    def _source(self) -> PassphraseSource:
        given = self._passphrase
        source = PassphraseSource(given.passphrase_file, given.passphrase_fd, given.passphrase_command)
        return source.checked(self._session.environment)

    @cached_property
    def _known_passphrase(self) -> bytes:
        return self._source.read(self._session.console, new=False)

    @property
    def _issuer(self) -> Issued:
        """Who signs: the new authority, unless another run has made one meanwhile; else the store's."""
        if self._new and self._session.store.current("ca") is None:
            return self._new
        return self._stored_issuer

    @cached_property
    def _stored_issuer(self) -> Issued:
        """The store's authority; in a run that only looks, a stand-in with a key of its own."""
        store = self._session.store
        current = store.current("ca")
        if self._change.looks_only and current and current.key_pem:
            return self._stand_in(current)
        return store.issuer(lambda: self._known_passphrase)

    def _stand_in(self, current: Generation) -> Issued:
        """An authority like the real one but for its key: what it signs is shown and thrown away."""
        key, real = generate("ecdsa-p256"), current.certificate
        request = Request(TABLE["ca"], "dry run", lifetime=real.not_valid_after_utc - self._session.started)
        return issue(request, key, None, now=self._session.started, serial=random_serial_number())

    def authority(self, common_name: str | None = None) -> Made:
        """A new authority.

        Args:
            common_name: of its subject; None: one like no other's.

        Raises:
            NotReady: if the store has one.
        """
        store, now = self._session.store, self._session.started
        name = common_name or ca_name(now, secrets.token_hex(4))
        key = self._generate()
        request = Request(TABLE["ca"], name, lifetime=self._lifetime if common_name else None)
        self._new = issue(request, key, None, now=now, serial=random_serial_number())
        generation = new_generation(store, "ca", "", self._new, private_pem(key, self._new_passphrase))
        return Made(generation, plan_authority(store, generation))

    @cached_property
    def _new_passphrase(self) -> bytes | None:
        if self._passphrase.no_passphrase or self._change.looks_only:
            return None
        return self._source.read(self._session.console, new=True)

    def authority_in_use(self) -> Made:
        """The store's authority; a new one if there is none, the same however often it is asked for."""
        current = self._session.store.current("ca")
        return Made(current, Plan("")) if current else self._first_authority

    @cached_property
    def _first_authority(self) -> Made:
        return self.authority()

    def leaf(self, wanted: LeafRequest) -> Made:
        """A new certificate."""
        request = Request(TABLE[wanted.role], wanted.common_name, tuple(wanted.names), self._lifetime)
        issuer = self._issuer
        key = self._generate()
        issued = issue(request, key, issuer, now=self._session.started, serial=random_serial_number())
        store = self._session.store
        generation = new_generation(store, wanted.role, wanted.folder, issued, private_pem(key))
        return Made(generation, plan_generation(store, generation))

    def leaf_in_use(self, authority: Generation, wanted: LeafRequest) -> Made:
        """The store's certificate if it is good for what is wanted, else a new one."""
        current = self._session.store.current(wanted.role, wanted.folder)
        if current and current.is_good(authority.certificate, wanted.names, self._session.started):
            return Made(current, Plan(""))
        return self.leaf(wanted)

    def _generate(self) -> PrivateKey:
        kind = self._keys.key
        with self._session.console.working(f"making a key ({kind})"):
            return generate(kind)
