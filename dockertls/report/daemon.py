"""A daemon's configuration for people: options with their places, and lists of what is to be said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


def options(rows: Iterable[tuple[str, object, str]]) -> Table:
    """A line an option, and one more for each further value of it.

    Args:
        rows: key, value and who says so.
    """
    lines: list[Row] = []
    before = ""
    for key, value, origin in rows:
        lines.append(Row(("" if key == before else key, text(value), visible(origin))))
        before = key
    return Table(("OPTION", "VALUE", "SAID BY"), tuple(lines))


def lists(said: Mapping[str, Iterable[Sequence[str]]]) -> Iterator[Table]:
    """Things that are said, each under its head: what it is, and beneath it why or what to do; none without things."""
    for head, items in said.items():
        rows = [Row(("", f"  {line}") if at else (head, line)) for item in items for at, line in enumerate(item)]
        if rows:
            yield Table((), tuple(rows))


def text(value: object) -> str:
    """Lists and texts as one would type them, everything else as JSON."""
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def change(before: object, after: object) -> str:
    """A value that becomes another one; None is none."""
    return " -> ".join("not given" if one is None else text(one) for one in (before, after))


def moment(time: datetime | None) -> str | None:
    """A time as the contract writes it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else None
