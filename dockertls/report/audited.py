"""What an audit found, as every format of its report takes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.findings import Failed, NotApplicable, Passed, Severity, Unknown, Verdict, Warned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from dockertls.findings import Finding


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
    """

    finding: Finding
    area: str
    daemon: str = ""
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    waiver: Waiver | None = None
    known: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is to be told as something that is wrong: failed or warned, not waived and not known before."""
        return isinstance(self.finding.verdict, Failed | Warned) and self.waiver is None and not self.known

    def fails(self, least: Severity) -> bool:
        """Whether it makes the audit fail that is to fail on a severity and all above it."""
        failed = isinstance(self.finding.verdict, Failed) and self.counts
        return failed and self.finding.severity.value >= least.value


@dataclass(frozen=True)
class Audit:
    """All that was found on one host.

    Attributes:
        host: its name; empty: it is not known.
        taken: when it was looked at, UTC.
        results: in the order of the catalogue.
        release: of the dockertls that judged.
    """

    host: str
    taken: datetime
    results: tuple[Result, ...]
    release: str

    @property
    def areas(self) -> Mapping[str, tuple[Result, ...]]:
        """The results of each area, the worst first."""
        found: dict[str, list[Result]] = {}
        for one in self.results:
            found.setdefault(one.area, []).append(one)
        return MappingProxyType({area: tuple(sorted(some, key=rank)) for area, some in found.items()})

    @property
    def score(self) -> int | None:
        """How much of what could be judged holds, of a hundred; None: nothing could be judged.

        Each check counts by its severity, 1 to 5. What warns counts half, what is waived as what it is: a score tells
        how a host is, not what was decided of it. What is unknown or not applicable does not count.
        """
        counted = [(WEIGHT[type(one.finding.verdict)], one.finding.severity.value) for one in self.results]
        whole = sum(weight for holds, weight in counted if holds is not None)
        return (
            100 * sum(holds * weight for holds, weight in counted if holds is not None) // (2 * whole)
            if whole
            else None
        )

    def number(self, kind: type[Verdict]) -> int:
        """How many results have a verdict of this kind."""
        return sum(isinstance(one.finding.verdict, kind) for one in self.results)

    def from_severity(self, least: Severity) -> Audit:
        """The same without what is less severe."""
        return replace(self, results=tuple(one for one in self.results if one.finding.severity.value >= least.value))


WEIGHT: Mapping[type[Verdict], int | None] = MappingProxyType(
    {Passed: 2, Warned: 1, Failed: 0, Unknown: None, NotApplicable: None}
)
"""Halves that a verdict counts in the score; None: it does not."""
ORDER: Mapping[type[Verdict], int] = MappingProxyType({Failed: 0, Warned: 1, Unknown: 2, Passed: 3, NotApplicable: 4})
"""The worst first."""


def rank(one: Result) -> tuple[bool, int, int]:
    """The worst first: what counts before what was let be, by verdict, by severity."""
    let_be = isinstance(one.finding.verdict, Failed | Warned) and not one.counts
    return let_be, ORDER[type(one.finding.verdict)], -one.finding.severity.value
