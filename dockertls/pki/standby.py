"""Which generation is used where the one that is said to be in use is missing, broken or has ended.

Never merely the one with the highest number: what was only begun, or comes of an authority that is left, has one too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.errors import NotReady, Refused
from dockertls.pki.keys import load_certificates
from dockertls.plan import Link, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.store import Generation, StoreState


def has_ended(generation: Generation, now: datetime | None) -> bool:
    """Whether a certificate is over; what is not valid yet is not, for then the clock is wrong."""
    return now is not None and generation.certificate.not_valid_after_utc <= now


def instead(store: StoreState, role: str, name: str, link: Link | None, named: Generation | None) -> Generation | None:
    """The generation that is used, and it is said; None: there is none, and there never was.

    Args:
        store: where.
        role: "ca", "server" or "client".
        name: its folder's name.
        link: the one called `current`; None: it is missing.
        named: the generation that it leads to, which has ended; None: there is none, or it is broken.

    Raises:
        NotReady, Refused: if there are generations, and none that can be used: what is wrong with it.
    """
    numbers = store.numbers(role, name)
    if link is None and not numbers:
        return None
    found = _best(store, role, name, better=named is not None)
    if found is None and named:
        return named
    why = f"{shown(store.place(role, name) / 'current')} {_why(link, named)}"
    if found is None:
        _ = store.generation(role, name, link.target if link else numbers[-1]).certificate  # tells what is wrong
        raise NotReady(f"{why}, and there is none to take its place", "restore it from a backup, or issue a new one")
    store.say(f"{why}: {found.path.name} is used, which is good")
    return found


def _why(link: Link | None, named: Generation | None) -> str:
    if link is None:
        return "is missing"
    if named is None:
        return f"leads to {link.target}, which is broken or not there"
    return f"leads to {link.target}, which ended at {named.certificate.not_valid_after_utc:%Y-%m-%d}"


def _best(store: StoreState, role: str, name: str, *, better: bool) -> Generation | None:
    """The newest of those that are valid and of the authority that signs for the role now.

    Args:
        store: where.
        role: of the generations.
        name: of the generations.
        better: whether none is taken rather than one that has ended, or is another authority's.
    """
    silent = replace(store, say=lambda _: None)  # what is used instead of what is said once
    candidates = _authorities(silent) if role == "ca" else _leaves(silent, role, name)
    authority = None if role == "ca" else store.authority(role)
    ranked = [(_rank(one, authority.certificate if authority else None, store.now), one) for one in candidates]
    best = max(ranked, key=lambda pair: pair[0], default=None)
    return None if best is None or (better and best[0] < _GOOD) else best[1]


_Rank = tuple[bool, bool, int]
_GOOD: _Rank = (True, True, 0)


def _rank(generation: Generation, authority: x509.Certificate | None, now: datetime | None) -> _Rank:
    certificate = generation.certificate
    right = authority is None or generation.is_of(authority)
    valid = now is None or certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    return right, valid, generation.number


def _leaves(store: StoreState, role: str, name: str) -> Iterator[Generation]:
    """Those that may be in use: not what was revoked."""
    revocations = store.revocations()
    found = (one for one in store.readable(role, name) if _is_pair(one))
    return (one for one in found if not revocations.of(one.certificate))


def _is_pair(generation: Generation) -> bool:
    """Whether its key, if it is here, belongs to its certificate."""
    try:
        return generation.key_pem is None or bool(generation.pair)
    except Refused:
        return False


def _authorities(store: StoreState) -> Iterator[Generation]:
    """Those that may be in use: who is trusted; while a rotation runs, the one that is left."""
    rotation = store.rotation()
    trusted = store.trusted()
    for generation in store.readable("ca"):
        anchor = load_certificates(generation.anchor_pem)[0]
        if rotation.old == generation.path.name if rotation else anchor in trusted:
            yield generation


def every_authority(store: StoreState) -> tuple[Generation, ...]:
    """Every authority of a store, the oldest first; a folder without a certificate is left out, and it is said.

    Raises:
        NotReady: if it is the certificate of the authority in use that is missing, or of one in a rotation.
    """
    rotation, link, place = store.rotation(), store.host.node(store.place("ca") / "current"), store.place("ca")
    needed = {rotation.old, rotation.new} if rotation else set()
    needed |= {link.target} if isinstance(link, Link) else set()
    found: list[Generation] = []
    for number in store.numbers("ca"):
        if number in needed or store.host.node(place / number / "cert.pem", content=False):
            found.append(store.generation("ca", "", number))
        else:
            store.say_left_out("ca", "", number)
    return tuple(found)
