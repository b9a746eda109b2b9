"""The way to a machine: nothing planted is followed, and what is made is never more open than it shall be."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.documents.passwd import parse_passwd
from dockertls.errors import Denied, Locked, NotReady, Refused
from dockertls.facts import NotGathered, NotSeen, missing_directories
from dockertls.host import READINGS, LocalHost, Output
from dockertls.plan import Command, Directory, File, Link, Node
from dockertls.platforms import DAEMON_JSON
from dockertls.rows import gather
from dockertls.ways import read_all

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def host(tmp_path: DiskPath) -> LocalHost:
    return LocalHost(str(tmp_path))


def test_a_tree_is_entered_as_chroot_would(host: LocalHost, tmp_path: DiskPath) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/x").write_text("inside")
    (tmp_path / "a").symlink_to("/etc")
    (tmp_path / "b").symlink_to("../../../../etc")
    for path in ("/a/x", "/b/x", "/a/../etc/x"):
        node = host.node(Path(path))
        assert isinstance(node, File)
        assert node.content == b"inside"
    assert host.real(Path("/a/x")) == Path("/etc/x")
    assert host.real(Path("/a/new/one")) == Path("/etc/new/one")


def test_links_in_a_circle_lead_nowhere(host: LocalHost) -> None:
    host.make(Path("/a"), Link("b"))
    host.make(Path("/b"), Link("a"))
    assert host.node(Path("/a/x")) is None
    assert host.names(Path("/a")) == ()


@pytest.mark.needs("root")
@pytest.mark.parametrize("owner", ["folder", "link"])
def test_a_link_that_another_user_could_have_planted_is_not_followed(
    host: LocalHost, tmp_path: DiskPath, owner: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".docker").symlink_to("/etc")
    (tmp_path / "etc").mkdir()
    os.chown(home if owner == "folder" else home / ".docker", 1234, 1234, follow_symlinks=False)
    for act in (
        lambda: host.node(Path("/home/.docker/x")),
        lambda: host.make(Path("/home/.docker/x"), File(b"")),
        lambda: host.real(Path("/home/.docker")),
    ):
        with pytest.raises(Denied, match="planted"):
            act()
    assert not list((tmp_path / "etc").iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_modes_are_what_was_said_whatever_the_umask(host: LocalHost, umask: int) -> None:
    before = os.umask(umask)
    try:
        nodes: dict[str, Node] = {"/d": Directory(0o750), "/d/f": File(b"x", 0o604), "/d/k": File(b"k", 0o600)}
        for path, node in nodes.items():
            host.make(Path(path), node)
            assert host.node(Path(path)) == node
    finally:
        os.umask(before)


def test_what_is_there_is_never_overwritten(host: LocalHost) -> None:
    host.make(Path("/x"), File(b"1"))
    with pytest.raises(FileExistsError):
        host.make(Path("/x"), File(b"2"))
    assert host.node(Path("/x")) == File(b"1")


def test_a_device_is_not_read(host: LocalHost, tmp_path: DiskPath) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotReady, match="neither a file"):
        host.node(Path("/pipe"))


def test_a_huge_file_is_not_read_whole(host: LocalHost, tmp_path: DiskPath) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(40 << 20)
    with pytest.raises(Refused, match="larger than"):
        host.node(Path("/huge"))


def test_a_root_that_is_gone_is_told(tmp_path: DiskPath) -> None:
    host = LocalHost(str(tmp_path / "gone"))
    assert not host.is_there


def test_nothing_is_run_in_a_file_tree(host: LocalHost) -> None:
    with pytest.raises(NotReady, match="file tree"):
        host.run(Command(("true",), "try"))


def test_a_program_that_is_not_there_is_an_answer() -> None:
    assert LocalHost().run(Command(("dockertls-no-such-program",), "try")).code == 127
    assert LocalHost().run(Command(("sh", "-c", "echo out; echo err >&2; exit 3"), "try")) == Output(
        3, "out\n", "err\n"
    )


@pytest.mark.parametrize("writes", [1, READINGS - 1, READINGS])
def test_a_file_that_is_written_while_it_is_read(
    host: LocalHost, tmp_path: DiskPath, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    texts = [b"x" * length for length in range(writes)]
    (tmp_path / "x").write_bytes(b"before")

    def written_meanwhile(handle: int, path: Path) -> bytes:
        content = read_all(handle, path)
        if texts:
            (tmp_path / "x").write_bytes(texts.pop())
        return content

    monkeypatch.setattr("dockertls.host.read_all", written_meanwhile)
    if writes == READINGS:
        with pytest.raises(NotReady, match="/x changes while it is read"):
            host.node(Path("/x"))
        return
    assert host.node(Path("/x")) == File(b"", 0o644, host.self_owner)


def test_a_file_that_is_exchanged_while_it_is_read(
    host: LocalHost, tmp_path: DiskPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").chmod(0o600)

    def exchanged_meanwhile(handle: int, path: Path) -> bytes:
        content = read_all(handle, path)
        if (tmp_path / "new").exists():
            (tmp_path / "new").rename(tmp_path / "x")
        return content

    monkeypatch.setattr("dockertls.host.read_all", exchanged_meanwhile)
    node = host.node(Path("/x"))
    assert isinstance(node, File)
    assert (node.content, node.mode) in {(b"old", 0o644), (b"new", 0o600)}, "one or the other, never of each a half"


def test_one_lock_at_a_time(host: LocalHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockertls.host.LOCK_PATIENCE", 0.0)
    with host.lock(), pytest.raises(Locked), host.lock():
        pass
    with host.lock():
        assert host.node(Path("/var/lib/dockertls")) == Directory(0o700, host.self_owner)


@pytest.mark.needs("root")
def test_extended_attributes_are_seen_and_set(host: LocalHost, tmp_path: DiskPath) -> None:
    host.make(Path("/old"), File(b"1", attributes=(("trusted.a", b"yes"), ("trusted.b", b"\0"))))
    assert os.getxattr(tmp_path / "old", "trusted.a") == b"yes"
    seen = host.node(Path("/old"))
    assert isinstance(seen, File)
    assert seen.attributes == (("trusted.a", b"yes"), ("trusted.b", b"\0"))


def test_hard_links_are_counted(host: LocalHost, tmp_path: DiskPath) -> None:
    host.make(Path("/one"), File(b"1"))
    (tmp_path / "other").hardlink_to(tmp_path / "one")
    seen = host.node(Path("/one"))
    assert isinstance(seen, File)
    assert seen.names == 2


def test_facts_know_what_they_were_not_asked(host: LocalHost) -> None:
    facts = gather(host, [], now=NOW)
    with pytest.raises(NotGathered):
        facts.node(DAEMON_JSON)
    assert gather(host, ["daemon"], now=NOW).file(DAEMON_JSON) is None


def test_a_masked_unit_is_no_unit(host: LocalHost, tmp_path: DiskPath) -> None:
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    unit = Path("/etc/systemd/system/docker.service")
    host.make(unit, Link("/dev/null"))
    facts = gather(host, ["daemon"], now=NOW)
    assert facts.node(unit) == Link("/dev/null")
    assert facts.file(unit) is None


def test_missing_directories_outermost_first(host: LocalHost) -> None:
    facts = gather(host, [], trees=[Path("/a/b/c")], now=NOW)
    assert missing_directories(facts, Path("/a/b")) == (Path("/a"), Path("/a/b"))


def test_passwd_lines_that_are_none_are_passed_over() -> None:
    text = "# comment\nroot:x:0:0:root:/root:/bin/sh\nbroken\nann:x:a:b::/home/ann:\nbob:x:7:8::/home/bob:\n"
    assert [(user.name, user.owner) for user in parse_passwd(text)] == [("root", (0, 0)), ("bob", (7, 8))]


# what is gathered though some of it is not to be seen


UNPRIVILEGED = 65534


@pytest.fixture
def guarded(tmp_path: DiskPath) -> Iterator[LocalHost]:
    """A tree in which an ordinary user sees nothing of one directory."""
    (tmp_path / "open/closed/inner").mkdir(parents=True)
    (tmp_path / "open/closed/inner/file").write_text("x")
    (tmp_path / "open/file").write_text("y")
    (tmp_path / "open/closed").chmod(0o700)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    os.seteuid(UNPRIVILEGED)
    yield LocalHost(str(tmp_path))
    os.seteuid(0)


@pytest.mark.needs("root")
def test_what_is_not_to_be_seen_ends_the_gathering_unless_it_is_borne(guarded: LocalHost) -> None:
    paths = (Path("/open/file"), Path("/open/closed/inner/file"), Path("/open/missing"))
    with pytest.raises(Denied):
        gather(guarded, (), also=paths, now=NOW)
    facts = gather(guarded, (), also=paths, trees=[Path("/open/closed")], dates=paths, bears=True, now=NOW)
    assert facts.file(paths[0])
    assert facts.file(paths[2]) is None
    for ask in (facts.node, facts.file):
        with pytest.raises(NotSeen, match=r"/open/closed/inner: Permission denied"):
            ask(paths[1])
    with pytest.raises(NotSeen, match=r"/open/closed: Permission denied"):
        facts.listed(Path("/open/closed"))
    assert facts.node(Path("/open/closed")) == Directory(0o700)
    assert facts.changed.keys() == {paths[0]}


def test_a_link_changes_with_its_end_and_when_it_is_led_elsewhere(host: LocalHost, tmp_path: DiskPath) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("old")
    link = Path("/link")

    def changed() -> float:
        return gather(host, (), dates=[link], now=NOW).changed[link]

    assert changed() == (tmp_path / "link").lstat().st_ctime
    (tmp_path / "old").chmod(0o600)
    assert changed() == (tmp_path / "old").stat().st_ctime
    (tmp_path / "other").symlink_to("new")
    (tmp_path / "other").rename(tmp_path / "link")
    assert changed() == (tmp_path / "link").lstat().st_ctime
    (tmp_path / "new").unlink()
    assert gather(host, (), dates=[link], now=NOW).changed == {}


def test_what_is_given_to_a_command_is_its_standard_input_and_nothing_else() -> None:
    answer = LocalHost().run(Command(("od", "-c"), ""), given=b"a secret\xff")
    assert answer == Output(0, "0000000   a       s   e   c   r   e   t 377\n0000011\n", "")
    assert LocalHost().run(Command(("cat",), "")) == Output(0, "", "")


def test_a_file_that_is_not_read_may_be_of_any_size(host: LocalHost, tmp_path: DiskPath) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    (tmp_path / "link").symlink_to("large")
    with pytest.raises(Refused, match="larger than 32 MiB"):
        gather(host, (), also=[Path("/link")], now=NOW)
    found = gather(host, (), bare=[Path("/link")], now=NOW).file(Path("/link"))
    assert found == File(b"", 0o644, host.self_owner)


@pytest.mark.needs("root")
def test_a_folder_that_cannot_be_entered_any_more_is_sealed(tmp_path: DiskPath) -> None:
    host = LocalHost(str(tmp_path))
    home = tmp_path / "home"
    home.mkdir()
    (home / "cert.pem").write_text("x")
    assert not host.is_sealed(Path("/home"), ["cert.pem"])
    assert host.is_sealed(Path("/gone"), [])
    assert host.is_sealed(Path("/home/cert.pem"), [])
    (tmp_path / "link").symlink_to("home")
    os.chown(tmp_path / "link", 4242, 4242, follow_symlinks=False)
    assert host.is_sealed(Path("/link"), ["cert.pem"])


WITHOUT_SYS_ADMIN = ("setpriv", "--bounding-set=-sys_admin", sys.executable, "-c")
LABELLED = """
from pathlib import PurePosixPath as Path
from dockertls.host import LocalHost
from dockertls.plan import File
LocalHost({root!r}).make(Path("/x"), File(b"y", attributes=(({name!r}, b"z"),)))
"""


@pytest.mark.needs("root", "setpriv")
def test_a_label_that_nobody_enforces_keeps_nothing_from_being_written(tmp_path: DiskPath) -> None:
    """As in a service without CAP_SYS_ADMIN, where a file has the label of a security module that does not run."""
    for name, code in (("security.nobody", 0), ("trusted.x", 1)):
        root = tmp_path / name
        root.mkdir()
        script = LABELLED.format(root=str(root), name=name)
        assert subprocess.run([*WITHOUT_SYS_ADMIN, script], capture_output=True, check=False).returncode == code
        assert (root / "x").exists() is (code == 0)
