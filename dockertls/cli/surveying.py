"""Judge every certificate of the store and every copy of it, here and elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dockertls.cli.here import Aims, look
from dockertls.errors import DockerTLSError, Fault
from dockertls.pki.inventory import authorities, leaves
from dockertls.pki.keys import fingerprint
from dockertls.pki.revocation import RECORD
from dockertls.pki.rotation import NAME as ROTATION
from dockertls.pki.store import FOLDERS, TRUST
from dockertls.report.standing import Wanted, away, judged, served, standing
from dockertls.report.status import Line, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockertls.cli.session import Session
    from dockertls.pki.inventory import Entry
    from dockertls.pki.store import StoreState
    from dockertls.report.standing import Copy, Found, Served, Standing

T = TypeVar("T")
R = TypeVar("R")


def survey(session: Session, shape: Callable[[Standing], T]) -> Survey[T]:
    """Judge every certificate and every copy of it.

    Args:
        session: this run.
        shape: what is kept of each; there may be many, and a certificate is large.

    Raises:
        Denied: if the store may not be looked at.
    """
    with session.store.near() as store:
        aims = _aims(store)
        here = look(session, store, aims)
        left = dict(here.found)

        def line(entry: Entry) -> Line[T]:
            copies = tuple(_copies(entry, left.pop((entry.role, entry.name), ()), here.served, aims))
            one = standing(entry, copies, session.started, revoked=bool(aims.revoked(entry.certificate)))
            ends = entry.certificate.not_valid_after_utc if entry.certificate else None
            return Line(shape(one), one.state, ends, copies)

        above = tuple(map(line, aims.shown))
        below = tuple(map(line, leaves(store)))
    gone = (judged(one, Wanted("", ours=aims.ours)) for found in left.values() for one in found)
    return Survey(session.started, above, below, (*here.strays, *gone), aims.rotation)


def _aims(store: StoreState) -> Aims:
    """Read what copies are measured by, as far as it can be read."""
    known = authorities(store)
    told = {one.fault.message for chain in known.entries.values() for one in chain if one.fault}
    faults = {known.fault.message: ("current", known.fault)} if known.fault else {}

    def tried(name: str, read: Callable[[], R]) -> R | None:
        try:
            return read()
        except DockerTLSError as error:
            if error.message not in told:
                faults.setdefault(error.message, (name, Fault(error.message, error.hint)))
            return None

    rotation = tried(ROTATION, store.rotation)
    trusted = {role: tried(TRUST, partial(store.trusted, role)) for role in FOLDERS}
    trusts = {role: None if them is None else frozenset(map(fingerprint, them)) for role, them in trusted.items()}
    revocations = tried(RECORD, store.revocations)
    return Aims(known, rotation, trusts, dict(faults.values()), revocations)


def _copies(entry: Entry, found: Sequence[Found], shown: Served | None, aims: Aims) -> Iterator[Copy]:
    """The copies of one certificate."""
    if shown and (entry.role, entry.name) != ("server", shown.name):
        shown = None
    if entry.role == "ca" or not (found or shown or entry.elsewhere or not entry.has_key):
        return
    wanted = Wanted(entry.number, aims.trusts[entry.role], aims.ours, records=aims.revocations is not None)
    copies = [judged(one, wanted) for one in found]
    yield from copies
    if shown:
        yield served(shown, next(iter(copies), None), wanted)
    if entry.number and (entry.elsewhere or not entry.has_key):
        yield away(entry.elsewhere, wanted, revoked=aims.revoked(entry.certificate))
