"""JUnit's XML as its readers take it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.parsers import expat

import pytest
from junitparser import Failure, JUnitXml, Skipped

from dockertls.findings import Severity
from dockertls.report import junit
from tests.unit.report.audits import BRIDGE, LOGS, NET, ODD, PRIVILEGES, RUNS, USUAL, audit, failed, hostile, result

if TYPE_CHECKING:
    from junitparser import TestCase as Case

    from dockertls.report.audited import Audit


def read(found: Audit) -> JUnitXml:
    return JUnitXml.fromstring(junit.document(found).encode())


def cases(found: Audit) -> dict[str, Case]:
    return {case.name.split()[0]: case for suite in read(found) for case in suite}


def test_there_is_a_suite_for_each_area_and_a_case_for_each_check_and_daemon() -> None:
    several = audit(BRIDGE, replace(BRIDGE, daemon="other.service"), LOGS, *USUAL.results[:2])
    found = read(several)
    assert [suite.name for suite in found] == [NET, RUNS]
    assert [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in found] == [
        (2, 1, 0, 0), (3, 2, 0, 0),
    ]  # fmt: skip
    names = [(case.classname, case.name) for suite in found for case in suite]
    assert ("dockertls.docker_service", "DMN-02 DMN-02 holds") in names
    assert len(set(names)) == 5
    assert {suite.hostname for suite in found} == {"web1.example.org"}
    assert {suite.timestamp for suite in found} == {"2026-11-26T18:04:05"}


def test_a_failure_has_its_severity_and_says_what_to_do() -> None:
    [found] = cases(USUAL)["NET-01"].result
    assert isinstance(found, Failure)
    assert (found.type, found.message) == ("critical", "anybody who reaches port 2375 is root on this host")
    assert "what to do: secure it: dockertls bootstrap" in found.text
    assert "unit, /lib/systemd/system/docker.service:13 ExecStart: -H tcp://0.0.0.0:2375, expected: no" in found.text
    assert "CIS 1.8: 2.8" in found.text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DMN-19", "unknown: whether SELinux or AppArmor confines containers: the API was not asked"),
        ("DMN-06", "not applicable: Docker 25.0 and newer know neither aufs nor devicemapper"),
        ("FS-03", "waived until 2027-03-31 (a lab that goes away): everybody may use the socket"),
        ("DMN-14", "known from the baseline: a program in a container may gain rights by setuid"),
    ],
)
def test_what_is_neither_good_nor_bad_is_skipped_with_the_reason(name: str, reason: str) -> None:
    [found] = cases(USUAL)[name].result
    assert isinstance(found, Skipped)
    assert found.message == reason


def test_what_passed_is_bare_and_a_warning_is_told_and_fails_nothing() -> None:
    found = cases(USUAL)
    assert (found["FS-01"].result, found["FS-01"].system_out) == ([], None)
    assert found["DMN-13"].result == []
    assert found["DMN-13"].system_out.startswith("warned, medium: json-file keeps all")


@pytest.mark.parametrize("least", Severity)
def test_there_are_failures_exactly_if_the_audit_fails(least: Severity) -> None:
    found = audit(*(result(one.name, failed(), one) for one in Severity), LOGS, PRIVILEGES, fail_on=least)
    assert read(found).failures == sum(one.value >= least.value for one in Severity)
    assert not read(audit(LOGS, PRIVILEGES, result("x", failed(), Severity.INFO), fail_on=Severity.LOW)).failures


def test_hostile_text_is_data_of_well_formed_xml_without_forbidden_characters() -> None:
    text = junit.document(hostile())
    elements: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.Parse(text.encode(), True)
    assert set(elements) == {"testsuites", "testsuite", "testcase", "failure", "skipped", "system-out"}
    assert text.replace("\n", "").isprintable()
    [suite] = read(hostile())
    assert len(list(suite)) == len(hostile().results) == suite.tests
    assert suite.name == suite.name.strip() != ODD
    assert "</script><script>document.title='owned'</script>" in suite.name


def test_an_audit_of_nothing_is_a_file_all_the_same() -> None:
    assert len(read(audit(host=""))) == 0
