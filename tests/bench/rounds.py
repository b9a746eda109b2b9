"""Wall time of things that take turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def medians(title: str, rounds: int, *contenders: Callable[[], Callable[[], None]]) -> list[float]:
    """Let contenders run in turn.

    Args:
        title: for the progress.
        rounds: how often each runs; once more before, which does not count.
        contenders: each prepares a run, which takes no part in the time, and returns it.

    Returns:
        The median of each, in seconds.
    """
    times: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds + 1):
        sys.stderr.write(f"\r{title}: {number}/{rounds} ")
        sys.stderr.flush()
        for prepare, taken in zip(contenders, times, strict=True):
            run = prepare()
            begin = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begin)
    sys.stderr.write("\n")
    return [median(taken[1:]) for taken in times]
