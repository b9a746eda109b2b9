"""An audit as JUnit's XML: a suite for each area, a case for each check and dockerd."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.report.audited import Audit, Result

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, escaped or not (section 2.2)."""


def junit(audit: Audit) -> str:
    """The whole document: failed checks fail, what warns passes with its words, what was not told is skipped."""
    root = Element("testsuites", _attributes(audit.results, name=f"dockertls audit {audit.host}".strip()))
    for area, results in audit.areas.items():
        stamp = audit.taken.strftime("%Y-%m-%dT%H:%M:%S")
        suite = SubElement(root, "testsuite", {**_attributes(results, name=area), "timestamp": stamp})
        for one in results:
            _case(suite, one)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _attributes(results: Sequence[Result], *, name: str) -> dict[str, str]:
    failures = sum(_fails(one) for one in results)
    skipped = sum(_skips(one) for one in results)
    numbers = {"tests": len(results), "failures": failures, "errors": 0, "skipped": skipped}
    return {"name": _text(name), **{key: str(number) for key, number in numbers.items()}}


def _fails(one: Result) -> bool:
    return isinstance(one.finding.verdict, Failed) and one.counts


def _skips(one: Result) -> bool:
    """What was not told, and what was let be."""
    verdict = one.finding.verdict
    return isinstance(verdict, Unknown | NotApplicable) or (isinstance(verdict, Failed | Warned) and not one.counts)


def _case(suite: Element, one: Result) -> None:
    finding = one.finding
    name = f"{finding.id} {finding.title}" + (f" ({one.daemon})" if one.daemon else "")
    case = SubElement(suite, "testcase", {"classname": f"dockertls.{finding.id}", "name": _text(name), "time": "0"})
    verdict = finding.verdict
    if _skips(one):
        SubElement(case, "skipped", {"message": _text(_reason(one))})
    elif isinstance(verdict, Failed):
        failure = SubElement(case, "failure", {"type": finding.severity.name.lower(), "message": _text(verdict.cause)})
        failure.text = _text("\n".join((*_evidence(one), f"remedy: {verdict.remedy}")))
    elif isinstance(verdict, Warned):
        out = SubElement(case, "system-out")
        out.text = _text("\n".join((f"warned: {verdict.cause}", *_evidence(one), f"remedy: {verdict.remedy}")))


def _reason(one: Result) -> str:
    verdict = one.finding.verdict
    if one.waiver:
        return f"waived until {one.waiver.until}: {one.waiver.reason}"
    if isinstance(verdict, Unknown | NotApplicable):
        word = "unknown" if isinstance(verdict, Unknown) else "not applicable"
        return f"{word}: {verdict.reason}"
    return "known: the baseline has it already"


def _evidence(one: Result) -> list[str]:
    verdict = one.finding.verdict
    if isinstance(verdict, Passed | Unknown | NotApplicable):
        return []
    return [
        f"{seen.source} {seen.place}: {seen.seen}" + (f", expected {seen.expected}" if seen.expected else "")
        for seen in verdict.evidence
    ]


def _text(text: str) -> str:
    """As XML can have it, and as a terminal may show it; line ends stay."""
    return _FORBIDDEN.sub("\ufffd", "\n".join(map(visible, text.split("\n"))))
