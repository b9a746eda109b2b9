"""Audits to be reported: one of every verdict, and a hostile one."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dockertls.findings import (
    Evidence,
    Failed,
    Finding,
    NotApplicable,
    Passed,
    Severity,
    Unknown,
    Verdict,
    Warned,
)
from dockertls.report.audited import Audit, Result, Waiver

TAKEN = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
HOSTILE = "\x1b[31m</script><script>alert(1)</script> & | `x` \x00 \ufffe \u202e ]]> [a](http://x) \udcff\nline two"
WAIVER = Waiver("the images are shared", date(2027, 3, 1))
SEEN = (Evidence("daemon.json", "/etc/docker/daemon.json:7", "true", "false"),)


def result(
    id_: str,
    verdict: Verdict,
    severity: Severity = Severity.MEDIUM,
    *,
    waiver: Waiver | None = None,
    area: str = "An area",
) -> Result:
    return Result(
        Finding(id_, f"what {id_} wants", severity, verdict), area, "docker.service", {"CIS 1.8": "2.8"}, waiver
    )


FAILED = Failed(SEEN, "it is open", "close it")
EVERY = Audit(
    "web1",
    TAKEN,
    (
        result("NET-01", Passed(SEEN), Severity.CRITICAL, area="Who can reach the daemon"),
        result("NET-02", FAILED, Severity.CRITICAL, area="Who can reach the daemon"),
        result("NET-04", Unknown("it timed out"), Severity.HIGH, area="Who can reach the daemon"),
        result("DMN-02", Warned(SEEN, "it is odd", "look at it"), Severity.LOW),
        result("DMN-09", FAILED, waiver=WAIVER),
        result("DMN-22", NotApplicable("it came later"), Severity.LOW),
    ),
    "1.2.3",
)
BAD = Failed((Evidence(HOSTILE, HOSTILE, HOSTILE, HOSTILE),), HOSTILE, HOSTILE)
EVIL = Audit(
    HOSTILE,
    TAKEN,
    (
        Result(Finding("NET-01", HOSTILE, Severity.HIGH, BAD), HOSTILE, HOSTILE, {HOSTILE: HOSTILE}),
        Result(Finding("NET-02", HOSTILE, Severity.HIGH, BAD), HOSTILE, "", {}, Waiver(HOSTILE, date(2027, 1, 1))),
        Result(Finding("NET-03", HOSTILE, Severity.HIGH, Unknown(HOSTILE)), HOSTILE),
    ),
    HOSTILE,
)
