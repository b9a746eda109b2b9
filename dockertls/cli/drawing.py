"""How a table is laid out on a terminal: what is left out and folded, and how wide a text is there."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from dockertls.escaping import visible

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from dockertls.report.tables import Table

FOLDED = 24  # columns: what is wider may be folded
GAP = 2  # columns between two columns


def grid(table: Table) -> Grid:
    """As rich draws it."""
    from rich.markup import escape
    from rich.table import Table as Drawn

    drawn = Drawn(box=None, pad_edge=False, header_style="bold", show_header=bool(table.heads))
    for head in table.heads or ("",) * table.width:
        drawn.add_column(head, overflow="fold")
    for row in table.rows:
        drawn.add_row(*(escape(visible(cell)) for cell in row.cells), style=row.style)
    return drawn


def columns_of(text: str) -> int:
    """How wide a terminal shows a text."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def folded(text: str, room: int) -> str:
    """A line for people in so many columns: what there is no room for goes on below it, further in than it begins."""
    from textwrap import wrap

    further_in = " " * (len(text) - len(text.lstrip()) + GAP)
    return "\n".join(wrap(text, room, subsequent_indent=further_in, break_long_words=False, break_on_hyphens=False))


def too_many(table: Table, room: int) -> tuple[int, ...]:
    """Columns that are spare, and for which there is no room though cells are folded that are wider than others."""
    lines = zip_longest(table.heads, *(row.cells for row in table.rows), fillvalue="") if table.spare else ()
    widths = [min(max(map(columns_of, column)), FOLDED) for column in lines]
    wanted, gone = sum(widths) + GAP * (len(widths) - 1), 0
    for number in table.spare:
        if wanted <= room:
            break
        wanted -= widths[number] + GAP
        gone += 1
    return table.spare[:gone]


def padded(cell: str, width: int) -> str:
    """A cell as wide as its column."""
    return cell.ljust(width - columns_of(cell) + len(cell))
