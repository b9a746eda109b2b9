"""An audit as JSON, and what an earlier one knew already."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible
from dockertls.findings import Failed, Warned
from dockertls.report.findings import as_json, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockertls.report.audited import Audit, Result

SCHEMA = "dockertls/audit/1"
_HINT = "take what `dockertls audit --format json` wrote"
_WORSE = {"warned": 1, "failed": 2}


def document(audit: Audit) -> dict[str, object]:
    """The data of a document "dockertls/audit/1"."""
    return {
        "host": audit.host,
        "taken": audit.taken.isoformat(),
        "release": audit.release,
        "score": audit.score,
        "results": [_result(one) for one in audit.results],
    }


def _result(one: Result) -> dict[str, object]:
    waiver = {"reason": one.waiver.reason, "until": one.waiver.until.isoformat()} if one.waiver else None
    more = {"area": one.area, "daemon": one.daemon, "references": dict(one.references)}
    return {**as_json(one.finding), **more, "waiver": waiver, "known": one.known}


def since(audit: Audit, content: bytes, name: str) -> Audit:
    """The same audit, where what an earlier one had already, and no better, is known.

    Args:
        audit: of now.
        content: the earlier document.
        name: of its file, for messages.

    Raises:
        Refused: if it is none.
    """
    before = _known(content, name)
    return replace(audit, results=tuple(replace(one, known=_is_known(one, before)) for one in audit.results))


def _is_known(one: Result, before: Mapping[tuple[str, str], int]) -> bool:
    wrong = isinstance(one.finding.verdict, Failed | Warned)
    return wrong and before.get((one.finding.id, one.daemon), 0) >= _WORSE[word(one.finding.verdict)]


def _known(content: bytes, name: str) -> dict[tuple[str, str], int]:
    """How bad each check of each dockerd was; what was let be comes back when its waiver ends."""
    title = f"the baseline {visible(name)}"
    try:
        top = json.loads(content)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else visible(str(error))
        raise Refused(f"{title} is no JSON: {why}", _HINT) from None
    schema = top.get("schema") if isinstance(top, dict) else None
    if schema != SCHEMA:
        raise Refused(f"{title} is of schema {visible(str(schema))[:60]}, not {SCHEMA}", _HINT)
    data = top.get("data")
    results = data.get("results") if isinstance(data, dict) else None
    if not isinstance(results, list):
        raise Refused(f"{title} holds no results", _HINT)
    refuse(title, tuple(_faults(results))[:20])
    return {(one["id"], one["daemon"]): _WORSE.get(one["verdict"], 0) for one in results if not one.get("waiver")}


def _faults(results: list[object]) -> Iterator[Fault]:
    for number, one in enumerate(results, start=1):
        fields = [one.get(key) for key in ("id", "daemon", "verdict")] if isinstance(one, dict) else [None]
        if not all(isinstance(field, str) for field in fields):
            yield Fault(f"result {number} has no id, daemon and verdict", _HINT)
