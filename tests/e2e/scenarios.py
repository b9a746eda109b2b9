"""Runs that change a host, each on a host that is ready for it: what is killed, and what is made to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import traceback
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.program import Place, forked, judged, program
from tests.e2e.strace import failing, killed, traced
from tests.e2e.whole import Course, State, assert_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.e2e.program import Ran
    from tests.e2e.strace import Point, Traced

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a file system on which a barrier costs nothing
BOOTSTRAP = ("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--yes")
USED_UP = 4  # there is nothing more to take back
REFUSED = 4  # it has begun already, or it is over
AUTHORITY = (("ca", "init", "--no-passphrase", "--yes"), ("server", "issue", "web1", "--yes"))
TIMER, SYSTEMD = ("timer", "install", "--yes"), "usr/lib/systemd/systemd"
USERS = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n"
SETTINGS = '{\n  "log-driver": "journald",\n\n  "labels": ["a=b"]\n}\n'


ACL = "system.posix_acl_access"
READER = b64decode("AgAAAAEABgD/////AgAEAOgDAAAEAAQA/////xAABAD/////IAAEAP////8=")
"""An ACL that lets the user 1000 read, as `setfacl -m u:1000:r` writes it."""
LABELLED = {"security.selinux": b"system_u:object_r:container_config_t:s0\0", ACL: READER}


@dataclass(frozen=True)
class Owned:
    """Something that lies on a host already."""

    content: str | None = None
    mode: int = 0o644
    owner: tuple[int, int] = (0, 0)
    attributes: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One run on one kind of host.

    Attributes:
        packaging: of the recorded tree.
        words: of the run.
        before: runs that come before it.
        lies: what lies on the host already, by its path; a folder if it has no content.
        again: the exit code of the same run when it has been done; None: then it does more.
        user: who called sudo.
        seamless: whether clients and dockerd can live with the host's files at every moment, half-way too.
    """

    packaging: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    lies: Mapping[str, Owned] = field(default_factory=dict)
    again: int | None = 0
    user: str = ""
    seamless: bool = False

    @property
    def env(self) -> dict[str, str]:
        return {"SUDO_USER": self.user} if self.user else {}

    def prepared(self, root: Path) -> Place:
        place = Place.recorded(self.packaging, root)
        for path, thing in self.lies.items():
            _put(place.root / path, thing)
        for words in self.before:
            place.done(*words, env=self.env)
        return place


SHORT = (("ca", "init", "--no-passphrase", "--yes"), (*BOOTSTRAP, "--days", "30"))
RENEW = ("renew", "--within", "5w", "--days", "397", "--yes")


def rotate(*words: str) -> tuple[str, ...]:
    return ("ca", "rotate", *words, "--no-passphrase", "--yes")


def at_phase(number: int) -> tuple[tuple[str, ...], ...]:
    """What comes before a run that finds a rotation there."""
    return (BOOTSTRAP, rotate("start"), *(rotate("next"),) * (number - 1))


HARDEN = ("harden", "--opt-in", "DMN-02", "--opt-in", "DMN-14", "--yes")
OPEN = {"etc/docker/daemon.json": Owned(SETTINGS, 0o606, (0, 0), LABELLED)}

SCENARIOS: Mapping[str, Scenario] = {
    "bootstrap-socket": Scenario("debian", BOOTSTRAP),
    "bootstrap-json": Scenario(
        "docker-ce",
        (*BOOTSTRAP, "--style", "json"),
        lies={"etc/docker/daemon.json": Owned(SETTINGS, 0o640, (1000, 1001), LABELLED)},
    ),
    "bootstrap-sudo": Scenario(
        "fedora",
        (*BOOTSTRAP, "--style", "env"),
        lies={"etc/passwd": Owned(USERS), "home/ann": Owned(None, 0o750, (1000, 1001))},
        user="ann",
    ),
    "configure-env": Scenario("alpine", ("daemon", "configure", "--server", "web1", "--yes"), AUTHORITY),
    "configure-json": Scenario(
        "debian", ("daemon", "configure", "--server", "web1", "--style", "json", "--yes"), AUTHORITY
    ),
    "configure-drop-in": Scenario(
        "fedora", ("daemon", "configure", "--server", "web1", "--style", "drop-in", "--yes"), AUTHORITY
    ),
    "configure-over": Scenario(
        "docker-ce",
        ("daemon", "configure", "--server", "web1", "--style", "socket", "--yes"),
        (*AUTHORITY, ("daemon", "configure", "--server", "web1", "--style", "json", "--yes")),
    ),
    "second": Scenario("debian", ("bootstrap", "web1", "web2", *BOOTSTRAP[2:], "--port", "2377"), (BOOTSTRAP,)),
    "second-json": Scenario("docker-ce", ("bootstrap", "web1", "web2", *BOOTSTRAP[2:], "--port", "2377"), (BOOTSTRAP,)),
    "harden": Scenario("debian", HARDEN, (BOOTSTRAP,), lies=OPEN),
    "undo-harden": Scenario("debian", ("undo", "--yes"), (BOOTSTRAP, HARDEN), lies=OPEN, again=None),
    "revoke": Scenario("debian", ("client", "revoke", "ann", "--yes"), (BOOTSTRAP,)),
    "timer": Scenario("debian", TIMER, AUTHORITY, lies={SYSTEMD: Owned("")}),
    "timer-removed": Scenario("debian", ("timer", "remove", "--yes"), (*AUTHORITY, TIMER), lies={SYSTEMD: Owned("")}),
    "undo": Scenario("debian", ("undo", "1", "--yes"), (BOOTSTRAP,), again=USED_UP),
    "undo-json": Scenario(
        "docker-ce",
        ("undo", "1", "--yes"),
        (BOOTSTRAP,),
        lies={"etc/docker/daemon.json": Owned(SETTINGS, 0o640, (1000, 1001), LABELLED)},
        again=USED_UP,
    ),
    "undo-second": Scenario(
        "fedora",
        ("undo", "2", "--yes"),
        (BOOTSTRAP, ("bootstrap", "web1", "web2", *BOOTSTRAP[2:], "--port", "2377")),
        again=USED_UP,
    ),
    "undo-since": Scenario("debian", ("undo", "1", "--since", "--yes"), (BOOTSTRAP, rotate("--now")), again=USED_UP),
    "renew": Scenario("debian", RENEW, SHORT, seamless=True),
    "renew-new-key": Scenario("debian", (*RENEW, "--new-key"), SHORT),
    "rotate-start": Scenario("debian", rotate("start"), (BOOTSTRAP,), again=REFUSED, seamless=True),
    "rotate-to-2": Scenario("debian", rotate("next"), at_phase(1), again=None, seamless=True),
    "rotate-to-3": Scenario("debian", rotate("next"), at_phase(2), again=None, seamless=True),
    "rotate-to-4": Scenario("debian", rotate("next"), at_phase(3), again=None, seamless=True),
    "rotate-last": Scenario("debian", rotate("next"), at_phase(4), again=REFUSED, seamless=True),
    "rotate-abort": Scenario("debian", rotate("abort"), at_phase(3), again=REFUSED, seamless=True),
    "rotate-compromised": Scenario("debian", rotate("--compromised"), (BOOTSTRAP,), again=REFUSED),
}


