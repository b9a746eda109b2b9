"""How good it is, in one number that hides nothing: how it is made, and of how many checks, is told along with it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.findings import Failed, Passed, Severity, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.report.audited import Audit

WEIGHTS: Mapping[Severity, int] = MappingProxyType({severity: 2 ** (severity.value - 1) for severity in Severity})
"""What a check weighs: by severity, twice as much as one of the severity below."""


@dataclass(frozen=True)
class Score:
    """The weight of the checks that passed, of those that could be judged.

    What did not pass lowers it though it is waived or was known before: the host is no safer for that. What could not
    be told, or makes no sense on a host, is in neither.

    Attributes:
        passed: the weight of those that passed.
        of: of all that could be judged.
        judged: how many these are.
        unknown: how many could not be judged.
    """

    passed: int
    of: int
    judged: int
    unknown: int

    @property
    def points(self) -> int | None:
        """Of 100, rounded down: 100 is all of it. None: nothing could be judged."""
        return self.passed * 100 // self.of if self.of else None

    @property
    def line(self) -> str:
        """What it is, for people."""
        left = f"; {self.unknown} could not be, and {'counts' if self.unknown == 1 else 'count'} as neither"
        if not self.of:
            return "none of the checks could be judged" + (f" ({self.unknown} unknown)" if self.unknown else "")
        checks = f"{self.judged} check{'' if self.judged == 1 else 's'} that could be judged"
        how = f"the share that passed of {checks}, each severity weighing twice the one below"
        return how + (left if self.unknown else "")


def score(audit: Audit) -> Score:
    """The score of an audit."""
    findings = [one.finding for one in audit.every]
    judged = [one for one in findings if isinstance(one.verdict, Passed | Failed | Warned)]
    return Score(
        passed=sum(WEIGHTS[one.severity] for one in judged if isinstance(one.verdict, Passed)),
        of=sum(WEIGHTS[one.severity] for one in judged),
        judged=len(judged),
        unknown=sum(isinstance(one.verdict, Unknown) for one in findings),
    )
