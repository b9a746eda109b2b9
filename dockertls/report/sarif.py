"""An audit as SARIF 2.1.0, which code hosts and editors read: what failed, at the file and line that says so."""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.audit_json import ascii_json
from dockertls.report.certificates import moment
from dockertls.report.score import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockertls.findings import Evidence, Finding
    from dockertls.report.audited import Audit, Result, Waiver

    Node = dict[str, object]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "error",
        Severity.HIGH: "error",
        Severity.MEDIUM: "warning",
        Severity.LOW: "note",
        Severity.INFO: "note",
    }
)
SECURITY: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "9.5",
        Severity.HIGH: "8.0",
        Severity.MEDIUM: "5.5",
        Severity.LOW: "2.0",
        Severity.INFO: "0.0",
    }
)
"""Within the bands into which GitHub sorts `security-severity`: critical over 9.0, high from 7.0, medium from 4.0."""

HELP = (
    ("CIS", "https://www.cisecurity.org/benchmark/docker"),
    ("STIG", "https://www.cyber.mil/stigs/"),
    ("", "https://docs.docker.com/engine/security/"),
)
"""Where more is said of a check, by how the first reference that it has begins; of one without, at the end."""

MOST_DIGITS = 9  # of a line's number
_LINE = re.compile(rf"(?P<path>/.*?):(?P<line>[1-9][0-9]{{0,{MOST_DIGITS - 1}}})(?: .*)?", re.DOTALL)
_NO_FILE = frozenset({"API"})
"""Sources whose places look like paths, and are none."""


def document(audit: Audit) -> str:
    """The whole log, in nothing but printable ASCII and newlines."""
    return ascii_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(audit)]})


def _run(audit: Audit) -> Node:
    rules = {one.finding.id: one for one in reversed(audit.results)}
    order = tuple(dict.fromkeys(one.finding.id for one in audit.results))
    wrong = [(one, said) for one in audit.results if isinstance(said := one.finding.verdict, Failed | Warned)]
    driver = {"name": "dockertls", "version": visible(audit.release), "rules": [_rule(rules[name]) for name in order]}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"dockertls-audit/{quote(audit.host or 'host', safe='', errors='replace')}/"},
        "invocations": [_invocation(audit, order)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, said, order.index(one.finding.id), audit) for one, said in wrong],
        "properties": {"host": visible(audit.host), "score": score(audit).points},
    }


# rules


def _rule(one: Result) -> Node:
    finding = one.finding
    references = [f"{name} {number}" for name, number in one.references.items()]
    elsewhere = (f"The same elsewhere: {', '.join(references)}.",) if references else ()
    return {
        "id": visible(finding.id),
        "shortDescription": {"text": visible(finding.title)},
        "fullDescription": {"text": visible(f"{finding.title} ({one.area}).")},
        "help": {"text": "\n\n".join(map(visible, (f"{finding.title}.", *_advice(finding), *elsewhere)))},
        "helpUri": _help(one),
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {
            "security-severity": SECURITY[finding.severity],
            "severity": finding.severity.name.lower(),
            "tags": list(dict.fromkeys(map(visible, ("security", one.area, *references)))),
        },
    }


def _advice(finding: Finding) -> tuple[str, ...]:
    match finding.verdict:
        case Failed(_, cause, remedy) | Warned(_, cause, remedy):
            return f"What is wrong: {cause}", f"What to do: {remedy}"
        case Passed() | Unknown() | NotApplicable():
            return ()


def _help(one: Result) -> str:
    first = next(iter(one.references), "")
    return next(uri for beginning, uri in HELP if first.startswith(beginning))


# results


def _result(one: Result, verdict: Failed | Warned, number: int, audit: Audit) -> Node:
    finding = one.finding
    found: Node = {
        "ruleId": visible(finding.id),
        "ruleIndex": number,
        "kind": "fail",
        "level": _level(finding),
        "message": {"text": message(f"{verdict.cause}. What to do: {verdict.remedy}")},
        "locations": list(_locations(one, verdict.evidence)),
        "partialFingerprints": {"dockertlsCheck/v1": fingerprint(one, audit.host)},
        "properties": {
            "verdict": one.told,
            "daemon": visible(one.daemon),
            "evidence": [_evidence(item) for item in verdict.evidence],
        },
    }
    if one.waiver:
        found["suppressions"] = [_suppression(one.waiver)]
    if audit.baseline:
        found["baselineState"] = "unchanged" if one.known else "updated" if _was_wrong(one) else "new"
    return found


def _was_wrong(one: Result) -> bool:
    return one.before in {"failed", "warned"}


def _level(finding: Finding) -> str:
    level = LEVELS[finding.severity]
    return "warning" if level == "error" and isinstance(finding.verdict, Warned) else level


def message(text: str) -> str:
    """Plain text of others in which a reader of SARIF finds neither a link nor a placeholder (3.11.5, 3.11.6)."""
    shown = visible(text).replace("{", "{{").replace("}", "}}")
    if "](" not in shown:
        return shown
    return shown.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def fingerprint(one: Result, host: str) -> str:
    """What is the same for the same trouble of the same host, whatever its words are by then."""
    parts = f"{one.finding.id}\0{one.daemon}\0{host}"
    return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()


def _evidence(item: Evidence) -> Node:
    told = {"source": item.source, "place": item.place, "seen": item.seen, "expected": item.expected}
    return {name: visible(text) for name, text in told.items()}


def _suppression(waiver: Waiver) -> Node:
    return {
        "kind": "external",
        "status": "accepted",
        "justification": message(waiver.reason),
        "properties": {"until": waiver.until.isoformat()},
    }


# where


def place(evidence: Evidence) -> tuple[str, int] | None:
    """The file that evidence stands in, and the line, 0 if it is not known; None: it stands in none."""
    if evidence.source in _NO_FILE:
        return None
    first = evidence.place.split(", /")[0]
    if found := _LINE.fullmatch(first):
        return found["path"], int(found["line"])
    return (first, 0) if first.startswith("/") and " " not in first else None


def _locations(one: Result, evidence: tuple[Evidence, ...]) -> Iterator[Node]:
    """A file for each piece of evidence that has one; what it is about, where none has."""
    files = dict.fromkeys(found for item in evidence if (found := place(item)))
    logical: Node = {"fullyQualifiedName": visible(one.daemon) or "host", "kind": "resource"}
    for path, line in files:
        physical: Node = {"artifactLocation": {"uri": f"file://{quote(path, errors='backslashreplace')}"}}
        yield {"physicalLocation": physical | ({"region": {"startLine": line}} if line else {})} | {
            "logicalLocations": [logical]
        }
    if not files:
        yield {"logicalLocations": [logical]}


# the run


def _invocation(audit: Audit, order: tuple[str, ...]) -> Node:
    """That it ran, and what it could not tell."""
    unknown = [(one, said) for one in audit.results if isinstance(said := one.finding.verdict, Unknown)]
    return {
        "executionSuccessful": True,
        "exitCode": int(audit.failed),
        "endTimeUtc": moment(audit.taken),
        "toolExecutionNotifications": [_notification(one, said, order.index(one.finding.id)) for one, said in unknown],
    }


def _notification(one: Result, verdict: Unknown, number: int) -> Node:
    told = f"{one.finding.id} could not be told: {verdict.reason}"
    return {
        "level": "note",
        "message": {"text": message(told)},
        "associatedRule": {"id": visible(one.finding.id), "index": number},
    }
