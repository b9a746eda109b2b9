"""The document, and what a later audit makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertls.errors import Refused
from dockertls.findings import Passed, Severity, Unknown, Verdict, Warned
from dockertls.report.audit_json import document
from dockertls.report.baseline import MOST_FAULTS, against, read
from tests.unit.report.audits import HOSTILE, ODD, SOCKET, USUAL, audit, failed, hostile, result

if TYPE_CHECKING:
    from dockertls.report.audited import Audit

WARNED = Warned((), "c", "r")


def written(found: Audit) -> bytes:
    return document(found).encode()


def changed(**more: object) -> bytes:
    item = {"id": "a", "daemon": "", "verdict": "failed", "waiver": None}
    return json.dumps({"schema": "dockertls/audit/1", "ok": True, "data": {"results": [item | more]}}).encode()


def test_it_has_the_houses_envelope_and_shape() -> None:
    found = json.loads(document(USUAL))
    assert (found["schema"], found["ok"]) == ("dockertls/audit/1", False)
    data = found["data"]
    assert (data["host"], data["taken"], data["baseline"]) == (
        "web1.example.org", "2026-11-26T18:04:05Z", "before.json",
    )  # fmt: skip
    assert data["score"] | {"points": 0} == {
        "points": 0, "passed_weight": 22, "judged_weight": 66, "judged": 9, "unknown": 1,
    }  # fmt: skip
    assert data["summary"]["failed"] == 2
    assert data["results"][3] == {
        "id": "FS-03",
        "title": "FS-03 holds",
        "severity": "critical",
        "verdict": "failed",
        "evidence": [{"source": "file", "place": "/run/docker.sock", "seen": "0666", "expected": "0660"}],
        "cause": "everybody may use the socket",
        "remedy": "mend it",
        "area": "Files and sockets",
        "daemon": "",
        "references": {},
        "waiver": {"reason": "a lab that goes away", "until": "2027-03-31"},
        "known": False,
        "before": None,
    }


def test_it_is_ok_as_far_as_the_audit_is() -> None:
    low = result("a", failed(), Severity.LOW)
    assert not json.loads(document(audit(low)))["ok"]
    assert json.loads(document(audit(low, fail_on=Severity.HIGH)))["ok"]


def test_what_others_wrote_comes_back_as_it_was_and_drives_no_terminal() -> None:
    text = document(hostile())
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    found = json.loads(text)["data"]
    assert found["host"] == ODD
    assert [one["seen"] for one in found["results"][0]["evidence"]] == list(HOSTILE)


# as a baseline


@pytest.mark.parametrize(
    ("then", "now", "known"),
    [
        (failed(), failed(), True),
        (failed(), WARNED, True),
        (WARNED, WARNED, True),
        (WARNED, failed(), False),
        (Passed(), failed(), False),
        (Unknown("why"), failed(), False),
        (Unknown("why"), WARNED, False),
        (failed(), Passed(), False),
        (failed(), Unknown("why"), False),
    ],
)
def test_known_is_what_was_no_better_then(then: Verdict, now: Verdict, known: bool) -> None:
    baseline = read(written(audit(result("a", then))), "before.json")
    found = against(audit(result("a", now)), baseline)
    assert found.results[0].known is known
    assert found.results[0].before
    assert found.baseline == "before.json"


def test_another_check_or_another_dockerd_is_new() -> None:
    baseline = read(written(audit(result("a", failed()), result("b", failed(), daemon="x.service"))), "b")
    found = against(audit(result("b", failed()), result("a", failed(), daemon=""), result("a", failed())), baseline)
    assert [(one.known, one.before) for one in found.results] == [(False, ""), (False, ""), (True, "failed")]


def test_what_a_waiver_let_be_comes_back_when_it_ends() -> None:
    found = against(audit(replace(SOCKET, waiver=None)), read(written(audit(SOCKET)), "b"))
    assert found.results[0].counts


def test_a_baseline_that_was_made_against_another_one_keeps_what_is_known() -> None:
    first = audit(result("a", failed()))
    second = against(first, read(written(first), "b"))
    assert against(first, read(written(second), "b")).results[0].known


def test_a_report_of_all_that_is_hostile_can_be_a_baseline() -> None:
    found = hostile()
    several = replace(found, results=found.results[:5])
    baseline = read(written(several), "b")
    assert baseline.host == ODD
    assert [one.known for one in against(several, baseline).results] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no report of an audit: it does not say its schema"),
        (b"{}", "no report of an audit: it does not say its schema"),
        (b"[]", "b"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"schema": "dockertls/audit/1"', "b"),
        (b'{"schema": "dockertls/check/1"}', "its schema is dockertls/check/1, not dockertls/audit/1"),
        (b'{"schema": "dockertls/audit/2"}', "of another release"),
        (b'{"schema": "dockertls/error/1", "ok": false}', "its schema is dockertls/error/1"),
        (b'{"schema": ["dockertls/audit/1"]}', "does not say its schema"),
        (b'{"schema": "dockertls/audit/1", "data": []}', "no list of results"),
        (b'{"schema": "dockertls/audit/1", "data": {"results": {}}}', "no list of results"),
        (b'{"schema": "\\u001b[31m"}', r"its schema is \x1b[31m"),
        (b'{"a": ' + b"[" * 100_000, "b"),
        (changed(id=""), "data.results[0] does not say of which check it is"),
        (changed(id=7), "data.results[0] does not say of which check it is"),
        (changed(daemon=None), "data.results[0].daemon is not text"),
        (changed(verdict="fine"), "data.results[0].verdict is none of passed, failed, "),
        (changed(verdict=[]), "data.results[0].verdict is none of"),
        (changed(waiver="yes"), "data.results[0].waiver is neither"),
    ],
)
def test_what_is_no_baseline_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Refused) as caught:
        read(content, "b")
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.value.message.isprintable()


def test_every_fault_is_told_at_once_and_a_million_are_not() -> None:
    wrong = [{"id": "a"}, 7, {"id": "b", "verdict": "failed"}, {"id": "b", "verdict": "failed"}]
    content = {"schema": "dockertls/audit/1", "data": {"results": wrong}}
    with pytest.raises(Refused) as caught:
        read(json.dumps(content).encode(), "b")
    assert [fault.message for fault in caught.value.faults] == [
        "data.results[0].verdict is none of passed, failed, warned, unknown, not-applicable",
        "data.results[1] is not an object",
        "data.results[3]: b stands there twice",
    ]
    assert all(fault.hint for fault in caught.value.faults)
    content["data"] = {"results": [7] * 1000}
    with pytest.raises(Refused) as caught:
        read(json.dumps(content).encode(), "b")
    assert [len(caught.value.faults), caught.value.faults[-1].message] == [MOST_FAULTS + 1, "and 980 more"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "verdict", "daemon"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_whatever_stands_there_it_is_read_or_refused(value: object) -> None:
    content = {"schema": "dockertls/audit/1", "data": {"results": [value], "host": value}}
    try:
        found = read(json.dumps(content).encode(), "b")
    except Refused as error:
        assert error.faults or error.hint  # noqa: PT017 - what is raised depends on the value
    else:
        assert len(found.results) == 1
