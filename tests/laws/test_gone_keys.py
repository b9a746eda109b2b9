"""A key that is replaced or taken away for good: until that is done it is whole, and then it is nowhere."""

from __future__ import annotations

import base64
import tempfile
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply, history, recover
from dockertls.errors import DockerTLSError
from dockertls.host import LocalHost
from dockertls.plan import Change, File, Plan
from dockertls.undo import undoable
from tests.e2e.scenarios import MEMORY, everywhere, some
from tests.e2e.strace import killed, traced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.strace import Point

KEY, STORE = Path("/store/ca/0001/key.pem"), Path("/store")
OLD = b"-----BEGIN PRIVATE KEY-----\nthe old one, line by line\n-----END PRIVATE KEY-----\n"
NEW = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nthe new one\n-----END ENCRYPTED PRIVATE KEY-----\n"
AFTER = {"replaced": File(NEW, 0o600, secret=True), "taken away": None}
RUN = Run(datetime(2026, 11, 23, tzinfo=UTC), who="law", append_only=(STORE,))

pytestmark = pytest.mark.needs("root", "strace")


def change(root: DiskPath, after: File | None) -> None:
    host = LocalHost(str(root))
    apply(Plan("key", (Change(KEY, host.node(KEY), after, "key"),)), host, RUN)


@contextmanager
def host(folder: DiskPath, name: str) -> Iterator[DiskPath]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=name) as made:
        root = DiskPath(made)
        path = root / str(KEY).lstrip("/")
        path.parent.mkdir(parents=True)
        path.write_bytes(OLD)
        path.chmod(0o600)
        yield root


def places(root: DiskPath, key: bytes) -> list[str]:
    """Every file in which a key can be found, as it is or as a journal keeps it; 0600 without exception."""
    needles = (key, base64.b64encode(key), key.splitlines()[1])
    found = [path for path in root.rglob("*") if path.is_file() and any(one in path.read_bytes() for one in needles)]
    assert {path.stat().st_mode & 0o777 for path in found} <= {0o600}
    return [str(path.relative_to(root)) for path in found]


def assert_old_or_done(root: DiskPath, after: File | None) -> None:
    there = LocalHost(str(root))
    recover(there)
    if history(there):
        assert there.node(KEY) == after
        assert places(root, OLD) == []
        assert undoable(history(there)) == (), "no undo brings it back"
    else:
        assert places(root, OLD) == [str(KEY).lstrip("/")]
        assert places(root, NEW) == []
    assert not [*root.rglob("*journal*"), *root.rglob("*.dockertls-*")]


@pytest.fixture
def folder() -> Iterator[DiskPath]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        yield DiskPath(made)


@pytest.mark.parametrize("name", AFTER)
def test_done_it_is_nowhere(name: str, folder: DiskPath) -> None:
    with host(folder, "done") as root:
        change(root, AFTER[name])
        assert len(history(LocalHost(str(root)))) == 1
        assert_old_or_done(root, AFTER[name])


@pytest.mark.parametrize("name", AFTER)
def test_killed_at_any_call(name: str, folder: DiskPath, every: int) -> None:
    after = AFTER[name]
    with host(folder, "first") as root:
        change(root, after)
    with host(folder, "undisturbed") as root:
        points = traced(partial(change, root, after), root).points

    def check(point: Point) -> None:
        with host(folder, "killed") as root:
            killed(partial(change, root, after), root, point)
            assert_old_or_done(root, after)

    everywhere(check, some(points, min(every, 2)), folder)


@pytest.mark.parametrize("name", AFTER)
def test_a_proof_that_fails_leaves_the_old_key(name: str, folder: DiskPath) -> None:
    def no() -> None:
        raise DockerTLSError("no")

    with host(folder, "refused") as root:
        there = LocalHost(str(root))
        plan = Plan("key", (Change(KEY, there.node(KEY), AFTER[name], "key"),))
        with suppress(DockerTLSError):
            apply(plan, there, RUN, proof=no)
        assert history(there) == ()
        assert_old_or_done(root, AFTER[name])


def test_the_next_change_is_not_disturbed_by_a_journal_that_was_left(folder: DiskPath) -> None:
    """The run was killed when the change was done and its journal not yet removed."""
    with host(folder, "left") as root:
        change(root, AFTER["replaced"])
        (entry,) = (root / "var/lib/dockertls/history").iterdir()
        (root / "var/lib/dockertls/journal.json").write_bytes(entry.read_bytes())
        change(root, None)
        assert len(history(LocalHost(str(root)))) == 2
        assert not (root / "var/lib/dockertls/journal.json").exists()
        assert places(root, NEW) == places(root, OLD) == []
