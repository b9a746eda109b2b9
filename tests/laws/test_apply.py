"""The laws of the spine: a plan is applied whole or not at all, and its inverse takes it back."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dockertls.apply import Run, apply, history, recover
from dockertls.errors import DockerTLSError, Drifted, Undone
from dockertls.host import LocalHost
from dockertls.plan import Change, Directory, File, Link, Plan, Repeated
from dockertls.undo import plan_undo, undoable
from tests.laws.trees import Flaky, Killed, Tree, files, plan_between, read, trees, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUN = Run(datetime(2026, 11, 23, tzinfo=UTC), who="law")
MEMORY = "/dev/shm" if DiskPath("/dev/shm").is_dir() else None  # noqa: S108 - a file system on which a barrier costs nothing
law = settings(max_examples=200, deadline=None)


@contextmanager
def host_with(tree: Tree) -> Iterator[LocalHost]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        host = LocalHost(root)
        write(host, tree)
        yield host


@given(trees(), trees())
@law
def test_apply_makes_what_the_plan_says_and_the_inverse_is_identity(before: Tree, after: Tree) -> None:
    with host_with(before) as host:
        receipt = apply(plan_between(before, after), host, RUN)
        assert read(host) == after
        apply(receipt.plan.inverse(), host, RUN)
        assert read(host) == before


@given(trees(), trees(), st.data())
@law
def test_a_failure_at_any_step_leaves_the_host_as_found(before: Tree, after: Tree, data: st.DataObject) -> None:
    plan = plan_between(before, after)
    assume(plan)
    with host_with(before) as host:
        counting = Flaky(host.root)
        apply(plan, counting, RUN)
    with host_with(before) as host:
        nth = data.draw(st.integers(1, len(counting.calls)))
        failing = Flaky(host.root, nth=nth)
        if nth == len(counting.calls):  # all is done and durable but the mark that says so
            apply(plan, failing, RUN)
            assert read(host) == after
            return
        with pytest.raises(DockerTLSError):
            apply(plan, failing, RUN)
        assert recover(host) is None, "the journal of a failed run is gone"
        assert read(host) == before


@given(trees(), trees(), st.data())
@law
def test_killed_at_any_step_the_next_start_finds_the_old_or_the_new(
    before: Tree, after: Tree, data: st.DataObject
) -> None:
    plan = plan_between(before, after)
    assume(plan)
    run = replace(RUN, append_only=data.draw(st.sampled_from([(), *((path,) for path in sorted({*before, *after}))])))
    with host_with(before) as host:
        counting = Flaky(host.root)
        apply(plan, counting, run)
    with host_with(before) as host:
        nth = data.draw(st.integers(1, len(counting.calls)))
        with pytest.raises(Killed):
            apply(plan, Flaky(host.root, nth=nth, killed=True), run)
        recover(host)
        assert read(host) == (after if history(host) else before)
        assert recover(host) is None


@dataclass(frozen=True)
class Watched(LocalHost):
    """A host that writes down what gets a name, and what is made durable together."""

    seen: list[tuple[str, ...]] = field(default_factory=list)

    def rename(self, old: Path, new: Path) -> None:
        self.seen.append((str(new),))
        super().rename(old, new)

    def sync(self, paths: Iterable[Path]) -> None:
        folders = tuple(str(path) for path in paths)
        self.seen.append(("durable", *folders))
        super().sync(map(Path, folders))


def test_names_are_durable_before_the_next_directorys_but_the_stores_all_at_once(tmp_path: DiskPath) -> None:
    host = Watched(str(tmp_path))
    write(host, {Path(f"/{name}"): Directory() for name in ("d", "e", "s")})
    write(host, {Path(f"/s/{name}"): Directory() for name in ("a", "b")})
    names = ("/s/a/1", "/s/b/1", "/s/a/2", "/d/tls", "/d/key", "/e/listener")
    plan = Plan("order", tuple(Change(Path(name), None, File(b""), "") for name in names))
    apply(plan, host, replace(RUN, append_only=(Path("/s"),)))
    first = host.seen.index(("/s/a/1",))
    assert host.seen[first : first + 9] == [
        ("/s/a/1",),
        ("/s/b/1",),
        ("/s/a/2",),
        ("durable", "/s/a", "/s/b"),
        ("/d/tls",),
        ("/d/key",),
        ("durable", "/d"),
        ("/e/listener",),
        ("durable", "/e"),
    ]


@given(trees(), trees())
@law
def test_the_history_takes_it_back_as_the_inverse_does(before: Tree, after: Tree) -> None:
    plan = plan_between(before, after)
    assume(plan)
    with host_with(before) as host:
        apply(plan, host, RUN)
        entries = undoable(history(host))
        assert [entry.id for entry in entries] == [1]
        apply(plan_undo(host, entries), host, replace(RUN, undoes=(1,)))
        assert read(host) == before
        assert undoable(history(host)) == ()


@given(trees(), trees(), st.data())
@law
def test_drift_is_refused_and_nothing_is_done(before: Tree, after: Tree, data: st.DataObject) -> None:
    plan = plan_between(before, after)
    assume(plan.changes)
    reachable = [c for c in plan.changes if isinstance(before.get(c.path.parent), Directory)]
    assume(reachable)
    drifting = data.draw(st.sampled_from(reachable))
    other = data.draw(files.filter(lambda node: node != drifting.before))
    with host_with(before) as host:
        assume(not (isinstance(drifting.before, Directory) and host.names(drifting.path)))
        if drifting.before is not None:
            host.discard(drifting.path)
        host.make(drifting.path, other)
        drifted = read(host)
        with pytest.raises(Drifted):
            apply(plan, host, RUN)
        assert read(host) == drifted


@given(trees(), trees())
@law
def test_the_diff_is_empty_exactly_when_the_plan_is(before: Tree, after: Tree) -> None:
    plan = plan_between(before, after)
    assert bool(plan.diff()) == bool(plan) == (before != after)


@given(trees(), trees(), st.sampled_from(["old", "new", "both"]))
@law
def test_a_diff_shows_no_secret_and_no_control_character(before: Tree, after: Tree, where: str) -> None:
    secret = File(b"the-old-secret\n", secret=where != "new"), File(b"the-new-secret\n", secret=where != "old")
    diff = plan_between(before | {Path("/t/k"): secret[0]}, after | {Path("/t/k"): secret[1]}).diff()
    assert all(char in "\n\t" or char.isprintable() for char in diff)
    assert "the-old" not in diff
    assert "the-new" not in diff
    assert "secret " in diff


@pytest.mark.parametrize(
    "text",
    ['{"log-opts": {"splunk-token": "hunter2"}}', '{"http-proxy": "http://me:hunter2@proxy"}', 'API_TOKEN="hunter2"'],
)
def test_a_diff_shows_no_credential(text: str) -> None:
    before: Tree = {Path("/t"): Directory(), Path("/t/c"): File(f"{text}\n".encode())}
    after: Tree = before | {Path("/t/c"): File(f"{text}\nx\n".encode())}
    diff = plan_between(before, after).diff() + plan_between({}, after).diff()
    assert "hunter2" not in diff
    assert "(secret)" in diff


@pytest.mark.needs("root")
@pytest.mark.parametrize("nth", range(1, 30))
def test_a_link_that_was_to_become_a_directory_is_not_followed_on_the_way_back(nth: int) -> None:
    """Found by the law above: the folder has its new owner already, so that the link in it may not be followed."""
    before: Tree = {Path("/t"): Directory(), Path("/t/c"): Directory(0o700), Path("/t/c/c"): Link("a")}
    after: Tree = before | {
        Path("/t/c"): Directory(0o700, (1, 1)),
        Path("/t/c/c"): Directory(0o700),
        Path("/t/c/c/a"): Link("a"),
    }
    with host_with(before) as host:
        with suppress(Killed):
            apply(plan_between(before, after), Flaky(host.root, nth=nth, killed=True), RUN)
        recover(host)
        assert read(host) == (after if history(host) else before)


def test_a_path_named_twice_is_refused() -> None:
    one = Change(Path("/x"), None, File(b"1"), "one")
    two = Change(Path("/x"), None, File(b"2"), "two")
    with pytest.raises(Repeated):
        Plan("twice", (one, two))
    with pytest.raises(Repeated):
        Plan("one", (one,)) + Plan("two", (two,))


def test_a_proof_that_fails_takes_everything_back() -> None:
    with host_with({}) as host:
        plan = Plan("x", (Change(Path("/x"), None, File(b"1"), "one"),))

        def proof() -> None:
            assert host.node(Path("/x")) == File(b"1")
            raise Drifted("not what we wanted", "look")

        with pytest.raises(Undone, match="not what we wanted"):
            apply(plan, host, RUN, proof=proof)
        assert read(host) == {}
        assert history(host) == ()
