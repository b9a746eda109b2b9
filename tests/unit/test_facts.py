"""What would be known of a host once a plan is carried out, compared with what is known when it was."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.errors import NotReady
from dockertls.facts import NotSeen
from dockertls.host import LocalHost
from dockertls.look import DEEPEST
from dockertls.plan import Change, Directory, File, Link, Plan
from dockertls.rows import gather
from dockertls.ways import MAX_FILE

if TYPE_CHECKING:
    from pathlib import Path as DiskPath

    from dockertls.facts import HostFacts

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DOCKER = Path("/etc/docker")
TLS = DOCKER / "tls"


def gathered(host: LocalHost) -> HostFacts:
    return gather(host, ["daemon", "certificates"], now=NOW)


def test_what_would_be_known_is_what_is_known_afterwards(tmp_path: DiskPath) -> None:
    (tmp_path / "etc/docker/tls/0001").mkdir(parents=True)
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/daemon.json").write_text("{}")
    (tmp_path / "etc/docker/daemon.json").symlink_to("../../srv/daemon.json")
    (tmp_path / "etc/docker/tls/current").symlink_to("0001")
    (tmp_path / "etc/docker/ca.pem").symlink_to("tls/current/ca.pem")
    (tmp_path / "etc/docker/tls/0001/ca.pem").write_text("old")
    host = LocalHost(str(tmp_path))
    before, owner = gathered(host), host.self_owner
    drop_in = Path("/etc/systemd/system/docker.service.d")
    plan = Plan(
        "another generation",
        (
            *(Change(path, None, Directory(0o755, owner), "") for path in (*reversed(drop_in.parents[:2]), drop_in)),
            Change(drop_in / "dockertls.conf", None, File(b"[Service]", 0o644, owner), ""),
            Change(TLS / "0002", None, Directory(0o700, owner), ""),
            Change(TLS / "0002/ca.pem", None, File(b"new", 0o644, owner), ""),
            Change(TLS / "current", Link("0001"), Link("0002"), ""),
            Change(DOCKER / "server-cert.pem", None, Link("/etc/docker/tls/current/../0002/ca.pem"), ""),
        ),
    )
    expected = before.after(plan.changes)
    apply(plan, host, Run(NOW))
    found = gathered(host)
    for path in (DOCKER / "ca.pem", DOCKER / "server-cert.pem", DOCKER / "daemon.json", drop_in / "dockertls.conf"):
        assert expected.file(path) == found.file(path) is not None
    assert expected.listed(drop_in) == found.listed(drop_in) == ("dockertls.conf",)
    assert expected.listed(TLS) == found.listed(TLS)


def test_links_that_lead_in_a_circle_lead_nowhere(tmp_path: DiskPath) -> None:
    host = LocalHost(str(tmp_path))
    (tmp_path / "etc/docker").mkdir(parents=True)
    changes = [Change(DOCKER / "ca.pem", None, Link("a"), ""), Change(DOCKER / "a", None, Link("ca.pem"), "")]
    assert gathered(host).after(changes).file(DOCKER / "ca.pem") is None


def test_a_tree_that_has_no_end_is_not_seen_to_its_end(tmp_path: DiskPath) -> None:
    """Any user can make one; the tree beside it is seen."""
    deep, good = Path("/home/bob"), Path("/home/ann")
    (tmp_path / "home/bob" / "/".join("d" * (DEEPEST + 1))).mkdir(parents=True)
    (tmp_path / "home/ann").mkdir()
    (tmp_path / "home/ann/ca.pem").write_text("here")
    host = LocalHost(str(tmp_path))
    facts = gather(host, (), trees=(deep, good), bears=True, now=NOW)
    assert facts.file(good / "ca.pem")
    with pytest.raises(NotSeen, match="too deep"):
        facts.listed(deep.joinpath(*"d" * DEEPEST))
    with pytest.raises(NotReady, match="too deep"):
        gather(host, (), trees=(deep,), now=NOW)


def test_a_file_of_any_size_does_not_end_a_gathering_that_bears_it(tmp_path: DiskPath) -> None:
    path = tmp_path / "home/bob/ca.pem"
    path.parent.mkdir(parents=True)
    path.touch()
    os.truncate(path, MAX_FILE + 1)
    facts = gather(LocalHost(str(tmp_path)), (), trees=(Path("/home/bob"),), bears=True, now=NOW)
    with pytest.raises(NotSeen, match="larger than"):
        facts.node(Path("/home/bob/ca.pem"))
