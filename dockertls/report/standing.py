"""How a certificate and its copies stand: the states as a table, and the rules that tell which one holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.pki import renewal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dockertls.pki.elsewhere import Elsewhere
    from dockertls.pki.inventory import Entry


class Level(Enum):
    """How bad a state is; the value is the exit code of a Nagios plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class State:
    """What may be said of a certificate, or of a copy of one.

    Attributes:
        word: for people and programs.
        level: how bad it is.
        remedy: what to do about it; empty: nothing, or its reason says so.
    """

    word: str
    level: Level
    remedy: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something has to be done."""
        return self.level in {Level.WARNING, Level.CRITICAL}


BROKEN = State("broken", Level.CRITICAL, "restore it from a backup, or issue and install it anew")
REVOKED = State("revoked", Level.CRITICAL, "remove it there, or install another one")
EXPIRED = State("expired", Level.CRITICAL, "dockertls renew; an authority: dockertls ca rotate")
MISSING = State("missing", Level.CRITICAL, "install it there again, or `dockertls undo` what put it there")
STALE = State("stale", Level.CRITICAL, "on this host: dockertls renew; elsewhere: carry the new files over")
EARLY = State("not-yet-valid", Level.WARNING, "is this host's clock right?")
PENDING = State("restart-pending", Level.WARNING, "dockertls renew --restart always, or restart dockerd yourself")
DUE = State("due", Level.WARNING, "dockertls renew; an authority: dockertls ca rotate")
UNKNOWN = State("unknown", Level.UNKNOWN)
WITHDRAWN = State("revoked", Level.OK)
UNCONFIRMED = State("unconfirmed", Level.OK, "when its holder uses it: dockertls client confirm NAME")
CURRENT = State("current", Level.OK)
GOOD = State("good", Level.OK)

STATES = (BROKEN, REVOKED, EXPIRED, MISSING, STALE, EARLY, PENDING, DUE, UNKNOWN, WITHDRAWN, UNCONFIRMED, CURRENT, GOOD)
"""Every state, the worst first."""
RANK: Mapping[State, int] = MappingProxyType({state: rank for rank, state in enumerate(STATES)})
OF_COPIES = (BROKEN, REVOKED, MISSING, STALE, PENDING, UNKNOWN, UNCONFIRMED, CURRENT)
"""Those that a copy may be in."""

ABOVE_IN = timedelta(days=90)
"""When a certificate above an authority is due: it is somebody else's to renew, and lives long."""


