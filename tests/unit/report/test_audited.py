"""How results are told, in which order, and what they come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockertls.findings import NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.audited import Result, Waiver, counted, sections, tally
from dockertls.report.score import score
from tests.unit.report import audits
from tests.unit.report.audits import FILES, NET, RUNS, UNTIL, USUAL, audit, failed, result


def test_areas_and_what_is_in_them_begin_with_the_worst() -> None:
    found = sections(USUAL)
    assert [one.area for one in found] == [NET, RUNS, FILES]
    assert [one.finding.id for one in found[1].results] == [
        "DMN-02", "DMN-13", "DMN-19", "DMN-14", "DMN-06", "DMN-05", "DMN-15",
    ]  # fmt: skip


def test_of_the_same_verdict_the_severer_comes_first() -> None:
    rising = (result(one.name, failed(), one) for one in reversed(Severity))
    assert [one.finding.severity for one in sections(audit(*rising))[0].results] == list(Severity)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (audits.OPEN_PORT, "failed"),
        (audits.LOGS, "warned"),
        (audits.SOCKET, "waived"),
        (audits.PRIVILEGES, "known"),
        (audits.CONFINED, "unknown"),
        (audits.DRIVER, "not-applicable"),
        (replace(audits.KEYS, waiver=Waiver("why", UNTIL)), "passed"),
        (replace(audits.KEYS, known=True), "passed"),
        (replace(audits.CONFINED, waiver=Waiver("why", UNTIL)), "unknown"),
        (replace(audits.SOCKET, known=True), "waived"),
    ],
)
def test_only_a_failure_or_a_warning_can_be_let_be(one: Result, told: str) -> None:
    assert one.told == told


def test_what_is_let_be_does_not_fail_the_audit() -> None:
    assert not audit(audits.SOCKET, audits.PRIVILEGES, audits.LOGS, audits.CONFINED).failed
    assert audit(audits.BRIDGE).failed
    assert audit(audits.BRIDGE, fail_on=Severity.MEDIUM).failed
    assert not audit(audits.BRIDGE, fail_on=Severity.HIGH).failed


def test_counts_name_what_there_is() -> None:
    assert tally(USUAL.results) == {
        "failed": 2, "warned": 1, "unknown": 1, "waived": 1, "known": 1, "not-applicable": 1, "passed": 4,
    }  # fmt: skip
    assert counted(audit(audits.DRIVER, audits.PORT, audits.KEYS).results) == "1 not applicable, 2 passed"


def test_the_score_is_the_weight_of_what_passed() -> None:
    found = score(
        audit(
            result("a", Passed(), Severity.HIGH),
            result("b", failed(), Severity.MEDIUM),
            result("c", Warned((), "c", "r"), Severity.LOW),
            result("d", Passed(), Severity.INFO),
        )
    )
    assert (found.passed, found.of, found.points) == (8 + 1, 8 + 4 + 2 + 1, 60)


def test_what_is_not_known_or_makes_no_sense_is_no_part_of_the_score_and_is_counted() -> None:
    kept = (result("a", Passed()), result("b", failed()))
    unknown, senseless = result("c", Unknown("why"), Severity.CRITICAL), result("d", NotApplicable("why"))
    with_them, without = score(audit(*kept, unknown, senseless)), score(audit(*kept))
    assert with_them.points == without.points == 50
    assert "; 1 could not be, and counts as neither" in with_them.line
    assert "could not" not in without.line


@pytest.mark.parametrize("one", [audits.SOCKET, audits.PRIVILEGES])
def test_to_let_something_be_does_not_raise_the_score(one: Result) -> None:
    assert score(audit(result("a", Passed(), one.finding.severity), one)).points == 50


def test_only_all_of_it_is_a_hundred() -> None:
    many = [result(f"p{number}", Passed(), Severity.CRITICAL) for number in range(99)]
    one = result("x", failed(), Severity.INFO)
    assert score(audit(*many, one)).points == 99
    assert score(audit(*many)).points == 100


def test_of_nothing_there_is_no_score() -> None:
    found = score(audit(result("a", Unknown("why"))))
    assert (found.points, found.line) == (None, "none of the checks could be judged (1 unknown)")
    assert score(audit()).line == "none of the checks could be judged"
