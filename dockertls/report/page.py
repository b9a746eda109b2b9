"""An audit as one page of HTML: no network, no script, light and dark; whatever was seen is text in it."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.findings import WORDS, summary, word
from dockertls.report.page_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.report.audited import Audit, Result

GOOD, FAIR = 90, 60
"""Of a hundred: what a score's bar is coloured by."""


WEIGHED = "Each check counts by its severity, a warning as half a failure; what could not be told does not count."


def page(audit: Audit) -> str:
    """The whole page."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = f"Audit of {_text(audit.host or 'this host')}"
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>",
            *_head(audit),
            "</header>\n<main>",
            *(line for area, results in audit.areas.items() for line in _area(area, results)),
            "</main>\n</body>\n</html>\n",
        )
    )


def _head(audit: Audit) -> Iterator[str]:
    taken = f'<time datetime="{audit.taken.isoformat()}">{audit.taken:%Y-%m-%d %H:%M} UTC</time>'
    yield f'<p class="soft">{taken}, dockertls {_text(audit.release)}</p>'
    if audit.score is not None:
        yield f'<p class="score"><b>{audit.score}</b> <span class="soft">of 100</span></p>'
        yield (
            f'<meter min="0" max="100" low="{FAIR}" high="{GOOD}" optimum="100" value="{audit.score}"'
            f' aria-label="score">{audit.score} of 100</meter>'
        )
    yield f'<p class="soft">{WEIGHED}</p>'
    yield '<ul class="numbers">'
    for kind, name in WORDS.items():
        yield f'<li class="{name}"><span class="tag">{audit.number(kind)}</span> {name.replace("-", " ")}</li>'
    yield "</ul>"
    yield from _filter()


def _filter() -> Iterator[str]:
    """Radio buttons, which the style sheet looks at."""
    yield "<fieldset><legend>Show from this severity upwards</legend>"
    for one in sorted(Severity, key=lambda one: one.value):
        name, checked = one.name.lower(), " checked" if one is Severity.INFO else ""
        told = "all" if one is Severity.INFO else name
        yield f'<label><input type="radio" name="least" id="{name}"{checked}> {told}</label>'
    yield "</fieldset>"


def _area(area: str, results: Sequence[Result]) -> Iterator[str]:
    told = [one for one in results if not isinstance(one.finding.verdict, Passed | NotApplicable)]
    rest = [one for one in results if one not in told]
    yield f"<section>\n<h2>{_text(area)}</h2>"
    for one in told:
        yield from _finding(one)
    if rest:
        yield f'<details class="rest"><summary>{summary([one.finding for one in rest])}</summary>'
        yield '<div class="more">'
        for one in rest:
            yield from _finding(one)
        yield "</div></details>"
    yield "</section>"


def _finding(one: Result) -> Iterator[str]:
    finding, severity = one.finding, one.finding.severity.name.lower()
    name = word(finding.verdict)
    shown = "waived" if one.waiver else "known" if one.known else name.replace("-", " ")
    state = "let-be" if one.waiver or one.known else name
    yield f'<details class="finding {severity} {state}">'
    yield (
        f'<summary><span class="tag">{shown}</span> <span class="soft">{severity}</span>'
        f' <span class="id">{_text(finding.id)}</span> {_text(finding.title)}'
    )
    if said := _said(one):
        yield f'<span class="told">{_text(said)}</span>'
    yield '</summary>\n<div class="more"><dl>'
    for term, value in _terms(one):
        yield f"<dt>{term}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"
    yield from _evidence(one)
    yield "</div></details>"


def _said(one: Result) -> str:
    match one.finding.verdict:
        case Failed(_, cause, _) | Warned(_, cause, _):
            return cause
        case Unknown(reason) | NotApplicable(reason):
            return reason
        case _:
            return ""


def _terms(one: Result) -> Iterator[tuple[str, str]]:
    verdict = one.finding.verdict
    if isinstance(verdict, Failed | Warned):
        yield "What to do", verdict.remedy
    if one.waiver:
        yield f"Waived until {one.waiver.until}", one.waiver.reason
    if one.daemon:
        yield "dockerd", one.daemon
    if one.references:
        yield "Elsewhere", ", ".join(f"{name}: {number}" for name, number in one.references.items())


def _evidence(one: Result) -> Iterator[str]:
    verdict = one.finding.verdict
    seen = () if isinstance(verdict, Unknown | NotApplicable) else verdict.evidence
    if not seen:
        return
    heads = "".join(f"<th>{head}</th>" for head in ("By", "Where", "Seen", "Expected"))
    yield f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>'
    for item in seen:
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in (item.source, item.place, item.seen, item.expected))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _text(text: str) -> str:
    """Text as it is, in HTML."""
    return escape(visible(text))
