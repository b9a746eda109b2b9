"""What is shown of a daemon: options with their places, lists under heads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockertls.report import daemon


def test_further_values_of_an_option_stand_below_the_first() -> None:
    table = daemon.options([("hosts", ["fd://"], "a:1"), ("hosts", ["tcp://x:1"], "b:2"), ("icc", False, "b:3")])
    assert [row.cells for row in table.rows] == [
        ("hosts", "fd://", "a:1"),
        ("", "tcp://x:1", "b:2"),
        ("icc", "false", "b:3"),
    ]


def test_each_thing_has_its_head_and_what_is_said_of_it_beneath() -> None:
    said = {"problem": [("one", "do this"), ("two",)], "not told": []}
    assert [[row.cells for row in table.rows] for table in daemon.lists(said)] == [
        [("problem", "one"), ("", "  do this"), ("problem", "two")]
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ["a=b"], "not given -> a=b"),
        (True, None, "true -> not given"),
        (["fd://"], ["fd://", "tcp://x:1"], "fd:// -> fd://, tcp://x:1"),
        ({"a": "é"}, 5, '{"a": "é"} -> 5'),
    ],
)
def test_a_change_is_from_one_value_to_another(before: object, after: object, told: str) -> None:
    assert daemon.change(before, after) == told


def test_a_moment_is_told_to_the_second() -> None:
    assert daemon.moment(datetime(2026, 11, 24, 5, 50, 8, 810000, tzinfo=UTC)) == "2026-11-24T05:50:08Z"
    assert daemon.moment(None) is None
