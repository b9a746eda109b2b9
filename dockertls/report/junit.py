"""An audit as JUnit's XML, which build servers read: what makes the audit fail is a failure there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.report.audited import sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockertls.findings import Evidence
    from dockertls.report.audited import Audit, Result, Section


def document(audit: Audit) -> str:
    """The whole file: a suite for each area, a case for each check and dockerd."""
    root = Element("testsuites", {"name": "dockertls audit", **_counts(audit.results, audit)})
    for section in sections(audit):
        _suite(root, section, audit)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, section: Section, audit: Audit) -> None:
    named = {"name": visible(section.area), "timestamp": f"{audit.taken:%Y-%m-%dT%H:%M:%S}"}
    host = {"hostname": visible(audit.host)} if audit.host else {}
    suite = SubElement(root, "testsuite", {**named, **host, **_counts(section.results, audit)})
    for one in section.results:
        _case(suite, one, audit)


def _counts(results: Sequence[Result], audit: Audit) -> Mapping[str, str]:
    skipped = sum(bool(_why_skipped(one)) for one in results)
    failures = sum(one.fails(audit.fail_on) for one in results)
    numbers = {"tests": len(results), "failures": failures, "errors": 0, "skipped": skipped, "time": 0}
    return {name: str(number) for name, number in numbers.items()}


def _case(suite: Element, one: Result, audit: Audit) -> None:
    owner = ".".join(filter(None, ("dockertls", one.daemon.replace(".", "_"))))
    name = f"{one.finding.id} {one.finding.title}"
    case = SubElement(suite, "testcase", {"classname": visible(owner), "name": visible(name), "time": "0"})
    if reason := _why_skipped(one):
        SubElement(case, "skipped", {"message": visible(reason)})
    elif one.fails(audit.fail_on) and isinstance(one.finding.verdict, Failed):
        told = {"type": one.finding.severity.name.lower(), "message": visible(one.finding.verdict.cause)}
        SubElement(case, "failure", told).text = _details(one, one.finding.verdict)
    elif isinstance(one.finding.verdict, Failed | Warned):
        SubElement(case, "system-out").text = _details(one, one.finding.verdict)


def _why_skipped(one: Result) -> str:
    """Why a case is neither good nor bad; empty: it is one of them."""
    match one.finding.verdict:
        case Unknown(reason):
            return f"unknown: {reason}"
        case NotApplicable(reason):
            return f"not applicable: {reason}"
        case Passed():
            return ""
        case Failed(_, cause, _) | Warned(_, cause, _) if one.waiver:
            return f"waived until {one.waiver.until.isoformat()} ({one.waiver.reason}): {cause}"
        case Failed(_, cause, _) | Warned(_, cause, _) if one.known:
            return f"known from the baseline: {cause}"
        case Failed() | Warned():
            return ""


def _details(one: Result, verdict: Failed | Warned) -> str:
    lines = [
        f"{one.told}, {one.finding.severity.name.lower()}: {verdict.cause}",
        *map(_seen, verdict.evidence),
        f"what to do: {verdict.remedy}",
        *(f"{name}: {number}" for name, number in one.references.items()),
    ]
    return "\n".join(map(visible, lines))


def _seen(item: Evidence) -> str:
    expected = f", expected: {item.expected}" if item.expected else ""
    return f"{item.source}, {item.place}: {item.seen}{expected}"
