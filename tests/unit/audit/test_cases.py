"""Every check of the catalogue, by cases that are data: tests/cases/audit/ID/NAME.json."""

from __future__ import annotations

import json

import pytest

from dockertls.audit.catalogue import BY_ID
from tests.cases.auditing import Case, cases

CASES = tuple(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.name}")
def test_case(case: Case) -> None:
    told = case.judged()
    assert told["verdict"] == case.verdict, told
    assert case.told.get("says", "") in json.dumps(told, ensure_ascii=False), told


@pytest.mark.parametrize("id_", BY_ID)
def test_every_check_has_cases_that_tell_it_apart(id_: str) -> None:
    verdicts = {case.verdict for case in CASES if case.check == id_}
    assert verdicts & {"failed", "warned"} or id_ in NEVER_FAIL, "a case in which it does not hold is missing"
    assert "passed" in verdicts or id_ in NEVER_PASS, "a case in which it holds is missing"
    assert "unknown" in verdicts or id_ in NEVER_UNKNOWN, "a case in which it cannot be told is missing"


def test_every_case_is_of_a_check() -> None:
    assert {case.check for case in CASES} <= BY_ID.keys()


NEVER_FAIL = {"HST-03": "it is for others to say"}
NEVER_PASS = {
    "HST-03": "it is for others to say",
    "NET-11": "rules are not read",
    "NET-13": "it is news, or it is not",
    "TLS-13": "Docker has no way",
}
NEVER_UNKNOWN = {
    "NET-02": "files say it, or dockerd is not installed",
    "NET-12": "likewise",
    "TLS-13": "likewise",
    "HST-03": "it is for others to say",
    "FS-03": "what cannot be seen of it is not there for dockerd either",
    "DMN-01": "the unit says it, or the process",
}
