"""What an audit found, as every format of its report takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.findings import Failed, Severity, Warned
from dockertls.report.findings import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from dockertls.findings import Finding

FAILED, WARNED, UNKNOWN, PASSED, NOT_APPLICABLE = "failed", "warned", "unknown", "passed", "not-applicable"
WAIVED, KNOWN = "waived", "known"
TOLD = (FAILED, WARNED, UNKNOWN, WAIVED, KNOWN, NOT_APPLICABLE, PASSED)
"""What a result is told as, worst first: its verdict, or why that is let be."""
OPEN = (FAILED, WARNED, UNKNOWN)
"""Of these, those that somebody should look at."""


@dataclass(frozen=True)
class Waiver:
    """Why somebody lets a failure be, and until when: that day included."""

    reason: str
    until: date


@dataclass(frozen=True)
class Result:
    """What one check said of one dockerd.

    Attributes:
        finding: what it said; its severity may be a policy's.
        area: what the check is about, for people, such as "Files and sockets".
        daemon: which dockerd, such as "docker.service"; empty: the host as a whole.
        references: the same check elsewhere: "CIS 1.8" -> "2.8".
        waiver: of a policy, in force; None: none.
        known: a baseline has it already, and it was no better then.
        before: its verdict in the baseline, as the contract spells it; empty: it is not in there, or there is none.
    """

    finding: Finding
    area: str
    daemon: str = ""
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    waiver: Waiver | None = None
    known: bool = False
    before: str = ""

    @property
    def told(self) -> str:
        """One of TOLD."""
        said = word(self.finding.verdict)
        if said not in {FAILED, WARNED}:
            return said
        return WAIVED if self.waiver else KNOWN if self.known else said

    @property
    def rank(self) -> tuple[int, int]:
        """For sorting, the worst first."""
        return TOLD.index(self.told), -self.finding.severity.value

    @property
    def counts(self) -> bool:
        """Whether it is to be told as something that is wrong: failed or warned, not waived and not known before."""
        return isinstance(self.finding.verdict, Failed | Warned) and self.waiver is None and not self.known

    def fails(self, least: Severity) -> bool:
        """Whether it makes the audit fail that is to fail on a severity and all above it."""
        failed = isinstance(self.finding.verdict, Failed) and self.counts
        return failed and self.finding.severity.value >= least.value

    def doubts(self, least: Severity) -> bool:
        """The same of what could not be told, where that counts as a failure: nor could it before, or it was worse."""
        new = self.told == UNKNOWN and self.waiver is None and self.before not in OPEN
        return new and self.finding.severity.value >= least.value


@dataclass(frozen=True)
class Audit:
    """All that was found on one host.

    Attributes:
        host: its name; empty: it is not known.
        taken: when it was looked at, UTC.
        results: in the order of the catalogue.
        left_out: those that are not to be told, and count all the same.
        release: of the dockertls that judged.
        fail_on: the least severity of a failure that makes the audit fail.
        baseline: what it was compared with, such as a file's name; empty: nothing.
        strict: what could not be told makes it fail as a failure would.
    """

    host: str
    taken: datetime
    results: tuple[Result, ...]
    release: str
    fail_on: Severity = Severity.INFO
    baseline: str = ""
    strict: bool = False
    left_out: tuple[Result, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the audit as a whole says no."""
        return any(one.fails(self.fail_on) or (self.strict and one.doubts(self.fail_on)) for one in self.every)

    @property
    def every(self) -> tuple[Result, ...]:
        """All that count, told or not."""
        return (*self.results, *self.left_out)

    @property
    def daemons(self) -> tuple[str, ...]:
        """Every dockerd that results name, in their order."""
        return tuple(dict.fromkeys(one.daemon for one in self.results if one.daemon))


@dataclass(frozen=True)
class Section:
    """All of one area, the worst first."""

    area: str
    results: tuple[Result, ...]


def sections(audit: Audit) -> tuple[Section, ...]:
    """The results by area, the area with the worst first."""
    by_area: dict[str, list[Result]] = {}
    for one in audit.results:
        by_area.setdefault(one.area, []).append(one)
    found = (Section(area, tuple(sorted(results, key=lambda one: one.rank))) for area, results in by_area.items())
    return tuple(sorted(found, key=lambda section: section.results[0].rank))


def tally(results: Sequence[Result]) -> dict[str, int]:
    """How many results are told as what; what none is told as is left out."""
    words = [one.told for one in results]
    return {name: words.count(name) for name in TOLD if name in words}


def counted(results: Sequence[Result]) -> str:
    """The same for people, such as "1 failed, 10 passed"."""
    return ", ".join(f"{count} {name.replace('-', ' ')}" for name, count in tally(results).items())
