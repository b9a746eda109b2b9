"""An audit for people at a terminal: what is wrong, area by area and the worst first; what holds, as a number."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.report.findings import STYLES, summary, word
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.report.audited import Audit, Result

_CHECK = 2
QUIET = (Passed, NotApplicable)


def tables(audit: Audit, *, verbose: bool = False) -> Iterator[tuple[str, Table]]:
    """Each area: its name, with what is not in its table, and a line for each check.

    Args:
        audit: what was found.
        verbose: what holds, and what does not apply, gets lines too.
    """
    several = len({one.daemon for one in audit.results if one.daemon}) > 1
    for area, results in audit.areas.items():
        shown = [one for one in results if verbose or not isinstance(one.finding.verdict, QUIET)]
        lines = [_row(one, several=several) for one in shown]
        rows = tuple(lines if verbose else _alike(lines))
        heads = ("VERDICT", "SEVERITY", "CHECK", "WHAT WAS SEEN")
        yield _head(area, results, shown), Table(heads, rows, spare=(1,))


def _head(area: str, results: Sequence[Result], shown: Sequence[Result]) -> str:
    """The name of an area, and how many of its checks have no line."""
    hidden = [one.finding for one in results if one not in shown]
    return f"{area}: {summary(hidden)}" if hidden else area


def _alike(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows that say the same of several checks, as one."""
    for (verdict, severity, told, style), group in groupby(rows, _but_check):
        ids = list(dict.fromkeys(row.cells[_CHECK] for row in group))
        named = ids[0] if len(ids) == 1 else f"{ids[0]} and {len(ids) - 1} more"
        yield Row((verdict, severity, named, told), style)


def _but_check(row: Row) -> tuple[str, str, str, str]:
    verdict, severity, _, told = row.cells
    return verdict, severity, told, row.style


def _row(one: Result, *, several: bool) -> Row:
    finding = one.finding
    verdict = "waived" if one.waiver else "known" if one.known else word(finding.verdict)
    told = f"{visible(one.daemon)}: {_told(one)}" if several and one.daemon else _told(one)
    style = "dim" if one.waiver or one.known else STYLES[type(finding.verdict)]
    return Row((verdict, finding.severity.name.lower(), finding.id, told), style if style != "green" else "")


def _told(one: Result) -> str:
    match one.finding.verdict:
        case Failed(_, cause, _) | Warned(_, cause, _):
            told = visible(cause)
        case Unknown(reason) | NotApplicable(reason):
            told = visible(reason)
        case Passed(evidence):
            told = "; ".join(dict.fromkeys(visible(item.seen) for item in evidence[:2])) or one.finding.title
    return f"{told} (until {one.waiver.until}: {visible(one.waiver.reason)})" if one.waiver else told


def remedies(audit: Audit) -> tuple[str, ...]:
    """What to do about what counts, a line each, the same once: failures first."""
    wrong = sorted((one for one in audit.results if one.counts), key=_urgency)
    lines: dict[str, list[str]] = {}
    for one in wrong:
        if isinstance(one.finding.verdict, Failed):
            lines.setdefault(visible(one.finding.verdict.remedy), []).append(one.finding.id)
    return tuple(f"{', '.join(dict.fromkeys(ids))}: {remedy}" for remedy, ids in lines.items())


def _urgency(one: Result) -> int:
    return -one.finding.severity.value


def closing(audit: Audit) -> str:
    """The last line: score and numbers."""
    score = "nothing could be judged" if audit.score is None else f"{audit.score} of 100"
    told = summary([one.finding for one in audit.results])
    unknown = audit.number(Unknown)
    doubt = f"; {unknown} could not be told, and do not count" if unknown else ""
    return f"{score}: {told}{doubt}"
