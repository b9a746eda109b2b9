"""An audit as Markdown, for a wiki or a pull request; whatever was seen is text there, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.report.audit_table import closing, remedies
from dockertls.report.findings import summary, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.report.audited import Audit, Result

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&@:])")
"""What may mean something in Markdown (CommonMark, section 2.4); `@` and `:` make links of names and addresses."""


def markdown(audit: Audit) -> str:
    """The whole document."""
    return "\n".join(_lines(audit)) + "\n"


def _lines(audit: Audit) -> Iterator[str]:
    yield f"# Audit of {plain(audit.host or 'this host')}"
    yield ""
    yield f"{audit.taken:%Y-%m-%d %H:%M} UTC, dockertls {plain(audit.release)}. **{plain(closing(audit))}**"
    for area, results in audit.areas.items():
        yield ""
        yield f"## {plain(area)}"
        yield ""
        told = [one for one in results if not isinstance(one.finding.verdict, Passed | NotApplicable)]
        if told:
            yield "| Verdict | Severity | Check | What was seen |"
            yield "|---|---|---|---|"
            yield from map(_row, told)
            yield ""
        rest = [one.finding for one in results if one not in told]
        if rest:
            yield plain(f"{summary(rest)}: {', '.join(dict.fromkeys(finding.id for finding in rest))}")
    if remedies(audit):
        yield ""
        yield "## What to do"
        yield ""
        yield from (f"- {plain(line)}" for line in remedies(audit))


def _row(one: Result) -> str:
    finding = one.finding
    verdict = "waived" if one.waiver else "known" if one.known else word(finding.verdict)
    cells = (verdict, finding.severity.name.lower(), finding.id, _told(one))
    return f"| {' | '.join(map(plain, cells))} |"


def _told(one: Result) -> str:
    match one.finding.verdict:
        case Failed(_, cause, _) | Warned(_, cause, _):
            told = cause
        case Unknown(reason) | NotApplicable(reason):
            told = reason
        case _:
            told = one.finding.title
    whose = f"{one.daemon}: " if one.daemon else ""
    until = f" (until {one.waiver.until}: {one.waiver.reason})" if one.waiver else ""
    return f"{whose}{told}{until}"


def plain(text: str) -> str:
    """Text as it is, in Markdown."""
    return _MARKS.sub(r"\\\1", visible(text))
