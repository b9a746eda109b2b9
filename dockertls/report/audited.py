"""What an audit found, as every format of its report takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.findings import Failed, Severity, Warned

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
