"""What a run needs to make certificates: the authority, loaded once and only if it signs, fresh keys and serials."""

from __future__ import annotations

import secrets
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.x509 import random_serial_number

from dockertls.errors import NotReady
from dockertls.pki import constraints
from dockertls.pki.constraints import limits_of
from dockertls.pki.issue import PUT_IN_ITS_PLACE, Issued, Request, ca_name, issue
from dockertls.pki.keys import (
    DEFAULT_KIND,
    KINDS,
    PrivateKey,
    PublicKey,
    generate,
    is_encrypted,
    key_kind,
    kind_of,
    load_certificates,
    load_private,
    matches,
    private_pem,
    public_key,
    serial_of,
)
from dockertls.pki.names import display
from dockertls.pki.profiles import BACKDATE, TABLE
from dockertls.pki.renewal import common_name, is_due, is_last, revoked_twin
from dockertls.pki.store import Generation, new_generation, next_number, plan_authority, plan_generation
from dockertls.plan import Plan, shown
from dockertls.report.certificates import moment, subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.cli.console import PassphraseSource
    from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
    from dockertls.cli.session import Session
    from dockertls.pki.revocation import Revocations

SHORTEST = timedelta(seconds=1)
OWN_STORE = "see it with `dockertls ca show`; another one needs a store of its own: --store DIR"


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
        self._issuers: dict[Generation, Issued] = {}
        self._store = session.store
        self._revocations: Revocations | None = None

    @property
    def _lifetime(self) -> timedelta | None:
        return timedelta(days=self._keys.days) if self._keys.days else None

    @cached_property
    def _source(self) -> PassphraseSource:
        return self._session.passphrase_source(self._passphrase)

    @cached_property
    def _known_passphrase(self) -> bytes:
        return self._source.read(self._session.console, new=False)

    def issuer(self, authority: Generation) -> Issued:
        """An authority, ready to sign; of the store's, in a run that only looks, a stand-in with a key of its own."""
        if self._new and self._is_new(authority):
            return self._new
        if authority not in self._issuers:
            stands_in = self._change.looks_only and authority.key_pem
            store = self._session.store
            issuer = self._stand_in(authority) if stands_in else store.issuer(lambda: self._known_passphrase, authority)
            self._issuers[authority] = issuer
        return self._issuers[authority]

    def _is_new(self, authority: Generation) -> bool:
        """Whether this run has made an authority."""
        return self._new is not None and self._new.certificate == authority.certificate

    def _stand_in(self, current: Generation) -> Issued:
        """An authority like the real one but for its key: what it signs is shown and thrown away."""
        key, real = generate(DEFAULT_KIND), current.certificate
        end = real.not_valid_after_utc
        began = min(real.not_valid_before_utc + BACKDATE, end - SHORTEST)
        profile = replace(TABLE["ca"], longest=end - began)  # one that was made elsewhere may live longer
        request = Request(profile, "dry run", lifetime=end - began)
        issued = issue(request, key, None, now=began, serial=random_serial_number())
        return replace(issued, chain=load_certificates(current.cert_pem))  # its limits are those of the real one

    def authority_asked_for(self, common_name: str | None, limits: x509.NameConstraints | None = None) -> Made:
        """The store's authority if it is what is asked for; a new one if there is none.

        Args:
            common_name: of its subject; None: any.
            limits: what it may issue for; None: whatever the one that is there may.

        Raises:
            NotReady: if the store has another one.
        """
        current = self._session.store.current("ca")
        if current is None:
            return self._authority(common_name, self._lifetime, limits)
        ended = _end(current) <= self._session.started
        named = common_name in {None, subject(current.certificate)}
        if named and limits in {None, limits_of(current.certificate)} and self._is_of_kind(current) and not ended:
            return Made(current, Plan(""))
        told = f"{subject(current.certificate)}, {key_kind(current.certificate)}"
        told += f", for {constraints.told(current.certificate) or 'any name'}" if limits else ""
        told += f", ended at {_end(current):%Y-%m-%d}" if ended else ""
        raise NotReady(
            f"{self._session.store_shown} has an authority already: {told}",
            PUT_IN_ITS_PLACE if ended else OWN_STORE,
        )

    def _authority(
        self,
        common_name: str | None = None,
        lifetime: timedelta | None = None,
        limits: x509.NameConstraints | None = None,
    ) -> Made:
        generation = self.next_authority(common_name, lifetime, limits)
        return Made(generation, plan_authority(self._session.store, generation))

    def next_authority(
        self,
        common_name: str | None = None,
        lifetime: timedelta | None = None,
        limits: x509.NameConstraints | None = None,
    ) -> Generation:
        """A new authority, with the next number; nothing is written yet, and it can sign in this run already.

        What limits the one in use limits its successor too.

        Raises:
            NotReady: if the one in use is not valid yet, by this machine's clock.
        """
        store, now = self._session.store, self._session.started
        name = common_name or ca_name(now, secrets.token_hex(4))
        if current := store.current("ca"):
            self._refuse_from_ahead(current)
            limits = limits or limits_of(current.certificate)
        key = self._generate()
        request = Request(TABLE["ca"], name, lifetime=lifetime or self._lifetime, limits=limits)
        self._new = issue(request, key, None, now=now, serial=random_serial_number())
        return new_generation(store, "ca", "", self._new, private_pem(key, self._new_passphrase))

    @cached_property
    def _new_passphrase(self) -> bytes | None:
        if self._passphrase.no_passphrase or self._change.looks_only:
            return None
        return self._source.read(self._session.console, new=True)

    def authority_in_use(self) -> Made:
        """The store's authority; a new one if there is none, the same however often it is asked for."""
        current = self._session.store.current("ca")
        try:
            return Made(current, Plan("")) if current else self._first_authority
        except NotReady:
            current = self._session.store.current("ca")
            if current is None:
                raise
            return Made(current, Plan(""))  # another run made it while this one made a key

    @cached_property
    def _first_authority(self) -> Made:
        return self._authority()

    @property
    def passphrase_file(self) -> str | None:
        """The file that the passphrase comes from; None: it comes from elsewhere, or is not needed."""
        return self._source.file

    def is_encrypted(self, authority: Generation) -> bool:
        """Whether an authority's key is, or will be when a run that only looks is done in earnest."""
        if self._change.looks_only and self._is_new(authority):
            return not self._passphrase.no_passphrase
        return authority.key_pem is not None and is_encrypted(authority.key_pem)

    def passphrase_of(self, authority: Generation) -> bytes | None:
        """The passphrase of an authority's key, tried; None: this run only looks, and asks for none.

        Raises:
            NotReady, Refused: it cannot be had, or it does not open the key.
        """
        if self._change.looks_only:
            return None
        if self._is_new(authority):
            return self._new_passphrase
        load_private(authority.key_pem or b"", self._known_passphrase, name=shown(authority.path / "key.pem"))
        return self._known_passphrase

    def leaf(self, wanted: LeafRequest, authority: Generation, number: int | None = None) -> Made:
        """A new certificate, with the number of its generation if that was asked for before."""
        if authority.key_pem is None:
            raise NotReady(
                f"the authority's key is not in {shown(authority.path)}",
                f"have a request signed where it is: {_csr(wanted)}; if it was here, restore key.pem from a backup",
            )
        issuer = self.issuer(authority)
        return self._signed(wanted, issuer, self._generate(), number, self._lifetime)

    def renewed(
        self, old: Generation, authority: Generation, *, life: timedelta | None = None, new_key: bool = False
    ) -> Made:
        """The next certificate of a name: the same subject, names and kind of key.

        Args:
            old: the last one; where its key never was here, the same public key is signed again.
            authority: who signs.
            life: how long it lives; None: what is asked for, or what its profile says.
            new_key: whether a key is made, or the same one is kept. One is made, too, where a certificate of the same
                key was revoked, and it is said: a key that may be in other hands is certified no more.

        Raises:
            NotReady: if the last one is revoked, or another one of its key is and the key is elsewhere.
        """
        if self.is_revoked(old):
            raise NotReady(
                f"the certificate of {old.role} {old.name} was revoked, and has no successor",
                f"issue a new one: dockertls {old.role} issue {old.name}",
            )
        new_key = self._is_compromised(old) or new_key
        wanted = LeafRequest(old.role, old.name, common_name(old), old.names)
        number = next_number(self._store, old.role, old.name)
        issuer = self.issuer(authority)
        return self._signed(wanted, issuer, self._key_after(old, new_key=new_key), number, self._lifetime or life)

    def _is_compromised(self, old: Generation) -> bool:
        """Whether a certificate of the same key was revoked, which is said. Raises NotReady if the key is elsewhere."""
        twin = revoked_twin(self._store, old, self._revoked)
        if twin is None:
            return False
        if old.key_pem is None:
            raise NotReady(*key_is_revoked(old, twin))
        path = shown(twin.path / "cert.pem")
        self._session.warn_once(f"{old.title} gets a new key: {path} is of the one that it had, and was revoked")
        return True

    def _key_after(self, old: Generation, *, new_key: bool) -> PrivateKey | PublicKey:
        public = public_key(old.certificate)
        if old.key_pem is None:
            return public
        kind = self._keys.key or kind_of(public)
        if new_key or kind != kind_of(public):
            return self._generate(kind if kind in KINDS else DEFAULT_KIND)
        return load_private(old.pair[1], validate=False)

    def _signed(
        self,
        wanted: LeafRequest,
        issuer: Issued,
        key: PrivateKey | PublicKey,
        number: int | None,
        life: timedelta | None,
    ) -> Made:
        if present := self._store.current(wanted.role, wanted.folder):
            self._refuse_from_ahead(present)
        request = Request(TABLE[wanted.role], wanted.common_name, tuple(wanted.names), life)
        issued = issue(request, key, issuer, now=self._session.started, serial=random_serial_number())
        pem = None if issued.key is None else private_pem(issued.key)
        generation = new_generation(self._store, wanted.role, wanted.folder, issued, pem, number=number)
        return Made(generation, plan_generation(self._store, generation))

    def _refuse_from_ahead(self, present: Generation) -> None:
        """Raises NotReady if a certificate was made when this machine's clock was ahead of what it says now."""
        start, now = present.certificate.not_valid_before_utc, self._session.started
        if now < start:
            told = f"{present.title} is not valid before {moment(start)}, and this machine's clock says {moment(now)}"
            raise NotReady(told, "set the clock; nothing was made")

    @contextmanager
    def many(self) -> Iterator[None]:
        """While many are made, the way into the store is kept open."""
        try:
            with self._session.store.near() as self._store:
                self._revocations = self._store.revocations()
                yield
        finally:
            self._store, self._revocations = self._session.store, None

    def leaf_in_use(self, authority: Generation, wanted: LeafRequest) -> Made:
        """The store's certificate if it is good for what is wanted, else a new one."""
        number = next_number(self._store, wanted.role, wanted.folder)
        current = self._session.store.current(wanted.role, wanted.folder)
        good = current and current.is_good(authority.certificate, wanted.names, self._session.started)
        if (
            current
            and good
            and not self.is_revoked(current)
            and self._is_of_kind(current)
            and self._lives_as_long(current, authority)
        ):
            return Made(current, Plan(""))
        return self.leaf(wanted, authority, number)

    def leaf_asked_for(self, authority: Generation, wanted: LeafRequest) -> Made:
        """The store's certificate if it is just what is wanted and not due, else a new one."""
        number = next_number(self._store, wanted.role, wanted.folder)
        current = self._store.current(wanted.role, wanted.folder)
        due = current is not None and is_due(current.certificate, self._session.started)
        last = current is not None and _end(current) == _end(authority)
        if current and set(current.names) == set(wanted.names) and (last or not due):
            return self.leaf_in_use(authority, wanted)
        return self.leaf(wanted, authority, number)

    def is_revoked(self, current: Generation) -> bool:
        """Whether a certificate was revoked."""
        return self._revoked.of(current.certificate) is not None

    @property
    def _revoked(self) -> Revocations:
        return self._revocations or self._session.store.revocations()

    def countersigned(self, wanted: LeafRequest, authority: Generation, key: PublicKey) -> Made:
        """A certificate for a key that is elsewhere; the store's if it is what is wanted and not due."""
        number = next_number(self._store, wanted.role, wanted.folder)
        current, now = self._store.current(wanted.role, wanted.folder), self._session.started
        if current and matches(current.certificate, key) and set(current.names) == set(wanted.names):
            last, due = is_last(current.certificate, authority.certificate), is_due(current.certificate, now)
            good = current.is_valid(authority.certificate, wanted.names, now) and (last or not due)
            if good and self._lives_as_long(current, authority):
                return Made(current, Plan(""))
        return self._signed(wanted, self.issuer(authority), key, number, self._lifetime)

    def _is_of_kind(self, current: Generation) -> bool:
        """Whether the key is of the kind that is asked for, if one is."""
        return self._keys.key in {None, key_kind(current.certificate)}

    def _lives_as_long(self, current: Generation, authority: Generation) -> bool:
        """Whether the certificate lives as long as is asked for, if that is, or as long as its authority."""
        life = _end(current) - current.certificate.not_valid_before_utc - BACKDATE
        return self._lifetime in {None, life} or (_end(current) == _end(authority) and self._lifetime > life)

    def _generate(self, kind: str | None = None) -> PrivateKey:
        kind = kind or self._keys.key or DEFAULT_KIND
        with self._session.console.working(f"making a key ({kind})"):
            return generate(kind)


def key_is_revoked(generation: Generation, twin: Generation) -> tuple[str, str]:
    """That nothing is signed again for a key, and what to do.

    Args:
        generation: whose key it is; it is elsewhere.
        twin: the certificate of the same key that was revoked.
    """
    role, name, serial = generation.role, generation.name, f"{serial_of(generation.certificate):x}"
    told = f"the key of {role} {name} is elsewhere, and {shown(twin.path / 'cert.pem')}, which is of it, was revoked"
    request = f"make a request with a new key there: dockertls {role} csr {name}"
    return told, f"{request}, or revoke this one too: dockertls client revoke {serial}"


def _csr(wanted: LeafRequest) -> str:
    """What makes the request that is to be signed elsewhere."""
    more = (display(name) for name in wanted.names)
    words = [word for name in more if name != wanted.common_name for word in ("--san", name)]
    return shlex.join(["dockertls", wanted.role, "csr", wanted.common_name, *words])


def _end(generation: Generation) -> datetime:
    return generation.certificate.not_valid_after_utc
