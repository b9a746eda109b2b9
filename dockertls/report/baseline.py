"""What an earlier audit found, so that only what is new or worse is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.documents.json_file import JsonFile
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible
from dockertls.findings import Failed, Warned
from dockertls.report.audit_json import SCHEMA
from dockertls.report.findings import WORDS, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockertls.documents.json_file import Json
    from dockertls.report.audited import Audit, Result

AGAIN = "make it again: dockertls audit --format json > FILE"
MOST_FAULTS = 20
"""What is told: a file of a million faults is not worth a million lines."""
_BADNESS = MappingProxyType({name: 2 if kind is Failed else int(kind is Warned) for kind, name in WORDS.items()})

Key = tuple[str, str]
"""The id of a check, and the dockerd that it was asked of; empty: the host as a whole."""


@dataclass(frozen=True)
class Earlier:
    """What one check said: its verdict as the contract spells it, and whether that was let be for a time."""

    verdict: str
    waived: bool = False


@dataclass(frozen=True)
class Baseline:
    """An earlier audit.

    Attributes:
        name: of its file.
        host: that it was of, as it says.
        results: what its checks said.
    """

    name: str
    host: str
    results: Mapping[Key, Earlier]


def read(content: bytes, name: str) -> Baseline:
    """The baseline that a document of `audit --format json` is.

    Args:
        content: the file's bytes.
        name: what errors call it.

    Raises:
        Refused: it is damaged, or something else, with every fault.
    """
    shown = visible(name)
    found = JsonFile.decode(content, name)
    _check_schema(found.get("schema"), shown)
    body = found.get("data")
    listed = body.get("results") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(listed, list):
        raise Refused(f"{shown}: it has no list of results (data.results)", AGAIN)
    faults = [fault for number, item in enumerate(listed) for fault in _faults(number, item)]
    faults += _twice(listed)
    refuse(shown, faults, most=MOST_FAULTS)
    return Baseline(name, str(body.get("host") or ""), MappingProxyType(dict(map(_entry, listed))))


def _check_schema(schema: Json, shown: str) -> None:
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("dockertls/audit/"):
        raise Refused(f"{shown}: {visible(schema)} is of another release of dockertls", AGAIN)
    said = f"its schema is {visible(schema)[:80]}" if isinstance(schema, str) else "it does not say its schema"
    raise Refused(f"{shown}: it is no report of an audit: {said}, not {SCHEMA}", AGAIN)


def _faults(number: int, item: Json) -> Iterator[Fault]:
    """What is wrong with an item of the list."""
    where = f"data.results[{number}]"
    if not isinstance(item, dict):
        yield Fault(f"{where} is not an object", AGAIN)
        return
    if not (isinstance(item.get("id"), str) and item["id"]):
        yield Fault(f"{where} does not say of which check it is (id)", AGAIN)
    if not isinstance(item.get("daemon", ""), str):
        yield Fault(f"{where}.daemon is not text", AGAIN)
    verdict = item.get("verdict")
    if not (isinstance(verdict, str) and verdict in _BADNESS):
        yield Fault(f"{where}.verdict is none of {', '.join(_BADNESS)}", AGAIN)
    if not isinstance(item.get("waiver"), dict | None):
        yield Fault(f"{where}.waiver is neither an object nor null", AGAIN)


def _twice(listed: list[Json]) -> Iterator[Fault]:
    seen: set[Key] = set()
    for number, item in enumerate(listed):
        if not (isinstance(item, dict) and isinstance(item.get("id"), str)):
            continue
        key = (str(item["id"]), str(item.get("daemon", "")))
        if key in seen:
            told = visible(" of ".join(filter(None, key)))
            yield Fault(f"data.results[{number}]: {told} stands there twice", "leave one of them")
        seen.add(key)


def _entry(item: Json) -> tuple[Key, Earlier]:
    one = item if isinstance(item, dict) else {}
    return (str(one["id"]), str(one.get("daemon", ""))), Earlier(str(one["verdict"]), one.get("waiver") is not None)


def against(audit: Audit, baseline: Baseline) -> Audit:
    """The audit with what the baseline has already marked as known.

    A failure that was waived then is not known: it comes back when its waiver ends.
    """
    results = tuple(_marked(one, baseline.results) for one in audit.results)
    return replace(audit, results=results, baseline=baseline.name)


def _marked(result: Result, earlier: Mapping[Key, Earlier]) -> Result:
    then = earlier.get((result.finding.id, result.daemon))
    if then is None:
        return replace(result, known=False, before="")
    now = _BADNESS[word(result.finding.verdict)]
    return replace(result, before=then.verdict, known=0 < now <= _BADNESS[then.verdict] and not then.waived)
