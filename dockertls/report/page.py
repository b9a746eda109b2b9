"""An audit as one page of HTML: it asks the network for nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from dockertls.findings import Failed, Passed, Severity, Warned
from dockertls.report.audited import OPEN, counted, sections
from dockertls.report.findings import why
from dockertls.report.markup import Markup, el, joined
from dockertls.report.page_style import CSS
from dockertls.report.score import score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dockertls.findings import Evidence
    from dockertls.report.audited import Audit, Result, Section
    from dockertls.report.score import Score

POLICY = "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"  # nothing but the style
GOOD, FAIR = 90, 60  # points, from which on the score has the colour of it
RADIUS = 46


def document(audit: Audit) -> str:
    """The whole page."""
    body = el("body", _head(audit), el("main", *_main(audit)), _foot(audit))
    return f"<!DOCTYPE html>\n{el('html', _meta(audit), body, lang='en')}\n"


def _meta(audit: Audit) -> Markup:
    hashed = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY.format(hash=hashed)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"Docker audit of {audit.host or 'a host'}"),
        el("style", Markup(CSS)),
    )


# what stands above


def _head(audit: Audit) -> Markup:
    found = score(audit)
    taken = f"{audit.taken:%d %B %Y, %H:%M} UTC"
    title = el(
        "div",
        el("p", "Docker audit", class_="kicker"),
        el("h1", _host(audit.host or "A host")),
        el("p", el("time", taken, datetime=f"{audit.taken:%Y-%m-%dT%H:%M:%SZ}"), class_="when"),
    )
    return el("header", el("div", title, _ring(found), class_="masthead"), _explained(audit, found), _filter(audit))


def _host(name: str) -> Markup:
    """A name that is broken behind a dot, where it has to be."""
    first, *others = name.split(".")
    return joined(first, *(joined(".", el("wbr"), part) for part in others))


def _ring(found: Score) -> Markup:
    """The score, and a ring that is closed at 100."""
    points = found.points
    if points is None:
        return _scored(_circle("whole"), "?", "no score")
    mood = "good" if points >= GOOD else "fair" if points >= FAIR else "poor"
    part = _circle(f"part {mood}", f"{points} 100") if points else ""
    return _scored(joined(_circle("whole"), part), str(points), "of 100")


def _scored(circles: Markup, points: str, below: str) -> Markup:
    told = el("p", el("strong", points), el("span", below, class_="small soft"))
    return el("div", el("svg", circles, viewBox="0 0 100 100", aria_hidden="true"), told, class_="score")


def _circle(kind: str, dashes: str | None = None) -> Markup:
    return el("circle", cx="50", cy="50", r=str(RADIUS), pathLength="100", class_=kind, stroke_dasharray=dashes)


def _explained(audit: Audit, found: Score) -> Markup:
    against = joined(" Compared with the baseline ", el("code", audit.baseline), ".") if audit.baseline else ""
    how = f"The score is {found.line}." if found.of else f"{found.line.capitalize()}."
    counts = counted(audit.results).capitalize() or "Nothing was checked"
    return el("div", el("p", f"{counts}.", against), el("p", how, class_="small soft"), class_="explained")


def _filter(audit: Audit) -> Markup:
    legend = el("legend", "Failures and warnings by severity; untick one to hide it.")
    return el("fieldset", legend, *(_chip(one, audit) for one in Severity), class_="filter")


def _chip(severity: Severity, audit: Audit) -> Markup:
    name = severity.name.lower()
    count = sum(one.counts and one.finding.severity is severity for one in audit.results)
    box = el("input", type="checkbox", id=f"show-{name}", checked=True)
    label = joined(box, el("b", str(count)), name.capitalize())
    return el("label", label, class_=name if count else f"{name} none")


# the areas


def _main(audit: Audit) -> Iterator[Markup]:
    for section in sections(audit):
        yield _section(section)
    nothing = "Every severity is hidden." if audit.results else "Nothing was checked."
    yield el("p", nothing, class_="nothing soft" if audit.results else "soft")


def _section(section: Section) -> Markup:
    shown = [one for one in section.results if one.told in OPEN]
    rest = [one for one in section.results if one not in shown]
    title = el("div", el("h2", section.area), el("p", counted(section.results), class_="small soft"), class_="heading")
    listed = [_rest(rest)] if rest else []
    return el("section", title, *map(_finding, shown), *listed, class_=_of(section.results))


def _rest(results: Sequence[Result]) -> Markup:
    """What nobody has to look at, behind its count."""
    inner = el("div", *map(_finding, results), class_="list")
    return el("details", el("summary", counted(results)), inner, class_=f"rest {_of(results)}")


def _of(results: Iterable[Result]) -> str:
    """For the filter: it is shown if one of these severities is."""
    names = dict.fromkeys(one.finding.severity.name.lower() for one in results)
    return " ".join(("of", *(f"of-{name}" for name in names)))


def _finding(one: Result) -> Markup:
    class_ = f"finding {one.told} {one.finding.severity.name.lower()} {_of([one])}"
    inner = tuple(_more(one))
    if not inner:
        return el("div", _title(one), class_=f"plain {class_}")
    return el("details", el("summary", _title(one)), el("div", *inner, class_="more"), class_=class_)


def _title(one: Result) -> Markup:
    severity = one.finding.severity.name.lower()
    worn = f"tag {one.told} {severity}" if one.counts else f"tag {one.told}"
    tags = (
        el("span", one.told.replace("-", " ").capitalize(), class_=worn),
        el("span", severity),
        el("span", one.finding.id),
        *((el("span", one.daemon),) if one.daemon else ()),
        *((el("span", f"was {one.before}"),) if one.counts and one.before else ()),
    )
    verdict = one.finding.verdict
    cause = Markup() if isinstance(verdict, Passed) else el("p", why(verdict), class_="cause")
    return joined(el("div", *tags, class_="tags"), el("h3", one.finding.title), cause)


def _more(one: Result) -> Iterator[Markup]:
    """What opens."""
    verdict = one.finding.verdict
    if one.waiver:
        until = f"until {one.waiver.until.isoformat()}: {one.waiver.reason}"
        yield el("div", el("h4", "Waived"), el("p", until))
    if isinstance(verdict, Failed | Warned):
        yield el("div", el("h4", "What to do"), el("p", el("code", verdict.remedy), class_="remedy"))
    if isinstance(verdict, Passed | Failed | Warned) and verdict.evidence:
        yield el("div", el("h4", "Evidence"), el("ul", *map(_evidence, verdict.evidence), class_="evidence"))
    if one.references:
        told = ", ".join(f"{name} {number}" for name, number in one.references.items())
        yield el("p", f"Elsewhere: {told}", class_="small soft")


def _evidence(item: Evidence) -> Markup:
    rows = [("Seen", _value(item.seen)), ("Expected", _value(item.expected)), ("Where", _where(item))]
    return el("li", el("dl", *(joined(el("dt", name), el("dd", told)) for name, told in rows if told)))


def _value(words: str) -> Markup:
    return el("code", words) if words else Markup()


def _where(item: Evidence) -> Markup:
    return joined(_value(item.place), " ", el("span", item.source, class_="small soft"))


def _foot(audit: Audit) -> Markup:
    return el(
        "footer",
        el("p", f"Made by dockertls {audit.release}. This page is one file: it loads nothing and runs no script."),
    )