def _put(path: Path, thing: Owned) -> None:
    if thing.content is None:
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(thing.content)
    os.chown(path, *thing.owner)
    for name, value in thing.attributes.items():
        os.setxattr(path, name, value)
    path.chmod(thing.mode)


@dataclass(frozen=True)
class Stage:
    """A scenario that is ready to be run, and how it goes undisturbed: what it changes, call by call, and its end."""

    scenario: Scenario
    ready: Place
    points: tuple[Point, ...]
    course: Course

    @property
    def folder(self) -> Path:
        """Where there is room for copies."""
        return self.ready.root.parent

    @classmethod
    def set(cls, scenario: Scenario, folder: Path) -> Stage:
        stage = cls(scenario, scenario.prepared(folder / "ready"), (), Course(()))
        with stage.copy("first") as place:  # what is imported late, is before calls are counted
            assert stage.run(place).code == 0
            assert_whole(place)
        with stage.copy("undisturbed") as place:
            run = stage.traced(place)
            assert run.ran.code == 0, run.ran
            ends = [following for point, following in pairwise(run.points) if point.ends_a_change]
            states = (State.of(stage.ready), *map(stage.killed_state, ends[:-1]), State.of(place))
            assert [one.entries - states[0].entries for one in states] == list(range(len(states)))
            return replace(stage, points=run.points, course=Course(states))

    def killed_state(self, point: Point) -> State:
        """What a run leaves that is killed there."""
        with self.copy(f"killed-{point.at}") as place:
            self.killed(place, point)
            return State.of(place)

    def copy(self, name: str) -> AbstractContextManager[Place]:
        return copied(self.ready, name)

    def act(self, place: Place) -> Callable[[], object]:
        """What the process does."""
        return program(*place.words, *self.scenario.words)

    def run(self, place: Place) -> Ran:
        return judged(forked(self.act(place), env=self.scenario.env))

    def traced(self, place: Place) -> Traced:
        return traced(self.act(place), place.root, env=self.scenario.env)

    def killed(self, place: Place, point: Point) -> None:
        killed(self.act(place), place.root, point, env=self.scenario.env)

    def failing(self, place: Place, point: Point, error: str, *, lasting: bool = False) -> Ran:
        return failing(self.act(place), place.root, point, error, lasting=lasting, env=self.scenario.env)


@contextmanager
def copied(place: Place, name: str) -> Iterator[Place]:
    """A copy of a host beside it, owners and all, for a while."""
    root = place.root.with_name(name)
    subprocess.run(["cp", "-a", place.root, root], check=True)
    try:
        yield Place(root, place.options)
    finally:
        shutil.rmtree(root)


def assert_goes_on(stage: Stage, place: Place) -> None:
    """Where nothing is in its way any more, the same run does what was wanted; what was done, it does not do twice."""
    done = stage.course.is_new(place)
    if not done or stage.scenario.again is not None:
        ran = stage.run(place)
        assert ran.code == (stage.scenario.again if done else 0), ran
    stage.course.assert_new(place)
    assert_whole(place)


def some(points: Sequence[Point], every: int) -> tuple[Point, ...]:
    """Every Nth point, of which the last is one."""
    return tuple(points[::-1][::every])


def everywhere(check: Callable[[Point], None], points: Sequence[Point], folder: Path) -> None:
    """Check every point, on all processors; what does not hold is told for all of them."""
    count = os.cpu_count() or 1
    workers = [_forked(check, points[number::count], folder / f"failed-{number}") for number in range(count)]
    for worker in workers:
        os.waitpid(worker, 0)
    failures = "".join(path.read_text() for path in sorted(folder.glob("failed-*")))
    assert not failures, failures


def _forked(check: Callable[[Point], None], points: Sequence[Point], told: Path) -> int:
    told.write_text("the process that was to check them is gone\n")
    number = os.fork()
    if number:
        return number
    failures = []
    try:
        for point in points:
            try:
                check(point)
            except Exception:  # noqa: BLE001 - whatever it was, it is told
                failures.append(f"\n--- {point}\n{traceback.format_exc()}")
        told.write_text("".join(failures))
    finally:  # an interrupt, too, ends here: there is one pytest
        os._exit(0)
