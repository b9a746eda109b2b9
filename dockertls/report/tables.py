"""Findings, certificates and the history as tables for people: rows of text, drawn by the console."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of a table; `style` is a colour for terminals: "green", "yellow", "red", "dim" or empty."""

    cells: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under heads; without heads, a list of things and what is said of them."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def width(self) -> int:
        """How many columns it has."""
        return max((len(row.cells) for row in self.rows), default=len(self.heads))
