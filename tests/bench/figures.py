"""What is measured, what is to be reached, and the table that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """One line of the result.

    Attributes:
        title: what was measured.
        seen: the measured values, for people.
        value: what is compared.
        target: with what.
        unit: of both; empty for a ratio.
        more_is_better: whether the target is a floor.
    """

    title: str
    seen: str
    value: float
    target: float | None = None
    unit: str = ""
    more_is_better: bool = False

    @property
    def reached(self) -> bool:
        """Whether the target is reached; yes where there is none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        if self.target is None:
            return (self.title, self.seen, self._with_unit(self.value), "", "")
        bound = ("at least " if self.more_is_better else "at most ") + self._with_unit(self.target)
        return (self.title, self.seen, self._with_unit(self.value), bound, "reached" if self.reached else "MISSED")

    def _with_unit(self, value: float) -> str:
        number = f"{value:,.0f}" if self.more_is_better else f"{value:.2f}"
        return f"{number} {self.unit}".rstrip()


def table(figures: Sequence[Figure]) -> str:
    """The figures, aligned."""
    heads = ("FIGURE", "MEASURED", "VALUE", "TARGET", "")
    rows = [heads, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
