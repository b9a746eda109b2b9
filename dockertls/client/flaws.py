"""What is wrong on the client's side, and the verdict that it makes: the worst is told, and all of it is evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.findings import Failed, Passed, Warned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.findings import Evidence


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong.

    Attributes:
        seen: what shows it.
        cause: one line for people.
        remedy: what to do.
        fatal: whether it is a failure; else it is a warning.
    """

    seen: tuple[Evidence, ...]
    cause: str
    remedy: str
    fatal: bool = False


def verdict(flaws: Sequence[Flaw], good: tuple[Evidence, ...]) -> Passed | Failed | Warned:
    """What flaws amount to; `good` is the evidence where there is none."""
    if not flaws:
        return Passed(good)
    worst = [flaw for flaw in flaws if flaw.fatal] or flaws
    kind = Failed if worst[0].fatal else Warned
    causes, remedies = (dict.fromkeys(texts) for texts in zip(*((one.cause, one.remedy) for one in worst), strict=True))
    seen = dict.fromkeys(evidence for flaw in flaws for evidence in flaw.seen)
    return kind(tuple(seen), "; ".join(causes), "; ".join(remedies))
