"""TABLE of checks of modes and owners: who could change what dockerd is, or read what only it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.guarded import TABLE as GUARDED
from dockertls.audit.guarded import righted, status_of, wrong
from dockertls.audit.model import Check, Fix, asked, cis
from dockertls.client.flaws import Flaw, verdict
from dockertls.escaping import visible
from dockertls.facts import NotGathered, NotSeen
from dockertls.findings import Evidence, NotApplicable, Severity, Unknown
from dockertls.plan import Directory, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.audit.guarded import Guarded
    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict
    from dockertls.plan import File


WRITES = "whoever writes it is root"
READS = "whoever reads it is this server, and may read and change what clients say to it"
REACHES = "whoever writes to it is root"
BELIEVES = "whoever writes a certificate says which registry is believed, and who reads a key is this host there"
PUTS = "others can put files of their own there"
LETS_IN = "whoever writes it says whose clients are let in"


def guarded(id_: str, cause: str, nothing: str) -> Judge:
    """Whether nobody else can write, or read, what the table of guarded files names.

    Args:
        id_: of the row.
        cause: what others could do.
        nothing: why there is nothing to judge, where none of it is there.
    """

    def judged(seen: Seen) -> Verdict:
        flaws: list[Flaw] = []
        good: list[Evidence] = []
        unseen: list[Unknown] = []
        for one in _there(seen, id_):
            if isinstance(one, Unknown):
                unseen.append(one)
            elif flaw := _flaw(*one, cause):
                flaws.append(flaw)
            else:
                good.append(_evidence(*one))
        if unseen and not flaws:
            return unseen[0]
        if seen.unread and not (flaws or good):
            return seen.unread
        return verdict(flaws, tuple(good)) if flaws or good else NotApplicable(nothing)

    return asked(judged)


def _there(seen: Seen, id_: str) -> Iterator[tuple[Guarded, Status | File | Directory] | Unknown]:
    """What is there of what a row names; of what was not seen, why not."""
    try:
        for one in GUARDED[id_](seen):
            found = _status(seen, one)
            if found is not None:
                yield found if isinstance(found, Unknown) else (one, found)
    except NotSeen as error:
        yield Unknown(visible(str(error)))


def _status(seen: Seen, one: Guarded) -> Status | File | Directory | Unknown | None:
    try:
        return status_of(seen, one.path)
    except NotGathered as error:
        return Unknown(visible(str(error)))


def _evidence(one: Guarded, status: Status | File | Directory, expected: str = "") -> Evidence:
    user, group = status.owner
    return Evidence("file", visible(str(one.path)), f"mode {status.mode:04o}, owner {user}:{group}", expected)


def _flaw(one: Guarded, status: Status | File | Directory, cause: str) -> Flaw | None:
    fault = wrong(one, status)
    if not fault:
        return None
    place, (mode, owner) = visible(str(one.path)), righted(one, status)
    right = f"mode {mode:04o}, owner {one.owner}:{one.group_wanted}"
    owned = "" if owner == status.owner else f"chown {one.owner}:{one.group_wanted} {place} && "
    remedy = f"{owned}chmod {mode:04o} {place}"
    told = PUTS if _is_folder(status) else cause
    return Flaw((_evidence(one, status, right),), f"{place} ({fault}): {told}", remedy, fatal=True)


def _is_folder(status: Status | File | Directory) -> bool:
    return isinstance(status, Directory) or (isinstance(status, Status) and status.kind == "directory")


def host(judge: Judge) -> Judge:
    """Of the dockerd that the host's files start: in a container, and elsewhere, other files are meant."""
    return lambda seen: seen.apart or judge(seen)


def _row(
    id_: str, title: str, severity: Severity, judge: Judge, *numbers: str, stig: str = "", fix: Fix = Fix.SAFE
) -> Check:
    references = cis(", ".join(numbers), stig=stig) if numbers else {}
    return Check(id_, title, severity, host(judge), references, fix)


TABLE: tuple[Check, ...] = (
    _row("TLS-09", "The server's key is its owner's alone", Severity.CRITICAL,
         guarded("TLS-09", READS, "dockerd is told no key"), "3.13, 3.14"),
    _row("TLS-10", "Nobody else can write authority and certificate", Severity.HIGH,
         guarded("TLS-10", LETS_IN, "dockerd is told no certificate"), "3.9-3.12"),
    _row("FS-01", "Docker's units are root's alone to write", Severity.HIGH,
         guarded("FS-01", WRITES, "no unit starts it"), "3.1-3.4", stig="V-235851, V-235852, V-235853, V-235854"),
    _row("FS-02", "Docker's folder is root's alone to write", Severity.HIGH,
         guarded("FS-02", WRITES, "there is none"), "3.5, 3.6"),
    _row("FS-03", "Certificates and keys for registries are guarded", Severity.HIGH,
         guarded("FS-03", BELIEVES, "there are none"), "3.7, 3.8"),
    _row("FS-05", "The local socket is for root and its group alone", Severity.CRITICAL,
         guarded("FS-05", REACHES, "there is no local socket"), "3.15, 3.16", fix=Fix.ADVICE),
    _row("FS-06", "daemon.json is root's alone to write", Severity.HIGH,
         guarded("FS-06", WRITES, "there is no daemon.json"), "3.17, 3.18"),
    _row("FS-07", "Environment files are root's alone to write", Severity.MEDIUM,
         guarded("FS-07", WRITES, "there are none"), "3.19-3.22"),
    _row("FS-08", "containerd's socket is root's alone", Severity.HIGH,
         guarded("FS-08", REACHES, "there is none"), "3.23, 3.24", fix=Fix.ADVICE),
    _row("FS-09", "Programs and data are root's alone to write", Severity.HIGH,
         guarded("FS-09", "whoever writes there runs programs as root", "nothing is there"), fix=Fix.ADVICE),
)  # fmt: skip
"""In the order of the catalogue; FS-04 is TLS-09 and TLS-10."""
