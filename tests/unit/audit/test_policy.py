"""A policy: what it may say, all that is wrong with one at once, and what it makes of an audit's results."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from dockertls.audit.checks.daemon import TABLE
from dockertls.audit.policy import Policy, apply, parse
from dockertls.audit.policy_file import EXAMPLES, MOST
from dockertls.audit.seen import Expected
from dockertls.errors import Refused
from dockertls.findings import Failed, Finding, NotApplicable, Passed, Severity, Unknown, Verdict, Warned
from dockertls.report.audited import Result, Waiver

KNOWN = frozenset(check.id for check in TABLE)
README = Path(__file__).parents[3] / "README.md"
TODAY, YESTERDAY, TOMORROW = date(2026, 11, 26), date(2026, 11, 25), date(2026, 11, 27)

FAILED = Failed((), "it is open", "close it")
WARNED = Warned((), "it is ajar", "look at it")
UNKNOWN, NOT_HERE = Unknown("it is not readable"), NotApplicable("there is no door")


def read(text: str) -> Policy:
    return parse(text.encode(), "policy.yaml", KNOWN)


def refused(text: str) -> list[str]:
    """Every fault of a policy."""
    with pytest.raises(Refused) as error:
        read(text)
    assert all(fault.hint for fault in error.value.faults)
    return [fault.message.removeprefix("policy.yaml:") for fault in error.value.faults]


def waiving(**members: str) -> str:
    whole = {"check": "DMN-09", "reason": "why", "until": "2027-03-01"} | members
    return "waive:\n- " + "\n  ".join(f"{name}: {value}" for name, value in whole.items()) + "\n"


# What it may say


def test_the_example_of_the_readme() -> None:
    section = README.read_text().partition("\n## Policy\n")[2].partition("\n## ")[0]
    policy = read(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])
    assert policy.expected == Expected(
        frozenset({"ann", "bob"}), timedelta(days=60), timedelta(days=14), least_rsa=3072, strict_files=True
    )
    assert policy.severities == {"DMN-02": Severity.HIGH, "DMN-18": Severity.INFO}
    assert list(policy.waivers) == [("DMN-09", "docker.service"), ("DMN-13", "")]
    assert policy.waivers["DMN-09", "docker.service"].until == date(2027, 3, 1)
    assert all(f"\n{name}:" in section for name in EXAMPLES), "it has all that a policy may have"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "\ufeff", "{}"])
def test_an_empty_file_is_the_policy_of_who_has_none(text: str) -> None:
    assert read(text) == Policy()


@pytest.mark.parametrize("name", sorted(set(EXAMPLES)))
def test_each_member_by_itself_as_hints_show_it(name: str) -> None:
    assert isinstance(read(f"{name}: {EXAMPLES[name]}\n"), Policy)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker-group: []", Expected(frozenset())),
        ("docker-group: [no, 010, ~]", Expected(frozenset({"no", "010", "~"}))),
        ("expiry: {warn: 4w}", Expected(warn=timedelta(weeks=4))),
        ("expiry: {fail: 12h}", Expected(fail=timedelta(hours=12))),
        ("expiry: {warn: 7d}", Expected(warn=timedelta(days=7))),
        ("keys: {rsa: 2048}", Expected()),
        ("keys: {rsa: '8192'}", Expected(least_rsa=8192)),
        ("files: normal", Expected()),
    ],
)
def test_what_is_expected_of_a_host(text: str, expected: Expected) -> None:
    assert read(text) == Policy(expected)


def test_a_reason_of_many_lines_becomes_one() -> None:
    text = waiving(reason=">\n      images are\n      shared")
    assert read(text).waivers == {("DMN-09", ""): Waiver("images are shared", date(2027, 3, 1))}


def test_a_check_may_be_waived_for_every_dockerd_and_otherwise_for_one() -> None:
    text = waiving() + waiving(daemon="docker.service").removeprefix("waive:\n")
    assert list(read(text).waivers) == [("DMN-09", ""), ("DMN-09", "docker.service")]


def test_who_has_no_policy_does_not_load_a_parser_for_it() -> None:
    program = "import sys, dockertls.audit.policy; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# What is wrong with it


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
schema: dockertls/policy/2
docker_group: [ann]
severity:
  DMN-2: hihg
  DMN-03: &x high
  DMN-04: *x
waive:
  - check: DMN-09
    until: 2027-02-30
  - reason: !!str why
    until: 2027-03-01
    untill: 2027-03-01
"""
    assert refused(text) == [
        "1: schema: dockertls/policy/2 is not known",
        "2: a policy has no docker_group",
        "4: DMN-2 is no check",
        "4: severity of DMN-2: hihg is not known",
        "5: &x: anchors are not taken",
        "6: *x: aliases are not taken",
        "8: a waiver without reason",
        "9: until: 2027-02-30 is no day",
        "10: tag:yaml.org,2002:str: tags are not taken",
        "10: a waiver without check",
        "12: a waiver has no untill",
    ]


