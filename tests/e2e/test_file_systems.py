"""What file systems know beside content, mode and owner: read-only, immutable, attributes, hard links; and links."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.errors import DockerTLSError
from dockertls.host import LocalHost
from dockertls.plan import Change, Directory, File, Plan
from tests.e2e.faults import mounted, remount
from tests.e2e.program import Place
from tests.e2e.scenarios import ACL, LABELLED, READER, SCENARIOS, SETTINGS, USERS
from tests.e2e.whole import assert_deployed, assert_whole, host, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from dockertls.plan import Node

pytestmark = pytest.mark.needs("root")
BOOTSTRAP = ("bootstrap", "web1", "--client", "ann", "--style", "env", "--no-passphrase", "--yes")
LOOK = (*BOOTSTRAP[:-1], "--check")
AGAIN = (*BOOTSTRAP, "--port", "2377")
FLAGS = "etc/default/docker"


@pytest.fixture
def secured(fresh: Place) -> Place:
    """A host that has been bootstrapped."""
    fresh.done(*BOOTSTRAP)
    return fresh


# read-only


@pytest.mark.parametrize("folder", ["", "etc", "etc/default", "var/lib/dockertls"])
def test_a_read_only_file_system(secured: Place, folder: str) -> None:
    with mounted(secured.root / folder):
        before = secured.snapshot
        remount(secured.root / folder, "ro")
        ran = secured.run(*AGAIN)
        assert ran.code == 4, ran
        assert "Read-only file system" in ran.err
        assert "the file system is read-only" in ran.err
        assert secured.run(*LOOK, "--port", "2377").code == 1
        assert secured.run(*LOOK).code == 0
        assert secured.run("undo", "--dry-run").code == 0
        assert secured.snapshot == before
    assert not [path for path in secured.root.rglob("*") if ".dockertls-" in path.name]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("renew", "etc/docker"),
        ("rotate-last", "etc/docker"),
        ("rotate-compromised", "etc/docker"),
    ],
)
def test_what_cannot_be_deployed_is_not_issued_either(name: str, folder: str, tmp_path: DiskPath) -> None:
    scenario = SCENARIOS[name]
    place = scenario.prepared(tmp_path / "root")
    with mounted(place.root / folder):
        before = host(place), store(place)
        remount(place.root / folder, "ro")
        ran = place.run(*scenario.words)
        assert ran.code == 4, ran
        assert "the file system is read-only" in ran.err
        assert (host(place), store(place)) == before
        remount(place.root / folder, "rw")
        place.done(*scenario.words)
        assert host(place) != before[0]
        assert_whole(place)
        assert_deployed(place)


# immutable


@contextmanager
def immutable(path: DiskPath) -> Iterator[None]:
    subprocess.run(["chattr", "+i", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@pytest.fixture
def shared(secured: Place) -> Place:
    """A host on which ann has her files at home, too, and bob has his."""
    (secured.root / "etc/passwd").write_text(f"{USERS}bob:x:1002:1002:Bob:/home/bob:/bin/sh\n")
    secured.done("client", "issue", "bob", "--yes")
    for name, user in (("ann", 1000), ("bob", 1002)):
        home = secured.root / "home" / name
        home.mkdir(parents=True)
        os.chown(home, user, user)
        secured.done("client", "install", name, "--docker-dir", f"/home/{name}/.docker", "--yes")
    return secured


@contextmanager
def mounted_read_only(folder: DiskPath) -> Iterator[None]:
    with mounted(folder):
        remount(folder, "ro")
        try:
            yield
        finally:
            remount(folder, "rw")


@contextmanager
def immutable_file(folder: DiskPath) -> Iterator[None]:
    with immutable(folder / "cert.pem"):
        yield


@pytest.mark.needs("chattr")
@pytest.mark.parametrize("seal", [mounted_read_only, immutable, immutable_file])
def test_a_home_that_cannot_be_written_keeps_no_other_from_being_renewed(
    shared: Place, seal: Callable[[DiskPath], AbstractContextManager[None]]
) -> None:
    home, other = (shared.root / f"home/{name}/.docker/cert.pem" for name in ("ann", "bob"))
    served = shared.root / "etc/docker/server-cert.pem"
    before = [path.read_bytes() for path in (home, other, served)]
    with seal(home.parent):
        ran = shared.run("renew", "--all", "--yes")
        assert ran.code == 4, ran
        assert "issued, not deployed: /home/ann/.docker: read-only, immutable, or closed to us" in ran.err
        now = [path.read_bytes() for path in (home, other, served)]
        assert [old == new for old, new in zip(before, now, strict=True)] == [True, False, False]
        assert shared.run("renew", "--yes").code == 4, "it is told until it is mended"
        ran = shared.run("ca", "rotate", "start", "--no-passphrase", "--yes")
        assert ran.code == 4, ran
        assert "mend this: read-only, immutable, or closed to us: nothing can be" in ran.err
        assert "--lock-out /home/ann/.docker" in ran.err
    shared.done("renew", "--yes")
    assert home.read_bytes() == (shared.root / "etc/dockertls/clients/ann/current/cert.pem").read_bytes()
    shared.done("ca", "rotate", "--now", "--no-passphrase", "--yes")
    assert_whole(shared)
    assert_deployed(shared)


@pytest.mark.needs("chattr")
@pytest.mark.parametrize(("path", "code"), [(FLAGS, 5), ("etc/default", 4), ("var/lib/dockertls", 4), ("root", 0)])
def test_what_is_immutable_is_not_changed_and_nothing_else_is(secured: Place, path: str, code: int) -> None:
    before = host(secured)
    with immutable(secured.root / path):
        ran = secured.run(*AGAIN)
        assert ran.code == code, ran
        assert code == 0 or "chattr -i" in ran.err
        assert (host(secured) == before) == (code != 0)
        assert_whole(secured)
    secured.done(*AGAIN)


# extended attributes


@pytest.fixture
def labelled(secured: Place) -> Place:
    """Every file that a second bootstrap for another client replaces has a context and lets somebody else read it."""
    for path in (FLAGS, "root/.docker/ca.pem", "root/.docker/cert.pem", "root/.docker/key.pem"):
        for name, value in LABELLED.items():
            os.setxattr(secured.root / path, name, value)
    return secured


OTHER_CLIENT = ("bootstrap", "web1", "--client", "bob", "--style", "env", "--port", "2377", "--yes")


def attributes(path: DiskPath) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def test_contexts_and_acls_of_replaced_files_are_kept(labelled: Place) -> None:
    before = host(labelled)
    labelled.done(*OTHER_CLIENT)
    for path in (FLAGS, "root/.docker/cert.pem"):
        assert attributes(labelled.root / path) == LABELLED
        assert host(labelled)[path] != before[path]
    labelled.done("undo", "--yes")
    assert host(labelled) == before


def test_a_key_that_others_could_read_is_replaced_by_one_that_they_cannot(labelled: Place) -> None:
    key = labelled.root / "root/.docker/key.pem"
    assert key.stat().st_mode & 0o777 == 0o644  # the mask of the list
    labelled.done(*OTHER_CLIENT)
    assert attributes(key) == {name: value for name, value in LABELLED.items() if name != ACL}
    assert key.stat().st_mode & 0o777 == 0o600
    labelled.done("undo", "--yes")
    assert attributes(key) == LABELLED
    assert key.stat().st_mode & 0o777 == 0o644


def test_a_list_that_new_files_inherit_opens_no_key(fresh: Place) -> None:
    (fresh.root / "root").mkdir()
    os.setxattr(fresh.root / "root", "system.posix_acl_default", READER)
    fresh.done(*BOOTSTRAP)
    assert (fresh.root / "root/.docker/key.pem").stat().st_mode & 0o777 == 0o600  # the mask: nobody whom it names may
    assert (fresh.root / "root/.docker").stat().st_mode & 0o777 == 0o700


# hard links


def test_another_name_of_a_replaced_file_keeps_what_was_there(tmp_path: DiskPath) -> None:
    place = Place.recorded("docker-ce", tmp_path / "root")
    config = place.put("etc/docker/daemon.json", SETTINGS)
    config.chmod(0o600)
    other = place.root / "srv/kept.json"
    other.parent.mkdir()
    other.hardlink_to(config)
    words = ("bootstrap", "web1", "--client", "ann", "--style", "json", "--no-passphrase")
    assert "a hard link, one of 2: the others keep what is there now" in place.run(*words, "--dry-run").out
    place.done(*words, "--yes")
    assert other.read_text() == SETTINGS
    assert other.stat().st_mode & 0o777 == 0o600
    assert other.stat().st_nlink == 1
    assert config.stat().st_mode & 0o777 == 0o600
    place.done("undo", "--yes")
    assert config.read_text() == other.read_text()


# a directory that becomes a link


@dataclass(frozen=True)
class Swapped(LocalHost):
    """A host on which another user swaps a directory of his for a link, just before a certain change."""

    at: int = 0
    calls: list[str] = field(default_factory=list)

    def _count(self, what: str) -> None:
        if len(self.calls) == self.at:
            self.swap()
        self.calls.append(what)

    def swap(self) -> None:
        folder = DiskPath(self.root) / "home/ann/.docker"
        folder.rename(folder.with_name("away"))
        folder.symlink_to("/etc/ours")
        os.chown(folder, 1000, 1001, follow_symlinks=False)

    def make(self, path: Path, node: Node) -> None:
        self._count("make")
        super().make(path, node)

    def rename(self, old: Path, new: Path) -> None:
        self._count("rename")
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._count("remove")
        super().remove(path)

    def sync(self, paths: Iterable[Path]) -> None:
        self._count("sync")
        super().sync(paths)


def swappable(root: DiskPath, at: int) -> Swapped:
    made = Swapped(str(root), at=at)
    for path in ("/etc", "/etc/ours", "/home"):
        LocalHost(str(root)).make(Path(path), Directory())
    for path in ("/home/ann", "/home/ann/.docker"):
        LocalHost(str(root)).make(Path(path), Directory(0o755, (1000, 1001)))
    for name in ("cert.pem", "key.pem"):
        for folder, owner in (("/etc/ours", (0, 0)), ("/home/ann/.docker", (1000, 1001))):
            LocalHost(str(root)).make(Path(folder) / name, File(b"old", 0o644, owner))
    return made


@pytest.mark.parametrize("at", range(-1, 24))
def test_a_directory_that_becomes_a_link_is_not_followed(tmp_path: DiskPath, at: int) -> None:
    """At -1 it happens between the plan and its drift check's end, then between any two changes."""
    swapped = swappable(tmp_path, at)
    folder, owner = Path("/home/ann/.docker"), (1000, 1001)
    changes = [
        Change(folder / n, File(b"old", 0o644, owner), File(b"new", 0o600, owner), "x") for n in ("cert.pem", "key.pem")
    ]
    plan = Plan("x", (*changes, Change(folder / "ca.pem", None, File(b"new", 0o644, owner), "x")))
    run = Run(datetime(2026, 11, 23, tzinfo=UTC))
    with suppress(DockerTLSError):
        apply(plan, swapped, run, guards=[swapped.swap] if at < 0 else [])
    ours = tmp_path / "etc/ours"
    assert {path.name: path.read_bytes() for path in ours.iterdir()} == {"cert.pem": b"old", "key.pem": b"old"}
    assert at >= len(swapped.calls) or (tmp_path / "home/ann/.docker").is_symlink()
