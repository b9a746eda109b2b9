"""The table of options, checked against the real binary and against itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.effective import stopping
from dockertls.daemon.model import as_packaged, from_files, packaged_files
from dockertls.daemon.options import (
    BY_FLAG,
    TABLE,
    WHOLE_KEYS,
    BadValue,
    Kind,
    Option,
    fits,
    join_values,
    read_value,
)
from dockertls.daemon.releases import lacks, parse, release_of
from dockertls.facts import HostFacts
from dockertls.host import LocalHost, Output
from dockertls.platforms import BY_NAME
from dockertls.rows import gather

if TYPE_CHECKING:
    from pathlib import Path as DiskPath

    from dockertls.documents.json_file import Json


LINE = re.compile(r"^ {2,6}(?:-(?P<short>\w), )?--(?P<flag>[a-z0-9-]+)(?: (?P<kind>[a-z-]+))?(?: {2,}|$)", re.MULTILINE)


@pytest.mark.needs("dockerd")
def test_every_flag_of_the_real_dockerd_is_a_row_of_the_right_kind() -> None:
    told = subprocess.run(["dockerd", "--help"], capture_output=True, text=True, check=True).stdout
    real = {match["flag"]: (match["kind"] or "", match["short"] or "") for match in LINE.finditer(told)}
    table = {flag: (row.kind.value, row.short) for flag, row in BY_FLAG.items()}
    assert len(real) > 70
    assert real == {flag: table.get(flag) for flag in real}


@pytest.mark.needs("dockerd")
def test_what_the_real_dockerd_knows_is_what_the_table_says_of_its_release(tmp_path: DiskPath) -> None:
    facts = gather(LocalHost(), ("version",), now=datetime.now(UTC))
    program = shutil.which("dockerd", path="/usr/sbin:/usr/bin")
    assert program
    release = release_of(facts, program)
    assert release
    keys = {row.key for row in TABLE if row.key}
    (tmp_path / "daemon.json").write_text(json.dumps(dict.fromkeys([*keys, "nonsense"], 1)))
    refused = dockerd("--config-file", str(tmp_path / "daemon.json"))
    unknown = set(re.split(r"[,\s]+", refused.partition("configuration option: ")[2])) - {""}
    assert unknown == {"nonsense"} | {
        row.key for row in TABLE if row.key and (row.only or lacks(release, row, flag=False))
    }
    for row in (row for row in TABLE if row.flag and (row.since or row.flag_since or row.removed)):
        known = f"unknown flag: --{row.flag}\n" not in dockerd(f"--{row.flag}=1", "--nonsense") + "\n"
        assert known is not bool(lacks(release, row, flag=True)), row


def dockerd(*words: str) -> str:
    """What dockerd says to a command line that it refuses."""
    done = subprocess.run(["dockerd", *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode
    return done.stderr


@pytest.mark.parametrize("column", ["since", "flag_since", "removed"])
def test_releases_of_the_table_are_releases(column: str) -> None:
    assert all(len(parse(text)) == 2 for row in TABLE if (text := getattr(row, column)))


@pytest.mark.parametrize(
    ("release", "since", "removed", "why"),
    [
        ((26, 1, 5), "27.3", "", "Docker has it since 27.3"),
        ((27, 3), "27.3", "", ""),
        ((28, 5, 2), "", "28.0", "it was removed in Docker 28.0"),
        ((27, 5, 1), "", "28.0", ""),
        ((20, 10, 24), "", "", ""),
    ],
)
def test_a_release_lacks_what_came_later_and_what_was_removed(
    release: tuple[int, ...], since: str, removed: str, why: str
) -> None:
    assert lacks(release, Option("x", Kind.BOOL, "x", since=since, removed=removed), flag=True) == why


def test_a_flag_may_be_younger_than_its_key() -> None:
    assert lacks((26, 1, 5), BY_FLAG["feature"], flag=True)
    assert not lacks((26, 1, 5), BY_FLAG["feature"], flag=False)


@pytest.mark.parametrize(
    ("answer", "release"),
    [
        ("Docker version 20.10.24+dfsg1, build 5d6db84\n", (20, 10, 24)),
        ("Docker version 28.5.2+dfsg4, build 3ef3c07c883b\n", (28, 5, 2)),
        ("Docker version 1.13.1, build 64e9980/1.13.1\n", (1, 13, 1)),
        ("Docker version 29.0.0-rc.1, build abc\n", (29, 0, 0)),
        ("Docker version dev, build unknown\n", None),
        ("", None),
    ],
)
def test_a_release_is_what_the_program_says(answer: str, release: tuple[int, ...] | None) -> None:
    program: tuple[str, ...] = ("/usr/bin/dockerd", "--version")
    facts = HostFacts(
        datetime.now(UTC), links={Path("/sbin"): Path("/usr/bin")}, outputs={program: Output(0, answer, "")}
    )
    assert release_of(facts, "/usr/bin/dockerd") == release
    assert release_of(facts, "/sbin/dockerd") == release, "by another name of the same directory"
    assert release_of(facts, "/opt/dockerd") is None
    assert release_of(facts, "/usr/bin/dockerd-current") == (1, 13)


def test_no_flag_key_or_letter_stands_twice() -> None:
    for column in ("flag", "key", "short"):
        names = [name for row in TABLE if (name := getattr(row, column))]
        assert len(names) == len(set(names)), column


def test_every_row_can_be_given_somewhere() -> None:
    assert all(row.flag or row.key for row in TABLE)


def test_objects_that_dockerd_does_not_flatten_are_keys() -> None:
    assert {row.key for row in TABLE} >= WHOLE_KEYS


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.BOOL, "T", True),
        (Kind.BOOL, "0", False),
        (Kind.INT, "-5", -5),
        (Kind.STRING, "a=b", "a=b"),
        (Kind.BYTES, "64M", "64M"),
        (Kind.LIST, "a,b", ["a,b"]),
        (Kind.MAP, "max-size=1m=2", {"max-size": "1m=2"}),
        (Kind.MAPS, "bridge=mtu=9000", {"bridge": {"mtu": "9000"}}),
        (Kind.SET, "buildkit", {"buildkit": True}),
        (Kind.SET, "buildkit=false", {"buildkit": False}),
        (Kind.ULIMITS, "nofile=1024:4096", {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}}),
        (Kind.ULIMITS, "nofile=1024", {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 1024}}),
        (Kind.RUNTIMES, "crun=/usr/bin/crun", {"crun": {"path": "/usr/bin/crun"}}),
        (Kind.POOLS, "base=10.0.0.0/8,size=24", [{"base": "10.0.0.0/8", "size": 24}]),
    ],
)
def test_a_flags_text_is_read_as_daemon_json_would_hold_it(kind: Kind, text: str, value: Json) -> None:
    assert read_value(kind, text) == value
    assert fits(kind, value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(Kind.BOOL, "yes"), (Kind.INT, "1.5"), (Kind.MAP, "x"), (Kind.ULIMITS, "nofile=a"), (Kind.POOLS, "base")],
)
def test_what_dockerd_would_refuse_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(BadValue):
        read_value(kind, text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.BOOL, "true"),
        (Kind.BOOL, 1),
        (Kind.INT, True),
        (Kind.INT, "1"),
        (Kind.LIST, "a"),
        (Kind.LIST, [1]),
        (Kind.STRING, 1),
        (Kind.MAP, ["a=b"]),
    ],
)
def test_a_value_of_another_kind_does_not_fit(kind: Kind, value: Json) -> None:
    assert not fits(kind, value)


def test_occurrences_join_as_their_kind_says() -> None:
    assert join_values(["a"], ["b"]) == ["a", "b"]
    assert join_values({"a": {"x": "1"}}, {"a": {"y": "2"}, "b": {}}) == {"a": {"x": "1", "y": "2"}, "b": {}}
    assert join_values({"a": "1"}, {"a": "2"}) == {"a": "2"}
    assert join_values("a", "b") == "b"


OTHERS = [row for row in TABLE if row.only]


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.flag)
def test_what_only_red_hats_dockerd_has_is_right_there_and_a_fault_elsewhere(row: Option) -> None:
    value = "" if row.kind is Kind.BOOL else "=7"
    theirs = as_packaged(BY_NAME["rhel7"], f"--{row.flag}{value}")
    assert not stopping(theirs)
    faults = stopping(as_packaged(BY_NAME["fedora"], f"--{row.flag}{value}"))
    assert [f"only dockerd-current has --{row.flag}" in fault.message for fault in faults] == [True]


def test_a_key_that_only_red_hats_dockerd_has_is_a_fault_elsewhere() -> None:
    for name, faults in (("rhel7", 0), ("debian", 1)):
        files = packaged_files(BY_NAME[name]) | {Path("/etc/docker/daemon.json"): '{"add-registry": ["x"]}'}
        assert len(stopping(from_files(files))) == faults
