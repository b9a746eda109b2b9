"""When a certificate is to be renewed, and what its successor is like."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.x509.oid import NameOID

from dockertls.pki.keys import matches, public_key
from dockertls.pki.names import display, from_folder
from dockertls.pki.profiles import BACKDATE

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.profiles import Profile
    from dockertls.pki.revocation import Revocations
    from dockertls.pki.store import Generation, StoreState

DUE = 1 / 3
"""A certificate is due for renewal when less than this part of its life is left."""
A_DAY = timedelta(days=1)


def is_due(certificate: x509.Certificate, now: datetime, within: timedelta | None = None) -> bool:
    """Whether it is time to renew it.

    Args:
        certificate: any.
        now: with a time zone.
        within: how long before its end; None: when a third of its life is left.
    """
    left = certificate.not_valid_after_utc - now
    if within is not None:
        return left < within
    return left < (certificate.not_valid_after_utc - certificate.not_valid_before_utc) * DUE


def is_last(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether no successor could live longer: it ends with its authority."""
    return certificate.not_valid_after_utc >= authority.not_valid_after_utc


def life_of(certificate: x509.Certificate, profile: Profile) -> timedelta:
    """How long a successor lives: as long as this one did, within what its profile allows.

    One whose life its authority cut short says nothing of what was wanted: see `is_last`.
    """
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc - BACKDATE
    return min(max(life, A_DAY), profile.longest)


def common_name(generation: Generation) -> str:
    """The common name of a certificate; what its folder says where it has none."""
    found = generation.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if found:
        return str(found[0].value)
    return display(from_folder(generation.name)) if generation.role == "server" else generation.name


def revoked_twin(store: StoreState, generation: Generation, revocations: Revocations) -> Generation | None:
    """A certificate of the same name and key that was revoked: the key may be in other hands, and gets no new one.

    Args:
        store: where the generations of the name lie.
        generation: whose key is judged.
        revocations: of the store.
    """
    if not revocations.of_authority:
        return None
    key, every = public_key(generation.certificate), store.readable(generation.role, generation.name)
    return next((one for one in every if matches(one.certificate, key) and revocations.of(one.certificate)), None)
