"""An audit as Markdown (GitHub's), for tickets, merge requests and wikis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, Warned
from dockertls.report.audited import FAILED, OPEN, WARNED, counted, sections
from dockertls.report.certificates import moment
from dockertls.report.findings import why
from dockertls.report.score import score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.findings import Evidence
    from dockertls.report.audited import Audit, Result, Section

_MARKS = re.compile(r"[\\`*_{}\[\]()#+|~$^]")
_AUTOLINK = re.compile(r"(?i)(?<=www)\.|:(?=//)")
_AT = re.compile("@+")
_BACKTICKS = re.compile(r"`+")


def document(audit: Audit) -> str:
    """The whole page."""
    return "\n".join(_lines(audit)) + "\n"


def _lines(audit: Audit) -> Iterator[str]:
    found = score(audit)
    yield f"# Docker audit of {text(audit.host or 'a host')}"
    yield ""
    points = "No score" if found.points is None else f"**Score {found.points} of 100**"
    yield f"{points}: {text(found.line)}."
    yield ""
    against = f", against the baseline {code(audit.baseline)}" if audit.baseline else ""
    yield f"{text(counted(audit.results).capitalize()) or 'Nothing was checked'}. Looked at"
    yield f"{moment(audit.taken)} by dockertls {text(audit.release)}{against}."
    for section in sections(audit):
        yield from _section(section)
    yield from _waivers(audit)


def _section(section: Section) -> Iterator[str]:
    shown = [one for one in section.results if one.told in OPEN]
    yield from ("", f"## {text(section.area)}", "")
    if shown:
        yield from ("| | Severity | Check | What was found |", "| --- | --- | --- | --- |")
        yield from map(_row, shown)
        yield ""
    rest = [one for one in section.results if one not in shown]
    if rest:
        yield f"{text(counted(rest).capitalize())}."
    for one in shown:
        if one.told in {FAILED, WARNED}:
            yield from _details(one)


def _row(one: Result) -> str:
    name = f"{code(one.finding.id)} {text(one.finding.title)}"
    cells = (one.told, one.finding.severity.name.lower(), name, text(why(one.finding.verdict)))
    return f"| {' | '.join(cells)} |"


def _details(one: Result) -> Iterator[str]:
    verdict = one.finding.verdict
    if not isinstance(verdict, Failed | Warned):
        return
    yield from ("", f"### {text(one.finding.id)} {text(one.finding.title)}", "")
    owner = f" ({code(one.daemon)})" if one.daemon else ""
    yield f"- {one.told.capitalize()}, {one.finding.severity.name.lower()}{owner}: {text(verdict.cause)}"
    yield f"- What to do: {text(verdict.remedy)}"
    yield from map(_evidence, verdict.evidence)
    if one.references:
        yield f"- Elsewhere: {text(', '.join(f'{name} {number}' for name, number in one.references.items()))}"


def _evidence(item: Evidence) -> str:
    expected = f", expected {code(item.expected)}" if item.expected else ""
    return f"- Seen by {text(item.source)} at {code(item.place)}: {code(item.seen)}{expected}"


def _waivers(audit: Audit) -> Iterator[str]:
    waived = [(one, one.waiver) for one in audit.results if one.waiver]
    if waived:
        yield from ("", "## Waived", "")
    for one, waiver in waived:
        owner = f" ({code(one.daemon)})" if one.daemon else ""
        told = f"- {code(one.finding.id)}{owner} until {waiver.until.isoformat()}"
        yield f"{told}: {text(waiver.reason)} ({one.finding.severity.name.lower()}: {text(why(one.finding.verdict))})"


def text(words: str) -> str:
    """Text of others, in which nothing is markup, HTML, a link or somebody's name."""
    shown = _MARKS.sub(r"\\\g<0>", visible(words).replace("\t", " "))
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _AT.sub(r"`\g<0>`", _AUTOLINK.sub(r"\\\g<0>", shown))  # as code alone, @name is nobody's name


def code(value: str) -> str:
    """A value of others as code, which stays within one cell of a table."""
    shown = visible(value).replace("\t", " ")
    if not shown.strip():
        return "(nothing)"
    if "|" in shown:  # in a table it ends the cell, and out of one it must not be escaped
        return text(shown)
    longest = max(map(len, _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
