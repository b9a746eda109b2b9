"""A way that is gone again: what is kept open leads where a new way would."""

from __future__ import annotations

import os
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path

import pytest

from dockertls.errors import Denied, NotReady
from dockertls.host import LocalHost
from dockertls.plan import Directory, File, Link, beside

PATHS = ("/a/b/x", "/a/b/y", "/a/c/x", "/l/x", "/l/../c/x", "/a/b/x", "/a/b/n/x", "/m/b/x", "/x", "/a/b/x/z", "/a/c/x")


@pytest.fixture
def host(tmp_path: DiskPath) -> LocalHost:
    """Two directories, each with a file, and links to one of them and to what holds them."""
    made = LocalHost(str(tmp_path))
    for path in ("/a", "/a/b", "/a/c"):
        made.make(Path(path), Directory())
    for path in ("/a/b/x", "/a/b/y", "/a/c/x", "/x"):
        made.make(Path(path), File(path.encode()))
    made.make(Path("/l"), Link("/a/b"))
    made.make(Path("/m"), Link("l/.."))
    return made


def test_a_way_kept_open_leads_where_a_new_one_would(host: LocalHost) -> None:
    expected = [host.node(Path(path)) for path in PATHS]
    with host.near() as near:
        assert [near.node(Path(path)) for path in PATHS] == expected
    assert [node.content.decode() if isinstance(node, File) else None for node in expected] == [
        "/a/b/x", "/a/b/y", "/a/c/x", "/a/b/x", "/a/c/x", "/a/b/x", None, "/a/b/x", "/x", None, "/a/c/x",
    ]  # fmt: skip


def test_a_folder_is_looked_at_by_name_and_no_link_in_it_is_followed(host: LocalHost) -> None:
    with host.folder(Path("/")) as top:
        assert top
        assert top.names() == ("a", "l", "m", "x")
        assert (top.enter("l"), top.enter("x"), top.enter("nothing")) == (None, None, None)
        assert [top.target(name) for name in ("l", "m", "x", "a", "nothing")] == ["/a/b", "l/..", None, None, None]
        inner = top.enter("a")
        assert inner
        with inner:
            assert (inner.place, inner.names()) == (Path("/a"), ("b", "c"))
        assert (top.content("x"), top.content("nothing")) == (b"/x", None)
        assert [top.has_file(name) for name in ("x", "a", "l", "nothing")] == [True, False, False, False]
        for name in ("l", "a"):
            with pytest.raises(NotReady, match=f"/{name}: "):
                top.content(name)


def test_a_folder_is_gone_to_as_any_path_is(host: LocalHost, tmp_path: DiskPath) -> None:
    host.make(Path("/a/large"), File(b"x" * 100_000))
    for path in ("/l", "/m/b", f"/{tmp_path}/a/b"):
        with host.folder(Path(path)) as folder:
            assert folder
            assert folder.names() == ("x", "y")
    for path in ("/nothing", "/x", "/a/b/x"):
        with host.folder(Path(path)) as folder:
            assert folder is None
    with host.folder(Path("/a")) as folder:
        assert folder
        assert folder.content("large") == b"x" * 100_000


def test_inside_and_beside_the_tree_are_two_ways(host: LocalHost, tmp_path: DiskPath) -> None:
    outside = beside(Path(str(tmp_path)) / "a/b/x")
    with host.near() as near:
        assert near.node(outside) == near.node(Path("/a/b/x")) == near.node(outside) == File(b"/a/b/x")


def test_what_is_made_and_renamed_nearby_is_where_it_should_be(host: LocalHost, tmp_path: DiskPath) -> None:
    with host.near() as near:
        near.make(Path("/a/.new"), Directory(0o700))
        near.make(Path("/a/.new/key"), File(b"k", 0o600))
        near.rename(Path("/a/.new"), Path("/a/b/new"))
        near.make(Path("/a/b/new/cert"), File(b"c"))
        near.rename(Path("/a/b/new/cert"), Path("/a/c/cert"))
    assert (tmp_path / "a/b/new/key").read_bytes() == b"k"
    assert (tmp_path / "a/c/cert").read_bytes() == b"c"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "c"]


def test_nothing_stays_open(host: LocalHost) -> None:
    before = set(DiskPath("/proc/self/fd").iterdir())
    with host.near() as near:
        for path in PATHS:
            near.node(Path(path))
    assert set(DiskPath("/proc/self/fd").iterdir()) == before


@pytest.mark.needs("root")
def test_a_planted_link_is_not_followed_on_a_way_kept_open(host: LocalHost, tmp_path: DiskPath) -> None:
    home = tmp_path / "home"
    (home / "me").mkdir(parents=True)
    (home / "me/.docker").symlink_to("/a/b")
    os.chown(home / "me", 1234, 1234)
    with host.near() as near:
        assert near.node(Path("/a/b/x")) is not None
        assert near.node(Path("/home/me/.docker")) == Link("/a/b")
        with pytest.raises(Denied, match="planted"):
            near.node(Path("/home/me/.docker/x"))
        with pytest.raises(Denied, match="planted"):
            near.make(Path("/home/me/.docker/new"), File(b""))
        assert near.node(Path("/a/b/x")) == File(b"/a/b/x")
