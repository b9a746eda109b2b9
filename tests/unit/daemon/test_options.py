"""The table of options, checked against the real binary and against itself."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.options import (
    BY_FLAG,
    TABLE,
    WHOLE_KEYS,
    BadValue,
    Kind,
    fits,
    join_values,
    read_value,
)

if TYPE_CHECKING:
    from dockertls.documents.json_file import Json


LINE = re.compile(r"^ {2,6}(?:-(?P<short>\w), )?--(?P<flag>[a-z0-9-]+)(?: (?P<kind>[a-z-]+))?(?: {2,}|$)", re.MULTILINE)


@pytest.mark.needs("dockerd")
def test_every_flag_of_the_real_dockerd_is_a_row_of_the_right_kind() -> None:
    told = subprocess.run(["dockerd", "--help"], capture_output=True, text=True, check=True).stdout
    real = {match["flag"]: (match["kind"] or "", match["short"] or "") for match in LINE.finditer(told)}
    table = {flag: (row.kind.value, row.short) for flag, row in BY_FLAG.items()}
    assert len(real) > 70
    assert real == {flag: table.get(flag) for flag in real}


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
