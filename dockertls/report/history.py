"""The history as a table and as JSON."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.plan import shown
from dockertls.report.certificates import moment
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dockertls.journal import Entry


def table(entries: Sequence[Entry], undoable: Collection[int]) -> Table:
    """A line an entry: number, when, who, what, and whether it can be taken back."""
    return Table(("ID", "WHEN", "WHO", "WHAT", "STATE"), tuple(_row(entry, entry.id in undoable) for entry in entries))


def _row(entry: Entry, can: bool) -> Row:
    state = "can be undone" if can else f"undoes {', '.join(map(str, entry.undoes))}" if entry.undoes else "undone"
    return Row((str(entry.id), moment(entry.at), entry.who, entry.title, state), "" if can else "dim")


def as_json(entry: Entry, *, undoable: bool) -> dict[str, object]:
    """One entry; the content of files is left out."""
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "who": entry.who,
        "title": entry.title,
        "undoable": undoable,
        "undoes": list(entry.undoes),
        "paths": [{"path": shown(Path(step.path)), "why": step.why} for step in entry.steps],
    }
