"""Lines of auditctl: which path a rule is about, whether of changes, and which rules are left in the end."""

from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertls.documents.audit_rules import Form, parse


@pytest.mark.parametrize(
    ("line", "form", "path", "of_writes", "narrow"),
    [
        ("-w /etc/docker -p wa -k docker", Form.WATCH, "/etc/docker", True, False),
        ("-w /etc/docker/ -k docker", Form.WATCH, "/etc/docker", True, False),
        ("-w /usr/bin/runc -p x", Form.WATCH, "/usr/bin/runc", False, False),
        ("-a always,exit -F path=/usr/bin/runc -F perm=wa -F key=docker", Form.PATH, "/usr/bin/runc", True, False),
        ("-a exit,always -S all -F dir=/etc/docker -F perm=war", Form.DIR, "/etc/docker", True, False),
        ("-a always,exit -S execve -F path=/usr/bin/runc", Form.PATH, "/usr/bin/runc", False, False),
        ("-a always,exit -S openat,unlink -F path=/x", Form.PATH, "/x", True, False),
        ("-a always,exit -F path=/x -F auid>=1000 -F auid!=unset", Form.PATH, "/x", True, False),
        ("-a always,exit -F path=/x -F auid>=1000 -F auid!=-1", Form.PATH, "/x", True, False),
        ("-a always,exit -F path=/x -F auid=1000", Form.PATH, "/x", True, True),
        ("-a always,exit -F path=/x -F success=0", Form.PATH, "/x", True, True),
        ("-a always,exit -F path!=/x", Form.NOTHING, None, True, True),
        ("-a always,exit -F exe=/usr/bin/runc -S all", Form.NOTHING, None, True, True),
    ],
)
def test_a_rule_is_about_what_its_tokens_say(
    line: str, form: Form, path: str | None, of_writes: bool, narrow: bool
) -> None:
    (rule,) = parse(line).rules
    assert (rule.form, rule.path, rule.of_writes, rule.narrow) == (
        form,
        Path(path) if path else None,
        of_writes,
        narrow,
    )
    assert (rule.action, rule.filter) == ("always", "exit")


def test_what_is_no_rule_is_passed_over() -> None:
    assert parse("No rules\n# -w /etc/docker\n-b 8192\n--backlog_wait_time 60000\n-f 1\n\n").rules == ()


def test_rules_that_are_taken_back_are_gone() -> None:
    assert parse("-w /a\n-D\n-w /b").rules == parse("-w /b").rules
    assert parse("-w /a\n-w /b\n-W /a").rules == parse("-w /b").rules
    assert parse("-a always,exit -F dir=/a -k x\n-d always,exit -F dir=/a -k x").rules == ()


def test_a_rule_that_is_put_in_front_is_asked_first() -> None:
    rules = parse("-w /a\n-A never,exit -F dir=/a").rules
    assert [rule.action for rule in rules] == ["never", "always"]


@pytest.mark.parametrize(("text", "off"), [("-e 0", True), ("-e 0\n-e 1", False), ("-e 2", False), ("", False)])
def test_files_may_switch_auditing_off(text: str, off: bool) -> None:
    assert parse(text).off is off


FILE = Path("/etc/docker/daemon.json")


@pytest.mark.parametrize(
    "text",
    [
        "-w /etc/docker/daemon.json",
        "-w /etc/docker/daemon.json -p wa -k docker",
        "-w /etc/docker -p rwxa",
        "-w /etc/docker/ -p w",
        "-a always,exit -F path=/etc/docker/daemon.json -F perm=wa -F key=x",
        "-a exit,always -S all -F dir=/etc -F perm=w",
        "-A always,exit -F path=/etc/docker/daemon.json",
        "-a always,exit -F dir=/etc/docker -F perm=wa -F auid>=1000 -F auid!=unset",
        "-D\n-b 8192\n-w /etc/docker/daemon.json\n-e 2",
        "-w /etc/docker\n-a never,exit -F path=/etc/docker/daemon.json",
        "-a never,user -F uid=7\n-w /etc/docker",
    ],
)
def test_changes_are_told(text: str) -> None:
    assert parse(text).tells_of(FILE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No rules",
        "# -w /etc/docker/daemon.json",
        "-w /etc/docker/daemon.json.bak -p wa",
        "-w /etc/docker/daemon -p wa",
        "-w /etc/docker/daemon.json -p r",
        "-w /etc/docker/daemon.json -p x",
        "-w /etc/docker/daemon.json -p a",
        "-a never,exit -F path=/etc/docker/daemon.json",
        "-a never,exit -F dir=/etc/docker\n-w /etc/docker/daemon.json",
        "-a never,task\n-w /etc/docker/daemon.json",
        "-a always,exclude -F path=/etc/docker/daemon.json",
        "-a always,exit -F path=/etc/docker -F perm=wa",
        "-a always,exit -F path!=/etc/docker/daemon.json",
        "-a always,exit -F path=/etc/docker/daemon.json -F uid=1000",
        "-a always,exit -F path=/etc/docker/daemon.json -F success=0",
        "-w /etc/docker/daemon.json -p wa\n-D",
        "-w /etc/docker/daemon.json -p wa\n-W /etc/docker/daemon.json",
        "-w /etc/docker/daemon.json\n-e 0",
        "-w",
    ],
)
def test_changes_are_not_told(text: str) -> None:
    assert not parse(text).tells_of(FILE)


def test_a_child_does_not_stand_for_its_folder() -> None:
    assert not parse("-w /etc/docker/daemon.json").tells_of(Path("/etc/docker"))


@given(st.text())
def test_anything_is_read(text: str) -> None:
    parse(text)
