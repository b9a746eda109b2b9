"""Killed at every change of the file system: the next run finds the whole old or the whole new host, and goes on.

strace kills from outside, as the run enters a system call, which is then not carried out: the host is left as it was
between two calls. `--every=1` (`make crash`) is every call of every run; without it, some of each.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import recover
from dockertls.host import LocalHost
from dockertls.journal import JOURNAL
from tests.e2e.program import Place, program, snapshot
from tests.e2e.scenarios import (
    AUTHORITY,
    BOOTSTRAP,
    MEMORY,
    RENEW,
    SCENARIOS,
    assert_goes_on,
    copied,
    everywhere,
    rotate,
    some,
)
from tests.e2e.strace import killed, traced
from tests.e2e.whole import (
    STATE,
    assert_acquainted,
    assert_appended,
    assert_closed,
    assert_deployed,
    assert_paired,
    assert_whole,
    read,
    store,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.scenarios import Scenario, Stage
    from tests.e2e.strace import Point

pytestmark = pytest.mark.needs("root", "strace")

NOT_READY = 4
ALONE = [name for name, scenario in SCENARIOS.items() if scenario.before in {(), AUTHORITY}]
"""Scenarios before which nothing was done that could be undone."""
LOOKS = (
    ("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--check"),
    ("undo", "--dry-run"),
    ("renew", "--check"),
    ("ca", "rotate", "next", "--dry-run"),
    ("ca", "rotate", "status"),
    ("daemon", "show"),
    ("history",),
    ("status",),
)
"""What may be run on a host that was left half-way: it tells, or says no, and changes nothing."""


def test_the_next_run_finds_the_old_or_the_new_and_goes_on(stage: Stage, every: int) -> None:
    everywhere(lambda point: _killed_at(stage, point), some(stage.points, every), stage.folder)


def _killed_at(stage: Stage, point: Point) -> None:
    with stage.copy(f"killed-{point.at}") as place:
        stage.killed(place, point)
        assert_closed(place)
        if stage.scenario.seamless:
            assert_paired(place)
            assert_acquainted(place)
        with copied(place, f"recovered-{point.at}") as other:
            _recovers(stage, other)
        _goes_on(stage, place)


def _recovers(stage: Stage, place: Place) -> None:
    """What a killed run left is taken back or is done, whatever runs next."""
    recover(LocalHost(str(place.root)))
    stage.course.assert_reached(place)
    assert_whole(place)


def _goes_on(stage: Stage, place: Place) -> None:
    """The same run again ends as if nothing had been, and has nothing to do after that."""
    assert_goes_on(stage, place)
    after = place.snapshot
    ran = stage.run(place)
    assert ran.code == (stage.scenario.again or 0), ran
    assert stage.scenario.again is None or place.snapshot == after
    assert_whole(place)


def test_a_run_that_is_killed_while_it_takes_back_is_no_worse(stage: Stage, every: int) -> None:
    names = [point for point in stage.points if point.call in {"renameat", "unlinkat"}]
    chosen = {*some(names, 2 * every), *some(stage.points, 15 * every)}
    everywhere(lambda point: _killed_twice(stage, point, every), sorted(chosen), stage.folder)


def _killed_twice(stage: Stage, point: Point, every: int) -> None:
    with stage.copy(f"killed-{point.at}") as place:
        stage.killed(place, point)
        with copied(place, f"recovering-{point.at}") as other:
            again = stage.traced(other).points
        journal = next((number for number, one in enumerate(again) if _forgets(one)), -1)
        for second in some(again[: journal + 1], every):
            with copied(place, f"killed-{point.at}-{second.at}") as other:
                stage.killed(other, second)
                assert_closed(other)
                recover(LocalHost(str(other.root)))
                assert stage.course.reached(other) is stage.course.reached(place)
                stage.course.assert_reached(other)
                assert_whole(other)


def _forgets(point: Point) -> bool:
    """Whether this ends the way back."""
    return point.call == "unlinkat" and point.names.endswith(f" {JOURNAL}")


def test_a_look_changes_nothing_and_tells(stage: Stage, every: int) -> None:
    everywhere(lambda point: _looked_at(stage, point), some(stage.points, 3 * every), stage.folder)


def _looked_at(stage: Stage, point: Point) -> None:
    with stage.copy(f"killed-{point.at}") as place:
        stage.killed(place, point)
        before = place.snapshot
        half_way = (place.root / STATE / JOURNAL).exists()
        for words in LOOKS:
            ran = place.run(*words)
            assert place.snapshot == before, words
            refused = half_way and words[-1] in {"--check", "--dry-run"}
            assert refused == ("killed half-way" in ran.err), ran
            assert ran.code == NOT_READY if refused else ran.code in {0, 1, NOT_READY}, ran


@pytest.mark.parametrize("stage", ALONE, indirect=True)
def test_what_was_begun_can_be_undone_at_once(stage: Stage, every: int) -> None:
    everywhere(lambda point: _undone_at(stage, point), some(stage.points, 3 * every), stage.folder)


def _undone_at(stage: Stage, point: Point) -> None:
    with stage.copy(f"killed-{point.at}") as place:
        stage.killed(place, point)
        done = stage.course.is_new(place)
        ran = place.run("undo", "--yes")
        assert ran.code == (0 if done else NOT_READY), ran
        stage.course.assert_old(place)
        assert_whole(place)
        assert_appended(store(stage.ready), store(place))


@pytest.mark.parametrize("stage", ["configure-env"], indirect=True)
def test_a_renewal_sees_what_was_taken_back(stage: Stage) -> None:
    names = [point for point in stage.points if point.call == "renameat"]
    everywhere(lambda point: _renewed_at(stage, point), names, stage.folder)


def _renewed_at(stage: Stage, point: Point) -> None:
    with stage.copy(f"killed-{point.at}") as place:
        stage.killed(place, point)
        place.done("renew", "--yes")
        stage.course.assert_reached(place)
        assert_whole(place)


def test_a_store_that_is_shared_stays_of_use_to_other_hosts(every: int) -> None:
    """The other one runs between the kill and the recovery, with a history that is as short; then the first goes on."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        folder = Path(made)
        with two_hosts(folder, "first") as (one, _):
            one.done(*BOOTSTRAP)
            assert_whole(one)
        with two_hosts(folder, "undisturbed") as (one, _):
            points = traced(program(*one.words, *BOOTSTRAP), one.root.parent).points
        everywhere(lambda point: _shared(folder, point), some(points, every), folder)


