"""The certificates of a store and their copies: for people in tables, for programs as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from dockertls.escaping import visible
from dockertls.pki.rotation import LAST
from dockertls.report.certificates import as_json, some_names, subject
from dockertls.report.standing import GOOD, RANK, STATES, Level
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.rotation import Rotation
    from dockertls.report.standing import Copy, Standing, State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line(Generic[T]):
    """What is kept of a certificate.

    Attributes:
        kept: as a format wants it.
        state: the worst that is to be said of it and its copies.
        ends: when it ends; None: it cannot be read.
        copies: where it is.
    """

    kept: T
    state: State
    ends: datetime | None
    copies: tuple[Copy, ...]


@dataclass(frozen=True)
class Survey(Generic[T]):
    """All that there is.

    Attributes:
        taken: when, UTC.
        authorities: those that are in use.
        certificates: of servers, then of clients.
        strays: places of this host where something is wrong, and it is not known of which certificate.
        rotation: the one that runs.
    """

    taken: datetime
    authorities: tuple[Line[T], ...]
    certificates: tuple[Line[T], ...]
    strays: tuple[Copy, ...] = ()
    rotation: Rotation | None = None

    @property
    def lines(self) -> tuple[Line[T], ...]:
        """Every certificate."""
        return (*self.authorities, *self.certificates)

    @property
    def states(self) -> Counter[State]:
        """How many certificates are in which state, each the worst of its own and its copies'; and the strays."""
        return Counter([*(line.state for line in self.lines), *(copy.state for copy in self.strays)])

    @property
    def unknown(self) -> tuple[Copy, ...]:
        """Copies that could not be looked at."""
        every = (*(copy for line in self.lines for copy in line.copies), *self.strays)
        return tuple(copy for copy in every if copy.state.level is Level.UNKNOWN)

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return not any(state.is_bad for state in self.states)

    @property
    def days_left(self) -> int | None:
        """Whole days until the first of them ends; None: there is none that can be read."""
        ends = min((line.ends for line in self.lines if line.ends), default=None)
        return None if ends is None else (ends - self.taken).days


# for people

COLOURS = {Level.OK: "", Level.WARNING: "yellow", Level.CRITICAL: "red", Level.UNKNOWN: "yellow"}
HEADS = ("ROLE", "NAME", "STATE", "DAYS", "EXPIRES", "ISSUED", "KEY", "NAMES", "ISSUER")
AUTHORITIES = ("AUTHORITY", "STATE", "DAYS", "EXPIRES", "ISSUED", "KEY", "ISSUER")
COPIES = ("COPY OF", "PLACE", "STATE", "")
SPARE = ("ISSUED", "ISSUER", "KEY", "NAMES")
"""What a narrow terminal leaves out, in this order."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate and its copies as rows."""

    row: Row
    copies: tuple[Row, ...]


def shown(one: Standing, now: datetime) -> Shown:
    """A certificate and its copies, for people."""
    entry, certificate = one.entry, one.entry.certificate
    names = some_names(certificate) if certificate else ""
    dates = _dates(certificate, now) if certificate else ("", "", "")
    issuer = visible(certificate.issuer.rfc4514_string()).removeprefix("CN=") if certificate else ""
    cells = (entry.role, visible(entry.name), one.state.word, *dates, entry.kind, names, issuer)
    if entry.role == "ca":
        name = f"{entry.name} {subject(certificate)}" if certificate else entry.name
        cells = (name, one.state.word, *dates, entry.kind, issuer)
    title, colour = f"{entry.role} {entry.name}", COLOURS[one.state.level]
    copies = [copy_row(copy, title) for copy in one.copies]
    if entry.fault:
        told = f"{entry.fault.message}; {entry.fault.hint}"
        copies.insert(0, Row((title, "the store", one.own.word, told), COLOURS[one.own.level]))
    return Shown(Row(cells, colour), tuple(copies))


def _dates(certificate: x509.Certificate, now: datetime) -> tuple[str, ...]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    days = str((ends - now).days)
    return (days, ends.date().isoformat(), begins.date().isoformat())


def copy_row(copy: Copy, title: str = "") -> Row:
    """A copy, for people."""
    return Row((title or "-", copy.place, copy.state.word, copy.why), COLOURS[copy.state.level])


def tables(found: Survey[Shown]) -> Iterator[Table]:
    """The authorities, the certificates, and their copies; none of what there is not."""
    above, below = ([line.kept.row for line in lines] for lines in (found.authorities, found.certificates))
    copies = [row for line in found.lines for row in line.kept.copies]
    copies += [copy_row(copy) for copy in found.strays]
    for heads, rows in ((AUTHORITIES, above), (HEADS, below), (COPIES, copies)):
        if rows:
            yield Table(heads, tuple(rows), tuple(heads.index(head) for head in SPARE if head in heads))


def summary(found: Survey[T]) -> str:
    """How many certificates there are, and how many of them are in which state."""
    states = found.states
    told = [f"{states[state]} {state.word}" for state in STATES if states[state] and state is not GOOD]
    every = f"{len(found.lines)} certificate{'s' if len(found.lines) != 1 else ''}"
    return f"{every}: {', '.join(told) or 'all good'}"


def remedies(states: Iterable[State]) -> tuple[str, ...]:
    """What to do, a line a state, the worst first."""
    told = (state for state in sorted(set(states), key=RANK.__getitem__) if state.remedy)
    return tuple(f"{state.word}: {state.remedy}" for state in told)


def rotation_line(rotation: Rotation) -> str:
    """A rotation that runs, in one line."""
    return f"rotation: phase {rotation.phase} of {LAST.number}, {rotation.row.title}; see dockertls ca rotate status"


# for programs


def row_json(one: Standing, path: str, now: datetime) -> dict[str, object]:
    """One certificate and its copies.

    Args:
        one: the certificate.
        path: the folder of its generation, or of its name where that cannot be told.
        now: the time to count days from.
    """
    entry = one.entry
    fault = {"message": entry.fault.message, "hint": entry.fault.hint} if entry.fault else None
    return {
        "role": entry.role,
        "name": "" if entry.role == "ca" else entry.name,
        "generation": entry.number or None,
        "path": path,
        **(as_json(entry.certificate, now, kind=entry.kind) if entry.certificate else {}),
        "key_here": entry.has_key,
        "state": one.state.word,
        "fault": fault,
        "copies": [copy_json(copy) for copy in one.copies],
    }


def copy_json(copy: Copy) -> dict[str, str]:
    """One copy."""
    return {"kind": copy.kind, "place": copy.place, "state": copy.state.word, "why": copy.why}


def document(found: Survey[dict[str, object]]) -> dict[str, object]:
    """All of it."""
    rotation = found.rotation
    return {
        "authorities": [line.kept for line in found.authorities],
        "certificates": [line.kept for line in found.certificates],
        "other_copies": [copy_json(copy) for copy in found.strays],
        "rotation": {"phase": rotation.phase, "title": rotation.row.title} if rotation else None,
        "states": {state.word: count for state, count in found.states.items()},
    }
