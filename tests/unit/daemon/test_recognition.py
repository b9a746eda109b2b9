"""Which packaging a host has: its unit decides, os-release only between equals; what is not known is said to be so."""

from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest

from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.recognition import Recognition, os_ids, recognise
from dockertls.platforms import BY_NAME, TABLE, Platform

OS_RELEASE = Path("/etc/os-release")
SERVICE = Path("/usr/lib/systemd/system/docker.service")
DROP_INS = Path("/etc/systemd/system/docker.service.d")
LIES = ("arch", "debian", "openEuler", "fedora", "amzn", "azurelinux", "gentoo", "ubuntu", "rhel", "suse", "alpine")


def seen(row: str, more: dict[Path, str] | None = None, *, system: str = "") -> Recognition:
    files = packaged_files(BY_NAME[row]) | {OS_RELEASE: system} | (more or {})
    return recognise(from_files(files))


def unit(line: str, *more: str) -> str:
    return "[Service]\n" + "".join(f"{text}\n" for text in (*more, f"ExecStart={line}"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_each_packaging_is_recognised_where_it_is_at_home(row: Platform) -> None:
    found = seen(row.id, system=f"ID={row.os_ids[0]}\n" if row.os_ids else "")
    assert (found.id, found.title, found.row) == (row.id, row.title, row)


ALONE = [row for row in TABLE if not [other for other in TABLE if other.command == row.command and other is not row]]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("row", ALONE, ids=lambda row: row.id)
def test_what_os_release_says_is_not_believed_against_the_unit(row: Platform, lie: str) -> None:
    assert seen(row.id, system=f"ID={lie}\n").id == row.id


@pytest.mark.parametrize(
    ("system", "row"),
    [
        ("ID=debian", "docker-ce"),
        ("ID=ubuntu\nID_LIKE=debian", "docker-ce"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "docker-ce-rpm"),
        ("ID=fedora", "docker-ce-rpm"),
        ("ID=manjaro\nID_LIKE=arch", "arch"),
        ("ID=gentoo", "gentoo-systemd"),
        ('ID="neon"\nID_LIKE="gentoo arch"', "gentoo-systemd"),
        ('ID="neon"\nID_LIKE="arch gentoo"', "arch"),
    ],
)
def test_between_equal_units_the_nearest_system_decides(system: str, row: str) -> None:
    found = seen("docker-ce", system=f"{system}\n")
    assert found.id == row
    assert "os-release" in found.how


def test_what_a_package_alone_leaves_decides_before_os_release() -> None:
    found = seen("ubuntu", system="ID=arch\n")
    assert found.id == "ubuntu"
    assert "/usr/share/docker.io" in found.how
    assert seen("docker-ce", system="ID=ubuntu\n").id == "docker-ce"


@pytest.mark.parametrize("system", ["", "ID=beos\n", 'ID="unclosed\n'])
def test_where_nothing_decides_between_equals_it_is_said(system: str) -> None:
    found = seen("docker-ce", system=system)
    assert found.id == "docker-ce"
    assert "the unit of others too" in found.how
    assert "Arch Linux" in found.how


def test_more_options_do_not_hide_a_packaging() -> None:
    line = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS --debug --mtu 1400"
    assert seen("debian", {SERVICE: unit(line, "EnvironmentFile=-/etc/default/docker")}).id == "debian"


def test_a_drop_in_of_somebody_does_not_hide_the_package_it_changes() -> None:
    override = DROP_INS / "override.conf"
    found = seen("docker-ce", {override: unit("/opt/dockerd -H unix:///x", "ExecStart=")}, system="ID=debian\n")
    assert found.id == "docker-ce"
    assert f"which {override} changes" in found.how


def test_our_own_drop_in_changes_nothing() -> None:
    own = {DROP_INS / "zz-dockertls.conf": unit("/usr/bin/dockerd --tlsverify", "ExecStart=")}
    found = seen("docker-ce", own, system="ID=debian\n")
    assert found.id == "docker-ce"
    assert "changes" not in found.how


UNKNOWN = {
    "another program": unit("/opt/bin/dockerd -H fd://"),
    "another host": unit("/usr/bin/dockerd -H unix:///x"),
    "another variable": unit("/usr/bin/dockerd -H fd:// $FLAGS", "EnvironmentFile=-/etc/sysconfig/docker"),
    "another file": unit("/usr/bin/dockerd -H fd:// $OPTIONS", "EnvironmentFile=-/etc/docker.env"),
    "no file": unit("/usr/bin/dockerd -H fd:// $OPTIONS"),
    "a variable in Docker's own unit": unit("/usr/bin/dockerd -H fd:// $MORE"),
    "no dockerd": unit("/usr/bin/podman system service"),
    "a script": unit("/bin/sh -c 'exec dockerd'"),
    "a broken line": unit("/usr/bin/dockerd 'x"),
    "no line": "[Service]\n",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_packaging_is_said_to_be_unknown_with_what_was_found(name: str) -> None:
    found = recognise(from_files({SERVICE: UNKNOWN[name], OS_RELEASE: "ID=debian\n"}))
    assert (found.id, found.row) == ("unknown", None)
    assert str(SERVICE) in found.how


def test_what_was_found_of_an_unknown_packaging() -> None:
    text = unit("/opt/dockerd -H fd:// $FLAGS $MORE", "EnvironmentFile=/etc/a", "EnvironmentFile=-/etc/b")
    found = recognise(from_files({SERVICE: text, Path("/etc/a"): ""}))
    assert found.how == (
        "/usr/lib/systemd/system/docker.service:4 ExecStart runs /opt/dockerd; variables: $FLAGS, $MORE;"
        " environment files: /etc/a, -/etc/b"
    )


def test_an_init_script_that_is_not_known() -> None:
    found = recognise(from_files({Path("/etc/init.d/docker"): "#!/bin/sh\nexec dockerd\n", Path("/sbin/x"): ""}))
    assert found.id == "unknown"
    assert "/etc/init.d/docker" in found.how


def test_a_dockerd_that_nothing_starts() -> None:
    found = recognise(from_files({Path("/usr/bin/dockerd"): "", Path("/sbin/x"): "", Path("/etc/x"): ""}))
    assert found.id == "unknown"
    assert "/usr/bin/dockerd is there" in found.how


def test_no_docker_at_all() -> None:
    assert recognise(from_files({Path("/sbin/x"): "", Path("/etc/x"): ""})).title == "no Docker"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('ID=rocky\nID_LIKE="rhel centos fedora"\n', ("rocky", "rhel", "centos", "fedora")),
        ("NAME=x\n", ()),
        ("", ()),
        ('ID="$(reboot)"\n', ()),
    ],
)
def test_what_a_system_calls_itself(text: str, ids: tuple[str, ...]) -> None:
    assert os_ids(from_files({OS_RELEASE: text})) == ids