@dataclass(frozen=True)
class Copy:
    """A place where a certificate of the store is, or should be.

    Attributes:
        kind: "disk", "context", "served" or "elsewhere".
        place: such as "/etc/docker" or "tcp://127.0.0.1:2376".
        state: one of OF_COPIES, or WITHDRAWN on another machine.
        why: how that is known; empty where it is as it shall be.
    """

    kind: str
    place: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate of the store and its copies.

    Attributes:
        entry: as the store has it.
        own: its own state.
        state: the worst of its own and its copies'.
        copies: where it is.
    """

    entry: Entry
    own: State
    state: State
    copies: tuple[Copy, ...] = ()


# a certificate by itself


def _end(entry: Entry, now: datetime) -> State:
    """By its dates alone."""
    certificate = entry.certificate
    if certificate is None:
        return GOOD
    if certificate.not_valid_after_utc <= now:
        return EXPIRED
    if certificate.not_valid_before_utc > now:
        return EARLY
    within = ABOVE_IN if entry.role == "ca" and "/" in entry.name else None
    return DUE if renewal.is_due(certificate, now, within) else GOOD


def standing(entry: Entry, copies: tuple[Copy, ...], now: datetime, *, revoked: bool = False) -> Standing:
    """Judge a certificate, and take the worst of it and its copies.

    Args:
        entry: as the store has it.
        copies: where it is.
        now: the time to judge at.
        revoked: whether it was: then its end does not matter, and a copy on this host does.
    """
    own = BROKEN if entry.fault else WITHDRAWN if revoked else _end(entry, now)
    bad = (own, *(copy.state for copy in copies if copy.state.is_bad))
    state = own if len(bad) == 1 else min(bad, key=RANK.__getitem__)
    return Standing(entry, own, state, copies)


# its copies


@dataclass(frozen=True)
class Found:
    """What lies in one place, before it is judged.

    Attributes:
        role: as of the certificate that lies there.
        name: its folder in the store.
        kind: as of a copy.
        place: as of a copy.
        number: which generation lies there; empty: one that the store no longer has.
        has_key: whether its key lies beside it.
        trusts: fingerprints of the authorities in the ca.pem beside it; None: it cannot be read, or is not there.
        fault: why it cannot be judged.
        revoked: when it was revoked, and why; empty: it was not.
    """

    role: str
    name: str
    kind: str
    place: str
    number: str
    has_key: bool = True
    trusts: frozenset[str] | None = frozenset()
    fault: str = ""
    revoked: str = ""


@dataclass(frozen=True)
class Wanted:
    """What a copy shall be.

    Attributes:
        number: the generation in use; empty: that cannot be told.
        trusts: fingerprints of the authorities that its role shall trust; None: that cannot be told.
        ours: fingerprints of every authority that the store ever had.
        records: whether it is known what was revoked.
    """

    number: str
    trusts: frozenset[str] | None = frozenset()
    ours: frozenset[str] = frozenset()
    records: bool = True


@dataclass(frozen=True)
class Rule:
    """A state, and why it holds; an empty text: it does not."""

    state: State
    why: Callable[[Found, Wanted], str]


def _older(found: Found, wanted: Wanted) -> str:
    return "" if found.number == wanted.number else f"{found.number} lies there, {wanted.number} is in use"


RULES = (
    Rule(UNKNOWN, lambda found, _: found.fault),
    Rule(REVOKED, lambda found, _: found.revoked),
    Rule(BROKEN, lambda found, _: "" if found.has_key else "its key does not lie beside it"),
    Rule(STALE, lambda found, _: "" if found.number else "the store no longer has it"),
    Rule(UNKNOWN, lambda _, wanted: "" if wanted.number else "which generation is in use cannot be told"),
    Rule(STALE, _older),
    Rule(UNKNOWN, lambda _, wanted: "whom it shall trust cannot be told" if wanted.trusts is None else ""),
    Rule(UNKNOWN, lambda _, wanted: "" if wanted.records else "whether it was revoked cannot be told"),
    Rule(BROKEN, lambda found, _: "its ca.pem is missing or cannot be read" if found.trusts is None else ""),
    Rule(STALE, lambda found, wanted: "its ca.pem lacks an authority in use" if _lacks(found, wanted) else ""),
    Rule(STALE, lambda found, wanted: "its ca.pem holds an authority that was left" if _keeps(found, wanted) else ""),
)
"""The first that holds; if none does, the copy is current."""


def _lacks(found: Found, wanted: Wanted) -> bool:
    return not (wanted.trusts or frozenset()) <= (found.trusts or frozenset())


def _keeps(found: Found, wanted: Wanted) -> bool:
    """Whether it trusts an authority of ours that is not to be trusted; whom it trusts besides is its own affair."""
    return bool((found.trusts or frozenset()) & (wanted.ours - (wanted.trusts or frozenset())))


def judged(found: Found, wanted: Wanted) -> Copy:
    """How a copy on this host stands."""
    for rule in RULES:
        if why := rule.why(found, wanted):
            return Copy(found.kind, found.place, rule.state, why)
    return Copy(found.kind, found.place, CURRENT)


@dataclass(frozen=True)
class Served:
    """What a daemon shows.

    Attributes:
        place: where it listens.
        name: the folder of the certificate that is asked about.
        number: which generation of it is shown; empty: none of them.
        fault: why nothing was seen.
        waits: files of its own that changed after it started.
        revoked: when the certificate that is shown was revoked, and why; empty: it was not.
    """

    place: str
    name: str
    number: str = ""
    fault: str = ""
    waits: tuple[str, ...] = ()
    revoked: str = ""


def served(seen: Served, disk: Copy | None, wanted: Wanted) -> Copy:
    """How what a daemon shows stands.

    Args:
        seen: what it shows.
        disk: the copy that it reads when it starts; None: it has another one.
        wanted: what it shall show.
    """
    if seen.fault or not wanted.number:
        return Copy("served", seen.place, UNKNOWN, seen.fault or "which generation is in use cannot be told")
    if seen.revoked:
        return Copy("served", seen.place, REVOKED, seen.revoked)
    shows = f"it shows {seen.number or 'another certificate'}"
    if seen.number == wanted.number:
        why = f"changed since it started: {', '.join(seen.waits)}" if seen.waits else ""
        return Copy("served", seen.place, PENDING if why else CURRENT, why)
    ready = disk is not None and disk.state is CURRENT
    return Copy("served", seen.place, PENDING if ready else STALE, f"{shows}, {wanted.number} is in use")


ELSEWHERE = "another machine"


def away(known: Elsewhere | None, wanted: Wanted, *, revoked: str = "") -> Copy:
    """How a copy on another machine stands, by what its holder was handed and said to use.

    Args:
        known: what was written down; None: nothing, though the key is not in the store.
        wanted: what it shall be.
        revoked: when the certificate in use was revoked, and why; empty: it was not.
    """
    number = wanted.number
    if revoked:
        return Copy("elsewhere", ELSEWHERE, WITHDRAWN, f"{revoked}; dockerd reads no list: see dockertls ca rotate")
    if known is None:
        return Copy("elsewhere", ELSEWHERE, UNCONFIRMED, "its key is there, and nothing is known of the certificate")
    if known.confirmed == number and (wanted.trusts or frozenset()) <= set(known.trusts):
        return Copy("elsewhere", ELSEWHERE, CURRENT, "by what its holder was said to use")
    if known.handed == number:
        return Copy("elsewhere", ELSEWHERE, UNCONFIRMED, f"{number} was handed out at {visible(known.at)}")
    if known.confirmed == number:
        return Copy("elsewhere", ELSEWHERE, STALE, "it was not said to trust every authority that it shall trust")
    had = known.confirmed or known.handed
    return Copy("elsewhere", ELSEWHERE, STALE, f"{visible(had) or 'none'} was handed out, {number} is in use")
