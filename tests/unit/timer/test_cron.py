"""The files that a cron runs."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.timer.cron import TABLE, Cron, moment

words = st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1), min_size=1)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
@settings(deadline=None)
@given(words=words)
def test_what_is_run_is_read_back(row: Cron, words: list[str]) -> None:
    assert row.words(row.text(words, "web1")) == tuple(words)


@settings(deadline=None)
@given(words=words)
def test_no_percent_sign_ends_a_line_of_a_crontab(words: list[str]) -> None:
    """cron turns an escaped one back, and gives the rest to sh (crontab(5))."""
    line = TABLE[0].text(words, "web1").splitlines()[-1]
    minute, hour, *stars, user, command = line.split(" ", 6)
    assert (stars, user) == (["*", "*", "*"], "root")
    assert (int(hour), int(minute)) == moment("web1")
    assert "%" not in command.replace("\\%", "")
    assert shlex.split(command.replace("\\%", "%")) == words


def test_a_host_has_a_time_of_its_own_and_keeps_it() -> None:
    moments = [moment(f"web{number}") for number in range(200)]
    assert moments == [moment(f"web{number}") for number in range(200)]
    assert len(set(moments)) > 100
    assert {hour for hour, _ in moments} == {0, 1, 2, 3}
    assert all(0 <= minute < 60 for _, minute in moments)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_file_that_somebody_made_something_else_of_runs_nothing_that_is_known(row: Cron) -> None:
    assert row.words("") == ()
    assert row.words("exec 'open") == ()
