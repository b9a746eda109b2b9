"""The certificates of a store and their copies, as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.pki import renewal
from dockertls.pki.keys import kind_of
from dockertls.report.certificates import days_left, generation_json
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from datetime import datetime

    from dockertls.pki.store import Generation


@dataclass(frozen=True)
class Copy:
    """A place where a certificate of the store should be found.

    Attributes:
        place: such as "/etc/docker" or "tcp://127.0.0.1:2376".
        state: "current", "stale", or "unknown" with the reason.
    """

    place: str
    state: str


@dataclass(frozen=True)
class StatusRow:
    """One certificate in use, its copies, and whether it was revoked."""

    generation: Generation
    copies: tuple[Copy, ...]
    revoked: bool = False


def is_due(row: StatusRow, now: datetime) -> bool:
    """Whether something has to be done about it: it ends soon or has ended, a copy is stale, or one is revoked."""
    return bool(_trouble(row, now))


def _trouble(row: StatusRow, now: datetime) -> str:
    certificate = row.generation.certificate
    if row.revoked:
        return "revoked" if row.copies else ""
    if certificate.not_valid_after_utc <= now:
        return "expired"
    if renewal.is_due(certificate, now):
        return "due"
    return "stale" if any(copy.state == "stale" for copy in row.copies) else ""


def _state(row: StatusRow, now: datetime) -> str:
    return "revoked" if row.revoked else _trouble(row, now) or "good"


def table(rows: tuple[StatusRow, ...], now: datetime) -> Table:
    """A line a certificate; authorities first."""
    heads = ("ROLE", "NAME", "KEY", "EXPIRES", "DAYS", "STATE", "COPIES")
    return Table(heads, tuple(_line(row, now) for row in rows))


def _line(row: StatusRow, now: datetime) -> Row:
    generation, state = row.generation, _state(row, now)
    certificate = generation.certificate
    copies = ", ".join(one.place if one.state == "current" else f"{one.place} ({one.state})" for one in row.copies)
    cells = (
        generation.role,
        generation.name or "-",
        kind_of(certificate.public_key()),
        f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        str(days_left(certificate, now)),
        state,
        copies or "-",
    )
    return Row(cells, {"good": "", "due": "yellow", "stale": "yellow"}.get(state, "red"))


def as_json(row: StatusRow, now: datetime) -> dict[str, object]:
    """One certificate and its copies."""
    copies = [{"place": copy.place, "state": copy.state} for copy in row.copies]
    return {**generation_json(row.generation, now), "state": _state(row, now), "copies": copies}
