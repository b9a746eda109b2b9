"""An audit as SARIF 2.1.0 (OASIS): for code scanning, with the line of the file that says so."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Severity, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockertls.findings import Evidence, Finding, Verdict
    from dockertls.report.audited import Audit, Result

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "error",
        Severity.HIGH: "error",
        Severity.MEDIUM: "warning",
        Severity.LOW: "note",
        Severity.INFO: "note",
    }
)
POINTS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "9.5",
        Severity.HIGH: "8.0",
        Severity.MEDIUM: "5.5",
        Severity.LOW: "3.0",
        Severity.INFO: "0.5",
    }
)
"""security-severity, which code scanning sorts by: within the bounds of CVSS's words for them."""
_FILES = frozenset({"configuration", "daemon.json", "unit", "file", "docker.socket", "audit rules"})
"""Sources of evidence whose place is a file."""
_PLACE = re.compile(r"(/[^:\s]*)(?::(\d+))?")


def sarif(audit: Audit) -> str:
    """The whole log: what failed or warned, and as open what could not be told."""
    rules = {one.finding.id: one for one in audit.results}
    ids = tuple(rules)
    told = [one for one in audit.results if isinstance(one.finding.verdict, Failed | Warned | Unknown)]
    run = {
        "tool": {
            "driver": {
                "name": "dockertls",
                "semanticVersion": audit.release,
                "rules": [_rule(one) for one in rules.values()],
            }
        },
        "invocations": [{"executionSuccessful": True, "endTimeUtc": f"{audit.taken:%Y-%m-%dT%H:%M:%SZ}"}],
        "results": [_result(one, ids.index(one.finding.id), audit) for one in told],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(one: Result) -> dict[str, object]:
    finding = one.finding
    references = [f"{name} {number}" for name, number in one.references.items()]
    return {
        "id": finding.id,
        "shortDescription": {"text": f"{finding.title}."},
        "help": {"text": f"dockertls audit --only {finding.id}"},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"security-severity": POINTS[finding.severity], "tags": ["security", *references]},
    }


def _result(one: Result, index: int, audit: Audit) -> dict[str, object]:
    finding = one.finding
    found: dict[str, object] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        **_grade(finding),
        "message": {"text": _message(one)},
        "locations": _locations(one, audit),
        "partialFingerprints": {"checkAndDaemon/v1": _fingerprint(one)},
    }
    if one.waiver:
        why = f"until {one.waiver.until}: {visible(one.waiver.reason)}"
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    if one.known:
        found["baselineState"] = "unchanged"
    return found


def _fingerprint(one: Result) -> str:
    return hashlib.sha256(f"{one.finding.id}\0{one.daemon}".encode(errors="backslashreplace")).hexdigest()


def _grade(finding: Finding) -> dict[str, str]:
    """A level other than none goes with a failure alone (section 3.27.10)."""
    match finding.verdict:
        case Failed():
            return {"kind": "fail", "level": LEVELS[finding.severity]}
        case Warned():
            return {"kind": "review", "level": "none"} if finding.severity is Severity.INFO else _note()
        case _:
            return {"kind": "open", "level": "none"}


def _note() -> dict[str, str]:
    return {"kind": "fail", "level": "note"}


def _message(one: Result) -> str:
    verdict, daemon = one.finding.verdict, f"{visible(one.daemon)}: " if one.daemon else ""
    if isinstance(verdict, Failed | Warned):
        return f"{daemon}{visible(verdict.cause)}. {visible(verdict.remedy)}."
    return f"{daemon}could not be told: {visible(_reason(verdict))}."


def _reason(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Unknown | NotApplicable) else ""


def _locations(one: Result, audit: Audit) -> list[dict[str, object]]:
    """Where it stands: in files, else with the daemon."""
    verdict = one.finding.verdict
    seen = () if isinstance(verdict, Unknown | NotApplicable | Passed) else verdict.evidence
    files = list(dict.fromkeys(place for item in seen for place in _places(item)))
    if not files:
        name = visible(one.daemon or audit.host or "host")
        return [{"logicalLocations": [{"name": name, "kind": "resource"}]}]
    return [{"physicalLocation": _physical(path, line)} for path, line in files]


def _places(item: Evidence) -> Iterator[tuple[str, int]]:
    for part in item.place.split(", ") if item.source in _FILES else ():
        if found := _PLACE.match(part):
            yield found[1], int(found[2] or 0)


def _physical(path: str, line: int) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": Path(path).as_uri()}}
    return {**place, "region": {"startLine": line}} if line else place
