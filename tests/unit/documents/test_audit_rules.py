from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertls.documents.audit_rules import watches

FILE = Path("/etc/docker/daemon.json")


def covered(text: str, path: Path = FILE) -> bool:
    return any(one.covers(path) for one in watches(text))


@pytest.mark.parametrize(
    "text",
    [
        "-w /etc/docker/daemon.json",
        "-w /etc/docker/daemon.json -p wa -k docker",
        "-w /etc/docker -p rwxa",
        '-w "/etc/docker/daemon.json" -p a',
        "-a always,exit -F path=/etc/docker/daemon.json -F perm=wa -F key=x",
        "-a exit,always -S all -F dir=/etc -F perm=w",
        "-A always,exit -F path=/etc/docker/daemon.json",
        "# a comment\n-w /etc/docker/daemon.json  # and another\n",
        "-D\n-b 8192\n-w /etc/docker/daemon.json\n-e 2",
    ],
)
def test_changes_are_told(text: str) -> None:
    assert covered(text)


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
        "-a never,exit -F path=/etc/docker/daemon.json",
        "-a always,exclude -F path=/etc/docker/daemon.json",
        "-a always,exit -F path=/etc/docker -F perm=wa",
        "-a always,exit -F path!=/etc/docker/daemon.json",
        "-w /etc/docker/daemon.json -p wa\n-D",
        "-w /etc/docker/daemon.json -p wa\n-W /etc/docker/daemon.json",
        "-w 'unclosed /etc/docker",
        "-w",
        "-w etc/docker",
    ],
)
def test_changes_are_not_told(text: str) -> None:
    assert not covered(text)


def test_a_child_does_not_stand_for_its_folder() -> None:
    assert not covered("-w /etc/docker/daemon.json", Path("/etc/docker"))


@given(st.text())
def test_anything_is_read(text: str) -> None:
    watches(text)