@contextmanager
def two_hosts(folder: Path, name: str) -> Iterator[tuple[Place, Place]]:
    """Two hosts and their store beside them."""
    inside = folder / name
    options = ("--store", str(inside / "store"))
    one, other = (Place(Place.recorded("debian", inside / host).root, options) for host in ("one", "other"))
    yield one, other
    shutil.rmtree(inside)


def _shared(folder: Path, point: Point) -> None:
    with two_hosts(folder, f"killed-{point.at}") as (one, other):
        killed(program(*one.words, *BOOTSTRAP), one.root.parent, point)
        other.done(*BOOTSTRAP)
        made = snapshot(other.store)
        one.done(*BOOTSTRAP)
        assert_appended(made, snapshot(one.store))
        for place in (one, other):
            assert_whole(place)
            assert place.done(*BOOTSTRAP, "--check").out.strip() == "nothing to do"
        assert not [path for path in one.store.rglob("*") if ".dockertls-" in path.name]


@pytest.mark.parametrize("name", ["renew", "rotate-start", "rotate-to-3", "rotate-last", "rotate-abort"])
def test_what_was_issued_and_not_deployed_is_deployed_by_the_next_run(name: str, every: int) -> None:
    """What a killed run has put into a shared store stays there; the host is behind it then, and follows."""
    scenario = SCENARIOS[name]
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        folder = Path(made)
        with behind(scenario, folder, "undisturbed") as place:
            points = traced(program(*place.words, *scenario.words), place.root.parent).points
        everywhere(lambda point: _deployed(scenario, folder, point), some(points, every), folder)


@contextmanager
def behind(scenario: Scenario, folder: Path, name: str) -> Iterator[Place]:
    """A host that is ready for a scenario, and its store beside it."""
    with two_hosts(folder, name) as (one, _):
        for words in scenario.before:
            one.done(*words)
        yield one


def _deployed(scenario: Scenario, folder: Path, point: Point) -> None:
    with behind(scenario, folder, f"killed-{point.at}") as place:
        before = snapshot(place.store)
        killed(program(*place.words, *scenario.words), place.root.parent, point)
        for words in ((RENEW,) if point.at % 2 else ()) + ((*rotate("--now"), "--name", "the next one"), RENEW):
            place.done(*words)
            assert_whole(place)
            assert_deployed(place)
        assert_appended(before, snapshot(place.store))
        assert len(read(place.root / "etc/docker/ca.pem")) == 1
        assert not [path for path in place.store.rglob("*") if ".dockertls-" in path.name]
