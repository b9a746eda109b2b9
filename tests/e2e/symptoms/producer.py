"""What produces a symptom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.symptoms.clients import Asked
    from tests.e2e.symptoms.stage import Stage


@dataclass(frozen=True)
class Producer:
    """One way to a symptom.

    Attributes:
        row: the row of the table that has to explain it; empty: there must be none, the client is content.
        name: who says it, and of what.
        make: makes it happen, and gives what was printed.
        needs: of the machine.
        racing: rows that are right too: a daemon that closes while the client still writes may cut off its alert.
    """

    row: str
    name: str
    make: Callable[[Stage], Asked]
    needs: tuple[str, ...] = ()
    racing: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.row or 'content'}-{self.name}"
