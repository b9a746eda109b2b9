"""The history as a table and as JSON."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.plan import shown
from dockertls.report.certificates import moment
from dockertls.report.tables import Row, Table
from dockertls.undo import undoable, undone

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dockertls.journal import Entry


def table(entries: Sequence[Entry]) -> Table:
    """A line an entry: number, when, who, what, and whether it can be taken back."""
    can, gone = {entry.id for entry in undoable(entries)}, undone(entries)
    return Table(("ID", "WHEN", "WHO", "WHAT", "STATE"), tuple(_row(entry, can, gone) for entry in entries))


def _row(entry: Entry, can: Collection[int], gone: Collection[int]) -> Row:
    cells = (str(entry.id), moment(entry.at), entry.who, entry.title)
    if entry.id in can:
        return Row((*cells, "can be undone"))
    if entry.id in gone:
        return Row((*cells, "undone"), "dim")
    undoes = f"undoes {', '.join(map(str, entry.undoes))}"
    return Row((*cells, undoes if entry.undoes else "stays"), "dim" if entry.undoes else "")


def as_json(entry: Entry, *, can: bool) -> dict[str, object]:
    """One entry; the content of files is left out."""
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "who": entry.who,
        "title": entry.title,
        "undoable": can,
        "undoes": list(entry.undoes),
        "paths": [{"path": shown(Path(step.path)), "why": step.why} for step in entry.steps],
    }