def test_what_stands_before_something_that_is_no_yaml_is_judged_too_and_what_is_cut_off_is_not() -> None:
    text = "docker_group: [ann]\nfiles: strict\nwaive:\n- check: DMN-09\n  reason: see: ticket\n  until: 2027-03-01\n"
    assert refused(text) == [
        "1: a policy has no docker_group",
        "2: files: strict is not known",
        "5: this is not YAML: mapping values are not allowed here",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- a", "1: a policy: names and values must stand here"),
        ("files", "1: a policy: names and values must stand here"),
        ("docker-group: ann, bob", "1: docker-group: a list must stand here"),
        ("docker-group:", "1: docker-group: a list must stand here"),
        ("docker-group: [ann bob]", "1: docker-group: ann bob is no name of a user"),
        ("docker-group: ['']", "1: docker-group:  is no name of a user"),
        ("docker-group: [[ann]]", "1: a member of docker-group: text must stand here"),
        ("severity: high", "1: severity: names and values must stand here"),
        ("severity: {dmn-02: high}", "1: dmn-02 is no check"),
        ("severity: {DMN-02: [high]}", "1: severity of DMN-02: text must stand here"),
        ("severity: {DMN-02: high, DMN-02: low}", "1: DMN-02 stands here and on line 1"),
        ("waive: {DMN-09: x}", "1: waive: a list must stand here"),
        ("waive: [DMN-09]", "1: a waiver: names and values must stand here"),
        (waiving(check="XYZ-01"), "2: XYZ-01 is no check"),
        (waiving(check="[DMN-09]"), "2: check: text must stand here"),
        (waiving(reason="' '"), "3: reason: nothing stands here"),
        (waiving(reason=""), "3: reason: nothing stands here"),
        (waiving(until="20270301"), "4: until: 20270301 is no day"),
        (waiving(until="2027-W09-1"), "4: until: 2027-W09-1 is no day"),
        (waiving(until="2027-13-01"), "4: until: 2027-13-01 is no day"),
        (waiving(until="never"), "4: until: never is no day"),
        (waiving(until="2027-03-01 12:00"), "4: until: 2027-03-01 12:00 is no day"),
        (waiving(until="٢٠٢٧-٠٣-٠١"), "4: until: ٢٠٢٧-٠٣-٠١ is no day"),  # noqa: RUF001 - digits, of another script
        (waiving(daemon=""), "5: daemon: nothing stands here"),
        (waiving() + waiving().removeprefix("waive:\n"), "5: DMN-09 is waived here and on line 2"),
        ("expiry: 30d", "1: expiry: names and values must stand here"),
        ("expiry: {warn: 30}", "1: expiry warn: 30 is no time"),
        ("expiry: {warn: -3d}", "1: expiry warn: -3d is no time"),
        ("expiry: {warn: 1000000d}", "1: expiry warn: 1000000d is no time"),
        ("expiry: {warn: 6d}", "1: expiry: it fails before it warns"),
        ("expiry: {soon: 3d}", "1: expiry has no soon"),
        ("keys: {rsa: 1024}", "1: keys rsa: 1024 is no length that keys should have"),
        ("keys: {rsa: 0x1000}", "1: keys rsa: 0x1000 is no length that keys should have"),
        ("keys: {rsa: 16384}", "1: keys rsa: 16384 is no length that keys should have"),
        ("keys: {dsa: 1024}", "1: keys has no dsa"),
        ("files: strict", "1: files: strict is not known"),
        ("files: {a: b}", "1: files: text must stand here"),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here"),
        ("files: [", "1: this is not YAML"),
    ],
)
def test_a_fault(text: str, fault: str) -> None:
    found = refused(text)
    assert any(one.startswith(fault) for one in found), found
    assert len(found) == 1 or "---" in text


def test_what_is_wrong_as_yaml_is_not_told_twice() -> None:
    assert refused("docker-group: *x\nseverity: *x\nwaive: *x\nexpiry: *x\nfiles: *x\n") == [
        f"{line}: *x: aliases are not taken" for line in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("docker_group: [ann]", "did you mean docker-group?"),
        ("Severity: {}", "did you mean severity?"),
        ("severity: {DMN-2: high}", "did you mean DMN-02?"),
        ("severity: {dmn_17: high}", "did you mean DMN-17?"),
        ("severity: {DMN-02: Critcal}", "did you mean critical?"),
        ("severity: {DMN-02: sever}", "one of: critical, high, medium, low, info"),
        ("zzz: 1", "it may have schema, docker-group, severity, waive, expiry, keys, files"),
    ],
)
def test_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(Refused) as error:
        read(text)
    assert error.value.hint == hint


def test_one_fault_is_the_error_itself() -> None:
    with pytest.raises(Refused, match=r"\Apolicy\.yaml:1: files: x is not known\Z"):
        read("files: x")


def test_nobody_is_told_more_faults_than_he_can_read() -> None:
    found = refused("\n".join(f"k{number}: 1" for number in range(MOST + 5)))
    assert len(found) == MOST + 1
    assert found[-1] == " 5 faults more"


