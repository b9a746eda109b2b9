"""An audit for a terminal: by area, the worst first, and at the end what to do about it."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.report.audited import OPEN, counted, sections
from dockertls.report.certificates import moment
from dockertls.report.findings import STYLES, why
from dockertls.report.score import score
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.report.audited import Audit, Result, Section

WIDTH = 80
GAP = "  "
LEAST = 20  # columns of text, however little room is left

Piece = str | Table
"""A line, which may be long, or a table."""


def pieces(audit: Audit, *, verbose: bool = False) -> Iterator[Piece]:
    """All of it, in the order in which it is shown; nothing in it drives a terminal.

    Args:
        audit: what was found.
        verbose: what passed, makes no sense here, is waived or was known gets a line, too, and not a count alone;
            and every piece of evidence is told.
    """
    found = score(audit)
    yield f"{visible(audit.host) or 'this host'}, {moment(audit.taken)}, dockertls {visible(audit.release)}"
    yield f"score: {'none' if found.points is None else f'{found.points} of 100'}: {found.line}"
    shape = _Shape(audit, verbose=verbose)
    for section in sections(audit):
        yield from _section(section, shape)
    yield from _remedies(audit)
    yield from _waivers(audit)
    yield from ("", _summary(audit))


class _Shape:
    """What is shown of a result, and how wide its columns are in every area, so that all of them stand in line."""

    def __init__(self, audit: Audit, *, verbose: bool) -> None:
        self.verbose = verbose
        self.several = len(audit.daemons) > 1
        rows = [self._cells(one) for one in audit.results if self.shows(one)]
        self._widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def shows(self, one: Result) -> bool:
        """Whether it has a line of its own."""
        return self.verbose or one.told in OPEN

    def rows(self, results: Sequence[Result]) -> Iterator[Row]:
        """Their lines; what several say with the same words is told once, with the names of the others."""
        for _, group in groupby(results, None if self.verbose else self._alike):
            first, *others = group
            names = ", ".join(visible(one.finding.id) for one in others)
            yield self._row(first, f" ({names} likewise)" if others else "")

    def _alike(self, one: Result) -> tuple[object, ...]:
        return one.told, one.finding.severity, one.daemon, self._said(one)

    def _row(self, one: Result, likewise: str) -> Row:
        fixed = (cell.ljust(width) for cell, width in zip(self._cells(one), self._widths, strict=True))
        return Row(
            (*fixed, self._said(one) + likewise), STYLES[type(one.finding.verdict)] if one.told in OPEN else "dim"
        )

    def _cells(self, one: Result) -> tuple[str, ...]:
        owner = (visible(one.daemon or "host"),) if self.several else ()
        return (one.told, one.finding.severity.name.lower(), visible(one.finding.id), *owner)

    def _said(self, one: Result) -> str:
        verdict = one.finding.verdict
        told = one.finding.title if isinstance(verdict, Passed) else why(verdict)
        return visible("; ".join((told, *(self._evidence(one) if self.verbose else ()))))

    @staticmethod
    def _evidence(one: Result) -> Iterator[str]:
        verdict = one.finding.verdict
        for item in () if isinstance(verdict, Unknown | NotApplicable) else verdict.evidence:
            expected = f" (expected: {item.expected})" if item.expected and not isinstance(verdict, Passed) else ""
            yield f"{item.place}: {item.seen}{expected}"


def _section(section: Section, shape: _Shape) -> Iterator[Piece]:
    shown = tuple(shape.rows([one for one in section.results if shape.shows(one)]))
    rest = counted([one for one in section.results if not shape.shows(one)])
    yield from ("", visible(section.area) + (f": {rest}" if rest and not shown else ""))
    if shown:
        yield Table((), shown)
    if rest and shown:
        yield rest


def _remedies(audit: Audit) -> Iterator[str]:
    """What to do about what failed or was warned of, once however many checks and daemons that is said of."""
    found: dict[str, dict[str, None]] = {}
    for one in sorted((one for one in audit.results if one.told in OPEN), key=lambda one: one.rank):
        if isinstance(one.finding.verdict, Failed | Warned):
            found.setdefault(one.finding.verdict.remedy, {})[one.finding.id] = None
    if found:
        yield from ("", "What to do")
    yield from (visible(f"{GAP}{', '.join(names)}: {remedy}") for remedy, names in found.items())


def _waivers(audit: Audit) -> Iterator[str]:
    waived = [(one, one.waiver) for one in audit.results if one.waiver]
    if waived:
        yield from ("", "Waived")
    for one, waiver in waived:
        name = " of ".join(filter(None, (one.finding.id, one.daemon)))
        yield visible(f"{GAP}{name} until {waiver.until.isoformat()}: {waiver.reason}")


def _summary(audit: Audit) -> str:
    none = "nothing of that severity" if audit.left_out else "nothing was checked"
    total = counted(audit.results) or none
    against = f", against the baseline {visible(audit.baseline)}" if audit.baseline else ""
    less = f"; of less severity and not shown: {counted(audit.left_out)}" if audit.left_out else ""
    return total + against + less


# as plain text


def document(audit: Audit, *, verbose: bool = False, width: int = WIDTH) -> str:
    """The same as text of so many columns."""
    lines = (line for piece in pieces(audit, verbose=verbose) for line in drawn(piece, width))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def drawn(piece: Piece, width: int) -> Iterator[str]:
    """A line, or a table, in so many columns."""
    if isinstance(piece, Table):
        for row in piece.rows:
            yield from _wrapped(GAP.join((*row.cells[:-1], "")), row.cells[-1], width)
        return
    lead = piece[: len(piece) - len(piece.lstrip())]
    yield from _wrapped(lead, piece.removeprefix(lead), width, hang=2 if lead else 0)


def _wrapped(lead: str, text: str, width: int, hang: int = 0) -> Iterator[str]:
    """Text beside what stands at the left of it."""
    room = max(width - len(lead), LEAST)
    lines = textwrap.wrap(text, room, subsequent_indent=" " * hang, break_on_hyphens=False) or [""]
    yield lead + lines[0]
    yield from (" " * len(lead) + line for line in lines[1:])
