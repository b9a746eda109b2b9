"""An audit as JSON, which a later one takes as its baseline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dockertls.report.audited import TOLD, tally
from dockertls.report.certificates import moment
from dockertls.report.findings import as_json
from dockertls.report.score import score

if TYPE_CHECKING:
    from dockertls.report.audited import Audit, Result, Waiver

SCHEMA = "dockertls/audit/1"


def document(audit: Audit) -> str:
    """The whole document, in nothing but printable ASCII and newlines: it holds what others wrote."""
    return ascii_json({"schema": SCHEMA, "ok": not audit.failed, "data": data(audit)})


def ascii_json(value: object) -> str:
    """A value as JSON that a terminal can be shown; what it says is what it said."""
    return json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n"


def data(audit: Audit) -> dict[str, object]:
    """All that an audit says."""
    found = score(audit)
    return {
        "host": audit.host,
        "taken": moment(audit.taken),
        "release": audit.release,
        "fail_on": audit.fail_on.name.lower(),
        "baseline": audit.baseline or None,
        "score": {
            "points": found.points,
            "passed_weight": found.passed,
            "judged_weight": found.of,
            "judged": found.judged,
            "unknown": found.unknown,
        },
        "summary": dict.fromkeys(TOLD, 0) | tally(audit.results),
        "results": [_result(one) for one in audit.results],
    }


def _result(one: Result) -> dict[str, object]:
    return as_json(one.finding) | {
        "area": one.area,
        "daemon": one.daemon,
        "references": dict(one.references),
        "waiver": _waiver(one.waiver),
        "known": one.known,
        "before": one.before or None,
    }


def _waiver(waiver: Waiver | None) -> dict[str, str] | None:
    return {"reason": waiver.reason, "until": waiver.until.isoformat()} if waiver else None