def test_the_name_of_a_file_cannot_drive_a_terminal() -> None:
    with pytest.raises(Refused) as error:
        parse(b"files: x", "\x1b[2J.yaml", KNOWN)
    assert error.value.message.startswith("\\x1b[2J.yaml:1: ")


# What it makes of results


def result(verdict: Verdict, check: str = "DMN-09", daemon: str = "docker.service") -> Result:
    return Result(Finding(check, "a title", Severity.MEDIUM, verdict), "an area", daemon)


def waived(until: date, daemon: str = "") -> Policy:
    return Policy(waivers={("DMN-09", daemon): Waiver("images are shared", until)})


def test_without_a_policy_results_are_as_they_were() -> None:
    results = (result(FAILED), result(Passed()), result(UNKNOWN, daemon=""))
    applied = apply(Policy(), results, TODAY)
    assert applied.results == results
    assert applied.notes == ()


def test_a_severity_is_changed_whatever_the_verdict() -> None:
    policy = Policy(severities={"DMN-09": Severity.HIGH})
    results = (result(FAILED), result(Passed()), result(FAILED, "DMN-02"))
    found = apply(policy, results, TODAY).results
    assert [one.finding.severity for one in found] == [Severity.HIGH, Severity.HIGH, Severity.MEDIUM]
    assert found[0].fails(Severity.HIGH)


@pytest.mark.parametrize("until", [TODAY, TOMORROW])
@pytest.mark.parametrize("verdict", [FAILED, WARNED, UNKNOWN])
def test_a_waiver_in_force_lets_a_result_be_and_does_not_hide_it(until: date, verdict: Verdict) -> None:
    applied = apply(waived(until), (result(verdict),), TODAY)
    assert applied.results[0].waiver == Waiver("images are shared", until)
    assert applied.results[0].finding.verdict == verdict
    assert not applied.results[0].counts
    assert applied.notes == ()


@pytest.mark.parametrize("verdict", [FAILED, WARNED])
def test_what_a_waiver_was_for_has_failed_when_it_ends(verdict: Failed | Warned) -> None:
    applied = apply(waived(YESTERDAY), (result(verdict),), TODAY)
    cause = f"{verdict.cause}; the waiver ended 2026-11-25: images are shared"
    remedy = f"{verdict.remedy}; or waive it anew, until another day"
    assert applied.results[0].finding.verdict == Failed((), cause, remedy)
    assert applied.results[0].waiver is None
    assert applied.results[0].fails(Severity.MEDIUM)
    assert applied.notes == ()


def test_an_ended_waiver_of_what_could_not_be_told_is_told() -> None:
    applied = apply(waived(YESTERDAY), (result(UNKNOWN),), TODAY)
    assert applied.results == (result(UNKNOWN),)
    assert applied.notes == ("the waiver of DMN-09 has ended, and what it was for could not be told",)


@pytest.mark.parametrize("until", [YESTERDAY, TOMORROW])
def test_a_waiver_of_what_passes_is_no_longer_needed(until: date) -> None:
    applied = apply(waived(until), (result(Passed()), result(NOT_HERE, daemon="other")), TODAY)
    assert [one.waiver for one in applied.results] == [None, None]
    assert applied.notes == ("the waiver of DMN-09 is no longer needed, the check passes: remove it",)


def test_a_waiver_for_every_dockerd_is_needed_as_long_as_one_needs_it() -> None:
    assert apply(waived(TOMORROW), (result(Passed()), result(FAILED, daemon="other")), TODAY).notes == ()


def test_a_waiver_of_what_was_not_asked_or_does_not_apply_is_passed_over() -> None:
    assert apply(waived(TOMORROW), (result(FAILED, "DMN-02"),), TODAY).notes == ()
    assert apply(waived(TOMORROW), (result(NOT_HERE),), TODAY).notes == ()


def test_a_waiver_for_one_dockerd_is_for_no_other() -> None:
    applied = apply(waived(TOMORROW, "docker.service"), (result(FAILED), result(FAILED, daemon="other")), TODAY)
    assert [one.counts for one in applied.results] == [False, True]


def test_a_waiver_for_a_dockerd_that_is_not_there_is_told() -> None:
    note = "the waiver of DMN-09 for elsewhere is for nothing that was judged: remove it, or correct its daemon"
    assert apply(waived(TOMORROW, "elsewhere"), (result(FAILED),), TODAY).notes == (note,)


def test_the_waiver_that_names_a_dockerd_counts_before_the_one_for_all() -> None:
    policy = Policy(waivers={**waived(TOMORROW).waivers, **waived(YESTERDAY, "docker.service").waivers})
    applied = apply(policy, (result(FAILED), result(FAILED, daemon="other")), TODAY)
    assert [one.counts for one in applied.results] == [True, False]


def test_a_reason_cannot_drive_a_terminal() -> None:
    policy = Policy(waivers={("DMN-09", ""): Waiver("\x1b[2J", YESTERDAY)})
    verdict = apply(policy, (result(FAILED),), TODAY).results[0].finding.verdict
    assert isinstance(verdict, Failed)
    assert "\\x1b[2J" in verdict.cause
