"""What check, verify and audit answer with: findings, whose verdicts never take "could not tell" for "fine"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Severity(Enum):
    """How bad it is if the finding fails."""

    CRITICAL = 5
    HIGH = 4
    MEDIUM = 3
    LOW = 2
    INFO = 1


SEVERITIES = MappingProxyType({one.name.lower(): one for one in Severity})
"""As people and documents spell them, the worst first."""


@dataclass(frozen=True)
class Evidence:
    """What was seen, where, and what should have been there."""

    source: str
    place: str
    seen: str
    expected: str = ""


@dataclass(frozen=True)
class Passed:
    """It holds."""

    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Failed:
    """It does not hold: why, and what to type."""

    evidence: tuple[Evidence, ...]
    cause: str
    remedy: str


@dataclass(frozen=True)
class Warned:
    """It holds today, and needs attention: why, and what to type."""

    evidence: tuple[Evidence, ...]
    cause: str
    remedy: str


@dataclass(frozen=True)
class Unknown:
    """It could not be told, and why.

    Attributes:
        reason: why.
        follows: the id of the finding without which this one cannot be told; empty: it stands by itself.
    """

    reason: str
    follows: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """The question makes no sense here, and why."""

    reason: str


Verdict = Passed | Failed | Warned | Unknown | NotApplicable


@dataclass(frozen=True)
class Finding:
    """One question and its answer.

    Attributes:
        id: stable name, such as "stranger-refused".
        title: the question as a statement that should hold.
        severity: how bad it is if it does not.
        verdict: the answer.
    """

    id: str
    title: str
    severity: Severity
    verdict: Verdict
