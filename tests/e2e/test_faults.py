"""The operating system says no, at any change: the host is as it was, and the user is told why and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dockertls.journal import JOURNAL
from tests.e2e.faults import ERRORS, LASTING, SAID, filling
from tests.e2e.scenarios import assert_goes_on, everywhere, some
from tests.e2e.whole import STATE, assert_whole

if TYPE_CHECKING:
    from tests.e2e.program import Place, Ran
    from tests.e2e.scenarios import Stage
    from tests.e2e.strace import Point

pytestmark = pytest.mark.needs("root", "strace")
NOT_READY, UNDONE, UNDO_FAILED = 4, 5, 6


def test_a_call_that_fails_leaves_the_host_as_it_was(stage: Stage, every: int) -> None:
    everywhere(lambda point: _fails_at(stage, point), some(stage.points, every), stage.folder)


def _fails_at(stage: Stage, point: Point) -> None:
    for error in ERRORS[point.call]:
        with stage.copy(f"failing-{point.at}") as place:
            _assert_nothing_done(stage, place, stage.failing(place, point, error), error)
            assert_goes_on(stage, place)


def _assert_nothing_done(stage: Stage, place: Place, ran: Ran, error: str) -> None:
    """Unless it was done and durable already, when it failed; what the run had done before stays."""
    if stage.course.is_new(place):
        assert ran.code == 0, ran
        return
    assert ran.code in {NOT_READY, UNDONE}, ran
    reason, hint = ran.err.splitlines()[-2:]
    assert SAID[error] in reason
    assert ("everything was put back" in reason) == (ran.code == UNDONE)
    assert hint.strip()
    stage.course.assert_reached(place)
    assert_whole(place)


def test_what_fails_on_and_on_is_taken_back_as_soon_as_it_can_be(stage: Stage, every: int) -> None:
    points = [point for point in stage.points if point.call in LASTING]
    everywhere(lambda point: _keeps_failing(stage, point), some(points, every), stage.folder)


def _keeps_failing(stage: Stage, point: Point) -> None:
    with stage.copy(f"failing-{point.at}") as place:
        ran = stage.failing(place, point, LASTING[point.call], lasting=True)
        if ran.code == UNDO_FAILED:
            assert f"/{STATE}/{JOURNAL}" in ran.err
            assert "run dockertls again" in ran.err
        else:
            _assert_nothing_done(stage, place, ran, LASTING[point.call])
        assert_goes_on(stage, place)


@pytest.mark.parametrize("what", ["size", "nr_inodes"])
def test_a_disk_that_is_really_full(stage: Stage, what: str, every: int) -> None:
    """With no room at all, then with more each time, until there is enough."""
    for room in range(0, 200, every):
        with stage.copy(f"{what}-{room}") as place, filling(place.root, what, room):
            _assert_nothing_done(stage, place, stage.run(place), "ENOSPC")
            if stage.course.is_new(place):
                return
    pytest.fail("it is never enough")
