"""Findings, certificates and the history as tables for people: rows of text, drawn by the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Row:
    """One line of a table; `style` is a colour for terminals: "green", "yellow", "red", "dim" or empty."""

    cells: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under heads; without heads, a list of things and what is said of them.

    Attributes:
        heads: of the columns.
        rows: a cell for each column.
        spare: numbers of columns that may be left out where there is no room for all, in this order.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    spare: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """How many columns it has."""
        return max((len(row.cells) for row in self.rows), default=len(self.heads))

    def without(self, columns: Collection[int]) -> Table:
        """The same with some columns left out."""
        if not columns:
            return self
        rows = (Row(_others(row.cells, columns), row.style) for row in self.rows)
        return Table(_others(self.heads, columns), tuple(rows))


def _others(cells: tuple[str, ...], columns: Collection[int]) -> tuple[str, ...]:
    return tuple(cell for number, cell in enumerate(cells) if number not in columns)
