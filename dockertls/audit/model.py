"""A check: one row of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.findings import Finding, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.audit.seen import Seen
    from dockertls.findings import Severity, Verdict

    Judge = Callable[[Seen], Verdict]


class Area(Enum):
    """What a check is about, by the beginning of its id; the value is for people."""

    NET = "Who can reach the daemon"
    TLS = "Certificates and keys on this host"
    CLI = "Clients of this host"
    CFG = "What dockerd is told"
    DMN = "How dockerd runs containers"
    FS = "Files and sockets"
    HST = "The host"
    AUD = "The kernel's audit"


class Fix(Enum):
    """What `harden` does about a failure."""

    SAFE = "safe"
    OPT_IN = "opt-in"
    ADVICE = "advice"


@dataclass(frozen=True)
class Check:
    """One row of the catalogue.

    Attributes:
        id: stable, such as "NET-01"; what stands before the dash is its area.
        title: what should hold.
        severity: how bad it is if it does not.
        judge: says whether it holds; pure.
        references: the same check elsewhere: "CIS 1.6/1.7", "CIS 1.8", "STIG" -> its number there.
        fix: what `harden` may do.
        of_host: it is asked once a host, and not of every dockerd.
    """

    id: str
    title: str
    severity: Severity
    judge: Judge
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fix: Fix = Fix.ADVICE
    of_host: bool = False

    @property
    def area(self) -> Area:
        """What it is about."""
        return Area[self.id.partition("-")[0]]

    def verdict(self, seen: Seen) -> Verdict:
        """What it says, judged once."""
        if self.id not in seen.verdicts:
            seen.verdicts[self.id] = self._judged(seen)
        return seen.verdicts[self.id]

    def _judged(self, seen: Seen) -> Verdict:
        try:
            return self.judge(seen)
        except NotSeen as error:
            return Unknown(visible(str(error)))

    def ask(self, seen: Seen) -> Finding:
        """What it says of a host."""
        return Finding(self.id, self.title, self.severity, self.verdict(seen))


def cis(old: str, new: str = "", stig: str = "") -> Mapping[str, str]:
    """Numbers of the same check in CIS Docker Benchmark 1.6 and 1.7, in 1.8, and in DISA's STIG."""
    found = {"CIS 1.6/1.7": old, "CIS 1.8": new or old, "STIG": stig}
    return {name: number for name, number in found.items() if number}


def configure(key: str, value: str) -> str:
    """How an option is set."""
    return f"set {key} to {value}"


def asked(judge: Judge) -> Judge:
    """Only where there is a dockerd, or one that is set up."""
    return lambda seen: seen.absent or judge(seen)
